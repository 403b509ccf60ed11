//! Events that reach the model, and the effects that it asks for.

use super::attachment::{Fetching, MediaItem};
use super::notify::Notification;
use super::picture::Picture;
use super::scope::ConversationKey;
use crate::client::{HistoryPage, HistoryQuery, watch};
use crate::model::message::Message;
use crate::protocol::http::{self, AdapterStatus, GroupMember, MessageChange, NewMessage, Stats};
use crossterm::event::{KeyEvent, MouseEvent};
use std::path::PathBuf;
use uuid::Uuid;

/// Event for the model.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "handled one at a time")]
pub enum TuiEvent {
    Key(KeyEvent),
    Mouse(MouseEvent),
    Paste(String),
    /// The new columns and rows of the terminal.
    Resize(u16, u16),
    /// Whether the terminal has the keyboard; else another window has it.
    Focus(bool),
    /// A second has passed; Unix seconds.
    Tick(u64),
    /// The state for the next start could not be kept, for this reason.
    NotSaved(String),
    /// The server tells.
    Watch(watch::WatchEvent),
    /// The server answers a request that was made after the event with the number `asked`.
    Reply {
        asked: u64,
        answer: ServerReply,
    },
}

/// Effect that the model asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Ask(ServerRequest),
    /// To the terminal's clipboard.
    Copy(String),
    /// An address, or a file of this host, with the program that the desktop has for it.
    Open(String),
    Notify(Notification),
    /// Draws every cell again, where something else wrote to the terminal.
    Redraw,
    /// Stops the process until the shell continues it.
    Suspend,
    Quit,
}

/// Request to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerRequest {
    Conversations,
    Platforms,
    Stats,
    /// A page of the stream. The reply has the same ticket.
    Page {
        ticket: u64,
        wanted: HistoryQuery,
    },
    /// A message as it is now.
    Message(Uuid),
    /// Everything up to a message was read.
    Read(ConversationKey, Uuid),
    /// Everything in a conversation was read.
    ReadAll(ConversationKey),
    /// Mutes or pins a conversation, or no longer.
    SetConversation(ConversationKey, http::SetConversation),
    Send(NewMessage),
    /// Sends a file of this host as a message.
    SendFile(NewMessage, PathBuf),
    Edit(Uuid, MessageChange),
    /// Takes a message back on its platform.
    Recall(Uuid),
    /// Sets a reaction to a message (`true`), or takes it back (`false`).
    React(Uuid, String, bool),
    Cancel(Uuid),
    Retry(Uuid),
    /// Deletes a message from the store; the platform keeps it.
    Delete(Uuid),
    Fetch(Box<MediaItem>, Fetching),
    /// A picture that fits into columns and rows.
    Picture(Box<MediaItem>, (u16, u16)),
    /// Those who wrote in a conversation lately.
    People(ConversationKey),
    /// Friend and join requests.
    Requests,
    /// Approves (`true`) or rejects (`false`) the request with this ID.
    Answer(u64, bool),
}

/// A message that the server did not get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotSent {
    pub message: NewMessage,
    /// The file of this host that was to go with it.
    pub file: Option<PathBuf>,
    /// The reason, for people.
    pub why: String,
}

/// A request, and how much the server had told when it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberedRequest {
    /// The number of the last event before the request ([`Model::told_last`](super::Model::told_last)).
    pub asked: u64,
    pub request: ServerRequest,
}

/// Reply of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerReply {
    Conversations(Vec<http::Conversation>),
    Platforms(Vec<AdapterStatus>),
    Stats(Stats),
    Page {
        ticket: u64,
        found: HistoryPage,
    },
    /// The page could not be read; it may be requested again.
    NoPage {
        ticket: u64,
        why: String,
    },
    Message(Box<Message>),
    /// A conversation was read, muted or pinned; `None` where it has no messages any more.
    Conversation(Option<Box<http::Conversation>>),
    /// The read mark could not be set.
    NotRead,
    /// A message was made.
    Made(Box<Message>),
    /// A message changed, and what was done to it.
    Changed(Box<Message>, &'static str),
    Deleted(Uuid),
    NotSent(Box<NotSent>),
    /// A file was fetched.
    Fetched(PathBuf, Fetching),
    Picture(Box<Picture>),
    /// Those who wrote in a conversation, the latest first, then its other members.
    People(ConversationKey, Vec<GroupMember>),
    /// The people could not be read, for this reason.
    NoPeople(String),
    Requests(Vec<http::Request>),
    RequestAnswered(Box<http::Request>),
    /// Another action failed.
    Failed(String),
}
