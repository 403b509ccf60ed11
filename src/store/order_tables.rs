//! Builds the order tables that older stores lack, and finds the newest time in a damaged store. Both
//! are computed from the messages.

use super::commit::commit;
use super::conversation::ConversationRow;
use super::error::Result;
use super::marked_terms::marked_terms;
use super::postings::{Places, locate, start_of};
use super::tables::{
    CONVERSATIONS, EPOCHS, LATE, MESSAGES, META, NEWEST, OVERRULED_LISTED, PLATFORMS, POSTINGS,
    PostingKey, counters, pack, pack_places, pack_term, platform_key, unpack, unpack_places,
};
use crate::clock::now;
use crate::log::record;
use crate::model::message::Message;
use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable, WriteTransaction};
use std::collections::{BTreeMap, HashMap};

/// Messages between two log lines about the progress.
const MESSAGES_AT_ONCE: u64 = 1_000_000;

/// Finds late messages and mentions, and writes the list of conversations.
pub(super) fn arrange(txn: &WriteTransaction) -> Result<()> {
    let mut terms: HashMap<(String, String), PostingKey> = HashMap::new();
    let mut newest = txn.open_table(NEWEST)?;
    let mut table = txn.open_table(CONVERSATIONS)?;
    let mut postings = txn.open_table(POSTINGS)?;
    for (platform, name, mut row) in conversations(&table)? {
        // An older version did not change it when the newest message was deleted or routed.
        let unknown = if row.messages == 0 { 0 } else { row.last_seq };
        let last = newest_of(&postings, row.term)?.unwrap_or(unknown);
        if last != row.last_seq {
            (row.last_seq, row.read_seq) = (last, last);
            let bytes = pack(&[&platform, &name], &row)?;
            table.insert((&*platform, &*name), bytes.as_slice())?;
        }
        if let Some(seq) = row.listed_at() {
            newest.insert((&*platform, seq), &*name)?;
        }
        terms.insert((platform, name), row.term);
    }
    let mut late = txn.open_table(LATE)?;
    let mut rows: BTreeMap<u64, Places> = BTreeMap::new();
    let (mut in_order_to, now) = (0, now());
    for row in txn.open_table(MESSAGES)?.iter()? {
        let (seq, bytes) = row?;
        let seq = seq.value();
        if seq.is_multiple_of(MESSAGES_AT_ONCE) {
            tracing::info!("{seq} messages are in order");
        }
        // A damaged message has no position.
        let Ok(message) = record::decode(seq, bytes.value()) else { continue };
        let (block, place) = locate(seq);
        for (term, _) in marked_terms(&message).into_iter().filter(|(_, is_in)| *is_in) {
            rows.entry(term.row(block)).or_default().set(place, true);
        }
        if (in_order_to..=now).contains(&message.created_at) {
            in_order_to = message.created_at;
            continue;
        }
        rows.entry(PostingKey::LATE.row(block)).or_default().set(place, true);
        let Message { platform, recipient, created_at, .. } = message;
        let term = terms.get(&(platform.unwrap_or_default(), recipient)).copied();
        for term in [Some(PostingKey::LATE), term].into_iter().flatten() {
            late.insert((term.0, created_at, seq), ())?;
        }
    }
    for row in txn.open_table(PLATFORMS)?.iter()? {
        let (name, term) = row?;
        let (name, term) = (name.value(), PostingKey(term.value()));
        txn.open_table(META)?.insert(&*platform_key(name), &*pack_term(name, term)?)?;
    }
    for (row, places) in rows {
        postings.insert(row, pack_places(row, &places).as_slice())?;
    }
    overruled_are_listed(txn)?;
    let mut meta = txn.open_table(META)?;
    let counted = counters(&meta);
    if let Ok(mut counted) = counted {
        counted.in_order_to = in_order_to;
        meta.insert("counters", pack(&["counters"], &counted)?.as_slice())?;
    }
    Ok(())
}

