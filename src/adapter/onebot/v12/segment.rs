//! The segments of OneBot 12 (interface/message/segments.md), and extensions of implementations.

use crate::adapter::onebot::common::card::card_of;
use crate::adapter::onebot::common::parts::{
    self, MessagePart, MessageReading, location, media, mention, text,
};
use crate::adapter::onebot::common::segment::WireSegment;
use crate::model::content::Segment;
use crate::model::message::{ReplyTo, Sender};
use serde_json::value::RawValue;

/// Reads a message: segments, or one segment or a text from those who send such.
pub(super) fn read(message: &RawValue, is_me: &dyn Fn(&str) -> bool) -> MessageReading {
    let json = message.get();
    let (segments, is_cut) = WireSegment::list(message).unwrap_or_else(|| {
        let text: String = serde_json::from_str(json).unwrap_or_default();
        (vec![WireSegment::text(text)], false)
    });
    // The part that is cut off stays in `original`.
    let is_plain = !is_cut && segments.iter().all(|segment| segment.kind() == Some("text"));
    let parts = segments.iter().filter_map(|segment| part(segment, is_me)).collect();
    MessageReading::of(parts, (!is_plain).then(|| json.to_owned()))
}

/// The IDs of the pictures, sounds, videos and files of a message, in their order.
pub(super) fn file_ids(message: &RawValue) -> Vec<Option<String>> {
    let (segments, _) = WireSegment::list(message).unwrap_or_default();
    let is_file = |segment: &&WireSegment<'_>| {
        matches!(segment.kind(), Some("image" | "voice" | "audio" | "video" | "file"))
    };
    segments.iter().filter(is_file).map(|segment| segment.owned(&["file_id"])).collect()
}

/// Reads one segment; `None` where it is none.
fn part(segment: &WireSegment<'_>, is_me: &dyn Fn(&str) -> bool) -> Option<MessagePart> {
    let read = match segment.kind()? {
        "text" => text(segment.plain_text()),
        "mention" => {
            let name = segment.get("name").or_else(|| segment.get("user_name"));
            mention(segment.first_of(&["user_id"]).unwrap_or_default(), name, is_me)
        }
        "mention_all" => Segment::MentionAll {},
        "reply" => return Some(MessagePart::Reply(reply(segment))),
        "image" => Segment::Image(media(segment)),
        "voice" | "audio" => Segment::Audio(media(segment)),
        "video" => Segment::Video(media(segment)),
        "file" => Segment::File(media(segment)),
        "location" => location(segment),
        "wx.emoji" | "qq.face" | "face" => Segment::Emoji {
            name: segment.owned(&["name", "text"]),
            id: segment.owned(&["id", "file_id"]),
            url: segment.owned(&["url"]),
        },
        "wx.link" | "wx.app" | "wx.card" => card_of(
            segment.get("title").or_else(|| segment.get("nickname")),
            segment.get("des").or_else(|| segment.get("desc")),
            segment.get("url"),
            None,
        ),
        kind => parts::unknown(kind, segment),
    };
    Some(MessagePart::Segment(read))
}

/// A reply, and the person whose message it answers.
fn reply(segment: &WireSegment<'_>) -> ReplyTo {
    let sender = segment.owned(&["user_id"]).map(|id| Sender { name: id.clone(), id });
    let external_id = segment.first_of(&["message_id"]).map(str::to_owned);
    ReplyTo { id: None, sender, content: None, external_id }
}
