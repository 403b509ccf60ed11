//! Parts of messages and their echoes.

use super::*;
use crate::adapter::api::AdapterEvent;
use crate::model::content::{ForwardItem, Media, Segment};
use crate::model::message::Sender;

fn echo(id: &str, content: &str) -> Inbound {
    Inbound {
        platform: "qq".into(),
        account: "1".into(),
        conversation: "group_1".into(),
        content: content.into(),
        external_id: id.into(),
        time: 1,
        own: true,
        ..Inbound::default()
    }
}

fn message(parts: &[&str]) -> Outbound {
    Outbound {
        id: Uuid::from_u128(1),
        conversation: "group_1".into(),
        content: Content::text("a b"),
        reply_to: None,
        parts: parts.iter().map(|&id| id.into()).collect(),
        sent_as: None,
        may_be_sent_since: 0,
        original: None,
    }
}

/// Whether a message is the echo of a part.
fn is_part(progress: &SendProgress, inbound: &Inbound) -> bool {
    progress.take_echo(inbound).is_some()
}

fn sent(id: &str, is_unconfirmed: bool) -> Delivery {
    Delivery::Sent { external_id: Some(id.into()), is_unconfirmed }
}

#[test]
fn a_new_attempt_goes_on_where_the_last_one_ended() {
    let (progress, message) = (SendProgress::default(), message(&[]));
    let begin = || progress.begin(&message, &["a".into(), "b".into()]);
    assert_eq!(begin(), 0);
    progress.part_sent(message.id, Some("101".into()), true);
    assert_eq!(begin(), 1);
    progress.part_sent(message.id, Some("102".into()), false);
    let whole = progress.finish(message.id);
    assert_eq!(whole, sent("101", true), "the first part was taken without a proof");
    assert_eq!(begin(), 0, "it is forgotten once it has gone");
}

#[test]
fn what_says_something_else_begins_anew() {
    let (progress, message) = (SendProgress::default(), message(&[]));
    progress.begin(&message, &["a".into(), "b".into()]);
    progress.part_sent(message.id, Some("101".into()), false);
    assert_eq!(progress.begin(&message, &["c".into(), "b".into()]), 0);
    progress.part_sent(message.id, Some("103".into()), false);
    progress.part_sent(message.id, Some("104".into()), false);
    assert_eq!(progress.finish(message.id), sent("103", false));
}

#[test]
fn what_was_sent_before_a_restart_is_not_sent_again() {
    let (progress, message) = (SendProgress::default(), message(&["101"]));
    assert_eq!(progress.begin(&message, &["a".into(), "b".into()]), 1);
    progress.send(message.id);
    assert!(is_part(&progress, &echo("102", "b")), "before its answer");
    progress.part_sent(message.id, Some("102".into()), false);
    assert_eq!(progress.finish(message.id), sent("101", false));
}

#[test]
fn what_the_owner_says_while_a_part_waits_is_no_part() {
    let (progress, message) = (SendProgress::default(), message(&["101"]));
    progress.begin(&message, &["a".into(), "b".into()]);
    assert!(!is_part(&progress, &echo("900", "b")), "it was not sent yet");
    progress.send(message.id);
    progress.part_refused(message.id);
    assert!(!is_part(&progress, &echo("901", "b")), "it was refused");
    progress.send(message.id);
    assert!(is_part(&progress, &echo("102", "b")));
    assert!(!is_part(&progress, &echo("902", "b")), "it has one echo");
}

#[test]
fn a_part_whose_echo_came_instead_of_its_answer_is_not_sent_again() {
    let (progress, message) = (SendProgress::default(), message(&["101"]));
    let begin = || progress.begin(&message, &["a".into(), "b".into(), "c".into()]);
    assert_eq!(begin(), 1);
    progress.send(message.id);
    assert!(is_part(&progress, &echo("102", "b")));
    assert_eq!(progress.part_unanswered(message.id).as_deref(), Some("102"));
    assert_eq!(begin(), 2, "also if the task of the attempt ended there");
}

