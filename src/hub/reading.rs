//! Reading on from the store, for a session that is behind.
//!
//! New messages without cursors are read by `seq` from the messages, which keep longer than events
//! do. Everything else is read by offset from the journal. A session with cursors that asks for
//! older messages by `since` has both: first the messages up to its place, then the journal.

use super::frame::{Frame, FrameContent};
use super::mailbox::FrameForm;
use super::replay::{Interest, Replay, TooManyReplays};
use super::resume::{Older, ResumePoint};
use crate::model::cursor::Cursor;
use crate::model::message::{LOCAL, Message};
use crate::model::subscription::{NameList, Position};
use crate::protocol::event::{EventKind, EventKinds, MessageStatus};
use crate::store::{EntryContent, JournalEntry, Result, View};
use std::collections::BTreeSet;

/// Messages or events read from the store at a time.
const CHUNK: usize = 256;

/// Bytes of content read from the store at a time, roughly.
const CHUNK_BYTES: usize = 256 << 10;

/// Bytes that the frames of one step take, roughly at most: the last one may be long.
pub(super) const MAX_STEP: usize = CHUNK_BYTES + (1 << 20);

/// Seconds before its place in which messages may have come of which a session was not yet told a
/// `conversation_updated`, for these are limited to one a second.
const UNTOLD_SECONDS: u64 = 2;

/// Steps of [`CHUNK`] events that are looked back at most.
const MAX_STEPS_BACK: usize = 64;

/// Progress of a session through the store.
pub(super) struct StoreReading {
    /// Messages that were asked for by `since`.
    older: Option<MessageReplay>,
    /// The journal; `None` for sessions without cursors.
    events: Option<Events>,
}

struct MessageReplay {
    replay: Replay,
    /// The last one; beyond it, the journal tells.
    through: u64,
}

struct Events {
    replay: Replay,
    /// The newest message at the position.
    seq: u64,
    /// Conversations are told once at the beginning that may not have been.
    has_looked_back: bool,
}

/// Result of a step.
pub(super) enum ReadStep {
    #[allow(missing_docs)]
    Frames(Vec<Frame>),
    /// Everything is read, up to here.
    End(Position),
    /// Events after the position are no longer kept.
    Gone,
}

impl Events {
    fn from(position: Position) -> Self {
        let replay = Replay::from(position.offset);
        Self { replay, seq: position.seq, has_looked_back: false }
    }
}

impl StoreReading {
    /// Reads on after a place.
    pub(super) fn from(form: FrameForm, position: Position) -> Self {
        if form.is_by_offset() {
            return Self { older: None, events: Some(Events::from(position)) };
        }
        let replay = Replay::from(position.seq);
        Self { older: Some(MessageReplay { replay, through: u64::MAX }), events: None }
    }

    /// Turns to the journal from `head` on; messages up to there are still read by `seq`.
    pub(super) fn continue_by_offset(&mut self, head: Position) {
        if self.events.is_none() {
            self.events = Some(Events::from(head));
            if let Some(older) = &mut self.older {
                older.through = head.seq;
            }
        }
    }

    /// Goes back to a message; `interest` is what the session wanted until now.
    pub(super) fn rewind_to_message(
        &mut self,
        since: u64,
        interest: &Interest,
    ) -> std::result::Result<(), TooManyReplays> {
        let at = self.events.as_ref().map_or(u64::MAX, |events| events.seq);
        if self.older.is_none() && since >= at {
            return Ok(());
        }
        let fresh = || MessageReplay { replay: Replay::from(at), through: at };
        self.older.get_or_insert_with(fresh).replay.rewind(since, interest)
    }

    /// Goes back to an event; `position` is its place, `older` what comes before it.
    pub(super) fn rewind_to_event(
        &mut self,
        position: Position,
        older: Option<Older>,
        interest: &Interest,
    ) -> std::result::Result<(), TooManyReplays> {
        let Some(events) = &mut self.events else { return Err(TooManyReplays) };
        if self.older.is_some() {
            return Err(TooManyReplays);
        }
        if position.offset < events.replay.position() {
            events.replay.rewind(position.offset, interest)?;
            events.seq = position.seq;
            events.has_looked_back = false;
        }
        if let Some(Older { after, through }) = older {
            let through = through.min(events.seq);
            let mut replay = Replay::from(through);
            replay.rewind(after, interest)?;
            self.older = Some(MessageReplay { replay, through });
        }
        Ok(())
    }

    /// Messages that no journal tells any more are read by `seq`, where the session wants nothing
    /// else; `head` is where the journal goes on.
    pub(super) fn go_on_by_messages(&mut self, interest: &Interest, head: Position) -> bool {
        let Some(events) = &self.events else { return false };
        if !interest.kinds.is_empty() || events.replay.has_layers() {
            return false;
        }
        self.older = Some(MessageReplay { replay: Replay::from(events.seq), through: head.seq });
        self.events = Some(Events::from(head));
        true
    }

