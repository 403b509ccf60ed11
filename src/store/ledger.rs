//! The one place that writes tables: applies changes inside a write transaction.

use super::ids::Ids;
use super::journal::{self, Entry};
use super::keys::{Idempotency, seen_key, sent_keys};
use super::postings::{Places, locate};
use super::tables::{
    CONVERSATIONS, ConversationRow, Counters, EPOCHS, FOREIGN_IDS, JOURNAL, KEYS, KEYS_BY_AGE,
    MESSAGES, META, PLATFORMS, POSTINGS, SEEN, SENT, Term, newest_batch, pack, unpack,
};
use super::{Error, Result, record};
use crate::clock::now;
use crate::model::change::{Change, Effect, Inbound};
use crate::model::cursor::Epoch;
use crate::model::message::{Direction, Message, Status};
use redb::{ReadableTable, Table, WriteTransaction};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// How long an `Idempotency-Key` is remembered, in seconds.
const KEY_LIFE: u64 = 24 * 60 * 60;

/// Keys that lapsed are forgotten a few at a time, with each new one.
const KEYS_FORGOTTEN_AT_ONCE: usize = 8;

type ConversationKey = (String, String);

/// The tables of one write transaction. Rows that many changes of a batch touch (sets, counters,
/// conversations) are kept here and written once, by [`Ledger::finish`].
pub(super) struct Ledger<'txn> {
    ids: Ids,
    messages: Table<'txn, u64, &'static [u8]>,
    foreign_ids: Table<'txn, u128, u64>,
    postings: Table<'txn, u64, &'static [u8]>,
    platforms: Table<'txn, &'static str, u32>,
    conversations: Table<'txn, (&'static str, &'static str), &'static [u8]>,
    keys: Table<'txn, u128, (u64, u128, u64)>,
    keys_by_age: Table<'txn, (u64, u128), ()>,
    seen: Table<'txn, (u64, u128), u64>,
    sent: Table<'txn, (u64, u128), u64>,
    meta: Table<'txn, &'static str, &'static [u8]>,
    journal: Table<'txn, u64, &'static [u8]>,
    epochs: Table<'txn, u64, (u64, u64)>,
    /// What the journal is to keep of this batch.
    kept: Vec<(u64, Entry)>,
    epoch: Epoch,
    /// Whether an event of this epoch was written before.
    is_opened: bool,
    counters: Counters,
    /// The number of the newest batch that changed something.
    batch: u64,
    touched_rows: BTreeMap<u64, Places>,
    touched_conversations: BTreeMap<ConversationKey, ConversationRow>,
    platform_terms: HashMap<String, Term>,
}

impl<'txn> Ledger<'txn> {
    pub(super) fn open(txn: &'txn WriteTransaction, ids: Ids, epoch: Epoch) -> Result<Self> {
        let meta = txn.open_table(META)?;
        let counters = match meta.get("counters")? {
            Some(bytes) => unpack("counters", bytes.value())?,
            None => Counters::default(),
        };
        let batch = newest_batch(&meta)?;
        let epochs = txn.open_table(EPOCHS)?;
        let newest = epochs.last()?.map(|(_, row)| Epoch::new(row.value().0));
        Ok(Self {
            journal: txn.open_table(JOURNAL)?,
            epochs,
            kept: Vec::new(),
            epoch,
            is_opened: newest == Some(epoch),
            ids,
            messages: txn.open_table(MESSAGES)?,
            foreign_ids: txn.open_table(FOREIGN_IDS)?,
            postings: txn.open_table(POSTINGS)?,
            platforms: txn.open_table(PLATFORMS)?,
            conversations: txn.open_table(CONVERSATIONS)?,
            keys: txn.open_table(KEYS)?,
            keys_by_age: txn.open_table(KEYS_BY_AGE)?,
            seen: txn.open_table(SEEN)?,
            sent: txn.open_table(SENT)?,
            meta,
            counters,
            batch,
            touched_rows: BTreeMap::new(),
            touched_conversations: BTreeMap::new(),
            platform_terms: HashMap::new(),
        })
    }

    /// The `seq` and the ID of the next message.
    pub(super) fn next(&self) -> (u64, Uuid) {
        let seq = self.counters.head + 1;
        (seq, self.ids.id(seq))
    }

    /// The number of the newest batch that changed something.
    pub(super) fn batch(&self) -> u64 {
        self.batch
    }

