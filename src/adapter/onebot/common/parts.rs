//! From segments on the wire to those of a message (contract, item 23), as far as both versions of
//! OneBot write them alike.

use super::segment::WireSegment;
use crate::model::content::{Content, Media, Segment};
use crate::model::inline::Inline;
use crate::model::message::ReplyTo;

/// One part of a message.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::adapter::onebot) enum MessagePart {
    Segment(Segment),
    /// The message that it answers.
    Reply(ReplyTo),
}

impl From<Segment> for MessagePart {
    fn from(segment: Segment) -> Self {
        Self::Segment(segment)
    }
}

/// How a message reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::adapter::onebot) struct MessageReading {
    pub(in crate::adapter::onebot) content: Content,
    pub(in crate::adapter::onebot) reply_to: Option<Box<ReplyTo>>,
    /// The message as it came, where it is more than plain text.
    pub(in crate::adapter::onebot) original: Option<String>,
    /// Its segments bring nothing but their names.
    pub(in crate::adapter::onebot) says_nothing: bool,
}

impl MessageReading {
    /// Reads parts; a message of none is still a message.
    pub(in crate::adapter::onebot) fn of(
        parts: Vec<MessagePart>,
        original: Option<String>,
    ) -> Self {
        let mut segments = Vec::with_capacity(parts.len());
        let mut reply_to = None;
        for part in parts {
            match part {
                MessagePart::Segment(segment) => segments.push(segment),
                MessagePart::Reply(target) => reply_to = Some(Box::new(target)),
            }
        }
        let says_nothing = segments.iter().all(says_nothing);
        let mut content = Content::of(segments);
        if content.is_empty() {
            content = Content::of(vec![other("message", None)]);
        }
        Self { content, reply_to, original, says_nothing }
    }
}

fn says_nothing(segment: &Segment) -> bool {
    match segment {
        Segment::Text { text } => text.trim().is_empty(),
        Segment::Mention { .. } | Segment::MentionAll {} | Segment::Location { .. } => false,
        Segment::Emoji { name, id, url } => name.is_none() && id.is_none() && url.is_none(),
        Segment::Image(media)
        | Segment::Audio(media)
        | Segment::Video(media)
        | Segment::File(media) => {
            [&media.url, &media.name, &media.summary, &media.text].iter().all(|word| word.is_none())
        }
        Segment::Forward { title, items, id } => {
            title.is_none() && items.is_empty() && id.is_none()
        }
        Segment::Card { title, text, url, image } => {
            [title, text, url, image].iter().all(|word| word.is_none())
        }
        Segment::Other { text, .. } => text.is_none(),
    }
}

/// Plain text.
pub(in crate::adapter::onebot) fn text(text: impl Into<String>) -> Segment {
    Segment::Text { text: text.into() }
}

/// Something that only the platform has.
pub(in crate::adapter::onebot) fn other(name: &str, text: Option<String>) -> Segment {
    Segment::Other { name: name.to_owned(), text }
}

/// A segment that is not known, with the words that it brings.
pub(in crate::adapter::onebot) fn unknown(kind: &str, segment: &WireSegment<'_>) -> Segment {
    const WORDS: [&str; 10] =
        ["text", "title", "content", "prompt", "summary", "desc", "result", "name", "url", "id"];
    other(kind, segment.first_of(&WORDS).map(str::to_owned))
}

/// A mention of a person, whose name may come with the `@`.
pub(in crate::adapter::onebot) fn mention(
    user: &str,
    name: Option<&str>,
    is_me: &dyn Fn(&str) -> bool,
) -> Segment {
    let name = name.map(|name| name.trim().trim_start_matches('@')).filter(|name| !name.is_empty());
    Segment::Mention { user: user.to_owned(), name: name.map(str::to_owned), me: is_me(user) }
}

/// The fields of an image, audio, video or file. Its bytes stand in place of the address where it has
/// no other; the path of a file on the implementation's host is no more than its name.
pub(in crate::adapter::onebot) fn media(segment: &WireSegment<'_>) -> Media {
    const NAMES: [&str; 4] = ["name", "file_name", "filename", "fileName"];
    let addresses = ["url", "file"].into_iter().filter_map(|key| segment.get(key)).map(str::trim);
    let given = addresses.clone().find(|address| is_address(address));
    let url = given.or_else(|| addresses.clone().find(|address| Inline::is_in(address)));
    let files = ["file", "path"].into_iter().filter_map(|key| segment.get(key)).map(str::trim);
    let mut files = files.filter(|file| !is_address(file) && !Inline::is_in(file)).map(base_name);
    // The ID of a file, and what stands in its place, say something only where nothing else does.
    let id = || segment.first_of(&["file_id"]).filter(|_| url.is_none());
    let file = files.next().or_else(id);
    Media {
        name: segment.owned(&NAMES).or_else(|| file.map(str::to_owned)),
        size: segment.number(&["file_size", "size", "fileSize"]),
        mime: segment.owned(&["mime", "mime_type"]),
        width: segment.number(&["width"]),
        height: segment.number(&["height"]),
        duration: segment.number(&["duration"]).filter(|seconds: &f64| seconds.is_finite()),
        url: url.map(str::to_owned),
        media: None,
        summary: segment.get("summary").map(unescape),
        text: segment.owned(&["text"]),
        failure: None,
    }
}

