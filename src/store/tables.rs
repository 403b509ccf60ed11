//! The tables of the file, and the small values in them.

use super::damage::pass_over;
use super::postings::Places;
use crate::log::record::{Unreadable, checksum};
use crate::model::message::{Direction, Status};
use crate::model::notice::ContactRequest;
use crate::model::routing::SeenPlatform;
use redb::{ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The newest schema this program knows.
pub(super) const SCHEMA: u32 = 3;

/// Mark of a store of rechat.
pub(super) const MARK: &[u8] = b"rechat";

/// The row of [`META`] with the first offset of the epoch up to which the claims whose status somebody set are
/// listed. A version under development that does not list them leaves it as it is.
pub(super) const OVERRULED_LISTED: &str = "overruled listed";

/// The row of [`META`] with the time at which the store was made, in nanoseconds since 1970.
pub(super) const MADE_AT: &str = "made at";

/// `application`, `schema`, `id key`, `id check` (the key's checksum), `counters`, and the rows that have a constant
/// in this file; in the store of a node also `cluster` and `place`.
pub(super) const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");

/// `seq` to the record of the message.
pub(super) const MESSAGES: TableDefinition<u64, &[u8]> = TableDefinition::new("messages");

/// IDs that were not made here (of imported messages) to `seq`. Other IDs contain their `seq`.
pub(super) const FOREIGN_IDS: TableDefinition<u128, u64> = TableDefinition::new("foreign_ids");

/// `term << 32 | block` to the places in that block.
pub(super) const POSTINGS: TableDefinition<u64, &[u8]> = TableDefinition::new("postings");

/// A platform's name to its term.
pub(super) const PLATFORMS: TableDefinition<&str, u32> = TableDefinition::new("platforms");

/// (platform, conversation) to its row; the platform is empty for messages without a platform.
pub(super) const CONVERSATIONS: TableDefinition<(&str, &str), &[u8]> =
    TableDefinition::new("conversations");

/// (platform, `seq` of the newest message) to the conversation: the order of the list of
/// conversations.
pub(super) const NEWEST: TableDefinition<(&str, u64), &str> = TableDefinition::new("newest");

/// (term of a conversation or [`PostingKey::LATE`], `created_at`, `seq`): messages that came in late. For
/// all others the order of `created_at` is the order of `seq`.
pub(super) const LATE: TableDefinition<(u32, u64, u64), ()> = TableDefinition::new("late");

/// Hash of an `Idempotency-Key` to (`seq`, hash of the body, Unix seconds).
pub(super) const KEYS: TableDefinition<u128, (u64, u128, u64)> = TableDefinition::new("keys");

/// (Unix seconds, hash of an `Idempotency-Key`): the order in which keys expire.
pub(super) const KEYS_BY_AGE: TableDefinition<(u64, u128), ()> =
    TableDefinition::new("keys_by_age");

/// (the platform's Unix seconds, hash of the account and the event) to `seq`: events that were
/// received.
pub(super) const SEEN: TableDefinition<(u64, u128), u64> = TableDefinition::new("seen");

/// (hour of sending, hash of the platform's ID) to `seq`: recognizes the echoes of own messages.
pub(super) const SENT: TableDefinition<(u64, u128), u64> = TableDefinition::new("sent");

/// The offset of a commit's first event to the journal entries of the commit.
pub(super) const JOURNAL: TableDefinition<u64, &[u8]> = TableDefinition::new("journal");

/// The offset of an epoch's first event to (the epoch, the first `seq` that it can give).
pub(super) const EPOCHS: TableDefinition<u64, (u64, u64)> = TableDefinition::new("epochs");

/// The offset at which an event of a platform was quarantined to its encoding.
pub(super) const QUARANTINE: TableDefinition<u64, &[u8]> = TableDefinition::new("quarantine");

/// The offset of a request's notice to the request.
pub(super) const REQUESTS: TableDefinition<u64, &[u8]> = TableDefinition::new("requests");

/// (adapter, its name for the value) to a value that the adapter keeps. It may be a secret, so
/// copies of the store do not have it.
pub(super) const ADAPTER_STATE: TableDefinition<(&str, &str), &[u8]> =
    TableDefinition::new("adapter_state");

/// The offset of a raw event to the event as the platform sent it. It is only for bots, so backups do not
/// have it.
pub(super) const RAW_EVENTS: TableDefinition<u64, &[u8]> = TableDefinition::new("told");

/// Hash of account, conversation and message to a recall that came before the message. Kept for a
/// short time, so backups do not have it.
pub(super) const EARLY_RECALLS: TableDefinition<u128, &[u8]> =
    TableDefinition::new("early_recalls");

/// The row of `meta` that says that there is a log, with the bytes of its file. It exists from the first
/// batch of a log until the tables have all batches durably.
pub(super) const LOG_BYTES: &str = "log bytes";

/// The bytes of the file of the log; `None` if there need not be a log.
pub(super) fn log_bytes(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
) -> super::Result<Option<u64>> {
    let row = meta.get(LOG_BYTES)?;
    Ok(row.and_then(|row| row.value().try_into().ok()).map(u64::from_le_bytes))
}

/// The row of `meta` with the offset before which no client can resume, because events were lost there.
/// Only readers that accept gaps get earlier events.
pub(super) const RESUMABLE_FROM: &str = "resumable from";

/// The offset before which no client can resume; 0 if nothing was lost.
pub(super) fn resumable_from(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
) -> super::Result<u64> {
    let row = meta.get(RESUMABLE_FROM)?;
    Ok(row.and_then(|row| row.value().try_into().ok()).map_or(0, u64::from_le_bytes))
}

/// The row of `meta` with the platforms that were ever connected.
pub(super) const SEEN_PLATFORMS: &str = "seen platforms";

/// The platforms that were ever connected, in the order of their first connection. A damaged row
/// counts as empty and is logged; it is written again when adapters connect.
pub(super) fn seen_platforms(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
) -> super::Result<Vec<SeenPlatform>> {
    Ok(pass_over(seen_platforms_row(meta))?.unwrap_or_default())
}

/// The same, with an error for a damaged row; `None` if there is no row.
pub(super) fn seen_platforms_row(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
) -> super::Result<Option<Vec<SeenPlatform>>> {
    let row = meta.get(SEEN_PLATFORMS)?;
    let read = |bytes: &[u8]| {
        unpack("the list of platforms that were connected:", &[SEEN_PLATFORMS], bytes)
    };
    row.map(|row| Ok(read(row.value())?)).transpose()
}

/// The row of `meta` with the term of a platform and a checksum; [`PLATFORMS`] has none.
pub(super) fn platform_key(platform: &str) -> String {
    format!("{PLATFORM_PREFIX}{platform}")
}

/// Beginning of the key of that row.
pub(super) const PLATFORM_PREFIX: &str = "platform ";

/// The bytes of that row.
pub(super) fn pack_term(platform: &str, term: PostingKey) -> Result<Vec<u8>, Unreadable> {
    pack(&["platform", platform], &term)
}

/// The term of a platform; an error if its two rows differ. Stores of older versions have one row.
pub(super) fn platform_term(
    platforms: &impl ReadableTable<&'static str, u32>,
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
    platform: &str,
) -> super::Result<Option<PostingKey>> {
    let term = platforms.get(platform)?.map(|term| PostingKey(term.value()));
    let Some(row) = meta.get(&*platform_key(platform))? else { return Ok(term) };
    let checked = unpack("the row of", &["platform", platform], row.value())?;
    if term != Some(checked) {
        return Err(
            Unreadable::new(format!("the row of the platform {platform} is damaged")).into()
        );
    }
    Ok(term)
}

/// A number that stands for a state, a platform or a conversation in the postings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct PostingKey(pub(super) u32);

impl PostingKey {
    /// Inbound messages that mention the account.
    pub(super) const MENTIONS: Self = Self(10);

    /// Messages that came in late.
    pub(super) const LATE: Self = Self(11);

    /// Outbound messages that a process has claimed, and whose status somebody set since.
    pub(super) const OVERRULED: Self = Self(12);

    /// The fixed numbers end below this; platforms and conversations share what is above.
    pub(super) const FIRST_NAMED: u32 = 16;

    /// The term of everything in this state and direction.
    pub(super) fn of_state(direction: Direction, status: Status) -> Self {
        Self(state_number(direction, status) as u32)
    }

    /// The key of this term's row for a block.
    pub(super) fn row(self, block: u32) -> u64 {
        u64::from(self.0) << 32 | u64::from(block)
    }
}

fn state_number(direction: Direction, status: Status) -> usize {
    direction as usize * Status::ALL.len() + status as usize
}

/// Counts that are kept with each event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counters {
    /// The `seq` of the newest message ever made; 0 before the first.
    pub(super) head: u64,
    /// Number of platforms and conversations with a term.
    pub(super) named_terms: u32,
    /// Messages by direction and status.
    pub(super) by_state: [u64; 10],
    /// The offset of the newest event; 0 before the first.
    pub(super) offset: u64,
    /// The offset of the oldest event that is kept in the journal, or of the next one.
    pub(super) kept_from: u64,
    /// Time of the newest message that is not late, in Unix seconds.
    pub(super) in_order_to: u64,
}

