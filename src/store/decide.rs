//! Decisions: a state and a command give events and an answer.

mod import;
mod sending;

use super::changed::{changed, part_mark};
use super::command::{Answer, Command};
use super::dedupe::receive;
use super::error::Result;
use super::state::StoreState;
use crate::model::change;
use crate::model::content::Content;
use crate::model::event::{ChangeCause, EarlyRecall, Event, RawEvent};
use crate::model::message::{Message, Sender, Status};
use crate::model::platform_event::MessageTarget;
use import::import;
use sending::{claim, create, record_outcome, route_again};

/// Turns a command into events and an answer, with the present state.
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
            // A message that may have been sent is searched by its content; of one that was sent in
            // part, only the rest is sent.
            let is_sent = matches!(message.status, Status::Sending | Status::Sent);
            if is_sent || message.is_uncertain || !message.parts.is_empty() {
                return Ok(Answer::NotWaiting);
            }
            events.extend(set_content(&message, content, true, at));
            Ok(Answer::Noted)
        }
        Command::NotePart { id, index, external_id, at } => {
            let Some(message) = state.by_id(id)? else { return Ok(Answer::NotFound) };
            let external_id = external_id.unwrap_or_default();
            // Noted before, or of an attempt of another account.
            if message.parts.get(index) == Some(&external_id) || index > message.parts.len() {
                return Ok(Answer::Nothing);
            }
            let marks = part_mark(&message, &external_id, at).into_iter().collect();
            Ok(noted(Event::PartSent { seq: message.seq, external_id, marks }, events))
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
        Command::Notice { notice, request, is_repeated } => {
            // A OneBot program that reconnects may report a request again.
            let is_known = match &request {
                Some(data) => state.is_known_request(&notice, data)?,
                None => is_repeated && state.has_noticed(&notice)?,
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
                return Ok(Answer::Message(before));
            };
            Ok(Answer::Message(changed(ChangeCause::StatusSet, after, events)))
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
        Command::SetConversation {
            platform,
            conversation,
            read_to,
            unread_from,
            muted,
            pinned,
        } => {
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
            let forward = read_to.filter(|seq| *seq > before.read);
            let back = unread_from.map(|seq| seq.saturating_sub(1));
            if let Some(seq) = back.filter(|seq| *seq < before.read).or(forward) {
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
        Command::SetAside { event, reason, at } => {
            if state.quarantine_is_full()? {
                return Ok(Answer::NoRoom);
            }
            Ok(noted(Event::SetAside { event, reason, at }, events))
        }
        Command::Release { offset } => {
            if !state.is_set_aside(offset)? {
                return Ok(Answer::NotFound);
            }
            events.push(Event::Released { offset });
            Ok(Answer::Noted)
        }
        Command::Trim { marks_before, lapsed_keys, at } => {
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
        Command::KeepState { state } => Ok(noted(Event::AdapterState(state), events)),
        Command::StoreRawEvent { platform, account, frame, meaning, at, forget_before } => {
            let is_compared = matches!(
                meaning.as_deref(),
                Some(Command::Receive { .. } | Command::Notice { is_repeated: true, .. })
            );
            let answer = match meaning {
                Some(meaning) => decide(state, *meaning, events)?,
                None => Answer::Noted,
            };
            if !is_compared || !events.is_empty() {
                // The first of its events has the same meaning. Other events follow it, such as the
                // recall of a message whose ID was not known.
                let place = events.len().min(1);
                let is_of_previous = place > 0;
                let told = RawEvent { platform, account, frame, is_of_previous, at, forget_before };
                events.insert(place, Event::RawEvent(Box::new(told)));
            }
            Ok(answer)
        }
        Command::Withdraw { id, reason, at } => {
            let Some(before) = state.by_id(id)? else { return Ok(Answer::NotFound) };
            let waits = before.status == Status::Pending && !before.is_uncertain;
            match change::set_status(before, Status::Canceled, at).filter(|_| waits) {
                Some(mut after) => {
                    after.last_error = Some(reason);
                    Ok(Answer::Message(changed(ChangeCause::StatusSet, after, events)))
                }
                None => Ok(Answer::NotWaiting),
            }
        }
        // Each of them is decided separately, after those before it are applied.
        Command::Together(_) | Command::InOrder(_) => Ok(Answer::Nothing),
    }
}

/// Adds the event that changes the message in a command, if anything changes.
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

/// Notes a recall; if the message has not come in yet, the recall is applied when it comes.
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

/// Adds an event that does not depend on the state.
fn noted(event: Event, events: &mut Vec<Event>) -> Answer {
    events.push(event);
    Answer::Noted
}
