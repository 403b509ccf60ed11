//! Batches whose outcome is not known until the file is open again.

use super::request::AnswerSender;
use crate::model::cursor::{Cursor, Epoch};
use crate::store::error::StoreError;
use crate::store::file::BatchOutcome;
use std::time::Instant;

/// A batch that the disk failed to make durable; the log or the tables may have it all the same.
pub(super) struct DoubtfulBatch {
    pub(super) outcome: BatchOutcome,
    pub(super) epoch: Epoch,
    pub(super) waiting: Vec<AnswerSender>,
    pub(super) error: StoreError,
    /// The only command, not long after another fault.
    pub(super) is_alone: bool,
    /// Until when the callers wait.
    pub(super) until: Instant,
}

impl DoubtfulBatch {
    /// Whether a file that ends with this event has the batch; `None` if it goes on otherwise, because
    /// more of it is damaged.
    pub(super) fn is_stored(&self, end: Cursor) -> Option<bool> {
        let (first, last) = (*self.outcome.events.start(), *self.outcome.events.end());
        if end == (Cursor { epoch: self.epoch, offset: last }) {
            return Some(true);
        }
        (end.offset + 1 == first).then_some(false)
    }

    /// Whether its callers have waited long enough.
    pub(super) fn has_timed_out(&self) -> bool {
        Instant::now() >= self.until
    }
}
