//! Keys of rows by which duplicates are recognized: idempotency keys, and messages that were seen or
//! sent. Texts are hashed, so that keys are short. A time comes first, so that new rows are at the end
//! of the table.

use super::damage::guarded;
use super::error::Result;
use super::tables::KEYS_BY_AGE;
use super::view::View;
use crate::model::content::Content;
use crate::model::inbound::{self, Inbound};
use crate::model::message::Message;
use redb::ReadableTable as _;
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;
use uuid::Uuid;

/// Rounding of the times of sent messages.
pub(super) const HOUR: u64 = 60 * 60;

/// Rounding of the times of deleted messages: an echo comes at most so much later (`ECHO_LATE`).
pub(super) const ECHO_PERIOD: u64 = inbound::ECHO_LATE;

/// Deleted messages of one period with the same content that are told apart. More of them share the last mark.
const ALIKE_DELETED: usize = 64;

/// How long an `Idempotency-Key` is remembered, in seconds.
pub const KEY_LIFE: u64 = 24 * 60 * 60;

/// An `Idempotency-Key` and the body it came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idempotency {
    pub(super) key: u128,
    pub(super) body: u128,
}

impl Idempotency {
    /// Makes a key from the client's key, and from the text by which two bodies are compared.
    pub fn new(key: &str, body: &str) -> Self {
        Self { key: hash(&[key]), body: hash(&[body]) }
    }
}

impl View {
    /// When idempotency keys were used, in Unix seconds, and their hashes: the earliest and the latest, at
    /// most `limit` of each.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn idempotency_keys(&self, limit: usize) -> Result<Vec<(u64, u128)>> {
        guarded(|| {
            let table = self.txn.open_table(KEYS_BY_AGE)?;
            let mut keys = Vec::new();
            for row in table.iter()?.take(limit).chain(table.iter()?.rev().take(limit)) {
                keys.push(row?.0.value());
            }
            keys.sort_unstable();
            keys.dedup();
            Ok(keys)
        })
    }
}

/// Keys of an inbound event: by its ID (contract, Part 2, item 19), and by its fingerprint, if it
/// has one. Several accounts may report the same person, so the fingerprint's key leaves out the
/// account.
pub(super) fn seen_keys(received: &Inbound) -> impl Iterator<Item = (u64, u128)> + use<> {
    let Inbound { platform, account, conversation, external_id, .. } = received;
    let by_id = hash(&[platform, account, conversation, external_id]);
    let by_print = received.fingerprint.as_ref();
    let by_print = by_print.map(|print| hash(&["fingerprint", platform, conversation, print]));
    let time = received.time;
    std::iter::once(by_id).chain(by_print).map(move |hash| (time, hash))
}

/// Key of an inbound event whose ID and time are those of another message. It has the sender and the texts,
/// but no addresses of files, because these may differ when the event comes again.
pub(super) fn collision_key(received: &Inbound) -> (u64, u128) {
    let Inbound { platform, account, conversation, external_id, sender, content, .. } = received;
    let mut parts = vec!["beside", platform, account, conversation, external_id, &sender.id];
    parts.push(content.message_type().as_str());
    parts.extend(content.texts());
    (received.time, hash(&parts))
}

/// Keys of a deleted message that may have been sent under an unknown ID, by its content and the time of
/// its last change. It gets the first one that no message like it has.
pub(super) fn deleted_keys(message: &Message) -> Option<impl Iterator<Item = (u64, u128)>> {
    let (platform, account) = (message.platform.as_deref()?, message.account.as_deref()?);
    let (conversation, content) = (&*message.recipient, &message.content);
    let period = period(message.updated_at);
    let hash = move |nth| deleted_hash(platform, account, conversation, content, nth);
    Some((0..ALIKE_DELETED).map(move |nth| (period, hash(nth))))
}

/// The periods in which an own message may have been written or, if it is live, came in (`at`), and the
/// periods next to them.
pub(super) fn periods_of(received: &Inbound, at: u64) -> impl Iterator<Item = u64> + use<> {
    let written = received.may_be_written(at);
    let (first, last) = (written.start() / ECHO_PERIOD, written.end() / ECHO_PERIOD);
    let beside = first.checked_sub(1).into_iter().chain([last + 1]);
    (first..=last).chain(beside).map(|number| number.saturating_mul(ECHO_PERIOD))
}

/// The hashes of deleted messages that an own message may be.
pub(super) fn deleted_hashes(received: &Inbound) -> impl Iterator<Item = u128> {
    let Inbound { platform, account, conversation, content, .. } = received;
    (0..ALIKE_DELETED).map(move |nth| deleted_hash(platform, account, conversation, content, nth))
}

/// The hash of a deleted message before which `nth` messages like it were deleted in the same period.
fn deleted_hash(
    platform: &str,
    account: &str,
    conversation: &str,
    content: &Content,
    nth: usize,
) -> u128 {
    let mut parts = vec!["deleted", platform, account, conversation];
    parts.push(content.message_type().as_str());
    parts.extend(content.texts());
    let nth = nth.to_string();
    // Earlier versions had one mark for all.
    parts.extend((nth != "0").then_some(&*nth));
    hash(&parts)
}

/// Key of the mark that no own message is taken for a deleted message any more: its echo came in, its ID
/// became known, or it was not sent. `at` is the time of this mark, in Unix seconds.
pub(super) fn resolved_key(seq: u64, at: u64) -> (u64, u128) {
    (period(at), hash(&["settled", &seq.to_string()]))
}

/// Key of the mark that a deleted message may have been sent by an attempt before its last one.
pub(super) fn doubtful_key(seq: u64, at: u64) -> (u64, u128) {
    (period(at), hash(&["doubtful", &seq.to_string()]))
}

/// The beginning of the period that a time is in.
fn period(time: u64) -> u64 {
    time / ECHO_PERIOD * ECHO_PERIOD
}

/// The period that a time is in, between its neighbours.
pub(super) fn periods_about(time: u64) -> [u64; 3] {
    let now = period(time);
    [now.saturating_sub(ECHO_PERIOD), now, now.saturating_add(ECHO_PERIOD)]
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

/// Keys of a sent message with a platform's ID: with the hour in which it was sent first, then with the
/// hours next to it, because two clocks always differ. Two accounts may have the same ID for two messages,
/// so the account is part of the key; version 0.2 left it out.
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

/// Key of the mark that a history has reported a message.
pub(super) fn history_key(message: &Message) -> (u64, u128) {
    (message.created_at, hash(&["history", &message.seq.to_string()]))
}

/// Key of the mark that a history has reported a message under another platform ID.
pub(super) fn alias_key(message: &Message, external_id: &str) -> (u64, u128) {
    (message.created_at, hash(&["alias", &message.seq.to_string(), external_id]))
}

/// A new ID for a message whose ID another message has; always the same for the same message.
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
