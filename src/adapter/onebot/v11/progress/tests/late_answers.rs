//! Answers that come after the time limit of their attempt.

use super::*;

#[test]
fn a_late_answer_proves_the_part_in_doubt_that_it_is_about() {
    let (progress, account) = (SendProgress::default(), Some("1".to_owned()));
    let message = message(&[]);
    let late =
        |index, delivery| progress.part_answered_late(message.id, index, delivery, account.clone());
    let contents = ["a".into(), "b".into()];
    progress.begin(&message, &contents);
    progress.send(message.id);
    assert!(late(0, sent("9", false)).is_empty(), "its attempt waits still");
    progress.part_unanswered(message.id);
    assert!(late(1, sent("9", false)).is_empty());
    let refused = Delivery::Refused { reason: "no".into(), retryable: true };
    assert!(late(0, refused).is_empty());
    let proven = late(0, sent("101", false));
    assert!(matches!(&proven[..], [AdapterEvent::PartSent { index: 0, .. }]), "{proven:?}");
    assert!(progress.is_rest_unsent(&message) && late(0, sent("101", false)).is_empty());
    progress.begin(&message, &contents);
    progress.send(message.id);
    progress.part_unanswered(message.id);
    let proven = late(1, sent("102", false));
    let [AdapterEvent::PartSent { index: 1, .. }, AdapterEvent::ConfirmedLate { external_id, .. }] =
        &proven[..]
    else {
        panic!("{proven:?}")
    };
    assert_eq!(external_id.as_deref(), Some("101"), "the first one stands for the message");
}
