//! Echoes of parts that come as live messages.

use super::*;

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
    assert_eq!(progress.part_unanswered(message.id), Some(sent("102", false)));
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
    assert_eq!(progress.part_unanswered(second.id), Some(sent("101", false)));
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
