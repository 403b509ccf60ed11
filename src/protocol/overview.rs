//! Counts of messages, and conversations, as the store keeps them and every interface shows them.

use serde::{Deserialize, Serialize};

/// How many messages are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub struct Stats {
    pub pending: u64,
    pub sending: u64,
    pub sent: u64,
    pub failed: u64,
    pub canceled: u64,
    pub total: u64,
}

/// A conversation that messages were stored for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Conversation {
    #[allow(missing_docs)]
    pub platform: String,
    #[allow(missing_docs)]
    pub conversation: String,
    /// Its name for people, where the platform told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The account of ours that saw it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The `seq` of its newest message.
    pub last_seq: u64,
    /// Unix seconds of its newest message.
    pub last_at: u64,
}
