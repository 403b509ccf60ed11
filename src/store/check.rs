//! Verifying a store: every row of every table is read, and each is compared with what the messages
//! say it should be. It never panics: what cannot be read is a finding like others.

use super::conversation::{ConversationRow, is_mention};
use super::damage::guarded;
use super::early_recall;
use super::error::{Result, StoreError};
use super::journal;
use super::open::{damage_of_log, on_overlay, open};
use super::options::StoreOptions;
use super::postings::{Places, locate};
use super::quarantine::{self, SetAside};
use super::salvage::{damaged_pages, kept_stores};
use super::sealed::{SealedTable, epoch_of, key_of, mark_key};
use super::tables::{
    Counters, EARLY_RECALLS, KEYS, KEYS_BY_AGE, PostingKey, SEEN, SENT, platform_term,
    seen_platforms_row, unpack, unpack_places,
};
use super::view::View;
use crate::log::file::kept_beside;
use redb::{ReadableTable, ReadableTableMetadata};
use std::collections::HashMap;
use std::path::PathBuf;

/// The most findings that are told; a store that is wrong is usually wrong everywhere.
const MAX_FINDINGS: usize = 100;

/// The result of a check.
#[derive(Debug, Default)]
pub struct StoreReport {
    /// Messages read.
    pub messages: u64,
    /// Index rows read.
    pub rows: u64,
    /// Events that could not be stored and were set aside: the first ones, and how many there are.
    pub set_aside: Vec<SetAside>,
    #[allow(missing_docs)]
    pub all_set_aside: u64,
    /// The faults, in words; empty where there is none.
    pub findings: Vec<String>,
    /// Faults beyond these, which are too many to tell.
    pub more: u64,
    /// Logs that were damaged or did not belong to the store, and are kept beside it.
    pub kept_logs: Vec<PathBuf>,
    /// Stores that were damaged and made anew; the damaged files are kept.
    pub kept_stores: Vec<PathBuf>,
    /// The file cannot be opened as it is.
    pub needs_repair: bool,
}

impl StoreReport {
    fn find(&mut self, finding: String) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }

    /// Runs a part of the check. An error that ends it early is a finding.
    fn part(&mut self, what: &str, check: impl FnOnce(&mut Self) -> Result<()>) {
        if let Err(error) = guarded(|| check(self)) {
            self.find(format!("{what} could not be read to the end: {error}"));
        }
    }
}

/// Checks a store that no other process uses: its rows, and the pages of its file. A store that
/// cannot be opened is a finding too, unless another process has it open.
///
/// # Errors
///
/// The file cannot be opened. What is wrong inside it is in the report.
pub fn check_file(options: &StoreOptions) -> Result<StoreReport> {
    // Read first: opening sets a damaged log aside.
    let of_log = guarded(|| damage_of_log(options))
        .unwrap_or_else(|error| vec![format!("it could not be looked at: {error}")]);
    let as_it_is = StoreOptions { salvages: false, ..options.clone() };
    let damaged_pages = damaged_pages(&options.path);
    let mut report = match guarded(|| check(&open(&as_it_is)?.view()?)) {
        Ok(report) => report,
        Err(StoreError::Open(error)) if !damaged_pages.is_empty() => {
            let mut report = StoreReport { needs_repair: true, ..StoreReport::default() };
            report.find(error);
            report
        }
        Err(error @ (StoreError::InUse(_) | StoreError::Open(_))) => return Err(error),
        Err(error) => {
            let mut report = StoreReport::default();
            report.find(error.to_string());
            report
        }
    };
    for damage in of_log {
        report.find(format!("the write-ahead log: {damage}"));
    }
    for place in damaged_pages {
        report.find(place);
    }
    report.kept_logs = kept_beside(&options.path);
    report.kept_stores = kept_stores(&options.path);
    if report.needs_repair {
        return Ok(report);
    }
    report.part("the file", |report| {
        let mut file = on_overlay(options)?;
        match file.database.check_integrity() {
            Ok(true) => {}
            Ok(false) => report.find("pages of the file have wrong checksums".into()),
            Err(error) => report.find(format!("the file is damaged: {error}")),
        }
        Ok(())
    });
    Ok(report)
}

