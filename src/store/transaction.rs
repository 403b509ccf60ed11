//! The tables inside a write transaction: what `decide` reads, and the rows that events touch.
//!
//! Rows that many events of a batch touch (sets, counters, conversations) are kept here and written
//! once. [`Transaction::load`] reads every row that applying an event will touch, so that a damaged
//! one refuses the command that meets it, before anything was changed.

use super::conversation::ConversationRow;
use super::damage::pass_over;
use super::error::{Error, Result};
use super::ids::{Ids, Tag};
use super::journal::{self, Entry};
use super::keys::{Idempotency, KEY_LIFE, alias_key, history_key, seen_keys, sent_keys};
use super::postings::{Places, locate, start_of};
use super::state::{Marks, State};
use super::tables::{
    self, ADAPTER_STATE, CONVERSATIONS, Counters, EPOCHS, FOREIGN_IDS, JOURNAL, KEYS, KEYS_BY_AGE,
    LATE, MESSAGES, META, NEWEST, PLATFORMS, POSTINGS, QUARANTINE, REQUESTS, SEEN, SENT, TOLD,
    Term, unpack, unpack_places,
};
use crate::log::record;
use crate::model::change::Inbound;
use crate::model::cursor::Epoch;
use crate::model::event::{Bounds, Event};
use crate::model::message::{Direction, Message, Status};
use crate::model::notice::{Notice, Request};
use crate::model::routing::SeenPlatform;
use foldhash::fast::RandomState;
use redb::{ReadableTable, ReadableTableMetadata, Table, WriteTransaction};
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// Messages of a conversation, the newest, among which the one is looked for that an answer, a recall,
/// an edit or a reaction is about.
const MAX_LOOKED_AT: usize = 5_000;

/// Marks, kept commits and conversations that are forgotten together, at most.
const FORGOTTEN_AT_ONCE: usize = 2_000;

/// Epochs that are remembered beyond those of kept events: by them the IDs of deleted messages are
/// known.
const MAX_EPOCHS: u64 = 4_096;

/// The newest requests with which one that comes in is compared.
const REQUESTS_COMPARED: usize = 1_000;

/// Context of a store's transactions.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) ids: Ids,
    pub(super) epoch: Epoch,
    /// The tag of new IDs.
    pub(super) tag: Tag,
    /// The owner of claims.
    pub(super) owner: String,
    pub(super) journal_seconds: u64,
    pub(super) journal_events: u64,
    pub(super) hides_recalled: bool,
}

/// A row as it is to be; written at the end where it is `dirty`.
#[derive(Default)]
pub(super) struct Row<T> {
    pub(super) value: T,
    pub(super) dirty: bool,
}

/// A conversation's row as it is to be; written at the end where it is `dirty`.
#[derive(Default)]
pub(super) struct KnownConversation {
    pub(super) row: Option<ConversationRow>,
    /// The place under which the tables list it.
    pub(super) listed_at: Option<u64>,
    pub(super) dirty: bool,
}

/// The tables of one write transaction.
pub(super) struct Transaction<'txn> {
    pub(super) context: Context,
    /// Unix seconds of this commit.
    pub(super) at: u64,
    pub(super) messages: Table<'txn, u64, &'static [u8]>,
    pub(super) foreign_ids: Table<'txn, u128, u64>,
    pub(super) postings: Table<'txn, u64, &'static [u8]>,
    pub(super) platforms: Table<'txn, &'static str, u32>,
    pub(super) conversations: Table<'txn, (&'static str, &'static str), &'static [u8]>,
    pub(super) newest: Table<'txn, (&'static str, u64), &'static str>,
    pub(super) late: Table<'txn, (u32, u64, u64), ()>,
    pub(super) keys: Table<'txn, u128, (u64, u128, u64)>,
    pub(super) keys_by_age: Table<'txn, (u64, u128), ()>,
    pub(super) seen: Table<'txn, (u64, u128), u64>,
    pub(super) sent: Table<'txn, (u64, u128), u64>,
    pub(super) meta: Table<'txn, &'static str, &'static [u8]>,
    pub(super) journal: Table<'txn, u64, &'static [u8]>,
    pub(super) epochs: Table<'txn, u64, (u64, u64)>,
    pub(super) quarantine: Table<'txn, u64, &'static [u8]>,
    pub(super) requests: Table<'txn, u64, &'static [u8]>,
    pub(super) adapter_state: Table<'txn, (&'static str, &'static str), &'static [u8]>,
    pub(super) told: Table<'txn, u64, &'static [u8]>,
    pub(super) counters: Counters,
    /// The epoch of the newest event.
    pub(super) newest_epoch: Epoch,
    /// Entries of this commit for the journal.
    pub(super) kept: Vec<(u64, Entry)>,
    /// Messages as the table has them, each decoded once.
    pub(super) decoded: RefCell<HashMap<u64, Message, RandomState>>,
    pub(super) rows: BTreeMap<u64, Row<Places>>,
    /// By platform and conversation.
    pub(super) known_conversations: BTreeMap<String, BTreeMap<String, KnownConversation>>,
    pub(super) platform_terms: HashMap<String, Option<Term>, RandomState>,
    /// By which each message without a platform is routed, read once.
    pub(super) seen_platforms: OnceCell<Vec<SeenPlatform>>,
    pub(super) named_platforms: OnceCell<Vec<String>>,
}

