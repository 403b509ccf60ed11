//! A message in JSON: the eight fields of Part 1 of the contract, and the fields of Part 3 that are
//! not empty (items 1, 23 to 30).

mod write;

use crate::model::content::{Content, Segment};
use crate::model::json_object::{list_from_objects, nullable_from_object};
use crate::model::message::{Direction, Message, MessageType, Recall, ReplyTo, Sender, Status};
use crate::model::message_fields::MessageFields;
use crate::model::reaction::Reaction;
use crate::model::reason::Reason;
use crate::model::wait_reason::WaitReason;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::borrow::Cow;
use uuid::Uuid;

/// A message as clients see it. `write` has the names of its fields, too.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = Message)]
pub(super) struct MessageBody<'a> {
    id: Uuid,
    /// The type: `Image`, `File`, `Video` or `Audio` if that is the only segment, else `Text`.
    message_type: MessageType,
    /// The readable text; of one image, file, video or audio its URL, else its name.
    content: Cow<'a, str>,
    /// The conversation it belongs to, inbound too.
    recipient: Cow<'a, str>,
    status: Status,
    /// Unix seconds.
    created_at: u64,
    /// Unix seconds.
    updated_at: u64,
    /// How often it was sent again.
    retry_count: u32,
    /// The platform; absent until one is named or found.
    #[serde(default)]
    platform: Option<Cow<'a, str>>,
    /// Left out for outbound messages.
    #[serde(default)]
    direction: Direction,
    /// The conversation's name for people, where the platform told it.
    #[serde(default)]
    conversation_name: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "nullable_from_object")]
    #[schema(value_type = Option<Sender>)]
    sender: Option<SenderBody<'a>>,
    /// Your account that received or sent it.
    #[serde(default)]
    account: Option<Cow<'a, str>>,
    /// Why the last attempt failed.
    #[serde(default)]
    last_error: Option<Cow<'a, str>>,
    /// The code of the reason, if it has one.
    #[serde(default)]
    last_error_code: Option<Cow<'a, str>>,
    /// The platform's own text within `last_error`.
    #[serde(default)]
    last_error_detail: Option<Cow<'a, str>>,
    /// Reason why it waits, and advice.
    #[serde(default)]
    waiting: Option<Cow<'a, str>>,
    /// The code of the reason, if it has one.
    #[serde(default)]
    waiting_code: Option<Cow<'a, str>>,
    /// The platform's own text within `waiting`, or a time, or platforms.
    #[serde(default)]
    waiting_detail: Option<Cow<'a, str>>,
    /// The platform accepted it without a proof of delivery.
    #[serde(default)]
    unconfirmed: bool,
    #[serde(flatten)]
    beyond_text: OptionalFields<'a>,
}

/// The author of a message.
#[derive(Serialize, Deserialize)]
struct SenderBody<'a> {
    id: Cow<'a, str>,
    name: Cow<'a, str>,
}

impl SenderBody<'_> {
    fn read(self) -> Sender {
        Sender { id: self.id.into_owned(), name: self.name.into_owned() }
    }
}

/// Fields of a message that is more than one plain text, or that was edited, recalled or reacted
/// to. `write` has the names of the fields, too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
pub struct OptionalFields<'a> {
    /// The segments, if the message is more than one plain text.
    #[serde(default, deserialize_with = "known_segments")]
    #[schema(value_type = Option<Vec<Segment>>)]
    segments: Option<Cow<'a, [Segment]>>,
    /// The message that this one answers.
    #[serde(default, deserialize_with = "nullable_from_object")]
    reply_to: Option<ReplyToBody<'a>>,
    /// Unix seconds of its last edit.
    #[serde(default)]
    edited_at: Option<u64>,
    /// Unix seconds of its recall.
    #[serde(default)]
    recalled_at: Option<u64>,
    /// The person who recalled it, if the platform names them.
    #[serde(default, deserialize_with = "nullable_from_object")]
    #[schema(value_type = Option<Sender>)]
    recalled_by: Option<Cow<'a, Sender>>,
    #[serde(default, deserialize_with = "list_from_objects")]
    reactions: Vec<ReactionBody<'a>>,
    /// The bot that made it.
    #[serde(default)]
    via: Option<Cow<'a, str>>,
}

