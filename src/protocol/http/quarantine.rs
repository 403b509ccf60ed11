//! Events of platforms that could not be stored and were quarantined.

use crate::model::message::Sender;
use serde::{Deserialize, Serialize};

/// An event that was quarantined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct QuarantinedEvent {
    /// When it was quarantined, in Unix seconds.
    pub at: u64,
    /// Reason why it could not be stored.
    pub reason: String,
    /// Kind of the event: `message`, `recall`, `edit`, `reaction`, `notice`, `name`, `mention`, `reply`,
    /// `sent`, `refused`, `part_sent` or `raw_event`.
    #[serde(default = "message")]
    pub kind: String,
    /// Name of the platform; empty where the event does not name it.
    pub platform: String,
    /// Your account that received it; empty where the event does not name it.
    pub account: String,
    /// ID of the conversation on its platform; empty where the event does not name it.
    pub conversation: String,
    /// The author, or the person who made the change.
    pub sender: Sender,
    /// The readable text of the message or of the change.
    pub content: String,
    /// When it happened on the platform, in Unix seconds.
    pub created_at: u64,
}

/// The kind that servers before this field told of.
fn message() -> String {
    "message".into()
}

/// Answer of `GET /api/quarantine`.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct QuarantinedEvents {
    /// The oldest first, at most 200.
    pub events: Vec<QuarantinedEvent>,
    /// Number of all of them.
    pub total: usize,
}

/// Answer of `POST /api/quarantine/retry`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StoredAgain {
    /// Events that are stored now.
    pub stored: usize,
    /// Events that still cannot be stored, and stay in quarantine.
    pub left: usize,
}
