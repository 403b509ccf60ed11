//! Context of every call of an agent.

use super::bounds::AgentBounds;
use super::position::{GivenCursor, HistoryPosition};
use super::source::{Chats, Source};
use crate::error::{Error, Result};
use crate::model::message::{Direction, Message};
use crate::protocol::http::Conversation;
use crate::store::Access;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;
use uuid::Uuid;

/// Reason why a message without a platform waits, for agents that do not see everything.
const NO_PLATFORM: &str = "it has no platform yet";

/// The messages, and the limits of agents.
pub struct AgentContext<S> {
    pub(super) source: S,
    pub(super) bounds: Arc<AgentBounds>,
    /// Name of the agent's token.
    pub(super) token: Option<Arc<str>>,
}

/// A message as agents may see it: without its quote, if the quoted message is in a conversation
/// that they do not see. Answers to agents contain only such messages.
#[derive(Clone, Debug)]
pub(super) struct SeenMessage(Message);

impl Deref for SeenMessage {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.0
    }
}

impl<S: Source> AgentContext<S> {
    /// The messages of `source`, within limits; `token` is the name of the agent's token.
    pub fn new(source: S, bounds: Arc<AgentBounds>, token: Option<Arc<str>>) -> Self {
        Self { source, bounds, token }
    }

    /// An idempotency key that no other client has, so that agents neither collide with the keys of
    /// others nor learn them.
    pub(super) fn own_key(&self, key: &str) -> String {
        match &self.token {
            Some(token) => format!("mcp-{}-{token}-{key}", token.len()),
            None => format!("mcp-{key}"),
        }
    }

    pub(super) async fn read(&self) -> Result<S::Chats> {
        self.source.open(Access::Read).await
    }

    /// Whether agents see a message.
    pub(super) fn shows(&self, message: &Message) -> bool {
        self.bounds.shows(message.platform_or_local(), &message.recipient)
    }

    /// A message that agents see; a hidden one does not exist for them.
    pub(super) async fn message(&self, chats: &mut S::Chats, id: Uuid) -> Result<SeenMessage> {
        let found = chats.find(id).await?.into_iter().collect();
        let seen = self.seen(chats, found).await?.pop();
        seen.ok_or_else(|| Error::failed(format!("there is no message {id}")))
    }

    /// A position from an agent. Only visible messages and sealed positions are accepted.
    pub(super) async fn position(
        &self,
        chats: &mut S::Chats,
        given: GivenCursor,
    ) -> Result<HistoryPosition> {
        let sealed = given.sealed.and_then(|sealed| self.bounds.seal().open(&sealed));
        match (sealed, given.named) {
            (Some(position), _) => Ok(position),
            (None, Some(HistoryPosition::Message(id))) => {
                self.message(chats, id).await.map(|seen| HistoryPosition::Message(seen.id))
            }
            (None, Some(beginning)) => Ok(beginning),
            (None, None) => Err(Error::failed("this position is of an earlier run of rechat")
                .hint("ask again without it")),
        }
    }

    /// The messages that agents see, in the form in which they may see them.
    pub(super) async fn seen(
        &self,
        chats: &mut S::Chats,
        messages: Vec<Message>,
    ) -> Result<Vec<SeenMessage>> {
        // Most quoted messages are among these.
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
                        // On a platform, a quote is in the same conversation; our own messages may
                        // quote another one.
                        None => message.direction == Direction::Inbound,
                    },
                };
                known.insert(id, is_shown);
                message.reply_to = message.reply_to.filter(|_| is_shown);
            }
            let is_undecided = message.platform.is_none() && message.waiting.is_some();
            if is_undecided && !self.bounds.shows_everything() {
                // The reason may name platforms whose conversation is hidden.
                message.waiting = Some(NO_PLATFORM.into());
            }
            seen.push(SeenMessage(message));
        }
        Ok(seen)
    }

    /// A conversation that agents see; a hidden one does not exist for them.
    pub(super) async fn conversation(
        &self,
        chats: &mut S::Chats,
        platform: &str,
        conversation: &str,
    ) -> Result<Conversation> {
        // It is looked up in any case, because a faster refusal would reveal a hidden one.
        let found = chats.conversation(platform, conversation).await?;
        found.filter(|_| self.bounds.shows(platform, conversation)).ok_or_else(|| {
            let name = format!("{platform}/{conversation}");
            Error::failed(format!("there is no conversation {name}"))
                .hint("list_conversations lists them, each with its platform and ID")
        })
    }
}

#[cfg(test)]
impl SeenMessage {
    /// A message for a test, with any quote.
    pub(super) fn of_test(message: Message) -> Self {
        Self(message)
    }

    /// A message for a test, with this content.
    pub(super) fn of_content(content: crate::model::content::Content) -> Self {
        let id = Uuid::from_u128(1);
        Self(Message::new(1, id, content, "group_1".into(), 1_700_000_000))
    }
}
