//! Looking in a history for a message that may have been sent.

use super::{fetch_what_fits, learn_what_was_sent};
use crate::adapter::api::{EventSink, Found, Outbound};
use crate::adapter::onebot::common::call::Calls;
use crate::adapter::onebot::v11::account::Account;
use crate::adapter::onebot::v11::progress::SendProgress;
use crate::adapter::onebot::v11::questions::{CORE_TIMEOUT, restore_doubt};
use crate::clock::now;
use crate::model::content::Content;
use crate::model::inbound::{CLOCKS_APART, ECHO_LATE, Inbound, MAX_CLOCKS_APART};
use tokio::time::timeout;

/// Messages looked through for one that may have gone out, at first and at most.
const SEARCHED: usize = 20;
const MOST_SEARCHED: usize = 320;

/// Looks for a message that may have gone out as a whole, with this content.
pub(in crate::adapter::onebot::v11) async fn find(
    account: &Account,
    calls: &Calls,
    events: &EventSink,
    message: &Outbound,
    content: &Content,
) -> Found {
    let mut found = Found::CannotTell;
    search(account, calls, events, message, |history| {
        found = look(history, message, content);
        is_complete(&found)
    })
    .await;
    found
}

/// Looks for the next part of a message, which may have gone out.
pub(in crate::adapter::onebot::v11) async fn find_parts(
    account: &Account,
    calls: &Calls,
    events: &EventSink,
    message: &Outbound,
    contents: &[Content],
) -> Found {
    let progress = account.progress();
    progress.doubt(message, contents);
    let mut found = Found::CannotTell;
    if !progress.is_rest_unsent(message)
        && let Some(part) = progress.next_part(message.id)
    {
        // The history leaves out the parts that it proves.
        search(account, calls, events, message, |history| {
            found = look_for_part(history, message, &part);
            progress.is_rest_unsent(message) || is_complete(&found)
        })
        .await;
    }
    if !progress.is_rest_unsent(message) {
        return found;
    }
    await_note(progress, message).await;
    Found::RestUnsent
}

/// Waits until the core has noted the part that was proven: the next attempt gets the parts that it lists.
async fn await_note(progress: &SendProgress, message: &Outbound) {
    let Some((index, mut note)) = progress.take_note(message) else { return };
    match timeout(CORE_TIMEOUT, &mut note).await {
        Ok(Ok(noted)) => progress.note(message.id, index, Ok(noted)),
        Ok(Err(_)) => {}
        Err(_) => progress.note(message.id, index, Err(note)),
    }
}

/// Asks for the history of a conversation, for ever more of it until it is enough.
async fn search(
    account: &Account,
    calls: &Calls,
    events: &EventSink,
    message: &Outbound,
    mut is_enough: impl FnMut(Vec<Inbound>) -> bool,
) {
    // Entries of other messages that may have been sent are none of this one.
    restore_doubt(account, events, &message.conversation).await;
    let since = message.may_be_sent_since;
    learn_what_was_sent(account, &message.conversation, events, since).await;
    let (mut count, mut seen) = (SEARCHED, 0);
    loop {
        let fetched =
            fetch_what_fits(account, calls, events, &message.conversation, count, since).await;
        let Ok(history) = fetched else { return };
        // Some answer with as many as they like, and leave out what is no message.
        let may_have_more = history.len() > seen && history.len() >= count / 2;
        seen = history.len();
        if is_enough(history) || !may_have_more || count >= MOST_SEARCHED {
            return;
        }
        // It may stand before what was told.
        count *= 4;
    }
}

fn is_complete(found: &Found) -> bool {
    matches!(found, Found::History { is_complete: true, .. })
}

/// Looks for a part in a history without the parts that it proves. What an entry says proves no part, but it may
/// be it, unless it was known before.
fn look_for_part(history: Vec<Inbound>, message: &Outbound, part: &Content) -> Found {
    let Found::History { candidates, mut others, is_complete } = look(history, message, part)
    else {
        return Found::CannotTell;
    };
    others.extend(candidates);
    Found::History { candidates: Vec::new(), others, is_complete }
}

/// Looks for a message in a history. That it is not there proves something only by a clock that is known, and of a
/// file only once it is no longer on its way.
pub(super) fn look(history: Vec<Inbound>, message: &Outbound, content: &Content) -> Found {
    let earliest = message.may_be_sent_since.saturating_sub(CLOCKS_APART);
    let is_before = |seen: &Inbound| seen.written().is_some_and(|written| written < earliest);
    // The first and the last attempt may be days apart.
    let last_echo = message.changed_at.max(message.may_be_sent_since).saturating_add(ECHO_LATE);
    let may_count = message.may_be_sent_since.saturating_sub(MAX_CLOCKS_APART)
        ..=last_echo.saturating_add(MAX_CLOCKS_APART);
    let is_on_its_way =
        content.has_attachments() && now() < message.changed_at.saturating_add(ECHO_LATE);
    let has_possible_time =
        |seen: &Inbound| seen.time != 0 && seen.time <= now().saturating_add(MAX_CLOCKS_APART);
    // Some leave out what the account itself wrote: such a history proves nothing. Nor does one with a time that
    // no clock tells: the message may be that entry.
    let is_complete = !is_on_its_way
        && history.iter().any(|seen| seen.own)
        && history.iter().filter(|seen| seen.own).all(has_possible_time)
        && history.first().is_some_and(is_before);
    let (mut candidates, mut others) = (Vec::new(), Vec::new());
    for seen in history {
        if !seen.own || !may_count.contains(&seen.time) {
            continue;
        }
        match (is_before(&seen), seen.tells(content, message.reply_to.as_deref())) {
            (false, true) => candidates.push(seen),
            (true, true) | (false, false) => others.push(seen),
            (true, false) => {}
        }
    }
    Found::History { candidates, others, is_complete }
}
