//! What is asked for, and how it is decided: a state and a command give events and an answer.

use super::Result;
use super::keys::{Idempotency, other_id, seen_key, sent_keys};
use crate::model::change::{self, Inbound, Outcome};
use crate::model::event::{self, Bounds, Event, How, Mark, Origin};
use crate::model::message::{Direction, Draft, Message, Status};
use std::collections::HashSet;
use uuid::Uuid;

/// What somebody asks for. Times are Unix seconds. It carries every time it needs, so that the same
/// commands in the same order always come to the same events.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Command {
    /// Make an outbound message.
    Create { draft: Draft, at: u64, idempotency: Option<Idempotency> },
    /// Set the status by hand.
    SetStatus { id: Uuid, status: Status, at: u64 },
    /// Delete it.
    Delete { id: Uuid },
    /// Keep what a platform told of, once.
    Receive { received: Box<Inbound>, at: u64 },
    /// Note a conversation's name.
    Name { platform: String, conversation: String, name: String },
    /// Give a platform to messages that named none.
    Route { seqs: Vec<u64>, platform: String, at: u64 },
    /// Claim messages for sending, those of them that still wait.
    Claim { seqs: Vec<u64>, at: u64 },
    /// Record how an attempt ended.
    RecordOutcome { seq: u64, outcome: Outcome, at: u64 },
    /// Take in messages that were exported; what is known already stays as it is.
    Import { messages: Vec<Message> },
    /// Keep what a platform told of and cannot be stored, for somebody to look at.
    SetAside { inbound: Box<Inbound>, reason: String, at: u64 },
    /// What was set aside at this offset is done with.
    Release { offset: u64 },
    /// Forget kept events that are too old or too many, conversations without messages, and what
    /// tells doubles and echoes from before a time; a part of it, where it is much.
    Trim { marks_before: u64 },
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The message as it now is.
    Done(Message),
    /// The idempotency key made this message before, with the same body.
    Repeated(Message),
    /// The idempotency key was used with another body.
    KeyTaken,
    /// These were claimed.
    Claimed(Vec<Message>),
    /// So many were new, and so many known.
    #[allow(missing_docs)]
    Imported { new: u64, known: u64 },
    /// It was noted.
    Noted,
    /// There was nothing to do.
    Nothing,
    /// It was deleted.
    Deleted,
    /// There is no such message.
    NotFound,
}

/// What a decision looks at.
pub(super) trait State {
    /// The `seq` and the ID of the next message.
    fn next(&self) -> (u64, Uuid);
    /// The owner of new claims.
    fn owner(&self) -> &str;
    fn by_id(&self, id: Uuid) -> Result<Option<Message>>;
    fn by_seq(&self, seq: u64) -> Result<Option<Message>>;
    /// The `seq` that an ID of this store carries.
    fn own_place(&self, id: Uuid) -> Option<u64>;
    /// The `seq` an idempotency key stands for, and whether its body was the same one.
    fn known_key(&self, key: &Idempotency, now: u64) -> Result<Option<(u64, bool)>>;
    /// The message that the same event told of before.
    fn seen(&self, received: &Inbound) -> Result<Option<u64>>;
    /// The message that was sent under the platform's ID.
    fn sent_as(&self, received: &Inbound) -> Result<Option<u64>>;
    /// The oldest message in its conversation that is being sent, or may have been, and says the same.
    fn echoed(&self, received: &Inbound) -> Result<Option<u64>>;
    /// The name of a conversation; `None` where no message of it is stored.
    fn conversation_name(&self, platform: &str, name: &str) -> Result<Option<Option<String>>>;
    /// Whether something was set aside at an offset.
    fn is_set_aside(&self, offset: u64) -> Result<bool>;
    /// What can be forgotten; `None` where there is nothing.
    fn forgettable(&self, marks_before: u64) -> Result<Option<Bounds>>;
}

