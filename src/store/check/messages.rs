//! The check of messages, and of the index, which is computed from them.

use super::report::StoreReport;
use crate::model::message::Message;
use crate::store::error::{Result, StoreError};
use crate::store::marked_terms::marked_terms;
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
        report.messages += 1;
        found.counted.add(message.direction, message.status);
        found.foreign += u64::from(view.foreign_place(message.id)?.is_some());
        check_id(view, &message, report)?;
        let platform = message.platform.as_deref().unwrap_or_default();
        let row = match view.conversation_row(platform, &message.recipient) {
            // The check of conversations reports it.
            Err(StoreError::Damaged(_)) => continue,
            row => row?,
        };
        let conversation = row.map(|row| row.term);
        check_order(view, &message, conversation, found, report)?;
        let platform = view.platforms_table()?.get(platform)?;
        found.add(&message, [platform.map(|term| PostingKey(term.value())), conversation], report);
    }
    Ok(())
}

fn check_id(view: &View, message: &Message, report: &mut StoreReport) -> Result<()> {
    let seq = message.seq;
    if seq > view.head() {
        report.find(format!("message {seq} lies beyond the newest, {}", view.head()));
    }
    if view.seq_of(message.id)? != Some(seq) {
        report.find(format!("the ID {} does not lead to its message {seq}", message.id));
    }
    Ok(())
}

/// Checks that a message is late, or in the order of `created_at`.
fn check_order(
    view: &View,
    message: &Message,
    conversation: Option<PostingKey>,
    found: &mut RecountedTables,
    report: &mut StoreReport,
) -> Result<()> {
    let seq = message.seq;
    let (block, place) = locate(seq);
    let late = view.places(PostingKey::LATE, block).ok().flatten();
    if !late.is_some_and(|late| late.has(place)) {
        if message.created_at < found.counted.in_order_to {
            report.find(format!("message {seq} is late, but not in the set of late messages"));
        } else {
            found.counted.in_order_to = message.created_at;
        }
        return Ok(());
    }
    found.set(PostingKey::LATE, seq);
    for term in [Some(PostingKey::LATE), conversation].into_iter().flatten() {
        if view.late_table()?.get((term.0, message.created_at, seq))?.is_none() {
            report.find(format!("message {seq} is late, and has no place in that order"));
        }
        found.late += 1;
    }
    Ok(())
}

impl RecountedTables {
    /// Adds a message to its conversation, and to its sets but that of late messages. `named` is the terms of
    /// its platform and of its conversation.
    fn add(&mut self, message: &Message, named: [Option<PostingKey>; 2], report: &mut StoreReport) {
        let seq = message.seq;
        for (term, _) in marked_terms(message).into_iter().filter(|(_, is_in)| *is_in) {
            self.set(term, seq);
        }
        if let Some(term) = named[1] {
            let (messages, newest) = self.conversations.entry(term.0).or_default();
            *messages += 1;
            *newest = seq;
        }
        self.set(PostingKey::of_state(message.direction, message.status), seq);
        for term in named {
            match term {
                Some(term) => self.set(term, seq),
                None => report
                    .find(format!("message {seq} has a platform or conversation that is unknown")),
            }
        }
    }

    /// Adds a message to the set of a term.
    fn set(&mut self, term: PostingKey, seq: u64) {
        let (block, place) = locate(seq);
        self.rows.entry(term.row(block)).or_default().set(place, true);
    }
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
