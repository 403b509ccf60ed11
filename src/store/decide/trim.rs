//! Decisions about rows that are older than their limit.

use crate::model::event::Event;
use crate::store::command::Answer;
use crate::store::error::Result;
use crate::store::state::StoreState;

pub(super) fn trim(
    state: &impl StoreState,
    marks_before: u64,
    lapsed_keys: Vec<(u64, u128)>,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    if !lapsed_keys.is_empty() {
        events.push(Event::KeysLapsed { keys: lapsed_keys });
    }
    let bounds = state.forgettable(marks_before, at)?;
    events.extend(bounds.map(|bounds| Event::Forgotten(Box::new(bounds))));
    let keys = state.lapsed_recalls()?;
    if !keys.is_empty() {
        events.push(Event::RecallsLapsed { keys });
    }
    Ok(if events.is_empty() { Answer::Nothing } else { Answer::Noted })
}
