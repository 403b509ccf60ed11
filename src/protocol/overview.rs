//! Counts of messages, and conversations, for the store and all interfaces.

use crate::model::message::Message;
use serde::{Deserialize, Serialize};

/// How many messages are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Stats {
    /// Messages that wait to be sent.
    pub pending: u64,
    /// Messages that are being sent.
    pub sending: u64,
    /// Messages that were sent, and received ones.
    pub sent: u64,
    /// Messages that could not be sent.
    pub failed: u64,
    /// Messages that were canceled.
    pub canceled: u64,
    /// All messages.
    pub total: u64,
}

/// A conversation that has messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Conversation {
    /// The platform; `local` while none is chosen.
    pub platform: String,
    /// ID of the conversation on its platform.
    pub conversation: String,
    /// Group, private chat or channel.
    #[serde(default)]
    pub kind: ConversationKind,
    /// Its name for people, where the platform told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Your account that saw it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The message with the latest `created_at`. A message that came in late may have a greater
    /// `seq`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_message: Option<Message>,
    /// The `seq` of its newest message.
    pub last_seq: u64,
    /// Unix seconds of `last_message`.
    pub last_at: u64,
    /// Inbound messages after the read mark.
    #[serde(default)]
    pub unread: u64,
    /// Those of them that mention the account.
    #[serde(default)]
    pub mentions: u64,
    /// Clients do not notify of its messages.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub muted: bool,
    /// Clients show it first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
}

/// The kind of a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConversationKind {
    /// A group.
    Group,
    /// A chat with one person.
    #[default]
    Private,
    /// A channel of a server with many.
    Channel,
}

impl ConversationKind {
    /// The kind, from the form of the ID (contract, item 7); private if it has no form.
    pub fn of(conversation: &str) -> Self {
        match conversation.split_once('_') {
            Some(("group", _)) => Self::Group,
            Some(("channel", _)) => Self::Channel,
            _ => Self::Private,
        }
    }
}