/// Reads every row, counts again, and compares every table with what it should be.
///
/// # Errors
///
/// The store cannot be read at all. What is wrong inside it is in the report.
pub fn check(view: &View) -> Result<StoreReport> {
    let mut report = StoreReport::default();
    let mut found = RecountedTables::default();
    report.part("messages", |report| check_messages(view, &mut found, report));
    let counters = view.counters();
    found.counted.head = counters.head;
    found.counted.named_terms = counters.named_terms;
    found.counted.offset = counters.offset;
    found.counted.kept_from = counters.kept_from;
    // The message that gave this value may have been deleted since.
    found.counted.in_order_to = found.counted.in_order_to.max(counters.in_order_to);
    if found.counted != *counters {
        report.find(format!(
            "the counts kept, {counters:?}, are not those counted, {:?}",
            found.counted
        ));
    }
    let RecountedTables { rows, conversations, foreign, late, .. } = found;
    report.part("the index", |report| check_rows(view, rows, report));
    report.part("platforms", |report| check_platforms(view, report));
    report.part("conversations", |report| check_conversations(view, &conversations, report));
    report.part("the order of conversations", |report| check_newest(view, report));
    report.part("late messages", |report| check_late(view, late, report));
    report.part("foreign IDs", |report| check_foreign_ids(view, foreign, report));
    report.part("idempotency keys", |report| check_keys(view, report));
    report.part("marks of what was seen", |report| check_marks(view, report));
    report.part("early recalls", |report| check_early_recalls(view, report));
    report.part("the journal", |report| check_journal(view, report));
    report.part("epochs", |report| check_epochs(view, report));
    report.part("what was set aside", |report| check_set_aside(view, report));
    report.part("platforms that were connected", |_| seen_platforms_row(&view.meta).map(drop));
    Ok(report)
}

/// Content of the other tables as it follows from the messages.
#[derive(Default)]
struct RecountedTables {
    counted: Counters,
    rows: HashMap<u64, Places>,
    /// Messages and the newest one, by term.
    conversations: HashMap<u32, (u64, u64)>,
    foreign: u64,
    /// Rows of late messages that are there.
    late: u64,
}

fn check_messages(
    view: &View,
    found: &mut RecountedTables,
    report: &mut StoreReport,
) -> Result<()> {
    for message in view.after(0)? {
        let message = match message {
            Ok(message) => message,
            Err(StoreError::Damaged(text)) => {
                report.find(text);
                continue;
            }
            Err(error) => return Err(error),
        };
        let seq = message.seq;
        report.messages += 1;
        found.counted.add(&message);
        if seq > view.head() {
            report.find(format!("message {seq} lies beyond the newest, {}", view.head()));
        }
        if view.seq_of(message.id)? != Some(seq) {
            report.find(format!("the ID {} does not lead to its message {seq}", message.id));
        }
        found.foreign += u64::from(view.foreign_place(message.id)?.is_some());
        let platform = message.platform.as_deref().unwrap_or_default();
        let row = match view.conversation_row(platform, &message.recipient) {
            // Told where conversations are checked.
            Err(StoreError::Damaged(_)) => continue,
            row => row?,
        };
        let named = [
            view.platforms_table()?.get(platform)?.map(|term| PostingKey(term.value())),
            row.map(|row| row.term),
        ];
        let (block, place) = locate(seq);
        let is_late =
            view.places(PostingKey::LATE, block).ok().flatten().is_some_and(|late| late.has(place));
        if is_late {
            found.rows.entry(PostingKey::LATE.row(block)).or_default().set(place, true);
        } else if message.created_at < found.counted.in_order_to {
            report.find(format!("message {seq} is late, and not among those that are"));
        } else {
            found.counted.in_order_to = message.created_at;
        }
        if is_mention(&message) {
            found.rows.entry(PostingKey::MENTIONS.row(block)).or_default().set(place, true);
        }
        if let Some(term) = named[1] {
            let (messages, newest) = found.conversations.entry(term.0).or_default();
            *messages += 1;
            *newest = seq;
        }
        for term in [Some(PostingKey::LATE), named[1]].into_iter().flatten().filter(|_| is_late) {
            if view.late_table()?.get((term.0, message.created_at, seq))?.is_none() {
                report.find(format!("message {seq} is late, and has no place in that order"));
            }
            found.late += 1;
        }
        let state = Some(PostingKey::of_state(message.direction, message.status));
        for term in [state].into_iter().chain(named) {
            let Some(term) = term else {
                report
                    .find(format!("message {seq} has a platform or conversation that is unknown"));
                continue;
            };
            found.rows.entry(term.row(block)).or_default().set(place, true);
        }
    }
    Ok(())
}

