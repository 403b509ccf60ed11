//! Reading: one commit, as it was, for as long as it is held.

use super::ids::Ids;
use super::journal::{self, JournalEntry};
use super::keys::sent_keys;
use super::postings::Places;
use super::tables::{
    CONVERSATIONS, ConversationRow, Counters, EPOCHS, FOREIGN_IDS, JOURNAL, MESSAGES, META,
    PLATFORMS, POSTINGS, SENT, Term, unpack,
};
use super::{Error, Head, Result, record};
use crate::model::cursor::{Cursor, Epoch};
use crate::model::message::{Message, Status};
use redb::{ReadOnlyTable, ReadTransaction, ReadableTable};
use serde::{Deserialize, Serialize};
use std::path::Path;
use uuid::Uuid;

/// How many messages are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub struct Stats {
    pub pending: u64,
    pub sending: u64,
    pub sent: u64,
    pub failed: u64,
    pub canceled: u64,
    pub total: u64,
}

/// A conversation that messages were stored for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Conversation {
    #[allow(missing_docs)]
    pub platform: String,
    #[allow(missing_docs)]
    pub conversation: String,
    /// Its name for people, where the platform told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The account of ours that saw it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The `seq` of its newest message.
    pub last_seq: u64,
    /// Unix seconds of its newest message.
    pub last_at: u64,
}

/// One commit of the store.
pub struct View {
    ids: Ids,
    counters: Counters,
    messages: ReadOnlyTable<u64, &'static [u8]>,
    foreign_ids: ReadOnlyTable<u128, u64>,
    pub(super) postings: ReadOnlyTable<u64, &'static [u8]>,
    pub(super) platforms: ReadOnlyTable<&'static str, u32>,
    pub(super) conversations: ReadOnlyTable<(&'static str, &'static str), &'static [u8]>,
    sent: ReadOnlyTable<(u64, u128), u64>,
    journal: ReadOnlyTable<u64, &'static [u8]>,
    epochs: ReadOnlyTable<u64, (u64, u64)>,
    /// The epoch of the newest event.
    epoch: Epoch,
    /// Where the tables are that only a copy needs.
    txn: ReadTransaction,
}

impl View {
    pub(super) fn new(txn: ReadTransaction, ids: Ids) -> Result<Self> {
        let meta = txn.open_table(META)?;
        let counters = match meta.get("counters")? {
            Some(bytes) => unpack("counters", bytes.value())?,
            None => Counters::default(),
        };
        let epochs = txn.open_table(EPOCHS)?;
        let newest = epochs.last()?.map(|(_, row)| Epoch::new(row.value().0));
        Ok(Self {
            ids,
            counters,
            journal: txn.open_table(JOURNAL)?,
            epochs,
            epoch: newest.unwrap_or_default(),
            messages: txn.open_table(MESSAGES)?,
            foreign_ids: txn.open_table(FOREIGN_IDS)?,
            postings: txn.open_table(POSTINGS)?,
            platforms: txn.open_table(PLATFORMS)?,
            conversations: txn.open_table(CONVERSATIONS)?,
            sent: txn.open_table(SENT)?,
            txn,
        })
    }

    /// The `seq` of the newest message ever made.
    pub fn head(&self) -> u64 {
        self.counters.head
    }

    /// The epoch and the offset of the newest event.
    pub fn cursor(&self) -> Cursor {
        Cursor { epoch: self.epoch, offset: self.counters.offset }
    }

    /// Where this commit stands.
    pub fn position(&self) -> Head {
        Head { seq: self.head(), cursor: self.cursor() }
    }

    /// The offset that a cursor stands for; `None` where it cannot be gone on from: it is of another
    /// life of the store, lies beyond the newest event, or events after it are no longer kept.
    pub fn offset_of(&self, cursor: Cursor) -> Result<Option<u64>> {
        let Cursor { epoch, offset } = cursor;
        if offset > self.counters.offset || offset + 1 < self.counters.kept_from {
            return Ok(None);
        }
        Ok((self.cursor_at(offset)?.epoch == epoch).then_some(offset))
    }

    /// The cursor of an event: its offset, and the epoch in which it was written.
    pub fn cursor_at(&self, offset: u64) -> Result<Cursor> {
        let row = self.epochs.range(..=offset)?.next_back().transpose()?;
        let epoch = row.map(|(_, row)| Epoch::new(row.value().0)).unwrap_or_default();
        Ok(Cursor { epoch, offset })
    }

    /// Kept events after an offset, the oldest first, at most `limit`; `None` where events after it
    /// are no longer kept. Offsets have gaps: not every event is one that clients are told of.
    pub fn journal(&self, after: u64, limit: usize) -> Result<Option<Vec<JournalEntry>>> {
        if after.saturating_add(1) < self.counters.kept_from {
            return Ok(None);
        }
        let mut found = Vec::new();
        // The commit that holds it may have begun before.
        let before = self.journal.range(..=after)?.next_back().transpose()?;
        let first = before.map_or(0, |(first, _)| first.value());
        for row in self.journal.range(first..)? {
            let (first, bytes) = row?;
            let entries = journal::decode(first.value(), bytes.value())?;
            found.extend(entries.into_iter().filter(|entry| entry.offset > after));
            if found.len() >= limit {
                found.truncate(limit);
                break;
            }
        }
        Ok(Some(found))
    }

