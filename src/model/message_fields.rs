//! The fields of a message that are read without copies.

use super::message::{Direction, Message, Status};
use uuid::Uuid;

/// Fields that every message has. Their texts lie elsewhere, as in the record of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageFields<'a> {
    /// The ID that clients use.
    pub id: Uuid,
    /// The conversation it belongs to.
    pub recipient: &'a str,
    /// The status.
    pub status: Status,
    /// Unix seconds.
    pub created_at: u64,
    /// Unix seconds.
    pub updated_at: u64,
    /// How often it was sent again.
    pub retry_count: u32,
    /// The platform, if one was named or found.
    pub platform: Option<&'a str>,
    /// Whether it was received or sent.
    pub direction: Direction,
    /// The conversation's name, where the platform told it.
    pub conversation_name: Option<&'a str>,
    /// The author's ID and name.
    pub sender: Option<(&'a str, &'a str)>,
    /// Your account that received or sent it.
    pub account: Option<&'a str>,
    /// Why the last attempt failed.
    pub last_error: Option<&'a str>,
    /// The platform accepted it without a proof of delivery.
    pub is_unconfirmed: bool,
}

impl MessageFields<'_> {
    /// Whether it is still to be sent.
    pub fn waits(&self) -> bool {
        self.status == Status::Pending && self.direction != Direction::Inbound
    }
}

impl Message {
    /// The fields that every message has.
    pub fn fields(&self) -> MessageFields<'_> {
        MessageFields {
            id: self.id,
            recipient: &self.recipient,
            status: self.status,
            created_at: self.created_at,
            updated_at: self.updated_at,
            retry_count: self.retry_count,
            platform: self.platform.as_deref(),
            direction: self.direction,
            conversation_name: self.conversation_name.as_deref(),
            sender: self.sender.as_ref().map(|sender| (&*sender.id, &*sender.name)),
            account: self.account.as_deref(),
            last_error: self.last_error.as_deref(),
            is_unconfirmed: self.is_unconfirmed,
        }
    }
}
