//! Bounds up to which old marks, events and epochs can be removed.

use super::Transaction;
use crate::model::event::RetentionBounds;
use crate::store::error::Result;
use crate::store::{dedupe_keys, journal};
use redb::{ReadableTable, ReadableTableMetadata, Table};

/// The most marks, commits and conversations that are removed together.
const FORGOTTEN_AT_ONCE: usize = 2_000;

/// The most epochs that are kept beyond those of the journal. They are needed for IDs of deleted messages.
const MAX_EPOCHS: u64 = 4_096;

impl<'txn> Transaction<'txn> {
    /// The bounds up to which rows that are old at a time in Unix seconds can be
    /// removed; `None` if nothing can be removed.
    pub(super) fn bounds(&self, marks_before: u64, at: u64) -> Result<Option<RetentionBounds>> {
        let seen_before = Self::marks_bound(self.seen.read()?, marks_before)?;
        let sent_before = Self::marks_bound(self.sent.read()?, marks_before / dedupe_keys::HOUR)?;
        let journal_before = self.journal_bound(at)?;
        let kept_from = journal_before.unwrap_or(self.counters.kept_from);
        let epochs_before = self.epochs_bound(kept_from)?;
        let conversations = self.emptied()?;
        let is_something = seen_before.is_some()
            || sent_before.is_some()
            || journal_before.is_some()
            || epochs_before > 0
            || !conversations.is_empty();
        Ok(is_something.then(|| RetentionBounds {
            seen_before: seen_before.unwrap_or_default(),
            sent_before: sent_before.unwrap_or_default(),
            journal_before: journal_before.unwrap_or_default(),
            epochs_before,
            conversations,
        }))
    }

    /// The time up to which marks can be removed: all before `before`, or fewer if there are many.
    fn marks_bound(marks: &Table<'txn, (u64, u128), u64>, before: u64) -> Result<Option<u64>> {
        let mut last = None;
        for (count, row) in marks.range(..(before, 0))?.enumerate() {
            let (time, _) = row?.0.value();
            if count >= FORGOTTEN_AT_ONCE && last != Some(time) {
                return Ok(Some(time));
            }
            last = Some(time);
        }
        Ok(last.map(|_| before))
    }

    /// The offset before which events need not be kept any more; `None` if none are.
    fn journal_bound(&self, at: u64) -> Result<Option<u64>> {
        let oldest = at.saturating_sub(self.context.journal_seconds);
        // The limit counts from the newest commit in the journal, because removing is an event, too.
        let newest = self.journal.last()?.map_or(0, |(offset, _)| offset.value());
        let first = (newest + 1).saturating_sub(self.context.journal_events);
        for (count, row) in self.journal.iter()?.enumerate() {
            let (offset, bytes) = row?;
            let at = journal::time_of(offset.value(), bytes.value());
            // A damaged row is removed.
            let is_kept = offset.value() >= first && at.is_some_and(|at| at >= oldest);
            if is_kept || count >= FORGOTTEN_AT_ONCE {
                return Ok((count > 0).then_some(offset.value()));
            }
        }
        let is_empty = self.journal.is_empty()?;
        Ok((!is_empty).then_some(self.next_offset()))
    }

    /// The offset before which epochs can be removed.
    fn epochs_bound(&self, journal_before: u64) -> Result<u64> {
        let surplus = self.epochs.read()?.len()?.saturating_sub(MAX_EPOCHS) as usize;
        if surplus == 0 {
            return Ok(0);
        }
        let in_force = self.epochs.read()?.range(..=journal_before)?.next_back().transpose()?;
        let in_force = in_force.map_or(0, |(first, _)| first.value());
        let kept = self.epochs.read()?.iter()?.nth(surplus).transpose()?;
        Ok(kept.map_or(0, |(first, _)| first.value()).min(in_force))
    }

    /// Conversations without messages. If the list has as many conversations as the table, no row is read.
    fn emptied(&self) -> Result<Vec<(String, String)>> {
        let unlisted = self.conversations.len()?.saturating_sub(self.newest.read()?.len()?);
        let most = (unlisted as usize).min(FORGOTTEN_AT_ONCE);
        let mut emptied = Vec::new();
        if most == 0 {
            return Ok(emptied);
        }
        for entry in self.conversations.iter()? {
            let (key, _) = entry?;
            let (platform, name) = key.value();
            // A damaged row stays, for inspection.
            let row = self.conversation(platform, name);
            if row.is_ok_and(|row| row.is_some_and(|row| row.messages == 0)) {
                emptied.push((platform.to_owned(), name.to_owned()));
            }
            if emptied.len() >= most {
                break;
            }
        }
        Ok(emptied)
    }
}
