//! Decisions: a state and a command give events and an answer.

use super::changed::{changed, changed_with, seen_mark, sent_mark};
use super::command::{Answer, Command};
use super::damage::pass_over;
use super::error::Result;
use super::keys::{Idempotency, other_id};
use super::receive::receive;
use super::state::State;
use crate::model::change::{self, Inbound};
use crate::model::event::{Event, How, Mark, Origin};
use crate::model::message::{Direction, Draft, Message, Status};
use crate::model::routing::{self, Choice, RoutingFacts};
use std::collections::HashSet;

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
            for (place, seq) in seqs.into_iter().enumerate() {
                // The first was read before; of the others a damaged one is left out.
                let message = match state.by_seq(seq) {
                    read if place == 0 => read?,
                    read => pass_over(read)?,
                };
                // One that may have gone out already is looked up first, when its turn comes.
                if place > 0 && message.as_ref().is_some_and(|message| message.is_uncertain) {
                    break;
                }
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
