//! The tables of the file, and the small values in them.

use super::record::Unreadable;
use crate::model::message::{Direction, Message, Status};
use redb::{ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The newest schema this program knows.
pub(super) const SCHEMA: u32 = 2;

/// What marks a file as a store of rechat.
pub(super) const MARK: &[u8] = b"rechat";

/// `application`, `schema`, `id key`, `counters` and `batch`.
pub(super) const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");

/// The journal: `seq` to record.
pub(super) const MESSAGES: TableDefinition<u64, &[u8]> = TableDefinition::new("messages");

/// IDs that were not made here (imported ones) to `seq`; our own carry it.
pub(super) const FOREIGN_IDS: TableDefinition<u128, u64> = TableDefinition::new("foreign_ids");

/// `term << 32 | block` to the places in that block.
pub(super) const POSTINGS: TableDefinition<u64, &[u8]> = TableDefinition::new("postings");

/// A platform's name to its term.
pub(super) const PLATFORMS: TableDefinition<&str, u32> = TableDefinition::new("platforms");

/// (platform, conversation) to what is known of it; the platform is empty where none is found yet.
pub(super) const CONVERSATIONS: TableDefinition<(&str, &str), &[u8]> =
    TableDefinition::new("conversations");

/// Hash of an `Idempotency-Key` to (`seq`, hash of the body, Unix seconds).
pub(super) const KEYS: TableDefinition<u128, (u64, u128, u64)> = TableDefinition::new("keys");

/// (Unix seconds, hash of an `Idempotency-Key`): the order in which keys lapse.
pub(super) const KEYS_BY_AGE: TableDefinition<(u64, u128), ()> =
    TableDefinition::new("keys_by_age");

/// (the platform's Unix seconds, hash of who told what) to `seq`: what was received already.
pub(super) const SEEN: TableDefinition<(u64, u128), u64> = TableDefinition::new("seen");

/// (hour it was sent, hash of the platform's ID) to `seq`: by which our own echo is known.
pub(super) const SENT: TableDefinition<(u64, u128), u64> = TableDefinition::new("sent");

/// The offset of a commit's first event to what is kept of its events.
pub(super) const JOURNAL: TableDefinition<u64, &[u8]> = TableDefinition::new("journal");

/// The offset of an epoch's first event to (the epoch, the first `seq` that it can give).
pub(super) const EPOCHS: TableDefinition<u64, (u64, u64)> = TableDefinition::new("epochs");

/// A number that stands for a state, a platform or a conversation in the postings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Term(pub(super) u32);

impl Term {
    /// The states' own numbers end below this; platforms and conversations share what is above.
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

/// What is counted as it happens, so that nobody has to count later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counters {
    /// The `seq` of the newest message ever made; 0 before the first.
    pub(super) head: u64,
    /// How many platforms and conversations have a term.
    pub(super) named_terms: u32,
    /// Messages by direction and status.
    pub(super) by_state: [u64; 10],
    /// The offset of the newest event; 0 before the first.
    pub(super) offset: u64,
    /// The offset of the oldest event that is kept in the journal, or of the next one.
    pub(super) kept_from: u64,
}

impl Counters {
    pub(super) fn add(&mut self, message: &Message) {
        self.by_state[state_number(message.direction, message.status)] += 1;
    }

    pub(super) fn remove(&mut self, message: &Message) {
        let count = &mut self.by_state[state_number(message.direction, message.status)];
        *count = count.saturating_sub(1);
    }

    /// How many messages are in a state, whatever their direction.
    pub(super) fn with_status(&self, status: Status) -> u64 {
        Direction::ALL.into_iter().map(|d| self.by_state[state_number(d, status)]).sum()
    }

    /// A number for a platform or conversation that has none yet.
    pub(super) fn new_term(&mut self) -> Term {
        self.named_terms += 1;
        Term(Term::FIRST_NAMED + self.named_terms - 1)
    }
}

/// What is known of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ConversationRow {
    pub(super) term: Term,
    /// Its newest message.
    pub(super) last_seq: u64,
    /// Unix seconds of its newest message.
    pub(super) last_at: u64,
    pub(super) name: Option<String>,
    /// The account of ours that saw it last.
    pub(super) account: Option<String>,
}

/// The bytes of a small value: one byte of version, then postcard.
pub(super) fn pack<T: Serialize>(value: &T) -> Result<Vec<u8>, Unreadable> {
    postcard::to_extend(value, vec![1]).map_err(|e| Unreadable::new(e.to_string()))
}

/// Reads what [`pack`] made.
pub(super) fn unpack<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, Unreadable> {
    match bytes.split_first() {
        Some((1, fields)) => postcard::from_bytes(fields)
            .map_err(|e| Unreadable::new(format!("{what} is damaged: {e}"))),
        _ => Err(Unreadable::new(format!("{what} has an unknown version"))),
    }
}

/// The number of the newest batch that changed something, as `meta` has it; 0 before the first.
pub(super) fn newest_batch(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
) -> super::Result<u64> {
    let Some(row) = meta.get("batch")? else { return Ok(0) };
    let bytes = row.value().try_into();
    Ok(u64::from_le_bytes(bytes.map_err(|_| Unreadable::new("the batch's number is damaged"))?))
}
