//! Content of a message: segments, and the readable text and type computed from them.
//!
//! Contract, items 23 and 24. The text and the type of Part 1 are computed here and nowhere else.

use super::inline::Inline;
use super::message_type::MessageType;
use super::sender::Sender;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt::Write;

/// Segments that a message may have, forwards counted with their items.
pub const MAX_SEGMENTS: usize = 1000;

/// Characters of the excerpt of a message that another one answers.
pub const MAX_EXCERPT: usize = 200;

/// Bytes of the emoji of a reaction; some are made of many characters.
pub const MAX_EMOJI_BYTES: usize = 64;

/// How deep forwards may lie inside forwards.
pub const MAX_FORWARD_DEPTH: usize = 8;

/// One part of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Segment {
    /// Plain text.
    Text {
        #[allow(missing_docs)]
        text: String,
    },
    /// A person is addressed.
    Mention {
        /// The platform's ID of the person.
        user: String,
        /// The name shown, without the `@`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The person is the account itself.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        me: bool,
    },
    /// Everybody in the conversation is addressed.
    MentionAll {},
    /// A face or sticker of the platform, or an emoji.
    Emoji {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[allow(missing_docs)]
        name: Option<String>,
        /// The platform's ID of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// A picture of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
    },
    /// A picture.
    Image(Media),
    /// A sound, such as a voice message.
    Audio(Media),
    /// A video.
    Video(Media),
    /// Any other file.
    File(Media),
    /// A place on the map.
    Location {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[allow(missing_docs)]
        title: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[allow(missing_docs)]
        address: Option<String>,
    },
    /// Messages of elsewhere, passed on as one.
    Forward {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[allow(missing_docs)]
        title: Option<String>,
        /// The messages; empty until somebody opens the forward.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        items: Vec<ForwardItem>,
        /// The platform's ID of it, by which its messages can be asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// A shared link, mini program, song or contact.
    Card {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[allow(missing_docs)]
        title: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[allow(missing_docs)]
        text: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[allow(missing_docs)]
        url: Option<String>,
        /// URL of its picture.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        image: Option<String>,
    },
    /// Something that only the platform has.
    Other {
        /// The platform's name for it.
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[allow(missing_docs)]
        text: Option<String>,
    },
}

/// A picture, sound, video or file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Media {
    /// The file's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Media type (RFC 6838), such as `image/png`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// Pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// The platform's address of it, which may expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// SHA-256 in hex, once the bytes are kept here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
    /// The platform's word for it, such as the name of a sticker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The words said in it, where the platform tells them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// One message inside a forward.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForwardItem {
    #[allow(missing_docs)]
    pub sender: Sender,
    /// Unix seconds.
    pub created_at: u64,
    #[allow(missing_docs)]
    pub segments: Vec<Segment>,
}

// Numbers come from JSON, which has none that differs from itself.
impl Eq for Segment {}
impl Eq for Media {}
impl Eq for ForwardItem {}

