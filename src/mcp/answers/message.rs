//! Messages in the form for models.

use super::text::{EXCERPT, cut, is_false, time};
use crate::mcp::address;
use crate::mcp::context::SeenMessage;
use crate::model::message::{Direction, Message};
use crate::text::in_units;
use schemars::JsonSchema;
use serde::Serialize;

/// Characters of a message in a list.
const LISTED_TEXT: usize = 2000;

/// Characters of a message that is requested alone.
const WHOLE_TEXT: usize = 50_000;

/// Attachments and reactions of a message that are shown.
const MAX_PARTS: usize = 50;

/// A message.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "it is the answer's JSON")]
pub(in crate::mcp) struct ShownMessage {
    pub(in crate::mcp) id: String,
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
    pub(in crate::mcp) attachments: Vec<Attachment>,
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
pub(super) struct Person {
    id: String,
    name: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct Attachment {
    /// `image`, `audio`, `video` or `file`.
    pub(in crate::mcp) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mime: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<String>,
    /// The words that are spoken in it, if the platform gives them.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// The address of its bytes, which can be read as a resource; left out if they are not stored here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) resource: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Quoted {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sender: Option<Person>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Reacted {
    emoji: String,
    count: u32,
}

/// A message that was to be sent, in its present state.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct SentMessage {
    id: String,
    platform: String,
    conversation: String,
    #[serde(flatten)]
    outcome: ShownOutcome,
}

impl ShownMessage {
    /// `platform/conversation`
    pub(in crate::mcp) fn conversation_path(&self) -> String {
        format!("{}/{}", self.platform, self.conversation)
    }

    /// A message for a list.
    pub(in crate::mcp) fn listed(message: &SeenMessage) -> Self {
        Self::of(message, LISTED_TEXT)
    }

    /// A message that was requested alone.
    pub(in crate::mcp) fn whole(message: &SeenMessage) -> Self {
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
            waiting: message.waiting.as_deref().map(str::to_owned),
            last_error: message.last_error.clone(),
            unconfirmed: message.is_unconfirmed,
        }
    }
}

impl Person {
    pub(super) fn of(sender: &crate::model::message::Sender) -> Self {
        Self { id: sender.id.clone(), name: sender.name.clone() }
    }
}

impl SentMessage {
    pub(in crate::mcp) fn id(&self) -> &str {
        &self.id
    }

    pub(in crate::mcp) fn status(&self) -> &'static str {
        self.outcome.status.unwrap_or_default()
    }

    /// `platform/conversation`
    pub(in crate::mcp) fn conversation_path(&self) -> String {
        format!("{}/{}", self.platform, self.conversation)
    }

    pub(in crate::mcp) fn of(message: &Message) -> Self {
        Self {
            id: message.id.to_string(),
            platform: message.platform_or_local().to_owned(),
            conversation: message.recipient.clone(),
            outcome: ShownOutcome::of(message),
        }
    }
}

/// The readable text; for a message that is one picture or file its label, never its address.
pub(super) fn words(message: &Message) -> String {
    match message.content.media() {
        None => message.content.readable().into_owned(),
        Some((message_type, media)) => {
            let label = message_type.as_str().to_lowercase();
            media.name.as_ref().map_or(format!("[{label}]"), |name| format!("[{label}] {name}"))
        }
    }
}

fn attachments(message: &Message) -> Vec<Attachment> {
    let media = address::media(message).into_iter().take(MAX_PARTS).enumerate();
    let shown = media.map(|(at, (kind, media))| Attachment {
        kind,
        resource: media.media.is_some().then(|| address::of_media(message.id, at + 1)),
        name: media.name.clone(),
        mime: media.mime.clone(),
        size: media.size.map(in_units),
        text: media.text.as_deref().map(|text| cut(text, LISTED_TEXT).0),
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::{Content, Media, Segment};

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        let text = "字".repeat(LISTED_TEXT + 1);
        let listed = ShownMessage::listed(&SeenMessage::of_content(Content::text(text.clone())));
        assert!(listed.truncated && listed.text.chars().count() == LISTED_TEXT);
        let whole = ShownMessage::whole(&SeenMessage::of_content(Content::text(text.clone())));
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
            let shown = ShownMessage::whole(&SeenMessage::of_content(content));
            let json = serde_json::to_string(&shown).unwrap();
            assert!(!json.contains("secret"), "{json}");
            assert!(json.contains(r#""kind":"image","name":"cat.png","size":"12 kB""#), "{json}");
            assert!(shown.attachments[0].resource.is_none(), "its bytes are not kept");
        }
    }
}
