//! The data of events about messages.

use crate::model::content::Content;
use crate::model::message::{Direction, LOCAL, Message, MessageType, Sender, Status};
use crate::protocol::message::{OptionalFields, coded};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use uuid::Uuid;

/// `data` of `new_message`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NewMessageData<'a> {
    /// ID of the message.
    pub id: Uuid,
    /// The platform; `local` while none is chosen.
    pub platform: Cow<'a, str>,
    /// The conversation; the recipient while no platform is chosen.
    pub conversation: Cow<'a, str>,
    /// Name of the conversation, if the platform gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_name: Option<Cow<'a, str>>,
    /// The readable text; for one picture, file, video or sound its address, or else its name.
    pub content: Cow<'a, str>,
    /// The type of the file, if the message is one file; otherwise `Text`.
    pub message_type: MessageType,
    /// The person who wrote it, if the platform named them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Sender>)]
    pub sender: Option<Cow<'a, Sender>>,
    /// Unix seconds.
    pub created_at: u64,
    /// Number of the message among all messages: grows, and is never used again.
    pub seq: u64,
    /// `Inbound`; left out for outbound messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// The account on the platform, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Cow<'a, str>>,
    /// Fields that only some messages have.
    #[serde(flatten, skip_serializing_if = "OptionalFields::is_nothing")]
    pub beyond_text: OptionalFields<'a>,
}

/// `data` of `message_status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MessageStatus<'a> {
    /// ID of the message.
    pub id: Uuid,
    /// The new status.
    pub status: Status,
    /// Attempts after the first one.
    pub retry_count: u32,
    /// Unix seconds.
    pub updated_at: u64,
    /// The platform; `local` while none is chosen.
    pub platform: Cow<'a, str>,
    /// The conversation; the recipient while no platform is chosen.
    pub conversation: Cow<'a, str>,
    /// Number of the message: messages are numbered in the order in which they were stored.
    pub seq: u64,
    /// The reason of the last failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<Cow<'a, str>>,
    /// The code of the reason, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error_code: Option<Cow<'a, str>>,
    /// The platform's own text within `last_error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error_detail: Option<Cow<'a, str>>,
}

/// `data` of `message_updated`: the whole message as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MessageUpdated {
    /// The message after the change.
    #[serde(flatten)]
    pub message: Message,
    /// The conversation; the recipient while no platform is chosen.
    pub conversation: String,
    /// Number of the message: messages are numbered in the order in which they were stored.
    pub seq: u64,
}

/// `data` of `message_deleted`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MessageDeleted<'a> {
    /// ID of the message.
    pub id: Uuid,
    /// The platform; `local` while none is chosen.
    pub platform: Cow<'a, str>,
    /// The conversation; the recipient while no platform is chosen.
    pub conversation: Cow<'a, str>,
    /// Number of the message: messages are numbered in the order in which they were stored.
    pub seq: u64,
}

impl<'a> NewMessageData<'a> {
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
            beyond_text: OptionalFields::of(message),
        }
    }

    /// The message as a client knows it at this time. Later events give its status; inbound
    /// messages, and those that the account's owner wrote elsewhere, need none.
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
    /// The present status of a message.
    pub fn of(message: &'a Message) -> Self {
        let (last_error_code, last_error_detail) = coded(message.last_error.as_deref());
        Self {
            id: message.id,
            status: message.status,
            retry_count: message.retry_count,
            updated_at: message.updated_at,
            platform: message.platform_or_local().into(),
            conversation: (&*message.recipient).into(),
            seq: message.seq,
            last_error: message.last_error.as_deref().map(Cow::from),
            last_error_code,
            last_error_detail,
        }
    }
}

impl MessageUpdated {
    /// The message as it is now.
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
