//! The bodies of the HTTP API, which both the server and the client read and write.

mod code;
mod conversation;
mod media;
mod member;
mod message;
mod quarantine;
mod request;
mod texts;
mod transfer;
mod upload;

pub use super::overview::{Conversation, ConversationKind, Stats};
pub use super::platform::{AdapterStatus, ConnectionCodes, PlatformState};
pub use code::{code_of, is_literal};
pub use conversation::{Conversations, ReadTo, SetConversation, Typing};
pub use media::{KeptMedia, MediaAddress, MediaList, MediaRemoved, MediaUse, Uploaded};
pub use member::{GroupMember, GroupMembers, MAX_MEMBERS, MemberRole};
pub use message::{MessageChange, NewMessage, ParsedChange};
pub use quarantine::{QuarantinedEvent, QuarantinedEvents, StoredAgain};
pub use request::{Request, RequestAnswer, Requests};
pub use texts::{
    INVALID_STATUS, INVALID_TYPE, MISSING_DATA, NO_REPLY_TARGET, NOT_FOUND, NOT_INITIALIZED,
    other_status,
};
pub use transfer::{Backup, BackupDone, Imported, TransferRecord};
pub use upload::{
    TUS_RESUMABLE, TUS_VERSION, UPLOAD_LENGTH, UPLOAD_METADATA, UPLOAD_OFFSET, UPLOAD_PART,
    UploadState,
};

use crate::model::content::ForwardItem;
use crate::model::message::Message;
use serde::{Deserialize, Serialize};

/// Answer of `GET /api/messages`.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Listing {
    /// The messages, the newest first.
    pub messages: Vec<Message>,
    /// The number of messages that were skipped.
    pub offset: u64,
    /// The greatest number of messages in this answer.
    pub limit: usize,
    /// The `before` of the next page, if a search stopped before the page was full: while the index
    /// is being built, or after it compared 100,000 messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searched_to: Option<u64>,
}

/// Answer of `GET /api/activity`: messages of each minute, the oldest first.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Activity {
    /// Unix seconds at which the first minute begins.
    pub from: u64,
    /// Received messages, by minute.
    #[serde(rename = "in")]
    pub inbound: Vec<u64>,
    /// Sent messages, by minute.
    #[serde(rename = "out")]
    pub outbound: Vec<u64>,
}

/// Answer of `GET /api/messages/{id}/forward`: the messages of a forward, in their order.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OpenedForward {
    /// The forwarded messages.
    pub items: Vec<ForwardItem>,
}

/// Answer of `DELETE /api/messages/{id}`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Deleted {
    /// Always `true`.
    pub deleted: bool,
}

/// Answer of `GET /api/platforms`: every adapter, and how it is connected.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Platforms {
    /// The adapters of the configuration and those that are connected.
    pub platforms: Vec<AdapterStatus>,
}

/// Answer of `GET /api/health`.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Health {
    /// `ok` or `degraded`.
    pub status: String,
    /// Reason why it is degraded, and advice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Body of every error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ErrorBody {
    /// The error as text for people.
    pub error: String,
    /// The error's code for programs; left out if the contract fixes the whole body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The platform's or the host's own text within the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Messages on a page unless the request says otherwise.
pub const DEFAULT_LIMIT: usize = 50;

/// Conversations on a page unless the request says otherwise.
pub const DEFAULT_CONVERSATIONS: usize = 200;

/// The most messages or conversations on a page.
pub const MAX_LIMIT: usize = 200;
