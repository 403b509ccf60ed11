//! The newest events of the journal, with those of this batch.

use super::Transaction;
use crate::store::error::Result;
use crate::store::journal::{self, EntryContent};
use redb::ReadableTable as _;

impl Transaction<'_> {
    /// Calls `find` with events and the times of their commits, the newest first and about `most` of them,
    /// until it returns a value.
    pub(super) fn find_recent<T>(
        &self,
        most: usize,
        mut find: impl FnMut(u64, &EntryContent) -> Option<T>,
    ) -> Result<Option<T>> {
        for (_, entry) in self.kept.iter().rev() {
            if let Some(found) = find(self.at, entry) {
                return Ok(Some(found));
            }
        }
        let mut left = most;
        for row in self.journal.iter()?.rev() {
            let (first, bytes) = row?;
            // A damaged row is skipped.
            let entries = journal::decode(first.value(), bytes.value()).unwrap_or_default();
            for entry in entries.iter().rev() {
                if let Some(found) = find(entry.at, &entry.entry) {
                    return Ok(Some(found));
                }
            }
            left = left.saturating_sub(entries.len().max(1));
            if left == 0 {
                break;
            }
        }
        Ok(None)
    }
}
