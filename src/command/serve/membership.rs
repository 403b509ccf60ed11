//! The node of this server in its cluster, from its start to its end.

use super::handover;
use crate::cluster::{
    ClusterHandle, ClusterNode, LeaderService, NodeServices, PassedConnection, Tunnels,
    WantedCopies, keep_copies,
};
use crate::health;
use crate::server::{ServerContext, answerer, telling, too_many_passed};
use bytes::Bytes;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a node has to let others lead, at the end.
const CLUSTER_STOP_TIMEOUT: Duration = Duration::from_millis(700);

/// The task of a node that takes part in its cluster.
pub(super) struct NodeTask {
    end: CancellationToken,
    task: JoinHandle<()>,
}

impl NodeTask {
    /// Begins; `socket` is this server's own, `listen` the address at which it serves, and `passed` takes
    /// connections of other nodes. `None` where the server is no node.
    pub(super) fn begin(
        node: ClusterNode,
        wanted: Arc<WantedCopies>,
        context: &Arc<ServerContext>,
        socket: &Path,
        listen: &str,
        passed: mpsc::Sender<PassedConnection>,
    ) -> Option<Self> {
        let ClusterHandle { requests, events, waiting, tunnels, media, state: node_state, .. } =
            context.cluster.clone()?;
        let (store, stop) = (context.store.clone(), context.stop.clone());
        let copies = {
            let (store, media, stop) = (store.clone(), media.clone(), stop.clone());
            move || keep_copies(store.clone(), media.clone(), wanted.clone(), stop.clone())
        };
        context.tasks.spawn(health::supervise("media copies", stop.clone(), copies));
        let (state, ending) = (node_state, stop.clone());
        context.tasks.spawn(async move {
            let has_snapshot = ending.run_until_cancelled(state.has_snapshot()).await;
            // Clients come back to the server that begins again, as after any restart.
            has_snapshot.inspect(|()| ending.cancel());
        });
        let limit = Duration::from_secs(context.config.limits.answer_seconds);
        let answering = answerer(socket.to_owned(), store.clone(), requests.clone(), limit);
        let while_leading = [
            (requests, answering, too_many_passed()),
            (events, handover::storing(store.clone()), handover::BUSY),
            // The server ends with its context. An answer that cannot be read says that there is none.
            (waiting.requests(), telling(Arc::downgrade(context)), Bytes::new()),
            (tunnels.requests(), tunnels.taking(passed), Tunnels::too_many()),
        ];
        let service = |(requests, answerer, busy)| LeaderService { requests, answerer, busy };
        let while_leading = while_leading.into_iter().map(service).collect();
        let services = NodeServices { media, while_leading };
        let (db, listen) = (context.config.db.clone(), listen.to_owned());
        let end = CancellationToken::new();
        let ending = end.clone();
        let run = move || {
            let (store, db, listen) = (store.clone(), db.clone(), listen.clone());
            node.clone().run(store, db, listen, services.clone(), ending.clone())
        };
        let task = tokio::spawn(health::supervise("cluster", stop, run));
        Some(Self { end, task })
    }

    /// Gives up the lease, if this node has it, and takes part no longer.
    pub(super) async fn end(self) {
        self.end.cancel();
        let _ = tokio::time::timeout(CLUSTER_STOP_TIMEOUT, self.task).await;
    }
}
