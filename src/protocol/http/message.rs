//! Bodies of requests that make or change a message.

use super::texts::{INVALID_STATUS, INVALID_TYPE, NO_REPLY_TARGET};
use crate::model::content::{Content, Segment};
use crate::model::draft::checked_segments;
use crate::model::message::{Draft, MessageType, Status};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Characters that are removed around an address, as in a character class of a regular expression.
const SPACES: &str = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000";

/// Body of `POST /api/messages`. The type is plain text here, because the contract fixes its error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NewMessage {
    /// May be left out if there are `segments`.
    #[schema(value_type = Option<MessageType>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_type: Option<String>,
    /// May be left out if there are `segments`.
    #[schema(min_length = 1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The conversation, as its platform addresses it.
    #[schema(min_length = 1, max_length = 256, pattern = r"^(?!\*$)[^\x00-\x1f\x7f-\x9f]+$")]
    pub recipient: String,
    /// The platform; may be left out where it can be found from the recipient.
    #[schema(min_length = 1, max_length = 256, pattern = r"^(?!\*$)[^\x00-\x1f\x7f-\x9f]+$")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Replaces `content` and `message_type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segments: Option<Vec<Segment>>,
    /// ID of the message that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<uuid::Uuid>)]
    pub reply_to: Option<String>,
}

/// Body of `PATCH /api/messages/{id}`: a new status, or new content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MessageChange {
    /// The new status: `Canceled`, or `Pending` to try again.
    #[schema(value_type = Option<Status>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The status is set only if the message is in one of these states; otherwise the answer is 409
    /// with the code `other_status`.
    #[schema(value_type = Option<Vec<Status>>, min_items = 1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_status: Option<Vec<String>>,
    /// New text for an outbound message.
    #[schema(min_length = 1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// New segments for an outbound message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segments: Option<Vec<Segment>>,
}

/// A [`MessageChange`] whose fields were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParsedChange {
    /// A new status, if the message has one of `from`.
    Status {
        /// The new status: `Canceled`, or `Pending` to try again.
        status: Status,
        /// The allowed states before.
        from: Option<Vec<Status>>,
    },
    /// New content.
    Content(Content),
}

impl MessageChange {
    /// Checks the fields; the error is the API's answer.
    ///
    /// # Errors
    ///
    /// A field is wrong; the text names it and says what is right.
    pub fn parse(self) -> Result<ParsedChange, String> {
        match (self.status, self.content, self.segments) {
            // As in Part 1: other fields of a message may be present, and are ignored.
            (Some(status), _, _) => {
                let status = status.parse().map_err(|_| INVALID_STATUS)?;
                let from = self.if_status.map(|states| {
                    states.iter().map(|state| state.parse().map_err(|_| INVALID_STATUS)).collect()
                });
                Ok(ParsedChange::Status { status, from: from.transpose()? })
            }
            (None, Some(text), None) if text.is_empty() => Err("`content` is empty".into()),
            (None, Some(text), None) => Ok(ParsedChange::Content(Content::text(text))),
            (None, None, Some(segments)) => checked_segments(segments).map(ParsedChange::Content),
            (None, None, None) => {
                Err("missing field `status`; or give `content` or `segments`".into())
            }
            _ => Err("`content` and `segments` exclude each other; give one".into()),
        }
    }
}

impl NewMessage {
    /// Content of a type as Part 1 of the contract has it.
    pub fn of(
        message_type: &str,
        content: String,
        recipient: String,
        platform: Option<String>,
    ) -> Self {
        Self {
            message_type: Some(message_type.to_owned()),
            content: Some(content),
            recipient,
            platform,
            segments: None,
            reply_to: None,
        }
    }

    /// The body that a draft came by.
    pub fn of_draft(draft: &Draft) -> Self {
        let content = draft.content();
        let (recipient, platform) =
            (draft.recipient().to_owned(), draft.platform().map(str::to_owned));
        let body = if let Some(segments) = content.segments() {
            Self {
                message_type: None,
                content: None,
                recipient,
                platform,
                segments: Some(segments.to_vec()),
                reply_to: None,
            }
        } else {
            let text = content.readable().into_owned();
            Self::of(content.message_type().as_str(), text, recipient, platform)
        };
        Self { reply_to: draft.reply_to().map(|id| id.to_string()), ..body }
    }

    /// A rule that Rust types cannot express in the schema: content of a media type is an address,
    /// or the bytes in base64 (RFC 4648).
    pub fn rule() -> Value {
        let media = MessageType::ALL.into_iter().filter(|kind| *kind != MessageType::Text);
        let media: Vec<_> = media.map(MessageType::as_str).collect();
        let base64 =
            "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?|[A-Za-z0-9+/]{4})";
        let address =
            format!(r"(?:[Hh][Tt][Tt][Pp][Ss]?://|[Dd][Aa][Tt][Aa]:[^,;]*,)[\s\S]*[^{SPACES}]");
        let scheme = "(?:[Bb][Aa][Ss][Ee]64://|[Dd][Aa][Tt][Aa]:[^,]*;[Bb][Aa][Ss][Ee]64,)";
        let pattern = format!(r"^[{SPACES}]*(?:{address}|{scheme}[\s]*{base64}[{SPACES}]*$)");
        json!({
            "if": {"properties": {"message_type": {"enum": media}}},
            "then": {"properties": {"content": {"pattern": pattern}}},
        })
    }

    /// Checks every field; the error is the API's answer.
    ///
    /// # Errors
    ///
    /// A field is wrong; the text names it and says what is right.
    pub fn into_draft(self) -> Result<Draft, String> {
        let reply_to = self.reply_to.map(|id| id.parse().map_err(|_| NO_REPLY_TARGET));
        let reply_to = reply_to.transpose()?;
        let draft = if let Some(segments) = self.segments {
            Draft::of_segments(segments, self.recipient, self.platform)
        } else {
            let message_type = self.message_type.ok_or("missing field `message_type`")?;
            let message_type = message_type.parse().map_err(|_| INVALID_TYPE)?;
            let content = self.content.ok_or("missing field `content`")?;
            Draft::new(message_type, content, self.recipient, self.platform)
        };
        Ok(draft?.in_reply_to(reply_to))
    }
}
