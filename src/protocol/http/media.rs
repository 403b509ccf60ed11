//! Media that are kept.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Answer of `POST /api/media`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Uploaded {
    /// SHA-256 in hex, by which segments name it.
    pub media: String,
    /// As it was given.
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
    /// Unix seconds until which it holds.
    pub until: u64,
}

/// Answer of `GET /api/media`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MediaList {
    /// Those that were stored last, the newest first.
    pub media: Vec<KeptMedia>,
    /// How many there are.
    pub count: u64,
    /// Bytes of all.
    pub bytes: u64,
    /// Bytes that all may have; 0 sets no bound.
    pub quota_bytes: u64,
}

/// A file that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KeptMedia {
    /// SHA-256 in hex.
    pub media: String,
    /// Its name in the newest message that has it and names it, where that is among the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Media type, by the bytes.
    pub mime: String,
    /// Bytes.
    pub size: u64,
    /// Unix seconds at which it was stored.
    pub stored_at: u64,
    /// The newest message that has it, where that is among the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_in: Option<MediaUse>,
}

/// The newest message that has a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MediaUse {
    /// The ID of the message.
    pub message: Uuid,
    #[allow(missing_docs)]
    pub platform: String,
    #[allow(missing_docs)]
    pub conversation: String,
    /// The conversation's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_name: Option<String>,
}

/// Answer of `DELETE /api/media/{media}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MediaRemoved {
    #[allow(missing_docs)]
    pub deleted: bool,
    /// Messages that had it.
    pub messages: u64,
}
