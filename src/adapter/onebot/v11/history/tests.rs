use super::find::look;
use super::*;
use crate::adapter::api::{Found, Outbound};
use crate::model::content::Content;
use crate::model::inbound::{ECHO_LATE, MAX_CLOCKS_APART};
use crate::model::message::MessageType;
use uuid::Uuid;

const NOW: u64 = 1_020;

fn said(content: &str, time: u64, own: bool) -> Inbound {
    Inbound {
        platform: "qq".into(),
        account: "1".into(),
        conversation: "group_1".into(),
        content: content.into(),
        external_id: format!("{content}-{time}"),
        time,
        own,
        from_history: true,
        ..Inbound::default()
    }
}

fn sent(message_type: MessageType, content: &str) -> Outbound {
    Outbound {
        id: Uuid::nil(),
        conversation: "group_1".into(),
        content: Content::of_type(message_type, content.into()),
        reply_to: None,
        parts: Vec::new(),
        sent_as: None,
        may_be_sent_since: 1000,
        changed_at: 0,
        original: None,
    }
}

/// Looks for a message in a history whose clock is ahead by so many seconds, as far as is known.
fn found(mut history: Vec<Inbound>, message: &Outbound, ahead: Option<i64>) -> Found {
    if let Some(ahead) = ahead {
        note_clock(&mut history, ahead, NOW);
    }
    look(history, message, &message.content)
}

fn ids(messages: &[Inbound]) -> Vec<&str> {
    messages.iter().map(|message| &*message.external_id).collect()
}

#[test]
fn an_own_message_that_says_the_same_may_be_it() {
    let history = vec![said("hi", 500, true), said("hi", 990, true), said("hi", 1001, false)];
    let Found::History { candidates, others, is_complete } =
        found(history, &sent(MessageType::Text, "hi "), Some(0))
    else {
        panic!("there is a history");
    };
    assert_eq!((ids(&candidates), is_complete), (vec!["hi-990"], true));
    assert_eq!(ids(&others), ["hi-500"]);
}

#[test]
fn a_history_is_complete_if_it_reaches_back() {
    let message = sent(MessageType::Text, "hi");
    for (history, others, is_complete) in [
        (vec![said("a", 500, false), said("b", 600, true)], vec![], true),
        (vec![said("a", 1001, false), said("b", 1002, true)], vec![said("b", 1002, true)], false),
        // It may leave out own messages.
        (vec![said("a", 500, false)], vec![], false),
        (vec![], vec![], false),
    ] {
        let Found::History { candidates, others: told, is_complete: is_whole } =
            found(history, &message, Some(0))
        else {
            panic!("there is a history");
        };
        assert_eq!((candidates, ids(&told), is_whole), (vec![], ids(&others), is_complete));
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
fn every_own_entry_since_the_first_attempt_may_be_the_message_in_an_unknown_form() {
    let history = || {
        vec![
            said("a", 500, true),
            said("b", 600, false),
            said("c", 1_001, true),
            said("d", 1_001, false),
        ]
    };
    let mut message = sent(MessageType::File, "https://x/a.pdf");
    for (changed_at, may_be_absent) in [(now(), false), (now() - ECHO_LATE, true)] {
        message.changed_at = changed_at;
        let Found::History { candidates, others, is_complete } =
            found(history(), &message, Some(0))
        else {
            panic!("there is a history")
        };
        assert_eq!((candidates, ids(&others)), (vec![], vec!["c-1001"]));
        assert_eq!(is_complete, may_be_absent, "a file may be on its way for a while");
    }
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
fn proof(known: Option<i64>, was_ahead: i64, is_ahead: i64, before: &[u64], told: bool) -> Proof {
    let at = |time: u64, ahead| (time + 100_000).saturating_add_signed(ahead);
    let old = before.iter().map(|time| said("old", at(*time, was_ahead), true));
    let own = told.then(|| said("hi", at(1_005, is_ahead), true));
    let mut history: Vec<_> = old.chain(own).collect();
    oldest_first(&mut history);
    if let Some(ahead) = known {
        note_clock(&mut history, ahead, at(NOW, 0));
    }
    let message = Outbound { may_be_sent_since: at(1_000, 0), ..sent(MessageType::Text, "hi") };
    match look(history, &message, &message.content) {
        Found::History { candidates, .. } if !candidates.is_empty() => Proof::WasSent,
        Found::History { others, is_complete: true, .. }
            if others.iter().all(|other| other.content != "hi".into()) =>
        {
            Proof::WasNotSent
        }
        Found::History { .. } => Proof::Nothing,
        Found::RestUnsent | Found::CannotTell => panic!("there is a history"),
    }
}

#[test]
fn a_history_with_an_own_entry_of_an_impossible_time_proves_no_absence() {
    let is_complete = |time: u64, own: bool| {
        let history = vec![said("a", 500, true), said("b", 600, false), said("hi", time, own)];
        let found = found(history, &sent(MessageType::Text, "hi"), Some(0));
        let Found::History { is_complete, .. } = found else { panic!("there is a history") };
        is_complete
    };
    assert!(is_complete(990_000, true), "weeks later, by a possible time");
    for impossible in [0, 1_010_000 + now() * 1_000] {
        assert!(!is_complete(impossible, true), "{impossible}");
        assert!(is_complete(impossible, false), "it is none of ours: {impossible}");
    }
}

#[test]
fn an_entry_of_a_later_attempt_counts_days_after_the_first() {
    const LATER: u64 = 1_000 + 3 * MAX_CLOCKS_APART;
    const AFTERWARDS: u64 = LATER + 2 * MAX_CLOCKS_APART;
    let history = vec![
        said("hi", 500, true),
        said("hi", LATER, true),
        said("card", LATER, true),
        // The owner wrote these long after the last attempt.
        said("hi", AFTERWARDS, true),
        said("card", AFTERWARDS, true),
    ];
    let message = Outbound { changed_at: LATER, ..sent(MessageType::Text, "hi") };
    let Found::History { candidates, others, is_complete } = found(history, &message, Some(0))
    else {
        panic!("there is a history");
    };
    assert_eq!((ids(&candidates), is_complete), (vec!["hi-260200"], true));
    assert_eq!(ids(&others), ["hi-500", "card-260200"]);
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
    for (was, is) in [(0, 90), (0, 700), (-700, 0), (0, -90), (0, -700), (700, 0), (3_600, -3_600)]
    {
        assert_eq!(proof(Some(was), was, is, &LONG, true), WasSent, "{was} to {is}");
        assert_eq!(proof(None, was, is, &LONG, true), WasSent, "{was} to {is}");
        assert_eq!(proof(None, was, is, &LONG, false), Nothing, "{was} to {is}");
    }
    // It was set back, and nobody had said anything for so long that it does not show.
    assert_eq!(proof(Some(0), 0, -300, &QUIET, true), Nothing);
    assert_eq!(proof(Some(0), 0, 300, &QUIET, true), WasSent);
}
