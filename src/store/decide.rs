//! Decisions: a state and a command give events and an answer.

use super::changed::{changed, changed_with, seen_marks, sent_mark};
use super::command::{Answer, Command, MessageTarget};
use super::damage::pass_over;
use super::dedupe::{recalled_before, receive};
use super::dedupe_keys::{Idempotency, other_id};
use super::error::Result;
use super::state::StoreState;
use crate::model::change::{self, Inbound, Outcome};
use crate::model::content::Content;
use crate::model::event::{EarlyRecall, Event, How, Mark, Origin, Told};
use crate::model::message::{Direction, Draft, Message, ReplyTo, Sender, Status};
use crate::model::routing::{self, PlatformChoice, RoutingFacts};
use std::collections::HashSet;

/// Turns a command into events, with the state at hand, and an answer.
#[allow(clippy::too_many_lines, reason = "one arm for each command")]
pub(super) fn decide(
    state: &impl StoreState,
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
        Command::Recall { target, by, at } => recall(state, target, by, at, events),
        Command::Edit { target, content, at } => {
            alter(state, &target, events, |message| set_content(message, content, true, at))
        }
        Command::EditWaiting { id, content, at } => {
            let Some(message) = state.by_id(id)? else { return Ok(Answer::NotFound) };
            // One that may have gone out is looked for by what it says.
            let is_sent = matches!(message.status, Status::Sending | Status::Sent);
            if is_sent || message.is_uncertain {
                return Ok(Answer::NotWaiting);
            }
            events.extend(set_content(&message, content, true, at));
            Ok(Answer::Noted)
        }
        Command::Complete { seq, was, content, at } => {
            let Some(message) = state.by_seq(seq)? else { return Ok(Answer::NotFound) };
            if message.content != was {
                return Ok(Answer::Nothing);
            }
            events.extend(set_content(&message, content, false, at));
            Ok(Answer::Noted)
        }
        Command::NameMention { target, user, name, at } => {
            alter(state, &target, events, |message| {
                set_content(message, message.content.with_mention_named(&user, &name)?, false, at)
            })
        }
        Command::FindReply { target, reply_to, at } => alter(state, &target, events, |message| {
            let is_open = message.reply_to.as_ref().is_some_and(|known| known.content.is_none());
            let seq = message.seq;
            is_open.then_some(Event::ReplyFound { seq, reply_to, at })
        }),
        Command::React { target, change, at } => alter(state, &target, events, |message| {
            let reactions = change.apply_to(&message.reactions)?;
            Some(Event::Reacted { seq: message.seq, reactions, at })
        }),
        Command::Notice { notice, request } => {
            // An implementation that connects anew may tell of a request again.
            let is_known = match &request {
                Some(data) => state.is_known_request(&notice, data)?,
                None => false,
            };
            if !is_known {
                events.push(Event::Noticed { notice, request });
            }
            Ok(Answer::Noted)
        }
        Command::AnswerRequest { id, approved, reason, at } => match state.request(id)? {
            Some(request) if request.answer.is_none() => {
                events.push(Event::RequestAnswered { id, approved, reason, at });
                Ok(Answer::Noted)
            }
            _ => Ok(Answer::NotFound),
        },
        Command::SeePlatform { platform, kind } => {
            let seen = state.seen_platforms()?;
            if !seen.iter().any(|seen| seen.platform == platform && seen.kind == kind) {
                events.push(Event::PlatformSeen { platform, kind });
            }
            Ok(Answer::Noted)
        }
        Command::SetStatusOf { id, from, status, at } => match state.by_id(id)? {
            Some(message) if !from.contains(&message.status) => {
                Ok(Answer::OtherStatus(message.status))
            }
            _ => decide(state, Command::SetStatus { id, status, at }, events),
        },
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
        Command::SetConversation { platform, conversation, read_to, muted, pinned } => {
            let Some(before) = state.marks(&platform, &conversation)? else {
                return Ok(Answer::NotFound);
            };
            let (is_muted, is_pinned) =
                (muted.unwrap_or(before.muted), pinned.unwrap_or(before.pinned));
            if (is_muted, is_pinned) != (before.muted, before.pinned) {
                let (platform, conversation) = (platform.clone(), conversation.clone());
                let (muted, pinned) = (is_muted, is_pinned);
                events.push(Event::ConversationSet { platform, conversation, muted, pinned });
            }
            let read_to = read_to.map(|seq| seq.min(before.newest));
            if let Some(seq) = read_to.filter(|seq| *seq > before.read) {
                events.push(Event::ConversationRead { platform, conversation, seq });
            }
            Ok(Answer::Noted)
        }
        Command::Route { messages, at } => route_again(state, messages, at, events),
        Command::Claim { seqs, account, at } => claim(state, seqs, account.as_deref(), at, events),
        Command::RecordOutcome { seq, outcome, at } => {
            record_outcome(state, state.by_seq(seq)?, outcome, at, events)
        }
        Command::RecordLate { id, outcome, at } => {
            record_outcome(state, state.by_id(id)?, outcome, at, events)
        }
        Command::SetAside { inbound, reason, at } => {
            Ok(noted(Event::SetAside { inbound, reason, at }, events))
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
        Command::KeepState { state } => Ok(noted(Event::AdapterState(state), events)),
        Command::Tell { platform, account, frame, meaning, at, forget_before } => {
            let is_message = matches!(meaning.as_deref(), Some(Command::Receive { .. }));
            let answer = match meaning {
                Some(meaning) => decide(state, *meaning, events)?,
                None => Answer::Noted,
            };
            if !is_message || !events.is_empty() {
                let is_of_previous = !events.is_empty();
                let told = Told { platform, account, frame, is_of_previous, at, forget_before };
                events.push(Event::Told(Box::new(told)));
            }
            Ok(answer)
        }
        Command::Withdraw { id, at } => {
            let Some(before) = state.by_id(id)? else { return Ok(Answer::NotFound) };
            let waits = before.status == Status::Pending && !before.is_uncertain;
            match change::set_status(before, Status::Canceled, at).filter(|_| waits) {
                Some(after) => Ok(Answer::Done(changed(How::StatusSet, after, events))),
                None => Ok(Answer::NotWaiting),
            }
        }
        // Each of them is decided by itself, once those before it are applied.
        Command::Together(_) | Command::InOrder(_) => Ok(Answer::Nothing),
    }
}

