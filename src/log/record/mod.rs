//! The encoding of a message in the log and in the store's table: one byte of version, a checksum, then the
//! fields in postcard.

mod older;
#[cfg(test)]
mod tests;

use crate::model::content::Content;
use crate::model::message::{Direction, Doubt, Message, Recall, ReplyTo, Sender, Status};
use crate::model::message_fields::MessageFields;
use crate::model::reaction::Reaction;
use older::{FieldsV1, FieldsV2};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use uuid::Uuid;

/// The version that is written. All older ones stay readable. 3 was never used: one flipped bit makes it 1,
/// which has no checksum.
const VERSION: u8 = 4;

/// Bytes before the fields: version and checksum.
const HEAD: usize = 1 + 4;

/// Capacity for what most records have beside the content, so that the buffer need not grow.
const USUAL_BYTES: usize = 192;

/// The fields of version 4 in the order of their encoding. A change needs a new version.
#[derive(Serialize, Deserialize)]
struct RecordFields<'a> {
    id: Uuid,
    #[serde(borrow)]
    content: WireContent<'a>,
    recipient: &'a str,
    status: Status,
    created_at: u64,
    updated_at: u64,
    retry_count: u32,
    platform: Option<&'a str>,
    direction: Direction,
    conversation_name: Option<&'a str>,
    sender: Option<(&'a str, &'a str)>,
    account: Option<&'a str>,
    last_error: Option<&'a str>,
    external_id: Option<&'a str>,
    original: Option<&'a str>,
    flags: u8,
    owner: Option<&'a str>,
    /// [`Extras`] as JSON; most messages have none.
    extras: Option<Cow<'a, str>>,
}

/// The first fields of version 4: ID, content, recipient, status.
type FirstFields<'a> = (Uuid, WireContent<'a>, &'a str, Status);

/// The fields of version 4 after [`FirstFields`]: times of creation and of the last change, retries,
/// platform, direction.
type NextFields<'a> = (u64, u64, u32, Option<&'a str>, Direction);

/// The fields of version 4 after [`NextFields`]: the conversation's name, the sender.
type SenderFields<'a> = (Option<&'a str>, Option<(&'a str, &'a str)>);

/// When a message was written and changed, in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageTimes {
    /// Its `seq`.
    pub seq: u64,
    /// When it was written; of an inbound message according to the platform.
    pub created_at: u64,
    /// When it was changed last.
    pub updated_at: u64,
    /// Whether it came in or goes out.
    pub direction: Direction,
}

impl MessageTimes {
    fn of(message: &Message) -> Self {
        let &Message { seq, created_at, updated_at, direction, .. } = message;
        Self { seq, created_at, updated_at, direction }
    }
}

/// A message of plain text as its record has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainText<'a> {
    /// The content.
    pub text: &'a str,
    /// The sender's ID and name.
    pub sender: Option<(&'a str, &'a str)>,
}

/// A message as its record has it.
pub enum Recorded<'a> {
    /// A text, and nothing that only few messages have. Nothing is copied.
    Plain(MessageFields<'a>, &'a str),
    /// Any other message.
    Other(Box<Message>),
}

/// A bit of `flags`.
pub(super) const IS_UNCERTAIN: u8 = 1;

pub(super) const IS_UNCONFIRMED: u8 = 2;

/// Fields that few messages have. They are named in JSON, so more can be added.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Extras {
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<Box<ReplyTo>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edited_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recall: Option<Box<Recall>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reactions: Vec<Reaction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    doubt: Option<Box<Doubt>>,
}