    /// Forgets what was delivered by topics that are unsubscribed.
    pub(super) fn forget(&mut self, platforms: &NameList, conversations: &NameList) {
        for replay in self.replays() {
            replay.forget(platforms, conversations);
        }
    }

    /// Forgets what was delivered of kinds that are unsubscribed.
    pub(super) fn forget_kinds(&mut self, kinds: EventKinds) {
        for replay in self.replays() {
            replay.forget_kinds(kinds);
        }
    }

    fn replays(&mut self) -> impl Iterator<Item = &mut Replay> {
        let older = self.older.as_mut().map(|older| &mut older.replay);
        older.into_iter().chain(self.events.as_mut().map(|events| &mut events.replay))
    }

    /// Where a client goes on that has got everything up to here.
    pub(super) fn resume(&self, view: &View) -> Result<ResumePoint> {
        let Some(events) = &self.events else { return Ok(Cursor::default().into()) };
        let cursor = view.cursor_at(events.replay.position())?;
        let older = self
            .older
            .as_ref()
            .map(|older| Older { after: older.replay.position(), through: older.through });
        Ok(ResumePoint { cursor, older })
    }

    /// The next frames; the position moves with them.
    pub(super) fn step(
        &mut self,
        view: &View,
        interest: &Interest,
        shows_cursor: bool,
    ) -> Result<ReadStep> {
        let at = self.resume(view)?;
        let chunk = Chunk { view, interest, shows_cursor, frames: Vec::new(), bytes: 0 };
        if let Some(older) = &mut self.older {
            let frames = older.step(chunk, at.cursor)?;
            let is_over = older.replay.position() >= older.through.min(view.head());
            if is_over && self.events.is_some() {
                self.older = None;
            }
            let is_end = is_over && self.events.is_none() && frames.is_empty();
            return Ok(if is_end { ReadStep::End(end(view)) } else { ReadStep::Frames(frames) });
        }
        match &mut self.events {
            Some(events) => events.step(chunk, at),
            None => Ok(ReadStep::End(end(view))),
        }
    }
}

fn end(view: &View) -> Position {
    Position { seq: view.head(), offset: view.cursor().offset }
}

/// The `seq` of the newest message at an offset: the one before the next that was made.
pub(super) fn seq_at(view: &View, offset: u64) -> Result<u64> {
    let mut after = offset;
    while let Some(entries) = view.journal(after, CHUNK)? {
        for JournalEntry { offset, entry, .. } in &entries {
            after = *offset;
            if let EntryContent::Created { seq } = entry {
                return Ok(seq - 1);
            }
        }
        if entries.len() < CHUNK {
            break;
        }
    }
    Ok(view.head())
}

/// Frames that are being made from one commit of the store.
struct Chunk<'r> {
    view: &'r View,
    interest: &'r Interest,
    shows_cursor: bool,
    frames: Vec<Frame>,
    bytes: usize,
}

impl Chunk<'_> {
    fn put(&mut self, content: &FrameContent, resume: ResumePoint) {
        let frame = Frame::of(content, resume, self.shows_cursor);
        self.bytes += frame.text.len();
        self.frames.push(frame);
    }

    fn is_full(&self) -> bool {
        self.bytes >= CHUNK_BYTES
    }
}

impl MessageReplay {
    fn step(&mut self, mut chunk: Chunk, cursor: Cursor) -> Result<Vec<Frame>> {
        let Self { replay, through } = self;
        let mut messages = chunk.view.readable_after(replay.position())?;
        for _ in 0..CHUNK {
            let next = messages.next().transpose()?;
            let Some(message) = next.filter(|message| message.seq <= *through) else {
                replay.advance(chunk.view.head().min(*through));
                break;
            };
            let (platform, seq) = (message.platform_or_local(), message.seq);
            let is_due = replay.is_due(seq, chunk.interest, |interest| {
                interest.wants_message(seq, platform, &message.recipient)
            });
            replay.advance(seq);
            if is_due {
                let older = Some(Older { after: seq, through: *through });
                chunk.put(&FrameContent::New(&message), ResumePoint { cursor, older });
            }
            if chunk.is_full() {
                break;
            }
        }
        Ok(chunk.frames)
    }
}

/// Platform and conversation.
type ConversationNames = BTreeSet<(String, String)>;

impl Events {
    fn step(&mut self, mut chunk: Chunk, at: ResumePoint) -> Result<ReadStep> {
        let view = chunk.view;
        let start = self.replay.position();
        let Some(entries) = view.journal(start, CHUNK)? else { return Ok(ReadStep::Gone) };
        let mut conversations = ConversationNames::new();
        if !std::mem::replace(&mut self.has_looked_back, true)
            && chunk.interest.kinds.has(EventKind::ConversationUpdated)
        {
            conversations = untold(view, start, chunk.interest)?;
        }
        let mut is_end = entries.len() < CHUNK;
        let mut last = at;
        for JournalEntry { offset, entry, .. } in entries {
            if chunk.is_full() {
                is_end = false;
                break;
            }
            self.tell(&mut chunk, offset, entry, &mut conversations)?;
            self.replay.advance(offset);
            last = chunk.frames.last().map_or(last, |frame| frame.resume);
        }
        // The rest of the chunk is dealt with, too.
        if self.replay.position() > last.cursor.offset {
            last = view.cursor_at(self.replay.position())?.into();
        }
        for (platform, conversation) in conversations {
            if let Some(entry) = view.conversation(&platform, &conversation)? {
                chunk.put(&FrameContent::Conversation(&entry), last);
            }
        }
        if is_end {
            self.replay.advance(view.cursor().offset);
            self.seq = view.head();
        }
        if is_end && chunk.frames.is_empty() {
            return Ok(ReadStep::End(end(view)));
        }
        Ok(ReadStep::Frames(chunk.frames))
    }

