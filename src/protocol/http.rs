//! The bodies of the HTTP API, as the server reads and the client writes them, and the reverse.

pub use super::overview::{Conversation, ConversationKind, Stats};
pub use super::platform::{AdapterStatus, State};
use crate::model::content::{Content, Segment};
use crate::model::draft::checked_segments;
use crate::model::message::{Draft, Message, MessageType, Sender, Status, check_name};
use crate::model::notice::{Notice, NoticeKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Body of `POST /api/messages`. The type is plain text here, for its error is the contract's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub struct NewMessage {
    /// May be left out beside `segments`.
    #[schema(value_type = Option<MessageType>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_type: Option<String>,
    /// May be left out beside `segments`.
    #[schema(min_length = 1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    #[schema(min_length = 1, max_length = 256, pattern = r"^(?!\*$)[^\x00-\x1f\x7f-\x9f]+$")]
    pub recipient: String,
    #[schema(min_length = 1, max_length = 256, pattern = r"^(?!\*$)[^\x00-\x1f\x7f-\x9f]+$")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// In place of `content` and `message_type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segments: Option<Vec<Segment>>,
    /// ID of the message that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<uuid::Uuid>)]
    pub reply_to: Option<String>,
}

/// Body of `PATCH /api/messages/{id}`: a status, or content in place of the message's.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MessageChange {
    #[schema(value_type = Option<Status>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[allow(missing_docs)]
    pub status: Option<String>,
    /// Text in place of the content of an outbound message.
    #[schema(min_length = 1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Segments in place of the content of an outbound message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segments: Option<Vec<Segment>>,
}

/// A [`MessageChange`] whose parts were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ParsedChange {
    Status(Status),
    Content(Content),
}

impl MessageChange {
    /// Checks the parts; the error is what the API answers.
    pub fn parse(self) -> Result<ParsedChange, String> {
        match (self.status, self.content, self.segments) {
            // As Part 1 has it: the other fields of a message may stand beside it, and mean nothing.
            (Some(status), _, _) => {
                let status = status.parse().map_err(|_| INVALID_STATUS)?;
                Ok(ParsedChange::Status(status))
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

/// A request of a platform that can be answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Request {
    #[allow(missing_docs)]
    pub id: u64,
    #[allow(missing_docs)]
    pub platform: String,
    /// The account of ours that is asked.
    pub account: String,
    /// The group that somebody wants to join.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// `friend_request` or `join_request`.
    pub kind: NoticeKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[allow(missing_docs)]
    pub user: Option<Sender>,
    /// The words of the person who asks.
    pub text: String,
    /// Unix seconds.
    pub created_at: u64,
    /// Whether it was approved; left out while it waits for an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<bool>,
}

impl Request {
    /// Tells of a request; `None` where it has no ID.
    pub fn of(request: crate::model::notice::Request) -> Option<Self> {
        let Notice {
            platform,
            account,
            conversation,
            kind,
            user,
            text,
            created_at,
            request: id,
            ..
        } = request.notice;
        let approved = request.answer.map(|answer| answer.approved);
        Some(Self {
            id: id?,
            platform,
            account,
            conversation,
            kind,
            user,
            text,
            created_at,
            approved,
        })
    }
}

/// Answer of `GET /api/requests`, the newest first.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub struct Requests {
    pub requests: Vec<Request>,
}

/// Body of `POST /api/requests/{id}`.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RequestAnswer {
    #[allow(missing_docs)]
    pub approve: bool,
    /// Words for the person who asked, where the platform passes them on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Answer of `GET /api/messages`.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub struct Listing {
    pub messages: Vec<Message>,
    pub offset: u64,
    pub limit: usize,
    /// Where a search stopped reading before the page was full, and so `before` for the next one:
    /// only while its index is being built, or where it had to compare 100,000 messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searched_to: Option<u64>,
}

/// Answer of `GET /api/activity`: messages of each minute, the oldest first.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Activity {
    /// Unix seconds at which the first minute begins.
    pub from: u64,
    #[allow(missing_docs)]
    #[serde(rename = "in")]
    pub inbound: Vec<u64>,
    #[allow(missing_docs)]
    #[serde(rename = "out")]
    pub outbound: Vec<u64>,
}

/// A line of `GET /api/export` and `POST /api/import`: a message, and what is never shown beside it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Record {
    #[serde(flatten)]
    pub message: Message,
    /// The platform's own ID of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The content as the platform wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<String>,
}

impl From<Message> for Record {
    fn from(mut message: Message) -> Self {
        let (external_id, original) = (message.external_id.take(), message.original.take());
        Self { message, external_id, original }
    }
}