fn check_rows(
    view: &View,
    mut expected: HashMap<u64, Places>,
    report: &mut StoreReport,
) -> Result<()> {
    for row in view.postings.iter()? {
        let (key, bytes) = row?;
        let key = key.value();
        report.rows += 1;
        let wanted = expected.remove(&key);
        match unpack_places(key, bytes.value()) {
            Err(error) => report.find(error.to_string()),
            Ok(places) if Some(&places) != wanted.as_ref() => {
                report.find(format!("the index row {key:#x} does not agree with the messages"));
            }
            Ok(_) => {}
        }
    }
    for key in expected.keys() {
        report.find(format!("the index row {key:#x} is missing"));
    }
    Ok(())
}

/// Whether a number that stands for a name was given, and to no other.
fn check_term(term: PostingKey, what: &str, view: &View, report: &mut StoreReport) {
    let given = PostingKey::FIRST_NAMED..PostingKey::FIRST_NAMED + view.counters().named_terms;
    if !given.contains(&term.0) {
        report.find(format!("{what} has the number {}, which was never given", term.0));
    }
}

fn check_platforms(view: &View, report: &mut StoreReport) -> Result<()> {
    for row in view.platforms_table()?.iter()? {
        let (name, term) = row?;
        check_term(
            PostingKey(term.value()),
            &format!("the platform {}", name.value()),
            view,
            report,
        );
        if let Err(error) = platform_term(view.platforms_table()?, &view.meta, name.value()) {
            report.find(error.to_string());
        }
    }
    Ok(())
}

fn check_conversations(
    view: &View,
    messages: &HashMap<u32, (u64, u64)>,
    report: &mut StoreReport,
) -> Result<()> {
    for row in view.conversations_table()?.iter()? {
        let (key, bytes) = row?;
        let (platform, name) = key.value();
        let what = format!("the conversation {platform}/{name}");
        let row: ConversationRow =
            match unpack("the conversation", &[platform, name], bytes.value()) {
                Ok(row) => row,
                Err(error) => {
                    report.find(error.to_string());
                    continue;
                }
            };
        check_term(row.term, &what, view, report);
        let (counted, newest) = messages.get(&row.term.0).copied().unwrap_or_default();
        if (counted, newest) != (row.messages, row.last_seq) {
            report.find(format!(
                "{what} has {counted} messages up to {newest}, not {} up to {}",
                row.messages, row.last_seq
            ));
        }
        let listed = view.newest_table()?.get((platform, row.last_seq))?;
        let is_listed = listed.is_some_and(|listed| listed.value() == name);
        if is_listed != (counted > 0) {
            report.find(format!("{what} is {}listed", if is_listed { "" } else { "not " }));
        }
    }
    Ok(())
}

fn check_newest(view: &View, report: &mut StoreReport) -> Result<()> {
    for row in view.newest_table()?.iter()? {
        let (key, name) = row?;
        let ((platform, newest), name) = (key.value(), name.value());
        let row = match view.conversation_row(platform, name) {
            // Told where conversations are checked.
            Err(StoreError::Damaged(_)) => continue,
            row => row?,
        };
        if row.and_then(|row| row.listed_at()) != Some(newest) {
            report
                .find(format!("the conversation {platform}/{name} is listed at {newest}, wrongly"));
        }
    }
    Ok(())
}

fn check_late(view: &View, wanted: u64, report: &mut StoreReport) -> Result<()> {
    let rows = view.late_table()?.len()?;
    if rows != wanted {
        report.find(format!("{rows} places are kept of late messages, not {wanted}"));
    }
    Ok(())
}

