//! The open file of a store: batches carried out in one transaction each, and made durable.

use super::command::{Answer, Command};
use super::commit::{commit, follow_later};
use super::damage::guarded;
use super::decide::decide;
use super::error::{Result, StoreError};
use super::shared_log::{SharedLogWriter, in_the_log};
use super::tables::{LOG_BYTES, META, log_bytes};
use super::transaction::{Transaction, TransactionContext};
use super::view::View;
use crate::clock::now;
use crate::log::{Batch, Contents, Log, LogRecord};
use crate::metrics::METRICS;
use crate::model::change::Change;
use crate::model::cursor::Epoch;
use crate::model::event::Event;
use crate::model::platform_event::PlatformEvent;
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
    /// By the log, and the tables follow: the quickest while batches follow each other.
    Log,
    /// By the tables, which makes everything before durable in them too.
    Tables,
}

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

/// Outcome of a batch.
pub(super) struct BatchOutcome {
    pub(super) changes: Vec<Change>,
    /// One for each command; an error where it met something damaged, and did nothing.
    pub(super) answers: Vec<Result<Answer>>,
    /// Whether anything is not as it was.
    pub(super) has_written: bool,
    /// The offsets of its events.
    pub(super) events: RangeInclusive<u64>,
    /// The fault of a disk that failed while this became durable. Whether it is stored shows when the
    /// file is opened again.
    pub(super) doubt: Option<StoreError>,
}

impl StoreFile {
    pub(super) fn view(&self) -> Result<View> {
        View::new(self.database.begin_read()?, self.context.ids, self.context.newest)
    }

    /// Carries out a batch; returns once it is durable, or that is in doubt. What does not fit into the log
    /// goes into the tables.
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
        let events = first..=state.next_offset() - 1;
        let newest = state.newest_event();
        let has_written = state.finish()?;
        let mut outcome = BatchOutcome { changes, answers, has_written, events, doubt: None };
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
        self.context.newest = Some(newest);
        let changed = u32::try_from(outcome.changes.len()).map_or(f64::MAX, f64::from);
        METRICS.commit_changes.observe(changed);
        METRICS.commit_seconds.observe(began.elapsed().as_secs_f64());
        Ok(outcome)
    }

    /// Commits a transaction of a store of its own, durable by the log or else by the tables.
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
            // On disk before the log has what the tables have not: without it, something is missing.
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

    /// Whether the log holds something that the tables do not have durably.
    pub(super) fn is_behind(&self) -> bool {
        self.log.head().is_some() || self.shared.as_ref().is_some_and(SharedLogWriter::is_behind)
    }

    /// Makes the tables durable, so that the log can begin anew.
    pub(super) fn checkpoint(&mut self) -> Result<()> {
        commit(self.database.begin_write()?)?;
        self.log.clear();
        if let Some(shared) = &mut self.shared {
            shared.caught_up();
        }
        Ok(())
    }

    /// Applies what the log holds beyond the tables; its file is left as it is, and is needed until
    /// [`Self::end_log`].
    pub(super) fn catch_up(&mut self) -> Result<FoundLog> {
        let view = self.view()?;
        let (cursor, logged) = (view.cursor(), log_bytes(&view.meta)?);
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

    /// No client goes on from before this opening: it may have been told of events that are lost, or lack
    /// some that follow them. Its event is the first of a new epoch.
    fn end_resuming(&mut self) -> Result<()> {
        let mut txn = self.database.begin_write()?;
        follow_later(&mut txn)?;
        let mut state = Transaction::open(&txn, &self.context, now())?;
        state.begin_epoch(None)?;
        state.end_resuming()?;
        state.finish()?;
        commit(txn)
    }

    /// Makes the tables durable, and that they need no log. Also where they had all of it, for they may not
    /// be on disk, and the log begins anew.
    pub(super) fn end_log(&mut self) -> Result<()> {
        let txn = self.database.begin_write()?;
        txn.open_table(META)?.remove(LOG_BYTES)?;
        commit(txn)?;
        self.log.clear();
        Ok(())
    }

    /// Closes the file; everything is in the tables afterwards, and the log is gone.
    pub(super) fn close(mut self) -> Result<()> {
        let is_marked = log_bytes(&self.database.begin_read()?.open_table(META)?)?.is_some();
        if self.is_behind() || is_marked {
            self.end_log()?;
        }
        // While the file is still locked: who opens it next may write a log of their own.
        self.log.remove();
        self.abandon()
    }

    /// Closes the file as it is, after a fault; what the log holds is taken over at the next opening.
    pub(super) fn abandon(self) -> Result<()> {
        self.database.close().map_err(|error| StoreError::Write(error.to_string()))
    }
}

/// Notes that there is a log from now on, and how many bytes its file has.
fn mark_log(txn: &WriteTransaction, bytes: u64) -> Result<()> {
    txn.open_table(META)?.insert(LOG_BYTES, bytes.to_le_bytes().as_slice())?;
    Ok(())
}

