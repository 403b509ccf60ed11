//! The check of the tables that no listing needs: IDs, keys, marks, the journal, epochs, and events that were quarantined.

use super::report::{MAX_FINDINGS, StoreReport};
use crate::store::error::Result;
use crate::store::quarantine;
use crate::store::sealed::{SealedTable, epoch_of, key_of, mark_key};
use crate::store::tables::{EARLY_RECALLS, KEYS, KEYS_BY_AGE, SEEN, SENT};
use crate::store::view::View;
use crate::store::{early_recall, journal};
use redb::{ReadableTable, ReadableTableMetadata};

pub(super) fn check_foreign_ids(
    view: &View,
    with_messages: u64,
    report: &mut StoreReport,
) -> Result<()> {
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

pub(super) fn check_keys(view: &View, report: &mut StoreReport) -> Result<()> {
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

pub(super) fn check_marks(view: &View, report: &mut StoreReport) -> Result<()> {
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

pub(super) fn check_early_recalls(view: &View, report: &mut StoreReport) -> Result<()> {
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

pub(super) fn check_journal(view: &View, report: &mut StoreReport) -> Result<()> {
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

pub(super) fn check_quarantine(view: &View, report: &mut StoreReport) -> Result<()> {
    for row in view.quarantine_table()?.iter()? {
        let (offset, bytes) = row?;
        report.all_quarantined += 1;
        match quarantine::decode(offset.value(), bytes.value()) {
            Err(error) => report.find(error.to_string()),
            Ok(aside) if report.quarantined.len() < MAX_FINDINGS => report.quarantined.push(aside),
            Ok(_) => {}
        }
    }
    Ok(())
}

pub(super) fn check_epochs(view: &View, report: &mut StoreReport) -> Result<()> {
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
