//! The segments of OneBot 11 (message/segment.md), as a reader sees them.

use crate::adapter::onebot::common::fragment::Fragment;
use crate::adapter::onebot::common::scalar::Scalar;
use crate::adapter::onebot::common::segment::Segment;
use crate::model::message::MessageType;
use serde::Deserialize;
use std::borrow::Cow;

/// The fragment that a reader sees of a segment, if any.
pub(super) fn fragment<'a>(segment: &'a Segment<'_>) -> Option<Fragment<'a>> {
    let labelled = |label, keys| Fragment::labelled(label, segment.joined(keys).as_deref());
    Some(match segment.kind()? {
        "text" => Fragment::Text(segment.plain_text().into()),
        "at" => Fragment::Text(mention(segment)),
        "reply" => Fragment::Label("[reply] ".into()),
        "face" => emoji(segment.get("name")),
        "mface" | "bface" | "marketface" => emoji(segment.first_of(&["summary", "name"])),
        "image" => media(MessageType::Image, segment),
        "record" => media(MessageType::Audio, segment),
        "video" => media(MessageType::Video, segment),
        "file" | "onlinefile" => media(MessageType::File, segment),
        "json" | "ark" | "miniapp" | "lightapp" => {
            card(json_card(segment.first_of(&["data", "content"])))
        }
        "xml" => card(xml_card(segment.first_of(&["data", "content"]))),
        "forward" | "node" => Fragment::Label("[forward]".into()),
        "markdown" => Fragment::Text(segment.first_of(&["content"]).unwrap_or_default().into()),
        "share" => labelled("card", &["title", "content", "url"]),
        "music" => card(music(segment)),
        "contact" => labelled("card", &["type", "id"]),
        "location" => Fragment::labelled("location", location(segment).as_deref()),
        "anonymous" => return None,
        other => Fragment::labelled(other, segment.first_of(&OTHER).or_else(|| segment.get("id"))),
    })
}

/// Where segments that are not known keep their words.
const OTHER: [&str; 9] =
    ["text", "title", "content", "prompt", "summary", "desc", "result", "name", "url"];

/// A mention (message/segment.md, "@某人"), by the name where the implementation adds it.
fn mention<'a>(segment: &'a Segment<'_>) -> Cow<'a, str> {
    match (segment.get("name"), segment.first_of(&["qq", "id"])) {
        (_, Some("all")) => Cow::Borrowed("@all"),
        (Some(name), _) => Cow::Owned(format!("@{}", name.trim_start_matches('@'))),
        (None, id) => Cow::Owned(format!("@{}", id.unwrap_or_default())),
    }
}

/// A face or sticker by its name in brackets, unless it brings its own.
fn emoji(name: Option<&str>) -> Fragment<'_> {
    match name {
        None => Fragment::Label("[emoji]".into()),
        Some(name) if name.starts_with('[') => Fragment::Text(name.into()),
        Some(name) => Fragment::Text(format!("[{}]", name.trim_start_matches('/')).into()),
    }
}

fn media<'a>(message_type: MessageType, segment: &'a Segment<'_>) -> Fragment<'a> {
    let addresses = [segment.get("url"), segment.first_of(&["file", "path"])];
    let name = segment.get("name").or_else(|| segment.get("file_name"));
    Fragment::media(message_type, addresses, name)
}

/// A place by its title, its address and where it is.
fn location(segment: &Segment<'_>) -> Option<String> {
    let words = segment.joined(&["title", "content", "address"]);
    let latitude = segment.get("lat").or_else(|| segment.get("latitude"));
    let longitude = segment.get("lon").or_else(|| segment.get("longitude"));
    let coordinates = latitude.zip(longitude).map(|(lat, lon)| format!("{lat},{lon}"));
    let parts: Vec<_> = [words, coordinates].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// Music by its title and address, else by its service and number there.
fn music(segment: &Segment<'_>) -> Option<String> {
    let told = segment.joined(&["title", "content", "singer", "url"]);
    told.or_else(|| segment.joined(&["type", "id"]))
}

fn card(words: Option<String>) -> Fragment<'static> {
    words.map_or(Fragment::Label("[card]".into()), |words| Fragment::Text(words.into()))
}

/// A card by the line that a list of chats would show.
fn json_card(json: Option<&str>) -> Option<String> {
    #[derive(Deserialize)]
    struct Card<'a> {
        #[serde(borrow, default)]
        prompt: Scalar<'a>,
        #[serde(default)]
        desc: Scalar<'a>,
    }
    let json = crate::protocol::json::repair(json?);
    let card: Card<'_> = serde_json::from_str(&json).ok()?;
    card.prompt.text().or(card.desc.text()).map(str::to_owned)
}

/// An XML card by its `brief`, which a list of chats would show.
fn xml_card(xml: Option<&str>) -> Option<String> {
    let (_, rest) = xml?.split_once("brief=\"")?;
    let (brief, _) = rest.split_once('"')?;
    let plain = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")]
        .iter()
        .fold(brief.to_owned(), |text, (entity, plain)| text.replace(entity, plain));
    (!plain.trim().is_empty()).then_some(plain)
}