/// The message that another one answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReplyTo)]
struct ReplyToBody<'a> {
    /// Its ID, if the message is in this store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "nullable_from_object"
    )]
    #[schema(value_type = Option<Sender>)]
    sender: Option<Cow<'a, Sender>>,
    /// A short excerpt of its readable text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<Cow<'a, str>>,
}

/// The reactions to a message with one emoji.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Reaction)]
struct ReactionBody<'a> {
    emoji: Cow<'a, str>,
    /// How many people reacted with it.
    count: u32,
    /// One of your accounts reacted with it.
    #[serde(default, skip_serializing_if = "is_false")]
    mine: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// The segments, if this program knows all their types. If a newer program wrote others, only
/// `content` is used. A single one may stand without the list.
fn known_segments<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Cow<'static, [Segment]>>, D::Error> {
    let listed = match Option::deserialize(from)? {
        None => return Ok(None),
        Some(Value::Array(listed)) => listed,
        Some(single) => vec![single],
    };
    if !listed.iter().all(|segment| segment.get("type").is_some_and(Value::is_string)) {
        return Err(Error::custom("`segments` must be a list of objects, each with a `type`"));
    }
    Ok(serde_json::from_value(Value::Array(listed)).ok().map(Cow::Owned))
}

impl<'a> OptionalFields<'a> {
    /// Whether all fields are empty.
    pub fn is_nothing(&self) -> bool {
        self.segments.is_none()
            && self.reply_to.is_none()
            && self.edited_at.is_none()
            && self.recalled_at.is_none()
            && self.reactions.is_empty()
            && self.via.is_none()
    }

    /// The fields of a message.
    pub fn of(message: &'a Message) -> Self {
        Self {
            segments: message.content.segments().map(Cow::Borrowed),
            reply_to: message.reply_to.as_deref().map(ReplyToBody::of),
            edited_at: message.edited_at,
            recalled_at: message.recall.as_ref().map(|recall| recall.at),
            recalled_by: message.recall.as_ref().and_then(|r| r.by.as_ref()).map(Cow::Borrowed),
            reactions: message.reactions.iter().map(ReactionBody::of).collect(),
            via: message.via.as_deref().map(Cow::Borrowed),
        }
    }

    /// Puts the fields into a message; without segments its content is the text of this type.
    pub fn put_into(
        self,
        mut message: Message,
        message_type: MessageType,
        text: String,
    ) -> Message {
        message.content = match self.segments {
            Some(segments) => Content::of(segments.into_owned()),
            None => Content::of_type(message_type, text),
        };
        message.reply_to = self.reply_to.map(|reply| Box::new(reply.read()));
        message.edited_at = self.edited_at;
        let by = self.recalled_by.map(Cow::into_owned);
        message.recall = self.recalled_at.map(|at| Box::new(Recall { at, by }));
        message.reactions = self.reactions.into_iter().map(ReactionBody::read).collect();
        message.via = self.via.map(Cow::into_owned);
        message
    }
}

impl<'a> ReplyToBody<'a> {
    fn of(reply: &'a ReplyTo) -> Self {
        Self {
            id: reply.id,
            sender: reply.sender.as_ref().map(Cow::Borrowed),
            content: reply.content.as_deref().map(Cow::Borrowed),
        }
    }

    fn read(self) -> ReplyTo {
        ReplyTo {
            id: self.id,
            sender: self.sender.map(Cow::into_owned),
            content: self.content.map(Cow::into_owned),
            external_id: None,
        }
    }
}

impl<'a> ReactionBody<'a> {
    fn of(reaction: &'a Reaction) -> Self {
        Self { emoji: (&*reaction.emoji).into(), count: reaction.count, mine: reaction.mine }
    }

    fn read(self) -> Reaction {
        let emoji = self.emoji.into_owned();
        Reaction { emoji, count: self.count, mine: self.mine, users: Vec::new() }
    }
}

/// The code of a reason, and the text of others within it.
pub(super) fn coded(reason: Option<&str>) -> (Option<Cow<'_, str>>, Option<Cow<'_, str>>) {
    let reason = reason.and_then(Reason::of);
    let detail = reason.and_then(|reason| reason.detail);
    (reason.map(|reason| reason.code.into()), detail.map(Cow::Borrowed))
}

