//! Parts of messages and their echoes.

use super::*;

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
        created_at: 0,
        original: None,
    }
}

fn sent(id: &str, is_unconfirmed: bool) -> Delivery {
    Delivery::Sent { external_id: Some(id.into()), is_unconfirmed }
}

#[test]
fn a_new_attempt_goes_on_where_the_last_one_ended() {
    let (progress, message) = (SendProgress::default(), message(&[]));
    let begin = || progress.begin(&message, &["a".into(), "b".into()]);
    assert_eq!(begin(), 0);
    progress.note(message.id, Some("101".into()), true);
    assert_eq!(begin(), 1);
    progress.note(message.id, Some("102".into()), false);
    let whole = progress.finish(message.id);
    assert_eq!(whole, sent("101", true), "the first part was taken without a proof");
    assert_eq!(begin(), 0, "it is forgotten once it has gone");
}

#[test]
fn what_says_something_else_begins_anew() {
    let (progress, message) = (SendProgress::default(), message(&[]));
    progress.begin(&message, &["a".into(), "b".into()]);
    progress.note(message.id, Some("101".into()), false);
    assert_eq!(progress.begin(&message, &["c".into(), "b".into()]), 0);
    progress.note(message.id, Some("103".into()), false);
    progress.note(message.id, Some("104".into()), false);
    assert_eq!(progress.finish(message.id), sent("103", false));
}

#[test]
fn what_was_sent_before_a_restart_is_not_sent_again() {
    let (progress, message) = (SendProgress::default(), message(&["101"]));
    assert_eq!(progress.begin(&message, &["a".into(), "b".into()]), 1);
    progress.send(message.id);
    assert!(progress.is_part(&echo("102", "b")), "before its answer");
    progress.note(message.id, Some("102".into()), false);
    assert_eq!(progress.finish(message.id), sent("101", false));
}

#[test]
fn what_the_owner_says_while_a_part_waits_is_no_part() {
    let (progress, message) = (SendProgress::default(), message(&["101"]));
    progress.begin(&message, &["a".into(), "b".into()]);
    assert!(!progress.is_part(&echo("900", "b")), "it was not sent yet");
    progress.send(message.id);
    progress.refused(message.id);
    assert!(!progress.is_part(&echo("901", "b")), "it was refused");
    progress.send(message.id);
    assert!(progress.is_part(&echo("102", "b")));
    assert!(!progress.is_part(&echo("902", "b")), "it has one echo");
}

#[test]
fn a_part_whose_echo_came_instead_of_its_answer_is_not_sent_again() {
    let (progress, message) = (SendProgress::default(), message(&["101"]));
    let begin = || progress.begin(&message, &["a".into(), "b".into(), "c".into()]);
    assert_eq!(begin(), 1);
    progress.send(message.id);
    assert_eq!(progress.echoed(message.id), None);
    assert!(progress.is_part(&echo("102", "b")));
    assert_eq!(progress.echoed(message.id).as_deref(), Some("102"));
    assert_eq!(begin(), 2, "also in a later attempt");
}

#[test]
fn what_the_owner_says_meanwhile_is_given_back() {
    let (progress, message) = (SendProgress::default(), message(&[]));
    progress.begin(&message, &["a".into(), "b".into()]);
    progress.send(message.id);
    assert!(progress.is_part(&echo("900", "a")), "it may be the first part");
    let other = progress.note(message.id, Some("101".into()), false);
    assert_eq!(other.map(|echo| echo.external_id).as_deref(), Some("900"), "it is none");
    progress.send(message.id);
    assert!(progress.is_part(&echo("901", "b")));
    let other = progress.refused(message.id);
    assert_eq!(other.map(|echo| echo.external_id).as_deref(), Some("901"), "it was refused");
    for id in ["900", "901"] {
        assert!(!progress.is_part(&echo(id, "b")), "nor is it one from now on");
    }
}

#[test]
fn the_echo_of_a_part_without_an_id_is_known_by_its_words_once() {
    let (progress, message) = (SendProgress::default(), message(&[]));
    progress.begin(&message, &["a".into(), "b".into()]);
    progress.send(message.id);
    assert_eq!(progress.note(message.id, None, false), None);
    assert!(progress.is_part(&echo("101", "a")), "after its answer");
    progress.send(message.id);
    assert!(progress.is_part(&echo("102", "b")), "before its answer");
    assert_eq!(progress.note(message.id, None, false), None);
    for content in ["a", "b"] {
        assert!(!progress.is_part(&echo("900", content)), "the owner says the same");
    }
    assert!(progress.is_part(&echo("101", "a")), "it is told again");
}

#[test]
fn what_was_said_long_ago_is_not_the_first_part() {
    let (progress, message) = (SendProgress::default(), message(&[]));
    progress.begin(&message, &["a".into(), "b".into()]);
    progress.send(message.id);
    assert!(!progress.is_part(&Inbound { from_history: true, ..echo("900", "a") }));
    assert!(progress.is_part(&echo("101", "a")));
}

#[test]
fn the_echo_of_a_later_part_is_known() {
    let (progress, message) = (SendProgress::default(), message(&[]));
    progress.begin(&message, &["a".into(), "b".into()]);
    assert!(!progress.is_part(&echo("101", "a")), "the first part stands for the message");
    progress.note(message.id, Some("101".into()), false);
    assert!(!progress.is_part(&echo("100", "another")));
    progress.send(message.id);
    assert!(progress.is_part(&echo("102", "b")), "before its answer");
    progress.note(message.id, Some("102".into()), false);
    progress.finish(message.id);
    assert!(progress.is_part(&echo("102", "b")), "and after");
    assert!(!progress.is_part(&echo("103", "b")));
    assert!(!progress.is_part(&Inbound { own: false, ..echo("102", "b") }));
}
