//! Attempts that go on where an earlier one ended.

use super::*;
use crate::model::content::{ForwardItem, Media, Segment};
use crate::model::message::Sender;

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

/// The progress after an attempt whose first part got no answer.
fn with_part_in_doubt(message: &Outbound, contents: &[Content]) -> SendProgress {
    let progress = SendProgress::default();
    progress.begin(message, contents);
    progress.send(message.id);
    assert_eq!(progress.part_unanswered(message.id), None);
    progress
}

#[test]
fn a_refused_attempt_leaves_the_doubt_about_an_earlier_one() {
    let (message, contents) = (message(&[]), ["a".into(), "b".into()]);
    let progress = with_part_in_doubt(&message, &contents);
    // The second attempt is refused, or its connection drops before it is sent.
    assert_eq!(progress.begin(&message, &contents), 0);
    progress.send(message.id);
    assert_eq!(progress.part_refused(message.id), RefusedPart::NotSent(None));
    assert_eq!(progress.begin(&message, &contents), 0);
    assert!(is_part(&progress, &echo("101", "a")), "the echo of the first attempt");
}

#[test]
fn an_echo_of_an_earlier_attempt_proves_the_part_that_a_later_one_was_refused() {
    let (message, contents) = (message(&[]), ["a".into(), "b".into()]);
    let progress = with_part_in_doubt(&message, &contents);
    assert_eq!(progress.begin(&message, &contents), 0);
    progress.send(message.id);
    assert!(is_part(&progress, &echo("101", "a")), "while the second attempt waits");
    assert_eq!(progress.part_refused(message.id), RefusedPart::SentEarlier(sent("101", false)));
    let part = progress.part_sent(message.id, Some("101".into()), false);
    assert_eq!(part, SentPart { external_id: Some("101".into()), owners_message: None });
    assert_eq!(progress.begin(&message, &contents), 1);
}
