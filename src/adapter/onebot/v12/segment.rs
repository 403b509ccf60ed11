//! The segments of OneBot 12 (interface/message/segments.md), as a reader sees them.

use crate::adapter::onebot::common::fragment::{Fragment, Reading};
use crate::adapter::onebot::common::segment::Segment;
use crate::model::message::MessageType;
use serde_json::value::RawValue;

/// Reads a message: segments, or one segment or a text from those who send such.
pub(super) fn read(message: &RawValue) -> Reading {
    let json = message.get();
    let segments = match json.as_bytes().first() {
        Some(b'[') => {
            let list: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
            list.into_iter().map(Segment::parse).collect()
        }
        Some(b'{') => vec![Segment::parse(message)],
        _ => vec![Segment::text(serde_json::from_str::<String>(json).unwrap_or_default())],
    };
    let is_plain = segments.iter().all(|segment| segment.kind() == Some("text"));
    let fragments: Vec<_> = segments.iter().filter_map(fragment).collect();
    Reading::of(&fragments, (!is_plain).then(|| json.to_owned()))
}

/// The fragment that a reader sees of a segment, if any.
fn fragment<'a>(segment: &'a Segment<'_>) -> Option<Fragment<'a>> {
    let labelled = |label, keys| Fragment::labelled(label, segment.joined(keys).as_deref());
    Some(match segment.kind()? {
        "text" => Fragment::Text(segment.plain_text().into()),
        "mention" => {
            let user = segment.first_of(&["name", "user_name", "user_id"]);
            Fragment::Text(format!("@{}", user.unwrap_or_default()).into())
        }
        "mention_all" => Fragment::Text("@all".into()),
        "reply" => Fragment::Label("[reply] ".into()),
        "image" => media(MessageType::Image, segment),
        "voice" | "audio" => media(MessageType::Audio, segment),
        "video" => media(MessageType::Video, segment),
        "file" => media(MessageType::File, segment),
        "location" => Fragment::labelled("location", location(segment).as_deref()),
        "wx.emoji" | "qq.face" => labelled("emoji", &["name"]),
        "wx.link" | "wx.app" | "wx.card" => labelled("card", &["title", "des", "nickname", "url"]),
        other => Fragment::labelled(other, segment.first_of(&OTHER)),
    })
}

/// Where segments that are not known keep their words.
const OTHER: [&str; 8] = ["text", "title", "content", "summary", "desc", "result", "name", "url"];

/// By its address, which is an extension, else by the ID of the file.
fn media<'a>(message_type: MessageType, segment: &'a Segment<'_>) -> Fragment<'a> {
    let addresses = [segment.get("url"), segment.first_of(&["file_id"])];
    Fragment::media(message_type, addresses, segment.get("name"))
}

/// A place by its title, its address and where it is.
fn location(segment: &Segment<'_>) -> Option<String> {
    let words = segment.joined(&["title", "content"]);
    let coordinates = segment.get("latitude").zip(segment.get("longitude"));
    let coordinates = coordinates.map(|(lat, lon)| format!("{lat},{lon}"));
    let parts: Vec<_> = [words, coordinates].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}