fn is_address(text: &str) -> bool {
    let has = |scheme: &str| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    has("http://") || has("https://")
}

/// The last part of a path, of whatever system.
fn base_name(path: &str) -> &str {
    path.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or(path)
}

/// A text without the escapes of CQ codes and of XML; NapCat leaves them in summaries.
pub(in crate::adapter::onebot) fn unescape(text: &str) -> String {
    const ENTITIES: [(&str, &str); 9] = [
        ("&#91;", "["),
        ("&#93;", "]"),
        ("&#44;", ","),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&#39;", "'"),
        // Last, so that an escaped `&` never makes a new escape.
        ("&amp;", "&"),
    ];
    if !text.contains('&') {
        return text.to_owned();
    }
    ENTITIES.iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain))
}

/// A place; one that does not say where it is stays a word of the platform.
pub(in crate::adapter::onebot) fn location(segment: &WireSegment<'_>) -> Segment {
    let title = segment.owned(&["title", "name"]);
    let address = segment.owned(&["content", "address"]);
    let degrees = |keys: &[&str], most: f64| {
        segment.number(keys).filter(|degrees: &f64| degrees.abs() <= most)
    };
    let latitude = degrees(&["lat", "latitude"], 90.0);
    let longitude = degrees(&["lon", "lng", "longitude"], 180.0);
    if let Some((latitude, longitude)) = latitude.zip(longitude) {
        return Segment::Location { latitude, longitude, title, address };
    }
    let words: Vec<_> = [title, address].into_iter().flatten().collect();
    other("location", (!words.is_empty()).then(|| words.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::value::RawValue;

    fn segment(data: &str) -> Media {
        let json = format!(r#"{{"type":"x","data":{data}}}"#);
        let json: &RawValue = serde_json::from_str(&json).unwrap();
        media(&WireSegment::parse(json))
    }

    #[test]
    fn a_file_has_an_address_and_a_name() {
        let url = "https://x/a";
        for (data, address, name) in [
            (r#"{"url":" https://x/a ","file":"A.png"}"#, Some(url), Some("A.png")),
            (r#"{"url":"https://x/a","file_id":"f-1"}"#, Some(url), None),
            (r#"{"url":"","file":"https://x/a"}"#, Some(url), None),
            (r#"{"file":"https://x/a","name":"季度.pdf"}"#, Some(url), Some("季度.pdf")),
            (r#"{"file":"base64://aGk="}"#, Some("base64://aGk="), None),
            (r#"{"url":"data:a/b,hi","file":"A.png"}"#, Some("data:a/b,hi"), Some("A.png")),
            (r#"{"url":"https://x/a","file":"BASE64://aGk="}"#, Some(url), None),
            (r#"{"file":"file:///root/中 文.amr"}"#, None, Some("中 文.amr")),
            (r#"{"path":"C:\\tmp\\a.mp4"}"#, None, Some("a.mp4")),
            (r#"{"file_id":"f-1"}"#, None, Some("f-1")),
            (r#""words""#, None, Some("words")),
        ] {
            let read = segment(data);
            assert_eq!((read.url.as_deref(), read.name.as_deref()), (address, name), "{data}");
        }
    }

    #[test]
    fn what_is_told_of_a_file_is_kept() {
        let told = segment(
            r#"{"file":"A.png","file_size":"871157","width":3,"height":4,"duration":2.5,
                "summary":"&#91;动画表情&#93;","mime":"image/png"}"#,
        );
        assert_eq!((told.size, told.width, told.height), (Some(871_157), Some(3), Some(4)));
        assert_eq!((told.duration, told.mime.as_deref()), (Some(2.5), Some("image/png")));
        assert_eq!(told.summary.as_deref(), Some("[动画表情]"));
    }

    #[test]
    fn a_reply_is_no_segment() {
        let target = ReplyTo { external_id: Some("5".into()), ..ReplyTo::default() };
        let read =
            MessageReading::of(vec![MessagePart::Reply(target.clone()), text("hi").into()], None);
        assert_eq!((read.content, read.reply_to), (Content::text("hi"), Some(Box::new(target))));
    }

    #[test]
    fn a_message_of_nothing_is_one() {
        let read = MessageReading::of(vec![text("").into()], None);
        assert_eq!((read.content.readable().as_ref(), read.says_nothing), ("[message]", true));
        assert!(
            !MessageReading::of(vec![mention("5", None, &|_| false).into()], None).says_nothing
        );
    }
}