impl<'txn> Transaction<'txn> {
    /// Opens the tables, making those that are not there, for a commit at a time in Unix seconds.
    pub(super) fn open(txn: &'txn WriteTransaction, context: &Context, at: u64) -> Result<Self> {
        let meta = txn.open_table(META)?;
        let counters = tables::counters(&meta)?;
        let epochs = txn.open_table(EPOCHS)?;
        let newest = epochs.last()?.map(|(_, row)| Epoch::new(row.value().0));
        Ok(Self {
            context: context.clone(),
            at,
            messages: txn.open_table(MESSAGES)?,
            foreign_ids: txn.open_table(FOREIGN_IDS)?,
            postings: txn.open_table(POSTINGS)?,
            platforms: txn.open_table(PLATFORMS)?,
            conversations: txn.open_table(CONVERSATIONS)?,
            newest: txn.open_table(NEWEST)?,
            late: txn.open_table(LATE)?,
            keys: txn.open_table(KEYS)?,
            keys_by_age: txn.open_table(KEYS_BY_AGE)?,
            seen: txn.open_table(SEEN)?,
            sent: txn.open_table(SENT)?,
            meta,
            journal: txn.open_table(JOURNAL)?,
            epochs,
            quarantine: txn.open_table(QUARANTINE)?,
            requests: txn.open_table(REQUESTS)?,
            adapter_state: txn.open_table(ADAPTER_STATE)?,
            told: txn.open_table(TOLD)?,
            counters,
            newest_epoch: newest.unwrap_or_default(),
            kept: Vec::new(),
            decoded: RefCell::default(),
            rows: BTreeMap::new(),
            known_conversations: BTreeMap::new(),
            platform_terms: HashMap::default(),
            seen_platforms: OnceCell::new(),
            named_platforms: OnceCell::new(),
        })
    }

    /// The offset of the next event.
    pub(super) fn next_offset(&self) -> u64 {
        self.counters.offset + 1
    }

    /// Reads every row that applying an event will touch; fails, with the row named, where one of
    /// them is damaged or not what the event speaks of.
    pub(super) fn load(&mut self, event: &Event) -> Result<()> {
        match event {
            Event::Created { message, .. } => {
                // Beyond the head there is none.
                let is_old = message.seq <= self.counters.head;
                if is_old && self.messages.get(message.seq)?.is_some() {
                    return Err(Error::Damaged(format!(
                        "message {} is there already",
                        message.seq
                    )));
                }
                self.load_terms(message, message.status, message.platform.as_deref())
            }
            Event::Changed { seq, state, .. } => {
                let before = self.there(*seq)?;
                self.load_terms(&before, before.status, before.platform.as_deref())?;
                self.load_terms(&before, state.status, state.platform.as_deref())
            }
            Event::Routed { seq, platform, conversation, .. } => {
                let before = self.there(*seq)?;
                self.load_terms(&before, before.status, before.platform.as_deref())?;
                let after = Message { recipient: conversation.clone(), ..before };
                self.load_terms(&after, after.status, Some(platform))
            }
            Event::PlatformSeen { .. } => tables::seen_platforms(&self.meta).map(drop),
            Event::ContentSet { seq, .. }
            | Event::ReplyFound { seq, .. }
            | Event::Recalled { seq, .. }
            | Event::Reacted { seq, .. }
            | Event::Deleted { seq } => {
                let before = self.there(*seq)?;
                self.load_terms(&before, before.status, before.platform.as_deref())
            }
            Event::ConversationNamed { platform, conversation, .. }
            | Event::ConversationRead { platform, conversation, .. }
            | Event::ConversationSet { platform, conversation, .. } => {
                match self.load_conversation(platform, conversation)? {
                    Some(_) => Ok(()),
                    None => Err(Error::Damaged(format!(
                        "the conversation {platform}/{conversation} is gone"
                    ))),
                }
            }
            Event::Forgotten(bounds) => {
                for (platform, name) in &bounds.conversations {
                    self.load_conversation(platform, name)?;
                }
                Ok(())
            }
            Event::Opened { .. }
            | Event::Recognized { .. }
            | Event::AdapterState(_)
            | Event::Told(_)
            | Event::SetAside { .. }
            | Event::Released { .. }
            | Event::Noticed { .. } => Ok(()),
            Event::RequestAnswered { id, .. } => self.request(*id).map(drop),
        }
    }