/// Content of a message: plain text, which most messages are, or segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content(Form);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    Plain(String),
    /// Never empty, and never one plain text.
    Segments(Vec<Segment>),
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl Content {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self(Form::Plain(text.into()))
    }

    /// Segments, with texts that follow each other joined and empty ones left out.
    pub fn of(segments: Vec<Segment>) -> Self {
        let mut joined: Vec<Segment> = Vec::with_capacity(segments.len());
        for segment in segments {
            match (joined.last_mut(), segment) {
                (_, Segment::Text { text }) if text.is_empty() => {}
                (Some(Segment::Text { text: before }), Segment::Text { text }) => {
                    before.push_str(&text);
                }
                (_, segment) => joined.push(segment),
            }
        }
        match &mut joined[..] {
            [] => Self::text(""),
            [Segment::Text { text }] => Self::text(std::mem::take(text)),
            _ => Self(Form::Segments(joined)),
        }
    }

    /// Content as Part 1 gives it: a text, or the URL or name of one picture, file, video or sound.
    pub fn of_type(message_type: MessageType, content: String) -> Self {
        let make = match message_type {
            MessageType::Text => return Self::text(content),
            MessageType::Image => Segment::Image,
            MessageType::File => Segment::File,
            MessageType::Video => Segment::Video,
            MessageType::Audio => Segment::Audio,
        };
        let media = match Inline::parse(&content) {
            Some(Inline { name, size }) => {
                Media { name, size: Some(size as u64), url: Some(content), ..Media::default() }
            }
            None if is_address(&content) => Media { url: Some(content), ..Media::default() },
            None => Media { name: Some(content), ..Media::default() },
        };
        Self(Form::Segments(vec![make(media)]))
    }

    /// The type of Part 1: that of the one picture, file, video or sound it is, else `Text`.
    pub fn message_type(&self) -> MessageType {
        match self.segments() {
            Some([Segment::Image(_)]) => MessageType::Image,
            Some([Segment::Audio(_)]) => MessageType::Audio,
            Some([Segment::Video(_)]) => MessageType::Video,
            Some([Segment::File(_)]) => MessageType::File,
            _ => MessageType::Text,
        }
    }

    /// The readable text of Part 1; for one picture, file, video or sound its URL, else its name.
    pub fn readable(&self) -> Cow<'_, str> {
        match &self.0 {
            Form::Plain(text) => Cow::Borrowed(text),
            Form::Segments(segments) => match &segments[..] {
                [only] if only.media().is_some() => Cow::Owned(address_or_name(only)),
                _ => Cow::Owned(readable(segments)),
            },
        }
    }

    /// The segments; `None` where the content is one plain text.
    pub fn segments(&self) -> Option<&[Segment]> {
        match &self.0 {
            Form::Plain(_) => None,
            Form::Segments(segments) => Some(segments),
        }
    }

    /// The segments, plain text as one of them.
    pub fn to_segments(&self) -> Vec<Segment> {
        match &self.0 {
            Form::Plain(text) => vec![Segment::Text { text: text.clone() }],
            Form::Segments(segments) => segments.clone(),
        }
    }

    /// The one image, audio, video or file it is, and its type.
    pub fn media(&self) -> Option<(MessageType, &Media)> {
        match self.segments() {
            Some([only]) => only.media().map(|media| (self.message_type(), media)),
            _ => None,
        }
    }

    /// The texts in it without the spaces around them, one after the other.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let plain = match &self.0 {
            Form::Plain(text) => Some(&**text),
            Form::Segments(_) => None,
        };
        let of_segments = self.segments().unwrap_or_default().iter().filter_map(|segment| {
            if let Segment::Text { text } = segment { Some(&**text) } else { None }
        });
        plain.into_iter().chain(of_segments).map(str::trim).filter(|text| !text.is_empty())
    }

    /// Whether it may be what a platform tells of content that was sent. Text comes back as it was;
    /// what was sent as one address comes back as another, and so do pictures and names among text.
    pub fn is_told_of(&self, sent: &Self) -> bool {
        match (sent.media(), self.media()) {
            (Some((sent, _)), Some((told, _))) => sent == told,
            (None, None) => sent.texts().eq(self.texts()),
            _ => false,
        }
    }

    /// The segments in the contract's JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.to_segments()).unwrap_or_default()
    }

    /// Reads what [`Self::to_json`] wrote.
    pub fn from_json(json: &str) -> serde_json::Result<Self> {
        Ok(Self::of(serde_json::from_str(json)?))
    }

    /// About how many bytes of memory it takes.
    pub fn bytes(&self) -> usize {
        match &self.0 {
            Form::Plain(text) => text.len(),
            Form::Segments(segments) => segments.iter().map(Segment::bytes).sum(),
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        matches!(&self.0, Form::Plain(text) if text.is_empty())
    }

    /// Whether a person addresses the account itself.
    pub fn mentions_me(&self) -> bool {
        let is_me = |segment: &Segment| matches!(segment, Segment::Mention { me: true, .. });
        self.segments().is_some_and(|segments| segments.iter().any(is_me))
    }

    /// The people whom it mentions without a name, each once.
    pub fn unnamed_mentions(&self) -> Vec<String> {
        let mut unnamed = Vec::new();
        for segment in self.segments().unwrap_or_default() {
            if let Segment::Mention { user, name: None, .. } = segment
                && !unnamed.contains(user)
            {
                unnamed.push(user.clone());
            }
        }
        unnamed
    }

    /// The same with the name of a person whom it mentions without one; `None` where it does not.
    #[must_use]
    pub fn with_mention_named(&self, person: &str, told: &str) -> Option<Self> {
        let mut segments = self.segments()?.to_vec();
        let mut is_named = false;
        for segment in &mut segments {
            if let Segment::Mention { user, name: name @ None, .. } = segment
                && user == person
            {
                *name = Some(told.to_owned());
                is_named = true;
            }
        }
        is_named.then(|| Self::of(segments))
    }

    /// Checks what a client sent; the error names the segment and what would be right.
    pub fn check(segments: &[Segment]) -> Result<(), String> {
        if segments.is_empty() {
            return Err("`segments` is empty; give at least one".into());
        }
        let mut count = 0;
        check_all(segments, 0, &mut count)
    }
}

