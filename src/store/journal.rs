//! The journal: the events that clients can resume from.
//!
//! It has one row for each commit: the offsets and kinds of its events, and data that a client cannot read
//! from the message itself. The content of messages is only in the table of messages, so that the content
//! of a deleted message is gone.

use crate::log::record::{Unreadable, checksum};
use crate::model::change::ChangeEffect;
use crate::model::message::Status;
use crate::model::notice::Notice;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The encoding of a row that is written.
const VERSION: u8 = 1;

/// An event of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// Its number in the log.
    pub offset: u64,
    /// When it was committed, in Unix seconds.
    pub at: u64,
    /// The event, without the data of the message.
    pub entry: EntryContent,
}

/// Data of a journal entry that the message does not have now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are named as those of a message")]
pub enum EntryContent {
    /// A message was made.
    Created { seq: u64 },
    /// The status of a message changed to this one.
    StatusChanged {
        seq: u64,
        status: Status,
        retry_count: u32,
        updated_at: u64,
        last_error: Option<String>,
    },
    /// Another field of a message changed.
    Updated { seq: u64 },
    /// A message was deleted. Nothing else is left of it.
    Deleted { seq: u64, id: Uuid, platform: Option<String>, conversation: String },
    /// A conversation was named, read, muted or pinned.
    ConversationChanged { platform: String, conversation: String },
    /// A platform sent a notice.
    Noticed(Box<Notice>),
    /// A message was imported with the `seq` that it had before; it is not new.
    PutBack { seq: u64 },
}

impl EntryContent {
    /// The entry for an effect, if sessions are told of it.
    pub(super) fn of(effect: &ChangeEffect) -> Option<Self> {
        Some(match effect {
            ChangeEffect::AttemptEnded(_) => return None,
            ChangeEffect::PutBack(message) => Self::PutBack { seq: message.seq },
            ChangeEffect::Created(message) => Self::Created { seq: message.seq },
            ChangeEffect::StatusChanged(message) => Self::StatusChanged {
                seq: message.seq,
                status: message.status,
                retry_count: message.retry_count,
                updated_at: message.updated_at,
                last_error: message.last_error.clone(),
            },
            ChangeEffect::Updated(message) => Self::Updated { seq: message.seq },
            ChangeEffect::Deleted(message) => Self::Deleted {
                seq: message.seq,
                id: message.id,
                platform: message.platform.clone(),
                conversation: message.recipient.clone(),
            },
            ChangeEffect::ConversationChanged { platform, conversation } => {
                Self::ConversationChanged {
                    platform: platform.clone(),
                    conversation: conversation.clone(),
                }
            }
            ChangeEffect::Noticed(notice) => Self::Noticed(notice.clone()),
        })
    }
}

/// A row as it is encoded. A change of this type needs a new version.
#[derive(Serialize, Deserialize)]
struct JournalRow {
    at: u64,
    /// The entries, each with its offset relative to the row's first one.
    entries: Vec<(u64, EncodedEntry)>,
}

/// An entry as it is encoded.
#[derive(Serialize, Deserialize)]
enum EncodedEntry {
    Created(u64),
    StatusChanged(u64, u8, u32, u64, Option<String>),
    Updated(u64),
    Deleted(u64, u128, Option<String>, String),
    ConversationChanged(String, String),
    /// The notice as JSON of the API.
    Noticed(String),
    PutBack(u64),
}

/// Encodes the row of a commit at time `at`. `first` is the offset of its first event.
pub(super) fn encode(
    first: u64,
    at: u64,
    entries: impl IntoIterator<Item = (u64, EntryContent)>,
) -> Result<Vec<u8>, Unreadable> {
    let failed = |error: &dyn std::fmt::Display| Unreadable::new(error.to_string());
    let kept = |(offset, entry): (u64, EntryContent)| Ok((offset - first, entry.try_into()?));
    let entries: serde_json::Result<_> = entries.into_iter().map(kept).collect();
    let row = JournalRow { at, entries: entries.map_err(|error| failed(&error))? };
    let mut bytes =
        postcard::to_extend(&row, vec![VERSION, 0, 0, 0, 0]).map_err(|error| failed(&error))?;
    let checksum = checksum(first, &bytes[5..]);
    bytes[1..5].copy_from_slice(&checksum.to_le_bytes());
    Ok(bytes)
}

