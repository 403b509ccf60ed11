//! Conversations in the form for models.

use super::message::{Person, Quoted, words};
use super::text::{EXCERPT, cut, is_false, time};
use crate::protocol::http::{Conversation, ConversationKind};
use schemars::JsonSchema;
use serde::Serialize;

/// Conversations, the latest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct ConversationPage {
    pub(in crate::mcp) conversations: Vec<ShownConversation>,
    /// `cursor` for the next page; left out where these are all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) next: Option<String>,
}

/// A conversation.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct ShownConversation {
    pub(in crate::mcp) platform: String,
    /// Its ID.
    pub(in crate::mcp) conversation: String,
    /// `group`, `private` or `channel`.
    pub(in crate::mcp) kind: &'static str,
    /// Its name for people, which they can change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) name: Option<String>,
    /// Inbound messages that the person has not read.
    unread: u64,
    /// Those of them that mention the person's account.
    mentions: u64,
    /// When the last message was written.
    last_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_message: Option<Quoted>,
    #[serde(default, skip_serializing_if = "is_false")]
    muted: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pinned: bool,
}

impl ShownConversation {
    pub(in crate::mcp) fn of(known: &Conversation) -> Self {
        let last_message = known.last_message.as_ref().map(|message| Quoted {
            id: Some(message.id.to_string()),
            sender: message.sender.as_ref().map(Person::of),
            text: Some(cut(&words(message), EXCERPT).0),
        });
        Self {
            platform: known.platform.clone(),
            conversation: known.conversation.clone(),
            kind: match known.kind {
                ConversationKind::Group => "group",
                ConversationKind::Private => "private",
                ConversationKind::Channel => "channel",
            },
            name: known.name.clone(),
            unread: known.unread,
            mentions: known.mentions,
            last_time: time(known.last_at),
            last_message,
            muted: known.muted,
            pinned: known.pinned,
        }
    }
}
