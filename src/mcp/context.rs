//! Context of every call of an agent.

use super::bounds::AgentBounds;
use super::source::{Chats, Source};
use crate::error::{Error, Result};
use crate::model::message::{Direction, Message};
use crate::protocol::http::Conversation;
use crate::store::Access;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;
use uuid::Uuid;

/// The messages, and what agents may see and do.
pub struct AgentContext<S> {
    pub(super) source: S,
    pub(super) bounds: Arc<AgentBounds>,
}

/// A message as agents may see it: without what it answers, where that lies in a conversation that
/// they do not see. Answers to agents are made of these alone.
#[derive(Clone, Debug)]
pub(super) struct SeenMessage(Message);

impl Deref for SeenMessage {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.0
    }
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
    pub(super) async fn message(&self, chats: &mut S::Chats, id: Uuid) -> Result<SeenMessage> {
        let found = chats.find(id).await?.into_iter().collect();
        let seen = self.seen(chats, found).await?.pop();
        seen.ok_or_else(|| Error::failed(format!("there is no message {id}")))
    }

    /// Those of the messages that agents see, as they may see them.
    pub(super) async fn seen(
        &self,
        chats: &mut S::Chats,
        messages: Vec<Message>,
    ) -> Result<Vec<SeenMessage>> {
        // Most messages that are answered stand nearby.
        let mut known: HashMap<_, _> =
            messages.iter().map(|message| (message.id, self.shows(message))).collect();
        let mut seen = Vec::with_capacity(messages.len());
        for mut message in messages.into_iter().filter(|message| self.shows(message)) {
            let answered = message.reply_to.as_ref().and_then(|reply| reply.id);
            if let Some(id) = answered.filter(|_| !self.bounds.shows_everything()) {
                let is_shown = match known.get(&id) {
                    Some(is_shown) => *is_shown,
                    None => match chats.find(id).await? {
                        Some(answered) => self.shows(&answered),
                        // A platform tells of answers within one conversation; ours may cross.
                        None => message.direction == Direction::Inbound,
                    },
                };
                known.insert(id, is_shown);
                message.reply_to = message.reply_to.filter(|_| is_shown);
            }
            seen.push(SeenMessage(message));
        }
        Ok(seen)
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

#[cfg(test)]
impl SeenMessage {
    /// A message of a test, whatever it answers.
    pub(super) fn of_test(message: Message) -> Self {
        Self(message)
    }
}
