//! Texts of errors.

use crate::model::message::Status;
use uuid::Uuid;

/// The text for a type that is none; spelled by the contract.
pub const INVALID_TYPE: &str = "Invalid message type. Use Text, Image, File, Video, or Audio";

/// The text for a status that is none; spelled by the contract.
pub const INVALID_STATUS: &str = "Invalid status. Use Pending, Sending, Sent, Failed, or Canceled";

/// The text where there is no store; spelled by the contract.
pub const NOT_INITIALIZED: &str = "Repository not initialized";

/// The text for a `send_message` without its fields; spelled by the contract.
pub const MISSING_DATA: &str = "Missing data field";

/// The text for a `reply_to` that is no message of this store.
pub const NO_REPLY_TARGET: &str = "`reply_to` is no message of this store; give the ID of one";

/// The text for a message that is not there; spelled by the contract.
pub const NOT_FOUND: &str = "Message not found";

/// The text for a message whose status is not set, because it `is` in none of the states named.
pub fn other_status(id: Uuid, is: Status, from: &[Status]) -> String {
    match is {
        Status::Sending => format!("{id} is being sent now; look again when that has ended"),
        Status::Sent => format!("{id} is sent already"),
        _ => {
            let named: Vec<_> = from.iter().map(|status| status.as_str()).collect();
            format!("{id} is {is}, not {}; it stays so", named.join(" or "))
        }
    }
}