fn check_all(segments: &[Segment], depth: usize, count: &mut usize) -> Result<(), String> {
    if depth > MAX_FORWARD_DEPTH {
        return Err(format!("`segments`: forwards lie more than {MAX_FORWARD_DEPTH} deep"));
    }
    for (place, segment) in segments.iter().enumerate() {
        *count += 1;
        if *count > MAX_SEGMENTS {
            return Err(format!("`segments` has more than {MAX_SEGMENTS} entries"));
        }
        let field = match segment {
            Segment::Mention { user, .. } if user.is_empty() => Some("user"),
            Segment::Other { name, .. } if name.is_empty() => Some("name"),
            Segment::Forward { items, .. } => {
                for item in items {
                    check_all(&item.segments, depth + 1, count)?;
                }
                None
            }
            _ => None,
        };
        if let Some(field) = field {
            return Err(format!("`segments[{place}].{field}` is empty"));
        }
    }
    Ok(())
}

impl Segment {
    /// The picture, sound, video or file it is, to be changed, and its type.
    pub fn media_mut(&mut self) -> Option<(MessageType, &mut Media)> {
        match self {
            Self::Image(media) => Some((MessageType::Image, media)),
            Self::Audio(media) => Some((MessageType::Audio, media)),
            Self::Video(media) => Some((MessageType::Video, media)),
            Self::File(media) => Some((MessageType::File, media)),
            _ => None,
        }
    }

    /// About how many bytes of memory it takes.
    fn bytes(&self) -> usize {
        let texts: usize = match self {
            Self::Text { text } => text.len(),
            Self::Image(media) | Self::Audio(media) | Self::Video(media) | Self::File(media) => {
                media.url.as_ref().map_or(0, String::len)
                    + media.text.as_ref().map_or(0, String::len)
            }
            Self::Forward { items, .. } => {
                items.iter().flat_map(|item| &item.segments).map(Self::bytes).sum()
            }
            Self::Card { text, .. } | Self::Other { text, .. } => {
                text.as_ref().map_or(0, String::len)
            }
            _ => 0,
        };
        size_of::<Self>() + texts
    }

    /// The picture, sound, video or file it is.
    pub fn media(&self) -> Option<&Media> {
        match self {
            Self::Image(media) | Self::Audio(media) | Self::Video(media) | Self::File(media) => {
                Some(media)
            }
            _ => None,
        }
    }

    /// The word that stands for it where there is no better one.
    fn label(&self) -> &'static str {
        match self {
            Self::Image(_) => "[image]",
            Self::Audio(_) => "[audio]",
            Self::Video(_) => "[video]",
            Self::File(_) => "[file]",
            Self::Location { .. } => "[location]",
            Self::Forward { .. } => "[forward]",
            Self::Card { .. } => "[card]",
            Self::Emoji { .. } => "[emoji]",
            Self::Text { .. } | Self::Mention { .. } | Self::MentionAll {} | Self::Other { .. } => {
                ""
            }
        }
    }
}

/// Whether a text is an address of the web; anything else, base64 among it, is never shown as one.
fn is_address(text: &str) -> bool {
    let is_scheme = |scheme: &str| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    is_scheme("https://") || is_scheme("http://")
}

fn address_or_name(segment: &Segment) -> String {
    let Some(media) = segment.media() else { return String::new() };
    let address = media.url.as_deref().filter(|url| is_address(url));
    let words = [address, media.name.as_deref(), media.text.as_deref(), media.summary.as_deref()];
    words.into_iter().flatten().find(|word| is_shown(word)).unwrap_or(segment.label()).to_owned()
}

/// Whether a word says something, and is not the bytes of a file.
fn is_shown(word: &str) -> bool {
    !word.is_empty() && !word.starts_with("base64://") && !word.starts_with("data:")
}

fn readable(segments: &[Segment]) -> String {
    let mut text = String::new();
    for segment in segments {
        // A word that is no text stands apart from words before it.
        let is_word = !matches!(segment, Segment::Text { .. } | Segment::Emoji { .. });
        if is_word && text.ends_with(|c: char| !c.is_whitespace()) {
            text.push(' ');
        }
        let before = text.len();
        write_word(segment, &mut text);
        let follows_text = matches!(segment, Segment::Mention { .. } | Segment::MentionAll {});
        if follows_text && text.len() > before {
            text.push(' ');
        }
    }
    text.truncate(text.trim_end_matches(' ').len());
    text
}

