//! Events of platforms as they are kept until they are stored: by another node of a cluster, or quarantined.
//!
//! As JSON they are part of stores and of what nodes tell each other: a field may come, and none may go.

use crate::model::content::{Content, Segment};
use crate::model::inbound::{AlikeEntries, Inbound};
use crate::model::message::{ReplyTo, Sender};
use crate::model::notice::Notice;
use crate::model::reaction::ReactionChange;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An event of a platform. Times are Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are those of the command that stores the event")]
pub enum PlatformEvent {
    /// A message came in.
    Received {
        #[serde(with = "message_json")]
        message: Box<Inbound>,
        at: u64,
    },
    /// A message was recalled.
    Recalled { target: MessageTarget, by: Option<Sender>, at: u64 },
    /// A message was edited.
    Edited {
        target: MessageTarget,
        #[serde(rename = "segments", with = "segments_json")]
        content: Content,
        at: u64,
    },
    /// The reactions to a message changed.
    Reacted { target: MessageTarget, change: ReactionChange, at: u64 },
    /// Something happened that is not a message.
    Noticed { notice: Box<Notice>, request: Option<String> },
    /// A conversation has a name.
    Named { platform: String, conversation: String, name: String },
    /// A person whom a message mentions has a name.
    MentionNamed { target: MessageTarget, user: String, name: String, at: u64 },
    /// More became known of the message that another one answers.
    ReplyFound { target: MessageTarget, reply_to: Box<ReplyTo>, at: u64 },
    /// A message was sent by an attempt that was given up.
    SentLate {
        id: Uuid,
        account: Option<String>,
        external_id: Option<String>,
        #[serde(default)]
        is_unconfirmed: bool,
        at: u64,
    },
    /// A message was refused in an attempt that was given up.
    RefusedLate { id: Uuid, reason: String, retryable: bool, at: u64 },
    /// A part of a message was sent.
    PartSent { id: Uuid, index: usize, external_id: Option<String>, at: u64 },
    /// An event as the platform sent it, with its meaning.
    Told {
        platform: String,
        account: String,
        frame: String,
        meaning: Option<Box<Self>>,
        at: u64,
        forget_before: u64,
    },
    /// Events that are stored in one commit.
    Together(Vec<Self>),
}

/// The name of a message in an event or a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessageTarget {
    /// Its ID in rechat.
    Id(Uuid),
    /// The platform's own ID of it.
    External {
        /// The account that told of it; an ID may mean another message to another account.
        account: String,
        /// The platform.
        platform: String,
        /// The conversation, as the adapter addresses it.
        conversation: String,
        /// The platform's own ID.
        external_id: String,
    },
}

/// An event in a few words, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventSummary<'e> {
    /// The kind of the event, in lower case.
    pub kind: &'static str,
    /// The platform; empty if the event does not name it.
    pub platform: &'e str,
    /// Your account that received it; empty if the event does not name it.
    pub account: &'e str,
    /// The conversation; empty if the event does not name it.
    pub conversation: &'e str,
    /// The ID of the message that it is about, or of the message itself; empty if there is none.
    pub message: String,
    /// The person who wrote the message or made the change.
    pub sender: Option<&'e Sender>,
    /// The text of the message or of the change.
    pub text: String,
    /// When it happened; for an event without a time, when it came in.
    pub at: u64,
}

