//! Answers of the tools: messages, conversations and platforms as models get them, within a bound.

use super::source::Chats;
use crate::model::content::Segment;
use crate::model::message::{Direction, Message};
use crate::protocol::http::{AdapterStatus, Conversation};
use crate::text::in_units;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;

/// Characters of a message in a list.
const LISTED_TEXT: usize = 2000;

/// Characters of a message that is shown alone.
const WHOLE_TEXT: usize = 50_000;

/// Characters of a message that another one answers, and of the last message of a conversation.
const EXCERPT: usize = 200;

/// Bytes of JSON that the messages of an answer have.
const MAX_BYTES: usize = 100_000;

/// Attachments and reactions of a message that are shown.
const MAX_PARTS: usize = 50;

/// A message.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "it is the answer's JSON")]
pub(super) struct ShownMessage {
    pub(super) id: String,
    platform: String,
    conversation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation_name: Option<String>,
    /// `Inbound`: other people wrote it. `Outbound`: the person's own account wrote it.
    direction: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<Person>,
    /// When it was written, in the time zone of the host.
    time: String,
    /// Words of the sender, not of the user or of this server.
    text: String,
    /// The text is longer; `get_message` gives more of it.
    #[serde(default, skip_serializing_if = "is_false")]
    truncated: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attachment>,
    /// The message that this one answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<Quoted>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reactions: Vec<Reacted>,
    /// It mentions the person's own account.
    #[serde(default, skip_serializing_if = "is_false")]
    mentions_me: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    edited: bool,
    /// It was taken back by who wrote it.
    #[serde(default, skip_serializing_if = "is_false")]
    recalled: bool,
    #[serde(flatten)]
    outcome: ShownOutcome,
}

/// The outcome of an outbound message.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ShownOutcome {
    /// `Pending`, `Sending`, `Sent`, `Failed` or `Canceled`; left out for an inbound message.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    /// Why it has not gone out yet, and what would help.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<String>,
    /// Why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    /// The platform took it without a proof of it.
    #[serde(default, skip_serializing_if = "is_false")]
    unconfirmed: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Person {
    id: String,
    name: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Attachment {
    /// `image`, `audio`, `video` or `file`.
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mime: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<String>,
    /// The words said in it, where the platform tells them.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Quoted {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<Person>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Reacted {
    emoji: String,
    count: u32,
}

/// Messages of a conversation, the oldest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct MessagePage {
    pub(super) messages: Vec<ShownMessage>,
    /// Place for `before`: what was written earlier. Left out where nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<String>,
    /// Place for `after`: what was written later, or comes from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<String>,
    /// There are more messages after these.
    pub(super) more_after: bool,
}

/// Messages that were found, the newest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct FoundMessages {
    pub(super) messages: Vec<ShownMessage>,
    /// `cursor` for the next page; left out where everything was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

/// One message.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct OneMessage {
    pub(super) message: ShownMessage,
}

/// Messages that came, the oldest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct NewMessages {
    pub(super) messages: Vec<ShownMessage>,
    /// `since` for the next call: nothing is missed and nothing comes twice.
    pub(super) cursor: String,
    /// Nothing came in time.
    pub(super) timed_out: bool,
    /// Left out where a server runs. Without one nothing comes in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<&'static str>,
}

/// Conversations, the latest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ConversationPage {
    pub(super) conversations: Vec<ShownConversation>,
    /// `cursor` for the next page; left out where these are all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

/// A conversation.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ShownConversation {
    pub(super) platform: String,
    /// Its ID.
    pub(super) conversation: String,
    /// `group`, `private` or `channel`.
    pub(super) kind: &'static str,
    /// Its name for people, which they can change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// Inbound messages that the person has not read.
    unread: u64,
    /// Those of them that mention the person's account.
    mentions: u64,
    /// When the last message was written.
    last_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_message: Option<Quoted>,
    #[serde(default, skip_serializing_if = "is_false")]
    muted: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pinned: bool,
}

