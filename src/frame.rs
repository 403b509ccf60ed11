//! What is pushed to clients, encoded once and shared by all of them.

use crate::adapter::{State, StatusChange};
use crate::message::{Direction, Message, MessageType, Sender, Status};
use hyper_tungstenite::tungstenite::Utf8Bytes;
use serde::Serialize;
use uuid::Uuid;

/// An event of the WebSocket (contract, Part 1), told apart by `type`.
#[derive(Serialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
enum Event<'a> {
    NewMessage(NewMessage<'a>),
    MessageStatus(MessageStatus<'a>),
    AdapterStatus(AdapterStatus<'a>),
}

#[derive(Serialize)]
struct NewMessage<'a> {
    id: Uuid,
    platform: &'a str,
    conversation: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation_name: Option<&'a str>,
    content: &'a str,
    message_type: MessageType,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<&'a Sender>,
    created_at: u64,
    seq: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<Direction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
}

#[derive(Serialize)]
struct MessageStatus<'a> {
    id: Uuid,
    status: Status,
    retry_count: u32,
    updated_at: u64,
    platform: &'a str,
    conversation: &'a str,
    seq: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<&'a str>,
}

#[derive(Serialize)]
struct AdapterStatus<'a> {
    platform: &'a str,
    status: State,
    /// The same again, under the name that the user's document gives it in its table.
    content: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// What a frame is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// It brings the message with this `seq`.
    Message(u64),
    /// It tells the state of the message with this `seq`.
    Status(u64),
    /// It tells the state of this platform's adapter, or of one account of it.
    Adapter(String, Option<String>),
}

/// A frame as it goes to every client that wants it.
#[derive(Clone, Debug)]
pub struct Frame {
    #[allow(missing_docs)]
    pub subject: Subject,
    /// JSON.
    pub text: Utf8Bytes,
}

/// `new_message`
pub fn new_message(message: &Message) -> Frame {
    let event = Event::NewMessage(NewMessage {
        id: message.id,
        platform: message.platform_or_local(),
        conversation: &message.recipient,
        conversation_name: message.conversation_name.as_deref(),
        content: &message.content,
        message_type: message.message_type,
        sender: message.sender.as_ref(),
        created_at: message.created_at,
        seq: message.seq,
        direction: (message.direction == Direction::Inbound).then_some(Direction::Inbound),
        account: message.account.as_deref(),
    });
    Frame { subject: Subject::Message(message.seq), text: encode(&event) }
}

/// `message_status`
pub fn message_status(message: &Message) -> Frame {
    let event = Event::MessageStatus(MessageStatus {
        id: message.id,
        status: message.status,
        retry_count: message.retry_count,
        updated_at: message.updated_at,
        platform: message.platform_or_local(),
        conversation: &message.recipient,
        seq: message.seq,
        last_error: message.last_error.as_deref(),
    });
    Frame { subject: Subject::Status(message.seq), text: encode(&event) }
}

/// `adapter_status`
pub fn adapter_status(change: &StatusChange) -> Frame {
    let event = Event::AdapterStatus(AdapterStatus {
        platform: &change.platform,
        status: change.state,
        content: change.state,
        account: change.account.as_deref(),
        reason: change.reason.as_deref(),
    });
    let subject = Subject::Adapter(change.platform.clone(), change.account.clone());
    Frame { subject, text: encode(&event) }
}

fn encode(event: &Event) -> Utf8Bytes {
    // Our own types always serialise; were one not to, an empty frame is the least harm.
    serde_json::to_string(event).unwrap_or_default().into()
}
