//! Restores a damaged row of counters by counting the other tables. Only the offset of the newest event
//! cannot be counted and may be too low. A new epoch prevents confusion with old events.

use super::conversation::ConversationRow;
use super::options::StoreOptions;
use super::sealed::{SealedTable, epoch_of, key_of, mark_key};
use super::tables::{
    CONVERSATIONS, Counters, EPOCHS, FOREIGN_IDS, JOURNAL, KEYS, MESSAGES, META, PLATFORMS,
    POSTINGS, PostingKey, QUARANTINE, SEEN, SENT, counters, pack, unpack,
};
use super::{Result, StoreError, journal, order_tables};
use crate::log::{Log as _, record};
use redb::{Database, ReadableDatabase as _, ReadableTable, WriteTransaction};

/// Restores the row of the counters, if it is damaged.
pub(super) fn recount_if_damaged(
    options: &StoreOptions,
    database: &Database,
    key: [u8; 16],
) -> Result<()> {
    match counters(&database.begin_read()?.open_table(META)?) {
        Err(StoreError::Damaged(text)) => tracing::error!("{text}; everything is counted again"),
        Err(error) => return Err(error),
        Ok(_) => return Ok(()),
    }
    let txn = database.begin_write()?;
    let mut counted = count(&txn)?;
    // The log begins at the offset up to which the tables were durable.
    if let Some(first) = options.log(key).read(0)?.batches.first() {
        counted.offset = counted.offset.max(first.first - 1);
    }
    if counted.kept_from == 0 {
        counted.kept_from = counted.offset + 1;
    }
    let row = pack(&["counters"], &counted)?;
    txn.open_table(META)?.insert("counters", row.as_slice())?;
    txn.commit().map_err(|error| StoreError::Write(error.to_string()))
}

/// Counts the messages again; the other counters are not damaged.
pub(super) fn count_again(txn: &WriteTransaction) -> Result<()> {
    let Ok(known) = counters(&txn.open_table(META)?) else { return Ok(()) };
    let counted = count(txn)?;
    let head = known.head.max(counted.head);
    let Counters { offset, kept_from, .. } = known;
    let row = pack(&["counters"], &Counters { head, offset, kept_from, ..counted })?;
    txn.open_table(META)?.insert("counters", row.as_slice())?;
    Ok(())
}

fn count(txn: &WriteTransaction) -> Result<Counters> {
    let mut counted = Counters::default();
    for row in txn.open_table(MESSAGES)?.iter()? {
        let (seq, bytes) = row?;
        counted.head = counted.head.max(seq.value());
        // A damaged message is not counted.
        if let Ok(message) = record::decode(seq.value(), bytes.value()) {
            counted.add(message.direction, message.status);
        }
    }
    counted.head = counted.head.max(newest_place(txn)?);
    counted.named_terms =
        highest_term(txn)?.map_or(0, |PostingKey(term)| term + 1 - PostingKey::FIRST_NAMED);
    counted.in_order_to = order_tables::in_order_to(txn)?;
    count_events(txn, &mut counted)?;
    Ok(counted)
}

/// The newest `seq` in any table but that of messages, because the newest message may be deleted.
fn newest_place(txn: &WriteTransaction) -> Result<u64> {
    let mut newest = 0;
    for row in txn.open_table(FOREIGN_IDS)?.iter()? {
        let (id, row) = row?;
        let seq = SealedTable::ForeignIds.seq([id.value()], row.value());
        newest = newest.max(seq.unwrap_or(0));
    }
    for row in txn.open_table(KEYS)?.iter()? {
        let (key, row) = row?;
        newest = newest.max(key_of(key.value(), row.value()).map_or(0, |(seq, _)| seq));
    }
    for (marks, sealed) in [(SEEN, SealedTable::Seen), (SENT, SealedTable::Sent)] {
        for row in txn.open_table(marks)?.iter()? {
            let (key, row) = row?;
            newest = newest.max(sealed.seq(mark_key(key.value()), row.value()).unwrap_or(0));
        }
    }
    if let Some((offset, row)) = txn.open_table(EPOCHS)?.last()? {
        let first = epoch_of(offset.value(), row.value()).map_or(0, |(_, seq)| seq);
        newest = newest.max(first.saturating_sub(1));
    }
    Ok(newest)
}

fn highest_term(txn: &WriteTransaction) -> Result<Option<PostingKey>> {
    let mut highest = None;
    for row in txn.open_table(PLATFORMS)?.iter()? {
        highest = highest.max(Some(PostingKey(row?.1.value())));
    }
    for row in txn.open_table(CONVERSATIONS)?.iter()? {
        let (key, bytes) = row?;
        let (platform, name) = key.value();
        let row = unpack::<ConversationRow>("the conversation", &[platform, name], bytes.value());
        highest = highest.max(row.ok().map(|row| row.term));
    }
    // The row of `meta` that names it may be damaged, too.
    let in_use =
        txn.open_table(POSTINGS)?.last()?.map(|(row, _)| PostingKey((row.value() >> 32) as u32));
    Ok(highest.max(in_use.filter(|term| term.0 >= PostingKey::FIRST_NAMED)))
}

/// Restores the offsets of the newest event and of the oldest one that is kept, as far as the tables have
/// them.
fn count_events(txn: &WriteTransaction, counted: &mut Counters) -> Result<()> {
    let kept = txn.open_table(JOURNAL)?;
    counted.kept_from = kept.first()?.map_or(0, |(first, _)| first.value());
    for row in kept.iter()? {
        let (first, bytes) = row?;
        counted.offset = first.value();
        for entry in journal::decode(first.value(), bytes.value()).unwrap_or_default() {
            counted.offset = entry.offset;
            if let journal::EntryContent::Created { seq }
            | journal::EntryContent::PutBack { seq }
            | journal::EntryContent::Deleted { seq, .. } = entry.entry
            {
                counted.head = counted.head.max(seq);
            }
        }
    }
    let began = txn.open_table(EPOCHS)?.last()?.map(|(first, _)| first.value());
    let quarantined = txn.open_table(QUARANTINE)?.last()?.map(|(offset, _)| offset.value());
    counted.offset = counted.offset.max(began.unwrap_or(0)).max(quarantined.unwrap_or(0));
    Ok(())
}
