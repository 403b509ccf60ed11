//! Answers to the commands of a session.

use crate::model::message::Status;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use uuid::Uuid;

/// Answer to a command that was carried out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Ack {
    /// The outcome of the command.
    pub status: AckStatus,
    /// ID of the message that was stored, for `send_message`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<Uuid>,
    /// State of that message at the time of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_status: Option<Status>,
    /// ID of this connection, for `subscribe`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<Uuid>,
    /// The cursor before the first event that follows, for sessions that asked for events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// The value from the command: a string or a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = request_id)]
    pub request_id: Option<Value>,
}

/// Command that an [`Ack`] answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AckStatus {
    /// The topics and events were added.
    Subscribed,
    /// The topics or events were removed.
    Unsubscribed,
    /// The message is stored; `message_status` tells whether the platform has it.
    Sent,
}

/// Answer to a command that was not carried out; the connection stays open.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ErrorAnswer {
    /// Text for people; it names the field and the right form.
    pub error: String,
    /// Stable name of the error, if a program can react to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Cow<'static, str>>,
    /// The message that stays stored, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<Uuid>,
    /// The value from the command: a string or a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = request_id)]
    pub request_id: Option<Value>,
}

/// Schema of `request_id`.
pub(in crate::protocol) fn request_id() -> utoipa::openapi::schema::Schema {
    use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
    let types = SchemaType::from_iter([Type::String, Type::Number]);
    ObjectBuilder::new()
        .schema_type(types)
        .description(Some("Any; the answer carries it back"))
        .into()
}
