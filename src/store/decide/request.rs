//! Decisions about notices of platforms, and about the requests among them.

use crate::model::event::Event;
use crate::model::notice::Notice;
use crate::store::command::Answer;
use crate::store::error::Result;
use crate::store::state::StoreState;

pub(super) fn notice(
    state: &impl StoreState,
    notice: Box<Notice>,
    request: Option<String>,
    is_repeated: bool,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    // An implementation that reconnects may report a request again.
    let is_known = match &request {
        Some(data) => state.is_known_request(&notice, data)?,
        None => is_repeated && state.has_noticed(&notice)?,
    };
    if !is_known {
        events.push(Event::Noticed { notice, request });
    }
    Ok(Answer::Noted)
}

pub(super) fn answer_request(
    state: &impl StoreState,
    id: u64,
    approved: bool,
    reason: String,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    match state.request(id)? {
        Some(request) if request.answer.is_none() => {
            events.push(Event::RequestAnswered { id, approved, reason, at });
            Ok(Answer::Noted)
        }
        _ => Ok(Answer::NotFound),
    }
}
