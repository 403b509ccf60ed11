//! A node reports its state to the cluster at regular times.

use super::presence::{self, Presence};
use super::running::{POLL_INTERVAL, RunningNode};
use crate::health::HEALTH;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// The part of the health about names of nodes.
const NAMES: &str = "cluster.node";

/// Pause between two reports of this node's state.
const REPORT_INTERVAL: Duration = Duration::from_millis(500);

/// Pause between two reports of the part of the log that this node has (kept for minutes), and that it is known (kept for days).
const STREAM_SEQ_INTERVAL: Duration = Duration::from_secs(20);

/// How long the health says that another node has the same name, after it was seen.
const SAME_NAME: Duration = Duration::from_secs(10);

impl RunningNode {
    /// Reports this node's state to the cluster, until it stops.
    pub(super) async fn report_presence(&self) {
        // Before the first report of this node, the name may be that of its last process.
        let (mut has_reported, mut same_name) = (false, None::<Instant>);
        let mut stream_seq_reported = None::<Instant>;
        while self.stop.run_until_cancelled(sleep(REPORT_INTERVAL)).await.is_some() {
            if self.is_foreign.load(Ordering::Relaxed) {
                continue;
            }
            let Ok(view) = self.store.view() else { continue };
            let presence = Presence {
                node: self.node.holder.node.clone(),
                instance: self.node.holder.instance.clone(),
                version: env!("CARGO_PKG_VERSION").into(),
                listen: self.listen.clone(),
                stream_seq: *self.store.stream_seqs().borrow(),
                offset: view.cursor().offset,
            };
            let is_due = stream_seq_reported.is_none_or(|at| at.elapsed() > STREAM_SEQ_INTERVAL);
            let reporting = async {
                let bucket = self.node.connection.leases().await?;
                let before = presence::report(&bucket, &presence).await?;
                if is_due && !self.is_fetching.load(Ordering::Relaxed) {
                    let stream_seqs = self.node.connection.make_stream_seqs().await?;
                    presence::report_stream_seq(&stream_seqs, &presence.node, presence.stream_seq)
                        .await?;
                    stream_seq_reported = Some(Instant::now());
                    // Last, and without an error: the list of missing nodes is for people alone.
                    if let Ok(known) = self.node.connection.make_known_nodes().await {
                        let _ = presence::report(&known, &presence).await;
                    }
                }
                Ok::<_, String>(before)
            };
            let limited = timeout(POLL_INTERVAL * 10, Box::pin(reporting));
            let Some(reported) = self.stop.run_until_cancelled(limited).await else {
                return;
            };
            match reported {
                Ok(Ok(before)) => {
                    let other = before.filter(|before| before.instance != presence.instance);
                    if let Some(other) = other.filter(|_| has_reported) {
                        tell_same_name(&other, same_name.is_none());
                        same_name = Some(Instant::now());
                    }
                    has_reported = true;
                }
                Ok(Err(error)) => tracing::debug!("this node cannot report its state: {error}"),
                Err(_) => {}
            }
            if same_name.is_some_and(|seen| seen.elapsed() > SAME_NAME) {
                same_name = None;
                HEALTH.recover(NAMES);
            }
        }
    }
}

/// Reports that another node has the same name.
fn tell_same_name(other: &Presence, is_new: bool) {
    let Presence { node, listen, .. } = other;
    let text = format!(
        "another node is named `{node}` too, and serves at {listen}; give each its own `cluster.node`"
    );
    if is_new {
        tracing::error!("the cluster: {text}");
    }
    HEALTH.degrade(NAMES, text);
}
