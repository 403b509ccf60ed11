//! The sets (postings) that a message is in.

use crate::model::message::{Direction, Message, Status};
use crate::store::conversation::ConversationRow;
use crate::store::error::Result;
use crate::store::marked_terms::marked_terms;
use crate::store::postings::locate;
use crate::store::tables::{PostingKey, pack_term, platform_key};
use crate::store::transaction::{KnownConversation, Transaction};

/// The fields by which the tables list a message.
#[derive(Clone, Copy)]
pub(super) struct ListedBy<'m> {
    pub(super) direction: Direction,
    pub(super) status: Status,
    /// Empty if none was found yet.
    pub(super) platform: &'m str,
    pub(super) conversation: &'m str,
    pub(super) account: Option<&'m str>,
    /// The sets that few messages are in, and whether this one is.
    pub(super) marked: [(PostingKey, bool); 2],
}

impl<'m> ListedBy<'m> {
    pub(super) fn of(message: &'m Message) -> Self {
        Self {
            direction: message.direction,
            status: message.status,
            platform: message.platform.as_deref().unwrap_or_default(),
            conversation: &message.recipient,
            account: message.account.as_deref(),
            marked: marked_terms(message),
        }
    }
}

impl Transaction<'_> {
    /// The three terms of a message: its state, its platform, its conversation.
    pub(super) fn terms(&mut self, listed: ListedBy<'_>) -> Result<[PostingKey; 3]> {
        let state = PostingKey::of_state(listed.direction, listed.status);
        let named = self.platform_term(listed.platform)?;
        let term = self.conversation_term(listed.platform, listed.conversation);
        Ok([state, named, term])
    }

    pub(super) fn post(&mut self, term: PostingKey, seq: u64, on: bool) {
        let (block, place) = locate(seq);
        // A new term has no rows; those of all others were loaded.
        let row = self.rows.entry(term.row(block)).or_default();
        row.dirty |= row.value.set(place, on);
    }

    pub(super) fn platform_term(&mut self, platform: &str) -> Result<PostingKey> {
        if let Some(Some(term)) = self.known_platforms.terms.get(platform) {
            return Ok(*term);
        }
        let term = self.counters.new_term();
        self.platforms.write()?.insert(platform, term.0)?;
        self.meta.insert(&*platform_key(platform), &*pack_term(platform, term)?)?;
        self.known_platforms.set_term(platform, Some(term));
        self.known_platforms.named.take();
        Ok(term)
    }

    /// The conversation's term. Creates its row if there is none.
    pub(super) fn conversation_term(&mut self, platform: &str, name: &str) -> PostingKey {
        let known = self.known_conversation(platform, name);
        if let Some(KnownConversation { row: Some(row), .. }) = known {
            return row.term;
        }
        let term = self.counters.new_term();
        let known = self.conversation_entry(platform, name);
        (known.row, known.dirty) = (Some(ConversationRow::new(term)), true);
        term
    }
}
