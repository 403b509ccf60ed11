//! Reading from the store, for a session that is behind.
//!
//! New messages without cursors are read by `seq` from the messages, which keep longer than events
//! do. Everything else is read by offset from the journal. A session with cursors that asks for
//! older messages by `since` has both: first the messages up to its position, then the journal.

mod events;
mod messages;

use super::frame::{Frame, FrameContent};
use super::mailbox::FrameForm;
use super::replay::{Interest, Replay, TooManyReplays};
use super::resume::{OlderMessages, ResumePoint};
use crate::model::cursor::Cursor;
use crate::model::subscription::{NameList, Position};
use crate::protocol::event::EventKinds;
use crate::store::{EntryContent, JournalEntry, Result, View};

/// Messages or events read from the store at a time.
const CHUNK: usize = 256;

/// Bytes of content read from the store at a time, roughly.
pub(super) const CHUNK_BYTES: usize = 256 << 10;

/// The same while other replays use the memory.
pub(super) const SMALL_CHUNK_BYTES: usize = 64 << 10;

/// Approximate limit of the bytes of frames in one step; the last frame may be long.
pub(super) const MAX_STEP: usize = CHUNK_BYTES + (1 << 20);

/// Progress of a session through the store.
#[derive(Clone)]
pub(super) struct StoreReading {
    /// Older messages that the client asked for by `since`.
    older: Option<MessageReplay>,
    /// The journal; `None` for sessions without cursors.
    events: Option<Events>,
}

#[derive(Clone)]
struct MessageReplay {
    replay: Replay,
    /// The last one; later ones are in the journal.
    through: u64,
}

#[derive(Clone)]
struct Events {
    replay: Replay,
    /// The newest message at the position.
    seq: u64,
    /// At the beginning, conversations are sent once whose updates may be missing.
    has_looked_back: bool,
}

/// Result of a step.
pub(super) enum ReadStep {
    /// The next frames; there may be more.
    Frames(Vec<Frame>),
    /// Everything was read, up to here.
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
    /// Reads after a position.
    pub(super) fn from(form: FrameForm, position: Position) -> Self {
        if form.is_by_offset() {
            return Self { older: None, events: Some(Events::from(position)) };
        }
        let replay = Replay::from(position.seq);
        Self { older: Some(MessageReplay { replay, through: u64::MAX }), events: None }
    }

    /// Changes to the journal from `head` on; messages up to there are still read by `seq`.
    pub(super) fn continue_by_offset(&mut self, head: Position) {
        if self.events.is_none() {
            self.events = Some(Events::from(head));
            if let Some(older) = &mut self.older {
                older.through = head.seq;
            }
        }
    }

    /// Goes back to a message; `interest` is what the session wanted before.
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

    /// Goes back to an event; `position` is its position, `older` are the messages before it.
    pub(super) fn rewind_to_event(
        &mut self,
        position: Position,
        older: Option<OlderMessages>,
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
        if let Some(OlderMessages { after, through }) = older {
            let through = through.min(events.seq);
            let mut replay = Replay::from(through);
            replay.rewind(after, interest)?;
            self.older = Some(MessageReplay { replay, through });
        }
        Ok(())
    }

    /// Messages that are not in the journal any more are read by `seq`, if the session wants
    /// nothing else; the journal continues at `head`.
    pub(super) fn go_on_by_messages(&mut self, interest: &Interest, head: Position) -> bool {
        let Some(events) = &self.events else { return false };
        if !interest.kinds.is_empty() || events.replay.has_layers() {
            return false;
        }
        self.older = Some(MessageReplay { replay: Replay::from(events.seq), through: head.seq });
        self.events = Some(Events::from(head));
        true
    }

    /// Forgets which events of unsubscribed topics were sent.
    pub(super) fn forget(&mut self, platforms: &NameList, conversations: &NameList) {
        for replay in self.replays() {
            replay.forget(platforms, conversations);
        }
    }

    /// Forgets which events of unsubscribed kinds were sent.
    pub(super) fn forget_kinds(&mut self, kinds: EventKinds) {
        for replay in self.replays() {
            replay.forget_kinds(kinds);
        }
    }

    fn replays(&mut self) -> impl Iterator<Item = &mut Replay> {
        let older = self.older.as_mut().map(|older| &mut older.replay);
        older.into_iter().chain(self.events.as_mut().map(|events| &mut events.replay))
    }

    /// The offset of the journal up to which everything was handled; 0 if only messages are read.
    pub(super) fn offset(&self) -> u64 {
        self.events.as_ref().map_or(0, |events| events.replay.position())
    }

    /// The position at which a client continues that has got everything up to here.
    pub(super) fn resume(&self, view: &View) -> Result<ResumePoint> {
        Ok(self.resume_at(view.cursor_at(self.offset())?))
    }

    /// Like [`Self::resume`], with the cursor of [`Self::offset`].
    pub(super) fn resume_at(&self, cursor: Cursor) -> ResumePoint {
        let older = self.older.as_ref().filter(|_| self.events.is_some());
        let older = older
            .map(|older| OlderMessages { after: older.replay.position(), through: older.through });
        ResumePoint { cursor, older }
    }

    /// The next frames; the position moves past them. After an error it is where it was, for the frames
    /// that were made are lost.
    pub(super) fn step(
        &mut self,
        view: &View,
        interest: &Interest,
        shows_cursor: bool,
        most_bytes: usize,
    ) -> Result<ReadStep> {
        let mut next = self.clone();
        let step = next.step_on(view, interest, shows_cursor, most_bytes)?;
        *self = next;
        Ok(step)
    }

    fn step_on(
        &mut self,
        view: &View,
        interest: &Interest,
        shows_cursor: bool,
        most_bytes: usize,
    ) -> Result<ReadStep> {
        let at = self.resume(view)?;
        let frames = Vec::new();
        let chunk = Chunk { view, interest, shows_cursor, most_bytes, frames, bytes: 0 };
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

/// The `seq` of the newest message at an offset: the one before the next message. A message that was
/// imported with its old `seq` does not count.
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

/// Frames made from one commit of the store.
struct Chunk<'r> {
    view: &'r View,
    interest: &'r Interest,
    shows_cursor: bool,
    most_bytes: usize,
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
        self.bytes >= self.most_bytes
    }
}

#[cfg(test)]
mod tests;
