//! Asking an implementation for what was said before.
//!
//! `get_group_msg_history` and `get_friend_msg_history` are no part of the specification; go-cqhttp
//! brought them up, and what came after has kept them. An implementation without them refuses.

use super::account::Account;
use super::address::OneBot11Address;
use super::event::OneBot11Message;
use super::options::OneBot11Options;
use crate::adapter::api::{AdapterEvent, EventSink, Found, Outbound};
use crate::adapter::onebot::common::call::{Calls, NoAnswer};
use crate::adapter::onebot::common::mentions::name_mentions;
use crate::adapter::onebot::common::session::FIRST_EVENTS_TIMEOUT;
use crate::clock::now;
use crate::model::change::{AlikeEntries, CLOCKS_APART, ECHO_LATE, HISTORY_APART, Inbound};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

/// Messages looked through for one that may have gone out, at first and at most.
const SEARCHED: usize = 20;
const MOST_SEARCHED: usize = 320;
/// How long an answer of the core is waited for that is good to have.
const CORE_TIMEOUT: Duration = Duration::from_secs(2);
/// Pause before the core is asked again while the store is away.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// Questions without an answer, one after the other, after which no more are asked.
const MAX_UNANSWERED: usize = 3;

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
/// is larger than a frame may be.
async fn fetch_what_fits(
    account: &Account,
    calls: &Calls,
    conversation: &str,
    wanted: usize,
) -> Result<Vec<Inbound>, NoHistory> {
    let (limits, key) = (&account.history_limits, account.key());
    loop {
        let count = limits.begin(&key, conversation, wanted);
        if count == 0 {
            limits.end(&key, conversation);
            return Err(NoHistory::Refused);
        }
        match fetch(account, calls, conversation, count).await {
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
    conversation: &str,
    count: usize,
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
        Err(NoAnswer::NotSent(_) | NoAnswer::Silent(_) | NoAnswer::Lost | NoAnswer::TooLarge) => {
            return Err(NoHistory::NoAnswer);
        }
    };
    let history: History<'_> = answer.data().ok_or(NoHistory::Refused)?;
    let own = account.id().unwrap_or_default();
    let read = |json: &RawValue| {
        let message = OneBot11Message::parse(json)?;
        let (mut inbound, _) =
            message.into_inbound(&account.platform, own, Some(conversation)).ok()?;
        account.known.insert(conversation, &inbound.external_id);
        name_mentions(&mut inbound, &account.people);
        let is_part = account.progress.is_part(&inbound);
        (!is_part).then_some(Inbound { from_history: true, ..inbound })
    };
    let mut messages: Vec<Inbound> = history.messages.into_iter().filter_map(read).collect();
    messages.sort_by_key(|message| message.time);
    note_alike(&mut messages);
    let own = messages.iter().filter(|message| message.own);
    let own = own.map(|message| (&*message.external_id, message.time));
    account.clocks.are_in_history(&account.key(), conversation, own);
    if let [clock_ahead] = account.clocks.differences(&account.key())[..] {
        for message in &mut messages {
            message.clock_ahead = clock_ahead;
        }
    }
    Ok(messages)
}

/// Notes for each message of a history, which is sorted by time, those that it could be confused with.
fn note_alike(messages: &mut [Inbound]) {
    let Some(since) = messages.first().map(|first| first.time) else { return };
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

/// Fetches what was missed while nothing was connected; the core tells doubles.
pub(super) async fn catch_up(
    account: &Account,
    calls: &Calls,
    options: &OneBot11Options,
    events: &EventSink,
) {
    let mut groups = true;
    let mut friends = true;
    let mut unanswered = 0;
    for conversation in conversations(account, options, events).await {
        let supported = match OneBot11Address::parse(&conversation) {
            Some(OneBot11Address::Group { .. }) => &mut groups,
            Some(OneBot11Address::Private { .. }) => &mut friends,
            Some(OneBot11Address::Channel { .. }) | None => continue,
        };
        if !*supported {
            continue;
        }
        learn_what_was_sent(account, &conversation, events).await;
        match fetch_what_fits(account, calls, &conversation, options.history).await {
            Ok(messages) => {
                unanswered = 0;
                for message in messages {
                    if !events.report(AdapterEvent::Message(Box::new(message))).await {
                        return;
                    }
                }
            }
            Err(NoHistory::Refused | NoHistory::TooLarge) => {}
            Err(NoHistory::Unsupported) => *supported = false,
            // One conversation may be slow, and what was missed in the others would be lost.
            Err(NoHistory::NoAnswer) => {
                unanswered += 1;
                if unanswered == MAX_UNANSWERED {
                    return;
                }
            }
        }
    }
}

/// The conversations of this account, as the core knows them.
async fn conversations(
    account: &Account,
    options: &OneBot11Options,
    events: &EventSink,
) -> Vec<String> {
    loop {
        let (answer, conversations) = oneshot::channel();
        let question = AdapterEvent::Conversations {
            platform: account.platform.clone(),
            account: account.id().unwrap_or_default().to_owned(),
            limit: options.history_conversations,
            answer,
        };
        if !events.report(question).await {
            return Vec::new();
        }
        if let Ok(conversations) = conversations.await {
            return conversations;
        }
        sleep(STORE_PAUSE).await;
    }
}

/// Asks the core for messages of ours, unless the clock of the platform is known: by their times in a
/// history it is learned also after a restart.
async fn learn_what_was_sent(account: &Account, conversation: &str, events: &EventSink) {
    let key = account.key();
    if account.clocks.differences(&key).len() == 1 {
        return;
    }
    let (answer, sent) = oneshot::channel();
    let question = AdapterEvent::SentMessages {
        platform: account.platform.clone(),
        account: account.id().unwrap_or_default().to_owned(),
        conversation: conversation.to_owned(),
        answer,
    };
    let asked = async {
        events.report(question).await;
        sent.await.unwrap_or_default()
    };
    for (external_id, at) in timeout(CORE_TIMEOUT, asked).await.unwrap_or_default() {
        account.clocks.was_sent(&key, conversation, &external_id, at);
    }
}

/// Looks for a message that may have gone out.
pub(super) async fn find(
    account: &Account,
    calls: &Calls,
    events: &EventSink,
    message: &Outbound,
) -> Found {
    learn_what_was_sent(account, &message.conversation, events).await;
    if account.clocks.differences(&account.key()).is_empty() {
        // The first events of a connection tell the clock, too.
        sleep(FIRST_EVENTS_TIMEOUT).await;
    }
    let (mut count, mut seen) = (SEARCHED, 0);
    loop {
        let fetched = fetch_what_fits(account, calls, &message.conversation, count).await;
        let Ok(history) = fetched else { return Found::CannotTell };
        // Some answer with as many as they like, and leave out what is no message.
        let may_have_more = history.len() > seen && history.len() >= count / 2;
        seen = history.len();
        let found = look(history, message, &account.clocks.differences(&account.key()), now());
        let reaches_back = matches!(found, Found::History { is_complete: true, .. });
        if reaches_back || !may_have_more || count >= MOST_SEARCHED {
            return found;
        }
        // It may stand before what was told.
        count *= 4;
    }
}

/// Looks for a message in a history, whose clock may be ahead by each of these seconds.
fn look(history: Vec<Inbound>, message: &Outbound, differences: &[i64], now: u64) -> Found {
    let since = message.created_at.saturating_sub(CLOCKS_APART);
    let is_before = |seen: &Inbound, clock_ahead: i64| {
        Inbound { clock_ahead, ..seen.clone() }.written() < since
    };
    // Some leave out what the account itself wrote: such a history proves nothing. Nor does one whose
    // times are those of an unknown clock.
    let shows_own = history.iter().any(|seen| seen.own) && !differences.is_empty();
    let reaches_back = |oldest: &Inbound| differences.iter().all(|ahead| is_before(oldest, *ahead));
    let is_complete = shows_own && history.first().is_some_and(reaches_back);
    let or_ours = if differences.is_empty() { &[0][..] } else { differences };
    let candidate = |seen: Inbound| {
        // A file sent as one address comes back as another; text comes back as it was.
        if !seen.own || !seen.content.is_told_of(&message.content) {
            return None;
        }
        let by_clock = |ahead: &i64| Inbound { clock_ahead: *ahead, ..seen.clone() };
        let mut readings = or_ours.iter().map(by_clock);
        readings.find(|seen| (since..=now.saturating_add(ECHO_LATE)).contains(&seen.written()))
    };
    let candidates = history.into_iter().filter_map(candidate).collect();
    Found::History { candidates, is_complete }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::Content;
    use crate::model::message::MessageType;
    use crate::model::message::Sender;
    use uuid::Uuid;

    const NOW: u64 = 1_020;

    fn said(content: &str, time: u64, own: bool) -> Inbound {
        Inbound {
            platform: "qq".into(),
            account: "1".into(),
            conversation: "group_1".into(),
            conversation_name: None,
            sender: Sender::default(),
            content: content.into(),
            reply_to: None,
            external_id: format!("{content}-{time}"),
            time,
            own,
            from_history: true,
            alike: AlikeEntries::default(),
            clock_ahead: 0,
            original: None,
            fingerprint: None,
        }
    }

    fn sent(message_type: MessageType, content: &str) -> Outbound {
        Outbound {
            id: Uuid::nil(),
            conversation: "group_1".into(),
            content: Content::of_type(message_type, content.into()),
            reply_to: None,
            parts: Vec::new(),
            created_at: 1000,
            original: None,
        }
    }

    #[test]
    fn an_own_message_that_says_the_same_may_be_it() {
        let history = vec![said("hi", 500, true), said("hi", 990, true), said("hi", 1001, false)];
        assert_eq!(
            look(history, &sent(MessageType::Text, "hi "), &[0], NOW),
            Found::History { candidates: vec![said("hi", 990, true)], is_complete: true }
        );
    }

    #[test]
    fn a_history_is_complete_if_it_reaches_back() {
        let message = sent(MessageType::Text, "hi");
        for (history, is_complete) in [
            (vec![said("a", 500, false), said("b", 600, true)], true),
            (vec![said("a", 1001, false), said("b", 1002, true)], false),
            // It may leave out own messages.
            (vec![said("a", 500, false)], false),
            (vec![], false),
        ] {
            let nothing = Found::History { candidates: vec![], is_complete };
            assert_eq!(look(history, &message, &[0], NOW), nothing);
        }
    }

    #[test]
    fn a_medium_comes_back_under_another_address() {
        let mut image = said("", 1001, true);
        image.content = Content::of_type(MessageType::Image, "http://cdn/1".into());
        let history = vec![said("a", 500, false), image.clone()];
        assert_eq!(
            look(history, &sent(MessageType::Image, "https://x/a.png"), &[0], NOW),
            Found::History { candidates: vec![image], is_complete: true }
        );
    }

    #[test]
    fn a_history_of_another_clock_is_read_by_what_is_known_of_it() {
        let message = sent(MessageType::Text, "hi");
        let found = |ahead: i64, differences: &[i64]| {
            let at = |time: u64| time.saturating_add_signed(ahead);
            let history = vec![said("old", at(400), true), said("hi", at(1_005), true)];
            match look(history, &message, differences, NOW) {
                Found::History { candidates, is_complete } => {
                    (candidates.first().map(Inbound::written), is_complete)
                }
                Found::CannotTell => panic!("there is a history"),
            }
        };
        for ahead in [-300, 0, 900] {
            assert_eq!(found(ahead, &[ahead]), (Some(1_005), true), "{ahead} s ahead");
            assert_eq!(found(ahead, &[0, ahead]).0, Some(1_005), "{ahead} s ahead, perhaps");
            assert!(!found(ahead, &[]).1, "of an unknown clock, nothing is proved");
        }
        assert_eq!(found(-300, &[0, 200]), (None, true));
        assert!(!found(0, &[0, -700]).1, "by the one clock it does not reach back");
    }
}
