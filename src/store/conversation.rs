//! Facts of a conversation, and how messages change them.

use super::tables::PostingKey;
use crate::model::event::Origin;
use crate::model::message::{Direction, Message, Status};
use serde::{Deserialize, Serialize};

/// Facts of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ConversationRow {
    pub(super) term: PostingKey,
    /// Its newest message; 0 if it has none.
    pub(super) last_seq: u64,
    /// Unix seconds of the message with the latest `created_at`.
    pub(super) last_at: u64,
    pub(super) name: Option<String>,
    /// Your account that saw it last.
    pub(super) account: Option<String>,
    /// How many messages it has.
    pub(super) messages: u64,
    /// The read mark: messages up to here were read.
    pub(super) read_seq: u64,
    pub(super) muted: bool,
    pub(super) pinned: bool,
}

impl ConversationRow {
    /// A conversation without messages.
    pub(super) fn new(term: PostingKey) -> Self {
        Self {
            term,
            last_seq: 0,
            last_at: 0,
            name: None,
            account: None,
            messages: 0,
            read_seq: 0,
            muted: false,
            pinned: false,
        }
    }

    /// The position in the list, if it is listed.
    pub(super) fn listed_at(&self) -> Option<u64> {
        (self.messages > 0).then_some(self.last_seq)
    }

    /// Adds a message; one that was routed to this conversation counts as received.
    ///
    /// A message that a client makes marks the conversation as read; one that a bot makes does not.
    /// A message that the account's owner wrote elsewhere does so only if it is the newest: an old
    /// message of a history says nothing about newer ones. An imported message is no new message:
    /// a conversation that was read to the end stays read.
    pub(super) fn add(&mut self, message: &Message, origin: Origin) {
        let is_owners = message.direction == Direction::Outbound && message.via.is_none();
        let reads = match origin {
            Origin::Imported => self.read_seq >= self.last_seq,
            Origin::Made => is_owners,
            Origin::Received => is_owners && message.created_at >= self.last_at,
        };
        self.messages += 1;
        self.last_seq = self.last_seq.max(message.seq);
        self.last_at = self.last_at.max(message.created_at);
        if reads {
            self.read(message.seq);
        }
        self.see(message);
    }

    /// Updates the conversation from a message.
    pub(super) fn see(&mut self, message: &Message) {
        let is_news = message.seq == self.last_seq || self.name.is_none();
        if is_news && message.conversation_name.is_some() {
            self.name.clone_from(&message.conversation_name);
        }
        if message.account.is_some() && message.status == Status::Sent {
            self.account.clone_from(&message.account);
        }
    }

    /// Marks it as read up to a message; the mark never moves back.
    pub(super) fn read(&mut self, seq: u64) {
        self.read_seq = self.read_seq.max(seq);
    }
}

/// Whether a message counts as a mention of the account.
pub(super) fn is_mention(message: &Message) -> bool {
    message.direction == Direction::Inbound && message.content.mentions_me()
}
