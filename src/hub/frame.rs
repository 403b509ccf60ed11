//! Frames of the server, encoded once and shared by all sessions that get them.

use super::replay_limit::Reserved;
use super::resume::ResumePoint;
use crate::adapter::AdapterStatusChange;
use crate::model::message::{LOCAL, Message};
use crate::model::notice::Notice;
use crate::model::subscription::Position;
use crate::protocol::event::{
    AdapterStatusData, MessageDeleted, MessageStatus, MessageUpdated, NewMessageData, ServerEvent,
};
use crate::protocol::json_text::append_json;
use crate::protocol::overview::Conversation;
use bytes::Bytes;
use hyper_tungstenite::tungstenite::Utf8Bytes;
use hyper_tungstenite::tungstenite::protocol::frame::Frame as WireFrame;
use hyper_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use std::borrow::Cow;
use std::sync::Arc;
use uuid::Uuid;

/// The content of a frame before encoding.
#[derive(Clone, Debug)]
pub enum FrameContent<'a> {
    /// `new_message`
    New(&'a Message),
    /// `message_status`
    Status(MessageStatus<'a>),
    /// `message_updated`
    Updated(&'a Message),
    /// `message_deleted`
    #[expect(missing_docs, reason = "the fields are named as in the frame")]
    Deleted { id: Uuid, platform: Option<&'a str>, conversation: &'a str, seq: u64 },
    /// `conversation_updated`
    Conversation(&'a Conversation),
    /// `notice`
    Notice(&'a Notice),
    /// `adapter_status`
    Adapter(&'a AdapterStatusChange),
}

/// One event, encoded for all clients that get it.
#[derive(Debug)]
pub struct Frame {
    /// The position at which a client continues after it.
    pub resume: ResumePoint,
    /// Whether it has the state of an adapter.
    pub is_adapter: bool,
    /// JSON.
    pub text: Utf8Bytes,
}

impl Frame {
    /// Encodes one event; `shows_cursor` for sessions that asked for events.
    pub fn of(content: &FrameContent, resume: ResumePoint, shows_cursor: bool) -> Self {
        let cursor = shows_cursor.then(|| Cow::from(resume.to_string()));
        let event = match *content {
            FrameContent::New(message) => {
                ServerEvent::NewMessage { cursor, data: NewMessageData::of(message) }
            }
            FrameContent::Status(ref data) => {
                ServerEvent::MessageStatus { cursor, data: data.clone() }
            }
            FrameContent::Updated(message) => {
                ServerEvent::MessageUpdated { cursor, data: Box::new(MessageUpdated::of(message)) }
            }
            FrameContent::Deleted { id, platform, conversation, seq } => {
                let platform = platform.unwrap_or(LOCAL).into();
                let data = MessageDeleted { id, platform, conversation: conversation.into(), seq };
                ServerEvent::MessageDeleted { cursor, data }
            }
            FrameContent::Conversation(entry) => {
                ServerEvent::ConversationUpdated { cursor, data: Cow::Borrowed(entry) }
            }
            FrameContent::Notice(notice) => {
                ServerEvent::Notice { cursor, data: Cow::Borrowed(notice) }
            }
            FrameContent::Adapter(change) => {
                ServerEvent::AdapterStatus { cursor, data: AdapterStatusData::of(change) }
            }
        };
        // Our own types always serialise; if one did not, an empty frame would do the least harm.
        let mut text = Vec::with_capacity(USUAL_BYTES);
        if append_json(&mut text, &event).is_err() {
            text.clear();
        }
        let text = String::from_utf8(text).unwrap_or_default().into();
        Self { resume, is_adapter: matches!(content, FrameContent::Adapter(_)), text }
    }
}

/// Frames that are sent together, in order: encoded once, and shared by all receivers.
#[derive(Debug)]
pub struct FrameBatch {
    /// The position before its first frame; `None` for frames without a position in the log.
    pub before: Option<Position>,
    frames: Vec<Frame>,
    wire: Bytes,
    /// The memory that they take, if they were read from the store.
    reserved: Option<Arc<Reserved>>,
}

/// Capacity for most events, so that the buffer need not grow.
const USUAL_BYTES: usize = 512;

/// The longest header of a frame that a server sends (RFC 6455, section 5.2, without a mask).
const MAX_HEADER: usize = 10;

impl FrameBatch {
    /// Encodes frames for the wire.
    pub fn of(before: Option<Position>, mut frames: Vec<Frame>) -> Arc<Self> {
        let (wire, ends) = encode(&frames);
        let wire = Bytes::from(wire);
        share(&wire, &mut frames, &ends);
        Arc::new(Self { before, frames, wire, reserved: None })
    }

    /// Encodes frames that were read from the store, with the memory that was reserved for them.
    pub(super) fn held(mut frames: Vec<Frame>, reserved: Option<Reserved>) -> Arc<Self> {
        let Some(mut reserved) = reserved else { return Self::of(None, frames) };
        let (wire, ends) = encode(&frames);
        reserved.shrink_to(wire.len());
        let reserved = Arc::new(reserved);
        let wire = reserved.hold(wire.into());
        share(&wire, &mut frames, &ends);
        Arc::new(Self { before: None, frames, wire, reserved: Some(reserved) })
    }

    /// Bytes of this batch, which keep the batch's memory reserved until they are dropped.
    pub fn hold(&self, bytes: Bytes) -> Bytes {
        match &self.reserved {
            Some(reserved) => reserved.hold(bytes),
            None => bytes,
        }
    }

    /// The frames one by one.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// The frames in the form for a WebSocket, each with its header.
    pub fn wire(&self) -> &Bytes {
        &self.wire
    }
}

/// The frames as a WebSocket carries them, and where each ends.
fn encode(frames: &[Frame]) -> (Vec<u8>, Vec<usize>) {
    let most = frames.iter().map(|frame| frame.text.len() + MAX_HEADER).sum();
    let mut wire = Vec::with_capacity(most);
    let write = |frame: &Frame| {
        let text = WireFrame::message(frame.text.clone(), OpCode::Data(Data::Text), true);
        // Writing to memory cannot fail.
        let _ = text.format(&mut wire);
        wire.len()
    };
    let ends = frames.iter().map(write).collect();
    (wire, ends)
}

/// Makes each text a part of the encoded bytes, so that it takes memory once.
fn share(wire: &Bytes, frames: &mut [Frame], ends: &[usize]) {
    for (frame, &end) in frames.iter_mut().zip(ends) {
        if let Ok(text) = wire.slice(end - frame.text.len()..end).try_into() {
            frame.text = text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cursor::Cursor;
    use hyper_tungstenite::tungstenite::protocol::frame::FrameSocket;

    #[test]
    fn the_wire_has_every_text_behind_a_header_of_its_length() {
        let texts = [0, 125, 126, 65_535, 65_536].map(|length| "x".repeat(length));
        let resume = ResumePoint::from(Cursor::default());
        let frame = |text: &String| Frame { resume, is_adapter: false, text: text.into() };
        let batch = FrameBatch::of(None, texts.iter().map(frame).collect());
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