impl<'a> MessageBody<'a> {
    fn of(message: &'a Message) -> Self {
        let text = (message.message_type(), message.content.readable());
        let beyond_text = OptionalFields::of(message);
        Self::from_fields(message.fields(), text, message.waiting.as_ref(), beyond_text)
    }

    fn from_fields(
        fields: MessageFields<'a>,
        (message_type, content): (MessageType, Cow<'a, str>),
        waiting: Option<&'a WaitReason>,
        beyond_text: OptionalFields<'a>,
    ) -> Self {
        let (last_error_code, last_error_detail) = coded(fields.last_error);
        Self {
            id: fields.id,
            message_type,
            content,
            recipient: fields.recipient.into(),
            status: fields.status,
            created_at: fields.created_at,
            updated_at: fields.updated_at,
            retry_count: fields.retry_count,
            platform: fields.platform.map(Cow::Borrowed),
            direction: fields.direction,
            conversation_name: fields.conversation_name.map(Cow::Borrowed),
            sender: fields.sender.map(|(id, name)| SenderBody { id: id.into(), name: name.into() }),
            account: fields.account.map(Cow::Borrowed),
            last_error: fields.last_error.map(Cow::Borrowed),
            last_error_code,
            last_error_detail,
            waiting: waiting.map(|why| (&**why).into()),
            waiting_code: waiting.and_then(WaitReason::code).map(Cow::Borrowed),
            waiting_detail: waiting.and_then(WaitReason::detail).map(Cow::Borrowed),
            unconfirmed: fields.is_unconfirmed,
            beyond_text,
        }
    }

    fn into_message(self) -> Message {
        let owned = |text: Option<Cow<'a, str>>| text.map(Cow::into_owned);
        let nothing = Content::text("");
        let message = Message {
            status: self.status,
            updated_at: self.updated_at,
            retry_count: self.retry_count,
            platform: owned(self.platform),
            direction: self.direction,
            conversation_name: owned(self.conversation_name),
            sender: self.sender.map(SenderBody::read),
            account: owned(self.account),
            last_error: owned(self.last_error),
            waiting: owned(self.waiting).map(WaitReason::from),
            is_unconfirmed: self.unconfirmed,
            ..Message::new(0, self.id, nothing, self.recipient.into_owned(), self.created_at)
        };
        self.beyond_text.put_into(message, self.message_type, self.content.into_owned())
    }
}

/// A message of plain text, whose fields are not copied.
pub struct PlainMessage<'a> {
    /// Its fields.
    pub fields: MessageFields<'a>,
    /// Its content.
    pub text: &'a str,
    /// The reason why it waits.
    pub waiting: Option<&'a WaitReason>,
}

impl Serialize for PlainMessage<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let text = (MessageType::Text, Cow::Borrowed(self.text));
        MessageBody::from_fields(self.fields, text, self.waiting, OptionalFields::default())
            .serialize(to)
    }
}

/// A message, with the form in which its platform sent it (item 28).
#[derive(Serialize)]
pub struct MessageWithRaw<'a> {
    #[serde(flatten)]
    message: MessageBody<'a>,
    /// The platform's JSON, or a text if it was not JSON. Left out if it has no more than the
    /// message.
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<Value>,
}

impl<'a> MessageWithRaw<'a> {
    /// The message with the content as its platform wrote it.
    pub fn of(message: &'a Message) -> Self {
        let raw = message.original.as_deref();
        let raw = raw.map(|raw| serde_json::from_str(raw).unwrap_or_else(|_| raw.into()));
        Self { message: MessageBody::of(message), raw }
    }
}

/// A message in the answer to its `POST`: the fields that were given, and no others (item 1).
pub struct Created<'a> {
    /// The message.
    pub message: &'a Message,
    /// The request had segments.
    pub has_segments: bool,
}

impl Serialize for Created<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut body = MessageBody::of(self.message);
        if !self.has_segments {
            body.beyond_text.segments = None;
        }
        body.serialize(to)
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        MessageBody::of(self).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        MessageBody::deserialize(from).map(MessageBody::into_message)
    }
}

impl utoipa::PartialSchema for Message {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        MessageBody::schema()
    }
}

impl utoipa::ToSchema for Message {
    fn schemas(all: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
        MessageBody::schemas(all);
    }
}
