//! What is pushed to clients, encoded once and shared by all of them.

use crate::adapter::{State, StatusChange};
use crate::model::message::{Direction, Message, MessageType, Sender, Status};
use bytes::Bytes;
use hyper_tungstenite::tungstenite::Utf8Bytes;
use hyper_tungstenite::tungstenite::protocol::frame::Frame as WireFrame;
use hyper_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use serde::Serialize;
use std::sync::Arc;
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

/// One event, for every client that wants it.
#[derive(Debug)]
pub struct Frame {
    #[allow(missing_docs)]
    pub subject: Subject,
    /// JSON.
    pub text: Utf8Bytes,
}

/// Frames that go out together, in order: encoded once, and shared by all who are sent them.
#[derive(Debug)]
pub struct Batch {
    frames: Vec<Frame>,
    wire: Bytes,
}

/// The longest header of a frame that a server sends.
const MAX_HEADER: usize = 10;

impl Batch {
    /// Encodes frames for the wire.
    pub fn of(mut frames: Vec<Frame>) -> Arc<Self> {
        let most = frames.iter().map(|frame| frame.text.len() + MAX_HEADER).sum();
        let mut wire = Vec::with_capacity(most);
        let write = |frame: &Frame| {
            let text = WireFrame::message(frame.text.clone(), OpCode::Data(Data::Text), true);
            // Writing to memory cannot fail.
            let _ = text.format(&mut wire);
            wire.len()
        };
        let ends: Vec<usize> = frames.iter().map(write).collect();
        let wire = Bytes::from(wire);
        for (frame, end) in frames.iter_mut().zip(ends) {
            // The text lies in the wire's bytes from now on, so that it takes up memory once.
            if let Ok(text) = wire.slice(end - frame.text.len()..end).try_into() {
                frame.text = text;
            }
        }
        Arc::new(Self { frames, wire })
    }

    /// The `seq` of the first and the last message it brings, if it brings messages.
    pub fn messages(&self) -> Option<(u64, u64)> {
        match (&self.frames.first()?.subject, &self.frames.last()?.subject) {
            (Subject::Message(first), Subject::Message(last)) => Some((*first, *last)),
            _ => None,
        }
    }

    /// The frames one by one.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// The frames as a WebSocket carries them, each with its header.
    pub fn wire(&self) -> &Bytes {
        &self.wire
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use hyper_tungstenite::tungstenite::protocol::frame::FrameSocket;

    #[test]
    fn the_wire_has_every_text_behind_a_header_of_its_length() {
        let texts = [0, 125, 126, 65_535, 65_536].map(|length| "x".repeat(length));
        let frame = |text: &String| Frame { subject: Subject::Status(1), text: text.into() };
        let batch = Batch::of(texts.iter().map(frame).collect());
        let mut wire = FrameSocket::new(batch.wire().as_ref());
        for (frame, text) in batch.frames().iter().zip(&texts) {
            assert_eq!(frame.text.as_str(), text);
            let read = wire.read(None).unwrap().unwrap();
            assert!(read.header().is_final && read.header().opcode == OpCode::Data(Data::Text));
            assert_eq!(read.into_text().unwrap(), frame.text);
        }
        assert!(wire.read(None).unwrap().is_none());
    }
}
