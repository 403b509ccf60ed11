//! The effects of events, for listeners.

use crate::model::cursor::Epoch;
use crate::model::message::Message;
use crate::model::notice::Notice;

/// The effect of a committed event, for listeners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The number of the event in the log.
    pub offset: u64,
    /// The change.
    pub effect: ChangeEffect,
}

/// The effect on a message or a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeEffect {
    /// A message was made. Its `seq` is larger than any before.
    Created(Message),
    /// A message that was deleted was imported, and has its `seq` again.
    PutBack(Message),
    /// An attempt began or ended, or the status was set by hand. This is the message after it.
    StatusChanged(Message),
    /// An attempt ended, and nothing that is shown changed, because the status was set by hand meanwhile.
    /// This is the message after it.
    AttemptEnded(Message),
    /// Something else of a message changed: it was routed, edited, recalled or reacted to. This is
    /// the message after it.
    Updated(Message),
    /// A message was deleted. This is the message before it.
    Deleted(Message),
    /// Something about a conversation changed: it was named, read, muted or pinned.
    ConversationChanged {
        /// The platform that reported the message.
        platform: String,
        /// The conversation, as the adapter addresses it.
        conversation: String,
    },
    /// A platform reported something that is not a message.
    Noticed(Box<Notice>),
}

impl ChangeEffect {
    /// The message after the change, or before its deletion.
    pub fn message(&self) -> Option<&Message> {
        match self {
            Self::Created(message)
            | Self::PutBack(message)
            | Self::StatusChanged(message)
            | Self::AttemptEnded(message)
            | Self::Updated(message)
            | Self::Deleted(message) => Some(message),
            Self::ConversationChanged { .. } | Self::Noticed(_) => None,
        }
    }
}

/// A batch of changes that is on disk, in the order of its events. Offsets grow; events without an
/// effect for listeners have no entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The epoch of all of them.
    pub epoch: Epoch,
    /// The changes, in the order of the log.
    pub changes: Vec<Change>,
}
