//! Conversations, from a server or from the store.

use super::Client;
use crate::error::Result;
use crate::protocol::http::{Conversation, SetConversation};
use crate::store::ConversationQuery;

impl Client {
    /// Conversations that have messages, the latest first, in pages up to the query's limit.
    ///
    /// # Errors
    ///
    /// The server cannot be reached or refuses; without one, the store cannot be read.
    pub async fn conversations(&mut self, query: &ConversationQuery) -> Result<Vec<Conversation>> {
        match self {
            Self::Remote(remote) => remote.conversations(query).await,
            Self::Local(local) => local.conversations(query),
        }
    }

    /// The `seq` of the newest message; 0 if there is none.
    ///
    /// # Errors
    ///
    /// The server cannot be reached or refuses; without one, the store cannot be read.
    pub async fn newest(&mut self) -> Result<u64> {
        let one = ConversationQuery { limit: Some(1), ..ConversationQuery::default() };
        let newest = self.conversations(&one).await?;
        Ok(newest.first().map_or(0, |conversation| conversation.last_seq))
    }

    /// A conversation; `None` if it has no messages.
    ///
    /// # Errors
    ///
    /// The server cannot be reached or refuses; without one, the store cannot be read.
    pub async fn conversation(
        &mut self,
        platform: &str,
        conversation: &str,
    ) -> Result<Option<Conversation>> {
        match self {
            Self::Remote(remote) => remote.conversation(platform, conversation).await,
            Self::Local(local) => local.conversation(platform, conversation),
        }
    }

    /// Marks a conversation as read, mutes it or pins it, and returns its new state; `None` if it
    /// has no messages.
    ///
    /// # Errors
    ///
    /// The server refuses or cannot be reached; without one, the store refuses or cannot be
    /// written.
    pub async fn set_conversation(
        &mut self,
        platform: &str,
        conversation: &str,
        set: &SetConversation,
    ) -> Result<Option<Conversation>> {
        match self {
            Self::Remote(remote) => remote.set_conversation(platform, conversation, set).await,
            Self::Local(local) => local.set_conversation(platform, conversation, set).await,
        }
    }
}
