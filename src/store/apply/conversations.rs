//! Rows of conversations.

use super::terms::ListedBy;
use crate::model::change::ChangeEffect;
use crate::model::message::LOCAL;
use crate::store::conversation::ConversationRow;
use crate::store::error::Result;
use crate::store::transaction::{KnownConversation, Transaction};

impl Transaction<'_> {
    /// Changes the row of a message's conversation, which was loaded. [`Self::finish`] writes it.
    pub(super) fn change_conversation(
        &mut self,
        listed: ListedBy<'_>,
        change: impl FnOnce(&mut ConversationRow),
    ) {
        let names = self.known_conversations.get_mut(listed.platform);
        let known = names.and_then(|names| names.get_mut(listed.conversation));
        if let Some(KnownConversation { row: Some(row), dirty, .. }) = known {
            change(row);
            *dirty = true;
        }
    }

    /// Removes the message at `seq` from its conversation. It was removed from the sets before.
    pub(super) fn leave_conversation(&mut self, seq: u64, listed: ListedBy<'_>) -> Result<()> {
        let known = self.known_conversation(listed.platform, listed.conversation);
        let Some(row) = known.and_then(|known| known.row.as_ref()) else { return Ok(()) };
        let is_newest = row.last_seq == seq;
        let last_seq = if is_newest { self.newest_of(row.term)? } else { row.last_seq };
        self.change_conversation(listed, |row| {
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