fn write_word(segment: &Segment, text: &mut String) {
    let first = |words: &[Option<&str>]| {
        words.iter().copied().flatten().find(|word| is_shown(word)).map(str::to_owned)
    };
    let found = match segment {
        Segment::Text { text: own } => {
            return text.push_str(own.trim_start_matches(|c| {
                // The space behind a name is there already.
                c == ' ' && text.ends_with(' ')
            }));
        }
        Segment::Mention { user, name, .. } => {
            let name = name.as_deref().filter(|name| !name.is_empty()).unwrap_or(user);
            Some(format!("@{name}"))
        }
        Segment::MentionAll {} => Some("@all".into()),
        Segment::Emoji { name, .. } => name.as_deref().filter(|name| !name.is_empty()).map(emoji),
        Segment::Image(media) | Segment::Video(media) => first(&[media.summary.as_deref()]),
        Segment::Audio(media) => first(&[media.text.as_deref()]),
        Segment::File(media) => first(&[media.name.as_deref()]),
        Segment::Location { latitude, longitude, title, address } => {
            let words: Vec<_> =
                [title, address].into_iter().flatten().map(String::as_str).collect();
            let mut place = words.join(" ");
            if place.is_empty() {
                let _ = write!(place, "{latitude},{longitude}");
            }
            Some(place)
        }
        Segment::Forward { title, .. } => first(&[title.as_deref()]),
        Segment::Card { title, text, url, .. } => {
            first(&[title.as_deref(), text.as_deref(), url.as_deref()])
        }
        // Beside its name, for the words alone would read as if somebody had said them.
        Segment::Other { name, text } => Some(match first(&[text.as_deref()]) {
            Some(said) => format!("[{name}] {said}"),
            None => format!("[{name}]"),
        }),
    };
    text.push_str(found.as_deref().unwrap_or(segment.label()));
}

/// An emoji stands for itself; a face is shown by its name in brackets.
fn emoji(name: &str) -> String {
    if name.chars().any(char::is_alphanumeric) && !name.starts_with('[') {
        format!("[{name}]")
    } else {
        name.to_owned()
    }
}