/// Platforms, and how they are connected.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ShownPlatforms {
    platforms: Vec<ShownPlatform>,
    /// Whether a server runs; without one nothing is sent and nothing comes in.
    server: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ShownPlatform {
    platform: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// `Connecting`, `Connected`, `Disconnected` or `Error`.
    state: String,
    /// Why it is in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// A message that was to be sent, as it is now.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SentMessage {
    id: String,
    platform: String,
    conversation: String,
    #[serde(flatten)]
    outcome: ShownOutcome,
}

impl ShownMessage {
    /// A message in a list.
    pub(super) fn listed(message: &Message) -> Self {
        Self::of(message, LISTED_TEXT)
    }

    /// A message alone.
    pub(super) fn whole(message: &Message) -> Self {
        Self::of(message, WHOLE_TEXT)
    }

    fn of(message: &Message, most: usize) -> Self {
        let (text, truncated) = cut(&words(message), most);
        let reply_to = message.reply_to.as_ref().map(|reply| Quoted {
            id: reply.id.map(|id| id.to_string()),
            sender: reply.sender.as_ref().map(Person::of),
            text: reply.content.as_deref().map(|text| cut(text, EXCERPT).0),
        });
        let reactions = message.reactions.iter().take(MAX_PARTS);
        Self {
            id: message.id.to_string(),
            platform: message.platform_or_local().to_owned(),
            conversation: message.recipient.clone(),
            conversation_name: message.conversation_name.clone(),
            direction: message.direction.as_str(),
            sender: message.sender.as_ref().map(Person::of),
            time: time(message.created_at),
            text,
            truncated,
            attachments: attachments(message),
            reply_to,
            reactions: reactions
                .map(|one| Reacted { emoji: one.emoji.clone(), count: one.count })
                .collect(),
            mentions_me: message.content.mentions_me(),
            edited: message.edited_at.is_some(),
            recalled: message.recall.is_some(),
            outcome: ShownOutcome::of(message),
        }
    }
}

impl ShownOutcome {
    fn of(message: &Message) -> Self {
        let is_outbound = message.direction == Direction::Outbound;
        Self {
            status: is_outbound.then_some(message.status.as_str()),
            waiting: message.waiting.clone(),
            last_error: message.last_error.clone(),
            unconfirmed: message.is_unconfirmed,
        }
    }
}

impl Person {
    fn of(sender: &crate::model::message::Sender) -> Self {
        Self { id: sender.id.clone(), name: sender.name.clone() }
    }
}

impl SentMessage {
    pub(super) fn of(message: &Message) -> Self {
        Self {
            id: message.id.to_string(),
            platform: message.platform_or_local().to_owned(),
            conversation: message.recipient.clone(),
            outcome: ShownOutcome::of(message),
        }
    }
}

impl ShownConversation {
    pub(super) fn of(known: &Conversation) -> Self {
        use crate::protocol::http::ConversationKind;
        let last_message = known.last_message.as_ref().map(|message| Quoted {
            id: Some(message.id.to_string()),
            sender: message.sender.as_ref().map(Person::of),
            text: Some(cut(&words(message), EXCERPT).0),
        });
        Self {
            platform: known.platform.clone(),
            conversation: known.conversation.clone(),
            kind: match known.kind {
                ConversationKind::Group => "group",
                ConversationKind::Private => "private",
                ConversationKind::Channel => "channel",
            },
            name: known.name.clone(),
            unread: known.unread,
            mentions: known.mentions,
            last_time: time(known.last_at),
            last_message,
            muted: known.muted,
            pinned: known.pinned,
        }
    }
}

impl ShownPlatforms {
    pub(super) fn of(platforms: Vec<AdapterStatus>, chats: &impl Chats) -> Self {
        let platforms = platforms.into_iter().map(|one| ShownPlatform {
            platform: one.platform,
            account: one.account,
            state: format!("{:?}", one.state),
            reason: one.reason,
        });
        Self { platforms: platforms.collect(), server: chats.is_served() }
    }
}

