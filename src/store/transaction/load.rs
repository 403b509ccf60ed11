//! Reads every row that applying an event will touch, before anything is changed.

use super::{CachedRow, KnownConversation, Transaction};
use crate::model::event::{ChangeCause, Event, MessageState};
use crate::model::message::{Message, Status};
use crate::store::conversation::ConversationRow;
use crate::store::error::{Result, StoreError};
use crate::store::postings::locate;
use crate::store::state::StoreState as _;
use crate::store::tables::{self, PostingKey};
use redb::ReadableTable;

impl Transaction<'_> {
    /// Reads every row that applying an event will touch; fails, with the row named, where one of
    /// them is damaged or not what the event speaks of.
    pub(in crate::store) fn load(&mut self, event: &Event) -> Result<()> {
        match event {
            Event::Created { message, .. } => self.load_created(message),
            Event::Changed { seq, cause, state, .. } => self.load_changed(*seq, *cause, state),
            Event::Routed { seq, platform, conversation, .. } => {
                self.load_routed(*seq, platform, conversation)
            }
            Event::PlatformSeen { .. } => tables::seen_platforms(&self.meta).map(drop),
            Event::ContentSet { seq, .. }
            | Event::ReplyFound { seq, .. }
            | Event::Recalled { seq, .. }
            | Event::Reacted { seq, .. }
            | Event::PartSent { seq, .. }
            | Event::Deleted { seq } => self.look_at(*seq, |known, before| {
                known.load_terms(before, before.status, before.platform.as_deref())
            }),
            Event::ConversationNamed { platform, conversation, .. }
            | Event::ConversationRead { platform, conversation, .. }
            | Event::ConversationSet { platform, conversation, .. } => {
                let term = self.load_conversation(platform, conversation)?;
                let gone = || format!("the conversation {platform}/{conversation} is gone");
                term.map(drop).ok_or_else(|| StoreError::Damaged(gone()))
            }
            Event::Forgotten(bounds) => {
                let mut conversations = bounds.conversations.iter();
                conversations.try_for_each(|(platform, name)| {
                    self.load_conversation(platform, name).map(drop)
                })
            }
            Event::Opened { .. }
            | Event::Recognized { .. }
            | Event::AdapterState(_)
            | Event::RecalledEarly(_)
            | Event::RecallsLapsed { .. }
            | Event::KeysLapsed { .. }
            | Event::RawEvent(_)
            | Event::Quarantined { .. }
            | Event::Released { .. }
            | Event::Noticed { .. } => Ok(()),
            Event::RequestAnswered { id, .. } => self.request(*id).map(drop),
        }
    }

    fn load_created(&mut self, message: &Message) -> Result<()> {
        // No message has a `seq` above the newest one.
        let is_old = message.seq <= self.counters.head;
        if is_old && self.messages.get(message.seq)?.is_some() {
            let text = format!("message {} is there already", message.seq);
            return Err(StoreError::Damaged(text));
        }
        self.load_terms(message, message.status, message.platform.as_deref())
    }

    fn load_changed(&mut self, seq: u64, cause: ChangeCause, state: &MessageState) -> Result<()> {
        self.look_at(seq, |known, before| {
            known.load_terms(before, before.status, before.platform.as_deref())?;
            if cause == ChangeCause::Claimed {
                // If the outcome of an attempt could not be recorded, the message would be sent again at
                // each start.
                for end in [Status::Sent, Status::Failed] {
                    known.load_row(PostingKey::of_state(before.direction, end), seq)?;
                }
            }
            known.load_terms(before, state.status, state.platform.as_deref())
        })
    }

    fn load_routed(&mut self, seq: u64, platform: &str, conversation: &str) -> Result<()> {
        self.look_at(seq, |known, before| {
            known.load_terms(before, before.status, before.platform.as_deref())?;
            let after = Message { recipient: conversation.to_owned(), ..before.clone() };
            known.load_terms(&after, after.status, Some(platform))
        })
    }

    /// Looks at a message that has to be there, and keeps it as it was decoded.
    fn look_at(
        &mut self,
        seq: u64,
        look: impl FnOnce(&mut Self, &Message) -> Result<()>,
    ) -> Result<()> {
        let known = self.decoded.get_mut().remove(&seq);
        let message = match known {
            Some(message) => message,
            None => self
                .read_message(seq)?
                .ok_or_else(|| StoreError::Damaged(format!("message {seq} is gone")))?,
        };
        let looked = look(self, &message);
        self.decoded.get_mut().insert(seq, message);
        looked
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
            Some(PostingKey::MENTIONS),
            Some(PostingKey::OVERRULED),
            Some(PostingKey::LATE),
            Some(PostingKey::of_state(message.direction, status)),
            self.load_platform(platform)?,
            self.load_conversation(platform, &message.recipient)?,
        ];
        known.into_iter().flatten().try_for_each(|term| self.load_row(term, message.seq))
    }

    /// Loads the set of a term that a message is in or not.
    fn load_row(&mut self, term: PostingKey, seq: u64) -> Result<()> {
        let (block, _) = locate(seq);
        let row = term.row(block);
        if !self.rows.contains_key(&row) {
            let value = self.places(row)?;
            self.rows.insert(row, CachedRow { value, dirty: false });
        }
        Ok(())
    }

    fn load_platform(&mut self, platform: &str) -> Result<Option<PostingKey>> {
        if let Some(term) = self.known_platforms.terms.get(platform) {
            return Ok(*term);
        }
        let known = tables::platform_term(self.platforms.read()?, &self.meta, platform)?;
        self.known_platforms.set_term(platform, known);
        Ok(known)
    }

    fn load_conversation(&mut self, platform: &str, name: &str) -> Result<Option<PostingKey>> {
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
}
