//! Bounds of one search.

use std::time::Duration;

/// Bounds of what one search reads. More has to be read only if messages are not in the index yet,
/// or if the only condition is a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadLimit {
    /// Messages that are read in any case.
    pub(super) messages: usize,
    /// Time until which further messages are read.
    pub(super) time: Duration,
}

impl Default for ReadLimit {
    fn default() -> Self {
        Self { messages: 100_000, time: Duration::from_secs(2) }
    }
}
