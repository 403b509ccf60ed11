//! A running node: its store and what the parts of its main loop share.

use super::connection::NatsConnection;
use super::lease::Holder;
use super::requests::LeaderService;
use super::state::ClusterState;
use crate::health::HEALTH;
use crate::log::jetstream::{BatchReader, EventStream, LeaseEnd};
use crate::store::Store;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The part of the health about the cluster.
pub(super) const HEALTH_PART: &str = "cluster";

/// Pause between two checks of the lease and of the end of the log.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(300);

/// Why a node cannot continue for now.
pub(super) type Fault = String;

/// A node of a cluster, from the start of its process to the end.
#[derive(Clone)]
pub struct ClusterNode {
    pub(super) connection: NatsConnection,
    pub(super) lease: Arc<LeaseEnd>,
    pub(super) state: Arc<ClusterState>,
    pub(super) holder: Holder,
    pub(super) snapshot_every: u64,
}

/// A node that runs on its store.
pub(super) struct RunningNode {
    pub(super) node: ClusterNode,
    pub(super) stream: EventStream,
    pub(super) store: Arc<Store>,
    /// Snapshots are written next to it before they are sent.
    pub(super) db: PathBuf,
    pub(super) listen: String,
    /// Its services to the others, while it leads.
    pub(super) services: Vec<LeaderService>,
    /// The store is of another cluster.
    pub(super) is_foreign: AtomicBool,
    /// A snapshot is being fetched, and the log has to keep what comes after it.
    pub(super) is_fetching: AtomicBool,
    pub(super) stop: CancellationToken,
}

impl RunningNode {
    /// Reports a fault: once in the log, and in the health as long as it lasts, with the age of reads.
    pub(super) fn report(&self, fault: &str, reported: &mut Option<Fault>) {
        let fault = if self.node.connection.is_connected() {
            fault.to_owned()
        } else {
            let why = self.node.connection.refusal();
            let why = why.map_or_else(String::new, |why| format!(" ({why})"));
            format!("NATS cannot be reached{why}; what is read goes on, and nothing can be written")
        };
        let age = self.node.state.age().map_or(0, |age| age.as_secs());
        HEALTH.degrade(HEALTH_PART, format!("{fault}; what is read here may be {age} s old"));
        if reported.as_ref() != Some(&fault) {
            tracing::error!("the cluster: {fault}");
            *reported = Some(fault);
        }
    }

    /// Checks that the store has all that it was given: after a fault of the disk it may have less.
    pub(super) fn check_store(&self, reader: &BatchReader) -> Result<(), Fault> {
        if *self.store.stream_seqs().borrow() < reader.applied_through() {
            return Err("the store was opened anew; it reads the log again".into());
        }
        Ok(())
    }

    pub(super) async fn end_of_log(&self) -> Result<u64, Fault> {
        self.stream.info().await.map(|info| info.state.last_sequence).map_err(|error| error.0)
    }
}
