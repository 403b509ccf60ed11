//! The events that only the write-ahead log has, applied when a store is opened.

use super::commit::{commit, follow_later};
use super::error::Result;
use super::file::StoreFile;
use super::replay::{DamagePolicy, apply};
use super::tables::log_bytes;
use super::transaction::Transaction;
use crate::clock::now;
use crate::log::{Batch, Contents};
use crate::model::cursor::Epoch;

/// State of a log that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FoundLog {
    /// The tables have all of it durably.
    UsedUp,
    /// A part could not be read. The tables have the rest durably.
    Damaged,
    /// An event needed a damaged row. The tables have the rest durably.
    PassedOver,
    /// The log is missing or empty, although it must have events.
    Missing,
    /// It continues another store, or another state of this one.
    DoesNotFollow,
    /// It has no record of this store: it belongs to another store, or is completely damaged.
    Foreign,
}

impl FoundLog {
    /// The reason for keeping the log, for its new name; `None` if it is not kept.
    pub(super) fn kept_as(self) -> Option<&'static str> {
        match self {
            Self::UsedUp => None,
            Self::Damaged => Some("damaged"),
            Self::PassedOver => Some("passed-over"),
            Self::Missing => Some("missing"),
            Self::DoesNotFollow => Some("does-not-follow"),
            Self::Foreign => Some("foreign"),
        }
    }
}

impl StoreFile {
    /// Applies the events that only the log has. The file of the log stays and is needed until
    /// [`Self::end_log`].
    pub(super) fn catch_up(&mut self) -> Result<FoundLog> {
        let view = self.view()?;
        let (cursor, logged) = (view.cursor(), log_bytes(view.meta_table()?)?);
        let contents = self.log.read(cursor.offset + 1)?;
        // A damaged store may have lost its epochs. Then the note that there is a log, and the offset, show
        // that this is its log.
        let has_no_epoch = cursor.offset > 0 && cursor.epoch == Epoch::default();
        let is_noted = has_no_epoch && logged.is_some();
        let follows = |batch: &Batch| {
            batch.follows(cursor.offset, cursor.epoch)
                || (is_noted && batch.first == cursor.offset + 1)
        };
        Ok(if !contents.begins_damaged && !contents.batches.first().is_none_or(follows) {
            FoundLog::DoesNotFollow
        } else if contents.is_foreign {
            FoundLog::Foreign
        } else {
            self.take_over(contents, logged)?
        })
    }

    /// Applies the events of the log. `logged` is the length that its file must have, in bytes.
    fn take_over(&mut self, contents: Contents, logged: Option<u64>) -> Result<FoundLog> {
        let (has, wanted) = (contents.bytes, logged.unwrap_or_default());
        let is_missing = wanted > 0 && (has == 0 || contents.is_blank);
        let has_gap = !contents.damage.is_empty();
        let is_damaged = has_gap || has < wanted;
        for damage in &contents.damage {
            tracing::error!("the write-ahead log is damaged: {damage}");
        }
        if has < wanted && !is_missing {
            tracing::error!("the write-ahead log is cut short: {has} of {wanted} bytes are there");
        }
        let (batches, mut passed_over) = (contents.batches.len(), 0);
        for batch in contents.batches {
            let mut txn = self.database.begin_write()?;
            follow_later(&mut txn)?;
            passed_over += apply(&txn, &self.context, batch, DamagePolicy::PassOver)?.passed_over;
            commit(txn)?;
        }
        // If only the end is lost, cursors of lost events are refused, because their epoch ends before
        // them.
        if has_gap || passed_over > 0 {
            self.end_resuming()?;
        }
        if batches > 0 {
            tracing::info!(batches, "applied the batches of the write-ahead log");
        }
        Ok(match passed_over {
            _ if is_missing => FoundLog::Missing,
            _ if is_damaged => FoundLog::Damaged,
            0 => FoundLog::UsedUp,
            _ => FoundLog::PassedOver,
        })
    }

    /// No client can resume from before this opening: it may have events that are lost, or lack the events
    /// after them. The event of the opening begins a new epoch.
    fn end_resuming(&mut self) -> Result<()> {
        let mut txn = self.database.begin_write()?;
        follow_later(&mut txn)?;
        let mut state = Transaction::open(&txn, &self.context, now())?;
        state.begin_epoch(None)?;
        state.end_resuming()?;
        state.finish()?;
        commit(txn)
    }
}
