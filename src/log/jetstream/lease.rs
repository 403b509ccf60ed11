//! The time for which a node may append.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time up to which this node may append: the end of its lease, as far as it knows.
#[derive(Debug, Default)]
pub struct LeaseEnd(Mutex<Option<Instant>>);

impl LeaseEnd {
    /// The node may append until then.
    pub fn extend(&self, until: Instant) {
        self.set(Some(until));
    }

    /// The node may not append any more.
    pub fn end(&self) {
        self.set(None);
    }

    /// The time that is left; `None` if it is over.
    pub fn left(&self) -> Option<Duration> {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = until?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    fn set(&self, until: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }
}
