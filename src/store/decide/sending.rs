//! Decisions about outbound messages: creating, routing, claiming, and outcomes of attempts.

use crate::model::event::{ChangeCause, DedupeKey, Event, Origin};
use crate::model::message::{Draft, Message, ReplyTo};
use crate::model::routing::{self, PlatformChoice, RoutingFacts};
use crate::model::status_rules::{self, Outcome};
use crate::store::changed::{
    changed, changed_with, deleted_mark, part_mark, resolved_mark, sent_mark,
};
use crate::store::command::Answer;
use crate::store::damage::pass_over;
use crate::store::dedupe::recalled_before;
use crate::store::dedupe_keys::Idempotency;
use crate::store::error::Result;
use crate::store::state::StoreState;
use std::cmp::Ordering;
use uuid::Uuid;

pub(super) fn create(
    state: &impl StoreState,
    draft: Draft,
    at: u64,
    idempotency: Option<Idempotency>,
    facts: &RoutingFacts,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    if let Some(key) = &idempotency
        && let Some((seq, same_body)) = state.known_key(key)?
    {
        if !same_body {
            return Ok(Answer::KeyTaken);
        }
        // A deleted message can be made again with its key.
        if let Some(message) = state.by_seq(seq)? {
            return Ok(Answer::Repeated(message));
        }
    }
    let reply_to = match draft.reply_to() {
        None => None,
        Some(id) => match state.by_id(id)? {
            Some(target) => Some(Box::new(ReplyTo::of(&target))),
            None => return Ok(Answer::NoReplyTarget),
        },
    };
    let (seq, id) = state.next();
    let marks = idempotency.map(|key| DedupeKey::Key(key.key, key.body, at)).into_iter().collect();
    let mut message = Message { reply_to, ..draft.into_message(seq, id, at) };
    (message.platform, message.recipient) = route(state, &message, facts)?;
    let created = Box::new(message.clone());
    events.push(Event::Created { message: created, origin: Origin::Made, marks });
    Ok(Answer::Message(message))
}

pub(super) fn route_again(
    state: &impl StoreState,
    messages: Vec<(u64, RoutingFacts)>,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    for (seq, facts) in messages {
        let Some(message) = state.by_seq(seq)? else { continue };
        let (platform, conversation) = route(state, &message, &facts)?;
        if let Some(platform) = platform
            && status_rules::can_route(&message, &platform, &conversation)
        {
            events.push(Event::Routed { seq, platform, conversation, at });
        }
    }
    Ok(Answer::Noted)
}

pub(super) fn claim(
    state: &impl StoreState,
    seqs: Vec<u64>,
    account: Option<&str>,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    let (mut claimed, mut bot) = (Vec::with_capacity(seqs.len()), None);
    for (place, seq) in seqs.into_iter().enumerate() {
        // The caller has read the first one. A damaged one after it is left out.
        let message = match state.by_seq(seq) {
            read if place == 0 => read?,
            read => pass_over(read)?,
        };
        // The account was chosen for the first one.
        if place == 0 && message.is_none() {
            break;
        }
        // A message that may have been sent is looked up first, when it is the first one.
        if place > 0 && message.as_ref().is_some_and(Message::may_be_sent) {
            break;
        }
        // Messages of a bot go by its account alone, and those of others perhaps by another account.
        if let Some(message) = &message
            && *bot.get_or_insert_with(|| bot_of(message)) != bot_of(message)
        {
            break;
        }
        if let Some(mut message) =
            message.and_then(|message| status_rules::claim(message, account, at))
        {
            message.owner = Some(state.owner().to_owned());
            claimed.push(changed(ChangeCause::Claimed, message, events));
        }
    }
    Ok(Answer::Claimed(claimed))
}

/// The bot that made a message, and the account for which it did.
fn bot_of(message: &Message) -> Option<(String, Option<String>)> {
    message.via.clone().map(|via| (via, message.account.clone()))
}