fn check_foreign_ids(view: &View, with_messages: u64, report: &mut StoreReport) -> Result<()> {
    let rows = view.foreign_ids_table()?.len()?;
    if rows != with_messages {
        report.find(format!("{rows} IDs are kept for {with_messages} messages"));
    }
    for row in view.foreign_ids_table()?.iter()? {
        let (id, row) = row?;
        match SealedTable::ForeignIds.seq([id.value()], row.value()) {
            Err(error) => report.find(error.to_string()),
            Ok(seq) if seq > view.head() => {
                report.find(format!("an ID leads to message {seq}, beyond the newest"));
            }
            Ok(_) => {}
        }
    }
    Ok(())
}

fn check_keys(view: &View, report: &mut StoreReport) -> Result<()> {
    let (keys, by_age) = (view.txn.open_table(KEYS)?, view.txn.open_table(KEYS_BY_AGE)?);
    if keys.len()? != by_age.len()? {
        report.find("the idempotency keys and the order of their age do not agree".into());
    }
    for row in keys.iter()? {
        let (key, row) = row?;
        let (_, _, at) = row.value();
        match key_of(key.value(), row.value()) {
            Err(error) => report.find(error.to_string()),
            Ok((seq, _)) if by_age.get((at, key.value()))?.is_none() || seq > view.head() => {
                report.find(format!("an idempotency key of message {seq} is damaged"));
            }
            Ok(_) => {}
        }
    }
    Ok(())
}

fn check_marks(view: &View, report: &mut StoreReport) -> Result<()> {
    for (table, sealed) in [(SEEN, SealedTable::Seen), (SENT, SealedTable::Sent)] {
        for row in view.txn.open_table(table)?.iter()? {
            let (key, row) = row?;
            match sealed.seq(mark_key(key.value()), row.value()) {
                Err(error) => report.find(error.to_string()),
                Ok(seq) if seq > view.head() => {
                    report.find(format!("a mark speaks of message {seq}, beyond the newest"));
                }
                Ok(_) => {}
            }
        }
    }
    Ok(())
}

fn check_early_recalls(view: &View, report: &mut StoreReport) -> Result<()> {
    let table = match view.txn.open_table(EARLY_RECALLS) {
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(()),
        table => table?,
    };
    for row in table.iter()? {
        let (key, bytes) = row?;
        if let Err(error) = early_recall::decode(key.value(), bytes.value()) {
            report.find(error.to_string());
        }
    }
    Ok(())
}

fn check_journal(view: &View, report: &mut StoreReport) -> Result<()> {
    let mut last = view.counters().kept_from.saturating_sub(1);
    for row in view.journal_table()?.iter()? {
        let (first, bytes) = row?;
        let entries = match journal::decode(first.value(), bytes.value()) {
            Ok(entries) => entries,
            Err(error) => {
                report.find(error.to_string());
                continue;
            }
        };
        for entry in entries {
            if entry.offset <= last || entry.offset > view.counters().offset {
                report.find(format!("the kept event {} is out of its order", entry.offset));
            }
            last = entry.offset;
        }
    }
    Ok(())
}

fn check_set_aside(view: &View, report: &mut StoreReport) -> Result<()> {
    for row in view.quarantine_table()?.iter()? {
        let (offset, bytes) = row?;
        report.all_set_aside += 1;
        match quarantine::decode(offset.value(), bytes.value()) {
            Err(error) => report.find(error.to_string()),
            Ok(aside) if report.set_aside.len() < MAX_FINDINGS => report.set_aside.push(aside),
            Ok(_) => {}
        }
    }
    Ok(())
}

fn check_epochs(view: &View, report: &mut StoreReport) -> Result<()> {
    let (mut last_seq, newest) = (0, view.cursor());
    for row in view.epochs_table()?.iter()? {
        let (offset, row) = row?;
        let (epoch, _) = row.value();
        let first_seq = match epoch_of(offset.value(), row.value()) {
            Ok((_, first_seq)) => first_seq,
            Err(error) => {
                report.find(error.to_string());
                continue;
            }
        };
        if first_seq < last_seq || offset.value() > newest.offset || first_seq > view.head() + 1 {
            report.find(format!("the epoch {epoch:016x} is out of its order"));
        }
        last_seq = first_seq;
    }
    if view.epochs_table()?.is_empty()? && newest.offset > 0 {
        report.find("the epochs are missing".into());
    }
    Ok(())
}