    /// The message as this transaction has it.
    pub(super) fn by_id(&self, id: Uuid) -> Result<Option<Message>> {
        let own = self.ids.seq(id).map_or(Ok(None), |seq| self.by_seq(seq))?;
        if own.as_ref().is_some_and(|message| message.id == id) {
            return Ok(own);
        }
        let seq = self.foreign_ids.get(id.as_u128())?.map(|seq| seq.value());
        seq.map_or(Ok(None), |seq| self.by_seq(seq))
    }

    /// The message as this transaction has it.
    pub(super) fn by_seq(&self, seq: u64) -> Result<Option<Message>> {
        let record = self.messages.get(seq)?;
        record.map(|bytes| Ok(record::decode(seq, bytes.value())?)).transpose()
    }

    /// The `seq` an idempotency key stands for and whether its body was the same one.
    pub(super) fn known_key(&self, key: &Idempotency, now: u64) -> Result<Option<(u64, bool)>> {
        let Some(row) = self.keys.get(key.key)? else { return Ok(None) };
        let (seq, body, at) = row.value();
        Ok((now.saturating_sub(at) < KEY_LIFE).then_some((seq, body == key.body)))
    }

    /// Remembers which message an idempotency key made.
    pub(super) fn remember_key(&mut self, key: &Idempotency, seq: u64, now: u64) -> Result<()> {
        if let Some(old) = self.keys.insert(key.key, (seq, key.body, now))? {
            let (_, _, at) = old.value();
            self.keys_by_age.remove((at, key.key))?;
        }
        self.keys_by_age.insert((now, key.key), ())?;
        for _ in 0..KEYS_FORGOTTEN_AT_ONCE {
            let oldest = self.keys_by_age.first()?.map(|(age, _)| age.value());
            let Some((at, lapsed)) = oldest else { break };
            if now.saturating_sub(at) < KEY_LIFE {
                break;
            }
            self.keys_by_age.remove((at, lapsed))?;
            self.keys.remove(lapsed)?;
        }
        Ok(())
    }

    /// The message that a platform told of before: by the same event, or as the echo of one that
    /// we sent.
    pub(super) fn known(&self, received: &Inbound) -> Result<Option<u64>> {
        if let Some(seq) = self.seen.get(seen_key(received))? {
            return Ok(Some(seq.value()));
        }
        if !received.own {
            return Ok(None);
        }
        let Inbound { platform, conversation, external_id, time, .. } = received;
        for key in sent_keys(platform, conversation, external_id, *time) {
            if let Some(seq) = self.sent.get(key)? {
                return Ok(Some(seq.value()));
            }
        }
        self.echoed(received)
    }

    /// The oldest message in its conversation that is being sent, or may have been, and says the same.
    fn echoed(&self, received: &Inbound) -> Result<Option<u64>> {
        let Some(row) = self.known_conversation(&received.platform, &received.conversation)? else {
            return Ok(None);
        };
        for status in [Status::Sending, Status::Pending] {
            let state = Term::of_state(Direction::Outbound, status);
            for block in self.blocks(state)? {
                let mut places = self.places(state, block)?;
                places.meet(&self.places(row.term, block)?);
                for place in places.ascending() {
                    let seq = super::postings::start_of(block) + u64::from(place);
                    if self.by_seq(seq)?.is_some_and(|message| received.echoes(&message)) {
                        return Ok(Some(seq));
                    }
                }
            }
        }
        Ok(None)
    }

    /// The blocks that may have messages of a term, with what this batch has changed.
    fn blocks(&self, term: Term) -> Result<BTreeSet<u32>> {
        let rows = term.row(0)..=term.row(u32::MAX);
        let touched = self.touched_rows.range(rows.clone()).map(|(row, _)| Ok(*row as u32));
        let known = self.postings.range(rows)?.map(|entry| Ok(entry?.0.value() as u32));
        touched.chain(known).collect()
    }

    /// The places of a term in a block, with what this batch has changed.
    fn places(&self, term: Term, block: u32) -> Result<Places> {
        let row = term.row(block);
        if let Some(places) = self.touched_rows.get(&row) {
            return Ok(places.clone());
        }
        match self.postings.get(row)? {
            Some(bytes) => Places::decode(bytes.value())
                .ok_or_else(|| Error::Read(format!("the index row {row:#x} is damaged"))),
            None => Ok(Places::default()),
        }
    }

