//! What is asked for, and how it is decided: a state and a command give events and an answer.

use super::keys::{Idempotency, other_id, seen_key, sent_keys};
use super::receive::receive;
use super::{Error, Result};
use crate::model::change::{self, Inbound, Outcome};
use crate::model::event::{self, Bounds, Event, How, Mark, Origin};
use crate::model::message::{Direction, Draft, Message, Status};
use crate::model::routing::{self, Choice, RoutingFacts, StoreFacts};
use std::collections::HashSet;
use uuid::Uuid;

/// What somebody asks for. Times are Unix seconds. It carries every time it needs, so that the same
/// commands in the same order always come to the same events.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Command {
    /// Make an outbound message, routed by the facts that hold now.
    Create { draft: Draft, at: u64, idempotency: Option<Idempotency>, facts: RoutingFacts },
    /// Set the status by hand.
    SetStatus { id: Uuid, status: Status, at: u64 },
    /// Delete it.
    Delete { id: Uuid },
    /// Keep what a platform told of, once. What the account's owner wrote may be the echo of an
    /// attempt that is under way: where it can wait, the answer is [`Answer::Later`] until that ends.
    Receive { received: Box<Inbound>, at: u64, can_wait: bool },
    /// Note that an adapter of this kind was connected for the platform.
    SeePlatform { platform: String, kind: String },
    /// Note a conversation's name.
    Name { platform: String, conversation: String, name: String },
    /// Route messages again, each by the facts that hold now.
    Route { messages: Vec<(u64, RoutingFacts)>, at: u64 },
    /// Claim messages for sending by an account, those of them that still wait.
    Claim { seqs: Vec<u64>, account: Option<String>, at: u64 },
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
    /// Ask again once the attempts that are under way in the conversation have ended.
    Later,
}

/// What a decision looks at.
pub(super) trait State: StoreFacts<Error = Error> {
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
    /// Whether a history has told of a message.
    fn is_in_history(&self, message: &Message) -> Result<bool>;
    /// Whether a history has told of a message under this ID.
    fn is_alias(&self, message: &Message, external_id: &str) -> Result<bool>;
    /// The message that was sent under the platform's ID, at about the time it tells or `at`.
    fn sent_as(&self, received: &Inbound, at: u64) -> Result<Option<u64>>;
    /// Outbound messages of a conversation in a state, the oldest first, at most `limit`.
    fn outbound(
        &self,
        platform: &str,
        conversation: &str,
        status: Status,
        limit: usize,
    ) -> Result<Vec<Message>>;
    /// The newest messages of a conversation, the newest first, at most `limit`.
    fn recent(&self, platform: &str, conversation: &str, limit: usize) -> Result<Vec<Message>>;
    /// Whether an account of ours has seen the conversation.
    fn is_seen_conversation(&self, platform: &str, conversation: &str) -> Result<bool>;
    /// Whether a conversation is known, by another name or none.
    fn has_other_name(&self, platform: &str, conversation: &str, name: &str) -> Result<bool>;
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
        Command::Create { draft, at, idempotency, facts } => {
            create(state, draft, at, idempotency, &facts, events)
        }
        Command::Receive { received, at, can_wait } => {
            receive(state, *received, at, can_wait, events)
        }
        Command::SeePlatform { platform, kind } => {
            let seen = state.seen_platforms()?;
            if !seen.iter().any(|seen| seen.platform == platform && seen.kind == kind) {
                events.push(Event::PlatformSeen { platform, kind });
            }
            Ok(Answer::Noted)
        }
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
            if state.has_other_name(&platform, &conversation, &name)? {
                events.push(Event::ConversationNamed { platform, conversation, name });
            }
            Ok(Answer::Noted)
        }
        Command::Route { messages, at } => {
            for (seq, facts) in messages {
                let Some(message) = state.by_seq(seq)? else { continue };
                let (platform, conversation) = route(state, &message, &facts)?;
                if let Some(platform) = platform
                    && change::can_route(&message, &platform, &conversation)
                {
                    events.push(Event::Routed { seq, platform, conversation, at });
                }
            }
            Ok(Answer::Noted)
        }
        Command::Claim { seqs, account, at } => {
            let mut claimed = Vec::with_capacity(seqs.len());
            for seq in seqs {
                let message = state.by_seq(seq)?;
                let claim = |message| change::claim(message, account.as_deref(), at);
                if let Some(mut message) = message.and_then(claim) {
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

pub(super) fn changed_with(
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
    facts: &RoutingFacts,
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
    let mut message = draft.into_message(seq, id, at);
    (message.platform, message.recipient) = route(state, &message, facts)?;
    let created = Box::new(message.clone());
    events.push(Event::Created { message: created, origin: Origin::Made, marks });
    Ok(Answer::Done(message))
}

/// The platform of a message, where one is named or found, and its conversation.
fn route(
    state: &impl State,
    message: &Message,
    facts: &RoutingFacts,
) -> Result<(Option<String>, String)> {
    let recipient = &message.recipient;
    let platform = match &message.platform {
        Some(platform) => Some(platform.clone()),
        None => match routing::choose_platform(recipient, message.seq, facts, state)? {
            Choice::Platform(platform) => Some(platform),
            Choice::Several(_) | Choice::None => None,
        },
    };
    let conversation = match &platform {
        Some(platform) => routing::choose_conversation(platform, recipient, facts, state)?,
        None => recipient.clone(),
    };
    Ok((platform, conversation))
}

/// By which an event is known when it comes again.
pub(super) fn seen_mark(received: &Inbound) -> Mark {
    let (time, hash) = seen_key(received);
    Mark::Seen(time, hash)
}

/// By which the echo of a message that was sent is known, where its platform gave it an ID.
pub(super) fn sent_mark(message: &Message) -> Option<Mark> {
    let (platform, id) = (message.platform.as_ref()?, message.external_id.as_ref()?);
    let [_, (hour, hash), _] = sent_keys(platform, &message.recipient, id, message.updated_at);
    Some(Mark::Sent(hour, hash))
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