/// When the commit of a row was made, in Unix seconds; `None` if the row is damaged.
pub(super) fn time_of(first: u64, bytes: &[u8]) -> Option<u64> {
    let (&[VERSION, a, b, c, d], fields) = bytes.split_first_chunk()? else { return None };
    let is_whole = u32::from_le_bytes([a, b, c, d]) == checksum(first, fields);
    let (at, _) = postcard::take_from_bytes(fields).ok().filter(|_| is_whole)?;
    Some(at)
}

/// The entries of a row.
pub(super) fn decode(first: u64, bytes: &[u8]) -> Result<Vec<JournalEntry>, Unreadable> {
    let damaged = || Unreadable::new(format!("the journal's row {first} is damaged"));
    let Some((&[VERSION, a, b, c, d], fields)) = bytes.split_first_chunk() else {
        return Err(damaged());
    };
    if u32::from_le_bytes([a, b, c, d]) != checksum(first, fields) {
        return Err(damaged());
    }
    let JournalRow { at, entries } = postcard::from_bytes(fields).map_err(|_| damaged())?;
    let entry = |(distance, kept): (u64, EncodedEntry)| {
        let offset = first.checked_add(distance).ok_or_else(damaged)?;
        Ok(JournalEntry { offset, at, entry: kept.try_into().map_err(|()| damaged())? })
    };
    entries.into_iter().map(entry).collect()
}

impl TryFrom<EntryContent> for EncodedEntry {
    type Error = serde_json::Error;

    fn try_from(entry: EntryContent) -> serde_json::Result<Self> {
        Ok(match entry {
            EntryContent::Created { seq } => Self::Created(seq),
            EntryContent::StatusChanged { seq, status, retry_count, updated_at, last_error } => {
                Self::StatusChanged(seq, status as u8, retry_count, updated_at, last_error)
            }
            EntryContent::Updated { seq } => Self::Updated(seq),
            EntryContent::Deleted { seq, id, platform, conversation } => {
                Self::Deleted(seq, id.as_u128(), platform, conversation)
            }
            EntryContent::ConversationChanged { platform, conversation } => {
                Self::ConversationChanged(platform, conversation)
            }
            EntryContent::Noticed(notice) => Self::Noticed(serde_json::to_string(&notice)?),
            EntryContent::PutBack { seq } => Self::PutBack(seq),
        })
    }
}

impl TryFrom<EncodedEntry> for EntryContent {
    /// The status has an unknown number, or the notice an unknown form.
    type Error = ();

    fn try_from(kept: EncodedEntry) -> Result<Self, ()> {
        Ok(match kept {
            EncodedEntry::Created(seq) => Self::Created { seq },
            EncodedEntry::StatusChanged(seq, status, retry_count, updated_at, last_error) => {
                let status = *Status::ALL.get(usize::from(status)).ok_or(())?;
                Self::StatusChanged { seq, status, retry_count, updated_at, last_error }
            }
            EncodedEntry::Updated(seq) => Self::Updated { seq },
            EncodedEntry::Deleted(seq, id, platform, conversation) => {
                Self::Deleted { seq, id: Uuid::from_u128(id), platform, conversation }
            }
            EncodedEntry::ConversationChanged(platform, conversation) => {
                Self::ConversationChanged { platform, conversation }
            }
            EncodedEntry::Noticed(json) => {
                Self::Noticed(serde_json::from_str(&json).map_err(|_| ())?)
            }
            EncodedEntry::PutBack(seq) => Self::PutBack { seq },
        })
    }
}
