//! Deduplication of inbound messages: each is a duplicate, the echo of an own message, or new. An adapter
//! leaves out only the echoes of parts of a message that it is sending.

mod history;

use super::changed::{changed_with, collision_mark, resolved_mark, seen_marks, sent_mark};
use super::command::Answer;
use super::dedupe_keys::{alias_key, history_key};
use super::error::Result;
use super::state::StoreState;
use crate::model::event::{ChangeCause, DedupeKey, Event, Origin};
use crate::model::inbound::Inbound;
use crate::model::message::{Direction, Message, ReplyTo, Status};
use crate::model::status_rules::{self, Outcome};
use history::{alike_of_history, is_near_and_alike, is_of_another_sender, known_of_history};

/// The newest messages of the conversation and of one direction that an entry of a history is compared with.
const MAX_COMPARED: usize = 256;

/// The newest messages of the conversation that a live echo is compared with; they were sent within minutes.
const MAX_ECHOED: usize = 2_048;

/// Waiting messages of the conversation that are checked whether they may have been sent.
const MAX_OPEN: usize = 64;

pub(super) fn receive(
    state: &impl StoreState,
    received: Inbound,
    at: u64,
    can_wait: bool,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    match known(state, &received, at)? {
        KnownBy::Key(seq) => return repeated(state, &received, seq, events),
        KnownBy::KeyOfAnother => {
            let marks = vec![collision_mark(&received)];
            return new_message(state, received, marks, at, events);
        }
        KnownBy::Nothing => {}
    }
    let may_wait = received.own && can_wait;
    let under_way = if may_wait { attempts_under_way(state, &received)? } else { Vec::new() };
    // Before anything is compared, for all that wait are asked about whenever an attempt ends.
    if !received.from_history && under_way.iter().any(|message| received.echoes(message, at)) {
        return Ok(Answer::Later);
    }
    let recent = recent(state, &received, at)?;
    if let Some(seq) = known_of_history(state, &received, &recent)? {
        return repeated(state, &received, seq, events);
    }
    // The answer of an attempt will give the ID by which its echo is recognized. The echo of a message that was
    // confirmed without an ID need not wait for other messages.
    let is_of_another = !received.from_history && completed(&received, &recent, at).is_some();
    if !under_way.is_empty() && !is_of_another {
        return Ok(Answer::Later);
    }
    let alike = alike_of_history(&received, &recent);
    if let Some(known) = alike.filter(|known| known.external_id.is_some()) {
        return repeated(state, &received, known.seq, events);
    }
    if let Some(sent) = alike.or_else(|| completed(&received, &recent, at)) {
        let external_id = Some(received.external_id.clone());
        let sent = Message { external_id, is_unconfirmed: false, ..sent.clone() };
        return recognized(state, ChangeCause::Completed, &received, sent, at, events);
    }
    if let Some(sent) = sent_by_open_attempt(state, &received, &recent, at)? {
        return recognized(state, ChangeCause::AttemptEnded, &received, sent, at, events);
    }
    let mut marks = seen_marks(&received);
    if received.own
        && let Some((seq, period)) = state.deleted_alike(&received, at)?
    {
        marks.push(resolved_mark(seq, period));
        events.push(Event::Recognized { seq, marks });
        return Ok(Answer::NotFound);
    }
    new_message(state, received, marks, at, events)
}

/// The newest messages of the conversation, if the received message is compared with them.
fn recent(state: &impl StoreState, received: &Inbound, at: u64) -> Result<Vec<Message>> {
    if !received.own && !received.from_history {
        return Ok(Vec::new());
    }
    let Inbound { platform, conversation, .. } = received;
    let direction = if received.own { Direction::Outbound } else { Direction::Inbound };
    if received.from_history {
        return state.recent(platform, conversation, direction, 0, MAX_COMPARED);
    }
    state.recent(platform, conversation, direction, received.echoes_since(at), MAX_ECHOED)
}

/// The oldest own message that was confirmed without an ID, and of which this is the echo. An entry of a
/// history is none that could be it by the order of the alike ones.
fn completed<'a>(received: &Inbound, recent: &'a [Message], at: u64) -> Option<&'a Message> {
    recent.iter().rev().find(|sent| {
        let is_left_over = !received.from_history || !is_near_and_alike(sent, received);
        is_left_over && received.completes(sent, at)
    })
}

/// The messages of the conversation whose attempts are under way.
fn attempts_under_way(state: &impl StoreState, received: &Inbound) -> Result<Vec<Message>> {
    let Inbound { platform, conversation, .. } = received;
    let mut sending = state.outbound(platform, conversation, Status::Sending, MAX_OPEN)?;
    sending.retain(|message| message.owner.is_some());
    Ok(sending)
}

/// The message whose attempt had an unknown outcome, and of which this is the echo. So it was sent.
fn sent_by_open_attempt(
    state: &impl StoreState,
    received: &Inbound,
    recent: &[Message],
    at: u64,
) -> Result<Option<Message>> {
    if !received.own {
        return Ok(None);
    }
    let outcome = Outcome::Sent {
        account: Some(received.account.clone()),
        external_id: Some(received.external_id.clone()),
        is_unconfirmed: false,
    };
    let open = find_open(state, received, recent, at)?;
    Ok(open.and_then(|open| status_rules::record_outcome(open, outcome, at)))
}

fn new_message(
    state: &impl StoreState,
    received: Inbound,
    mut marks: Vec<DedupeKey>,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    let (seq, id) = state.next();
    let received = Inbound { reply_to: answered(state, &received)?, ..received };
    let sent_at = received.time;
    let mut message = received.into_message(seq, id, at);
    if let Some(recall) = state.early_recall(&message, sent_at, at)? {
        message.take_back(recall, state.hides_recalled());
    }
    if message.direction == Direction::Outbound {
        marks.extend(sent_mark(&message));
    }
    let created = Box::new(message.clone());
    events.push(Event::Created { message: created, origin: Origin::Received, marks });
    Ok(Answer::Message(message))
}

