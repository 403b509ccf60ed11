//! The newest events that are kept, those of this batch too.

use super::Transaction;
use crate::store::error::Result;
use crate::store::journal::{self, EntryContent};
use redb::ReadableTable as _;

impl Transaction<'_> {
    /// Shows events and the times of their commits, the newest first and about `most` of them, until
    /// `find` gives something.
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
            // A damaged row is not the one that is looked for.
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
