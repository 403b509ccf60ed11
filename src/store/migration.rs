//! Converts older stores. Tables of version 0.2 (schema 1) get checksums, and what their write-ahead
//! log still holds is applied. Stores of schema 2 get what schema 3 adds: read marks (everything
//! counts as read) and the orders of conversations and of late messages.
//!
//! All of it is one transaction, so that a kill at any point leaves the store as it was. A copy of
//! the old file lies beside it until it is done.

use super::command::Command;
use super::conversation::ConversationRow;
use super::error::{Result, StoreError};
use super::file::carry_out;
use super::ids::{EpochTag, IdPermutation};
use super::legacy::{self, OldLog};
use super::options::{MigrationStep, StoreOptions};
use super::order;
use super::postings::Places;
use super::tables::{
    CONVERSATIONS, Counters, MESSAGES, META, POSTINGS, PostingKey, REQUESTS, SCHEMA,
    SEEN_PLATFORMS, counters, key_check, pack, pack_places, unpack_version,
};
use super::transaction::{Transaction, TransactionContext};
use crate::clock::now;
use crate::log::file::path_beside;
use crate::log::{FileLog, Log as _, disk, record};
use crate::model::change::Outcome;
use crate::model::message::{Direction, Status};
use crate::model::routing::SeenPlatform;
use redb::{Database, ReadableTable, ReadableTableMetadata, WriteTransaction};
use serde::Deserialize;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Index rows that are rewritten together.
const ROWS_AT_ONCE: usize = 10_000;

/// Bytes of a file that are copied together.
const COPIED_AT_ONCE: u64 = 16 << 20;

/// Brings the tables from an older schema to [`SCHEMA`].
pub(super) fn migrate(
    options: &StoreOptions,
    database: &Database,
    context: &TransactionContext,
    schema: u32,
) -> Result<()> {
    tracing::info!("bringing the store up to date");
    options.tell(MigrationStep::Begins(&options.path));
    let backup = BackupFiles::make(options)?;
    let mut txn = database.begin_write()?;
    // redb's own measure against a power cut in the middle of a large commit.
    txn.set_two_phase_commit(true);
    let old_log = if schema == 1 {
        Some(from_first(&txn, options, context)?)
    } else {
        from_second(&txn)?;
        None
    };
    let schema = SCHEMA.to_le_bytes();
    txn.open_table(META)?.insert("schema", schema.as_slice())?;
    txn.commit().map_err(|error| StoreError::Write(error.to_string()))?;
    let is_damaged = match old_log {
        Some((log, state)) => take_away(log, &state)?,
        None => false,
    };
    if is_damaged {
        backup.tell();
    } else {
        backup.remove();
    }
    options.tell(MigrationStep::Ends);
    tracing::info!("the store is up to date");
    Ok(())
}

/// State of the old log.
enum OldLogState {
    CarriedOut,
    /// A part of it could not be read, and the rest is carried out.
    Damaged,
    DoesNotFollow,
}