#[test]
fn an_echo_after_the_attempt_is_told_to_the_core_and_ends_the_doubt() {
    let (progress, message) = (SendProgress::default(), message(&[]));
    let begin = || progress.begin(&message, &["a".into(), "b".into()]);
    begin();
    let echoed = |index: usize, id: &str, content: &str| {
        progress.send(message.id);
        assert_eq!(progress.part_unanswered(message.id), None);
        let proven = progress.take_echo(&echo(id, content)).unwrap();
        let Some(AdapterEvent::PartSent { message: of, index: place, external_id, .. }) =
            proven.first()
        else {
            panic!("{proven:?}")
        };
        assert_eq!((*of, *place, external_id.as_deref()), (message.id, index, Some(id)));
        assert!(progress.take_echo(&echo(id, content)).unwrap().is_empty(), "it is told again");
        assert!(progress.take_echo(&echo("900", content)).is_none(), "the owner says the same");
        proven.into_iter().nth(1)
    };
    assert!(echoed(0, "101", "a").is_none());
    assert_eq!(begin(), 1, "the next attempt sends the rest");
    let whole = echoed(1, "102", "b");
    assert!(
        matches!(&whole, Some(AdapterEvent::ConfirmedLate { external_id: Some(id), .. }) if id == "101"),
        "all parts have gone: {whole:?}"
    );
}

#[test]
fn a_part_that_is_answered_without_an_id_has_that_of_its_echo() {
    let (progress, message) = (SendProgress::default(), message(&[]));
    progress.begin(&message, &["a".into(), "b".into()]);
    progress.send(message.id);
    assert!(is_part(&progress, &echo("101", "a")));
    let part = progress.part_sent(message.id, None, false);
    assert_eq!(part, SentPart { external_id: Some("101".into()), owners_message: None });
}

#[test]
fn what_the_owner_says_meanwhile_is_given_back() {
    let (progress, message) = (SendProgress::default(), message(&[]));
    progress.begin(&message, &["a".into(), "b".into()]);
    progress.send(message.id);
    assert!(is_part(&progress, &echo("900", "a")), "it may be the first part");
    let other = progress.part_sent(message.id, Some("101".into()), false).owners_message;
    assert_eq!(other.map(|echo| echo.external_id).as_deref(), Some("900"), "it is none");
    progress.send(message.id);
    assert!(is_part(&progress, &echo("901", "b")));
    let RefusedPart::NotSent(Some(other)) = progress.part_refused(message.id) else { panic!() };
    assert_eq!(other.external_id, "901", "it was refused");
    for id in ["900", "901"] {
        assert!(!is_part(&progress, &echo(id, "b")), "nor is it one from now on");
    }
}

#[test]
fn the_echo_of_a_part_without_an_id_is_known_by_its_words_once() {
    let (progress, message) = (SendProgress::default(), message(&[]));
    progress.begin(&message, &["a".into(), "b".into()]);
    progress.send(message.id);
    assert_eq!(progress.part_sent(message.id, None, false).owners_message, None);
    assert!(is_part(&progress, &echo("101", "a")), "after its answer");
    progress.send(message.id);
    assert!(is_part(&progress, &echo("102", "b")), "before its answer");
    assert_eq!(progress.part_sent(message.id, None, false).owners_message, None);
    for content in ["a", "b"] {
        assert!(!is_part(&progress, &echo("900", content)), "the owner says the same");
    }
    assert!(is_part(&progress, &echo("101", "a")), "it is told again");
}

#[test]
fn what_was_said_long_ago_is_not_the_first_part() {
    let (progress, message) = (SendProgress::default(), message(&[]));
    progress.begin(&message, &["a".into(), "b".into()]);
    progress.send(message.id);
    assert!(!is_part(&progress, &Inbound { from_history: true, ..echo("900", "a") }));
    assert!(is_part(&progress, &echo("101", "a")));
}

