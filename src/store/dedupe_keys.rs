//! Keys of rows by which duplicates are recognized: idempotency keys, and messages that were seen or
//! sent. Texts are hashed, so that keys are short. A time comes first, so that new rows are at the end
//! of the table.

use crate::model::change::Inbound;
use crate::model::message::Message;
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;
use uuid::Uuid;

/// The grain in which the times of messages we sent are kept.
pub(super) const HOUR: u64 = 60 * 60;

/// How long an `Idempotency-Key` is remembered, in seconds.
pub(super) const KEY_LIFE: u64 = 24 * 60 * 60;

/// An `Idempotency-Key` and the body it came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idempotency {
    pub(super) key: u128,
    pub(super) body: u128,
}

impl Idempotency {
    /// Takes the key as the client gave it, and what makes two bodies the same.
    pub fn new(key: &str, body: &str) -> Self {
        Self { key: hash(&[key]), body: hash(&[body]) }
    }
}

/// Keys of an inbound event: by its ID (contract, Part 2, item 19), and by its fingerprint, where it
/// has one. One person may be told of by several accounts in turn, so that leaves out the account.
pub(super) fn seen_keys(received: &Inbound) -> impl Iterator<Item = (u64, u128)> + use<> {
    let Inbound { platform, account, conversation, external_id, .. } = received;
    let by_id = hash(&[platform, account, conversation, external_id]);
    let by_print = received.fingerprint.as_ref();
    let by_print = by_print.map(|print| hash(&["fingerprint", platform, conversation, print]));
    let time = received.time;
    std::iter::once(by_id).chain(by_print).map(move |hash| (time, hash))
}

/// Key of the recall of a message that has not come in yet.
pub(super) fn early_recall_key(
    platform: &str,
    account: &str,
    conversation: &str,
    external_id: &str,
) -> u128 {
    hash(&["recall", platform, account, conversation, external_id])
}

/// Where a message is to be found that was sent under a platform's ID: its own hour in the middle,
/// and those beside it, for two clocks are never the same. To two accounts the same ID may be that of
/// two messages; version 0.2 did not keep the account.
pub(super) fn sent_keys(
    platform: &str,
    account: Option<&str>,
    conversation: &str,
    external_id: &str,
    at: u64,
) -> [(u64, u128); 3] {
    let hash = match account {
        Some(account) => hash(&["sent", platform, account, conversation, external_id]),
        None => hash(&[platform, conversation, external_id]),
    };
    let hour = at / HOUR;
    [(hour.saturating_sub(1), hash), (hour, hash), (hour + 1, hash)]
}

/// Key of a message that a history has told of.
pub(super) fn history_key(message: &Message) -> (u64, u128) {
    (message.created_at, hash(&["history", &message.seq.to_string()]))
}

/// Key of another platform ID under which a history told of a message.
pub(super) fn alias_key(message: &Message, external_id: &str) -> (u64, u128) {
    (message.created_at, hash(&["alias", &message.seq.to_string(), external_id]))
}

/// An ID for a message whose own ID is another's: the same each time it is asked for.
pub(super) fn other_id(message: &Message) -> Uuid {
    let (id, at) = (message.id.to_string(), message.created_at.to_string());
    let hash = hash(&[&id, &at, &message.recipient, &message.content.readable()]);
    uuid::Builder::from_random_bytes(hash.to_be_bytes()).into_uuid()
}

fn hash(parts: &[&str]) -> u128 {
    let mut hasher = SipHasher24::new();
    for part in parts {
        hasher.write_usize(part.len());
        hasher.write(part.as_bytes());
    }
    hasher.finish128().as_u128()
}
