//! Stored files.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Answer of `POST /api/media`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Uploaded {
    /// SHA-256 in hex; segments name the file by it.
    pub media: String,
    /// The name from the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Media type, by the bytes.
    pub mime: String,
    /// Bytes.
    pub size: u64,
}

/// Answer of `GET /api/media/{media}/address`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MediaAddress {
    /// Path and query below the server's own address, at which the file is served without a token.
    pub path: String,
    /// Unix seconds until which the address is valid.
    pub until: u64,
}

/// Answer of `GET /api/media`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MediaList {
    /// The newest files, in the order in which they were stored.
    pub media: Vec<KeptMedia>,
    /// Number of all files.
    pub count: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// The most bytes of all files; 0 sets no bound.
    pub quota_bytes: u64,
}

/// A stored file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KeptMedia {
    /// SHA-256 in hex.
    pub media: String,
    /// Its name in the newest message that has it with a name, if that is among the newest
    /// messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Media type, by the bytes.
    pub mime: String,
    /// Bytes.
    pub size: u64,
    /// Unix seconds at which it was stored.
    pub stored_at: u64,
    /// The newest message that has it, if that is among the newest messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_in: Option<MediaUse>,
}

/// The newest message with a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MediaUse {
    /// The ID of the message.
    pub message: Uuid,
    /// Name of the platform.
    pub platform: String,
    /// ID of the conversation on its platform.
    pub conversation: String,
    /// The conversation's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_name: Option<String>,
}

/// Answer of `DELETE /api/media/{media}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MediaRemoved {
    /// Always `true`.
    pub deleted: bool,
    /// Number of messages that had it.
    pub messages: u64,
}
