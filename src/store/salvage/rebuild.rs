//! Builds the tables that follow from the messages: the index, the terms of conversations, the counts, the
//! order of idempotency keys, and the IDs that were not made here.

use crate::log::record;
use crate::model::message::Message;
use crate::store::commit::commit;
use crate::store::conversation::ConversationRow;
use crate::store::error::Result;
use crate::store::ids::IdPermutation;
use crate::store::postings::{Places, locate};
use crate::store::sealed::SealedTable;
use crate::store::tables::{
    CONVERSATIONS, FOREIGN_IDS, KEYS, KEYS_BY_AGE, MESSAGES, META, PLATFORM_PREFIX, PLATFORMS,
    POSTINGS, PostingKey, pack, pack_places, unpack,
};
use crate::store::{order_tables, recount};
use redb::{Database, ReadableTable, WriteTransaction};
use std::collections::{BTreeMap, HashSet};

/// Builds these tables in a file that has the messages.
pub(super) fn rebuild(target: &Database, ids: IdPermutation) -> Result<()> {
    let txn = target.begin_write()?;
    let mut names = NameTables::read(&txn)?;
    let mut rows: BTreeMap<u64, Places> = BTreeMap::new();
    {
        let mut foreign = txn.open_table(FOREIGN_IDS)?;
        for row in txn.open_table(MESSAGES)?.iter()? {
            let (seq, bytes) = row?;
            let Ok(message) = record::decode(seq.value(), bytes.value()) else { continue };
            let (seq, id) = (message.seq, message.id.as_u128());
            if ids.seq(message.id) != Some(seq) {
                foreign.insert(id, SealedTable::ForeignIds.seal([id], seq))?;
            }
            let (block, place) = locate(seq);
            let [platform, conversation] = names.add(&message);
            let state = PostingKey::of_state(message.direction, message.status);
            for term in [state, platform, conversation] {
                rows.entry(term.row(block)).or_default().set(place, true);
            }
        }
        let mut postings = txn.open_table(POSTINGS)?;
        for (row, places) in rows {
            postings.insert(row, pack_places(row, &places).as_slice())?;
        }
        let mut by_age = txn.open_table(KEYS_BY_AGE)?;
        for row in txn.open_table(KEYS)?.iter()? {
            let (key, row) = row?;
            let (_, _, at) = row.value();
            by_age.insert((at, key.value()), ())?;
        }
    }
    names.write(&txn)?;
    order_tables::arrange(&txn)?;
    recount::count_again(&txn)?;
    commit(txn)
}

/// The terms of platforms and the rows of conversations.
struct NameTables {
    platforms: BTreeMap<String, PostingKey>,
    conversations: BTreeMap<(String, String), ConversationRow>,
    /// Conversations whose row was lost.
    new: HashSet<PostingKey>,
    next: u32,
}

impl NameTables {
    /// Reads the rows that were copied. The messages are counted again.
    fn read(txn: &WriteTransaction) -> Result<Self> {
        let mut platforms = BTreeMap::new();
        for row in txn.open_table(PLATFORMS)?.iter()? {
            let (name, term) = row?;
            platforms.insert(name.value().to_owned(), PostingKey(term.value()));
        }
        // The rows of `meta` have a checksum.
        for row in txn.open_table(META)?.iter()? {
            let (key, row) = row?;
            if let Some(name) = key.value().strip_prefix(PLATFORM_PREFIX)
                && let Ok(term) = unpack("", &["platform", name], row.value())
            {
                platforms.insert(name.to_owned(), term);
            }
        }
        let mut terms: HashSet<u32> = platforms.values().map(|term| term.0).collect();
        let mut conversations = BTreeMap::new();
        for (platform, name, row) in order_tables::conversations(&txn.open_table(CONVERSATIONS)?)? {
            // A conversation without a term gets a new one.
            if terms.insert(row.term.0) {
                let row = ConversationRow { messages: 0, last_seq: 0, ..row };
                conversations.insert((platform, name), row);
            }
        }
        let next = terms.into_iter().max().map_or(PostingKey::FIRST_NAMED, |highest| highest + 1);
        let next = next.max(PostingKey::FIRST_NAMED);
        Ok(Self { platforms, conversations, new: HashSet::new(), next })
    }

    /// Counts a message. Returns the terms of its platform and of its conversation.
    fn add(&mut self, message: &Message) -> [PostingKey; 2] {
        let platform = message.platform.as_deref().unwrap_or_default();
        let next = &mut self.next;
        let mut new_term = || {
            *next += 1;
            PostingKey(*next - 1)
        };
        let platform_term =
            *self.platforms.entry(platform.to_owned()).or_insert_with(&mut new_term);
        let key = (platform.to_owned(), message.recipient.clone());
        let row = self.conversations.entry(key).or_insert_with(|| {
            let row = ConversationRow::new(new_term());
            self.new.insert(row.term);
            row
        });
        row.messages += 1;
        row.last_seq = message.seq;
        row.last_at = row.last_at.max(message.created_at);
        row.see(message);
        if self.new.contains(&row.term) {
            // The read mark is lost, so all messages count as read.
            row.read(message.seq);
        }
        [platform_term, row.term]
    }

    fn write(&self, txn: &WriteTransaction) -> Result<()> {
        let mut platforms = txn.open_table(PLATFORMS)?;
        for (name, term) in &self.platforms {
            platforms.insert(&**name, term.0)?;
        }
        let mut conversations = txn.open_table(CONVERSATIONS)?;
        for ((platform, name), row) in &self.conversations {
            let bytes = pack(&[platform, name], row)?;
            conversations.insert((&**platform, &**name), bytes.as_slice())?;
        }
        Ok(())
    }
}
