//! The sets (postings) that a message is in.

use crate::model::message::Message;
use crate::store::conversation::ConversationRow;
use crate::store::error::Result;
use crate::store::postings::locate;
use crate::store::tables::{PostingKey, pack_term, platform_key};
use crate::store::transaction::{KnownConversation, Transaction};

impl Transaction<'_> {
    /// The three terms of a message: its state, its platform, its conversation.
    pub(super) fn terms(&mut self, message: &Message) -> Result<[PostingKey; 3]> {
        let platform = message.platform.as_deref().unwrap_or_default();
        let state = PostingKey::of_state(message.direction, message.status);
        let named = self.platform_term(platform)?;
        let term = self.conversation_term(platform, &message.recipient);
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
