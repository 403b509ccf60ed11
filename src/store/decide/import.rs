//! Decisions about imported messages.

use crate::model::event::{DedupeKey, Event, Origin};
use crate::model::inbound::Inbound;
use crate::model::message::{Direction, Message, Status};
use crate::store::changed::{seen_marks, sent_mark};
use crate::store::command::Answer;
use crate::store::dedupe_keys::other_id;
use crate::store::error::Result;
use crate::store::state::StoreState;
use std::collections::HashSet;

/// Whether a known message and an imported one are the same message, whatever changed since the export. Two
/// IDs that are equal prove it, unless they are from the time before epochs.
fn is_same(state: &impl StoreState, known: &Message, other: &Message) -> bool {
    fn lasting(message: &Message) -> (u64, Direction, Option<&str>) {
        let sender = message.sender.as_ref().map(|sender| &*sender.id);
        (message.created_at, message.direction, sender)
    }
    !state.is_before_epochs(other.id) || lasting(known) == lasting(other)
}

/// Marks by which later reports of an imported message are recognized as duplicates.
fn imported_marks(message: &Message) -> Vec<DedupeKey> {
    match (message.direction, Inbound::of(message)) {
        (Direction::Inbound, Some(received)) => seen_marks(&received),
        (Direction::Outbound, _) if message.status == Status::Sent => {
            sent_mark(message).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// Imports messages. A message gets its old `seq` if this store gave it out and it is free; any other
/// message gets the next one.
pub(super) fn import(
    state: &impl StoreState,
    messages: Vec<Message>,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    let all = messages.len();
    let (mut next, _) = state.next();
    let (mut ids, mut places) = (HashSet::with_capacity(all), HashSet::with_capacity(all));
    for mut message in messages {
        if let Some(known) = state.by_id(message.id)?
            && !is_same(state, &known, &message)
        {
            // A copy of this store went on separately, and gave the same ID to another message.
            message.id = other_id(&message);
        }
        if !ids.insert(message.id) || state.by_id(message.id)?.is_some() {
            continue;
        }
        message.seq = next;
        if let Some(own) = state.given_place(message.id)?
            && !places.contains(&own)
            && state.by_seq(own)?.is_none()
        {
            message.seq = own;
        }
        places.insert(message.seq);
        next = next.max(message.seq + 1);
        // An attempt of the other store has ended with an unknown outcome.
        if message.status == Status::Sending {
            message.status = Status::Pending;
            message.is_uncertain = true;
        }
        let marks = imported_marks(&message);
        let message = Box::new(message);
        events.push(Event::Created { message, origin: Origin::Imported, marks });
    }
    let new = events.len() as u64;
    Ok(Answer::Imported { new, known: all as u64 - new })
}
