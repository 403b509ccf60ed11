//! Cursors, and the events after them that are kept.

use super::View;
use crate::model::cursor::{Cursor, Epoch};
use crate::store::damage::pass_over;
use crate::store::error::{Result, StoreError};
use crate::store::journal::{self, JournalEntry};
use crate::store::sealed::epoch_of;
use crate::store::tables::resumable_from;
use redb::ReadableTable;

impl View {
    /// The offset of a cursor; `None` if it is not possible to resume there: the cursor is of another store
    /// or another copy, is after the newest event, or the events after it are no longer kept.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn offset_of(&self, cursor: Cursor) -> Result<Option<u64>> {
        let is_whole = cursor.offset >= resumable_from(self.meta_table()?)?;
        if is_whole { self.kept_offset_of(cursor) } else { Ok(None) }
    }

    /// The same for a reader that accepts gaps.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn kept_offset_of(&self, cursor: Cursor) -> Result<Option<u64>> {
        let Cursor { epoch, offset } = cursor;
        if offset > self.counters.offset || offset + 1 < self.counters.kept_from {
            return Ok(None);
        }
        // A store of an older version has messages, but no events that identify it.
        if offset == 0 && self.first_seq()? > 1 {
            return Ok(None);
        }
        Ok((self.cursor_at(offset)?.epoch == epoch).then_some(offset))
    }

    /// Whether a cursor is one of this store, and only older than the events that are kept.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn is_too_old(&self, cursor: Cursor) -> Result<bool> {
        let is_kept = self.can_resume_at(cursor.offset)?;
        Ok(!is_kept && self.cursor_at(cursor.offset)?.epoch == cursor.epoch)
    }

    /// Whether all events after an offset are in the journal.
    fn can_resume_at(&self, offset: u64) -> Result<bool> {
        let from = resumable_from(self.meta_table()?)?;
        Ok(offset >= from && offset.saturating_add(1) >= self.counters.kept_from)
    }

    /// The first `seq` of the oldest epoch that is known.
    fn first_seq(&self) -> Result<u64> {
        let Some((offset, row)) = self.epochs_table()?.first()? else { return Ok(self.head() + 1) };
        Ok(epoch_of(offset.value(), row.value())?.1)
    }

    /// Whether the store has lost an event that clients have, or is another store. A node of a cluster
    /// loses nothing, because it can read the log again.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn has_lost(&self, told: Cursor) -> Result<bool> {
        if told.offset > self.counters.offset {
            return Ok(self.membership().is_none());
        }
        let is_there = self.cursor_at(told.offset)?.epoch == told.epoch;
        Ok(!is_there || told.offset < resumable_from(self.meta_table()?)?)
    }

    /// The cursor of an event: its offset, and the epoch in which it was written.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn cursor_at(&self, offset: u64) -> Result<Cursor> {
        let epoch = match self.epochs_table()?.range(..=offset)?.next_back().transpose()? {
            Some((first, row)) => epoch_of(first.value(), row.value())?.0,
            None => Epoch::default(),
        };
        Ok(Cursor { epoch, offset })
    }

    /// Kept events after an offset, the oldest first, at most `limit`; `None` where events after it
    /// are no longer kept. Offsets have gaps, because clients do not get every event.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn journal(&self, after: u64, limit: usize) -> Result<Option<Vec<JournalEntry>>> {
        if !self.can_resume_at(after)? {
            return Ok(None);
        }
        // At a damaged row no client can resume, as if it were no longer kept.
        self.kept_events(after, limit, false)
    }

    /// The same. With `passes_over`, damaged rows are skipped and logged.
    pub(in crate::store) fn kept_events(
        &self,
        after: u64,
        limit: usize,
        passes_over: bool,
    ) -> Result<Option<Vec<JournalEntry>>> {
        if after.saturating_add(1) < self.counters.kept_from {
            return Ok(None);
        }
        let mut found = Vec::new();
        if after >= self.counters.offset {
            return Ok(Some(found));
        }
        // The row of a commit begins at its first event, which may be before `after`.
        let before = self.journal_table()?.range(..=after)?.next_back().transpose()?;
        let first = before.map_or(0, |(first, _)| first.value());
        for row in self.journal_table()?.range(first..)? {
            let (first, bytes) = row?;
            let entries = journal::decode(first.value(), bytes.value()).map_err(StoreError::from);
            let Some(entries) = pass_over(entries.map(Some))? else {
                if passes_over {
                    continue;
                }
                return Ok(None);
            };
            found.extend(entries.into_iter().filter(|entry| entry.offset > after));
            if found.len() >= limit {
                found.truncate(limit);
                break;
            }
        }
        Ok(Some(found))
    }
}
