//! The state of this node in its cluster.

use crate::metrics::METRICS;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How old reads may be before the health says so.
const OLD: Duration = Duration::from_secs(2);

/// The state of this node.
#[derive(Debug)]
pub struct ClusterState {
    leader: watch::Sender<SeenLeader>,
    /// When readers were last known to see everything.
    current_at: Mutex<Instant>,
    /// A snapshot that replaces the store lies beside it.
    has_snapshot: CancellationToken,
}

/// The leader, as far as it is known here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct SeenLeader {
    name: Option<String>,
    is_this: bool,
}

impl Default for ClusterState {
    fn default() -> Self {
        let (leader, has_snapshot) = (watch::Sender::default(), CancellationToken::new());
        Self { leader, current_at: Mutex::new(Instant::now()), has_snapshot }
    }
}

impl ClusterState {
    /// The leader, as far as it is known here.
    pub fn leader(&self) -> Option<String> {
        self.leader.borrow().name.clone()
    }

    /// Waits until another node is known to lead.
    pub async fn another_leads(&self) {
        let mut leader = self.leader.subscribe();
        // The sender lives as long as this value.
        let _ = leader.wait_for(|leader| leader.name.is_some() && !leader.is_this).await;
    }

    /// How old data that is read here may be; `None` if it is up to date, or nearly.
    pub fn age(&self) -> Option<Duration> {
        let current_at = *self.current_at.lock().unwrap_or_else(PoisonError::into_inner);
        Some(current_at.elapsed()).filter(|age| *age >= OLD)
    }

    /// Waits until a snapshot was fetched that replaces the store; the server then has to begin again.
    pub async fn has_snapshot(&self) {
        self.has_snapshot.cancelled().await;
    }

    /// Whether a snapshot was fetched that replaces the store.
    pub fn is_to_begin_again(&self) -> bool {
        self.has_snapshot.is_cancelled()
    }

    pub(super) fn set_has_snapshot(&self) {
        self.has_snapshot.cancel();
    }

    pub(super) fn set_leader(&self, name: Option<String>, is_this: bool) {
        METRICS.cluster_leading.set(is_this.into());
        let new = SeenLeader { name, is_this };
        self.leader.send_if_modified(|now| std::mem::replace(now, new.clone()) != new);
    }

    /// Notes that readers saw everything at a time.
    pub(super) fn set_current(&self, at: Instant) {
        let mut current_at = self.current_at.lock().unwrap_or_else(PoisonError::into_inner);
        *current_at = at.max(*current_at);
    }
}