/// Decides commands one after the other, and applies their events. What is damaged refuses the
/// command that meets it, which has changed nothing by then, and no other.
pub(super) fn carry_out(
    state: &mut Transaction<'_>,
    commands: Vec<Command>,
    mut record: Option<&mut LogRecord>,
) -> Result<(Vec<Result<Answer>>, Vec<Change>)> {
    let mut answers = Vec::with_capacity(commands.len());
    let mut changes = Vec::with_capacity(commands.len());
    for command in commands {
        answers.push(carry_out_each(state, command, record.as_deref_mut(), &mut changes)?);
    }
    Ok((answers, changes))
}

/// Carries out a command, or those that it holds.
fn carry_out_each(
    state: &mut Transaction<'_>,
    command: Command,
    mut record: Option<&mut LogRecord>,
    changes: &mut Vec<Change>,
) -> Result<Result<Answer>> {
    let mut each = Vec::new();
    match command {
        Command::Together(commands) => {
            for command in commands {
                let aside = set_aside_for(&command);
                let mut answer = carry_out_one(state, command, record.as_deref_mut(), changes)?;
                if let (Err(error), Some(aside)) = (&answer, aside) {
                    let aside = aside(error.to_string(), state.at);
                    let kept = carry_out_one(state, aside, record.as_deref_mut(), changes)?;
                    if kept == Ok(Answer::NoRoom) {
                        answer = kept;
                    }
                }
                each.push(answer);
            }
        }
        Command::InOrder(commands) => {
            for command in commands {
                each.push(carry_out_each(state, command, record.as_deref_mut(), changes)?);
            }
        }
        command => return carry_out_one(state, command, record, changes),
    }
    Ok(Ok(Answer::Together(each)))
}

/// Decides one command and applies its events.
fn carry_out_one(
    state: &mut Transaction<'_>,
    command: Command,
    record: Option<&mut LogRecord>,
    changes: &mut Vec<Change>,
) -> Result<Result<Answer>> {
    let mut events = Vec::new();
    let decided = decide(state, command, &mut events).and_then(|answer| {
        events.iter().try_for_each(|event| state.load(event))?;
        Ok(answer)
    });
    match decided {
        Err(StoreError::Damaged(_)) => {}
        Err(error) => return Err(error),
        Ok(_) => state.write(events, record, changes)?,
    }
    Ok(decided)
}

/// How an event that cannot be stored is set aside for a reason; `None` where the command stores none.
fn set_aside_for(command: &Command) -> Option<impl FnOnce(String, u64) -> Command + use<>> {
    let event = Box::new(PlatformEvent::of(command.clone())?.without_frame());
    Some(move |reason, at| Command::SetAside { event, reason, at })
}

/// Treatment of a log event that needs a damaged row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DamagePolicy {
    /// It is passed over, and said: nothing better can be had.
    PassOver,
    /// Nothing of the batch is applied: a copy of another node is better.
    Refuse,
}

/// Outcome of applying a batch of the log.
pub(super) struct Applied {
    /// Changes that listeners are told.
    pub(super) changes: Vec<Change>,
    /// Events that met something damaged.
    pub(super) passed_over: u64,
}

/// Applies a batch of the log.
pub(super) fn apply(
    txn: &WriteTransaction,
    context: &TransactionContext,
    batch: Batch,
    at_damage: DamagePolicy,
) -> Result<Applied> {
    let mut passed_over = 0;
    let mut state = Transaction::open(txn, context, batch.at)?;
    // Before it there may be a gap, where the log was damaged.
    state.begin_at(batch.first, batch.epoch, &batch.events)?;
    let mut changes = Vec::with_capacity(batch.events.len());
    for event in batch.events {
        match state.load(&event) {
            Ok(()) => changes.extend(state.apply(event, None)?),
            Err(StoreError::Damaged(text)) if at_damage == DamagePolicy::PassOver => {
                let offset = state.pass_over();
                passed_over += 1;
                tracing::error!(
                    offset,
                    kind = kind(&event),
                    "skipped a log event that needs a damaged row: {text}"
                );
            }
            Err(error) => return Err(error),
        }
    }
    state.finish()?;
    Ok(Applied { changes, passed_over })
}

/// The kind of an event, for the log of this process; its content is not told there.
fn kind(event: &Event) -> &'static str {
    match event {
        Event::Opened { .. } => "opened",
        Event::Created { .. } => "created",
        Event::Changed { .. } => "changed",
        Event::Routed { .. } => "routed",
        Event::PlatformSeen { .. } => "platform seen",
        Event::Recognized { .. } => "recognized",
        Event::ContentSet { .. } => "content set",
        Event::ReplyFound { .. } => "reply found",
        Event::Recalled { .. } => "recalled",
        Event::Reacted { .. } => "reacted",
        Event::Noticed { .. } => "noticed",
        Event::RequestAnswered { .. } => "request answered",
        Event::Deleted { .. } => "deleted",
        Event::ConversationNamed { .. } => "conversation named",
        Event::ConversationRead { .. } => "conversation read",
        Event::ConversationSet { .. } => "conversation set",
        Event::SetAside { .. } => "set aside",
        Event::Released { .. } => "released",
        Event::Forgotten(_) => "forgotten",
        Event::AdapterState(_) => "adapter state",
        Event::RawEvent(_) => "raw event",
        Event::RecalledEarly(_) => "recalled early",
        Event::RecallsLapsed { .. } => "recalls lapsed",
        Event::PartSent { .. } => "part sent",
        Event::KeysLapsed { .. } => "idempotency keys lapsed",
    }
}