/// Every kind of segment with each of its fields.
#[cfg(test)]
pub(crate) fn every_segment() -> Vec<Segment> {
    let some = |text: &str| Some(text.to_owned());
    let media = Media {
        name: some("a.png"),
        size: Some(3),
        mime: some("image/png"),
        width: Some(4),
        height: Some(5),
        duration: Some(1.5),
        url: some("https://a/b.png"),
        media: some("00"),
        summary: some("s"),
        text: some("t"),
    };
    let item = ForwardItem {
        sender: Sender { id: "1".into(), name: "B".into() },
        created_at: 5,
        segments: vec![Segment::Text { text: "x".into() }],
    };
    vec![
        Segment::Text { text: "a".into() },
        Segment::Mention { user: "7".into(), name: some("Ann"), me: true },
        Segment::MentionAll {},
        Segment::Emoji { name: some("微笑"), id: some("14"), url: some("https://a") },
        Segment::Image(media.clone()),
        Segment::Audio(media.clone()),
        Segment::Video(media.clone()),
        Segment::File(media),
        Segment::Location { latitude: 1.0, longitude: 2.5, title: some("t"), address: some("a") },
        Segment::Forward { title: some("t"), items: vec![item], id: some("f") },
        Segment::Card { title: some("t"), text: some("x"), url: some("u"), image: some("i") },
        Segment::Other { name: "poke".into(), text: some("x") },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(text: &str) -> Segment {
        Segment::Text { text: text.into() }
    }

    fn mention(user: &str, name: Option<&str>) -> Segment {
        Segment::Mention { user: user.into(), name: name.map(str::to_owned), me: false }
    }

    fn image(media: Media) -> Segment {
        Segment::Image(media)
    }

    fn shown(segments: Vec<Segment>) -> (MessageType, String) {
        let content = Content::of(segments);
        (content.message_type(), content.readable().into_owned())
    }

    #[test]
    fn one_text_is_plain() {
        let content = Content::of(vec![text("a"), text(""), text("b")]);
        assert_eq!(content, Content::text("ab"));
        assert_eq!(content.segments(), None);
    }

    #[test]
    fn mentions_read_as_names() {
        let all = vec![mention("7", Some("Ann")), text(" hi "), mention("8", None), text("!")];
        assert_eq!(shown(all).1, "@Ann hi @8 !");
        assert_eq!(shown(vec![Segment::MentionAll {}, text("come")]).1, "@all come");
    }

    #[test]
    fn a_mention_is_named_later() {
        let content = Content::of(vec![mention("7", None), text("hi"), mention("8", Some("Bo"))]);
        let named = content.with_mention_named("7", "Ann").unwrap();
        assert_eq!(named.readable(), "@Ann hi @Bo");
        assert_eq!(content.with_mention_named("8", "Eve"), None);
        assert_eq!(Content::text("@7").with_mention_named("7", "Ann"), None);
    }

    #[test]
    fn one_picture_is_its_address_else_its_name() {
        let url = Media { url: Some("HTTPS://a/b.png".into()), ..Media::default() };
        assert_eq!(shown(vec![image(url)]), (MessageType::Image, "HTTPS://a/b.png".into()));
        let named = Media { name: Some("b.png".into()), ..Media::default() };
        assert_eq!(shown(vec![Segment::File(named)]), (MessageType::File, "b.png".into()));
        assert_eq!(shown(vec![image(Media::default())]), (MessageType::Image, "[image]".into()));
    }

    #[test]
    fn base64_is_never_shown() {
        for url in ["base64://AAAA", "data:image/png;base64,AAAA"] {
            let media = Media { url: Some(url.into()), ..Media::default() };
            assert_eq!(shown(vec![image(media)]).1, "[image]");
            let content = Content::of_type(MessageType::Image, url.into());
            assert_eq!(content.readable(), "[image]");
        }
    }

    #[test]
    fn a_picture_with_text_is_a_text() {
        let media = Media { url: Some("https://a/b.png".into()), ..Media::default() };
        assert_eq!(
            shown(vec![text("look"), image(media)]),
            (MessageType::Text, "look [image]".into())
        );
    }

    #[test]
    fn each_kind_has_a_word() {
        let none = None::<String>;
        let words = [
            (Segment::Emoji { name: Some("微笑".into()), id: none.clone(), url: None }, "[微笑]"),
            (Segment::Emoji { name: Some("😀".into()), id: None, url: None }, "😀"),
            (Segment::Emoji { name: None, id: Some("5".into()), url: None }, "[emoji]"),
            (
                Segment::Location { latitude: 1.5, longitude: 2.0, title: None, address: None },
                "1.5,2",
            ),
            (Segment::Forward { title: None, items: vec![], id: None }, "[forward]"),
            (Segment::Card { title: None, text: Some("x".into()), url: None, image: None }, "x"),
            (Segment::Other { name: "dice".into(), text: None }, "[dice]"),
            (Segment::Other { name: "dice".into(), text: Some("6".into()) }, "[dice] 6"),
        ];
        for (segment, word) in words {
            assert_eq!(shown(vec![segment]), (MessageType::Text, word.into()));
        }
    }

    #[test]
    fn the_json_is_the_contracts() {
        let all = json!([
            {"type": "text", "text": "a"},
            {"type": "mention", "user": "7", "name": "Ann", "me": true},
            {"type": "mention_all"},
            {"type": "emoji", "id": "14"},
            {"type": "image", "url": "https://a", "width": 3, "height": 4},
            {"type": "location", "latitude": 1.0, "longitude": 2.5},
            {"type": "forward", "items": [
                {"sender": {"id": "1", "name": "B"}, "created_at": 5, "segments": [{"type": "text", "text": "x"}]}
            ]},
            {"type": "card", "title": "t"},
            {"type": "other", "name": "poke"},
        ]);
        let segments: Vec<Segment> = serde_json::from_value(all.clone()).unwrap();
        assert_eq!(serde_json::to_value(&segments).unwrap(), all);
        assert!(Content::of(segments).mentions_me());
    }

    #[test]
    fn what_is_too_much_is_refused() {
        assert!(Content::check(&[]).is_err());
        assert!(Content::check(&vec![text("x"); MAX_SEGMENTS + 1]).is_err());
        let mut nested = text("x");
        for _ in 0..=MAX_FORWARD_DEPTH {
            let sender = Sender::default();
            let item = ForwardItem { sender, created_at: 0, segments: vec![nested] };
            nested = Segment::Forward { title: None, items: vec![item], id: None };
        }
        assert!(Content::check(&[nested]).unwrap_err().contains("deep"));
        let error = Content::check(&[text("a"), mention("", None)]).unwrap_err();
        assert_eq!(error, "`segments[1].user` is empty");
    }
}
