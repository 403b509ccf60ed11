//! One batch: its commands carried out in one transaction, and made durable.

use super::command::{Answer, Command, decide};
use super::ids::Ids;
use super::ledger::Ledger;
use super::view::View;
use super::wal::{Logged, Record, Wal};
use super::{Error, Result};
use crate::metrics::METRICS;
use crate::model::change::Change;
use crate::model::cursor::Epoch;
use redb::{Database, Durability, ReadableDatabase, WriteTransaction};
use std::time::Instant;

/// The writing side of an open store.
pub(super) struct Writable {
    pub(super) database: Database,
    pub(super) ids: Ids,
    pub(super) epoch: Epoch,
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

/// What became of a log that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Log {
    /// The tables hold all of it, durably.
    UsedUp,
    /// It goes on from something that the tables do not have.
    DoesNotFollow,
}

/// What came of a batch.
pub(super) struct Done {
    pub(super) changes: Vec<Change>,
    /// One for each command; an error where it met something damaged, and did nothing.
    pub(super) answers: Vec<Result<Answer>>,
    /// The batch's number; `None` where it changed nothing.
    number: Option<u64>,
}

impl Done {
    /// Whether anything is not as it was.
    pub(super) fn has_written(&self) -> bool {
        self.number.is_some()
    }
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
            set(&mut txn, Durability::None)?;
        }
        let done = carry_out(&txn, self.ids, self.epoch, commands)?;
        let Some(number) = done.number else {
            txn.abort()?;
            return Ok(done);
        };
        let has_record = record.is_some();
        let is_logged = record.is_some_and(|record| self.wal.append(number, record));
        if has_record && !is_logged {
            set(&mut txn, Durability::Immediate)?;
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
        self.wal.clear();
        Ok(())
    }

    /// Carries out what the log holds beyond the tables; its file is left as it is.
    pub(super) fn catch_up(&mut self) -> Result<Log> {
        let first = Ledger::open(&self.database.begin_write()?, self.ids, self.epoch)?.batch() + 1;
        let logged = self.wal.read(first)?;
        if logged.first().is_some_and(|logged| logged.number > first) {
            return Ok(Log::DoesNotFollow);
        }
        let batches = logged.len();
        for Logged { number, commands } in logged {
            let mut txn = self.database.begin_write()?;
            set(&mut txn, Durability::None)?;
            let done = carry_out(&txn, self.ids, self.epoch, commands)?;
            if done.number != Some(number) {
                let text = format!("batch {number} of the write-ahead log comes to something else");
                return Err(Error::Open(text));
            }
            txn.commit().map_err(|error| Error::Write(error.to_string()))?;
        }
        // Also where the tables had all of it: they may not be on disk, and the log begins anew.
        self.settle()?;
        if batches > 0 {
            tracing::info!(batches, "took over what the write-ahead log held");
        }
        Ok(Log::UsedUp)
    }

    /// Closes the file; everything is in the tables afterwards, and the log is gone.
    pub(super) fn close(mut self) -> Result<()> {
        if !self.wal.is_empty() {
            self.settle()?;
        }
        // While the file is still locked: who opens it next may write a log of their own.
        self.wal.remove();
        self.database.close().map_err(|error| Error::Write(error.to_string()))
    }
}

fn set(txn: &mut WriteTransaction, durability: Durability) -> Result<()> {
    txn.set_durability(durability).map_err(|error| Error::Write(error.to_string()))
}

/// Decides and applies commands one after the other. What is damaged refuses the command that meets
/// it, which has written nothing by then, and no other.
fn carry_out(
    txn: &WriteTransaction,
    ids: Ids,
    epoch: Epoch,
    commands: Vec<Command>,
) -> Result<Done> {
    let mut ledger = Ledger::open(txn, ids, epoch)?;
    let mut changes = Vec::with_capacity(commands.len());
    let mut answers = Vec::with_capacity(commands.len());
    for command in commands {
        let mut effects = Vec::new();
        let writes_as_it_reads = matches!(command, Command::Import { .. });
        let answer = decide(&mut ledger, command, &mut effects);
        match answer {
            Err(Error::Read(_)) if !writes_as_it_reads => effects.clear(),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        for effect in effects {
            changes.push(ledger.apply(effect)?);
        }
        answers.push(answer);
    }
    let number = ledger.finish()?;
    Ok(Done { changes, answers, number })
}
