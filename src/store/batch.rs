//! One batch: its commands carried out in one transaction, and made durable.

use super::command::{Answer, Command, decide};
use super::ids::Ids;
use super::ledger::Ledger;
use super::view::View;
use super::wal::{Logged, Record, Wal};
use super::{Error, Result};
use crate::change::Change;
use crate::metrics::METRICS;
use redb::{Database, Durability, ReadableDatabase, WriteTransaction};
use std::time::Instant;

/// The writing side of an open store.
pub(super) struct Writable {
    pub(super) database: Database,
    pub(super) ids: Ids,
    pub(super) wal: Wal,
}

/// How a batch is made durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// By the log, and the tables follow: the quickest while batches follow each other.
    Log,
    /// By the tables, which makes everything before durable in them too.
    Tables,
}

/// What came of a batch.
pub(super) struct Done {
    pub(super) changes: Vec<Change>,
    pub(super) answers: Vec<Answer>,
    /// The batch's number; `None` where it changed nothing.
    number: Option<u64>,
}

impl Writable {
    pub(super) fn view(&self) -> Result<View> {
        View::new(self.database.begin_read()?, self.ids)
    }

    /// Carries out a batch; returns once it is durable. What does not fit into the log goes into
    /// the tables.
    pub(super) fn commit(&mut self, commands: Vec<Command>, by: By) -> Result<Done> {
        let began = Instant::now();
        let record = (by == By::Log).then(|| Record::of(&commands)).flatten();
        let record = record.filter(|record| self.wal.has_room(record));
        let mut txn = self.database.begin_write()?;
        if record.is_some() {
            without_sync(&mut txn)?;
        }
        let done = carry_out(&txn, self.ids, commands)?;
        let Some(number) = done.number else {
            txn.abort()?;
            return Ok(done);
        };
        let is_logged = record.is_some();
        if let Some(record) = record {
            self.wal.append(number, record)?;
        }
        txn.commit().map_err(|error| Error::Write(error.to_string()))?;
        if !is_logged {
            self.wal.clear();
        }
        let changed = u32::try_from(done.changes.len()).map_or(f64::MAX, f64::from);
        METRICS.commit_changes.observe(changed);
        METRICS.commit_seconds.observe(began.elapsed().as_secs_f64());
        Ok(done)
    }

    /// Makes the tables durable, so that the log can begin anew.
    pub(super) fn settle(&mut self) -> Result<()> {
        let txn = self.database.begin_write()?;
        txn.commit().map_err(|error| Error::Write(error.to_string()))?;
        self.wal.rest();
        Ok(())
    }

    /// Carries out what the log holds beyond the tables.
    pub(super) fn catch_up(&mut self) -> Result<()> {
        let mut next = Ledger::open(&self.database.begin_write()?, self.ids)?.batch() + 1;
        let logged = self.wal.read()?;
        if logged.is_empty() {
            return Ok(());
        }
        let mut carried_out = 0;
        for Logged { number, commands } in logged {
            if number < next {
                continue;
            }
            if number > next {
                tracing::error!(
                    next,
                    number,
                    "the write-ahead log beside the store does not follow it and is passed over; was an older copy of the store put back?"
                );
                break;
            }
            let mut txn = self.database.begin_write()?;
            without_sync(&mut txn)?;
            carry_out(&txn, self.ids, commands)?;
            txn.commit().map_err(|error| Error::Write(error.to_string()))?;
            (next, carried_out) = (next + 1, carried_out + 1);
        }
        // Also where the tables had all of it: they may not be on disk, and the log begins anew.
        self.settle()?;
        if carried_out > 0 {
            tracing::info!(batches = carried_out, "took over what the write-ahead log held");
        }
        Ok(())
    }

    /// Closes the file; everything is in the tables afterwards, and the log is gone.
    pub(super) fn close(mut self) -> Result<()> {
        if !self.wal.is_empty() {
            self.settle()?;
        }
        self.database.close().map_err(|error| Error::Write(error.to_string()))?;
        self.wal.remove();
        Ok(())
    }
}

fn without_sync(txn: &mut WriteTransaction) -> Result<()> {
    txn.set_durability(Durability::None).map_err(|error| Error::Write(error.to_string()))
}

/// Decides and applies commands one after the other.
fn carry_out(txn: &WriteTransaction, ids: Ids, commands: Vec<Command>) -> Result<Done> {
    let mut ledger = Ledger::open(txn, ids)?;
    let mut changes = Vec::with_capacity(commands.len());
    let mut answers = Vec::with_capacity(commands.len());
    for command in commands {
        let first = changes.len();
        let answer = decide(&mut ledger, command, &mut changes)?;
        for change in &changes[first..] {
            ledger.apply(change)?;
        }
        answers.push(answer);
    }
    let number = ledger.finish()?;
    Ok(Done { changes, answers, number })
}