/// Adds the event that alters the message which a command names, where there is something to alter.
fn alter(
    state: &impl StoreState,
    target: &MessageTarget,
    events: &mut Vec<Event>,
    event: impl FnOnce(&Message) -> Option<Event>,
) -> Result<Answer> {
    let Some(message) = find(state, target)? else { return Ok(Answer::NotFound) };
    events.extend(event(&message));
    Ok(Answer::Noted)
}

fn find(state: &impl StoreState, target: &MessageTarget) -> Result<Option<Message>> {
    match target {
        MessageTarget::Id(id) => state.by_id(*id),
        MessageTarget::External { account, platform, conversation, external_id } => {
            state.by_external(account, platform, conversation, external_id)
        }
    }
}

/// Notes that a message was taken back; one that has not come in yet is so once it comes.
fn recall(
    state: &impl StoreState,
    target: MessageTarget,
    by: Option<Sender>,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    match (find(state, &target)?, target) {
        (Some(Message { recall: Some(_), .. }), _) => {}
        (Some(Message { seq, .. }), _) => {
            events.push(Event::Recalled { seq, by, hides: state.hides_recalled(), at });
        }
        (None, MessageTarget::External { account, platform, conversation, external_id }) => {
            let early = EarlyRecall { platform, account, conversation, external_id, by, at };
            events.push(Event::RecalledEarly(Box::new(early)));
        }
        (None, MessageTarget::Id(_)) => return Ok(Answer::NotFound),
    }
    Ok(Answer::Noted)
}

fn set_content(message: &Message, content: Content, is_edit: bool, at: u64) -> Option<Event> {
    let seq = message.seq;
    (message.content != content).then_some(Event::ContentSet { seq, content, is_edit, at })
}

/// Decides that this happened, whatever the state.
fn noted(event: Event, events: &mut Vec<Event>) -> Answer {
    events.push(event);
    Answer::Noted
}

fn create(
    state: &impl StoreState,
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
    let reply_to = match draft.reply_to() {
        None => None,
        Some(id) => match state.by_id(id)? {
            Some(target) => Some(Box::new(ReplyTo::of(&target))),
            None => return Ok(Answer::NoReplyTarget),
        },
    };
    let (seq, id) = state.next();
    let marks = idempotency.map(|key| Mark::Key(key.key, key.body, at)).into_iter().collect();
    let mut message = Message { reply_to, ..draft.into_message(seq, id, at) };
    (message.platform, message.recipient) = route(state, &message, facts)?;
    let created = Box::new(message.clone());
    events.push(Event::Created { message: created, origin: Origin::Made, marks });
    Ok(Answer::Done(message))
}

fn route_again(
    state: &impl StoreState,
    messages: Vec<(u64, RoutingFacts)>,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
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

fn claim(
    state: &impl StoreState,
    seqs: Vec<u64>,
    account: Option<&str>,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
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
        if let Some(mut message) = message.and_then(|message| change::claim(message, account, at)) {
            message.owner = Some(state.owner().to_owned());
            claimed.push(changed(How::Claimed, message, events));
        }
    }
    Ok(Answer::Claimed(claimed))
}

/// Records how an attempt at a message ended, where that is still there.
fn record_outcome(
    state: &impl StoreState,
    before: Option<Message>,
    outcome: Outcome,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    let Some(before) = before else { return Ok(Answer::NotFound) };
    let Some(after) = change::record_outcome(before.clone(), outcome, at) else {
        return Ok(Answer::Done(before));
    };
    let marks = sent_mark(&after).into_iter().collect();
    let after = changed_with(How::AttemptEnded, after, marks, events);
    // It may have been taken back before its ID was known.
    events.extend(recalled_before(state, &after, at)?);
    Ok(Answer::Done(after))
}

/// The platform of a message, where one is named or found, and its conversation.
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

/// Whether two messages of one ID are the same message, whatever became of it since.
fn is_same(known: &Message, other: &Message) -> bool {
    let what = |message: &Message| (message.created_at, message.direction);
    what(known) == what(other)
        && known.content == other.content
        && known.recipient == other.recipient
}

/// By which what a platform told of an imported message is no double later.
fn imported_marks(message: &Message) -> Vec<Mark> {
    match (message.direction, Inbound::of(message)) {
        (Direction::Inbound, Some(received)) => seen_marks(&received),
        (Direction::Outbound, _) if message.status == Status::Sent => {
            sent_mark(message).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// A message of this store goes back to its own place, if that is free; any other takes the next one.
fn import(
    state: &impl StoreState,
    messages: Vec<Message>,
    events: &mut Vec<Event>,
) -> Result<Answer> {
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
        // An attempt that was under way in the other store is over; its outcome is unknown.
        if message.status == Status::Sending {
            message.status = Status::Pending;
            message.is_uncertain = true;
        }
        let marks = imported_marks(&message);
        let message = Box::new(message);
        events.push(Event::Created { message, origin: Origin::Imported, marks });
    }
    let new = events.len() as u64;
    Ok(Answer::Imported { new, known: all as u64 - new })
}
