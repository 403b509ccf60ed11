//! What somebody wants done, and how it is decided with the state at hand.

use super::Result;
use super::keys::{Idempotency, other_id};
use super::ledger::Ledger;
use crate::model::change::{self, Effect, Inbound, Outcome};
use crate::model::message::{Draft, Message, Status};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use uuid::Uuid;

/// What somebody wants done. Times are Unix seconds. It carries every time it needs, so that the
/// same commands in the same order always come to the same; the write-ahead log keeps it in this
/// form, and a change of it is a new version there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Take in messages that were exported; what is known already stays as it is. Never logged, and
    /// the last here, for what serde skips would shift the numbers of those behind it.
    #[serde(skip)]
    Import { messages: Vec<Message> },
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
    /// It was deleted.
    Deleted,
    /// There is no such message.
    NotFound,
}

/// Turns a command into effects, with the state at hand, and an answer.
pub(super) fn decide(
    ledger: &mut Ledger,
    command: Command,
    effects: &mut Vec<Effect>,
) -> Result<Answer> {
    match command {
        Command::Create { draft, at, idempotency } => {
            create(ledger, draft, at, idempotency, effects)
        }
        Command::Receive { received, at } => receive(ledger, *received, at, effects),
        Command::SetStatus { id, status, at } => {
            let Some(before) = ledger.by_id(id)? else { return Ok(Answer::NotFound) };
            let after = change::set_status(before.clone(), status, at);
            effects.extend(after.clone().map(Effect::StatusChanged));
            Ok(Answer::Done(after.unwrap_or(before)))
        }
        Command::Delete { id } => {
            let Some(message) = ledger.by_id(id)? else { return Ok(Answer::NotFound) };
            effects.push(Effect::Deleted(message));
            Ok(Answer::Deleted)
        }
        Command::Import { messages } => import(ledger, messages, effects),
        Command::Name { platform, conversation, name } => {
            if ledger.name_conversation(&platform, &conversation, &name)? {
                effects.push(Effect::ConversationChanged { platform, conversation });
            }
            Ok(Answer::Noted)
        }
        Command::Route { seqs, platform, at } => {
            for seq in seqs {
                let message = ledger.by_seq(seq)?;
                let routed = message.and_then(|message| change::route(message, &platform, at));
                effects.extend(routed.map(Effect::Updated));
            }
            Ok(Answer::Noted)
        }
        Command::Claim { seqs, at } => {
            let mut claimed = Vec::with_capacity(seqs.len());
            for seq in seqs {
                let message = ledger.by_seq(seq)?;
                claimed.extend(message.and_then(|message| change::claim(message, at)));
            }
            effects.extend(claimed.iter().cloned().map(Effect::StatusChanged));
            Ok(Answer::Claimed(claimed))
        }
        Command::RecordOutcome { seq, outcome, at } => {
            let Some(before) = ledger.by_seq(seq)? else { return Ok(Answer::NotFound) };
            let Some(after) = change::record_outcome(before.clone(), outcome, at) else {
                return Ok(Answer::Done(before));
            };
            ledger.remember_sent(&after)?;
            effects.push(Effect::StatusChanged(after.clone()));
            Ok(Answer::Done(after))
        }
    }
}

fn create(
    ledger: &mut Ledger,
    draft: Draft,
    at: u64,
    idempotency: Option<Idempotency>,
    effects: &mut Vec<Effect>,
) -> Result<Answer> {
    if let Some(key) = &idempotency
        && let Some((seq, same_body)) = ledger.known_key(key, at)?
    {
        if !same_body {
            return Ok(Answer::KeyTaken);
        }
        // A message that was deleted since can be made again.
        if let Some(message) = ledger.by_seq(seq)? {
            return Ok(Answer::Repeated(message));
        }
    }
    let (seq, id) = ledger.next();
    if let Some(key) = &idempotency {
        ledger.remember_key(key, seq, at)?;
    }
    let message = draft.into_message(seq, id, at);
    effects.push(Effect::Created(message.clone()));
    Ok(Answer::Done(message))
}

fn receive(
    ledger: &mut Ledger,
    received: Inbound,
    at: u64,
    effects: &mut Vec<Effect>,
) -> Result<Answer> {
    if let Some(seq) = ledger.known(&received)? {
        let Some(known) = ledger.by_seq(seq)? else { return Ok(Answer::NotFound) };
        if received.echoes(&known) {
            let outcome = Outcome::Sent {
                account: Some(received.account.clone()),
                external_id: Some(received.external_id.clone()),
            };
            let recorded = change::record_outcome(known.clone(), outcome, at);
            effects.extend(recorded.map(Effect::StatusChanged));
            ledger.remember_received(&received, seq)?;
        }
        return Ok(Answer::Repeated(known));
    }
    let (seq, id) = ledger.next();
    ledger.remember_received(&received, seq)?;
    let message = received.into_message(seq, id, at);
    effects.push(Effect::Created(message.clone()));
    Ok(Answer::Done(message))
}

/// Whether two messages of one ID are the same message, whatever became of it since.
fn is_same(known: &Message, other: &Message) -> bool {
    let what = |message: &Message| (message.created_at, message.direction, message.message_type);
    what(known) == what(other)
        && known.content == other.content
        && known.recipient == other.recipient
}

/// A message of this store goes back to its own place, if that is free; any other takes the next one.
fn import(
    ledger: &mut Ledger,
    messages: Vec<Message>,
    effects: &mut Vec<Effect>,
) -> Result<Answer> {
    let all = messages.len();
    let first = effects.len();
    let (mut next, _) = ledger.next();
    let (mut ids, mut places) = (HashSet::with_capacity(all), HashSet::with_capacity(all));
    for mut message in messages {
        if let Some(known) = ledger.by_id(message.id)?
            && !is_same(&known, &message)
        {
            // A copy of this store went on by itself, and gave the same ID to another message.
            message.id = other_id(&message);
        }
        if !ids.insert(message.id) || ledger.by_id(message.id)?.is_some() {
            continue;
        }
        message.seq = next;
        if let Some(own) = ledger.own_place(message.id)
            && !places.contains(&own)
            && ledger.by_seq(own)?.is_none()
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
        ledger.remember_imported(&message)?;
        effects.push(Effect::Created(message));
    }
    let new = (effects.len() - first) as u64;
    Ok(Answer::Imported { new, known: all as u64 - new })
}