    fn there(&self, seq: u64) -> Result<Message> {
        self.by_seq(seq)?.ok_or_else(|| Error::Damaged(format!("message {seq} is gone")))
    }

    /// Loads the sets that a message is in with this status and platform, and what is known of its
    /// conversation there.
    fn load_terms(
        &mut self,
        message: &Message,
        status: Status,
        platform: Option<&str>,
    ) -> Result<()> {
        let platform = platform.unwrap_or_default();
        let known = [
            Some(Term::MENTIONS),
            Some(Term::LATE),
            Some(Term::of_state(message.direction, status)),
            self.load_platform(platform)?,
            self.load_conversation(platform, &message.recipient)?,
        ];
        let (block, _) = locate(message.seq);
        for term in known.into_iter().flatten() {
            let row = term.row(block);
            if !self.rows.contains_key(&row) {
                let value = self.places(row)?;
                self.rows.insert(row, Row { value, dirty: false });
            }
        }
        Ok(())
    }

    fn load_platform(&mut self, platform: &str) -> Result<Option<Term>> {
        if let Some(term) = self.platform_terms.get(platform) {
            return Ok(*term);
        }
        let known = self.platforms.get(platform)?.map(|term| Term(term.value()));
        self.platform_terms.insert(platform.to_owned(), known);
        Ok(known)
    }

    fn load_conversation(&mut self, platform: &str, name: &str) -> Result<Option<Term>> {
        if let Some(known) = self.known_conversation(platform, name) {
            return Ok(known.row.as_ref().map(|row| row.term));
        }
        let row = self.conversation(platform, name)?;
        let term = row.as_ref().map(|row| row.term);
        let listed_at = row.as_ref().and_then(ConversationRow::listed_at);
        *self.conversation_entry(platform, name) =
            KnownConversation { row, listed_at, dirty: false };
        Ok(term)
    }

    /// The conversation's row, where this batch has met it.
    pub(super) fn known_conversation(
        &self,
        platform: &str,
        name: &str,
    ) -> Option<&KnownConversation> {
        self.known_conversations.get(platform)?.get(name)
    }

    /// The place of the conversation's row among those this batch has met.
    pub(super) fn conversation_entry(
        &mut self,
        platform: &str,
        name: &str,
    ) -> &mut KnownConversation {
        let names = self.known_conversations.entry(platform.to_owned()).or_default();
        names.entry(name.to_owned()).or_default()
    }

    /// The conversation's row, with what this batch has changed.
    fn conversation(&self, platform: &str, name: &str) -> Result<Option<ConversationRow>> {
        if let Some(known) = self.known_conversation(platform, name) {
            return Ok(known.row.clone());
        }
        let bytes = self.conversations.get((platform, name))?;
        let unpack = |bytes: &[u8]| unpack("the conversation", &[platform, name], bytes);
        bytes.map(|bytes| Ok(unpack(bytes.value())?)).transpose()
    }

