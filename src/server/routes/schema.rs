//! JSON Schemas of parameters.

use crate::server::messages::MAX_KEY_BYTES;
use serde_json::{Value, json};

pub(super) fn id() -> Value {
    json!({"type": "string", "format": "uuid"})
}

/// The first digits of an ID, with its hyphens or without.
pub(super) fn prefix() -> Value {
    json!({"type": "string", "pattern": "^([0-9A-Fa-f]-*){4,32}$"})
}

/// A number from 0, in 64 bits.
pub(super) fn count() -> Value {
    json!({"type": "integer", "format": "uint64", "minimum": 0, "maximum": u64::MAX})
}

/// The ID or the `seq` of a message.
pub(super) fn position() -> Value {
    json!({"oneOf": [id(), count()]})
}

/// The name of a platform, conversation or account.
pub(super) fn name() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": 256, "pattern": r"^(?!\*$)[^\x00-\x1f\x7f-\x9f]+$"})
}

/// An `Idempotency-Key`.
pub(super) fn key() -> Value {
    json!({
        "type": "string", "minLength": 1, "maxLength": MAX_KEY_BYTES,
        "pattern": r"^[\t\x20-\x7e]*[\x21-\x7e][\t\x20-\x7e]*$",
    })
}

/// A SHA-256 in hex.
pub(super) fn hash() -> Value {
    json!({"type": "string", "pattern": "^[0-9a-fA-F]{64}$"})
}

/// The name of a file.
pub(super) fn file_name() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[^\x00-\x1f\x7f-\x9f]+$"})
}

/// The size of a file, up to the default of `media.max_bytes`.
pub(super) fn file_bytes() -> Value {
    json!({"type": "integer", "minimum": 1, "maximum": 100 << 20})
}

/// Pairs of a key and a value in base64.
pub(super) fn metadata() -> Value {
    json!({"type": "string", "pattern": r"^[\x20-\x7e]*$"})
}
