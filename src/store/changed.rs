//! The event of a changed message, and the keys by which duplicates are recognized. Several decisions use
//! them.

use super::dedupe_keys::{collision_key, doubtful_key, resolved_key, seen_keys, sent_keys};
use super::error::Result;
use super::state::{DeletedMessage, StoreState};
use crate::model::event::{self, ChangeCause, DedupeKey, Event};
use crate::model::inbound::Inbound;
use crate::model::message::{Direction, Message, Status};

/// Adds the event that a message changed, and returns the message.
pub(super) fn changed(cause: ChangeCause, message: Message, events: &mut Vec<Event>) -> Message {
    changed_with(cause, message, Vec::new(), events)
}

/// Like [`changed`], with marks of the change.
pub(super) fn changed_with(
    cause: ChangeCause,
    message: Message,
    marks: Vec<DedupeKey>,
    events: &mut Vec<Event>,
) -> Message {
    let state = Box::new(event::MessageState::of(&message));
    events.push(Event::Changed { seq: message.seq, cause, state, marks });
    message
}

/// Marks by which an event is recognized if it comes again.
pub(super) fn seen_marks(received: &Inbound) -> Vec<DedupeKey> {
    seen_keys(received).map(|(time, hash)| DedupeKey::Seen(time, hash)).collect()
}

/// The mark of an event whose ID and time are those of another message.
pub(super) fn collision_mark(received: &Inbound) -> DedupeKey {
    let (time, hash) = collision_key(received);
    DedupeKey::Seen(time, hash)
}

/// The mark of a deleted message that may have been sent under an unknown ID. If an own message with this
/// content comes in, it is taken for the deleted one.
pub(super) fn unresolved_mark(
    state: &impl StoreState,
    message: &Message,
) -> Result<Option<DedupeKey>> {
    let may_be_sent =
        message.may_be_sent() || message.status == Status::Sent && message.external_id.is_none();
    let is_outbound = message.direction == Direction::Outbound;
    if !is_outbound || !may_be_sent {
        return Ok(None);
    }
    let key = state.key_of_deleted(message)?;
    Ok(key.map(|(time, hash)| DedupeKey::Seen(time, hash)))
}

/// The mark of a deleted message that an attempt before its last one may have sent.
pub(super) fn doubtful_mark(message: &Message) -> Option<DedupeKey> {
    let (time, hash) = doubtful_key(message.seq, message.updated_at);
    message.is_uncertain.then_some(DedupeKey::Seen(time, hash))
}

/// The mark of a deleted message that no own message is taken for any more.
pub(super) fn resolved_mark(seq: u64, at: u64) -> DedupeKey {
    let (time, hash) = resolved_key(seq, at);
    DedupeKey::Seen(time, hash)
}

/// The mark by which the echo of a sent message is recognized, if its platform gave it an ID.
pub(super) fn sent_mark(message: &Message) -> Option<DedupeKey> {
    mark_of(message, message.external_id.as_ref()?, message.updated_at)
}

/// The mark by which the echo of a part is recognized. `at` is when the part was sent, in Unix seconds.
pub(super) fn part_mark(message: &Message, external_id: &str, at: u64) -> Option<DedupeKey> {
    if external_id.is_empty() { None } else { mark_of(message, external_id, at) }
}

/// The mark by which the echo of a message is recognized that was deleted while it was being sent.
pub(super) fn deleted_mark(
    deleted: &DeletedMessage,
    account: Option<&str>,
    external_id: &str,
    at: u64,
) -> Option<DedupeKey> {
    let platform = deleted.platform.as_ref().filter(|_| !external_id.is_empty())?;
    Some(key_of(platform, account, &deleted.conversation, external_id, at))
}

fn mark_of(message: &Message, external_id: &str, at: u64) -> Option<DedupeKey> {
    let (platform, account) = (message.platform.as_ref()?, message.account.as_deref());
    Some(key_of(platform, account, &message.recipient, external_id, at))
}

fn key_of(
    platform: &str,
    account: Option<&str>,
    conversation: &str,
    external_id: &str,
    at: u64,
) -> DedupeKey {
    let [_, (hour, hash), _] = sent_keys(platform, account, conversation, external_id, at);
    DedupeKey::Sent(hour, hash)
}