    /// The blocks that may have messages of a term, the newest first, with what this batch has
    /// changed.
    fn newest_blocks(&self, term: Term) -> Result<impl Iterator<Item = Result<u32>>> {
        let rows = term.row(0)..=term.row(u32::MAX);
        let mut loaded = self.rows.range(rows.clone()).rev().map(|(row, _)| *row).peekable();
        let mut known = self.postings.range(rows)?.rev();
        let mut next_known = move || known.next().transpose().map(|row| Some(row?.0.value()));
        let mut newest_known = next_known()?;
        Ok(std::iter::from_fn(move || {
            let newest = loaded.peek().copied().max(newest_known)?;
            loaded.next_if_eq(&newest);
            if newest_known == Some(newest) {
                match next_known() {
                    Ok(next) => newest_known = next,
                    Err(error) => return Some(Err(error.into())),
                }
            }
            Some(Ok(newest as u32))
        }))
    }

    /// The blocks that may have messages of a term, with what this batch has changed.
    fn blocks(&self, term: Term) -> Result<BTreeSet<u32>> {
        let rows = term.row(0)..=term.row(u32::MAX);
        let loaded = self.rows.range(rows.clone()).map(|(row, _)| Ok(*row as u32));
        let known = self.postings.range(rows)?.map(|entry| Ok(entry?.0.value() as u32));
        loaded.chain(known).collect()
    }

    /// The newest message of a term; 0 where it has none that can be told.
    pub(super) fn newest_of(&self, term: Term) -> Result<u64> {
        for block in self.blocks(term)?.into_iter().rev() {
            let places = pass_over(self.places(term.row(block)).map(Some))?.unwrap_or_default();
            if let Some(place) = places.descending().next() {
                return Ok(start_of(block) + u64::from(place));
            }
        }
        Ok(0)
    }

    /// A set of places, with what this batch has changed.
    fn places(&self, row: u64) -> Result<Places> {
        if let Some(known) = self.rows.get(&row) {
            return Ok(known.value.clone());
        }
        match self.postings.get(row)? {
            Some(bytes) => Ok(unpack_places(row, bytes.value())?),
            None => Ok(Places::default()),
        }
    }

    /// The places of a block whose messages are outbound.
    fn outbound_places(&self, block: u32) -> Result<Places> {
        let mut places = Places::default();
        for status in Status::ALL {
            let state = Term::of_state(Direction::Outbound, status);
            places.union(&self.places(state.row(block))?);
        }
        Ok(places)
    }

    /// The message at a place, decoded anew.
    fn read_message(&self, seq: u64) -> Result<Option<Message>> {
        let bytes = self.messages.get(seq)?;
        bytes.map(|bytes| Ok(record::decode(seq, bytes.value())?)).transpose()
    }

    /// Up to which time marks can be forgotten: all before `before`, or fewer where they are many.
    fn marks_bound(marks: &Table<'txn, (u64, u128), u64>, before: u64) -> Result<Option<u64>> {
        let mut last = None;
        for (count, row) in marks.range(..(before, 0))?.enumerate() {
            let (time, _) = row?.0.value();
            if count >= FORGOTTEN_AT_ONCE && last != Some(time) {
                return Ok(Some(time));
            }
            last = Some(time);
        }
        Ok(last.map(|_| before))
    }

    /// The offset before which events need not be kept any more; `None` where none are.
    fn journal_bound(&self) -> Result<Option<u64>> {
        let oldest = self.at.saturating_sub(self.context.journal_seconds);
        // Counted from the newest that is kept, for this is an event itself.
        let newest = self.journal.last()?.map_or(0, |(offset, _)| offset.value());
        let first = (newest + 1).saturating_sub(self.context.journal_events);
        for (count, row) in self.journal.iter()?.enumerate() {
            let (offset, bytes) = row?;
            let at = journal::time_of(offset.value(), bytes.value());
            // A row that cannot be read is of no use.
            let is_kept = offset.value() >= first && at.is_some_and(|at| at >= oldest);
            if is_kept || count >= FORGOTTEN_AT_ONCE {
                return Ok((count > 0).then_some(offset.value()));
            }
        }
        let is_empty = self.journal.is_empty()?;
        Ok((!is_empty).then_some(self.next_offset()))
    }

