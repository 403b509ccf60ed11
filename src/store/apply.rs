//! Applying events: the only writer of tables. It decides nothing and refuses nothing; what it
//! touches was loaded before, so only the disk can fail.

use super::conversation::{ConversationRow, is_mention};
use super::error::{Error, Result};
use super::feed;
use super::journal::{self, Entry};
use super::keys::KEY_LIFE;
use super::postings::locate;
use super::state::State as _;
use super::tables::{self, SEEN_PLATFORMS, Term, pack, pack_places, with_checksum};
use super::transaction::{KnownConversation, Transaction};
use crate::log::{Record, encode_event, record};
use crate::model::change::{self, Change, Effect};
use crate::model::content::Content;
use crate::model::cursor::Epoch;
use crate::model::event::{AdapterState, Bounds, Event, How, Mark, Origin, Told};
use crate::model::message::{LOCAL, Message, Recall, Status};
use crate::model::notice::{Notice, Request, RequestAnswer};
use crate::model::routing::SeenPlatform;
use redb::ReadableTable;

/// Idempotency keys that lapsed are forgotten a few at a time, with each new one.
const KEYS_FORGOTTEN_AT_ONCE: usize = 8;

/// Words of platforms that are old are forgotten a few at a time, with each new one.
const WORDS_FORGOTTEN_AT_ONCE: usize = 4;

