//! Effects that the model asks for, and events that come back.

use super::scope::Key;
use crate::client::{HistoryPage, HistoryQuery, watch};
use crate::model::message::{Message, Status};
use crate::protocol::http::{AdapterStatus, Conversation, NewMessage, Stats};
use crossterm::event::{KeyEvent, MouseEvent};
use uuid::Uuid;

/// Event for the model.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "handled one at a time")]
#[allow(missing_docs)]
pub enum Event {
    Key(KeyEvent),
    Mouse(MouseEvent),
    Paste(String),
    Resize(u16, u16),
    /// A second has passed; Unix seconds.
    Tick(u64),
    /// The server tells.
    Watch(watch::Event),
    /// The server answers.
    Reply(Reply),
}

/// Effect that the model asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Effect {
    Ask(Request),
    /// To the terminal's clipboard.
    Copy(String),
    Redraw,
    Suspend,
    Quit,
}

/// Request to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Request {
    Conversations,
    Platforms,
    Stats,
    /// A page of the stream; the ticket comes back with it.
    Page {
        ticket: u64,
        wanted: HistoryQuery,
    },
    /// The newest message of a conversation.
    LastOf(Key),
    Send(NewMessage),
    SetStatus(Uuid, Status),
    Delete(Uuid),
}

/// Reply of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Reply {
    Conversations(Vec<Conversation>),
    Platforms(Vec<AdapterStatus>),
    Stats(Stats),
    Page {
        ticket: u64,
        found: HistoryPage,
    },
    /// Not now; it may be asked for again.
    NoPage {
        ticket: u64,
        why: String,
    },
    LastOf(Option<Box<Message>>),
    /// A message was made.
    Made(Box<Message>),
    Changed(Box<Message>),
    Deleted(Uuid),
    NotSent {
        why: String,
    },
    /// Something else could not be done.
    Failed(String),
}
