//! Bounds of one search.

use std::time::Duration;

/// How much one search reads. Only where the index does not tell of messages yet is there more to read,
/// or where nothing but a time is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadLimit {
    /// Messages, however long that takes.
    pub(super) messages: usize,
    /// How long it goes on with further ones.
    pub(super) time: Duration,
}

impl Default for ReadLimit {
    fn default() -> Self {
        Self { messages: 100_000, time: Duration::from_secs(2) }
    }
}