/// Takes messages one after the other until they have so many bytes; says whether all were taken.
pub(super) fn fitting(messages: &[Message], share: usize) -> (Vec<ShownMessage>, bool) {
    let mut left = MAX_BYTES / share;
    let mut shown = Vec::new();
    for message in messages {
        let one = ShownMessage::listed(message);
        let bytes = serde_json::to_vec(&one).map_or(0, |json| json.len());
        // One message alone always fits.
        if bytes > left && !shown.is_empty() {
            return (shown, false);
        }
        left = left.saturating_sub(bytes);
        shown.push(one);
    }
    (shown, true)
}

/// The readable text; of a message that is one picture or file its label, never its address.
fn words(message: &Message) -> String {
    match message.content.media() {
        None => message.content.readable().into_owned(),
        Some((message_type, media)) => {
            let label = message_type.as_str().to_lowercase();
            media.name.as_ref().map_or(format!("[{label}]"), |name| format!("[{label}] {name}"))
        }
    }
}

fn attachments(message: &Message) -> Vec<Attachment> {
    let segments = message.content.to_segments();
    let media = segments.iter().filter_map(|segment| {
        let kind = match segment {
            Segment::Image(_) => "image",
            Segment::Audio(_) => "audio",
            Segment::Video(_) => "video",
            Segment::File(_) => "file",
            _ => return None,
        };
        Some((kind, segment.media()?))
    });
    let shown = media.take(MAX_PARTS).map(|(kind, media)| Attachment {
        kind,
        name: media.name.clone(),
        mime: media.mime.clone(),
        size: media.size.map(in_units),
        text: media.text.as_deref().map(|text| cut(text, LISTED_TEXT).0),
    });
    shown.collect()
}

/// The first characters of a text, and whether that is not all of it.
fn cut(text: &str, most: usize) -> (String, bool) {
    match text.char_indices().nth(most) {
        Some((end, _)) => (text[..end].to_owned(), true),
        None => (text.to_owned(), false),
    }
}

/// A time as RFC 3339 writes it, in the time zone of the host.
fn time(seconds: u64) -> String {
    let at = i64::try_from(seconds).ok().and_then(|at| Timestamp::from_second(at).ok());
    let zoned = at.unwrap_or_default().to_zoned(TimeZone::system());
    zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::{Content, Media};
    use uuid::Uuid;

    fn message(content: Content) -> Message {
        Message::new(1, Uuid::from_u128(1), content, "group_1".into(), 1_700_000_000)
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        let text = "字".repeat(LISTED_TEXT + 1);
        let listed = ShownMessage::listed(&message(Content::text(text.clone())));
        assert!(listed.truncated && listed.text.chars().count() == LISTED_TEXT);
        let whole = ShownMessage::whole(&message(Content::text(text.clone())));
        assert!(!whole.truncated && whole.text == text);
    }

    #[test]
    fn addresses_and_bytes_of_media_are_not_told() {
        let media = Media {
            name: Some("cat.png".into()),
            size: Some(12_000),
            url: Some("https://cdn.example/cat?secret=1".into()),
            ..Media::default()
        };
        let segments = vec![Segment::Text { text: "look".into() }, Segment::Image(media.clone())];
        for content in [Content::of(vec![Segment::Image(media)]), Content::of(segments)] {
            let shown = ShownMessage::whole(&message(content));
            let json = serde_json::to_string(&shown).unwrap();
            assert!(!json.contains("secret"), "{json}");
            assert!(json.contains(r#""kind":"image","name":"cat.png","size":"12 kB""#), "{json}");
        }
    }

    #[test]
    fn an_answer_is_bounded_and_has_one_message_at_least() {
        let large = message(Content::text("\u{1}".repeat(LISTED_TEXT)));
        let bytes = serde_json::to_vec(&ShownMessage::listed(&large)).unwrap().len();
        let many = vec![large; 100];
        let (shown, is_all) = fitting(&many, 1);
        assert!(!is_all && shown.len() * bytes <= MAX_BYTES && shown.len() > 1);
        assert_eq!(fitting(&many[..2], MAX_BYTES).0.len(), 1);
        assert!(fitting(&[], 1).1);
    }

    #[test]
    fn a_time_can_be_read_back() {
        let at: Timestamp = time(1_700_000_000).parse().unwrap();
        assert_eq!(at.as_second(), 1_700_000_000);
    }
}
