//! Events of a stream of messages.

use crate::model::message::Message;
use crate::protocol::event::{EventKind, MessageDeleted, MessageStatus};

/// Events that are asked for beside new messages.
pub const CHANGES: [EventKind; 3] =
    [EventKind::MessageStatus, EventKind::MessageUpdated, EventKind::MessageDeleted];

/// The next thing that happened.
pub enum Followed {
    /// A message was made.
    Message(Box<Message>),
    /// A message has another status.
    Status(MessageStatus<'static>),
    /// Something else of a message changed; this is how it is now.
    Updated(Box<Message>),
    /// A message was deleted.
    Deleted(MessageDeleted<'static>),
    /// The store is another one, or an older copy; from here on its new messages come.
    StoreReplaced,
    /// The events that were missed are not kept any more; from here on it goes on. The messages that
    /// were missed come all the same, unless it is not known from where on.
    EventsGone {
        /// Whether messages may be missing as well.
        with_messages: bool,
    },
}