#[test]
fn the_echo_of_a_later_part_is_known() {
    let (progress, message) = (SendProgress::default(), message(&[]));
    progress.begin(&message, &["a".into(), "b".into()]);
    assert!(!is_part(&progress, &echo("101", "a")), "the first part stands for the message");
    progress.part_sent(message.id, Some("101".into()), false);
    assert!(!is_part(&progress, &echo("100", "another")));
    progress.send(message.id);
    assert!(is_part(&progress, &echo("102", "b")), "before its answer");
    progress.part_sent(message.id, Some("102".into()), false);
    progress.finish(message.id);
    assert!(is_part(&progress, &echo("102", "b")), "and after");
    assert!(!is_part(&progress, &echo("103", "b")));
    assert!(!is_part(&progress, &Inbound { own: false, ..echo("102", "b") }));
}

#[test]
fn an_echo_is_of_the_attempt_that_is_under_way_rather_than_of_one_in_doubt() {
    let progress = SendProgress::default();
    let (first, second) = (message(&[]), Outbound { id: Uuid::from_u128(2), ..message(&[]) });
    for one in [&first, &second] {
        progress.begin(one, &["a".into(), "b".into()]);
        progress.send(one.id);
        if one.id == first.id {
            assert_eq!(progress.part_unanswered(one.id), None);
        }
    }
    assert!(progress.take_echo(&echo("101", "a")).unwrap().is_empty(), "it proves nothing yet");
    assert_eq!(progress.part_unanswered(second.id).as_deref(), Some("101"));
}

#[test]
fn a_message_whose_last_part_only_an_echo_proved_goes_out_anew_with_all_parts() {
    let (progress, message) = (SendProgress::default(), message(&[]));
    let contents = ["a".into(), "b".into()];
    progress.begin(&message, &contents);
    for (id, content) in [("101", "a"), ("102", "b")] {
        progress.send(message.id);
        assert_eq!(progress.part_unanswered(message.id), None);
        progress.take_echo(&echo(id, content)).unwrap();
    }
    assert_eq!(progress.begin(&message, &contents), 2, "that is not recorded yet");
    let again = Outbound { sent_as: Some("101".into()), ..message };
    assert_eq!(progress.begin(&again, &contents), 0);
}

/// A message whose first part, "a", is in doubt, and one that says "a" and is under way.
fn part_in_doubt_and_whole() -> (SendProgress, Outbound) {
    let progress = SendProgress::default();
    let (in_parts, whole) = (message(&[]), Outbound { id: Uuid::from_u128(2), ..message(&[]) });
    progress.begin(&in_parts, &["a".into(), "b".into()]);
    progress.send(in_parts.id);
    assert_eq!(progress.part_unanswered(in_parts.id), None);
    progress.begin_whole(&whole, &"a".into());
    (progress, whole)
}

/// Whether a message proves that the part was sent.
fn proves(progress: &SendProgress, id: &str) -> bool {
    progress.take_echo(&echo(id, "a")).is_some_and(|proven| !proven.is_empty())
}

fn in_doubt() -> Delivery {
    Delivery::Unknown { reason: "silent".into() }
}

#[test]
fn the_echo_of_a_whole_message_proves_no_part() {
    let (progress, whole) = part_in_doubt_and_whole();
    assert!(!proves(&progress, "201"), "before its answer");
    progress.end_whole(whole.id, &sent("201", false));
    assert!(!proves(&progress, "201"), "after it");
    assert!(proves(&progress, "101"));
    for outcome in [in_doubt(), Delivery::Sent { external_id: None, is_unconfirmed: true }] {
        let (progress, whole) = part_in_doubt_and_whole();
        progress.end_whole(whole.id, &outcome);
        assert!(!proves(&progress, "201"), "{outcome:?}: it is likelier the whole message");
        assert!(!proves(&progress, "201"), "it is told again");
        assert!(proves(&progress, "101"), "it has one echo");
    }
}

