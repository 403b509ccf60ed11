//! Context of every call of an agent.

use super::bounds::AgentBounds;
use super::source::{Chats, Source};
use crate::error::{Error, Result};
use crate::model::message::Message;
use crate::protocol::http::Conversation;
use crate::store::Access;
use std::sync::Arc;
use uuid::Uuid;

/// The messages, and what agents may see and do.
pub struct AgentContext<S> {
    pub(super) source: S,
    pub(super) bounds: Arc<AgentBounds>,
}

impl<S: Source> AgentContext<S> {
    /// The messages of `source`, within bounds.
    pub fn new(source: S, bounds: Arc<AgentBounds>) -> Self {
        Self { source, bounds }
    }

    pub(super) async fn read(&self) -> Result<S::Chats> {
        self.source.open(Access::Read).await
    }

    /// Whether agents see a message.
    pub(super) fn shows(&self, message: &Message) -> bool {
        self.bounds.shows(message.platform_or_local(), &message.recipient)
    }

    /// A message that agents see; one that they do not see does not exist for them.
    pub(super) async fn message(&self, chats: &mut S::Chats, id: Uuid) -> Result<Message> {
        let found = chats.find(id).await?.filter(|message| self.shows(message));
        found.ok_or_else(|| Error::failed(format!("there is no message {id}")))
    }

    /// A conversation that agents see; one that they do not see does not exist for them.
    pub(super) async fn conversation(
        &self,
        chats: &mut S::Chats,
        platform: &str,
        conversation: &str,
    ) -> Result<Conversation> {
        let found = if self.bounds.shows(platform, conversation) {
            chats.conversation(platform, conversation).await?
        } else {
            None
        };
        found.ok_or_else(|| {
            let name = format!("{platform}/{conversation}");
            Error::failed(format!("there is no conversation {name}"))
                .hint("list_conversations lists them, each with its platform and ID")
        })
    }
}
