//! Events of a stream of messages.

use crate::model::message::Message;
use crate::protocol::event::{EventKind, MessageDeleted, MessageStatus};

/// Kinds of events that are requested in addition to new messages.
pub const CHANGES: [EventKind; 3] =
    [EventKind::MessageStatus, EventKind::MessageUpdated, EventKind::MessageDeleted];

/// The next event.
pub enum Followed {
    /// A message was made.
    Message(Box<Message>),
    /// The status of a message changed.
    Status(MessageStatus<'static>),
    /// Something else of a message changed; this is the message after it.
    Updated(Box<Message>),
    /// A message was deleted.
    Deleted(MessageDeleted<'static>),
    /// The store is another one, or an older copy; from here on its new messages follow.
    StoreReplaced,
    /// The missed events are not kept any more, and the stream continues. The missed messages
    /// follow nevertheless, unless the position is unknown.
    EventsGone {
        /// Whether messages may be missing as well.
        with_messages: bool,
    },
}
