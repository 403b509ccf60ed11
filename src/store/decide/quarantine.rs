//! Decisions about events of platforms that cannot be stored: setting them aside, and releasing them.

use crate::model::event::Event;
use crate::model::platform_event::PlatformEvent;
use crate::store::command::Answer;
use crate::store::error::Result;
use crate::store::state::StoreState;

pub(super) fn quarantine(
    state: &impl StoreState,
    event: Box<PlatformEvent>,
    reason: String,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    if state.quarantine_is_full()? {
        return Ok(Answer::NoRoom);
    }
    events.push(Event::Quarantined { event, reason, at });
    Ok(Answer::Noted)
}

pub(super) fn release(
    state: &impl StoreState,
    offset: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    if !state.is_quarantined(offset)? {
        return Ok(Answer::NotFound);
    }
    events.push(Event::Released { offset });
    Ok(Answer::Noted)
}
