//! Asking an implementation for what was said before.
//!
//! `get_group_msg_history` and `get_friend_msg_history` are no part of the specification; go-cqhttp
//! brought them up, and what came after has kept them. An implementation without them refuses.

use super::account::Account;
use super::address::OneBot11Address;
use super::event::OneBot11Message;
use super::options::OneBot11Options;
use crate::adapter::api::{AdapterEvent, EventSink, Found, Outbound};
use crate::adapter::onebot::common::call::Calls;
use crate::adapter::onebot::common::mentions::name_mentions;
use crate::clock::now;
use crate::model::change::{AlikeEntries, CLOCKS_APART, HISTORY_APART, Inbound, MAX_CLOCKS_APART};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

/// Messages looked through for one that may have gone out, at first and at most.
const SEARCHED: usize = 20;
const MOST_SEARCHED: usize = 320;
/// How long to wait for an optional answer of the core.
const CORE_TIMEOUT: Duration = Duration::from_secs(2);
/// Pause before the core is asked again while the store is away.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// Seconds by which a message may be older than the one before it, although no clock was set.
const DISORDER: u64 = 10;
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
/// is larger than a frame may be. What is known of the clock since a time is noted in each.
async fn fetch_what_fits(
    account: &Account,
    calls: &Calls,
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
        match fetch(account, calls, conversation, count, since).await {
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
        account.known.insert(conversation, &inbound.external_id);
        name_mentions(&mut inbound, &account.people);
        inbound.from_history = true;
        (!account.progress.is_part(&inbound)).then_some(inbound)
    };
    let mut messages: Vec<Inbound> = history.messages.into_iter().filter_map(read).collect();
    oldest_first(&mut messages);
    note_alike(&mut messages);
    let own = messages.iter().filter(|message| message.own);
    let own = own.map(|message| (&*message.external_id, message.time));
    account.clocks.are_in_history(&account.key(), conversation, own);
    if let Some(ahead) = account.clocks.ahead_since(&account.key(), since) {
        note_clock(&mut messages, ahead, now());
    }
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
        let is_in_order = message.time.saturating_add(DISORDER) >= latest;
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

/// Fetches what was missed while nothing was connected; the core recognizes duplicates.
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
        learn_what_was_sent(account, &conversation, events, 0).await;
        match fetch_what_fits(account, calls, &conversation, options.history, 0).await {
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
    let since = message.created_at;
    learn_what_was_sent(account, &message.conversation, events, since).await;
    let (mut count, mut seen) = (SEARCHED, 0);
    loop {
        let fetched = fetch_what_fits(account, calls, &message.conversation, count, since).await;
        let Ok(history) = fetched else { return Found::CannotTell };
        // Some answer with as many as they like, and leave out what is no message.
        let may_have_more = history.len() > seen && history.len() >= count / 2;
        seen = history.len();
        let found = look(history, message);
        let reaches_back = matches!(found, Found::History { is_complete: true, .. });
        if reaches_back || !may_have_more || count >= MOST_SEARCHED {
            return found;
        }
        // It may stand before what was told.
        count *= 4;
    }
}

/// Looks for a message in a history. That it is not there proves something only by a clock that is known.
fn look(history: Vec<Inbound>, message: &Outbound) -> Found {
    let since = message.created_at.saturating_sub(CLOCKS_APART);
    let is_before = |seen: &Inbound| seen.written().is_some_and(|written| written < since);
    // Some leave out what the account itself wrote: such a history proves nothing.
    let is_complete = history.iter().any(|seen| seen.own) && history.first().is_some_and(is_before);
    let may_be_it = |seen: &Inbound| {
        // A file sent as one address comes back as another; text comes back as it was.
        seen.own
            && seen.content.is_told_of(&message.content)
            && seen.time.abs_diff(message.created_at) <= MAX_CLOCKS_APART
    };
    let (earlier, candidates) = history.into_iter().filter(may_be_it).partition(is_before);
    Found::History { candidates, earlier, is_complete }
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
            clock_ahead: None,
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

    /// Looks for a message in a history whose clock is ahead by so many seconds, as far as is known.
    fn found(mut history: Vec<Inbound>, message: &Outbound, ahead: Option<i64>) -> Found {
        if let Some(ahead) = ahead {
            note_clock(&mut history, ahead, NOW);
        }
        look(history, message)
    }

    fn ids(messages: &[Inbound]) -> Vec<&str> {
        messages.iter().map(|message| &*message.external_id).collect()
    }

    #[test]
    fn an_own_message_that_says_the_same_may_be_it() {
        let history = vec![said("hi", 500, true), said("hi", 990, true), said("hi", 1001, false)];
        let Found::History { candidates, earlier, is_complete } =
            found(history, &sent(MessageType::Text, "hi "), Some(0))
        else {
            panic!("there is a history");
        };
        assert_eq!((ids(&candidates), is_complete), (vec!["hi-990"], true));
        assert_eq!(ids(&earlier), ["hi-500"]);
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
            let nothing = Found::History { candidates: vec![], earlier: vec![], is_complete };
            assert_eq!(found(history, &message, Some(0)), nothing);
        }
    }

    #[test]
    fn a_medium_comes_back_under_another_address() {
        let mut image = said("", 1001, true);
        image.content = Content::of_type(MessageType::Image, "http://cdn/1".into());
        let history = vec![said("a", 500, false), image];
        let found = found(history, &sent(MessageType::Image, "https://x/a.png"), Some(0));
        let Found::History { candidates, is_complete, .. } = found else { panic!("{found:?}") };
        assert_eq!((ids(&candidates), is_complete), (vec!["-1001"], true));
    }

    #[test]
    fn a_history_that_tells_the_newest_first_is_turned_round() {
        let mut history = vec![said("c", 900, true), said("b", 600, true), said("a", 600, true)];
        oldest_first(&mut history);
        assert_eq!(ids(&history), ["a-600", "b-600", "c-900"]);
        // A clock that was set back turns nothing.
        let mut history = vec![said("a", 900, true), said("b", 950, true), said("c", 300, true)];
        oldest_first(&mut history);
        assert_eq!(ids(&history), ["a-900", "b-950", "c-300"]);
    }

    /// The proof that a history gives of a message.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Proof {
        WasSent,
        /// Unless the core knew before what says the same.
        Nothing,
        WasNotSent,
    }

    /// The proof by a history whose clock was ahead by some seconds until `before`, and then by others.
    fn proof(
        known: Option<i64>,
        was_ahead: i64,
        is_ahead: i64,
        before: &[u64],
        told: bool,
    ) -> Proof {
        let at = |time: u64, ahead| (time + 100_000).saturating_add_signed(ahead);
        let old = before.iter().map(|time| said("old", at(*time, was_ahead), true));
        let own = told.then(|| said("hi", at(1_005, is_ahead), true));
        let mut history: Vec<_> = old.chain(own).collect();
        oldest_first(&mut history);
        if let Some(ahead) = known {
            note_clock(&mut history, ahead, at(NOW, 0));
        }
        let message = Outbound { created_at: at(1_000, 0), ..sent(MessageType::Text, "hi") };
        match look(history, &message) {
            Found::History { candidates, .. } if !candidates.is_empty() => Proof::WasSent,
            Found::History { earlier, is_complete: true, .. } if earlier.is_empty() => {
                Proof::WasNotSent
            }
            Found::History { .. } => Proof::Nothing,
            Found::CannotTell => panic!("there is a history"),
        }
    }

    #[test]
    fn a_time_proves_something_only_by_the_clock_that_is_known() {
        use Proof::{Nothing, WasNotSent, WasSent};
        const LONG: [u64; 3] = [100, 200, 990];
        const QUIET: [u64; 2] = [100, 200];
        const SHORT: [u64; 2] = [1_001, 1_002];
        for ahead in [-3_600, -130, 0, 90, 700] {
            let known = Some(ahead);
            assert_eq!(proof(known, ahead, ahead, &LONG, true), WasSent, "{ahead}");
            assert_eq!(proof(known, ahead, ahead, &LONG, false), WasNotSent, "{ahead}");
            assert_eq!(proof(known, ahead, ahead, &SHORT, true), WasSent, "{ahead}");
            assert_eq!(proof(known, ahead, ahead, &SHORT, false), Nothing, "{ahead}");
            // Nothing is known of it, or messages tell different clocks.
            assert_eq!(proof(None, ahead, ahead, &LONG, true), WasSent, "{ahead}");
            assert_eq!(proof(None, ahead, ahead, &LONG, false), Nothing, "{ahead}");
            assert_eq!(proof(None, ahead, ahead, &SHORT, false), Nothing, "{ahead}");
        }
        // It was set since a message told it.
        for (was, is) in
            [(0, 90), (0, 700), (-700, 0), (0, -90), (0, -700), (700, 0), (3_600, -3_600)]
        {
            assert_eq!(proof(Some(was), was, is, &LONG, true), WasSent, "{was} to {is}");
            assert_eq!(proof(None, was, is, &LONG, true), WasSent, "{was} to {is}");
            assert_eq!(proof(None, was, is, &LONG, false), Nothing, "{was} to {is}");
        }
        // It was set back, and nobody had said anything for so long that it does not show.
        assert_eq!(proof(Some(0), 0, -300, &QUIET, true), Nothing);
        assert_eq!(proof(Some(0), 0, 300, &QUIET, true), WasSent);
    }
}
