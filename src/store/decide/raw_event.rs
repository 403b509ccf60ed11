//! Decisions about events of platforms that are kept as they came.

use crate::model::event::{Event, RawEvent};
use crate::store::command::{Answer, Command};
use crate::store::error::Result;

/// Keeps an event of a platform, after `decide` has carried out its meaning. If its meaning is
/// compared with earlier events and is known already, the event is not kept again.
pub(super) fn store_raw_event(
    raw: RawEvent,
    meaning: Option<Command>,
    decide: impl FnOnce(Command, &mut Vec<Event>) -> Result<Answer>,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    let is_compared = matches!(
        meaning,
        Some(Command::Receive { .. } | Command::Notice { is_repeated: true, .. })
    );
    let answer = match meaning {
        Some(meaning) => decide(meaning, events)?,
        None => Answer::Noted,
    };
    if !is_compared || !events.is_empty() {
        // The first of its events has the same meaning. Other events follow it, such as the recall
        // of a message whose ID was not known.
        let position = events.len().min(1);
        let raw = RawEvent { is_of_previous: position > 0, ..raw };
        events.insert(position, Event::RawEvent(Box::new(raw)));
    }
    Ok(answer)
}
