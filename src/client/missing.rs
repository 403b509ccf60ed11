//! The errors for messages and files that do not exist.

use crate::error::Error;
use crate::media::Hash;
use uuid::Uuid;

/// Error for a message that does not exist.
pub(super) fn no_message(id: Uuid) -> Error {
    Error::failed(format!("there is no message {id}")).hint("`rechat list` shows all messages")
}

/// Error for a file that does not exist.
pub(super) fn no_media(media: Hash) -> Error {
    Error::failed(format!("there is no file {media}")).hint("`rechat media` lists them")
}
