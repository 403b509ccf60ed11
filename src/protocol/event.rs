//! Frames that a server sends on the WebSocket and lines of `GET /api/stream`, told apart by `type`
//! (contract, Part 1, "WebSocket", and items 9 to 17 and 29).

use super::message::BeyondText;
use super::overview::Conversation;
use super::platform::{State, StatusChange};
use crate::model::content::Content;
use crate::model::message::{Direction, LOCAL, Message, MessageType, Sender, Status};
use crate::model::notice::Notice;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// `code` of an error that says: this cursor or `since` cannot be honoured, load afresh.
pub const CURSOR_GONE: &str = "cursor_gone";

/// Kinds of events that follow a message or a conversation. `new_message` needs no asking.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum EventKind {
    NewMessage,
    MessageStatus,
    MessageUpdated,
    MessageDeleted,
    Notice,
    ConversationUpdated,
}

impl EventKind {
    /// Every kind, in the order of the declaration.
    pub const ALL: [Self; 6] = [
        Self::NewMessage,
        Self::MessageStatus,
        Self::MessageUpdated,
        Self::MessageDeleted,
        Self::Notice,
        Self::ConversationUpdated,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NewMessage => "new_message",
            Self::MessageStatus => "message_status",
            Self::MessageUpdated => "message_updated",
            Self::MessageDeleted => "message_deleted",
            Self::Notice => "notice",
            Self::ConversationUpdated => "conversation_updated",
        }
    }
}

/// A set of event kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventKinds(u8);

impl EventKinds {
    /// Every kind there is.
    pub fn all() -> Self {
        EventKind::ALL.into_iter().collect()
    }

    /// The kinds that `events` names, `"*"` being all of them; the error is the unknown name.
    pub fn named<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Self, UnknownEvent> {
        names.into_iter().try_fold(Self::default(), |kinds, name| Ok(kinds.union(name.parse()?)))
    }

    /// Whether a kind is one of these.
    pub fn has(self, kind: EventKind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The kinds of either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The kinds of this set that the other one does not have.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The kinds one by one.
    pub fn iter(self) -> impl Iterator<Item = EventKind> {
        EventKind::ALL.into_iter().filter(move |kind| self.has(*kind))
    }
}

impl Serialize for EventKinds {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter())
    }
}

impl FromIterator<EventKind> for EventKinds {
    fn from_iter<T: IntoIterator<Item = EventKind>>(kinds: T) -> Self {
        Self(kinds.into_iter().fold(0, |bits, kind| bits | 1 << kind as u8))
    }
}

/// A name in `events` that is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownEvent(String);

impl fmt::Display for UnknownEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`events` has {:?}, which is unknown; use \"*\" or some of ", self.0)?;
        let known = EventKind::ALL.iter().skip(1).map(|kind| format!("{:?}", kind.as_str()));
        f.write_str(&known.collect::<Vec<_>>().join(", "))
    }
}

impl FromStr for EventKinds {
    type Err = UnknownEvent;

    fn from_str(name: &str) -> Result<Self, UnknownEvent> {
        if name == "*" {
            return Ok(Self::all());
        }
        // New messages come anyway; naming them does no harm.
        let known = EventKind::ALL.into_iter().find(|kind| kind.as_str() == name);
        Ok(known.into_iter().collect()).and_then(|kinds: Self| {
            if kinds.is_empty() { Err(UnknownEvent(name.to_owned())) } else { Ok(kinds) }
        })
    }
}

/// One frame of the server. `cursor` is there for sessions that asked for events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs)]
#[allow(clippy::large_enum_variant, reason = "made one at a time, and written at once")]
pub enum Event<'a> {
    NewMessage {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<Cow<'a, str>>,
        data: NewMessage<'a>,
    },
    MessageStatus {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<Cow<'a, str>>,
        data: MessageStatus<'a>,
    },
    MessageUpdated {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<Cow<'a, str>>,
        data: Box<MessageUpdated>,
    },
    MessageDeleted {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<Cow<'a, str>>,
        data: MessageDeleted<'a>,
    },
    Notice {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<Cow<'a, str>>,
        data: Cow<'a, Notice>,
    },
    ConversationUpdated {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<Cow<'a, str>>,
        data: Cow<'a, Conversation>,
    },
    AdapterStatus {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<Cow<'a, str>>,
        data: AdapterStatus<'a>,
    },
    /// The cursor of a stream could not be honoured: it begins here, and what is known may be old.
    Reset {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<Cow<'a, str>>,
    },
    Ack(Ack),
    Error(Error),
    /// A frame of a newer server.
    #[serde(other)]
    Unknown,
}

