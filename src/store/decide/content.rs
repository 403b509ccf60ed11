//! Decisions about the content of messages: edits, additions, reactions and recalls.

use crate::model::content::Content;
use crate::model::event::{EarlyRecall, Event};
use crate::model::message::{Message, ReplyTo, Sender, Status};
use crate::model::platform_event::MessageTarget;
use crate::model::reaction::ReactionChange;
use crate::store::command::Answer;
use crate::store::error::Result;
use crate::store::state::StoreState;
use uuid::Uuid;

pub(super) fn edit(
    state: &impl StoreState,
    target: &MessageTarget,
    content: Content,
    at: u64,
    is_repeated: bool,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    alter(state, target, events, |message| {
        let is_newer = message.edited_at.is_some_and(|edited| edited > at);
        let is_hidden = message.recall.is_some() && state.hides_recalled();
        if is_repeated && (is_newer || is_hidden) {
            return None;
        }
        set_content(message, content, true, at)
    })
}

/// Edits a message that was not sent yet. A message that may have been sent cannot be edited, because it is
/// looked up by its content. One that was sent in part cannot either, because only its rest will be sent.
pub(super) fn edit_waiting(
    state: &impl StoreState,
    id: Uuid,
    content: Content,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    let Some(message) = state.by_id(id)? else { return Ok(Answer::NotFound) };
    let is_sent = matches!(message.status, Status::Sending | Status::Sent);
    if is_sent || message.may_be_sent() || !message.parts.is_empty() {
        return Ok(Answer::NotWaiting);
    }
    events.extend(set_content(&message, content, true, at));
    Ok(Answer::Noted)
}

pub(super) fn complete(
    state: &impl StoreState,
    seq: u64,
    was: &Content,
    content: Content,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    let Some(message) = state.by_seq(seq)? else { return Ok(Answer::NotFound) };
    if message.content != *was {
        return Ok(Answer::Nothing);
    }
    events.extend(set_content(&message, content, false, at));
    Ok(Answer::Noted)
}

pub(super) fn name_mention(
    state: &impl StoreState,
    target: &MessageTarget,
    user: &str,
    name: &str,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    alter(state, target, events, |message| {
        set_content(message, message.content.with_mention_named(user, name)?, false, at)
    })
}

pub(super) fn find_reply(
    state: &impl StoreState,
    target: &MessageTarget,
    reply_to: Box<ReplyTo>,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    alter(state, target, events, |message| {
        let is_open = message.reply_to.as_ref().is_some_and(|known| known.content.is_none());
        is_open.then_some(Event::ReplyFound { seq: message.seq, reply_to, at })
    })
}

pub(super) fn react(
    state: &impl StoreState,
    target: &MessageTarget,
    change: &ReactionChange,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    alter(state, target, events, |message| {
        let reactions = change.apply_to(&message.reactions)?;
        Some(Event::Reacted { seq: message.seq, reactions, at })
    })
}

/// Notes a recall. If the message has not come in yet, the recall is applied when it does.
pub(super) fn recall(
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

/// Adds the event that a command changes a message, if anything changes.
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

fn set_content(message: &Message, content: Content, is_edit: bool, at: u64) -> Option<Event> {
    let seq = message.seq;
    (message.content != content).then_some(Event::ContentSet { seq, content, is_edit, at })
}
