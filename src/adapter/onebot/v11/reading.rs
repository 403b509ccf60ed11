//! Reading a message of OneBot 11: segments, or a string with CQ codes; and the messages of forwards.

use super::cq;
use super::segment::{self, SegmentContext};
use crate::adapter::onebot::common::parts::{MessagePart, MessageReading};
use crate::adapter::onebot::common::scalar::Scalar;
use crate::adapter::onebot::common::segment::WireSegment;
use crate::model::content::{ForwardItem, MAX_FORWARD_DEPTH, MAX_SEGMENTS, Segment};
use crate::model::message::{MessageType, Sender};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Reads a message: an array of segments, one segment, or a string with CQ codes.
pub(super) fn read(message: &RawValue, is_me: &dyn Fn(&str) -> bool) -> MessageReading {
    let (parts, is_plain) = parts(message, is_me, 0, Bytes::AreDropped);
    MessageReading::of(parts, (!is_plain).then(|| message.get().to_owned()))
}

/// Reads a message that is to be sent, with the bytes of its files.
pub(super) fn read_with_bytes(message: &RawValue, is_me: &dyn Fn(&str) -> bool) -> MessageReading {
    MessageReading::of(parts(message, is_me, 0, Bytes::AreKept).0, None)
}

/// Whether the bytes of files, as base64, are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bytes {
    AreKept,
    AreDropped,
}

/// A picture, sound, video or file, by the names that actions know it by.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NamedFile {
    pub(super) message_type: MessageType,
    pub(super) file: Option<String>,
    pub(super) file_id: Option<String>,
    /// The storage ID of a group's file.
    pub(super) busid: Option<i64>,
    pub(super) url: Option<String>,
}

/// The pictures, sounds, videos and files of a message, in their order; those inside forwards are
/// left out.
pub(super) fn files(message: &RawValue) -> Vec<NamedFile> {
    let around = SegmentContext { is_me: &|_| false, items: &|_| Vec::new() };
    let file = |wire: &WireSegment<'_>| {
        let MessagePart::Segment(mut read) = segment::read(wire, &around)? else { return None };
        let (message_type, media) = read.media_mut()?;
        let url = media.url.take();
        Some(NamedFile {
            message_type,
            file: wire.owned(&["file"]),
            file_id: wire.owned(&["file_id", "fid", "id"]),
            busid: wire.number(&["busid"]),
            url,
        })
    };
    let string: String;
    let segments = if let Some((list, _)) = WireSegment::list(message) {
        list
    } else {
        string = serde_json::from_str(message.get()).unwrap_or_default();
        cq::parse(&string)
    };
    segments.iter().filter_map(file).collect()
}

/// The parts of a message, and whether it is plain text.
fn parts(
    message: &RawValue,
    is_me: &dyn Fn(&str) -> bool,
    depth: usize,
    bytes: Bytes,
) -> (Vec<MessagePart>, bool) {
    let json = message.get();
    let string: String;
    let (segments, is_cut) = if let Some(list) = WireSegment::list(message) {
        list
    } else {
        string = serde_json::from_str(json).unwrap_or_default();
        (cq::parse(&string), false)
    };
    // The part that is cut off stays in `original`.
    let is_plain = !is_cut && segments.iter().all(|segment| segment.kind() == Some("text"));
    let inside = |content: &RawValue| items_at(content, is_me, depth + 1);
    let around = SegmentContext { is_me, items: &inside };
    let read = |one: &WireSegment<'_>| {
        let mut part = segment::read(one, &around)?;
        if bytes == Bytes::AreKept {
            keep_bytes(&mut part, one);
        }
        Some(part)
    };
    (segments.iter().filter_map(read).collect(), is_plain)
}

/// Keeps the bytes of a file in the place of its address.
fn keep_bytes(part: &mut MessagePart, segment: &WireSegment<'_>) {
    let MessagePart::Segment(read) = part else { return };
    let Some((_, media)) = read.media_mut() else { return };
    let bytes = segment
        .get("file")
        .filter(|file| file.starts_with("base64://") || file.starts_with("data:"));
    if media.url.is_none() {
        media.url = bytes.map(str::to_owned);
    }
}

/// One message of a forward, as an event has it or as a `node` segment does.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ForwardNode<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    message: Option<&'a RawValue>,
    content: Option<&'a RawValue>,
    sender: Option<&'a RawValue>,
    user_id: Scalar<'a>,
    uin: Scalar<'a>,
    card: Scalar<'a>,
    nickname: Scalar<'a>,
    name: Scalar<'a>,
    time: Scalar<'a>,
}

impl<'a> ForwardNode<'a> {
    fn parse(json: &'a RawValue) -> Option<Self> {
        serde_json::from_str(json.get()).ok()
    }
}

/// Reads the messages of a forward that was asked for.
pub(super) fn items(content: &RawValue, is_me: &dyn Fn(&str) -> bool) -> Vec<ForwardItem> {
    items_at(content, is_me, 1)
}

/// Reads the messages of a forward that lies this deep.
fn items_at(content: &RawValue, is_me: &dyn Fn(&str) -> bool, depth: usize) -> Vec<ForwardItem> {
    if depth > MAX_FORWARD_DEPTH {
        return Vec::new();
    }
    let list: Vec<&RawValue> = match content.get().as_bytes().first() {
        Some(b'[') => serde_json::from_str(content.get()).unwrap_or_default(),
        _ => vec![content],
    };
    list.into_iter().take(MAX_SEGMENTS).filter_map(|json| item(json, is_me, depth)).collect()
}

fn item(json: &RawValue, is_me: &dyn Fn(&str) -> bool, depth: usize) -> Option<ForwardItem> {
    let outer = ForwardNode::parse(json)?;
    // A `node` segment has everything in its `data`.
    let item = match outer.data {
        Some(data) => ForwardNode::parse(data)?,
        None => outer,
    };
    let message = item.message.or(item.content)?;
    let person = item.sender.and_then(ForwardNode::parse).unwrap_or_default();
    let id = [&person.user_id, &item.user_id, &item.uin].into_iter().find_map(Scalar::id);
    let names = [&person.card, &person.nickname, &item.nickname, &item.name];
    let name =
        names.into_iter().find_map(|name| name.text().filter(|name| !name.trim().is_empty()));
    let id = id.unwrap_or_default().to_owned();
    let sender = Sender { name: name.unwrap_or(&id).to_owned(), id };
    let (parts, _) = parts(message, is_me, depth, Bytes::AreDropped);
    let segments: Vec<Segment> = parts
        .into_iter()
        .filter_map(|part| match part {
            MessagePart::Segment(segment) => Some(segment),
            MessagePart::Reply(_) => None,
        })
        .collect();
    Some(ForwardItem { sender, created_at: item.time.time().unwrap_or_default(), segments })
}
