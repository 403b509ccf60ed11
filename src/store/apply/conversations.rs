//! Rows of conversations.

use crate::model::change::ChangeEffect;
use crate::model::message::{LOCAL, Message};
use crate::store::conversation::ConversationRow;
use crate::store::error::Result;
use crate::store::transaction::{KnownConversation, Transaction};

impl Transaction<'_> {
    /// Changes the row of a message's conversation, which was loaded. [`Self::finish`] writes it.
    pub(super) fn change_conversation(
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

    /// Removes a message from its conversation. It was removed from the sets before.
    pub(super) fn leave_conversation(&mut self, message: &Message) -> Result<()> {
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

    /// Changes a conversation's row, which was loaded. Returns the change for listeners.
    pub(super) fn set_conversation(
        &mut self,
        platform: String,
        conversation: String,
        change: impl FnOnce(&mut ConversationRow),
    ) -> Option<ChangeEffect> {
        let known = self.conversation_entry(&platform, &conversation);
        change(known.row.as_mut()?);
        known.dirty = true;
        let platform = if platform.is_empty() { LOCAL.to_owned() } else { platform };
        Some(ChangeEffect::ConversationChanged { platform, conversation })
    }
}
