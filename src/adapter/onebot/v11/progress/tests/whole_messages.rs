//! Echoes of messages that are sent as a whole.

use super::*;

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
