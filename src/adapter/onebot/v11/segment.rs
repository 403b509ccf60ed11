//! The segments of OneBot 11 (message/segment.md), and those that `NapCat`, `LLBot`, Lagrange and
//! go-cqhttp added.

use super::faces;
use crate::adapter::onebot::common::card::{card_of, of_json, of_xml};
use crate::adapter::onebot::common::parts::{
    self, MessagePart, location, media, mention, other, text,
};
use crate::adapter::onebot::common::segment::WireSegment;
use crate::model::content::{ForwardItem, Media, Segment};
use crate::model::inline::Inline;
use crate::model::message::{ReplyTo, Sender};
use serde_json::value::RawValue;

/// Facts about the whole message that reading one segment needs.
pub(super) struct SegmentContext<'a> {
    /// Whether an ID is one of the account itself.
    pub(super) is_me: &'a dyn Fn(&str) -> bool,
    /// Reads the messages inside a forward.
    pub(super) items: &'a dyn Fn(&RawValue) -> Vec<ForwardItem>,
}

/// Reads a segment; `None` where it says nothing of its own.
pub(super) fn read(segment: &WireSegment<'_>, around: &SegmentContext<'_>) -> Option<MessagePart> {
    let read = match segment.kind()? {
        "text" => text(segment.plain_text()),
        "markdown" => text(segment.first_of(&["content"]).unwrap_or_default()),
        "at" => match segment.first_of(&["qq", "user_id", "id"]) {
            Some("all" | "0") => Segment::MentionAll {},
            user => mention(user.unwrap_or_default(), segment.get("name"), around.is_me),
        },
        "reply" => return Some(MessagePart::Reply(reply(segment))),
        "face" => face(segment),
        "mface" | "bface" | "marketface" => sticker(segment),
        // NapCat and Lagrange tell stickers of the shop as images.
        "image" if segment.get("emoji_id").is_some() => sticker(segment),
        "image" | "cardimage" => Segment::Image(media(segment)),
        "record" => Segment::Audio(media(segment)),
        "video" => Segment::Video(media(segment)),
        "file" | "onlinefile" => Segment::File(media(segment)),
        "flash_file" | "flashtransfer" => flash_file(segment),
        "json" | "ark" | "miniapp" | "lightapp" => {
            let object = segment.nested("data").or_else(|| segment.nested("content"));
            let json = object.map(RawValue::get).or(segment.first_of(&["data", "content"]));
            of_json(json.unwrap_or_default())
        }
        "xml" => of_xml(segment.first_of(&["data", "content"]).unwrap_or_default()),
        "forward" | "longmsg" => forward(segment, around),
        "node" => node(segment, around),
        "share" => card_of(
            segment.get("title"),
            segment.get("content"),
            segment.get("url"),
            segment.get("image"),
        ),
        "music" => music(segment),
        "contact" => {
            let who = [segment.get("type"), segment.get("id")];
            let who: Vec<_> = who.into_iter().flatten().collect();
            card_of(None, Some(&who.join(" ")), None, None)
        }
        "location" => location(segment),
        "poke" => other("poke", segment.owned(&["name"])),
        "keyboard" => other("keyboard", labels(segment)),
        // The sender's alias tells it.
        "anonymous" => return None,
        kind => parts::unknown(kind, segment),
    };
    Some(MessagePart::Segment(read))
}

/// A reply; go-cqhttp lets people write one to a message that is not there, with its words.
fn reply(segment: &WireSegment<'_>) -> ReplyTo {
    let sender = segment.get("qq").or_else(|| segment.get("user_id"));
    let sender = sender.map(|id| Sender { id: id.to_owned(), name: id.to_owned() });
    let external_id = segment.first_of(&["id", "message_id"]).map(str::to_owned);
    ReplyTo { id: None, sender, content: segment.owned(&["text"]), external_id }
}

/// A face by its number; NapCat tells its name, too.
fn face(segment: &WireSegment<'_>) -> Segment {
    let id = segment.first_of(&["id"]);
    let told = segment.get("name").map(|name| name.trim_start_matches('/'));
    let name = told.filter(|name| !name.is_empty()).or(id.and_then(faces::name));
    Segment::Emoji { name: name.map(str::to_owned), id: id.map(str::to_owned), url: None }
}

/// A sticker of the shop.
fn sticker(segment: &WireSegment<'_>) -> Segment {
    let Media { url, summary, .. } = media(segment);
    let name = summary.or_else(|| segment.owned(&["name"]));
    let url = url.filter(|url| !Inline::is_in(url));
    Segment::Emoji { name, id: segment.owned(&["emoji_id", "id"]), url }
}

/// A file that is fetched by a page of QQ.
fn flash_file(segment: &WireSegment<'_>) -> Segment {
    let name = segment.owned(&["title", "name"]);
    Segment::File(Media { name, ..Media::default() })
}

/// A forward: by its ID, and with its messages where NapCat sends them along.
fn forward(segment: &WireSegment<'_>, around: &SegmentContext<'_>) -> Segment {
    let items = segment.nested("content").map(around.items).unwrap_or_default();
    let title = segment.owned(&["title", "source", "summary"]);
    Segment::Forward { title, items, id: segment.first_of(&["id", "resid"]).map(str::to_owned) }
}

/// A message of a forward that stands by itself (message/segment.md, "合并转发节点").
fn node(segment: &WireSegment<'_>, around: &SegmentContext<'_>) -> Segment {
    let id = segment.owned(&["id"]);
    let items = segment.whole().map(around.items).filter(|_| id.is_none());
    Segment::Forward { title: None, items: items.unwrap_or_default(), id }
}

/// Music by its title, else by its service and its number there.
fn music(segment: &WireSegment<'_>) -> Segment {
    let place = [segment.get("type"), segment.get("id")];
    let place: Vec<_> = place.into_iter().flatten().collect();
    let place = place.join(" ");
    let title = segment.get("title");
    let text = segment.get("content").or_else(|| segment.get("singer"));
    let text = text.or_else(|| title.is_none().then_some(place.as_str()));
    let url = segment.get("url").or_else(|| segment.get("audio"));
    card_of(title, text, url, segment.get("image"))
}

/// The labels of the buttons of a keyboard.
fn labels(segment: &WireSegment<'_>) -> Option<String> {
    let rows = segment.nested("rows").or_else(|| segment.nested("content"))?;
    let parts = rows.get().split("\"label\"").skip(1);
    let labels: Vec<String> = parts
        .filter_map(|rest| {
            let value = rest.trim_start().strip_prefix(':')?;
            serde_json::Deserializer::from_str(value).into_iter::<String>().next()?.ok()
        })
        .collect();
    (!labels.is_empty()).then(|| labels.join(" "))
}
