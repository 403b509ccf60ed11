//! Decisions about states that people set, and about deletions.

use crate::model::event::{ChangeCause, Event};
use crate::model::message::Status;
use crate::model::status_rules;
use crate::store::changed::{changed, doubtful_mark, unresolved_mark};
use crate::store::command::Answer;
use crate::store::error::Result;
use crate::store::state::StoreState;
use uuid::Uuid;

pub(super) fn set_status(
    state: &impl StoreState,
    id: Uuid,
    status: Status,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    let Some(before) = state.by_id(id)? else { return Ok(Answer::NotFound) };
    let Some(after) = status_rules::set_status(before.clone(), status, at) else {
        return Ok(Answer::Message(before));
    };
    Ok(Answer::Message(changed(ChangeCause::StatusSet, after, events)))
}

pub(super) fn set_status_of(
    state: &impl StoreState,
    id: Uuid,
    from: &[Status],
    status: Status,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    match state.by_id(id)? {
        Some(message) if !from.contains(&message.status) => Ok(Answer::OtherStatus(message)),
        _ => set_status(state, id, status, at, events),
    }
}

pub(super) fn withdraw(
    state: &impl StoreState,
    id: Uuid,
    reason: String,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    let Some(before) = state.by_id(id)? else { return Ok(Answer::NotFound) };
    let waits = before.status == Status::Pending && !before.may_be_sent();
    match status_rules::set_status(before, Status::Canceled, at).filter(|_| waits) {
        Some(mut after) => {
            after.last_error = Some(reason);
            Ok(Answer::Message(changed(ChangeCause::StatusSet, after, events)))
        }
        None => Ok(Answer::NotWaiting),
    }
}

pub(super) fn delete(state: &impl StoreState, id: Uuid, events: &mut Vec<Event>) -> Result<Answer> {
    let Some(message) = state.by_id(id)? else { return Ok(Answer::NotFound) };
    let seq = message.seq;
    if let Some(mark) = unresolved_mark(state, &message)? {
        let marks = std::iter::once(mark).chain(doubtful_mark(&message)).collect();
        events.push(Event::Recognized { seq, marks });
    }
    events.push(Event::Deleted { seq });
    Ok(Answer::Deleted)
}