    /// Tells one event of the journal, where it is due; notes the conversation that it changed.
    fn tell(
        &mut self,
        chunk: &mut Chunk,
        offset: u64,
        entry: EntryContent,
        conversations: &mut ConversationNames,
    ) -> Result<()> {
        let (view, interest) = (chunk.view, chunk.interest);
        let is_due = |kind, platform: &str, conversation: &str| {
            self.replay.is_due(offset, interest, |interest| {
                interest.wants(kind, offset, platform, conversation)
            })
        };
        let is_due_of =
            |kind, message: &Message| is_due(kind, message.platform_or_local(), &message.recipient);
        match entry {
            // One that was imported to its old place is not new.
            EntryContent::Created { seq } if seq <= self.seq => {}
            EntryContent::Created { seq } => {
                if let Some(message) = view.readable(seq)? {
                    let platform = message.platform_or_local();
                    let is_wanted = self.replay.is_due(offset, interest, |interest| {
                        interest.wants_message(seq, platform, &message.recipient)
                    });
                    if is_wanted {
                        chunk.put(&FrameContent::New(&message), view.cursor_at(offset)?.into());
                    }
                    if is_due_of(EventKind::ConversationUpdated, &message) {
                        conversations.insert((platform.to_owned(), message.recipient.clone()));
                    }
                }
                self.seq = seq;
            }
            EntryContent::StatusChanged { seq, status, retry_count, updated_at, last_error } => {
                if !interest.kinds.has(EventKind::MessageStatus) {
                    return Ok(());
                }
                let message = view.readable(seq)?;
                if let Some(message) = message.filter(|m| is_due_of(EventKind::MessageStatus, m)) {
                    let data = MessageStatus {
                        status,
                        retry_count,
                        updated_at,
                        last_error: last_error.map(Into::into),
                        ..MessageStatus::of(&message)
                    };
                    chunk.put(&FrameContent::Status(data), view.cursor_at(offset)?.into());
                }
            }
            EntryContent::Updated { seq } => {
                let message = view.readable(seq)?;
                if let Some(message) = message.filter(|m| is_due_of(EventKind::MessageUpdated, m)) {
                    chunk.put(&FrameContent::Updated(&message), view.cursor_at(offset)?.into());
                }
            }
            EntryContent::Deleted { seq, id, platform, conversation } => {
                let platform = platform.as_deref();
                let topic = platform.unwrap_or(LOCAL);
                if is_due(EventKind::MessageDeleted, topic, &conversation) {
                    let conversation = &conversation;
                    let content = FrameContent::Deleted { id, platform, conversation, seq };
                    chunk.put(&content, view.cursor_at(offset)?.into());
                }
            }
            EntryContent::ConversationChanged { platform, conversation } => {
                if is_due(EventKind::ConversationUpdated, &platform, &conversation) {
                    conversations.insert((platform, conversation));
                }
            }
            EntryContent::Noticed(notice) => {
                let conversation = notice.conversation.as_deref().unwrap_or_default();
                if is_due(EventKind::Notice, &notice.platform, conversation) {
                    chunk.put(&FrameContent::Notice(&notice), view.cursor_at(offset)?.into());
                }
            }
        }
        Ok(())
    }
}

/// Conversations with messages shortly before an offset.
fn untold(view: &View, offset: u64, interest: &Interest) -> Result<ConversationNames> {
    let mut conversations = ConversationNames::new();
    let (mut newest, mut until) = (None, offset);
    for _ in 0..MAX_STEPS_BACK {
        let from = until.saturating_sub(CHUNK as u64);
        let Some(entries) = view.journal(from, CHUNK)? else { break };
        for JournalEntry { offset, at, entry } in entries.into_iter().rev() {
            if offset > until {
                continue;
            }
            if at + UNTOLD_SECONDS < *newest.get_or_insert(at) {
                return Ok(conversations);
            }
            let EntryContent::Created { seq } = entry else { continue };
            let Some(message) = view.readable(seq)? else { continue };
            let platform = message.platform_or_local();
            if interest.topics.wants_event(u64::MAX, platform, &message.recipient) {
                conversations.insert((platform.to_owned(), message.recipient));
            }
        }
        if from == 0 {
            break;
        }
        until = from;
    }
    Ok(conversations)
}
