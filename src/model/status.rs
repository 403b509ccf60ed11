//! State and direction of a message (contract, Part 1 and item 1).

use super::named::named_enum;
use serde::{Deserialize, Serialize};

/// State of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// Stored; waits to be sent.
    Pending,
    /// Claimed by the outbox: an attempt is running.
    Sending,
    /// Confirmed by the platform, or received from it.
    Sent,
    /// Given up; `last_error` says why.
    Failed,
    /// Canceled before it was sent.
    Canceled,
}

impl Status {
    /// Every state, in the order of the contract.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Sending, Self::Sent, Self::Failed, Self::Canceled];

    /// The states that can be canceled: the message is not being sent, and was not sent.
    pub const CANCELABLE: [Self; 3] = [Self::Pending, Self::Failed, Self::Canceled];

    /// The states that can be sent again.
    pub const REPEATABLE: [Self; 2] = [Self::Failed, Self::Canceled];

    /// Whether no attempt follows unless somebody asks for one.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Sent | Self::Failed | Self::Canceled)
    }

    /// The name in the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Sending => "Sending",
            Self::Sent => "Sent",
            Self::Failed => "Failed",
            Self::Canceled => "Canceled",
        }
    }
}

/// Whether a message goes out to a platform or came in from one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// Made here, to be sent.
    #[default]
    Outbound,
    /// Received from a platform.
    Inbound,
}

impl Direction {
    /// Both directions.
    pub const ALL: [Self; 2] = [Self::Outbound, Self::Inbound];

    /// The name in the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Outbound => "Outbound",
            Self::Inbound => "Inbound",
        }
    }
}

named_enum!(Status, Direction);
