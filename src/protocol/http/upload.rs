//! Uploads that can be continued after a broken connection, with the protocol tus 1.0.

use hyper::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Header with the version of the protocol.
pub const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");

/// The version that is supported.
pub const TUS_VERSION: HeaderValue = HeaderValue::from_static("1.0.0");

/// Bytes of the whole file.
pub const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");

/// Header with the byte at which an upload continues.
pub const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");

/// Header with the file's `filename` and `sha256`, each in base64 after its key.
pub const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");

/// The media type of a part of an upload.
pub const UPLOAD_PART: &str = "application/offset+octet-stream";

/// Answer of `POST /api/uploads` and `GET /api/uploads/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UploadState {
    /// ID of the file.
    pub id: Uuid,
    /// The file's name from the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Bytes of the whole file.
    pub length: u64,
    /// Bytes of it that have arrived; the upload continues with the next byte.
    pub offset: u64,
    /// SHA-256 in hex, by which segments name it, once the upload is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
    /// Media type, by the bytes, once the upload is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// Unix seconds after which it may be removed, unless it is continued.
    pub expires_at: u64,
}