impl Counters {
    pub(super) fn add(&mut self, direction: Direction, status: Status) {
        self.by_state[state_number(direction, status)] += 1;
    }

    pub(super) fn remove(&mut self, direction: Direction, status: Status) {
        let count = &mut self.by_state[state_number(direction, status)];
        *count = count.saturating_sub(1);
    }

    /// Number of messages in a state, in both directions.
    pub(super) fn with_status(&self, status: Status) -> u64 {
        Direction::ALL.into_iter().map(|d| self.by_state[state_number(d, status)]).sum()
    }

    /// A number for a platform or conversation that has none yet.
    pub(super) fn new_term(&mut self) -> PostingKey {
        self.named_terms += 1;
        PostingKey(PostingKey::FIRST_NAMED + self.named_terms - 1)
    }
}

/// The version of small values.
const VERSION: u8 = 3;

/// Capacity for most small values, so that the buffer need not grow.
const PACKED_BYTES: usize = 96;

/// The bytes of a small value: a byte of version, a checksum, then postcard. The checksum includes
/// the key of the value.
pub(super) fn pack<T: Serialize>(key: &[&str], value: &T) -> Result<Vec<u8>, Unreadable> {
    let mut bytes = Vec::with_capacity(PACKED_BYTES);
    bytes.extend([VERSION, 0, 0, 0, 0]);
    let mut bytes =
        postcard::to_extend(value, bytes).map_err(|error| Unreadable::new(error.to_string()))?;
    let sum = key_checksum(key, &bytes[5..]);
    bytes[1..5].copy_from_slice(&sum.to_le_bytes());
    Ok(bytes)
}

