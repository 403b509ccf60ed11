//! Verifies a store: reads every row of every table, and compares each with the messages. It never panics;
//! a row that cannot be read is a finding like others.

mod conversations;
mod messages;
mod report;
mod tables;

pub use report::StoreReport;

use super::damage::guarded;
use super::error::{Result, StoreError};
use super::open::{damage_of_log, on_overlay, open};
use super::options::StoreOptions;
use super::salvage::{damaged_pages, kept_stores};
use super::tables::seen_platforms_row;
use super::view::View;
use crate::log::file::kept_beside;
use conversations::{check_conversations, check_late, check_newest, check_platforms};
use messages::{RecountedTables, check_messages, check_rows};
use tables::{
    check_early_recalls, check_epochs, check_foreign_ids, check_journal, check_keys, check_marks,
    check_quarantine,
};

/// Checks a store that no other process uses: its rows, and the pages of its file. A store that cannot be
/// opened is a finding, too, unless another process has it open.
///
/// # Errors
///
/// The file cannot be opened. What is wrong inside it is in the report.
pub fn check_file(options: &StoreOptions) -> Result<StoreReport> {
    // The log is read first, because opening the store moves a damaged log away.
    let of_log = guarded(|| damage_of_log(options))
        .unwrap_or_else(|error| vec![format!("it could not be checked: {error}")]);
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
    // The message with this time may have been deleted.
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
    report.part("what was quarantined", |report| check_quarantine(view, report));
    report.part("platforms that were connected", |_| {
        seen_platforms_row(view.meta_table()?).map(drop)
    });
    Ok(report)
}
