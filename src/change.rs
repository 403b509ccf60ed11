//! Changes as values: everything that can happen to the store, and the pure rules that decide it.
//!
//! A [`Command`] is what somebody wants; with the state at hand it is decided into a [`Change`],
//! which carries every ID and time it needs, so that applying it gives the same result anywhere.

use crate::message::{Message, Status};

/// Something that happened; applying it is deterministic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A message was made; its `seq` is the journal's next.
    Created(Message),
    /// A message changed; this is how it is now.
    Updated(Message),
    /// A message was deleted; this is how it was.
    Deleted(Message),
}

impl Change {
    /// The message as it is after the change, or was before it was deleted.
    pub fn message(&self) -> &Message {
        match self {
            Self::Created(message) | Self::Updated(message) | Self::Deleted(message) => message,
        }
    }
}

/// Sets a status by hand, as `PATCH` does: every move is allowed (contract, Part 2, item 4).
///
/// Sending again starts with a clean slate; a state that is set to itself is left alone.
pub fn set_status(mut message: Message, status: Status, at: u64) -> Option<Message> {
    if message.status == status {
        return None;
    }
    if status == Status::Pending {
        message.retry_count = 0;
        message.last_error = None;
    }
    message.status = status;
    message.updated_at = at;
    Some(message)
}
