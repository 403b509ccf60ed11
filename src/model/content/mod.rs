//! Content of a message: segments, and the readable text and type computed from them.
//!
//! Contract, items 23 and 24. The text and the type of Part 1 are computed here and nowhere else.

mod check;
mod failure;
mod full_text;
mod limits;
mod readable;
mod segment;
mod told;

pub use failure::MediaFailure;
pub use limits::{MAX_EMOJI_BYTES, MAX_EXCERPT, MAX_FORWARD_DEPTH, MAX_READ, MAX_SEGMENTS};
#[cfg(test)]
pub(crate) use segment::every_segment;
pub use segment::{ForwardItem, Media, Segment};
pub use told::name_in_url;

use super::inline::Inline;
use super::message_type::MessageType;
use readable::{address_or_name, is_address, readable};
use std::borrow::Cow;

/// Content of a message: plain text, which most messages are, or segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content(Form);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    Plain(String),
    /// Never empty, and never one plain text.
    Segments(Vec<Segment>),
}

impl Default for Content {
    /// An empty text.
    fn default() -> Self {
        Self::text("")
    }
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

    /// Content from a type and a text of Part 1: a text, or the URL or name of one picture, file,
    /// video or sound.
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

    /// The type of Part 1: `Image`, `File`, `Video` or `Audio` if that is the only segment, else
    /// `Text`.
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

    /// The segments; plain text becomes one segment.
    pub fn to_segments(&self) -> Vec<Segment> {
        match &self.0 {
            Form::Plain(text) => vec![Segment::Text { text: text.clone() }],
            Form::Segments(segments) => segments.clone(),
        }
    }

    /// The only segment and its type, if that is an image, audio, video or file.
    pub fn media(&self) -> Option<(MessageType, &Media)> {
        match self.segments() {
            Some([only]) => only.media().map(|media| (self.message_type(), media)),
            _ => None,
        }
    }

    /// The texts of all segments in order, without the spaces around them.
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

    /// Whether type and text are equal. Addresses of files are not compared, because they change
    /// each time.
    pub fn is_alike(&self, other: &Self) -> bool {
        self.message_type() == other.message_type() && self.texts().eq(other.texts())
    }

    /// The segments in the contract's JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.to_segments()).unwrap_or_default()
    }

    /// Reads what [`Self::to_json`] wrote.
    ///
    /// # Errors
    ///
    /// The text is no JSON array of segments.
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

    /// Whether it mentions the account itself.
    pub fn mentions_me(&self) -> bool {
        let is_me = |segment: &Segment| matches!(segment, Segment::Mention { me: true, .. });
        self.segments().is_some_and(|segments| segments.iter().any(is_me))
    }

    /// The IDs of people who are mentioned without a name, each once.
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

    /// The content with the name of a person who is mentioned without one; `None` if there is none.
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
    ///
    /// # Errors
    ///
    /// A field is wrong; the text names it and says what is right.
    pub fn check(segments: &[Segment]) -> Result<(), String> {
        if segments.is_empty() {
            return Err("`segments` is empty; give at least one".into());
        }
        let mut count = 0;
        check::check_all(segments, 0, &mut count)
    }
}

#[cfg(test)]
mod tests;