#[test]
fn a_whole_message_that_was_not_sent_has_no_echo() {
    let refused = || Delivery::Refused { reason: "busy".into(), retryable: true };
    let (progress, whole) = part_in_doubt_and_whole();
    progress.end_whole(whole.id, &refused());
    assert!(proves(&progress, "101"));
    // An earlier attempt may have sent it.
    let (progress, whole) = part_in_doubt_and_whole();
    progress.end_whole(whole.id, &in_doubt());
    progress.begin_whole(&whole, &"a".into());
    progress.end_whole(whole.id, &refused());
    assert!(!proves(&progress, "201"));
    // A late answer ends the wait.
    let (progress, whole) = part_in_doubt_and_whole();
    progress.end_whole(whole.id, &in_doubt());
    progress.end_whole(whole.id, &sent("201", false));
    assert!(proves(&progress, "101"));
}

#[test]
fn the_echo_of_a_first_part_proves_no_part_of_another_message() {
    let (progress, _) = part_in_doubt_and_whole();
    let other = Outbound { id: Uuid::from_u128(3), ..message(&[]) };
    progress.begin(&other, &["a".into(), "c".into()]);
    progress.send(other.id);
    progress.part_sent(other.id, Some("301".into()), false);
    assert!(!proves(&progress, "301"));
}

#[test]
fn a_message_whose_parts_the_core_has_forgotten_is_sent_anew() {
    let contents = ["a".into(), "b".into()];
    for is_late in [false, true] {
        let progress = SendProgress::default();
        progress.begin(&message(&[]), &contents);
        progress.part_sent(message(&[]).id, Some("101".into()), false);
        assert_eq!(progress.begin(&message(&[]), &contents), 1, "its note is not stored yet");
        if is_late {
            let (noted, is_noted) = oneshot::channel();
            progress.note(message(&[]).id, 0, Err(is_noted));
            noted.send(PartNoted::Stored).unwrap();
        } else {
            progress.note(message(&[]).id, 0, Ok(PartNoted::Stored));
        }
        assert_eq!(progress.begin(&message(&["101"]), &contents), 1);
        assert_eq!(progress.begin(&message(&[]), &contents), 0);
    }
}

#[test]
fn a_part_that_only_its_echo_proved_is_forgotten_with_the_others() {
    let (progress, message) = (SendProgress::default(), message(&[]));
    let contents = ["a".into(), "b".into()];
    progress.begin(&message, &contents);
    progress.send(message.id);
    progress.part_unanswered(message.id);
    let proven = progress.take_echo(&echo("101", "a")).unwrap();
    let Some(AdapterEvent::PartSent { noted, .. }) = proven.into_iter().next() else { panic!() };
    noted.send(PartNoted::Stored).unwrap();
    assert_eq!(progress.begin(&message, &contents), 0);
}

/// The entries of a history, each with its ID, its words and its time, by a clock that is known or not.
fn history(is_known: bool, entries: &[(&str, &str, u64)]) -> Vec<Inbound> {
    let entry = |&(id, content, time): &(&str, &str, u64)| Inbound {
        time,
        from_history: true,
        clock_ahead: is_known.then_some(0),
        ..echo(id, content)
    };
    entries.iter().map(entry).collect()
}

/// Whether a history proves the part in doubt of a message that was sent now.
fn is_found(parts: &[&str], is_known: bool, entries: &[(&str, &str, u64)]) -> bool {
    let (progress, message) =
        (SendProgress::default(), Outbound { may_be_sent_since: now(), ..message(parts) });
    let contents = ["a".into(), "b".into(), "c".into()];
    progress.doubt(&message, &contents);
    let mut history = history(is_known, entries);
    let (count, may_have_part) = (history.len(), progress.may_have_part(&history));
    let mut proven = progress.take_from(&mut history, |entry| entry.external_id != "known");
    proven.retain(|event| matches!(event, AdapterEvent::PartSent { .. }));
    assert_eq!(progress.is_rest_unsent(&message), !proven.is_empty());
    assert_eq!(history.len() + proven.len(), count, "only the part is taken out");
    assert!(may_have_part || proven.is_empty());
    let gone = progress.begin(&message, &contents);
    assert_eq!(gone, parts.len() + proven.len());
    !proven.is_empty()
}