impl PlatformEvent {
    /// The event in a few words. `at` is when it was quarantined, for events without a time.
    pub fn summary(&self, at: u64) -> EventSummary<'_> {
        match self {
            Self::Received { message, .. } => EventSummary {
                kind: "message",
                platform: &message.platform,
                account: &message.account,
                conversation: &message.conversation,
                message: message.external_id.clone(),
                sender: Some(&message.sender),
                text: message.content.readable().into_owned(),
                at: message.time,
            },
            Self::Recalled { target, by, at } => {
                EventSummary { sender: by.as_ref(), ..target.summary("recall", *at) }
            }
            Self::Edited { target, content, at } => {
                let text = content.readable().into_owned();
                EventSummary { text, ..target.summary("edit", *at) }
            }
            Self::Reacted { target, change, at } => {
                EventSummary { text: change.emoji().to_owned(), ..target.summary("reaction", *at) }
            }
            Self::Noticed { notice, .. } => EventSummary {
                kind: "notice",
                platform: &notice.platform,
                account: &notice.account,
                conversation: notice.conversation.as_deref().unwrap_or_default(),
                sender: notice.user.as_ref(),
                text: format!("{} {}", notice.kind, notice.text).trim_end().to_owned(),
                at: notice.created_at,
                ..EventSummary::default()
            },
            Self::Named { platform, conversation, name } => {
                let (kind, text) = ("name", name.clone());
                EventSummary { kind, platform, conversation, text, at, ..EventSummary::default() }
            }
            Self::MentionNamed { target, name, at, .. } => {
                EventSummary { text: name.clone(), ..target.summary("mention", *at) }
            }
            Self::ReplyFound { target, at, .. } => target.summary("reply", *at),
            Self::SentLate { id, at, .. } => of_message(*id, "sent", *at),
            Self::RefusedLate { id, reason, at, .. } => {
                EventSummary { text: reason.clone(), ..of_message(*id, "refused", *at) }
            }
            Self::PartSent { id, at, .. } => of_message(*id, "part_sent", *at),
            Self::Told { meaning: Some(meaning), .. } => meaning.summary(at),
            Self::Told { platform, account, at, .. } => {
                let (kind, at) = ("raw_event", *at);
                EventSummary { kind, platform, account, at, ..EventSummary::default() }
            }
            Self::Together(_) => EventSummary { kind: "events", at, ..EventSummary::default() },
        }
    }

    /// The event without the platform's own frame, if its meaning is known.
    #[must_use]
    pub fn without_frame(self) -> Self {
        match self {
            Self::Told { meaning: Some(meaning), .. } => *meaning,
            event => event,
        }
    }

    /// The content that the event has, if it has any.
    pub fn content(&self) -> Option<&Content> {
        match self {
            Self::Received { message, .. } => Some(&message.content),
            Self::Edited { content, .. } => Some(content),
            Self::Told { meaning, .. } => meaning.as_ref()?.content(),
            _ => None,
        }
    }
}

impl MessageTarget {
    fn summary(&self, kind: &'static str, at: u64) -> EventSummary<'_> {
        match self {
            Self::Id(id) => of_message(*id, kind, at),
            Self::External { account, platform, conversation, external_id } => {
                let message = external_id.clone();
                let others = EventSummary::default();
                EventSummary { kind, platform, account, conversation, message, at, ..others }
            }
        }
    }
}

fn of_message(id: Uuid, kind: &'static str, at: u64) -> EventSummary<'static> {
    EventSummary { kind, message: id.to_string(), at, ..EventSummary::default() }
}

/// Content as its segments.
mod segments_json {
    use super::{Content, Deserialize, Segment, Serialize};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(content: &Content, to: S) -> Result<S::Ok, S::Error> {
        content.to_segments().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Content, D::Error> {
        Vec::<Segment>::deserialize(from).map(Content::of)
    }
}

/// The fields of a message of a platform, with its content as segments.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Inbound")]
struct InboundJson {
    platform: String,
    account: String,
    conversation: String,
    conversation_name: Option<String>,
    sender: Sender,
    #[serde(rename = "segments", with = "segments_json")]
    content: Content,
    reply_to: Option<Box<ReplyTo>>,
    external_id: String,
    time: u64,
    own: bool,
    from_history: bool,
    #[serde(default)]
    alike: AlikeEntries,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clock_ahead: Option<i64>,
    original: Option<String>,
    fingerprint: Option<String>,
}

/// A message in a box, as [`InboundJson`].
mod message_json {
    use super::{Inbound, InboundJson};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(message: &Inbound, to: S) -> Result<S::Ok, S::Error> {
        InboundJson::serialize(message, to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Box<Inbound>, D::Error> {
        InboundJson::deserialize(from).map(Box::new)
    }
}
