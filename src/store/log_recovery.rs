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
    /// The tables hold all of it, durably.
    UsedUp,
    /// A part of it could not be read; the tables hold the rest, durably.
    Damaged,
    /// An event of it met a damaged row; the tables hold the rest, durably.
    PassedOver,
    /// There has to be one, and there is none or an empty one.
    Missing,
    /// It goes on from something that the tables do not have.
    DoesNotFollow,
    /// It has no record of this store: it is of another one, or damaged throughout.
    Foreign,
}

impl FoundLog {
    /// Why the log is kept, as a word in its new name; `None` if it is not.
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
    /// Applies what the log holds beyond the tables; its file is left as it is, and is needed until
    /// [`Self::end_log`].
    pub(super) fn catch_up(&mut self) -> Result<FoundLog> {
        let view = self.view()?;
        let (cursor, logged) = (view.cursor(), log_bytes(view.meta_table()?)?);
        let contents = self.log.read(cursor.offset + 1)?;
        // A damaged file may have lost its epochs. That it is the file of this log shows then by the note that
        // there is a log, and by the offset.
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

    /// Applies what the log holds; `logged` is how many bytes its file has to have.
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
        // Where only the end is lost, cursors beyond it are of an epoch that ends before them.
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

    /// No client can resume from before this opening: it may have events that are lost, or lack events that
    /// follow them. The event of the opening is the first of a new epoch.
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
