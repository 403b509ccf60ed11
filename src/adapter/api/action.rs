//! Actions on a platform beside sending, and how they end.

use crate::model::content::Content;
use std::fmt;

/// An action on a platform for the account that gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "`external_id` is the platform's own ID of the message")]
pub enum Action {
    /// Take a message back.
    Recall {
        conversation: String,
        external_id: String,
        /// Of a message that went out as several, the IDs of all of them, the first one's too; an
        /// empty one where the platform told none.
        parts: Vec<String>,
    },
    /// Put other content in the place of a message's.
    Edit { conversation: String, external_id: String, content: Content },
    /// Set a reaction of the account, or take it back.
    React { conversation: String, external_id: String, emoji: String, on: bool },
    /// Mark a conversation as read up to a message.
    Read { conversation: String, external_id: String },
    /// Show that somebody types, or that nobody does any more.
    Type { conversation: String, on: bool },
    /// Answer a request; `request` is what the adapter told of it, in words of its own.
    AnswerRequest { request: String, approve: bool, reason: String },
}

/// Reason why an action failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionError {
    /// The platform or its implementation has no such action.
    Unsupported,
    /// The platform refused, in these words.
    Refused(String),
    /// The account is not connected.
    NotConnected,
    /// No answer came in time, or the connection was lost: it may have been carried out.
    Unknown(String),
}

impl fmt::Display for ActionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported => f.write_str("the platform cannot do this"),
            Self::Refused(reason) => write!(f, "the platform refused: {reason}"),
            Self::NotConnected => f.write_str("the account is not connected; try again later"),
            Self::Unknown(reason) => {
                write!(f, "it is unknown whether the platform did it: {reason}")
            }
        }
    }
}