/// `data` of `new_message`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub struct NewMessage<'a> {
    pub id: Uuid,
    pub platform: Cow<'a, str>,
    pub conversation: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_name: Option<Cow<'a, str>>,
    pub content: Cow<'a, str>,
    pub message_type: MessageType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Sender>)]
    pub sender: Option<Cow<'a, Sender>>,
    /// Unix seconds.
    pub created_at: u64,
    /// Its place among all messages: grows, and is never used again.
    pub seq: u64,
    /// `Inbound`; left out for outbound messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Cow<'a, str>>,
    #[serde(flatten, skip_serializing_if = "BeyondText::is_nothing")]
    pub beyond_text: BeyondText<'a>,
}

/// `data` of `message_status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub struct MessageStatus<'a> {
    pub id: Uuid,
    pub status: Status,
    pub retry_count: u32,
    /// Unix seconds.
    pub updated_at: u64,
    pub platform: Cow<'a, str>,
    pub conversation: Cow<'a, str>,
    pub seq: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<Cow<'a, str>>,
}

/// `data` of `message_updated`: the whole message as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub struct MessageUpdated {
    #[serde(flatten)]
    pub message: Message,
    pub conversation: String,
    pub seq: u64,
}

/// `data` of `message_deleted`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub struct MessageDeleted<'a> {
    pub id: Uuid,
    pub platform: Cow<'a, str>,
    pub conversation: Cow<'a, str>,
    pub seq: u64,
}

/// `data` of `adapter_status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AdapterStatus<'a> {
    #[allow(missing_docs)]
    pub platform: Cow<'a, str>,
    #[allow(missing_docs)]
    pub status: State,
    /// The same again, under the name that the user's document gives it in its table.
    pub content: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[allow(missing_docs)]
    pub account: Option<Cow<'a, str>>,
    /// Why, and what helps, where it is not plain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
}

/// Answer to a command that was carried out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub struct Ack {
    pub status: AckStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_status: Option<Status>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<Uuid>,
    /// Where the events begin that follow, for sessions that asked for events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// As the command had it: a string or a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = request_id)]
    pub request_id: Option<Value>,
}

/// Command that an [`Ack`] answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum AckStatus {
    Subscribed,
    Unsubscribed,
    Sent,
}

/// Answer to a command that was not carried out; the connection stays open.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Error {
    /// Text for people; it names the field and what would be right.
    pub error: String,
    /// Stable name of the error, where a program can do something about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Cow<'static, str>>,
    /// The message that stays stored, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<Uuid>,
    /// As the command had it: a string or a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = request_id)]
    pub request_id: Option<Value>,
}

/// Schema of `request_id`.
pub(super) fn request_id() -> utoipa::openapi::schema::Schema {
    use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
    let types = SchemaType::from_iter([Type::String, Type::Number]);
    ObjectBuilder::new()
        .schema_type(types)
        .description(Some("Any; the answer carries it back"))
        .into()
}

impl<'a> NewMessage<'a> {
    /// Tells of a message.
    pub fn of(message: &'a Message) -> Self {
        Self {
            id: message.id,
            platform: message.platform_or_local().into(),
            conversation: (&*message.recipient).into(),
            conversation_name: message.conversation_name.as_deref().map(Cow::from),
            content: message.content.readable(),
            message_type: message.message_type(),
            sender: message.sender.as_ref().map(Cow::Borrowed),
            created_at: message.created_at,
            seq: message.seq,
            direction: (message.direction == Direction::Inbound).then_some(Direction::Inbound),
            account: message.account.as_deref().map(Cow::from),
            beyond_text: BeyondText::of(message),
        }
    }

