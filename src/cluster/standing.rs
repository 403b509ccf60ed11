//! How this node stands in its cluster, for those who ask it.

use crate::metrics::METRICS;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How old reads may be before it is told.
const OLD: Duration = Duration::from_secs(2);

/// How this node stands.
#[derive(Debug)]
pub struct Standing(Mutex<State>);

#[derive(Debug)]
struct State {
    leader: Option<String>,
    /// When readers were last known to see everything.
    current_at: Instant,
}

impl Default for Standing {
    fn default() -> Self {
        Self(Mutex::new(State { leader: None, current_at: Instant::now() }))
    }
}

impl Standing {
    /// The node that leads, as far as it is known here.
    pub fn leader(&self) -> Option<String> {
        self.lock().leader.clone()
    }

    /// How old may be what is read here; `None` where it is everything, or nearly so.
    pub fn age(&self) -> Option<Duration> {
        Some(self.lock().current_at.elapsed()).filter(|age| *age >= OLD)
    }

    pub(super) fn set_leader(&self, leader: Option<String>, is_this: bool) {
        METRICS.cluster_leading.set(is_this.into());
        self.lock().leader = leader;
    }

    /// Readers saw everything at that time.
    pub(super) fn set_current(&self, at: Instant) {
        let mut state = self.lock();
        state.current_at = state.current_at.max(at);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
