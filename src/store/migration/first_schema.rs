//! Conversion of schema 1 (version 0.2): its rows, and the commands of its write-ahead log.

use super::first_log::{self, OldLog};
use super::first_rows::rewrite;
use crate::clock::now;
use crate::log::Log as _;
use crate::log::{FileLog, record};
use crate::model::message::{Direction, Status};
use crate::model::status_rules::Outcome;
use crate::store::carry_out::carry_out;
use crate::store::command::Command;
use crate::store::error::Result;
use crate::store::ids::EpochTag;
use crate::store::options::StoreOptions;
use crate::store::order_tables;
use crate::store::tables::{CONVERSATIONS, MESSAGES, META, counters, pack};
use crate::store::transaction::{Transaction, TransactionContext};
use redb::{ReadableTable, WriteTransaction};

/// State of the old log.
pub(super) enum OldLogState {
    CarriedOut,
    /// A part of it could not be read. The rest was carried out.
    Damaged,
    DoesNotFollow,
}

/// Converts the tables of schema 1. Returns the old log and its state.
pub(super) fn from_first(
    txn: &WriteTransaction,
    options: &StoreOptions,
    context: &TransactionContext,
) -> Result<(FileLog, OldLogState)> {
    let log = options.log(context.ids.key());
    let batch = rewrite(txn, options, context.ids)?;
    order_tables::arrange(txn)?;
    let OldLog { whole, behind, damage, is_of_other } = first_log::read(&log, batch + 1)?;
    let state = if is_of_other {
        OldLogState::DoesNotFollow
    } else {
        // Messages of these commands keep their IDs, which clients know. Those had no tag.
        let untagged = TransactionContext { tag: EpochTag::NONE, ..context.clone() };
        carry_out_all(txn, &untagged, whole)?;
        for damage in &damage {
            tracing::error!("the write-ahead log of the older version is damaged: {damage}");
        }
        if damage.is_empty() {
            OldLogState::CarriedOut
        } else {
            carry_out_behind(txn, context, behind)?;
            OldLogState::Damaged
        }
    };
    // Messages of the log count as read, too.
    read_all(txn)?;
    Ok((log, state))
}

/// Carries out the commands after batches that cannot be read. Messages that they make get new IDs, because
/// other messages may have the old ones. For each of them that waits, it is unknown whether it was sent.
fn carry_out_behind(
    txn: &WriteTransaction,
    context: &TransactionContext,
    batches: Vec<Vec<Command>>,
) -> Result<()> {
    let head = counters(&txn.open_table(META)?)?.head;
    let known = |commands: Vec<Command>| {
        commands.into_iter().filter_map(|command| first_log::behind_damage(command, head)).collect()
    };
    carry_out_all(txn, context, batches.into_iter().map(known))?;
    let mut doubts = Vec::new();
    for row in txn.open_table(MESSAGES)?.iter()? {
        let (seq, bytes) = row?;
        let seq = seq.value();
        let Ok(message) = record::decode(seq, bytes.value()) else { continue };
        let is_waiting = message.direction == Direction::Outbound
            && message.platform.is_some()
            && message.status == Status::Pending;
        if is_waiting {
            let (at, reason) = (now(), "the log record with its outcome is damaged".to_owned());
            doubts.push(Command::Claim { seqs: vec![seq], account: None, at });
            let outcome = Outcome::Retry { reason, is_uncertain: true };
            doubts.push(Command::RecordOutcome { seq, outcome, at });
        }
    }
    carry_out_all(txn, context, [doubts])
}

/// Marks every conversation as read.
fn read_all(txn: &WriteTransaction) -> Result<()> {
    let mut conversations = txn.open_table(CONVERSATIONS)?;
    for (platform, name, mut row) in order_tables::conversations(&conversations)? {
        row.read_seq = row.last_seq;
        let bytes = pack(&[&platform, &name], &row)?;
        conversations.insert((&*platform, &*name), bytes.as_slice())?;
    }
    Ok(())
}

/// Removes the old log. A log that is damaged or does not follow the tables is kept for inspection. Returns
/// whether it is damaged.
pub(super) fn take_away(mut log: FileLog, state: &OldLogState) -> Result<bool> {
    match state {
        OldLogState::CarriedOut => {}
        OldLogState::Damaged => {
            let aside = log.keep_aside("damaged")?;
            tracing::error!(
                "recovered the readable part of the damaged write-ahead log; the file was moved to {}",
                aside.display()
            );
            return Ok(true);
        }
        OldLogState::DoesNotFollow => {
            let aside = log.keep_aside("does-not-follow")?;
            tracing::error!(
                "the write-ahead log does not follow the store; it is in {}",
                aside.display()
            );
        }
    }
    log.remove();
    Ok(false)
}

/// Carries out the commands that the old log holds.
fn carry_out_all(
    txn: &WriteTransaction,
    context: &TransactionContext,
    batches: impl IntoIterator<Item = Vec<Command>>,
) -> Result<()> {
    // An empty batch comes first. It makes the new tables.
    for commands in std::iter::once(Vec::new()).chain(batches) {
        let mut state = Transaction::open(txn, context, now())?;
        state.make_tables()?;
        // Without an event, a client could not tell this store from another one.
        state.begin_epoch(None)?;
        let (answers, _) = carry_out(&mut state, commands, None)?;
        for error in answers.into_iter().filter_map(std::result::Result::err) {
            tracing::error!("a command of the old write-ahead log was refused: {error}");
        }
        state.finish()?;
    }
    Ok(())
}