    /// The offset before which epochs can be forgotten.
    fn epochs_bound(&self, journal_before: u64) -> Result<u64> {
        let surplus = self.epochs.len()?.saturating_sub(MAX_EPOCHS) as usize;
        if surplus == 0 {
            return Ok(0);
        }
        let in_force = self.epochs.range(..=journal_before)?.next_back().transpose()?;
        let in_force = in_force.map_or(0, |(first, _)| first.value());
        let kept = self.epochs.iter()?.nth(surplus).transpose()?;
        Ok(kept.map_or(0, |(first, _)| first.value()).min(in_force))
    }

    fn emptied(&self) -> Result<Vec<(String, String)>> {
        let mut emptied = Vec::new();
        for entry in self.conversations.iter()? {
            let (key, _) = entry?;
            let (platform, name) = key.value();
            // A row that is damaged stays for somebody to look at.
            let row = self.conversation(platform, name);
            if row.is_ok_and(|row| row.is_some_and(|row| row.messages == 0)) {
                emptied.push((platform.to_owned(), name.to_owned()));
            }
            if emptied.len() >= FORGOTTEN_AT_ONCE {
                break;
            }
        }
        Ok(emptied)
    }
}

impl State for Transaction<'_> {
    fn next(&self) -> (u64, Uuid) {
        let seq = self.counters.head + 1;
        (seq, self.context.ids.id(seq, self.context.tag))
    }

    fn owner(&self) -> &str {
        &self.context.owner
    }

    fn by_id(&self, id: Uuid) -> Result<Option<Message>> {
        let own = self.own_place(id).map_or(Ok(None), |seq| self.by_seq(seq))?;
        if own.as_ref().is_some_and(|message| message.id == id) {
            return Ok(own);
        }
        let seq = self.foreign_ids.get(id.as_u128())?.map(|seq| seq.value());
        seq.map_or(Ok(None), |seq| self.by_seq(seq))
    }

    fn by_seq(&self, seq: u64) -> Result<Option<Message>> {
        if let Some(message) = self.decoded.borrow().get(&seq) {
            return Ok(Some(message.clone()));
        }
        let message = self.read_message(seq)?;
        if let Some(message) = &message {
            self.decoded.borrow_mut().insert(seq, message.clone());
        }
        Ok(message)
    }

    fn own_place(&self, id: Uuid) -> Option<u64> {
        self.context.ids.seq(id)
    }

    fn known_key(&self, key: &Idempotency, now: u64) -> Result<Option<(u64, bool)>> {
        let Some(row) = self.keys.get(key.key)? else { return Ok(None) };
        let (seq, body, at) = row.value();
        Ok((now.saturating_sub(at) < KEY_LIFE).then_some((seq, body == key.body)))
    }

    fn seen(&self, received: &Inbound) -> Result<Option<u64>> {
        for key in seen_keys(received) {
            if let Some(seq) = self.seen.get(key)? {
                return Ok(Some(seq.value()));
            }
        }
        Ok(None)
    }

    fn is_in_history(&self, message: &Message) -> Result<bool> {
        Ok(self.seen.get(history_key(message))?.is_some())
    }

    fn is_alias(&self, message: &Message, external_id: &str) -> Result<bool> {
        Ok(self.seen.get(alias_key(message, external_id))?.is_some())
    }

    fn sent_as(&self, received: &Inbound, at: u64) -> Result<Option<u64>> {
        let Inbound { platform, conversation, external_id, time, .. } = received;
        // The platform's clock and ours may be far apart.
        for at in [*time, at] {
            for key in sent_keys(platform, conversation, external_id, at) {
                if let Some(seq) = self.sent.get(key)? {
                    return Ok(Some(seq.value()));
                }
            }
        }
        Ok(None)
    }

    fn outbound(
        &self,
        platform: &str,
        conversation: &str,
        status: Status,
        limit: usize,
    ) -> Result<Vec<Message>> {
        let mut found = Vec::new();
        let Some(row) = self.conversation(platform, conversation)? else { return Ok(found) };
        let state = Term::of_state(Direction::Outbound, status);
        for block in self.blocks(state)? {
            let mut places = self.places(state.row(block))?;
            places.intersect(&self.places(row.term.row(block))?);
            for place in places.ascending() {
                // One that is damaged is none that an event could be about.
                let message = self.by_seq(start_of(block) + u64::from(place));
                found.extend(pass_over(message)?);
                if found.len() == limit {
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }

    fn recent(
        &self,
        platform: &str,
        conversation: &str,
        is_outbound: bool,
        limit: usize,
    ) -> Result<Vec<Message>> {
        let (mut found, mut left) = (Vec::new(), limit);
        let Some(row) = self.conversation(platform, conversation)? else { return Ok(found) };
        for block in self.newest_blocks(row.term)? {
            let block = block?;
            let recent = self.places(row.term.row(block))?;
            let mut wanted = recent.clone();
            if is_outbound {
                wanted.intersect(&self.outbound_places(block)?);
            }
            for place in recent.descending().take(left).filter(|place| wanted.has(*place)) {
                // One that is damaged is none that an event could be about.
                let message = self.by_seq(start_of(block) + u64::from(place));
                found.extend(pass_over(message)?);
            }
            left = left.saturating_sub(recent.count() as usize);
            if left == 0 {
                break;
            }
        }
        Ok(found)
    }

    fn by_external(
        &self,
        account: &str,
        platform: &str,
        conversation: &str,
        external_id: &str,
    ) -> Result<Option<Message>> {
        let Some(row) = self.conversation(platform, conversation)? else { return Ok(None) };
        let mut looked_at = 0;
        for block in self.newest_blocks(row.term)? {
            let block = block?;
            for place in self.places(row.term.row(block))?.descending() {
                let seq = start_of(block) + u64::from(place);
                let is_it = match self.messages.get(seq)? {
                    Some(bytes) => record::is_known_as(seq, bytes.value(), account, external_id),
                    None => false,
                };
                if is_it {
                    return self.by_seq(seq);
                }
                looked_at += 1;
                if looked_at == MAX_LOOKED_AT {
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    fn is_seen_conversation(&self, platform: &str, conversation: &str) -> Result<bool> {
        let row = self.conversation(platform, conversation)?;
        Ok(row.is_some_and(|row| row.account.is_some()))
    }

    fn marks(&self, platform: &str, conversation: &str) -> Result<Option<Marks>> {
        let row = self.conversation(platform, conversation)?.filter(|row| row.messages > 0);
        Ok(row.map(|row| Marks {
            newest: row.last_seq,
            read: row.read_seq,
            muted: row.muted,
            pinned: row.pinned,
        }))
    }

    fn has_other_name(&self, platform: &str, conversation: &str, name: &str) -> Result<bool> {
        let row = self.conversation(platform, conversation)?;
        Ok(row.is_some_and(|row| row.name.as_deref() != Some(name)))
    }

    fn hides_recalled(&self) -> bool {
        self.context.hides_recalled
    }

    fn request(&self, id: u64) -> Result<Option<Request>> {
        let row = self.requests.get(id)?;
        row.map(|row| Ok(tables::unpack_request(id, row.value())?)).transpose()
    }

    fn is_known_request(&self, notice: &Notice, data: &str) -> Result<bool> {
        for row in self.requests.iter()?.rev().take(REQUESTS_COMPARED) {
            let (id, bytes) = row?;
            let known = tables::unpack_request(id.value(), bytes.value());
            if known.is_ok_and(|known| {
                known.data == data
                    && known.notice.platform == notice.platform
                    && known.notice.account == notice.account
            }) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_set_aside(&self, offset: u64) -> Result<bool> {
        Ok(self.quarantine.get(offset)?.is_some())
    }

    fn forgettable(&self, marks_before: u64) -> Result<Option<Bounds>> {
        let seen_before = Self::marks_bound(&self.seen, marks_before)?;
        let sent_before = Self::marks_bound(&self.sent, marks_before / super::keys::HOUR)?;
        let journal_before = self.journal_bound()?;
        let kept_from = journal_before.unwrap_or(self.counters.kept_from);
        let epochs_before = self.epochs_bound(kept_from)?;
        let conversations = self.emptied()?;
        let is_something = seen_before.is_some()
            || sent_before.is_some()
            || journal_before.is_some()
            || epochs_before > 0
            || !conversations.is_empty();
        Ok(is_something.then(|| Bounds {
            seen_before: seen_before.unwrap_or_default(),
            sent_before: sent_before.unwrap_or_default(),
            journal_before: journal_before.unwrap_or_default(),
            epochs_before,
            conversations,
        }))
    }
}
