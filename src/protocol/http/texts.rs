//! Texts of errors.

use crate::model::message::{Direction, Message, Status};

/// Error for an unknown type; fixed by the contract.
pub const INVALID_TYPE: &str = "Invalid message type. Use Text, Image, File, Video, or Audio";

/// Error for an unknown status; fixed by the contract.
pub const INVALID_STATUS: &str = "Invalid status. Use Pending, Sending, Sent, Failed, or Canceled";

/// Error if there is no store; fixed by the contract.
pub const NOT_INITIALIZED: &str = "Repository not initialized";

/// Error for a `send_message` without its fields; fixed by the contract.
pub const MISSING_DATA: &str = "Missing data field";

/// Error for a `reply_to` that is not a message of this store.
pub const NO_REPLY_TARGET: &str = "`reply_to` is no message of this store; give the ID of one";

/// Error for a message that does not exist; fixed by the contract.
pub const NOT_FOUND: &str = "Message not found";

/// Error if the status of a message is not set, because it is not among the states named.
pub fn other_status(message: &Message, from: &[Status]) -> String {
    let Message { id, status: is, .. } = message;
    match is {
        Status::Sent if message.direction == Direction::Inbound => {
            format!("{id} was received; it cannot be sent or canceled")
        }
        Status::Sending => format!("{id} is being sent; try again when the attempt has ended"),
        Status::Sent => format!("{id} is sent already"),
        _ => {
            let named: Vec<_> = from.iter().map(|status| status.as_str()).collect();
            format!("{id} is {is}, not {}; it stays so", named.join(" or "))
        }
    }
}