    /// The message as a client knows it then. Its state is told by later events; messages that came
    /// in, and those that the account's owner wrote elsewhere, need none.
    pub fn into_message(self) -> Message {
        let direction = self.direction.unwrap_or_default();
        let is_done = direction == Direction::Inbound || self.sender.is_some();
        let nothing = Content::text("");
        let conversation = self.conversation.into_owned();
        let message = Message {
            status: if is_done { Status::Sent } else { Status::Pending },
            platform: Some(self.platform.into_owned()).filter(|name| name != LOCAL),
            direction,
            conversation_name: self.conversation_name.map(Cow::into_owned),
            sender: self.sender.map(Cow::into_owned),
            account: self.account.map(Cow::into_owned),
            ..Message::new(self.seq, self.id, nothing, conversation, self.created_at)
        };
        self.beyond_text.put_into(message, self.message_type, self.content.into_owned())
    }
}

impl<'a> MessageStatus<'a> {
    /// Tells the present state of a message.
    pub fn of(message: &'a Message) -> Self {
        Self {
            id: message.id,
            status: message.status,
            retry_count: message.retry_count,
            updated_at: message.updated_at,
            platform: message.platform_or_local().into(),
            conversation: (&*message.recipient).into(),
            seq: message.seq,
            last_error: message.last_error.as_deref().map(Cow::from),
        }
    }
}

impl MessageUpdated {
    /// Tells a message as it is now.
    pub fn of(message: &Message) -> Self {
        let mut message = message.clone();
        message.platform.get_or_insert_with(|| LOCAL.to_owned());
        Self { conversation: message.recipient.clone(), seq: message.seq, message }
    }

    /// The message as a client keeps it.
    pub fn into_message(self) -> Message {
        let platform = self.message.platform.filter(|name| name != LOCAL);
        Message { seq: self.seq, platform, ..self.message }
    }
}

impl<'a> AdapterStatus<'a> {
    /// Tells the new state of an adapter or of one account of it.
    pub fn of(change: &'a StatusChange) -> Self {
        Self {
            platform: (&*change.platform).into(),
            status: change.state,
            content: change.state,
            account: change.account.as_deref().map(Cow::from),
            reason: change.reason.as_deref().map(Cow::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_new_message_reads_back_as_the_message_it_told_of() {
        let text = json!({"type": "new_message", "data": {
            "id": "6f0a0c1e-8f5c-4c8e-9a54-7b1e43a8a5b0", "platform": "qq", "conversation": "group_1",
            "content": "hi", "message_type": "Text", "sender": {"id": "1", "name": "A"},
            "created_at": 7, "seq": 3, "direction": "Inbound"}});
        let Ok(Event::NewMessage { cursor: None, data }) = serde_json::from_value(text.clone())
        else {
            panic!("no new_message")
        };
        let message = data.into_message();
        assert_eq!((message.seq, message.status), (3, Status::Sent));
        let told = Event::NewMessage { cursor: None, data: NewMessage::of(&message) };
        assert_eq!(serde_json::to_value(&told).unwrap(), text);
    }

    #[test]
    fn an_update_of_a_message_without_a_platform_names_local_and_reads_back_without_one() {
        let draft =
            crate::model::message::Draft::new(MessageType::Text, "x".into(), "g".into(), None);
        let message = draft.unwrap().into_message(5, Uuid::nil(), 1);
        let told = serde_json::to_value(MessageUpdated::of(&message)).unwrap();
        assert_eq!((&told["platform"], &told["conversation"]), (&json!("local"), &json!("g")));
        let read: MessageUpdated = serde_json::from_value(told).unwrap();
        assert_eq!(read.into_message(), message);
    }

    #[test]
    fn what_a_newer_server_tells_is_passed_over() {
        let event: Event = serde_json::from_str(r#"{"type":"dance","data":{"x":1}}"#).unwrap();
        assert_eq!(event, Event::Unknown);
    }

    #[test]
    fn events_are_named_one_by_one_or_all_together() {
        let two = EventKinds::named(["message_status", "notice"]).unwrap();
        assert!(two.has(EventKind::Notice) && !two.has(EventKind::MessageDeleted));
        assert_eq!(EventKinds::named(["*"]), Ok(EventKinds::all()));
        let error = EventKinds::named(["rain"]).unwrap_err().to_string();
        assert!(error.contains("rain") && error.contains("message_deleted"), "{error}");
    }
}
