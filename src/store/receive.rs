//! Reception of a message that a platform told of: whether it is known already, the echo of one of
//! ours, or new. All of that is decided here, and nowhere else.

use super::Result;
use super::command::{Answer, State, changed, seen_mark, sent_mark};
use super::keys::history_key;
use crate::model::change::{self, Inbound, Outcome};
use crate::model::event::{Event, How, Mark, Origin};
use crate::model::message::{Direction, Message, Status};

/// Messages of the conversation that a history is compared with, the newest.
const MAX_COMPARED: usize = 256;

/// Messages that wait in the conversation and are looked at for one that may have gone out.
const MAX_OPEN: usize = 64;

/// Seconds by which a history may put a message beside the time of its live event, where it also
/// tells another ID.
const HISTORY_APART: u64 = 5 * 60;

pub(super) fn receive(
    state: &impl State,
    received: Inbound,
    at: u64,
    can_wait: bool,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    if let Some(seq) = state.known(&received, at)? {
        return repeated(state, &received, seq, events);
    }
    let recent = if received.own || received.from_history {
        state.recent(&received.platform, &received.conversation, MAX_COMPARED)?
    } else {
        Vec::new()
    };
    if received.from_history
        && let Some(known) = recent.iter().find(|known| has_same_id(known, &received))
    {
        return repeated(state, &received, known.seq, events);
    }
    if received.own {
        let sending =
            state.outbound(&received.platform, &received.conversation, Status::Sending, 1)?;
        // The answer of an attempt that is under way tells the ID, by which its echo is known.
        if can_wait && !sending.is_empty() {
            return Ok(Answer::Later);
        }
        if let Some(sent) = recent.iter().rev().find(|sent| received.completes(sent, at)) {
            return completed(state, &received, sent.clone(), at, events);
        }
    }
    if received.from_history {
        for known in recent.iter().rev() {
            if is_about_the_same(known, &received) && !state.is_in_history(known)? {
                return repeated(state, &received, known.seq, events);
            }
        }
    }
    if received.own
        && let Some(open) = find_open(state, &received, &recent, at)?
    {
        return confirmed(state, &received, open, at, events);
    }
    let (seq, id) = state.next();
    let mut marks = vec![seen_mark(&received)];
    let message = received.into_message(seq, id, at);
    if message.direction == Direction::Outbound {
        marks.extend(sent_mark(&message));
    }
    let created = Box::new(message.clone());
    events.push(Event::Created { message: created, origin: Origin::Received, marks });
    Ok(Answer::Done(message))
}

/// It is a message that is stored, unless that was deleted since.
fn repeated(
    state: &impl State,
    received: &Inbound,
    seq: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    let Some(known) = state.by_seq(seq)? else { return Ok(Answer::NotFound) };
    // What is marked already is no event.
    let mut marks = Vec::new();
    if state.known_event(received)? != Some(seq) {
        marks.push(seen_mark(received));
    }
    if received.from_history && !state.is_in_history(&known)? {
        marks.push(history_mark(&known));
    }
    if !marks.is_empty() {
        events.push(Event::Recognized { seq, marks });
    }
    Ok(Answer::Repeated(known))
}

/// By which a message is known to be one that a history has told of.
fn history_mark(message: &Message) -> Mark {
    let (time, hash) = history_key(message);
    Mark::Seen(time, hash)
}

/// It tells the ID of a message of ours that was confirmed without one.
fn completed(
    state: &impl State,
    received: &Inbound,
    sent: Message,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    let sent = Message { external_id: Some(received.external_id.clone()), ..sent };
    let marks = sent_mark(&Message { updated_at: at, ..sent.clone() }).into_iter().collect();
    let seq = changed(How::Identified, sent, marks, events).seq;
    repeated(state, received, seq, events)
}

/// It proves that a message of ours went out.
fn confirmed(
    state: &impl State,
    received: &Inbound,
    open: Message,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    let outcome = Outcome::Sent {
        account: Some(received.account.clone()),
        external_id: Some(received.external_id.clone()),
    };
    let seq = open.seq;
    if let Some(sent) = change::record_outcome(open, outcome, at) {
        let marks = sent_mark(&sent).into_iter().collect();
        changed(How::AttemptEnded, sent, marks, events);
    }
    repeated(state, received, seq, events)
}

/// The oldest message of the conversation that may have gone out and says the same.
fn find_open(
    state: &impl State,
    received: &Inbound,
    recent: &[Message],
    at: u64,
) -> Result<Option<Message>> {
    let Inbound { platform, conversation, .. } = received;
    let mut open = state.outbound(platform, conversation, Status::Sending, MAX_OPEN)?;
    open.extend(state.outbound(platform, conversation, Status::Pending, MAX_OPEN)?);
    let is_given_up = |message: &&Message| {
        matches!(message.status, Status::Failed | Status::Canceled)
            && message.direction == Direction::Outbound
    };
    open.extend(recent.iter().filter(is_given_up).cloned());
    open.retain(|message| received.echoes(message, at));
    Ok(open.into_iter().min_by_key(|message| message.seq))
}

fn has_same_id(known: &Message, received: &Inbound) -> bool {
    known.external_id.as_deref() == Some(received.external_id.as_str())
        && is_of_account(known, received)
}

/// Whether a history may mean this message though it tells another ID and another time.
fn is_about_the_same(known: &Message, received: &Inbound) -> bool {
    let direction = if received.own { Direction::Outbound } else { Direction::Inbound };
    let is_near = |time: u64| time.abs_diff(received.time) <= HISTORY_APART;
    known.direction == direction
        && known.status == Status::Sent
        && known.external_id.is_some()
        && is_of_account(known, received)
        && known.message_type == received.message_type
        && known.content == received.content
        // A message that was made here has no sender, and went out when it changed last.
        && known.sender.as_ref().is_none_or(|sender| sender.id == received.sender.id)
        && (is_near(known.created_at) || received.own && is_near(known.updated_at))
}

fn is_of_account(known: &Message, received: &Inbound) -> bool {
    known.account.as_ref() == Some(&received.account)
}
