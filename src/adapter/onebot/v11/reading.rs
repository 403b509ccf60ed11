//! Reading a message of OneBot 11: segments, or a string with CQ codes.

use super::{cq, segment};
use crate::adapter::onebot::common::fragment::Reading;
use crate::adapter::onebot::common::segment::Segment;
use serde_json::value::RawValue;

/// Reads a message: an array of segments, one segment, or a string with CQ codes.
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
    let is_plain = segments.iter().all(|segment| segment.kind().is_none_or(|kind| kind == "text"));
    let fragments: Vec<_> = segments.iter().filter_map(segment::fragment).collect();
    let is_plain = is_plain && fragments.len() == segments.len();
    Reading::of(&fragments, (!is_plain).then(|| json.to_owned()))
}
