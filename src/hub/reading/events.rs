//! Reading events by offset from the journal.

use super::{CHUNK, Chunk, Events, ReadStep, end};
use crate::hub::frame::FrameContent;
use crate::hub::replay::Interest;
use crate::hub::resume::ResumePoint;
use crate::model::message::{LOCAL, Message};
use crate::protocol::event::{EventKind, MessageStatus};
use crate::store::{EntryContent, JournalEntry, Result, View};
use std::collections::BTreeSet;

/// Seconds before the position of a session from which messages may lack their `conversation_updated`,
/// because these are limited to one a second.
const LOOK_BACK_SECONDS: u64 = 2;

/// The most steps of [`CHUNK`] events to look back.
const MAX_STEPS_BACK: usize = 64;

/// Platform and conversation.
type ConversationNames = BTreeSet<(String, String)>;

/// Conversations with messages shortly before an offset.
fn changed_before(view: &View, offset: u64, interest: &Interest) -> Result<ConversationNames> {
    let mut conversations = ConversationNames::new();
    let (mut newest, mut until) = (None, offset);
    for _ in 0..MAX_STEPS_BACK {
        let from = until.saturating_sub(CHUNK as u64);
        let Some(entries) = view.journal(from, CHUNK)? else { break };
        for JournalEntry { offset, at, entry } in entries.into_iter().rev() {
            if offset > until {
                continue;
            }
            if at + LOOK_BACK_SECONDS < *newest.get_or_insert(at) {
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

impl Events {
    pub(super) fn step(&mut self, mut chunk: Chunk, at: ResumePoint) -> Result<ReadStep> {
        let view = chunk.view;
        let start = self.replay.position();
        let Some(entries) = view.journal(start, CHUNK)? else { return Ok(ReadStep::Gone) };
        let mut conversations = ConversationNames::new();
        if !std::mem::replace(&mut self.has_looked_back, true)
            && chunk.interest.kinds.has(EventKind::ConversationUpdated)
        {
            conversations = changed_before(view, start, chunk.interest)?;
        }
        let mut is_end = entries.len() < CHUNK;
        let mut last = at;
        for JournalEntry { offset, entry, .. } in entries {
            if chunk.is_full() {
                is_end = false;
                break;
            }
            self.put(&mut chunk, offset, entry, &mut conversations)?;
            self.replay.advance(offset);
            last = chunk.frames.last().map_or(last, |frame| frame.resume);
        }
        // The rest of the chunk needs no frames either.
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

    /// Makes the frame of an event of the journal, if it is due; notes the conversation that
    /// changed.
    fn put(
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
        let due_message = |kind, seq| -> Result<Option<Message>> {
            let is_due = |m: &Message| is_due(kind, m.platform_or_local(), &m.recipient);
            Ok(view.readable(seq)?.filter(is_due))
        };
        match entry {
            EntryContent::Created { seq } => {
                return self.put_new(chunk, offset, seq, conversations);
            }
            EntryContent::StatusChanged { seq, status, retry_count, updated_at, last_error } => {
                if interest.kinds.has(EventKind::MessageStatus)
                    && let Some(message) = due_message(EventKind::MessageStatus, seq)?
                {
                    let then = Message { status, updated_at, retry_count, last_error, ..message };
                    let data = MessageStatus::of(&then);
                    chunk.put_at(offset, &FrameContent::Status(data))?;
                }
            }
            // A message that was imported with the `seq` that it had before is not new.
            EntryContent::Updated { seq } | EntryContent::PutBack { seq } => {
                if let Some(message) = due_message(EventKind::MessageUpdated, seq)? {
                    chunk.put_at(offset, &FrameContent::Updated(&message))?;
                }
            }
            EntryContent::Deleted { seq, id, platform, conversation } => {
                let (platform, conversation) = (platform.as_deref(), &*conversation);
                if is_due(EventKind::MessageDeleted, platform.unwrap_or(LOCAL), conversation) {
                    let content = FrameContent::Deleted { id, platform, conversation, seq };
                    chunk.put_at(offset, &content)?;
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
                    chunk.put_at(offset, &FrameContent::Notice(&notice))?;
                }
            }
        }
        Ok(())
    }

    /// Makes the frame of a new message, if it is due, unless the session has the message already.
    fn put_new(
        &mut self,
        chunk: &mut Chunk,
        offset: u64,
        seq: u64,
        conversations: &mut ConversationNames,
    ) -> Result<()> {
        if seq <= self.seq {
            return Ok(());
        }
        if let Some(message) = chunk.view.readable(seq)? {
            let (platform, conversation) = (message.platform_or_local(), &*message.recipient);
            let is_due = |wants: &dyn Fn(&Interest) -> bool| {
                self.replay.is_due(offset, chunk.interest, wants)
            };
            let updated = EventKind::ConversationUpdated;
            if is_due(&|interest| interest.wants(updated, offset, platform, conversation)) {
                conversations.insert((platform.to_owned(), conversation.to_owned()));
            }
            if is_due(&|interest| interest.wants_message(seq, platform, conversation)) {
                chunk.put_at(offset, &FrameContent::New(&message))?;
            }
        }
        self.seq = seq;
        Ok(())
    }
}

impl Chunk<'_> {
    /// Adds the frame of the event at an offset.
    fn put_at(&mut self, offset: u64, content: &FrameContent) -> Result<()> {
        let resume = self.view.cursor_at(offset)?.into();
        self.put(content, resume);
        Ok(())
    }
}