    /// Remembers an event, so that it is not taken for another message when it comes again.
    pub(super) fn remember_received(&mut self, received: &Inbound, seq: u64) -> Result<()> {
        self.seen.insert(seen_key(received), seq)?;
        Ok(())
    }

    /// Remembers the platform's ID of a message that was sent, to know its echo.
    pub(super) fn remember_sent(&mut self, message: &Message) -> Result<()> {
        if let (Some(platform), Some(id)) = (&message.platform, &message.external_id) {
            let [_, key, _] = sent_keys(platform, &message.recipient, id, message.updated_at);
            self.sent.insert(key, message.seq)?;
        }
        Ok(())
    }

    /// The place in the journal that an ID of this store carries.
    pub(super) fn own_place(&self, id: Uuid) -> Option<u64> {
        self.ids.seq(id)
    }

    /// Remembers what a platform told of an imported message, so that it is no double later.
    pub(super) fn remember_imported(&mut self, message: &Message) -> Result<()> {
        match (message.direction, Inbound::of(message)) {
            (Direction::Inbound, Some(received)) => self.remember_received(&received, message.seq),
            (Direction::Outbound, _) if message.status == Status::Sent => {
                self.remember_sent(message)
            }
            _ => Ok(()),
        }
    }

    /// Notes a conversation's name; whether that changed it. Without messages it is not noted.
    pub(super) fn name_conversation(
        &mut self,
        platform: &str,
        name: &str,
        shown: &str,
    ) -> Result<bool> {
        let Some(known) = self.known_conversation(platform, name)? else { return Ok(false) };
        if known.name.as_deref() == Some(shown) {
            return Ok(false);
        }
        self.conversation(platform, name)?.name = Some(shown.to_owned());
        Ok(true)
    }

    /// Applies one effect, and gives it its offset.
    pub(super) fn apply(&mut self, effect: Effect) -> Result<Change> {
        match &effect {
            Effect::Created(message) => self.create(message)?,
            Effect::StatusChanged(message) | Effect::Updated(message) => self.update(message)?,
            Effect::Deleted(message) => self.delete(message)?,
            Effect::ConversationChanged { .. } => {}
        }
        let offset = self.next_offset()?;
        self.kept.push((offset, Entry::of(&effect)));
        Ok(Change { offset, effect })
    }

    /// The offset of the next event; the first one of an epoch is that it began.
    fn next_offset(&mut self) -> Result<u64> {
        if !self.is_opened {
            self.is_opened = true;
            self.counters.offset += 1;
            let first_seq = self.counters.head + 1;
            self.epochs.insert(self.counters.offset, (self.epoch.number(), first_seq))?;
        }
        self.counters.offset += 1;
        Ok(self.counters.offset)
    }

    fn create(&mut self, message: &Message) -> Result<()> {
        self.counters.head = self.counters.head.max(message.seq);
        self.counters.add(message);
        if self.ids.seq(message.id) != Some(message.seq) {
            self.foreign_ids.insert(message.id.as_u128(), message.seq)?;
        }
        self.put(message)?;
        self.see_conversation(message)?;
        for term in self.terms(message)? {
            self.post(term, message.seq, true)?;
        }
        Ok(())
    }

    fn update(&mut self, message: &Message) -> Result<()> {
        let Some(before) = self.by_seq(message.seq)? else {
            return Err(Error::Write(format!("message {} is gone", message.id)));
        };
        self.counters.remove(&before);
        self.counters.add(message);
        self.put(message)?;
        if before.platform != message.platform || before.account != message.account {
            self.see_conversation(message)?;
        }
        let (old, new) = (self.terms(&before)?, self.terms(message)?);
        for (old, new) in old.into_iter().zip(new) {
            if old != new {
                self.post(old, message.seq, false)?;
                self.post(new, message.seq, true)?;
            }
        }
        Ok(())
    }

    fn delete(&mut self, message: &Message) -> Result<()> {
        self.counters.remove(message);
        self.messages.remove(message.seq)?;
        if self.ids.seq(message.id) != Some(message.seq) {
            self.foreign_ids.remove(message.id.as_u128())?;
        }
        for term in self.terms(message)? {
            self.post(term, message.seq, false)?;
        }
        Ok(())
    }