/// Whether the claims whose status somebody set are listed, up to the newest epoch.
pub(super) fn are_overruled_listed(txn: &ReadTransaction) -> Result<bool> {
    let newest = newest_epoch_at(&txn.open_table(EPOCHS)?)?;
    let listed = txn.open_table(META)?.get(OVERRULED_LISTED)?;
    Ok(listed.is_some_and(|listed| listed.value() == newest.to_le_bytes()))
}

/// Lists the claims whose status somebody set, in a store that a version under development wrote which did not list
/// them.
pub(super) fn list_overruled(database: &Database) -> Result<()> {
    if are_overruled_listed(&database.begin_read()?)? {
        return Ok(());
    }
    let txn = database.begin_write()?;
    txn.open_table(POSTINGS)?
        .retain_in(PostingKey::OVERRULED.row(0)..=PostingKey::OVERRULED.row(u32::MAX), |_, _| {
            false
        })?;
    let mut rows: BTreeMap<u64, Places> = BTreeMap::new();
    for row in txn.open_table(MESSAGES)?.iter()? {
        let (seq, bytes) = row?;
        let seq = seq.value();
        let message = record::decode(seq, bytes.value()).ok();
        if message.is_some_and(|message| message.is_overruled_claim()) {
            let (block, place) = locate(seq);
            rows.entry(PostingKey::OVERRULED.row(block)).or_default().set(place, true);
        }
    }
    for (row, places) in rows {
        txn.open_table(POSTINGS)?.insert(row, pack_places(row, &places).as_slice())?;
    }
    overruled_are_listed(&txn)?;
    commit(txn)
}

fn overruled_are_listed(txn: &WriteTransaction) -> Result<()> {
    let newest = newest_epoch_at(&txn.open_table(EPOCHS)?)?;
    txn.open_table(META)?.insert(OVERRULED_LISTED, newest.to_le_bytes().as_slice())?;
    Ok(())
}

/// The first offset of the newest epoch; 0 if there is none.
fn newest_epoch_at(epochs: &impl ReadableTable<u64, (u64, u64)>) -> Result<u64> {
    Ok(epochs.last()?.map_or(0, |(offset, _)| offset.value()))
}

/// The newest message of a term, if it has any that can be read.
fn newest_of(
    postings: &impl ReadableTable<u64, &'static [u8]>,
    term: PostingKey,
) -> Result<Option<u64>> {
    for entry in postings.range(term.row(0)..=term.row(u32::MAX))?.rev() {
        let (key, bytes) = entry?;
        let places = unpack_places(key.value(), bytes.value()).unwrap_or_default();
        if let Some(place) = places.descending().next() {
            return Ok(Some(start_of(key.value() as u32) + u64::from(place)));
        }
    }
    Ok(None)
}

/// Time of the newest message that is not late, in Unix seconds.
pub(super) fn in_order_to(txn: &WriteTransaction) -> Result<u64> {
    let (messages, postings) = (txn.open_table(MESSAGES)?, txn.open_table(POSTINGS)?);
    for row in messages.iter()?.rev() {
        let (seq, bytes) = row?;
        let (block, place) = locate(seq.value());
        let key = PostingKey::LATE.row(block);
        let late = postings.get(key)?.and_then(|row| unpack_places(key, row.value()).ok());
        if late.is_some_and(|late| late.has(place)) {
            continue;
        }
        if let Ok(message) = record::decode(seq.value(), bytes.value()) {
            return Ok(message.created_at);
        }
    }
    Ok(0)
}

/// Every conversation whose row can be read: platform, name and row.
pub(super) fn conversations(
    table: &impl ReadableTable<(&'static str, &'static str), &'static [u8]>,
) -> Result<Vec<(String, String, ConversationRow)>> {
    let mut rows = Vec::new();
    for row in table.iter()? {
        let (key, bytes) = row?;
        let (platform, name) = key.value();
        if let Ok(row) = unpack("the conversation", &[platform, name], bytes.value()) {
            rows.push((platform.to_owned(), name.to_owned(), row));
        }
    }
    Ok(rows)
}
