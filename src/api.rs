//! The bodies of the HTTP API, as the server reads and the client writes them, and the reverse.

use crate::message::{Message, MessageType};
use serde::{Deserialize, Serialize};

/// What `POST /api/messages` takes. The type is a word here, for its error is the contract's own.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub struct NewMessage {
    pub message_type: String,
    pub content: String,
    pub recipient: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
}

/// What `PATCH /api/messages/{id}` takes.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub struct NewStatus {
    pub status: String,
}

/// What `GET /api/messages` answers.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub struct Listing {
    pub messages: Vec<Message>,
    pub offset: u64,
    pub limit: usize,
    /// Where a search stopped reading before the page was full: `before` for the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searched_to: Option<u64>,
}

/// What `GET /api/activity` answers: messages of each minute, the oldest first.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Activity {
    /// Unix seconds at which the first minute begins.
    pub from: u64,
    #[allow(missing_docs)]
    #[serde(rename = "in")]
    pub inbound: Vec<u64>,
    #[allow(missing_docs)]
    #[serde(rename = "out")]
    pub outbound: Vec<u64>,
}

/// What `DELETE /api/messages/{id}` answers.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub struct Deleted {
    pub deleted: bool,
}

/// What `GET /api/health` answers.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub struct Health<'a> {
    pub status: &'a str,
}

/// What every error answers.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub struct Problem {
    pub error: String,
}

/// The text for a type that is none; spelled by the contract.
pub const INVALID_TYPE: &str = "Invalid message type. Use Text, Image, File, Video, or Audio";

/// The text for a status that is none; spelled by the contract.
pub const INVALID_STATUS: &str = "Invalid status. Use Pending, Sending, Sent, Failed, or Canceled";

/// The text for a message that is not there; spelled by the contract.
pub const NOT_FOUND: &str = "Message not found";

/// Messages on a page unless the request says otherwise.
pub const DEFAULT_LIMIT: usize = 50;

/// The most messages on a page.
pub const MOST_LIMIT: usize = 200;

impl NewMessage {
    /// Checks every field; the error is what the API answers.
    pub fn into_draft(self) -> Result<crate::message::Draft, String> {
        let message_type: MessageType = self.message_type.parse().map_err(|_| INVALID_TYPE)?;
        crate::message::Draft::new(message_type, self.content, self.recipient, self.platform)
    }
}
