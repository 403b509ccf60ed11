//! The messages of the store that the entries of a history are.

use crate::model::inbound::{AlikeEntries, HISTORY_APART, Inbound};
use crate::model::message::{Direction, Message, Status};
use crate::store::error::Result;
use crate::store::state::StoreState;

/// Seconds by which a history's time of a message may be later than that of its live event, or than our own.
const TIMES_APART: u64 = 5;

/// The `seq` of the message that a history entry is, by its ID.
pub(super) fn known_of_history(
    state: &impl StoreState,
    received: &Inbound,
    recent: &[Message],
) -> Result<Option<u64>> {
    for known in recent.iter().filter(|_| received.from_history) {
        let is_it = has_same_id(known, received)
            || is_about_the_same(known, received, u64::MAX)
                && state.is_alias(known, &received.external_id)?;
        if is_it {
            return Ok(Some(known.seq));
        }
    }
    Ok(None)
}

/// The message that a history entry is, by its content and time, although its ID differs. Alike
/// entries whose IDs are known show between which messages it lies; the other alike entries are the next
/// messages, in their order. An own message without an ID is one of them.
pub(super) fn alike_of_history<'a>(
    received: &Inbound,
    recent: &'a [Message],
) -> Option<&'a Message> {
    if !received.from_history {
        return None;
    }
    let is_alike = |known: &&Message| is_near_and_alike(known, received);
    let mut alike: Vec<&Message> = recent.iter().filter(is_alike).collect();
    alike.sort_by_key(|known| (known.created_at, known.seq));
    let named = |id: &String| alike.iter().position(|known| known.external_id.as_ref() == Some(id));
    let AlikeEntries { before, after, .. } = &received.alike;
    // The last entry before it whose ID is known, and the number of entries between them.
    let last_named =
        before.iter().rev().enumerate().find_map(|(unnamed, id)| Some((named(id)?, unnamed)));
    let (first_candidate, unnamed_before) = if let Some((place, unnamed)) = last_named {
        (place + 1, unnamed)
    } else {
        let older = alike.iter().take_while(|known| is_before_history(known, received));
        (older.count(), before.len())
    };
    let end = after.iter().find_map(named).unwrap_or(alike.len());
    alike[..end].get(first_candidate + unnamed_before).copied()
}

/// Whether a message is older than the history, so that no entry of it can mean the message.
fn is_before_history(known: &Message, received: &Inbound) -> bool {
    // An own message has a time of our clock, with which that of the history cannot be compared then.
    if received.own && received.clock_ahead.is_none() {
        return false;
    }
    let since = received.alike.since;
    let ahead = received.clock_ahead.unwrap_or_default();
    let by_our_clock = since.saturating_add_signed(ahead.saturating_neg());
    // An own message was sent when it changed last.
    let changed_at = if received.own { known.updated_at } else { 0 };
    let written = known.created_at.max(changed_at);
    written.saturating_add(TIMES_APART) < since.min(by_our_clock)
}

/// Whether a history entry is this message, by its ID. An implementation that restarts its numbering
/// may give the ID to another message, which has another time and other content.
fn has_same_id(known: &Message, received: &Inbound) -> bool {
    known.external_id.as_deref() == Some(received.external_id.as_str())
        && is_of_account(known, received)
        && !is_of_another_sender(known, received)
        && (known.created_at.abs_diff(received.time) <= HISTORY_APART
            || received.written().is_some_and(|at| known.created_at.abs_diff(at) <= HISTORY_APART)
            || known.content.is_alike(&received.content))
}

/// Whether a history entry may be this message by its content and time.
pub(super) fn is_near_and_alike(known: &Message, received: &Inbound) -> bool {
    is_about_the_same(known, received, HISTORY_APART)
}

/// Whether a history entry may be this message although its ID differs. `apart` is how far the times may
/// differ, in seconds.
fn is_about_the_same(known: &Message, received: &Inbound, apart: u64) -> bool {
    let direction = if received.own { Direction::Outbound } else { Direction::Inbound };
    // An own message has the time of our clock, and so has one that seemed to be of the future.
    let has_our_time = received.own || received.clock_ahead.is_some_and(|ahead| ahead > 0);
    let our_time = received.written().filter(|_| has_our_time);
    let is_near = |time: u64| {
        [Some(received.time), our_time].into_iter().flatten().any(|at| time.abs_diff(at) <= apart)
    };
    known.direction == direction
        && known.status == Status::Sent
        && (known.external_id.is_some() || received.own)
        && is_of_account(known, received)
        && (known.content == received.content || received.is_text_of(known))
        // An own message has no sender, and was sent at the time of its last change.
        && !is_of_another_sender(known, received)
        && (is_near(known.created_at) || received.own && is_near(known.updated_at))
}

pub(super) fn is_of_another_sender(known: &Message, received: &Inbound) -> bool {
    known.sender.as_ref().is_some_and(|sender| sender.id != received.sender.id)
}

fn is_of_account(known: &Message, received: &Inbound) -> bool {
    known.account.as_ref() == Some(&received.account)
}