#[test]
fn a_history_proves_a_part_behind_the_one_before_it() {
    let now = now();
    let old = ("70", "b", now - 86_400);
    assert!(is_found(&["101"], false, &[old, ("101", "a", now), ("102", "b", now)]));
    assert!(!is_found(&["101"], false, &[old, ("101", "a", now)]), "an old one of the owner");
    assert!(!is_found(&["101"], true, &[old, ("101", "a", now)]));
    assert!(!is_found(&["101"], true, &[("102", "b", now)]), "the part before it is not there");
    assert!(!is_found(&["101"], true, &[("101", "a", now), ("known", "b", now)]));
    assert!(!is_found(&["101"], true, &[("101", "a", now), ("102", "other", now)]));
    assert!(!is_found(&[""], true, &[("101", "a", now), ("102", "b", now)]), "its ID is unknown");
    let hours = now - 7_200;
    assert!(!is_found(&["101"], false, &[("101", "a", hours), ("102", "b", now)]), "much later");
    assert!(
        is_found(&["101"], true, &[("101", "a", hours), ("102", "b", now)]),
        "when it was sent"
    );
    assert!(is_found(&["101", "102"], false, &[("102", "b", now), ("103", "c", now)]));
}

#[test]
fn a_history_proves_a_first_part_by_a_clock_that_is_known() {
    let now = now();
    let entries = [("70", "a", now - 86_400), ("known", "a", now), ("101", "a", now)];
    assert!(is_found(&[], true, &entries));
    assert!(!is_found(&[], false, &entries));
    assert!(!is_found(&[], true, &entries[..2]));
}

#[test]
fn a_doubt_about_a_part_that_is_known_to_be_sent_is_none_about_the_rest() {
    let (progress, message) = (SendProgress::default(), message(&[]));
    let contents = ["a".into(), "b".into()];
    progress.begin(&message, &contents);
    progress.send(message.id);
    progress.part_unanswered(message.id);
    progress.doubt(&message, &contents);
    assert!(!progress.is_rest_unsent(&message));
    progress.take_echo(&echo("101", "a")).unwrap();
    progress.doubt(&message, &contents);
    assert!(progress.is_rest_unsent(&message));
    progress.begin(&message, &contents);
    progress.send(message.id);
    assert_eq!(progress.part_refused(message.id), RefusedPart::NotSent(None));
    assert!(progress.is_rest_unsent(&message), "it was refused");
    progress.send(message.id);
    progress.part_unanswered(message.id);
    assert!(!progress.is_rest_unsent(&message));
}

#[test]
fn what_another_account_may_have_sent_stays_in_doubt() {
    let (progress, message) = (SendProgress::default(), message(&[]));
    let contents = ["a".into(), "b".into()];
    progress.begin(&message, &contents);
    progress.send(message.id);
    progress.part_refused(message.id);
    progress.doubt(&message, &contents);
    assert!(!progress.is_rest_unsent(&message));
}

#[test]
fn a_history_entry_that_may_be_a_whole_message_is_no_part() {
    let (progress, doubtful) =
        (SendProgress::default(), Outbound { may_be_sent_since: now(), ..message(&[]) });
    let whole = Outbound { id: Uuid::from_u128(2), ..message(&[]) };
    progress.doubt(&doubtful, &["a".into(), "b".into()]);
    progress.begin_whole(&whole, &"a".into());
    progress.end_whole(whole.id, &Delivery::Unknown { reason: String::new() });
    let mut history = history(true, &[("101", "a", now())]);
    assert!(progress.take_from(&mut history, |_| true).is_empty());
    assert_eq!(history.len(), 1);
}

