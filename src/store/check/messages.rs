//! The check of messages, and of the index, which is computed from them.

use super::report::StoreReport;
use crate::store::conversation::is_mention;
use crate::store::error::{Result, StoreError};
use crate::store::postings::{Places, locate};
use crate::store::tables::{Counters, PostingKey, unpack_places};
use crate::store::view::View;
use redb::ReadableTable;
use std::collections::HashMap;

/// The content that other tables must have, computed from the messages.
#[derive(Default)]
pub(super) struct RecountedTables {
    pub(super) counted: Counters,
    pub(super) rows: HashMap<u64, Places>,
    /// The number of messages and the newest one, by term.
    pub(super) conversations: HashMap<u32, (u64, u64)>,
    pub(super) foreign: u64,
    /// The number of rows of late messages.
    pub(super) late: u64,
}

pub(super) fn check_messages(
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
            // The check of conversations reports it.
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
            report.find(format!("message {seq} is late, but not in the set of late messages"));
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

pub(super) fn check_rows(
    view: &View,
    mut expected: HashMap<u64, Places>,
    report: &mut StoreReport,
) -> Result<()> {
    for row in view.postings_table()?.iter()? {
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