impl Record {
    /// The message, its parts checked; the error names the field.
    pub fn into_message(self) -> Result<Message, String> {
        let Self { mut message, external_id, original } = self;
        check_name("recipient", &message.recipient)?;
        if let Some(platform) = &message.platform {
            check_name("platform", platform)?;
        }
        if message.content.is_empty() {
            return Err("`content` is empty".into());
        }
        (message.external_id, message.original) = (external_id, original);
        Ok(message)
    }
}

/// Body of `POST /api/backup`.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Backup {
    /// Where the copy goes: an absolute path of a file that is not there yet.
    #[schema(value_type = String)]
    pub file: std::path::PathBuf,
}

/// Answer of `POST /api/import`.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Imported {
    /// Messages that were new.
    pub imported: u64,
    /// Messages that were there already, and stay as they are.
    pub known: u64,
}

/// Answer of `DELETE /api/messages/{id}`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub struct Deleted {
    pub deleted: bool,
}

/// Answer of `GET /api/platforms`: every adapter, and how it is connected.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub struct Platforms {
    pub platforms: Vec<AdapterStatus>,
}

/// Answer of `GET /api/conversations`: those that have messages, the latest first.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub struct Conversations {
    pub conversations: Vec<Conversation>,
}

/// Body of `PATCH /api/conversations/{platform}/{conversation}`; what is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SetConversation {
    /// Messages up to this one were read: an ID, a `seq`, or `latest`. What was read stays read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_to: Option<ReadTo>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[allow(missing_docs)]
    pub muted: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[allow(missing_docs)]
    pub pinned: Option<bool>,
}

/// The last message that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum ReadTo {
    #[allow(missing_docs)]
    Seq(u64),
    /// A message's ID, a `seq`, or `latest`.
    Text(String),
}

impl ReadTo {
    /// Everything that there is now.
    pub fn latest() -> Self {
        Self::Text("latest".into())
    }
}

/// Answer of `POST /api/backup`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub struct BackupDone {
    pub done: bool,
}

/// Answer of `POST /api/media`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Uploaded {
    /// SHA-256 in hex, by which segments name it.
    pub media: String,
    /// As it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Media type, by the bytes.
    pub mime: String,
    /// Bytes.
    pub size: u64,
}

/// Answer of `GET /api/media`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MediaList {
    /// Those that were stored last, the newest first.
    pub media: Vec<KeptMedia>,
    /// How many there are.
    pub count: u64,
    /// Bytes of all.
    pub bytes: u64,
    /// Bytes that all may have; 0 sets no bound.
    pub quota_bytes: u64,
}

/// A file that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KeptMedia {
    /// SHA-256 in hex.
    pub media: String,
    /// Media type, by the bytes.
    pub mime: String,
    /// Bytes.
    pub size: u64,
    /// Unix seconds at which it was stored or last sent.
    pub modified: u64,
}

/// Answer of `DELETE /api/media/{media}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MediaRemoved {
    #[allow(missing_docs)]
    pub deleted: bool,
    /// Messages that had it.
    pub messages: u64,
}

/// Answer of `GET /api/health`.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Health {
    /// `ok`, or `degraded`.
    pub status: String,
    /// Why it is degraded, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Body of every error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ErrorBody {
    /// The error in words, for people.
    pub error: String,
    /// The error's name, for programs; only where the contract (Part 3) gives it one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// The text for a type that is none; spelled by the contract.
pub const INVALID_TYPE: &str = "Invalid message type. Use Text, Image, File, Video, or Audio";

/// The text for a status that is none; spelled by the contract.
pub const INVALID_STATUS: &str = "Invalid status. Use Pending, Sending, Sent, Failed, or Canceled";

/// The text for a `reply_to` that is no message of this store.
pub const NO_REPLY_TARGET: &str = "`reply_to` is no message of this store; give the ID of one";

/// The text for a message that is not there; spelled by the contract.
pub const NOT_FOUND: &str = "Message not found";

/// Messages on a page unless the request says otherwise.
pub const DEFAULT_LIMIT: usize = 50;

/// Conversations on a page unless the request says otherwise.
pub const DEFAULT_CONVERSATIONS: usize = 200;

/// The most messages or conversations on a page.
pub const MAX_LIMIT: usize = 200;

/// Characters that are taken off around an address, as in a class of a regular expression.
const SPACES: &str = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000";

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

    /// The rule of its schema that a type of Rust cannot say: content of a medium is an address, or
    /// the bytes in base64 (RFC 4648).
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

    /// Checks every field; the error is what the API answers.
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
