//! Adapters: what the core and a chat platform say to each other.
//!
//! An adapter owns the connections to one kind of implementation. It speaks to the core only by
//! the types of this file: it is given a [`EventSink`], reports [`Event`]s, and answers the
//! [`Request`]s that reach it by the [`AccountHandle`] it registered. It never sees the store, the hub or
//! the server; they in turn never name a protocol.

mod account_handle;
mod dial;
mod event_sink;
#[cfg(fuzzing)]
pub mod fuzzing;
mod kind;
mod loopback;
mod mount;
mod onebot;
mod onebot11;
mod onebot12;
mod registry;
mod routing;
mod settings;
mod socket;

pub use account_handle::AccountHandle;
pub use event_sink::{EventSink, QueuedEvent, Stopped};
pub use kind::{KINDS, Kind, Resolve, kind};
pub use mount::{Context, Endpoint, Handshake, accept, start};
pub use registry::{AdapterStatus, Changes, Registry, StatusChange};
pub use routing::configured_facts;
pub use settings::{GroupFile, History, MessageFormat, OnUnknown, RateLimit, Settings, Transport};
pub use socket::{Socket, config};

pub use crate::model::change::Inbound;
use crate::model::message::MessageType;
use tokio::sync::oneshot;
use uuid::Uuid;

/// A message on its way to a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound {
    #[allow(missing_docs)]
    pub id: Uuid,
    #[allow(missing_docs)]
    pub conversation: String,
    #[allow(missing_docs)]
    pub message_type: MessageType,
    #[allow(missing_docs)]
    pub content: String,
    /// Unix seconds when it was made; where to begin when looking for it in a history.
    pub created_at: u64,
}

/// How an attempt to send ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The platform confirmed it, and may have told its ID.
    Sent {
        /// The platform's own ID of the message.
        external_id: Option<String>,
    },
    /// The platform refused it.
    Refused {
        /// What it said.
        reason: String,
        /// Whether trying again can help.
        retryable: bool,
    },
    /// Nobody can say whether it went out: no answer in time, or the connection was lost.
    Unknown {
        /// What happened.
        reason: String,
    },
}

/// History of a platform, asked about an attempt whose outcome is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The platform has a history.
    History {
        /// Messages of the account that may be the one, the oldest first; the core knows which of
        /// them are other messages.
        candidates: Vec<Inbound>,
        /// The history reaches back to before the message was made.
        is_complete: bool,
    },
    /// The platform has no history to ask.
    CannotTell,
}

/// What the core asks of a connected account.
#[derive(Debug)]
pub enum Request {
    /// Send it. Answered once, within the adapter's time limit.
    Send {
        #[allow(missing_docs)]
        message: Outbound,
        #[allow(missing_docs)]
        answer: oneshot::Sender<Delivery>,
    },
    /// Look whether it went out after all.
    Find {
        #[allow(missing_docs)]
        message: Outbound,
        #[allow(missing_docs)]
        answer: oneshot::Sender<Found>,
    },
}

/// What an adapter reports to the core.
#[derive(Debug)]
pub enum Event {
    /// A message came in.
    Message(Box<Inbound>),
    /// A platform confirmed a message after the time limit of the attempt.
    ConfirmedLate {
        #[allow(missing_docs)]
        message: Uuid,
        /// The account it left by.
        account: Option<String>,
        /// The platform's own ID of the message.
        external_id: Option<String>,
    },
    /// A conversation's name became known.
    Named {
        #[allow(missing_docs)]
        platform: String,
        #[allow(missing_docs)]
        conversation: String,
        #[allow(missing_docs)]
        name: String,
    },
    /// Which conversations does this account have? Asked after a reconnect, to fetch what was
    /// missed; the newest first.
    Conversations {
        #[allow(missing_docs)]
        platform: String,
        #[allow(missing_docs)]
        account: String,
        /// The most to be told.
        limit: usize,
        #[allow(missing_docs)]
        answer: oneshot::Sender<Vec<String>>,
    },
}

/// The state of an adapter's connection, as the contract spells it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[allow(missing_docs)]
pub enum State {
    Connecting,
    Connected,
    Disconnected,
    Error,
}