    fn put(&mut self, message: &Message) -> Result<()> {
        self.messages.insert(message.seq, record::encode(message)?.as_slice())?;
        Ok(())
    }

    /// The three terms of a message: its state, its platform, its conversation.
    fn terms(&mut self, message: &Message) -> Result<[Term; 3]> {
        let platform = message.platform.as_deref().unwrap_or_default();
        Ok([
            Term::of_state(message.direction, message.status),
            self.platform_term(platform)?,
            self.conversation(platform, &message.recipient)?.term,
        ])
    }

    fn post(&mut self, term: Term, seq: u64, on: bool) -> Result<()> {
        let (block, place) = locate(seq);
        let row = term.row(block);
        if let Some(places) = self.touched_rows.get_mut(&row) {
            places.set(place, on);
            return Ok(());
        }
        let mut places = self.places(term, block)?;
        places.set(place, on);
        self.touched_rows.insert(row, places);
        Ok(())
    }

    fn platform_term(&mut self, platform: &str) -> Result<Term> {
        if let Some(&term) = self.platform_terms.get(platform) {
            return Ok(term);
        }
        let known = self.platforms.get(platform)?.map(|term| Term(term.value()));
        let term = if let Some(term) = known {
            term
        } else {
            let term = self.counters.new_term();
            self.platforms.insert(platform, term.0)?;
            term
        };
        self.platform_terms.insert(platform.to_owned(), term);
        Ok(term)
    }

    /// The conversation's row, with what this batch has changed.
    fn known_conversation(&self, platform: &str, name: &str) -> Result<Option<ConversationRow>> {
        let key = (platform.to_owned(), name.to_owned());
        if let Some(row) = self.touched_conversations.get(&key) {
            return Ok(Some(row.clone()));
        }
        let bytes = self.conversations.get((platform, name))?;
        bytes.map(|bytes| Ok(unpack("a conversation", bytes.value())?)).transpose()
    }

    /// The conversation's row, made where there is none; changes of it are written at the end.
    fn conversation(&mut self, platform: &str, name: &str) -> Result<&mut ConversationRow> {
        let key = (platform.to_owned(), name.to_owned());
        if !self.touched_conversations.contains_key(&key) {
            let known = self.known_conversation(platform, name)?;
            let row = known.unwrap_or_else(|| ConversationRow {
                term: self.counters.new_term(),
                last_seq: 0,
                last_at: 0,
                name: None,
                account: None,
            });
            self.touched_conversations.insert(key.clone(), row);
        }
        self.touched_conversations.get_mut(&key).ok_or(Error::Absent)
    }

    /// Notes in the conversation's row what a message tells of it.
    fn see_conversation(&mut self, message: &Message) -> Result<()> {
        let platform = message.platform.as_deref().unwrap_or_default();
        let row = self.conversation(platform, &message.recipient)?;
        if message.seq >= row.last_seq {
            row.last_seq = message.seq;
            row.last_at = row.last_at.max(message.created_at);
        }
        if message.conversation_name.is_some() {
            row.name.clone_from(&message.conversation_name);
        }
        if message.account.is_some() && message.status == Status::Sent {
            row.account.clone_from(&message.account);
        }
        Ok(())
    }

    /// Writes what was kept, so that the transaction can be committed; gives the batch's number,
    /// or `None` where nothing was changed at all.
    pub(super) fn finish(mut self) -> Result<Option<u64>> {
        let is_touched = !self.touched_rows.is_empty()
            || !self.touched_conversations.is_empty()
            || !self.kept.is_empty();
        if !is_touched && self.meta.get("counters")?.is_some() {
            return Ok(None);
        }
        for (row, places) in &self.touched_rows {
            if places.is_empty() {
                self.postings.remove(row)?;
            } else {
                self.postings.insert(row, places.encode().as_slice())?;
            }
        }
        for ((platform, name), row) in &self.touched_conversations {
            self.conversations.insert((platform.as_str(), name.as_str()), pack(row)?.as_slice())?;
        }
        if let Some((first, _)) = self.kept.first() {
            let row = journal::encode(*first, now(), self.kept.iter().cloned())?;
            self.journal.insert(*first, row.as_slice())?;
        }
        self.meta.insert("counters", pack(&self.counters)?.as_slice())?;
        let batch = self.batch + 1;
        self.meta.insert("batch", batch.to_le_bytes().as_slice())?;
        Ok(Some(batch))
    }
}
