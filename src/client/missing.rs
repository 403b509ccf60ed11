//! The error for a message that does not exist.

use crate::error::Error;
use uuid::Uuid;

/// Messages that are no longer there, or never were.
pub(super) fn no_message(id: Uuid) -> Error {
    Error::failed(format!("there is no message {id}")).hint("`rechat list` shows all messages")
}
