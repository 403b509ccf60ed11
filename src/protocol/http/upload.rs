//! Uploads that go on after a break, by the protocol tus 1.0.

use hyper::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The version that a request or an answer is of.
pub const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");

/// The version that is spoken.
pub const TUS_VERSION: HeaderValue = HeaderValue::from_static("1.0.0");

/// Bytes of the whole file.
pub const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");

/// The byte at which an upload goes on.
pub const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");

/// The file's `filename` and `sha256`, each in base64 behind its key.
pub const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");

/// The media type of a part of an upload.
pub const UPLOAD_PART: &str = "application/offset+octet-stream";

/// Answer of `POST /api/uploads` and `GET /api/uploads/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UploadState {
    #[allow(missing_docs)]
    pub id: Uuid,
    /// The file's name, as it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Bytes of the whole file.
    pub length: u64,
    /// Bytes of it that are here; it goes on with the next one.
    pub offset: u64,
    /// SHA-256 in hex, by which segments name it, once it is whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
    /// Media type, by the bytes, once it is whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// Unix seconds after which it may be gone, unless more of it comes.
    pub expires_at: u64,
}