impl Transaction<'_> {
    /// Writes events that were loaded into the batch's record, where there is one, and applies
    /// them. The first one of an epoch is preceded by the event that it began.
    pub(super) fn write(
        &mut self,
        events: Vec<Event>,
        mut record: Option<&mut Record>,
        changes: &mut Vec<Change>,
    ) -> Result<()> {
        if !events.is_empty() && self.newest_epoch != self.context.epoch {
            let (epoch, previous) = (self.context.epoch, self.newest_epoch);
            let opened = Event::Opened { epoch, previous };
            if let Some(record) = &mut record {
                record.push(&opened, None)?;
            }
            self.apply(opened, None)?;
        }
        for event in events {
            // The log and the table hold the same bytes of a new message.
            let row = match &event {
                Event::Created { message, .. } => Some(record::encode(message)?),
                _ => None,
            };
            if let Some(record) = &mut record {
                record.push(&event, row.as_deref())?;
            }
            changes.extend(self.apply(event, row)?);
        }
        Ok(())
    }

    /// Applies an event that was loaded, at the next offset; gives what listeners are told. `row` is
    /// the encoding of a new message, where it was made before.
    #[allow(clippy::too_many_lines, reason = "one arm for each kind of event")]
    pub(super) fn apply(&mut self, event: Event, row: Option<Vec<u8>>) -> Result<Option<Change>> {
        let offset = self.next_offset();
        self.counters.offset = offset;
        self.counters.kept_from = self.counters.kept_from.max(1);
        let effect = match event {
            Event::Opened { epoch, .. } => {
                self.open_epoch(epoch)?;
                None
            }
            Event::Created { message, origin, marks } => {
                self.mark(message.seq, &marks)?;
                let row = row.map_or_else(|| record::encode(&message), Ok)?;
                self.create(&message, origin, &row)?;
                Some(Effect::Created(*message))
            }
            Event::Changed { seq, how, state, marks } => {
                self.mark(seq, &marks)?;
                let before = self.before(seq)?;
                let mut after = before.clone();
                state.put_into(&mut after);
                if how == How::StatusSet && after.status == Status::Pending {
                    change::forget_past(&mut after);
                }
                self.update(&before, &after)?;
                match how {
                    How::Claimed | How::AttemptEnded | How::StatusSet => {
                        Some(Effect::StatusChanged(after))
                    }
                    How::Completed => None,
                }
            }
            Event::Routed { seq, platform, conversation, at } => {
                let before = self.before(seq)?;
                let after = Message {
                    platform: Some(platform),
                    recipient: conversation,
                    updated_at: at,
                    ..before.clone()
                };
                self.update(&before, &after)?;
                Some(Effect::Updated(after))
            }
            Event::PlatformSeen { platform, kind } => {
                self.see_platform(platform, kind)?;
                None
            }
            Event::Recognized { seq, marks } => {
                self.mark(seq, &marks)?;
                None
            }
            Event::ContentSet { seq, content, is_edit, at } => self.touch(seq, at, |message| {
                message.content = content;
                if is_edit {
                    message.edited_at = Some(at);
                }
            })?,
            Event::ReplyFound { seq, reply_to, at } => {
                self.touch(seq, at, |message| message.reply_to = Some(reply_to))?
            }
            Event::Recalled { seq, by, hides, at } => self.touch(seq, at, |message| {
                message.recall = Some(Box::new(Recall { at, by }));
                if hides {
                    message.content = Content::text("");
                    message.original = None;
                }
            })?,
            Event::Reacted { seq, reactions, at } => {
                self.touch(seq, at, |message| message.reactions = reactions)?
            }
            Event::Noticed { notice, request } => {
                Some(Effect::Noticed(Box::new(self.notice(*notice, request, offset)?)))
            }
            Event::RequestAnswered { id, approved, reason, at } => {
                self.answer_request(id, RequestAnswer { approved, reason, at })?;
                None
            }
            Event::Deleted { seq } => {
                let before = self.before(seq)?;
                self.delete(&before)?;
                Some(Effect::Deleted(before))
            }
            Event::ConversationNamed { platform, conversation, name } => {
                self.set_conversation(platform, conversation, |row| row.name = Some(name))
            }
            Event::ConversationRead { platform, conversation, seq } => {
                self.set_conversation(platform, conversation, |row| row.read(seq))
            }
            Event::ConversationSet { platform, conversation, muted, pinned } => self
                .set_conversation(platform, conversation, |row| {
                    (row.muted, row.pinned) = (muted, pinned);
                }),
            Event::SetAside { .. } => {
                let bytes = with_checksum(offset, &encode_event(&event)?);
                self.quarantine.insert(offset, bytes.as_slice())?;
                None
            }
            Event::Released { offset } => {
                self.quarantine.remove(offset)?;
                None
            }
            Event::Forgotten(bounds) => {
                self.forget(*bounds)?;
                None
            }
            Event::AdapterState(state) => self.keep_state(&state).map(|()| None)?,
            Event::Told(told) => self.keep_words(offset, &told).map(|()| None)?,
        };
        let Some(effect) = effect else { return Ok(None) };
        self.kept.push((offset, Entry::of(&effect)));
        Ok(Some(Change { offset, effect }))
    }

    /// The notice as clients are told of it; a request is kept, so that it can be answered.
    fn notice(&mut self, notice: Notice, request: Option<String>, id: u64) -> Result<Notice> {
        let Some(data) = request else { return Ok(notice) };
        let notice = Notice { request: Some(id), ..notice };
        self.put_request(id, &Request { notice: notice.clone(), data, answer: None })?;
        Ok(notice)
    }

    fn answer_request(&mut self, id: u64, answer: RequestAnswer) -> Result<()> {
        let Some(known) = self.request(id)? else { return Ok(()) };
        self.put_request(id, &Request { answer: Some(answer), ..known })
    }

    fn put_request(&mut self, id: u64, request: &Request) -> Result<()> {
        let row = tables::pack_request(id, request)?;
        self.requests.insert(id, row.as_slice())?;
        Ok(())
    }

    /// Changes a message that was loaded, at a time in Unix seconds.
    fn touch(
        &mut self,
        seq: u64,
        at: u64,
        change: impl FnOnce(&mut Message),
    ) -> Result<Option<Effect>> {
        let before = self.before(seq)?;
        let mut after = before.clone();
        after.updated_at = at;
        change(&mut after);
        self.update(&before, &after)?;
        Ok(Some(Effect::Updated(after)))
    }

    /// Goes to the place before a batch that was logged, which may lie beyond a gap.
    pub(super) fn begin_at(&mut self, first: u64, epoch: Epoch, events: &[Event]) -> Result<()> {
        self.counters.offset = first - 1;
        let begins_it = matches!(events.first(), Some(Event::Opened { .. }));
        if !begins_it && self.newest_epoch != epoch {
            // The event that began it lay in the gap.
            self.counters.offset = first;
            self.open_epoch(epoch)?;
            self.counters.offset = first - 1;
        }
        Ok(())
    }

    /// Leaves an event out; gives its offset.
    pub(super) fn pass_over(&mut self) -> u64 {
        self.counters.offset += 1;
        self.counters.offset
    }

    fn open_epoch(&mut self, epoch: Epoch) -> Result<()> {
        self.newest_epoch = epoch;
        let row = (epoch.number(), self.counters.head + 1);
        self.epochs.insert(self.counters.offset, row)?;
        Ok(())
    }

    /// The message as it was, which was loaded; it is not decoded again.
    fn before(&mut self, seq: u64) -> Result<Message> {
        if let Some(message) = self.decoded.get_mut().remove(&seq) {
            return Ok(message);
        }
        let found = self.by_seq(seq)?;
        self.decoded.get_mut().remove(&seq);
        found.ok_or_else(|| Error::Write(format!("message {seq} is gone")))
    }

    fn mark(&mut self, seq: u64, marks: &[Mark]) -> Result<()> {
        for mark in marks {
            match *mark {
                Mark::Seen(time, hash) => drop(self.seen.insert((time, hash), seq)?),
                Mark::Sent(hour, hash) => drop(self.sent.insert((hour, hash), seq)?),
                Mark::Key(key, body, at) => self.mark_key(seq, key, body, at)?,
            }
        }
        Ok(())
    }

    fn mark_key(&mut self, seq: u64, key: u128, body: u128, now: u64) -> Result<()> {
        if let Some(old) = self.keys.insert(key, (seq, body, now))? {
            let (_, _, at) = old.value();
            self.keys_by_age.remove((at, key))?;
        }
        self.keys_by_age.insert((now, key), ())?;
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

    fn create(&mut self, message: &Message, origin: Origin, row: &[u8]) -> Result<()> {
        let is_late = message.seq <= self.counters.head
            || message.created_at < self.counters.in_order_to
            // What the clock does not allow makes no others late.
            || message.created_at > self.at;
        self.counters.head = self.counters.head.max(message.seq);
        self.counters.add(message);
        if self.context.ids.seq(message.id) != Some(message.seq) {
            self.foreign_ids.insert(message.id.as_u128(), message.seq)?;
        }
        self.messages.insert(message.seq, row)?;
        let terms = self.terms(message)?;
        for term in terms {
            self.post(term, message.seq, true);
        }
        if is_mention(message) {
            self.post(Term::MENTIONS, message.seq, true);
        }
        if is_late {
            self.post(Term::LATE, message.seq, true);
            let [_, _, conversation] = terms;
            for term in [Term::LATE, conversation] {
                self.late.insert((term.0, message.created_at, message.seq), ())?;
            }
        } else {
            self.counters.in_order_to = message.created_at;
        }
        self.change_conversation(message, |row| row.add(message, origin));
        Ok(())
    }

    fn update(&mut self, before: &Message, after: &Message) -> Result<()> {
        self.counters.remove(before);
        self.counters.add(after);
        self.messages.insert(after.seq, record::encode(after)?.as_slice())?;
        let (old, new) = (self.terms(before)?, self.terms(after)?);
        let ([_, _, left], [_, _, entered]) = (old, new);
        for (old, new) in old.into_iter().zip(new) {
            if old != new {
                self.post(old, after.seq, false);
                self.post(new, after.seq, true);
            }
        }
        if is_mention(before) != is_mention(after) {
            self.post(Term::MENTIONS, after.seq, is_mention(after));
        }
        let was_sent = before.status != Status::Sent && after.status == Status::Sent;
        if before.platform != after.platform || before.recipient != after.recipient {
            if self.is_late(after.seq) {
                self.late.remove((left.0, after.created_at, after.seq))?;
                self.late.insert((entered.0, after.created_at, after.seq), ())?;
            }
            self.leave_conversation(before)?;
            self.change_conversation(after, |row| row.add(after, Origin::Received));
        } else if before.account != after.account || was_sent {
            self.change_conversation(after, |row| row.see(after));
        }
        Ok(())
    }

    fn delete(&mut self, message: &Message) -> Result<()> {
        self.counters.remove(message);
        self.messages.remove(message.seq)?;
        if self.context.ids.seq(message.id) != Some(message.seq) {
            self.foreign_ids.remove(message.id.as_u128())?;
        }
        let terms = self.terms(message)?;
        for term in terms {
            self.post(term, message.seq, false);
        }
        if is_mention(message) {
            self.post(Term::MENTIONS, message.seq, false);
        }
        if self.is_late(message.seq) {
            self.post(Term::LATE, message.seq, false);
            let [_, _, conversation] = terms;
            for term in [Term::LATE, conversation] {
                self.late.remove((term.0, message.created_at, message.seq))?;
            }
        }
        self.leave_conversation(message)
    }

    /// Whether a message was told of later than it was said.
    fn is_late(&self, seq: u64) -> bool {
        let (block, place) = locate(seq);
        self.rows.get(&Term::LATE.row(block)).is_some_and(|row| row.value.has(place))
    }

    /// The three terms of a message: its state, its platform, its conversation.
    fn terms(&mut self, message: &Message) -> Result<[Term; 3]> {
        let platform = message.platform.as_deref().unwrap_or_default();
        let state = Term::of_state(message.direction, message.status);
        let named = self.platform_term(platform)?;
        let term = self.conversation_term(platform, &message.recipient);
        Ok([state, named, term])
    }

    fn post(&mut self, term: Term, seq: u64, on: bool) {
        let (block, place) = locate(seq);
        // A term that is new has no rows; those of all others were loaded.
        let row = self.rows.entry(term.row(block)).or_default();
        row.dirty |= row.value.set(place, on);
    }

    fn platform_term(&mut self, platform: &str) -> Result<Term> {
        if let Some(Some(term)) = self.platform_terms.get(platform) {
            return Ok(*term);
        }
        let term = self.counters.new_term();
        self.platforms.insert(platform, term.0)?;
        self.platform_terms.insert(platform.to_owned(), Some(term));
        self.named_platforms.take();
        Ok(term)
    }

    /// The conversation's term; its row is made where there is none.
    fn conversation_term(&mut self, platform: &str, name: &str) -> Term {
        let known = self.known_conversation(platform, name);
        if let Some(KnownConversation { row: Some(row), .. }) = known {
            return row.term;
        }
        let term = self.counters.new_term();
        let known = self.conversation_entry(platform, name);
        (known.row, known.dirty) = (Some(ConversationRow::new(term)), true);
        term
    }

    /// Changes the row of a message's conversation, which is there; it is written at the end.
    fn change_conversation(
        &mut self,
        message: &Message,
        change: impl FnOnce(&mut ConversationRow),
    ) {
        let platform = message.platform.as_deref().unwrap_or_default();
        let names = self.known_conversations.get_mut(platform);
        let known = names.and_then(|names| names.get_mut(&message.recipient));
        if let Some(KnownConversation { row: Some(row), dirty, .. }) = known {
            change(row);
            *dirty = true;
        }
    }

    /// Takes a message out of its conversation; the sets do not have it any more.
    fn leave_conversation(&mut self, message: &Message) -> Result<()> {
        let platform = message.platform.as_deref().unwrap_or_default();
        let known = self.known_conversation(platform, &message.recipient);
        let Some(row) = known.and_then(|known| known.row.as_ref()) else { return Ok(()) };
        let is_newest = row.last_seq == message.seq;
        let last_seq = if is_newest { self.newest_of(row.term)? } else { row.last_seq };
        self.change_conversation(message, |row| {
            row.messages = row.messages.saturating_sub(1);
            row.last_seq = last_seq;
        });
        Ok(())
    }

    /// Changes a conversation's row, which was loaded; gives what listeners are told.
    fn set_conversation(
        &mut self,
        platform: String,
        conversation: String,
        change: impl FnOnce(&mut ConversationRow),
    ) -> Option<Effect> {
        let known = self.conversation_entry(&platform, &conversation);
        change(known.row.as_mut()?);
        known.dirty = true;
        let platform = if platform.is_empty() { LOCAL.to_owned() } else { platform };
        Some(Effect::ConversationChanged { platform, conversation })
    }

    fn see_platform(&mut self, platform: String, kind: String) -> Result<()> {
        let mut seen = tables::seen_platforms(&self.meta)?;
        self.seen_platforms.take();
        match seen.iter_mut().find(|known| known.platform == platform) {
            Some(known) => known.kind = kind,
            None => seen.push(SeenPlatform { platform, kind, after_seq: self.counters.head }),
        }
        let bytes = pack(&[SEEN_PLATFORMS], &seen)?;
        self.meta.insert(SEEN_PLATFORMS, bytes.as_slice())?;
        Ok(())
    }

    fn keep_state(&mut self, state: &AdapterState) -> Result<()> {
        let key = (&*state.adapter, &*state.key);
        match &state.value {
            Some(value) => {
                let row = pack(&[key.0, key.1], value)?;
                self.adapter_state.insert(key, row.as_slice())?;
            }
            None => drop(self.adapter_state.remove(key)?),
        }
        Ok(())
    }

    fn keep_words(&mut self, offset: u64, told: &Told) -> Result<()> {
        self.told.insert(offset, feed::encode(offset, told)?.as_slice())?;
        for _ in 0..WORDS_FORGOTTEN_AT_ONCE {
            let oldest = self.told.first()?.map(|(key, row)| (key.value(), row.value().to_vec()));
            let Some((oldest, row)) = oldest else { break };
            // A damaged row is of no use either.
            if feed::time_of(oldest, &row).is_some_and(|at| at >= told.forget_before) {
                break;
            }
            self.told.remove(oldest)?;
        }
        Ok(())
    }

    fn forget(&mut self, bounds: Bounds) -> Result<()> {
        self.seen.retain_in(..(bounds.seen_before, 0), |_, _| false)?;
        self.sent.retain_in(..(bounds.sent_before, 0), |_, _| false)?;
        self.journal.retain_in(..bounds.journal_before, |_, _| false)?;
        self.requests.retain_in(..bounds.journal_before, |_, _| false)?;
        self.told.retain_in(..bounds.journal_before, |_, _| false)?;
        self.epochs.retain_in(..bounds.epochs_before, |_, _| false)?;
        self.counters.kept_from = self.counters.kept_from.max(bounds.journal_before);
        for (platform, name) in bounds.conversations {
            let known = self.conversation_entry(&platform, &name);
            (known.row, known.dirty) = (None, true);
        }
        Ok(())
    }

    /// Writes what was kept, so that the transaction can be committed; whether anything changed.
    pub(super) fn finish(mut self) -> Result<bool> {
        let known = self.meta.get("counters")?.map(|bytes| bytes.value().to_vec());
        let counters = pack(&["counters"], &self.counters)?;
        if known.as_ref() == Some(&counters) {
            return Ok(false);
        }
        for (key, row) in self.rows.iter().filter(|(_, row)| row.dirty) {
            if row.value.is_empty() {
                self.postings.remove(key)?;
            } else {
                self.postings.insert(key, pack_places(*key, &row.value).as_slice())?;
            }
        }
        // Put in once all old places are free: a message may have gone from one to another.
        let mut moved = Vec::new();
        for (platform, names) in &self.known_conversations {
            for (name, known) in names.iter().filter(|(_, known)| known.dirty) {
                let listed_at = known.row.as_ref().and_then(ConversationRow::listed_at);
                if listed_at != known.listed_at {
                    if let Some(old) = known.listed_at {
                        self.newest.remove((&**platform, old))?;
                    }
                    moved.extend(listed_at.map(|new| (&**platform, new, &**name)));
                }
                match &known.row {
                    None => drop(self.conversations.remove((&**platform, &**name))?),
                    Some(row) => {
                        let bytes = pack(&[platform, name], row)?;
                        self.conversations.insert((&**platform, &**name), bytes.as_slice())?;
                    }
                }
            }
        }
        for (platform, newest, name) in moved {
            self.newest.insert((platform, newest), name)?;
        }
        if let Some(&(first, _)) = self.kept.first() {
            let row = journal::encode(first, self.at, std::mem::take(&mut self.kept))?;
            self.journal.insert(first, row.as_slice())?;
        }
        self.meta.insert("counters", counters.as_slice())?;
        Ok(true)
    }
}
