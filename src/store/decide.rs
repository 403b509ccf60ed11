//! Decisions: turns a command into events and an answer, by the present state.

mod content;
mod conversation;
mod import;
mod quarantine;
mod raw_event;
mod request;
mod sending;
mod status;
mod trim;

use super::command::{Answer, Command};
use super::dedupe::receive;
use super::error::Result;
use super::state::StoreState;
use crate::model::event::{Event, RawEvent};
use content::{complete, edit, edit_waiting, find_reply, name_mention, react, recall};
use conversation::{ConversationChange, name, see_platform, set_conversation};
use import::import;
use quarantine::{quarantine, release};
use raw_event::store_raw_event;
use request::{answer_request, notice};
use sending::{claim, create, note_part, record_deleted, record_late, record_outcome, route_again};
use status::{delete, set_status, set_status_of, withdraw};
use trim::trim;

/// Turns a command into events and an answer, with the present state.
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
        Command::Edit { target, content, at, is_repeated } => {
            edit(state, &target, content, at, is_repeated, events)
        }
        Command::EditWaiting { id, content, at } => edit_waiting(state, id, content, at, events),
        Command::NotePart { id, index, external_id, at } => {
            note_part(state, id, index, external_id.unwrap_or_default(), at, events)
        }
        Command::Complete { seq, was, content, at } => {
            complete(state, seq, &was, content, at, events)
        }
        Command::NameMention { target, user, name, at } => {
            name_mention(state, &target, &user, &name, at, events)
        }
        Command::FindReply { target, reply_to, at } => {
            find_reply(state, &target, reply_to, at, events)
        }
        Command::React { target, change, at } => react(state, &target, &change, at, events),
        Command::Notice { notice: told, request, is_repeated } => {
            notice(state, told, request, is_repeated, events)
        }
        Command::AnswerRequest { id, approved, reason, at } => {
            answer_request(state, id, approved, reason, at, events)
        }
        Command::SeePlatform { platform, kind } => see_platform(state, platform, kind, events),
        Command::SetStatusOf { id, from, status, at } => {
            set_status_of(state, id, &from, status, at, events)
        }
        Command::SetStatus { id, status, at } => set_status(state, id, status, at, events),
        Command::Delete { id } => delete(state, id, events),
        Command::Import { messages } => import(state, messages, events),
        Command::Name { platform, conversation, name: given } => {
            name(state, platform, conversation, given, events)
        }
        Command::SetConversation {
            platform,
            conversation,
            read_to,
            unread_from,
            muted,
            pinned,
        } => {
            let change = ConversationChange { read_to, unread_from, muted, pinned };
            set_conversation(state, platform, conversation, &change, events)
        }
        Command::Route { messages, at } => route_again(state, messages, at, events),
        Command::Claim { seqs, account, at } => claim(state, seqs, account.as_deref(), at, events),
        Command::RecordOutcome { seq, outcome, at } => match state.by_seq(seq)? {
            Some(message) => record_outcome(state, message, outcome, at, events),
            None => record_deleted(state, &|deleted, _| deleted == seq, &outcome, at, events),
        },
        Command::RecordLate { id, outcome, at } => match state.by_id(id)? {
            Some(message) => record_late(state, message, outcome, at, events),
            None => record_deleted(state, &|_, deleted| deleted == id, &outcome, at, events),
        },
        Command::Quarantine { event, reason, at } => quarantine(state, event, reason, at, events),
        Command::Release { offset } => release(state, offset, events),
        Command::Trim { marks_before, lapsed_keys, at } => {
            trim(state, marks_before, lapsed_keys, at, events)
        }
        Command::KeepState { state } => {
            events.push(Event::AdapterState(state));
            Ok(Answer::Noted)
        }
        Command::StoreRawEvent { platform, account, frame, meaning, at, forget_before } => {
            let decide = |meaning, events: &mut Vec<_>| decide(state, meaning, events);
            let is_of_previous = false;
            let event = RawEvent { platform, account, frame, is_of_previous, at, forget_before };
            store_raw_event(event, meaning.map(|meaning| *meaning), decide, events)
        }
        Command::Withdraw { id, reason, at } => withdraw(state, id, reason, at, events),
        // Each of them is decided separately, after those before it are applied.
        Command::Together(_) | Command::InOrder(_) => Ok(Answer::Nothing),
    }
}
