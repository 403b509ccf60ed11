//! Frames that a server sends on the WebSocket and lines of `GET /api/stream`, distinguished by
//! `type` (contract, Part 1, "WebSocket", and items 9 to 17 and 29).

mod answer;
mod kind;
mod message;
#[cfg(test)]
mod tests;

pub(super) use answer::request_id;
pub use answer::{Ack, AckStatus, ErrorAnswer};
pub use kind::{EventKind, EventKinds, UnknownEvent};
pub use message::{MessageDeleted, MessageStatus, MessageUpdated, NewMessageData};

use super::overview::Conversation;
use super::platform::{AdapterStatusChange, PlatformState};
use crate::model::notice::Notice;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// `code` of the error for a cursor or `since` that cannot be used: the client has to load
/// everything again.
pub const CURSOR_GONE: &str = "cursor_gone";

/// One frame of the server. `cursor` is there for sessions that asked for events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "made one at a time, and written at once")]
pub enum ServerEvent<'a> {
    /// A message was stored.
    NewMessage {
        /// Position of this event in the log; for sessions that asked for events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<Cow<'a, str>>,
        /// The event.
        data: NewMessageData<'a>,
    },
    /// The status of a message changed.
    MessageStatus {
        /// Position of this event in the log; for sessions that asked for events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<Cow<'a, str>>,
        /// The event.
        data: MessageStatus<'a>,
    },
    /// Something else of a message changed.
    MessageUpdated {
        /// Position of this event in the log; for sessions that asked for events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<Cow<'a, str>>,
        /// The event.
        data: Box<MessageUpdated>,
    },
    /// A message was deleted.
    MessageDeleted {
        /// Position of this event in the log; for sessions that asked for events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<Cow<'a, str>>,
        /// The event.
        data: MessageDeleted<'a>,
    },
    /// A platform reported something that is not a message.
    Notice {
        /// Position of this event in the log; for sessions that asked for events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<Cow<'a, str>>,
        /// The event.
        data: Cow<'a, Notice>,
    },
    /// A conversation changed.
    ConversationUpdated {
        /// Position of this event in the log; for sessions that asked for events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<Cow<'a, str>>,
        /// The event.
        data: Cow<'a, Conversation>,
    },
    /// The connection of an adapter changed.
    AdapterStatus {
        /// Position of this event in the log; for sessions that asked for events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<Cow<'a, str>>,
        /// The event.
        data: AdapterStatusData<'a>,
    },
    /// The stream could not continue at the cursor and begins now; the client's data may be old.
    Reset {
        /// Position of this event in the log; for sessions that asked for events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<Cow<'a, str>>,
        /// Missing from older servers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ResetReason>,
    },
    /// A command was carried out.
    Ack(Ack),
    /// A command was refused; the connection stays open.
    Error(ErrorAnswer),
    /// A frame of a newer server, of a type that is unknown here.
    #[serde(other)]
    Unknown,
}

/// Reason why a stream begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetReason {
    /// Events after the cursor are not kept any more. Messages are kept, and `since` replays them.
    TooOld,
    /// The cursor, or the message, belongs to another store or to an older copy of this store.
    #[serde(other)]
    OtherStore,
}

/// `data` of `adapter_status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AdapterStatusData<'a> {
    /// The platform of the adapter.
    pub platform: Cow<'a, str>,
    /// The state after the change.
    pub status: PlatformState,
    /// The same value again, under the name that the contract gives it in its table.
    pub content: PlatformState,
    /// The account, once the adapter has told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Cow<'a, str>>,
    /// The reason, and advice, if it is not obvious.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
}

impl<'a> AdapterStatusData<'a> {
    /// Tells the new state of an adapter or of one account of it.
    pub fn of(change: &'a AdapterStatusChange) -> Self {
        Self {
            platform: (&*change.platform).into(),
            status: change.state,
            content: change.state,
            account: change.account.as_deref().map(Cow::from),
            reason: change.reason.as_deref().map(Cow::from),
        }
    }
}