#[test]
fn a_refused_attempt_leaves_the_doubt_about_an_earlier_one() {
    let (progress, message) = (SendProgress::default(), message(&[]));
    let contents = ["a".into(), "b".into()];
    progress.begin(&message, &contents);
    progress.send(message.id);
    assert_eq!(progress.part_unanswered(message.id), None);
    // The second attempt is refused, or its connection drops before it is sent.
    assert_eq!(progress.begin(&message, &contents), 0);
    progress.send(message.id);
    assert_eq!(progress.part_refused(message.id), RefusedPart::NotSent(None));
    assert_eq!(progress.begin(&message, &contents), 0);
    assert!(is_part(&progress, &echo("101", "a")), "the echo of the first attempt");
}

#[test]
fn an_echo_of_an_earlier_attempt_proves_the_part_that_a_later_one_was_refused() {
    let (progress, message) = (SendProgress::default(), message(&[]));
    let contents = ["a".into(), "b".into()];
    progress.begin(&message, &contents);
    progress.send(message.id);
    assert_eq!(progress.part_unanswered(message.id), None);
    assert_eq!(progress.begin(&message, &contents), 0);
    progress.send(message.id);
    assert!(is_part(&progress, &echo("101", "a")), "while the second attempt waits");
    assert_eq!(progress.part_refused(message.id), RefusedPart::SentEarlier("101".into()));
    let part = progress.part_sent(message.id, Some("101".into()), false);
    assert_eq!(part, SentPart { external_id: Some("101".into()), owners_message: None });
    assert_eq!(progress.begin(&message, &contents), 1);
}

#[test]
fn parts_that_the_core_lists_are_not_sent_again_if_the_next_ones_changed() {
    let contents = |second: &str| ["a".into(), second.into()];
    let (progress, message) = (SendProgress::default(), message(&[]));
    progress.begin(&message, &contents("b"));
    progress.part_sent(message.id, Some("101".into()), false);
    let listed = Outbound { parts: vec!["101".into()], ..message };
    assert_eq!(progress.begin(&listed, &contents("c")), 1);
    progress.doubt(&listed, &contents("d"));
    assert_eq!(progress.begin(&listed, &contents("d")), 1, "also after a doubt");
}

#[test]
fn what_an_earlier_process_may_have_sent_is_known_by_its_echo() {
    let progress = SendProgress::default();
    let (in_parts, whole) = (
        Outbound { may_be_sent_since: now(), ..message(&[]) },
        Outbound { id: Uuid::from_u128(2), may_be_sent_since: now(), ..message(&[]) },
    );
    progress.restore_doubt(&in_parts, &["a".into(), "b".into()]);
    progress.restore_doubt(&whole, &["a".into()]);
    assert!(!proves(&progress, "201"), "it is likelier the whole message");
    assert!(proves(&progress, "101"));
    assert_eq!(progress.begin(&in_parts, &["a".into(), "b".into()]), 1);
    // From now on this process knows better than the store.
    progress.part_sent(in_parts.id, Some("102".into()), false);
    progress.finish(in_parts.id);
    progress.restore_doubt(&in_parts, &["a".into(), "b".into()]);
    assert!(progress.take_echo(&echo("900", "a")).is_none(), "the owner says it");
}

#[test]
fn another_address_of_a_picture_is_no_other_part() {
    let (progress, message) = (SendProgress::default(), message(&[]));
    let contents = |url: &str| {
        let picture = Segment::Image(Media { url: Some(url.into()), ..Media::default() });
        let item = ForwardItem {
            sender: Sender::default(),
            created_at: 1,
            segments: vec![picture.clone()],
        };
        let forward = Segment::Forward { title: None, items: vec![item], id: None };
        ["a".into(), Content::of(vec![picture]), Content::of(vec![forward])]
    };
    progress.begin(&message, &contents("https://a.example/1"));
    progress.part_sent(message.id, Some("101".into()), false);
    assert_eq!(progress.begin(&message, &contents("https://b.example/2")), 1);
}
