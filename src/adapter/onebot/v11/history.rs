//! Asking an implementation for what was said before.
//!
//! `get_group_msg_history` and `get_friend_msg_history` are no part of the specification; go-cqhttp
//! brought them up, and what came after has kept them. An implementation without them refuses.

mod catch_up;
mod find;
mod parts;
#[cfg(test)]
mod tests;

pub(super) use catch_up::catch_up;
pub(super) use find::{find, find_parts};

use super::account::Account;
use super::address::OneBot11Address;
use super::event::OneBot11Message;
use super::questions::ask;
use crate::adapter::api::{AdapterEvent, EventSink};
use crate::adapter::onebot::common::call::Calls;
use crate::adapter::onebot::common::mentions::name_mentions;
use crate::clock::now;
use crate::model::inbound::{AlikeEntries, CLOCKS_APART, HISTORY_APART, Inbound};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Seconds by which a message may be older than the one before it, although no clock was set.
const OUT_OF_ORDER_SECONDS: u64 = 10;

#[derive(Serialize)]
struct Asked<'a> {
    #[serde(flatten)]
    address: &'a OneBot11Address<'a>,
    count: usize,
}

/// Why there is no history.
enum NoHistory {
    /// This one conversation has none to tell.
    Refused,
    /// The implementation knows no such action.
    Unsupported,
    /// The connection is lost or the implementation silent.
    NoAnswer,
    /// The answer is larger than a frame may be.
    TooLarge,
}

/// The last messages of a conversation, the oldest first; fewer where so many make an answer that
/// is larger than a frame may be. What is known of the clock since a time is noted in each.
async fn fetch_what_fits(
    account: &Account,
    calls: &Calls,
    events: &EventSink,
    conversation: &str,
    wanted: usize,
    since: u64,
) -> Result<Vec<Inbound>, NoHistory> {
    let (limits, key) = (&account.history_limits, account.key());
    loop {
        let count = limits.begin(&key, conversation, wanted);
        if count == 0 {
            limits.end(&key, conversation);
            return Err(NoHistory::Refused);
        }
        match fetch(account, calls, events, conversation, count, since).await {
            Err(NoHistory::TooLarge) => limits.answer_was_too_large(&key, conversation),
            // The limit counts if the connection ends by this very answer.
            Err(NoHistory::NoAnswer) => return Err(NoHistory::NoAnswer),
            fetched => {
                limits.end(&key, conversation);
                return fetched;
            }
        }
    }
}

/// The last messages of a conversation, the oldest first.
async fn fetch(
    account: &Account,
    calls: &Calls,
    events: &EventSink,
    conversation: &str,
    count: usize,
    since: u64,
) -> Result<Vec<Inbound>, NoHistory> {
    #[derive(Deserialize)]
    struct History<'a> {
        #[serde(borrow)]
        messages: Vec<&'a RawValue>,
    }
    let address = OneBot11Address::parse(conversation).ok_or(NoHistory::Refused)?;
    let action = match address {
        OneBot11Address::Group { .. } => "get_group_msg_history",
        OneBot11Address::Private { .. } => "get_friend_msg_history",
        // No implementation has an action for it.
        OneBot11Address::Channel { .. } => return Err(NoHistory::Refused),
    };
    let asked = Asked { address: &address, count };
    let answer = match calls.call(action, &asked, None).await {
        Ok(answer) if answer.is_too_large() => return Err(NoHistory::TooLarge),
        Ok(answer) if answer.is_accepted() => answer,
        Ok(answer) if matches!(answer.retcode, 404 | 1404) => return Err(NoHistory::Unsupported),
        Ok(_) => return Err(NoHistory::Refused),
        Err(_) => return Err(NoHistory::NoAnswer),
    };
    let history: History<'_> = answer.data().ok_or(NoHistory::Refused)?;
    let own = account.id().unwrap_or_default();
    let read = |json: &RawValue| {
        let message = OneBot11Message::parse(json)?;
        let (mut inbound, _) =
            message.into_inbound(&account.platform, own, Some(conversation)).ok()?;
        name_mentions(&mut inbound, &account.people);
        inbound.from_history = true;
        Some(inbound)
    };
    let mut messages: Vec<Inbound> = history.messages.into_iter().filter_map(read).collect();
    oldest_first(&mut messages);
    let own = messages.iter().filter(|message| message.own);
    let own = own.map(|message| (&*message.external_id, message.time));
    account.clocks.are_in_history(&account.key(), conversation, own);
    if let Some(ahead) = account.clocks.ahead_since(&account.key(), since) {
        note_clock(&mut messages, ahead, now());
    }
    parts::take(account, events, conversation, &mut messages).await;
    note_alike(&mut messages);
    Ok(messages)
}

/// Reverses the list if the newest messages are first. It is not sorted by time, because the clock may have
/// been set.
fn oldest_first(messages: &mut [Inbound]) {
    let pairs = || messages.windows(2).map(|pair| pair[0].time.cmp(&pair[1].time));
    let falling = pairs().filter(|order| order.is_gt()).count();
    if falling > pairs().filter(|order| order.is_lt()).count() {
        messages.reverse();
    }
}

/// Notes by how many seconds the clock of a history is ahead, but not in messages that show that it was
/// set: one before them is later, or they lie in the future.
fn note_clock(messages: &mut [Inbound], ahead: i64, now: u64) {
    let mut latest = 0;
    for message in messages {
        let is_in_order = message.time.saturating_add(OUT_OF_ORDER_SECONDS) >= latest;
        latest = latest.max(message.time);
        message.clock_ahead = Some(ahead);
        let is_possible = message.written() <= Some(now.saturating_add(CLOCKS_APART));
        if !is_in_order || !is_possible {
            message.clock_ahead = None;
        }
    }
}

/// Notes for each message of a history those that it could be confused with.
fn note_alike(messages: &mut [Inbound]) {
    let Some(since) = messages.iter().map(|message| message.time).min() else { return };
    let alike = |index: usize| {
        let message = &messages[index];
        let is_near = |other: &&Inbound| other.time.abs_diff(message.time) <= HISTORY_APART;
        let is_alike = |other: &&Inbound| {
            other.own == message.own
                && other.sender.id == message.sender.id
                && other.content == message.content
        };
        let id = |other: &Inbound| other.external_id.clone();
        let before = messages[..index].iter().rev().take_while(is_near).filter(is_alike).map(id);
        let mut before: Vec<_> = before.collect();
        before.reverse();
        let after = messages[index + 1..].iter().take_while(is_near).filter(is_alike).map(id);
        AlikeEntries { before, after: after.collect(), since }
    };
    let found: Vec<_> = (0..messages.len()).map(alike).collect();
    for (message, alike) in messages.iter_mut().zip(found) {
        message.alike = alike;
    }
}

/// Asks the core for messages of ours, unless the clock of the platform is known since a time: by their
/// times in a history it is learned also after a restart.
async fn learn_what_was_sent(
    account: &Account,
    conversation: &str,
    events: &EventSink,
    since: u64,
) {
    let key = account.key();
    if account.clocks.ahead_since(&key, since).is_some() {
        return;
    }
    let question = |of, answer| AdapterEvent::SentMessages { of, answer };
    let sent = ask(account, events, conversation, question).await;
    for (external_id, at) in sent.unwrap_or_default() {
        account.clocks.was_sent(&key, conversation, &external_id, at);
    }
}
