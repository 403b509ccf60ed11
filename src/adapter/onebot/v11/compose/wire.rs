//! The forms in which OneBot 11 takes a message: an array of segments or a string with CQ codes
//! (message/array.md, message/string.md).

use super::super::cq;
use super::super::options::MessageFormat;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::borrow::Cow;

/// A segment that is sent.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::adapter::onebot::v11) struct OneBot11Segment<'a> {
    pub(super) kind: &'static str,
    pub(super) data: Vec<(&'static str, Cow<'a, str>)>,
}

impl Serialize for OneBot11Segment<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Data<'s, 'a>(&'s [(&'static str, Cow<'a, str>)]);
        impl Serialize for Data<'_, '_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
            }
        }
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("type", self.kind)?;
        map.serialize_entry("data", &Data(&self.data))?;
        map.end()
    }
}

/// One message of a forward that is sent (message/segment.md, "合并转发自定义节点"); go-cqhttp has
/// other names for the person.
#[derive(Debug, PartialEq, Serialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub(in crate::adapter::onebot::v11) enum Node<'a> {
    Node {
        user_id: Cow<'a, str>,
        nickname: Cow<'a, str>,
        uin: Cow<'a, str>,
        name: Cow<'a, str>,
        content: Vec<OneBot11Segment<'a>>,
    },
}

/// A message as an action wants it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(in crate::adapter::onebot::v11) enum WireMessage<'s, 'a> {
    Segments { message: &'s [OneBot11Segment<'a>] },
    String { message: Cow<'s, str>, auto_escape: bool },
}

/// Writes segments in a format; `auto_escape` keeps text from being read as CQ codes.
pub(in crate::adapter::onebot::v11) fn write<'s, 'a>(
    segments: &'s [OneBot11Segment<'a>],
    format: MessageFormat,
) -> WireMessage<'s, 'a> {
    match (format, segments) {
        (MessageFormat::Array, _) => WireMessage::Segments { message: segments },
        (MessageFormat::String, [OneBot11Segment { kind: "text", data }]) => {
            WireMessage::String { message: Cow::Borrowed(&data[0].1), auto_escape: true }
        }
        (MessageFormat::String, _) => {
            let code = |segment: &OneBot11Segment<'_>| match segment.kind {
                "text" => cq::text(&segment.data[0].1),
                kind => cq::code(kind, segment.data.iter().map(|(key, value)| (*key, &**value))),
            };
            let message: String = segments.iter().map(code).collect();
            WireMessage::String { message: message.into(), auto_escape: false }
        }
    }
}

impl<'a> OneBot11Segment<'a> {
    pub(super) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self { kind: "text", data: vec![("text", text.into())] }
    }

    pub(super) fn is_blank(&self) -> bool {
        self.kind == "text" && self.data[0].1.trim().is_empty()
    }

    pub(super) fn goes_alone(&self) -> bool {
        matches!(self.kind, "record" | "video" | "file")
    }
}

/// Texts that follow each other, as one.
pub(super) fn joined(segments: Vec<OneBot11Segment<'_>>) -> Vec<OneBot11Segment<'_>> {
    let mut joined: Vec<OneBot11Segment<'_>> = Vec::with_capacity(segments.len());
    for segment in segments {
        match joined.last_mut() {
            Some(last) if last.kind == "text" && segment.kind == "text" => {
                last.data[0].1.to_mut().push_str(&segment.data[0].1);
            }
            _ => joined.push(segment),
        }
    }
    joined
}
