//! Decisions about raw events of platforms.

use crate::model::event::{Event, RawEvent};
use crate::store::command::{Answer, Command};
use crate::store::error::Result;

/// Stores a raw event, after `decide` has carried out the command that it means. The raw event of a
/// message or notice that is known already is not stored again: its command gives no events.
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
        // The raw event follows the first event of its command. Others come after it, such as the recall of
        // a message that came before the message.
        let position = events.len().min(1);
        let raw = RawEvent { is_of_previous: position > 0, ..raw };
        events.insert(position, Event::RawEvent(Box::new(raw)));
    }
    Ok(answer)
}