/// Reads what [`pack`] made.
pub(super) fn unpack<T: DeserializeOwned>(
    what: &str,
    key: &[&str],
    bytes: &[u8],
) -> Result<T, Unreadable> {
    unpack_version(VERSION, what, key, bytes)
}

/// Reads a value of this version.
pub(super) fn unpack_version<T: DeserializeOwned>(
    version: u8,
    what: &str,
    key: &[&str],
    bytes: &[u8],
) -> Result<T, Unreadable> {
    let damaged = || Unreadable::new(format!("{what} {} is damaged", key.join("/")));
    let Some((&[found, a, b, c, d], fields)) = bytes.split_first_chunk() else {
        return Err(damaged());
    };
    if found != version || u32::from_le_bytes([a, b, c, d]) != key_checksum(key, fields) {
        return Err(damaged());
    }
    postcard::from_bytes(fields).map_err(|_| damaged())
}

fn key_checksum(key: &[&str], fields: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for part in key {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    hasher.update(fields);
    hasher.finalize()
}

/// The counters, as `meta` has them.
pub(super) fn counters(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
) -> super::Result<Counters> {
    match meta.get("counters")? {
        Some(bytes) => Ok(unpack("the row of", &["counters"], bytes.value())?),
        None => Ok(Counters::default()),
    }
}

/// The row of a set of places: a checksum, then the set.
pub(super) fn pack_places(row: u64, places: &Places) -> Vec<u8> {
    with_checksum(row, &places.encode())
}

/// Reads what [`pack_places`] made.
pub(super) fn unpack_places(row: u64, bytes: &[u8]) -> Result<Places, Unreadable> {
    without_checksum(row, bytes)
        .and_then(Places::decode)
        .ok_or_else(|| Unreadable::new(format!("the index row {row:#x} is damaged")))
}

/// The row of a request: a checksum, then JSON.
pub(super) fn pack_request(id: u64, request: &ContactRequest) -> Result<Vec<u8>, Unreadable> {
    let json = serde_json::to_vec(request).map_err(|error| Unreadable::new(error.to_string()))?;
    Ok(with_checksum(id, &json))
}

/// Reads what [`pack_request`] made.
pub(super) fn unpack_request(id: u64, bytes: &[u8]) -> Result<ContactRequest, Unreadable> {
    without_checksum(id, bytes)
        .and_then(|json| serde_json::from_slice(json).ok())
        .ok_or_else(|| Unreadable::new(format!("the request {id} is damaged")))
}

/// Bytes with a checksum before them; the checksum includes their key.
pub(super) fn with_checksum(key: u64, bytes: &[u8]) -> Vec<u8> {
    let mut row = Vec::with_capacity(4 + bytes.len());
    row.extend(checksum(key, bytes).to_le_bytes());
    row.extend(bytes);
    row
}

/// The bytes after a checksum; `None` if it is wrong.
pub(super) fn without_checksum(key: u64, row: &[u8]) -> Option<&[u8]> {
    let (sum, bytes) = row.split_first_chunk()?;
    (u32::from_le_bytes(*sum) == checksum(key, bytes)).then_some(bytes)
}

/// The checksum of the store's key, which shows damage of the key.
pub(super) fn key_check(key: [u8; 16]) -> [u8; 4] {
    checksum(2, &key).to_le_bytes()
}
