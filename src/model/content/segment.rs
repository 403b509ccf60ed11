//! The segments of a message (contract, item 23).

use super::failure::MediaFailure;
use crate::model::json_object::from_object;
use crate::model::message_type::MessageType;
use crate::model::sender::Sender;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One part of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", tag = "type", rename_all = "snake_case")]
pub enum Segment {
    /// Plain text.
    Text {
        /// The text.
        text: String,
    },
    /// A mention of a person.
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
    /// A mention of everybody in the conversation.
    MentionAll {},
    /// A face or sticker of the platform, or an emoji.
    Emoji {
        /// The file name or the label, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The platform's ID of the face or sticker.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// URL of a picture of it.
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
        /// The title, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// The address, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>,
    },
    /// Messages of another conversation, sent on as one message.
    Forward {
        /// The title, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// The messages; empty until somebody opens the forward.
        #[serde(
            default,
            skip_serializing_if = "Vec::is_empty",
            deserialize_with = "forward_items"
        )]
        items: Vec<ForwardItem>,
        /// The platform's ID of the forward, which is needed to request its messages.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// A shared link, mini program, song or contact.
    Card {
        /// The title, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// The text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// The address, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// URL of its picture.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        image: Option<String>,
    },
    /// Something that has no form on other platforms.
    Other {
        /// The platform's name for it.
        name: String,
        /// The text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
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
    /// The platform's address of the file, which may expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// SHA-256 in hex, if the bytes are stored here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
    /// The platform's text for it, such as the name of a sticker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The words that are spoken in it, where the platform gives them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Reason why the bytes are not here, after an attempt to fetch them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Box<MediaFailure>>,
}

/// One message inside a forward.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ForwardItem {
    /// The author of the forwarded message.
    #[serde(deserialize_with = "from_object")]
    pub sender: Sender,
    /// Unix seconds.
    pub created_at: u64,
    /// The parts of the content.
    pub segments: Vec<Segment>,
}

impl Serialize for Segment {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, to)
    }
}

impl<'de> Deserialize<'de> for Segment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        /// Reads what the derive describes, which may also be an array.
        #[derive(Deserialize)]
        #[serde(transparent)]
        struct AnyForm(#[serde(with = "Segment")] Segment);

        from_object(from).map(|AnyForm(segment)| segment)
    }
}

fn forward_items<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<ForwardItem>, D::Error> {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Item(#[serde(deserialize_with = "from_object")] ForwardItem);

    let items = Vec::<Item>::deserialize(from)?;
    Ok(items.into_iter().map(|Item(item)| item).collect())
}

// Numbers come from JSON, which has no NaN.
impl Eq for Segment {}
impl Eq for Media {}
impl Eq for ForwardItem {}

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

    /// Removes `failure` from all media: only the server itself may set it.
    pub fn forget_failures(&mut self) {
        if let Self::Forward { items, .. } = self {
            items.iter_mut().flat_map(|item| &mut item.segments).for_each(Self::forget_failures);
        } else if let Some((_, media)) = self.media_mut() {
            media.failure = None;
        }
    }

    /// About how many bytes of memory it takes.
    pub(super) fn bytes(&self) -> usize {
        let texts: usize = match self {
            Self::Text { text } => text.len(),
            Self::Image(media) | Self::Audio(media) | Self::Video(media) | Self::File(media) => {
                media.url.as_ref().map_or(0, String::len)
                    + media.text.as_ref().map_or(0, String::len)
                    + media.failure.as_ref().map_or(0, |failure| failure.reason.len())
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

    /// The label for a segment that has no better text.
    pub(super) fn label(&self) -> &'static str {
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
        failure: Some(Box::new(MediaFailure { reason: "gone".into(), retryable: true, at: 5 })),
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