/// Turns a command into events, with the state at hand, and an answer.
pub(super) fn decide(
    state: &impl State,
    command: Command,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    match command {
        Command::Create { draft, at, idempotency } => create(state, draft, at, idempotency, events),
        Command::Receive { received, at } => receive(state, *received, at, events),
        Command::SetStatus { id, status, at } => {
            let Some(before) = state.by_id(id)? else { return Ok(Answer::NotFound) };
            let Some(after) = change::set_status(before.clone(), status, at) else {
                return Ok(Answer::Done(before));
            };
            Ok(Answer::Done(changed(How::StatusSet, after, events)))
        }
        Command::Delete { id } => {
            let Some(message) = state.by_id(id)? else { return Ok(Answer::NotFound) };
            events.push(Event::Deleted { seq: message.seq });
            Ok(Answer::Deleted)
        }
        Command::Import { messages } => import(state, messages, events),
        Command::Name { platform, conversation, name } => {
            let known = state.conversation_name(&platform, &conversation)?;
            if known.is_some_and(|known| known.as_ref() != Some(&name)) {
                events.push(Event::ConversationNamed { platform, conversation, name });
            }
            Ok(Answer::Noted)
        }
        Command::Route { seqs, platform, at } => {
            for seq in seqs {
                let message = state.by_seq(seq)?;
                if let Some(routed) = message.and_then(|m| change::route(m, &platform, at)) {
                    changed(How::Routed, routed, events);
                }
            }
            Ok(Answer::Noted)
        }
        Command::Claim { seqs, at } => {
            let mut claimed = Vec::with_capacity(seqs.len());
            for seq in seqs {
                let message = state.by_seq(seq)?;
                if let Some(mut message) = message.and_then(|message| change::claim(message, at)) {
                    message.owner = Some(state.owner().to_owned());
                    claimed.push(changed(How::Claimed, message, events));
                }
            }
            Ok(Answer::Claimed(claimed))
        }
        Command::RecordOutcome { seq, outcome, at } => {
            let Some(before) = state.by_seq(seq)? else { return Ok(Answer::NotFound) };
            let Some(after) = change::record_outcome(before.clone(), outcome, at) else {
                return Ok(Answer::Done(before));
            };
            let marks = sent_mark(&after).into_iter().collect();
            Ok(Answer::Done(changed_with(How::AttemptEnded, after, marks, events)))
        }
        Command::SetAside { inbound, reason, at } => {
            events.push(Event::SetAside { inbound, reason, at });
            Ok(Answer::Noted)
        }
        Command::Release { offset } => {
            if !state.is_set_aside(offset)? {
                return Ok(Answer::NotFound);
            }
            events.push(Event::Released { offset });
            Ok(Answer::Noted)
        }
        Command::Trim { marks_before } => match state.forgettable(marks_before)? {
            Some(bounds) => {
                events.push(Event::Forgotten(Box::new(bounds)));
                Ok(Answer::Noted)
            }
            None => Ok(Answer::Nothing),
        },
    }
}

/// Adds the event that a message changed, and gives the message.
fn changed(how: How, message: Message, events: &mut Vec<Event>) -> Message {
    changed_with(how, message, Vec::new(), events)
}

fn changed_with(
    how: How,
    mut message: Message,
    marks: Vec<Mark>,
    events: &mut Vec<Event>,
) -> Message {
    if message.status != Status::Sending {
        message.owner = None;
    }
    let state = Box::new(event::State::of(&message));
    events.push(Event::Changed { seq: message.seq, how, state, marks });
    message
}

fn create(
    state: &impl State,
    draft: Draft,
    at: u64,
    idempotency: Option<Idempotency>,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    if let Some(key) = &idempotency
        && let Some((seq, same_body)) = state.known_key(key, at)?
    {
        if !same_body {
            return Ok(Answer::KeyTaken);
        }
        // A message that was deleted since can be made again.
        if let Some(message) = state.by_seq(seq)? {
            return Ok(Answer::Repeated(message));
        }
    }
    let (seq, id) = state.next();
    let marks = idempotency.map(|key| Mark::Key(key.key, key.body, at)).into_iter().collect();
    let message = draft.into_message(seq, id, at);
    let created = Box::new(message.clone());
    events.push(Event::Created { message: created, origin: Origin::Made, marks });
    Ok(Answer::Done(message))
}

