//! Conversations, and the properties that a client can set.

use crate::protocol::overview::Conversation;
use serde::{Deserialize, Serialize};

/// Answer of `GET /api/conversations`: those that have messages, the latest first.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Conversations {
    /// The conversations, the one with the newest message first.
    pub conversations: Vec<Conversation>,
}

/// Body of `POST /api/conversations/{platform}/{conversation}/typing`, and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Typing {
    /// Whether somebody types.
    pub typing: bool,
}

/// Body of `PATCH /api/conversations/{platform}/{conversation}`. Missing fields do not change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SetConversation {
    /// The last message that was read: an ID, a `seq`, or `latest`. Messages that were read stay
    /// read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_to: Option<ReadTo>,
    /// This message, given by its ID or `seq`, and those after it count as unread again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_from: Option<ReadTo>,
    /// Whether clients notify of its messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted: Option<bool>,
    /// Whether clients show it first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
}

/// The last message that was read, or the first one that was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(
    untagged,
    expecting = "`read_to` and `unread_from` must be the `seq` or the ID of a message, or `latest`"
)]
pub enum ReadTo {
    /// The `seq` of a message.
    Seq(u64),
    /// A message's ID, a `seq`, or `latest`.
    Text(String),
}

impl ReadTo {
    /// Everything up to the newest message.
    pub fn latest() -> Self {
        Self::Text("latest".into())
    }
}