/// Notes the ID of the next part that was sent. One that is noted already is left alone. One behind parts that
/// are not noted, such as after another account took the message over, is not noted.
pub(super) fn note_part(
    state: &impl StoreState,
    id: Uuid,
    index: usize,
    external_id: String,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    let Some(message) = state.by_id(id)? else {
        return mark_deleted_part(state, id, &external_id, at, events);
    };
    match index.cmp(&message.parts.len()) {
        Ordering::Less => return Ok(Answer::Noted),
        Ordering::Greater => return Ok(Answer::Nothing),
        Ordering::Equal => {}
    }
    let marks = part_mark(&message, &external_id, at).into_iter().collect();
    events.push(Event::PartSent { seq: message.seq, external_id, marks });
    Ok(Answer::Noted)
}

/// Records how an attempt at a message ended.
pub(super) fn record_outcome(
    state: &impl StoreState,
    before: Message,
    outcome: Outcome,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    let seq = before.seq;
    recorded(state, seq, status_rules::record_outcome(before, outcome, at), at, events)
}

/// Records an answer that came after the time limit of its attempt.
pub(super) fn record_late(
    state: &impl StoreState,
    before: Message,
    outcome: Outcome,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    let seq = before.seq;
    recorded(state, seq, status_rules::record_late(before, outcome, at), at, events)
}

/// Adds the event for a message after an outcome; `None` if nothing changed.
fn recorded(
    state: &impl StoreState,
    seq: u64,
    after: Option<Message>,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    let Some(after) = after else {
        return Ok(state.by_seq(seq)?.map_or(Answer::NotFound, Answer::Message));
    };
    let marks = sent_mark(&after).into_iter().collect();
    let after = changed_with(ChangeCause::AttemptEnded, after, marks, events);
    // It may have been taken back before its ID was known.
    events.extend(recalled_before(state, &after, at)?);
    Ok(Answer::Message(after))
}

/// Records the outcome of an attempt at a message that was deleted in the meantime. If it was sent, its
/// echo is recognized later.
pub(super) fn record_deleted(
    state: &impl StoreState,
    is_it: &dyn Fn(u64, Uuid) -> bool,
    outcome: &Outcome,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    let sent = match outcome {
        Outcome::Sent { account, external_id: Some(id), .. } => Some((account.as_deref(), &**id)),
        // The message may have been sent under an unknown ID.
        Outcome::Sent { external_id: None, .. }
        | Outcome::Retry { is_uncertain: true, .. }
        | Outcome::Failed { is_uncertain: true, .. }
        | Outcome::RefusedLate { .. } => return Ok(Answer::NotFound),
        Outcome::Retry { .. }
        | Outcome::Failed { .. }
        | Outcome::NotAttempted
        | Outcome::Expired { .. } => None,
    };
    if let Some(deleted) = state.deleted(is_it)? {
        // Only a proof ends the doubt about an earlier attempt.
        if sent.is_none() && state.is_doubtful(deleted.seq, at)? {
            return Ok(Answer::NotFound);
        }
        let sent = sent.and_then(|(account, id)| deleted_mark(&deleted, account, id, at));
        let marks = sent.into_iter().chain([resolved_mark(deleted.seq, at)]).collect();
        events.push(Event::Recognized { seq: deleted.seq, marks });
    }
    Ok(Answer::NotFound)
}

/// Notes the ID of a part of a message that was deleted in the meantime.
fn mark_deleted_part(
    state: &impl StoreState,
    id: Uuid,
    external_id: &str,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    if let Some(deleted) = state.deleted(&|_, deleted| deleted == id)?
        && let Some(mark) = deleted_mark(&deleted, None, external_id, at)
    {
        events.push(Event::Recognized { seq: deleted.seq, marks: vec![mark] });
    }
    Ok(Answer::NotFound)
}

/// The platform of a message, if one is named or found, and its conversation.
fn route(
    state: &impl StoreState,
    message: &Message,
    facts: &RoutingFacts,
) -> Result<(Option<String>, String)> {
    let recipient = &message.recipient;
    let platform = match &message.platform {
        Some(platform) => Some(platform.clone()),
        None => match routing::choose_platform(recipient, message.seq, facts, state)? {
            PlatformChoice::Platform(platform) => Some(platform),
            PlatformChoice::Several(_) | PlatformChoice::None => None,
        },
    };
    let conversation = match &platform {
        Some(platform) => routing::choose_conversation(platform, recipient, facts, state)?,
        None => recipient.clone(),
    };
    Ok((platform, conversation))
}
