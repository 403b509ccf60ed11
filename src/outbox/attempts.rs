//! Times of the next attempts, for showing why a message waits.

use crate::clock::now;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Unix seconds of each message's next attempt, by `seq`.
#[derive(Debug, Default)]
pub struct NextAttempts(Mutex<HashMap<u64, u64>>);

/// A next attempt that others can see until this value is dropped.
pub(super) struct ScheduledAttempt {
    attempts: Arc<NextAttempts>,
    seq: u64,
}

impl NextAttempts {
    /// Unix seconds of the message's next attempt, if an attempt failed and a time is set.
    pub fn of(&self, seq: u64) -> Option<u64> {
        self.lock().get(&seq).copied()
    }

    pub(super) fn announce(self: &Arc<Self>, seq: u64, pause: Duration) -> ScheduledAttempt {
        self.lock().insert(seq, now() + pause.as_secs());
        ScheduledAttempt { attempts: self.clone(), seq }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ScheduledAttempt {
    fn drop(&mut self) {
        self.attempts.lock().remove(&self.seq);
    }
}