/// Brings the tables from schema 1 on; gives the old log, and how it was found.
fn from_first(
    txn: &WriteTransaction,
    options: &StoreOptions,
    context: &TransactionContext,
) -> Result<(FileLog, OldLogState)> {
    let log = options.log(context.ids.key());
    let batch = rewrite(txn, options, context.ids)?;
    order::arrange(txn)?;
    let OldLog { whole, behind, damage, is_of_other } = legacy::read(&log, batch + 1)?;
    let state = if is_of_other {
        OldLogState::DoesNotFollow
    } else {
        // The messages of commands keep the IDs that were acknowledged, which had no tag.
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
    // The events of the log were read as well.
    read_all(txn)?;
    Ok((log, state))
}

/// Carries out what lies behind batches that cannot be read. The messages made there get new IDs, for
/// theirs may be those of others; and of each that waits it is in doubt whether it was sent.
fn carry_out_behind(
    txn: &WriteTransaction,
    context: &TransactionContext,
    batches: Vec<Vec<Command>>,
) -> Result<()> {
    let head = counters(&txn.open_table(META)?)?.head;
    let known = |commands: Vec<Command>| {
        commands.into_iter().filter_map(|command| legacy::behind_damage(command, head)).collect()
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
    for (platform, name, mut row) in order::conversations(&conversations)? {
        row.read_seq = row.last_seq;
        let bytes = pack(&[&platform, &name], &row)?;
        conversations.insert((&*platform, &*name), bytes.as_slice())?;
    }
    Ok(())
}

/// Brings the tables from schema 2 on.
fn from_second(txn: &WriteTransaction) -> Result<()> {
    let mut rows = Vec::new();
    let mut conversations = txn.open_table(CONVERSATIONS)?;
    for row in conversations.iter()? {
        let (key, bytes) = row?;
        let (platform, name) = key.value();
        match unpack_version(2, "the conversation", &[platform, name], bytes.value()) {
            Ok(row) => rows.push((platform.to_owned(), name.to_owned(), row)),
            Err(error) => tracing::error!("{error}"),
        }
    }
    for (platform, name, row) in rows {
        let SecondConversation { term, last_seq, last_at, name: shown, account, messages } = row;
        let read = OldConversation { term, last_seq, last_at, name: shown, account };
        let bytes = pack(&[&platform, &name], &read.into_row(messages))?;
        conversations.insert((&*platform, &*name), bytes.as_slice())?;
    }
    let mut meta = txn.open_table(META)?;
    let counters = match meta.get("counters")? {
        Some(bytes) => match unpack_version(2, "the row of", &["counters"], bytes.value()) {
            Ok(SecondCounters { head, named_terms, by_state, offset, kept_from }) => {
                Some(Counters { head, named_terms, by_state, offset, kept_from, in_order_to: 0 })
            }
            // They are counted again after the conversion.
            Err(_) => None,
        },
        None => Some(Counters::default()),
    };
    let counters = counters.map(|counters| pack(&["counters"], &counters)).transpose()?;
    meta.insert("counters", counters.unwrap_or_default().as_slice())?;
    let seen = meta.get(SEEN_PLATFORMS)?.map(|bytes| {
        unpack_version::<Vec<SeenPlatform>>(
            2,
            "the platforms seen",
            &[SEEN_PLATFORMS],
            bytes.value(),
        )
    });
    if let Some(Ok(seen)) = seen {
        meta.insert(SEEN_PLATFORMS, pack(&[SEEN_PLATFORMS], &seen)?.as_slice())?;
    }
    drop((conversations, meta));
    txn.open_table(REQUESTS)?;
    order::arrange(txn)
}

/// Removes the old log; one that is damaged or does not follow the tables is kept for inspection.
/// Whether it is damaged.
fn take_away(mut log: FileLog, state: &OldLogState) -> Result<bool> {
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
    // An empty batch first, which makes the tables that are new.
    for commands in std::iter::once(Vec::new()).chain(batches) {
        let mut state = Transaction::open(txn, context, now())?;
        state.make_tables()?;
        let (answers, _) = carry_out(&mut state, commands, None)?;
        for error in answers.into_iter().filter_map(std::result::Result::err) {
            tracing::error!("a command of the old write-ahead log was refused: {error}");
        }
        state.finish()?;
    }
    Ok(())
}

/// A conversation as schema 1 had it.
#[derive(Deserialize)]
struct OldConversation {
    term: PostingKey,
    last_seq: u64,
    last_at: u64,
    name: Option<String>,
    account: Option<String>,
}

impl OldConversation {
    /// The row of today; everything is read.
    fn into_row(self, messages: u64) -> ConversationRow {
        ConversationRow {
            last_seq: self.last_seq,
            last_at: self.last_at,
            name: self.name,
            account: self.account,
            messages,
            read_seq: self.last_seq,
            ..ConversationRow::new(self.term)
        }
    }
}

/// A conversation as schema 2 had it.
#[derive(Deserialize)]
struct SecondConversation {
    term: PostingKey,
    last_seq: u64,
    last_at: u64,
    name: Option<String>,
    account: Option<String>,
    messages: u64,
}

/// The counters as schema 2 had them.
#[derive(Deserialize)]
struct SecondCounters {
    head: u64,
    named_terms: u32,
    by_state: [u64; 10],
    offset: u64,
    kept_from: u64,
}

/// The counters as schema 1 had them.
#[derive(Deserialize)]
struct OldCounters {
    head: u64,
    named_terms: u32,
    by_state: [u64; 10],
}

/// A value of schema 1: a byte of version, then postcard.
fn old<'a, T: Deserialize<'a>>(what: &str, bytes: &'a [u8]) -> Result<T> {
    let fields = bytes.strip_prefix(&[1]);
    fields
        .and_then(|fields| postcard::from_bytes(fields).ok())
        .ok_or_else(|| StoreError::Damaged(format!("{what} is damaged")))
}

/// Converts the small tables; returns the number of the newest batch.
fn rewrite(txn: &WriteTransaction, options: &StoreOptions, ids: IdPermutation) -> Result<u64> {
    let messages = rewrite_postings(txn, options)?;
    rewrite_conversations(txn, &messages)?;
    let mut meta = txn.open_table(META)?;
    let counters = match meta.get("counters")? {
        Some(bytes) => {
            let OldCounters { head, named_terms, by_state } =
                old("the row of the counters", bytes.value())?;
            Counters { head, named_terms, by_state, ..Counters::default() }
        }
        None => Counters::default(),
    };
    meta.insert("counters", pack(&["counters"], &counters)?.as_slice())?;
    let batch = meta.remove("batch")?.and_then(|bytes| bytes.value().try_into().ok());
    meta.insert("id check", key_check(ids.key()).as_slice())?;
    Ok(batch.map_or(0, u64::from_le_bytes))
}

/// Adds checksums to index rows; counts the messages of each term.
fn rewrite_postings(txn: &WriteTransaction, options: &StoreOptions) -> Result<HashMap<u32, u64>> {
    let mut postings = txn.open_table(POSTINGS)?;
    let (all, mut done, mut next) = (postings.len()?, 0_u64, 0);
    let mut messages: HashMap<u32, u64> = HashMap::new();
    loop {
        let rows: Vec<_> = postings
            .range(next..)?
            .take(ROWS_AT_ONCE)
            .map(|row| row.map(|(key, bytes)| (key.value(), bytes.value().to_vec())))
            .collect::<std::result::Result<_, _>>()?;
        let Some((last, _)) = rows.last() else { return Ok(messages) };
        next = last + 1;
        done += rows.len() as u64;
        for (key, bytes) in rows {
            let Some(places) = Places::decode(&bytes) else {
                tracing::error!(
                    "the index row {key:#x} is damaged; it is left out; run `rechat check` for details"
                );
                postings.remove(key)?;
                continue;
            };
            *messages.entry((key >> 32) as u32).or_default() += u64::from(places.count());
            postings.insert(key, pack_places(key, &places).as_slice())?;
        }
        tracing::info!("{done} of {all} index rows");
        options.tell(MigrationStep::Rewritten { rows: done, all });
    }
}

fn rewrite_conversations(txn: &WriteTransaction, messages: &HashMap<u32, u64>) -> Result<()> {
    let mut conversations = txn.open_table(CONVERSATIONS)?;
    let mut rows = Vec::new();
    for row in conversations.iter()? {
        let (key, bytes) = row?;
        let (platform, name) = key.value();
        let what = format!("the conversation {platform}/{name}");
        match old::<OldConversation>(&what, bytes.value()) {
            Ok(row) => rows.push((platform.to_owned(), name.to_owned(), row)),
            // It stays as it is, and every use of it is refused by name.
            Err(error) => tracing::error!("{error}"),
        }
    }
    for (platform, name, old) in rows {
        let messages = messages.get(&old.term.0).copied().unwrap_or_default();
        let bytes = pack(&[&platform, &name], &old.into_row(messages))?;
        conversations.insert((&*platform, &*name), bytes.as_slice())?;
    }
    Ok(())
}

/// A copy of the store as it was.
struct BackupFiles(Vec<PathBuf>);

impl BackupFiles {
    fn make(options: &StoreOptions) -> Result<Self> {
        if options.storage.is_some() {
            return Ok(Self(Vec::new()));
        }
        let log = path_beside(&options.path);
        let mut copies = Vec::new();
        for file in [&options.path, &log] {
            if file.exists() {
                copies.push(copy(file, options)?);
            }
        }
        Ok(Self(copies))
    }

    /// Says that the copies stay.
    fn tell(&self) {
        for copy in &self.0 {
            tracing::error!("the store as it was before is kept in {}", copy.display());
        }
    }

    fn remove(self) {
        for copy in self.0 {
            if let Err(error) = std::fs::remove_file(&copy) {
                tracing::warn!("{} can be removed by hand: {error}", copy.display());
            }
        }
    }
}

fn copy(file: &Path, options: &StoreOptions) -> Result<PathBuf> {
    let to = file.with_added_extension("before-0.3");
    tracing::info!("copying {} to {}", file.display(), to.display());
    let copied = disk::make_private(&to).and_then(|()| copy_in_parts(file, &to, options));
    copied.map_err(|error| {
        let _ = std::fs::remove_file(&to);
        StoreError::Open(format!(
            "{} cannot be copied to {} before it is brought up to date: {error}\n  free as much space as it has",
            file.display(),
            to.display()
        ))
    })?;
    Ok(to)
}

/// Copies a file, and tells how far that is.
fn copy_in_parts(from: &Path, to: &Path, options: &StoreOptions) -> io::Result<()> {
    let from = File::open(from)?;
    let mut to = OpenOptions::new().write(true).truncate(true).open(to)?;
    let (all, mut bytes) = (from.metadata()?.len(), 0);
    loop {
        match io::copy(&mut (&from).take(COPIED_AT_ONCE), &mut to)? {
            0 => return Ok(()),
            copied => bytes += copied,
        }
        options.tell(MigrationStep::Copied { bytes, all });
    }
}
