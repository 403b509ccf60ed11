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
#[allow(missing_docs)]
pub enum TuiEvent {
    Key(KeyEvent),
    Mouse(MouseEvent),
    Paste(String),
    Resize(u16, u16),
    /// The terminal has the keyboard, or another window has it.
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
#[allow(missing_docs)]
pub enum Effect {
    Ask(ServerRequest),
    /// To the terminal's clipboard.
    Copy(String),
    /// An address, or a file of this host, with the program that the desktop has for it.
    Open(String),
    Notify(Notification),
    Redraw,
    Suspend,
    Quit,
}

/// Request to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ServerRequest {
    Conversations,
    Platforms,
    Stats,
    /// A page of the stream; the ticket comes back with it.
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
    /// A file of this host, as a message.
    SendFile(NewMessage, PathBuf),
    Edit(Uuid, MessageChange),
    Recall(Uuid),
    React(Uuid, String, bool),
    Cancel(Uuid),
    Retry(Uuid),
    Delete(Uuid),
    Fetch(Box<MediaItem>, Fetching),
    /// A picture that fits into columns and rows.
    Picture(Box<MediaItem>, (u16, u16)),
    /// Those who wrote in a conversation lately.
    People(ConversationKey),
    /// Friend and join requests.
    Requests,
    Answer(u64, bool),
}

/// A message, or a file as one, that the server did not get.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct NotSent {
    pub message: NewMessage,
    pub file: Option<PathBuf>,
    pub why: String,
}

/// A request, with the number of the event that was told last when it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct NumberedRequest {
    pub asked: u64,
    pub request: ServerRequest,
}

/// Reply of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ServerReply {
    Conversations(Vec<http::Conversation>),
    Platforms(Vec<AdapterStatus>),
    Stats(Stats),
    Page {
        ticket: u64,
        found: HistoryPage,
    },
    /// Not available now; it may be requested again.
    NoPage {
        ticket: u64,
        why: String,
    },
    Message(Box<Message>),
    /// A conversation was read, muted or pinned; `None` where it has no messages any more.
    Conversation(Option<Box<http::Conversation>>),
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
    /// They could not be found out, for this reason.
    NoPeople(String),
    Requests(Vec<http::Request>),
    RequestAnswered(Box<http::Request>),
    /// Another action failed.
    Failed(String),
}
