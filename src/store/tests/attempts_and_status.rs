//! Attempts during which somebody sets the status of the message.

use super::attempts::{AT, claim, end, in_doubt, own, sent, set, status};
use super::*;
use crate::model::change::{Change, ChangeEffect};
use crate::store::journal::EntryContent;

#[test]
fn a_failure_does_not_end_the_wait_for_an_attempt_that_was_asked_for_meanwhile() {
    let (_folder, mut file) = new();
    let message = made(&mut file, "hello");
    claim(&mut file, message.seq, "1");
    set(&mut file, &message, Status::Canceled);
    set(&mut file, &message, Status::Pending);
    end(&mut file, message.seq, Outcome::Failed { reason: "no".into(), is_uncertain: false });
    assert_eq!(status(&file, message.seq), Status::Pending);
}

#[test]
fn the_echo_of_an_attempt_is_ours_though_the_status_was_set_by_hand_since() {
    for status in [Status::Canceled, Status::Pending, Status::Failed] {
        let (_folder, mut file) = new();
        let first = made(&mut file, "hello");
        claim(&mut file, first.seq, "1");
        set(&mut file, &first, status);
        assert!(
            matches!(own(&mut file, "1", "5", "hello"), Answer::Repeated(m) if m.seq == first.seq),
            "{status}"
        );
        end(&mut file, first.seq, sent("1", "5"));
        let view = file.view().unwrap();
        assert_eq!((view.stats().total, view.stats().sent), (1, 1), "{status}");
    }
}

#[test]
fn an_attempt_without_an_answer_is_in_doubt_though_the_status_was_set_by_hand_since() {
    let (_folder, mut file) = new();
    let first = made(&mut file, "hello");
    claim(&mut file, first.seq, "1");
    set(&mut file, &first, Status::Canceled);
    set(&mut file, &first, Status::Pending);
    end(&mut file, first.seq, in_doubt());
    let now = file.view().unwrap().by_seq(first.seq).unwrap().unwrap();
    assert_eq!((now.status, now.is_uncertain, now.owner), (Status::Pending, true, None));
}

/// A message whose second attempt is under way after an unknown outcome of the first one, and whose status
/// was set by hand since.
fn tried_twice_and_set_by_hand(file: &mut StoreFile) -> Message {
    let first = made(file, "hello");
    claim(file, first.seq, "1");
    end(file, first.seq, in_doubt());
    claim(file, first.seq, "1");
    set(file, &first, Status::Canceled);
    set(file, &first, Status::Pending);
    first
}

#[test]
fn the_doubt_about_an_earlier_attempt_stays_though_the_status_was_set_by_hand_during_another() {
    let (_folder, mut file) = new();
    let first = tried_twice_and_set_by_hand(&mut file);
    assert!(matches!(own(&mut file, "1", "5", "hello"), Answer::Repeated(m) if m.seq == first.seq));
    assert_eq!(status(&file, first.seq), Status::Sent);
    let no = || Outcome::Retry { reason: "no".into(), is_uncertain: false };
    let late = || Outcome::RefusedLate { reason: "no".into(), retryable: true };
    for outcome in [in_doubt(), no(), Outcome::NotAttempted] {
        let (_folder, mut file) = new();
        let first = tried_twice_and_set_by_hand(&mut file);
        end(&mut file, first.seq, outcome.clone());
        end(&mut file, first.seq, late());
        let now = file.view().unwrap().by_seq(first.seq).unwrap().unwrap();
        assert!(now.is_uncertain && now.owner.is_none(), "{outcome:?}: it is looked up: {now:?}");
    }
}

#[test]
fn a_message_that_is_given_up_after_a_kill_is_still_known_by_its_echo() {
    let (_folder, mut file) = new();
    let first = made(&mut file, "hello");
    claim(&mut file, first.seq, "1");
    set(&mut file, &first, Status::Canceled);
    set(&mut file, &first, Status::Pending);
    let expired = Outcome::Expired { reason: "it waited too long".into(), since: AT };
    end(&mut file, first.seq, expired);
    assert_eq!(status(&file, first.seq), Status::Failed);
    assert!(matches!(own(&mut file, "1", "5", "hello"), Answer::Repeated(m) if m.seq == first.seq));
    assert_eq!((file.view().unwrap().stats().total, status(&file, first.seq)), (1, Status::Sent));
}

#[test]
fn a_message_that_is_claimed_again_after_a_kill_is_in_doubt() {
    let (_folder, mut file) = new();
    let first = made(&mut file, "hello");
    claim(&mut file, first.seq, "1");
    set(&mut file, &first, Status::Canceled);
    set(&mut file, &first, Status::Pending);
    claim(&mut file, first.seq, "1");
    end(&mut file, first.seq, Outcome::NotAttempted);
    let now = file.view().unwrap().by_seq(first.seq).unwrap().unwrap();
    assert_eq!((now.is_uncertain, now.owner, now.retry_count), (true, None, 1));
}

#[test]
fn an_attempt_that_ends_and_changes_nothing_is_told_to_those_who_wait_for_it_alone() {
    let (_folder, mut file) = new();
    let first = made(&mut file, "hello");
    claim(&mut file, first.seq, "1");
    set(&mut file, &first, Status::Canceled);
    let outcome = Outcome::Failed { reason: "no".into(), is_uncertain: false };
    let refused = Command::RecordOutcome { seq: first.seq, outcome, at: AT + 9 };
    let batch = file.commit(vec![refused], Durability::Tables).unwrap();
    let [Change { effect, .. }] = &batch.changes[..] else { panic!("{:?}", batch.changes) };
    assert!(matches!(effect, ChangeEffect::AttemptEnded(_)), "{effect:?}");
    assert!(EntryContent::of(effect).is_none(), "no session is told");
}

#[test]
fn a_refusal_ends_the_doubt_about_an_attempt_whose_status_was_set_by_hand() {
    let (_folder, mut file) = new();
    let first = made(&mut file, "hello");
    claim(&mut file, first.seq, "1");
    set(&mut file, &first, Status::Canceled);
    let reason = "no".to_owned();
    end(&mut file, first.seq, Outcome::Retry { reason, is_uncertain: false });
    let now = file.view().unwrap().by_seq(first.seq).unwrap().unwrap();
    assert_eq!((now.status, now.is_uncertain, now.owner), (Status::Canceled, false, None));
    // The same words again are another message.
    assert!(matches!(own(&mut file, "1", "5", "hello"), Answer::Message(_)));
}
