//! The open file of a store: batches carried out in one transaction each, and made durable.

use super::carry_out::carry_out;
use super::command::{Answer, Command};
use super::commit::{commit, follow_later};
use super::damage::guarded;
use super::error::{Result, StoreError};
use super::shared_log::{SharedLogWriter, in_the_log};
use super::tables::{Counters, LOG_BYTES, META, log_bytes};
use super::transaction::{LastCommit, Transaction, TransactionContext};
use super::view::View;
use crate::clock::now;
use crate::log::{Log, LogRecord};
use crate::metrics::METRICS;
use crate::model::change::Change;
use crate::model::cursor::Epoch;
use redb::{Database, ReadableDatabase, WriteTransaction};
use std::ops::RangeInclusive;
use std::time::Instant;

/// The writing side of an open store.
pub(super) struct StoreFile {
    pub(super) database: Database,
    pub(super) context: TransactionContext,
    pub(super) log: Box<dyn Log + Send>,
    /// The log of a cluster, in place of the store's own.
    pub(super) shared: Option<SharedLogWriter>,
}

/// How a batch is made durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// By the log; the tables are written without a sync. This is the fastest while batches follow each
    /// other closely.
    Log,
    /// By the tables, which makes all earlier batches durable in them, too.
    Tables,
}

/// Outcome of a batch.
pub(super) struct BatchOutcome {
    pub(super) changes: Vec<Change>,
    /// One for each command; an error if the command needed a damaged row, and so changed nothing.
    pub(super) answers: Vec<Result<Answer>>,
    /// Whether the batch changed anything.
    pub(super) has_written: bool,
    /// The offsets of its events.
    pub(super) events: RangeInclusive<u64>,
    /// The epoch of the newest event, and the counters as they are now.
    pub(super) epoch: Epoch,
    pub(super) counters: Counters,
    /// The fault of the disk during the commit. The next opening of the file shows whether the batch is
    /// stored.
    pub(super) doubt: Option<StoreError>,
}

impl StoreFile {
    pub(super) fn view(&self) -> Result<View> {
        View::new(self.database.begin_read()?, self.context.ids)
    }

    /// A view of the batch that was committed last.
    pub(super) fn view_after(&self, outcome: &BatchOutcome) -> Result<View> {
        let (epoch, counters) = (outcome.epoch, outcome.counters.clone());
        Ok(View::of(self.database.begin_read()?, self.context.ids, epoch, counters))
    }

    /// Carries out a batch. Returns once the batch is durable, or its outcome is in doubt. A batch that
    /// does not fit into the log is made durable by the tables.
    pub(super) fn commit(
        &mut self,
        commands: Vec<Command>,
        durability: Durability,
    ) -> Result<BatchOutcome> {
        let (began, at) = (Instant::now(), now());
        let mut txn = self.database.begin_write()?;
        let is_recorded = self.shared.is_some() || durability == Durability::Log;
        let mut record = is_recorded.then(|| LogRecord::new(self.context.epoch, at));
        let mut state = Transaction::open(&txn, &self.context, at)?;
        let first = state.next_offset();
        let (answers, changes) = carry_out(&mut state, commands, record.as_mut())?;
        let newest = state.newest_event();
        let (events, epoch) = (first..=newest.offset, newest.epoch);
        let counters = state.counters.clone();
        let platforms = std::mem::take(&mut state.known_platforms);
        let has_written = state.finish()?;
        let mut outcome =
            BatchOutcome { changes, answers, has_written, events, epoch, counters, doubt: None };
        if !has_written {
            txn.abort()?;
            if let Some(shared) = &self.shared {
                shared.check_leads()?;
            }
            return Ok(outcome);
        }
        match (&mut self.shared, record) {
            (Some(shared), Some(record)) => {
                shared.append(&mut txn, first, record)?;
                commit(txn).map_err(in_the_log)?;
            }
            (_, record) => {
                outcome.doubt = guarded(|| self.commit_here(txn, first, record)).err();
            }
        }
        self.context.last = Some(LastCommit { newest, platforms });
        let changed = u32::try_from(outcome.changes.len()).map_or(f64::MAX, f64::from);
        METRICS.commit_changes.observe(changed);
        METRICS.commit_seconds.observe(began.elapsed().as_secs_f64());
        Ok(outcome)
    }

    /// Commits a transaction of an independent store: by the log, or else by the tables.
    fn commit_here(
        &mut self,
        mut txn: WriteTransaction,
        first: u64,
        record: Option<LogRecord>,
    ) -> Result<()> {
        let record = record.filter(|record| self.log.has_room(record));
        let begun = record.as_ref().and_then(|_| self.log.begins());
        let is_logged = record.is_some_and(|record| self.log.append(first, record));
        match begun {
            // The note that there is a log is durable before the log has more than the tables. So a missing
            // log is noticed.
            Some(bytes) if is_logged => mark_log(&txn, bytes)?,
            _ if is_logged => follow_later(&mut txn)?,
            _ => {}
        }
        commit(txn)?;
        if !is_logged {
            self.log.clear();
        }
        Ok(())
    }

    /// Whether the log has batches that the tables do not have durably.
    pub(super) fn is_behind(&self) -> bool {
        self.log.head().is_some() || self.shared.as_ref().is_some_and(SharedLogWriter::is_behind)
    }

    /// Makes the tables durable, so that the log can start again.
    pub(super) fn checkpoint(&mut self) -> Result<()> {
        commit(self.database.begin_write()?)?;
        self.log.clear();
        if let Some(shared) = &mut self.shared {
            shared.caught_up();
        }
        Ok(())
    }

    /// Makes the tables durable, and removes the note that there is a log. Needed also if the tables have
    /// everything, because that may not be durable.
    pub(super) fn end_log(&mut self) -> Result<()> {
        let txn = self.database.begin_write()?;
        txn.open_table(META)?.remove(LOG_BYTES)?;
        commit(txn)?;
        self.log.clear();
        Ok(())
    }

    /// Closes the file. All batches are in the tables then, and the log is removed.
    pub(super) fn close(mut self) -> Result<()> {
        let is_marked = log_bytes(&self.database.begin_read()?.open_table(META)?)?.is_some();
        if self.is_behind() || is_marked {
            self.end_log()?;
        }
        // The log is removed while the file is locked: the next process that opens the file may create its
        // own log.
        self.log.remove();
        self.abandon()
    }

    /// Closes the file as it is, after a fault. The next opening applies the batches that only the log has.
    pub(super) fn abandon(self) -> Result<()> {
        self.database.close().map_err(|error| StoreError::Write(error.to_string()))
    }
}

/// Notes that there is a log from now on, and how many bytes its file has.
fn mark_log(txn: &WriteTransaction, bytes: u64) -> Result<()> {
    txn.open_table(META)?.insert(LOG_BYTES, bytes.to_le_bytes().as_slice())?;
    Ok(())
}