/// The quoted message, with the data that the store has of it.
fn answered(state: &impl StoreState, received: &Inbound) -> Result<Option<Box<ReplyTo>>> {
    let Some(told) = &received.reply_to else { return Ok(None) };
    let Inbound { platform, conversation, .. } = received;
    let known = match (told.id, &told.external_id) {
        (Some(id), _) => state.by_id(id)?,
        (None, Some(id)) => state.by_external(&received.account, platform, conversation, id)?,
        (None, None) => None,
    };
    let found =
        known.map(|known| ReplyTo { external_id: told.external_id.clone(), ..ReplyTo::of(&known) });
    Ok(Some(found.map_or_else(|| told.clone(), Box::new)))
}

/// Result of looking up an event by its keys.
enum KnownBy {
    /// The event is about the message with this `seq`.
    Key(u64),
    /// Another message has the same key.
    KeyOfAnother,
    Nothing,
}

/// Looks up the message that the same event reported before, or that was sent under this ID.
fn known(state: &impl StoreState, received: &Inbound, at: u64) -> Result<KnownBy> {
    let found = match state.seen(received)? {
        Some(seq) if is_another(state, seq, received)? => {
            let found = state.seen_collision(received)?;
            return Ok(found.map_or(KnownBy::KeyOfAnother, KnownBy::Key));
        }
        None if received.own => state.sent_as(received, at)?,
        seen => seen,
    };
    Ok(found.map_or(KnownBy::Nothing, KnownBy::Key))
}

/// Whether an event is about another message than the known one with the same ID and time: some programs
/// give one ID to several messages. The content of a message that was edited or recalled cannot be compared, nor
/// that of a history entry, which may be written in another way.
fn is_another(state: &impl StoreState, seq: u64, received: &Inbound) -> Result<bool> {
    if received.own {
        return Ok(false);
    }
    let Some(known) = state.by_seq(seq)? else { return Ok(false) };
    let is_as_it_came = known.edited_at.is_none() && known.recall.is_none();
    let has_other_words =
        !received.from_history && is_as_it_came && !known.content.is_alike(&received.content);
    Ok(known.direction == Direction::Inbound
        && (is_of_another_sender(&known, received) || has_other_words))
}

/// The answer to a duplicate: the stored message, unless it was deleted.
fn repeated(
    state: &impl StoreState,
    received: &Inbound,
    seq: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    let Some(known) = state.by_seq(seq)? else { return Ok(Answer::NotFound) };
    let is_told = state.seen(received)?.is_some()
        && (!received.from_history || state.is_in_history(&known)?);
    if !is_told {
        let marks = marks(state, received, &known)?;
        events.push(Event::Recognized { seq, marks });
    }
    Ok(Answer::Repeated(known))
}

/// Adds the event that an own message got new data from its echo. The answer is the message with this data.
fn recognized(
    state: &impl StoreState,
    cause: ChangeCause,
    received: &Inbound,
    known: Message,
    at: u64,
    events: &mut Vec<Event>,
) -> Result<Answer> {
    let mut marks = marks(state, received, &known)?;
    marks.extend(sent_mark(&known));
    let known = changed_with(cause, known, marks, events);
    events.extend(recalled_before(state, &known, at)?);
    Ok(Answer::Repeated(known))
}

/// The recall of an own message that came in before the message's platform ID was known.
pub(super) fn recalled_before(
    state: &impl StoreState,
    message: &Message,
    at: u64,
) -> Result<Option<Event>> {
    let early = state.early_recall(message, message.created_at, at)?;
    let (seq, hides) = (message.seq, state.hides_recalled());
    Ok(early.filter(|_| message.recall.is_none()).map(|recall| Event::Recalled {
        seq,
        by: recall.by,
        hides,
        at: recall.at,
    }))
}

/// Marks by which the same event, and the same entry of a history, are recognized from now on.
fn marks(state: &impl StoreState, received: &Inbound, known: &Message) -> Result<Vec<DedupeKey>> {
    let mut marks = match state.seen(received)? {
        Some(seq) if seq != known.seq => vec![collision_mark(received)],
        _ => seen_marks(received),
    };
    if received.from_history {
        let seen = |(time, hash)| DedupeKey::Seen(time, hash);
        marks.push(seen(history_key(known)));
        if known.external_id.as_ref() != Some(&received.external_id) {
            marks.push(seen(alias_key(known, &received.external_id)));
        }
    }
    Ok(marks)
}

/// The oldest message of the conversation with the same content that may have been sent.
fn find_open(
    state: &impl StoreState,
    received: &Inbound,
    recent: &[Message],
    at: u64,
) -> Result<Option<Message>> {
    let Inbound { platform, conversation, .. } = received;
    let mut open = state.outbound(platform, conversation, Status::Sending, MAX_OPEN)?;
    open.extend(state.outbound(platform, conversation, Status::Pending, MAX_OPEN)?);
    // One that was given up, or that was sent and is under way again.
    let is_over = |message: &&Message| {
        let is_open_again = message.status == Status::Sent && message.owner.is_some();
        let is_given_up = matches!(message.status, Status::Failed | Status::Canceled);
        (is_given_up || is_open_again) && message.direction == Direction::Outbound
    };
    open.extend(recent.iter().filter(is_over).cloned());
    open.retain(|message| received.echoes(message, at));
    Ok(open.into_iter().min_by_key(|message| message.seq))
}
