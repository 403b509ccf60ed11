//! Conversations of the store, and their marks.

use super::{Local, position};
use crate::error::Result;
use crate::protocol::http::{Conversation, ReadTo, SetConversation};
use crate::store::{Command, ConversationQuery, stored};

impl Local {
    pub(in crate::client) fn conversations(
        &self,
        query: &ConversationQuery,
    ) -> Result<Vec<Conversation>> {
        let view = self.store.view()?;
        let mut found = view.conversations(query)?;
        for message in found.iter_mut().filter_map(|known| known.last_message.as_mut()) {
            self.set_waiting(message, &view);
        }
        Ok(found)
    }

    pub(in crate::client) fn conversation(
        &self,
        platform: &str,
        conversation: &str,
    ) -> Result<Option<Conversation>> {
        let view = self.store.view()?;
        let mut found = view.conversation(platform, conversation)?;
        if let Some(message) = found.as_mut().and_then(|known| known.last_message.as_mut()) {
            self.set_waiting(message, &view);
        }
        Ok(found)
    }

    pub(in crate::client) async fn set_conversation(
        &self,
        platform: &str,
        conversation: &str,
        set: &SetConversation,
    ) -> Result<Option<Conversation>> {
        let view = self.store.view()?;
        let seq_of = |message: &Option<ReadTo>| match message {
            None => Ok(None),
            Some(ReadTo::Seq(seq)) => Ok(Some(*seq)),
            Some(ReadTo::Text(text)) if text == "latest" => Ok(Some(u64::MAX)),
            Some(ReadTo::Text(text)) => position(&view, Some(text)),
        };
        let (read_to, unread_from) = (seq_of(&set.read_to)?, seq_of(&set.unread_from)?);
        let command = Command::SetConversation {
            platform: stored(platform).to_owned(),
            conversation: conversation.to_owned(),
            read_to,
            unread_from,
            muted: set.muted,
            pinned: set.pinned,
        };
        self.store.write(command).await?;
        self.conversation(platform, conversation)
    }
}