/// By which an event is known when it comes again.
fn seen_mark(received: &Inbound) -> Mark {
    let (time, hash) = seen_key(received);
    Mark::Seen(time, hash)
}

/// By which the echo of a message that was sent is known, where its platform gave it an ID.
fn sent_mark(message: &Message) -> Option<Mark> {
    let (platform, id) = (message.platform.as_ref()?, message.external_id.as_ref()?);
    let [_, (hour, hash), _] = sent_keys(platform, &message.recipient, id, message.updated_at);
    Some(Mark::Sent(hour, hash))
}

/// The message that a platform told of before: by the same event, or as the echo of one that we
/// sent.
fn known(state: &impl State, received: &Inbound) -> Result<Option<u64>> {
    let seen = state.seen(received)?;
    if seen.is_some() || !received.own {
        return Ok(seen);
    }
    match state.sent_as(received)? {
        None => state.echoed(received),
        sent => Ok(sent),
    }
}

fn receive(
    state: &impl State,
    received: Inbound,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    let seen = seen_mark(&received);
    if let Some(seq) = known(state, &received)? {
        let Some(known) = state.by_seq(seq)? else { return Ok(Answer::NotFound) };
        if received.echoes(&known) {
            let outcome = Outcome::Sent {
                account: Some(received.account.clone()),
                external_id: Some(received.external_id.clone()),
            };
            match change::record_outcome(known.clone(), outcome, at) {
                Some(after) => {
                    drop(changed_with(How::AttemptEnded, after, vec![seen], events));
                }
                None => events.push(Event::Recognized { seq, marks: vec![seen] }),
            }
        }
        return Ok(Answer::Repeated(known));
    }
    let (seq, id) = state.next();
    let message = received.into_message(seq, id, at);
    let created = Box::new(message.clone());
    events.push(Event::Created { message: created, origin: Origin::Received, marks: vec![seen] });
    Ok(Answer::Done(message))
}

/// Whether two messages of one ID are the same message, whatever became of it since.
fn is_same(known: &Message, other: &Message) -> bool {
    let what = |message: &Message| (message.created_at, message.direction, message.message_type);
    what(known) == what(other)
        && known.content == other.content
        && known.recipient == other.recipient
}

/// By which what a platform told of an imported message is no double later.
fn imported_mark(message: &Message) -> Option<Mark> {
    match (message.direction, Inbound::of(message)) {
        (Direction::Inbound, Some(received)) => Some(seen_mark(&received)),
        (Direction::Outbound, _) if message.status == Status::Sent => sent_mark(message),
        _ => None,
    }
}

/// A message of this store goes back to its own place, if that is free; any other takes the next one.
fn import(state: &impl State, messages: Vec<Message>, events: &mut Vec<Event>) -> Result<Answer> {
    let all = messages.len();
    let (mut next, _) = state.next();
    let (mut ids, mut places) = (HashSet::with_capacity(all), HashSet::with_capacity(all));
    for mut message in messages {
        if let Some(known) = state.by_id(message.id)?
            && !is_same(&known, &message)
        {
            // A copy of this store went on by itself, and gave the same ID to another message.
            message.id = other_id(&message);
        }
        if !ids.insert(message.id) || state.by_id(message.id)?.is_some() {
            continue;
        }
        message.seq = next;
        if let Some(own) = state.own_place(message.id)
            && !places.contains(&own)
            && state.by_seq(own)?.is_none()
        {
            message.seq = own;
        }
        places.insert(message.seq);
        next = next.max(message.seq + 1);
        // An attempt that was under way where it came from is over; nobody can say how it ended.
        if message.status == Status::Sending {
            message.status = Status::Pending;
            message.is_uncertain = true;
        }
        let marks = imported_mark(&message).into_iter().collect();
        let message = Box::new(message);
        events.push(Event::Created { message, origin: Origin::Imported, marks });
    }
    let new = events.len() as u64;
    Ok(Answer::Imported { new, known: all as u64 - new })
}