/// Content in encoded form; events use it, too.
#[derive(Serialize, Deserialize)]
pub(super) enum WireContent<'a> {
    Plain(#[serde(borrow)] Cow<'a, str>),
    /// The segments as JSON of the API.
    Segments(#[serde(borrow)] Cow<'a, str>),
}

impl<'a> WireContent<'a> {
    pub(super) fn of(content: &'a Content) -> Self {
        match content.segments() {
            None => Self::Plain(content.readable()),
            Some(_) => Self::Segments(content.to_json().into()),
        }
    }

    pub(super) fn read(self) -> Option<Content> {
        match self {
            Self::Plain(text) => Some(Content::text(text)),
            Self::Segments(json) => Content::from_json(&json).ok(),
        }
    }
}

/// A record that cannot be read: it is damaged, or a newer rechat wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(String);

impl Unreadable {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Encodes a message without its `seq`, which is the key of the row.
///
/// # Errors
///
/// A field cannot be encoded.
pub fn encode(message: &Message) -> Result<Vec<u8>, Unreadable> {
    let failed = |error: &dyn fmt::Display| Unreadable::new(error.to_string());
    let fields = RecordFields {
        id: message.id,
        content: WireContent::of(&message.content),
        recipient: &message.recipient,
        status: message.status,
        created_at: message.created_at,
        updated_at: message.updated_at,
        retry_count: message.retry_count,
        platform: message.platform.as_deref(),
        direction: message.direction,
        conversation_name: message.conversation_name.as_deref(),
        sender: message.sender.as_ref().map(|s| (s.id.as_str(), s.name.as_str())),
        account: message.account.as_deref(),
        last_error: message.last_error.as_deref(),
        external_id: message.external_id.as_deref(),
        original: message.original.as_deref(),
        flags: if message.is_uncertain { IS_UNCERTAIN } else { 0 }
            | if message.is_unconfirmed { IS_UNCONFIRMED } else { 0 },
        owner: message.owner.as_deref(),
        extras: extras(message).map_err(|error| failed(&error))?,
    };
    let mut bytes = Vec::with_capacity(USUAL_BYTES + message.content.bytes());
    bytes.extend([VERSION, 0, 0, 0, 0]);
    let mut bytes = postcard::to_extend(&fields, bytes).map_err(|error| failed(&error))?;
    let checksum = checksum(message.seq, &bytes[HEAD..]);
    bytes[1..HEAD].copy_from_slice(&checksum.to_le_bytes());
    Ok(bytes)
}

/// [`Extras`] of a message as JSON; `None` where it has none.
fn extras(message: &Message) -> serde_json::Result<Option<Cow<'static, str>>> {
    let is_plain = message.reply_to.is_none()
        && message.edited_at.is_none()
        && message.recall.is_none()
        && message.reactions.is_empty()
        && message.via.is_none()
        && message.parts.is_empty()
        && message.doubt.is_none();
    if is_plain {
        return Ok(None);
    }
    let extras = Extras {
        reply_to: message.reply_to.clone(),
        edited_at: message.edited_at,
        recall: message.recall.clone(),
        reactions: message.reactions.clone(),
        via: message.via.clone(),
        parts: message.parts.clone(),
        doubt: message.doubt.clone(),
    };
    serde_json::to_string(&extras).map(|json| Some(json.into()))
}

/// Decodes the record of the message at `seq`. Never panics.
///
/// # Errors
///
/// The bytes are damaged, or of a newer version.
pub fn decode(seq: u64, bytes: &[u8]) -> Result<Message, Unreadable> {
    let damaged = || Unreadable(format!("the record of message {seq} is damaged"));
    let Some((&version, rest)) = bytes.split_first() else {
        return Err(Unreadable(format!("the record of message {seq} is empty")));
    };
    if version == 1 {
        let fields: FieldsV1<'_> = postcard::from_bytes(rest).map_err(|_| damaged())?;
        return Ok(fields.into_message(seq, None));
    }
    let fields = || {
        let (sum, fields) = rest.split_first_chunk()?;
        (u32::from_le_bytes(*sum) == checksum(seq, fields)).then_some(fields)
    };
    match version {
        2 => {
            let fields = fields().and_then(|fields| postcard::from_bytes(fields).ok());
            let FieldsV2 { first, owner } = fields.ok_or_else(damaged)?;
            Ok(first.into_message(seq, owner))
        }
        VERSION => {
            let fields = fields().and_then(|fields| postcard::from_bytes(fields).ok());
            fields.and_then(|fields: RecordFields<'_>| fields.into_message(seq)).ok_or_else(damaged)
        }
        version => Err(Unreadable(format!(
            "the record of message {seq} has the unknown version {version}"
        ))),
    }
}

/// Reads the record of the message at `seq`; of most messages, nothing is copied. Never panics.
///
/// # Errors
///
/// The bytes are damaged, or of a newer version.
pub fn read(seq: u64, bytes: &[u8]) -> Result<Recorded<'_>, Unreadable> {
    let Some((&[VERSION, a, b, c, d], fields)) = bytes.split_first_chunk() else {
        return decode(seq, bytes).map(|message| Recorded::Other(Box::new(message)));
    };
    let is_whole = u32::from_le_bytes([a, b, c, d]) == checksum(seq, fields);
    let fields = postcard::from_bytes::<RecordFields<'_>>(fields).ok().filter(|_| is_whole);
    let recorded = fields.and_then(|fields| match fields.plain() {
        Some((fields, text)) => Some(Recorded::Plain(fields, text)),
        None => fields.into_message(seq).map(|message| Recorded::Other(Box::new(message))),
    });
    recorded.ok_or_else(|| Unreadable(format!("the record of message {seq} is damaged")))
}

/// Whether the message in the record at `seq` has a platform's ID for one of your accounts. Faster than
/// decoding the whole record.
pub(crate) fn is_known_as(seq: u64, bytes: &[u8], account: &str, external_id: &str) -> bool {
    let is_it = |by: Option<&str>, id: Option<&str>| id == Some(external_id) && by == Some(account);
    let Some((&VERSION, rest)) = bytes.split_first() else {
        let message = decode(seq, bytes).ok();
        return message.is_some_and(|message| {
            is_it(message.account.as_deref(), message.external_id.as_deref())
        });
    };
    let fields = rest.split_first_chunk::<4>().map(|(_, fields)| fields);
    let fields = fields.and_then(|fields| postcard::from_bytes::<RecordFields<'_>>(fields).ok());
    fields.is_some_and(|fields| is_it(fields.account, fields.external_id))
}

/// The status of the message in the record at `seq`. Faster than decoding the whole record.
///
/// # Errors
///
/// The bytes are damaged, or of a newer version.
pub(crate) fn status_of(seq: u64, bytes: &[u8]) -> Result<Status, Unreadable> {
    let Some((&[VERSION, a, b, c, d], fields)) = bytes.split_first_chunk() else {
        return decode(seq, bytes).map(|message| message.status);
    };
    let is_whole = u32::from_le_bytes([a, b, c, d]) == checksum(seq, fields);
    let first = postcard::take_from_bytes::<FirstFields<'_>>(fields).ok().filter(|_| is_whole);
    let status = first.map(|((_, _, _, status), _)| status);
    status.ok_or_else(|| Unreadable(format!("the record of message {seq} is damaged")))
}

/// The times of the message in the record at `seq`. Faster than decoding the whole record.
///
/// # Errors
///
/// The bytes are damaged, or of a newer version.
pub(crate) fn times_of(seq: u64, bytes: &[u8]) -> Result<MessageTimes, Unreadable> {
    let Some((&[VERSION, a, b, c, d], fields)) = bytes.split_first_chunk() else {
        return decode(seq, bytes).map(|message| MessageTimes::of(&message));
    };
    let is_whole = u32::from_le_bytes([a, b, c, d]) == checksum(seq, fields);
    let begin = postcard::take_from_bytes::<(FirstFields<'_>, NextFields<'_>)>(fields).ok();
    let times = begin.filter(|_| is_whole).map(|((_, next), _)| {
        let (created_at, updated_at, _, _, direction) = next;
        MessageTimes { seq, created_at, updated_at, direction }
    });
    times.ok_or_else(|| Unreadable(format!("the record of message {seq} is damaged")))
}

/// The text and the sender of the message in the record at `seq`, if its content is plain text and its
/// version the newest. Faster than decoding the whole record.
///
/// # Errors
///
/// The bytes are damaged.
pub(crate) fn plain_text(seq: u64, bytes: &[u8]) -> Result<Option<PlainText<'_>>, Unreadable> {
    let Some((&[VERSION, a, b, c, d], fields)) = bytes.split_first_chunk() else { return Ok(None) };
    let is_whole = u32::from_le_bytes([a, b, c, d]) == checksum(seq, fields);
    let begin =
        postcard::take_from_bytes::<(FirstFields<'_>, NextFields<'_>, SenderFields<'_>)>(fields);
    let begin = begin.ok().filter(|_| is_whole);
    match begin.map(|(((_, content, ..), _, (_, sender)), _)| (content, sender)) {
        Some((WireContent::Plain(Cow::Borrowed(text)), sender)) => {
            Ok(Some(PlainText { text, sender }))
        }
        Some(_) => Ok(None),
        None => Err(Unreadable(format!("the record of message {seq} is damaged"))),
    }
}

/// The checksum of bytes and of the number that they are stored under.
pub(crate) fn checksum(number: u64, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&number.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

impl<'a> RecordFields<'a> {
    /// The fields that every message has, and the text; `None` if the message has more than these.
    fn plain(&self) -> Option<(MessageFields<'a>, &'a str)> {
        let WireContent::Plain(Cow::Borrowed(text)) = self.content else { return None };
        let fields = MessageFields {
            id: self.id,
            recipient: self.recipient,
            status: self.status,
            created_at: self.created_at,
            updated_at: self.updated_at,
            retry_count: self.retry_count,
            platform: self.platform,
            direction: self.direction,
            conversation_name: self.conversation_name,
            sender: self.sender,
            account: self.account,
            last_error: self.last_error,
            is_unconfirmed: self.flags & IS_UNCONFIRMED != 0,
        };
        self.extras.is_none().then_some((fields, text))
    }

    fn into_message(self, seq: u64) -> Option<Message> {
        let extras = match self.extras {
            Some(json) => serde_json::from_str(&json).ok()?,
            None => Extras::default(),
        };
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Some(Message {
            seq,
            id: self.id,
            content: self.content.read()?,
            recipient: self.recipient.to_owned(),
            status: self.status,
            created_at: self.created_at,
            updated_at: self.updated_at,
            retry_count: self.retry_count,
            platform: owned(self.platform),
            direction: self.direction,
            conversation_name: owned(self.conversation_name),
            sender: self.sender.map(|(id, name)| Sender { id: id.into(), name: name.into() }),
            account: owned(self.account),
            last_error: owned(self.last_error),
            waiting: None,
            reply_to: extras.reply_to,
            edited_at: extras.edited_at,
            recall: extras.recall,
            reactions: extras.reactions,
            via: extras.via,
            external_id: owned(self.external_id),
            parts: extras.parts,
            doubt: extras.doubt,
            original: owned(self.original),
            is_uncertain: self.flags & IS_UNCERTAIN != 0,
            is_unconfirmed: self.flags & IS_UNCONFIRMED != 0,
            owner: owned(self.owner),
        })
    }
}
