//! Reading a message: segments, or a string with CQ codes.

use super::cq;
use super::segment::Segment;
use crate::adapter::onebot::common::fragment;
use crate::model::message::MessageType;
use serde_json::value::RawValue;

/// How a message reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) message_type: MessageType,
    pub(super) content: String,
    /// The message as it came, where the content does not hold all of it.
    pub(super) original: Option<String>,
}

/// Reads a message: an array of segments, one segment, or a string of CQ codes.
pub(super) fn read(message: &RawValue) -> Reading {
    let json = message.get();
    let string: String;
    let segments = match json.as_bytes().first() {
        Some(b'[') => {
            let list: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
            list.into_iter().map(Segment::parse).collect()
        }
        Some(b'{') => vec![Segment::parse(message)],
        _ => {
            string = serde_json::from_str(json).unwrap_or_default();
            cq::parse(&string)
        }
    };
    let is_plain = segments.iter().all(|segment| segment.kind.or_empty() == "text");
    let fragments: Vec<_> = segments.iter().filter_map(Segment::fragment).collect();
    let (message_type, content) = fragment::read(&fragments);
    Reading { message_type, content, original: (!is_plain).then(|| json.to_owned()) }
}