    /// The counts, as they were kept.
    pub fn stats(&self) -> Stats {
        let count = |status| self.counters.with_status(status);
        Stats {
            pending: count(Status::Pending),
            sending: count(Status::Sending),
            sent: count(Status::Sent),
            failed: count(Status::Failed),
            canceled: count(Status::Canceled),
            total: self.counters.by_state.iter().sum(),
        }
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The message with this ID.
    pub fn by_id(&self, id: Uuid) -> Result<Option<Message>> {
        let own = self.ids.seq(id).map_or(Ok(None), |seq| self.by_seq(seq))?;
        if own.as_ref().is_some_and(|message| message.id == id) {
            return Ok(own);
        }
        self.foreign_place(id)?.map_or(Ok(None), |seq| self.by_seq(seq))
    }

    /// Where an ID stands in the journal, whether its message still exists or was deleted.
    pub fn seq_of(&self, id: Uuid) -> Result<Option<u64>> {
        if let Some(seq) = self.foreign_place(id)? {
            return Ok(Some(seq));
        }
        Ok(self.ids.seq(id).filter(|seq| (1..=self.head()).contains(seq)))
    }

    /// The place of a message whose ID does not lead there: it was made elsewhere, or its own place
    /// was taken when it was imported.
    fn foreign_place(&self, id: Uuid) -> Result<Option<u64>> {
        Ok(self.foreign_ids.get(id.as_u128())?.map(|seq| seq.value()))
    }

    /// The message at this place of the journal.
    pub fn by_seq(&self, seq: u64) -> Result<Option<Message>> {
        let bytes = self.messages.get(seq)?;
        bytes.map(|bytes| Ok(record::decode(seq, bytes.value())?)).transpose()
    }

    /// Messages after a place of the journal, oldest first.
    pub fn after(&self, seq: u64) -> Result<impl Iterator<Item = Result<Message>> + use<>> {
        self.between(seq.saturating_add(1), u64::MAX)
    }

    /// Messages from one place of the journal to another, oldest first.
    pub(super) fn between(
        &self,
        first: u64,
        last: u64,
    ) -> Result<impl DoubleEndedIterator<Item = Result<Message>> + use<>> {
        let rows = self.messages.range(first..=last)?;
        Ok(rows.map(|row| {
            let (seq, bytes) = row?;
            Ok(record::decode(seq.value(), bytes.value())?)
        }))
    }

    /// Writes a copy of everything into a new file, which is a store of its own.
    pub fn copy_to(&self, path: &Path) -> Result<()> {
        super::copy::copy(&self.txn, path)
    }

    /// Messages before a place of the journal, newest first.
    pub fn before(&self, seq: u64) -> Result<impl Iterator<Item = Result<Message>> + use<>> {
        Ok(self.between(0, seq.saturating_sub(1))?.rev())
    }

    /// The message that was sent under this ID of its platform, around a time.
    pub fn sent_as(
        &self,
        platform: &str,
        conversation: &str,
        external_id: &str,
        at: u64,
    ) -> Result<Option<u64>> {
        for key in sent_keys(platform, conversation, external_id, at) {
            if let Some(seq) = self.sent.get(key)? {
                return Ok(Some(seq.value()));
            }
        }
        Ok(None)
    }

    /// The platforms on which an account of ours has seen a conversation, the latest first.
    pub fn platforms_of(&self, conversation: &str) -> Result<Vec<Conversation>> {
        let mut known = Vec::new();
        for entry in self.platforms.iter()? {
            let platform = entry?.0;
            let row = self.conversation_row(platform.value(), conversation)?;
            known.extend(
                row.filter(|row| row.account.is_some())
                    .map(|row| row.shown(platform.value(), conversation)),
            );
        }
        known.sort_by_key(|conversation| std::cmp::Reverse(conversation.last_seq));
        Ok(known)
    }

    /// What is known of a conversation.
    pub fn conversation(&self, platform: &str, conversation: &str) -> Result<Option<Conversation>> {
        let row = self.conversation_row(platform, conversation)?;
        Ok(row.map(|row| row.shown(platform, conversation)))
    }

    /// Every conversation, the one with the newest message first.
    pub fn conversations(&self) -> Result<Vec<Conversation>> {
        let mut all = Vec::new();
        for entry in self.conversations.iter()? {
            let (key, bytes) = entry?;
            let (platform, conversation) = key.value();
            let row: ConversationRow = unpack("a conversation", bytes.value())?;
            // A row whose messages have all moved to the platform that was found says nothing.
            if !platform.is_empty() || self.has_any(row.term)? {
                all.push(row.shown(platform, conversation));
            }
        }
        all.sort_by_key(|c| std::cmp::Reverse(c.last_seq));
        Ok(all)
    }

    pub(super) fn conversation_row(
        &self,
        platform: &str,
        name: &str,
    ) -> Result<Option<ConversationRow>> {
        let bytes = self.conversations.get((platform, name))?;
        bytes.map(|bytes| Ok(unpack("a conversation", bytes.value())?)).transpose()
    }

    fn has_any(&self, term: Term) -> Result<bool> {
        Ok(self.postings.range(term.row(0)..=term.row(u32::MAX))?.next().transpose()?.is_some())
    }

    /// The places of a term in a block.
    pub(super) fn places(&self, term: Term, block: u32) -> Result<Option<Places>> {
        let Some(bytes) = self.postings.get(term.row(block))? else { return Ok(None) };
        let damaged = || Error::Read(format!("the index row of term {} is damaged", term.0));
        Places::decode(bytes.value()).ok_or_else(damaged).map(Some)
    }
}

impl ConversationRow {
    fn shown(self, platform: &str, conversation: &str) -> Conversation {
        let platform = if platform.is_empty() { crate::model::message::LOCAL } else { platform };
        Conversation {
            platform: platform.to_owned(),
            conversation: conversation.to_owned(),
            name: self.name,
            account: self.account,
            last_seq: self.last_seq,
            last_at: self.last_at,
        }
    }
}
