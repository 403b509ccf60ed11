//! Messages that are deleted while they are being sent: they do not come back by their echo.

use super::attempts::{claim, end, in_doubt, own, sent, set};
use super::*;
use crate::model::inbound::ECHO_LATE;

fn total_of(file: &StoreFile) -> u64 {
    file.view().unwrap().stats().total
}

/// A message that an account has begun to send, and that was deleted since.
fn deleted_in_flight(file: &mut StoreFile, text: &str) -> Message {
    let message = made(file, text);
    claim(file, message.seq, "1");
    commit(file, Command::Delete { id: message.id }, Durability::Tables);
    message
}

#[test]
fn the_echo_of_a_message_that_was_deleted_in_flight_is_no_new_message() {
    let (_folder, mut file) = new();
    let message = deleted_in_flight(&mut file, "hello");
    end(&mut file, message.seq, sent("1", "5"));
    assert_eq!(own(&mut file, "1", "5", "hello"), Answer::NotFound);
    let mut of_history = Inbound { from_history: true, ..received("hello", true) };
    of_history.external_id = "5".into();
    let received = Box::new(of_history);
    let command = Command::Receive { received, at: 1_700_000_900, can_wait: false };
    assert_eq!(commit(&mut file, command, Durability::Tables), Answer::NotFound);
    assert_eq!(total_of(&file), 0);
    // Another one that says the same is none of ours.
    assert!(matches!(own(&mut file, "1", "6", "hello"), Answer::Message(_)));
}

#[test]
fn a_late_answer_counts_for_a_deleted_message_too() {
    let (_folder, mut file) = new();
    let message = made(&mut file, "hello");
    claim(&mut file, message.seq, "1");
    end(&mut file, message.seq, in_doubt());
    commit(&mut file, Command::Delete { id: message.id }, Durability::Tables);
    let late = Command::RecordLate { id: message.id, outcome: sent("1", "5"), at: 1_700_000_009 };
    assert_eq!(commit(&mut file, late, Durability::Tables), Answer::NotFound);
    assert_eq!(own(&mut file, "1", "5", "hello"), Answer::NotFound);
    assert_eq!(total_of(&file), 0);
}

#[test]
fn the_echo_of_a_part_of_a_deleted_message_is_no_new_message() {
    let (_folder, mut file) = new();
    let message = deleted_in_flight(&mut file, "part one, part two");
    let external_id = Some("5".to_owned());
    let part = Command::NotePart { id: message.id, index: 0, external_id, at: 1_700_000_000 };
    assert_eq!(commit(&mut file, part, Durability::Tables), Answer::NotFound);
    assert_eq!(own(&mut file, "1", "5", "part one"), Answer::NotFound);
    assert_eq!(total_of(&file), 0);
}

/// An own message that came in at a time, perhaps as the echo of one of ours.
fn echo(file: &mut StoreFile, id: &str, from_history: bool, time: u64) -> Answer {
    let mut received = Inbound { time, from_history, ..received("hello", true) };
    received.external_id = id.into();
    let received = Box::new(received);
    commit(file, Command::Receive { received, at: time, can_wait: true }, Durability::Tables)
}

#[test]
fn a_deleted_message_whose_id_is_unknown_is_known_by_its_content_once() {
    let unconfirmed =
        || Outcome::Sent { account: Some("1".into()), external_id: None, is_unconfirmed: false };
    for from_history in [false, true] {
        for outcome in [None, Some(in_doubt()), Some(unconfirmed())] {
            let (_folder, mut file) = new();
            let message = made(&mut file, "hello");
            claim(&mut file, message.seq, "1");
            if let Some(outcome) = outcome.clone() {
                end(&mut file, message.seq, outcome);
            }
            commit(&mut file, Command::Delete { id: message.id }, Durability::Tables);
            let at = 1_700_000_020;
            assert_eq!(echo(&mut file, "5", from_history, at), Answer::NotFound, "{outcome:?}");
            assert_eq!(echo(&mut file, "5", from_history, at), Answer::NotFound, "it is known now");
            assert!(matches!(echo(&mut file, "6", from_history, at + 1), Answer::Message(_)));
        }
    }
}

#[test]
fn alike_messages_that_are_deleted_each_take_one_echo() {
    let (_folder, mut file) = new();
    for _ in 0..3 {
        deleted_in_flight(&mut file, "hello");
    }
    for (id, is_one_of_them) in [("5", true), ("6", true), ("5", true), ("7", true), ("8", false)] {
        let answer = echo(&mut file, id, false, 1_700_000_020);
        assert_eq!(answer == Answer::NotFound, is_one_of_them, "{id}: {answer:?}");
    }
}

#[test]
fn what_was_not_sent_or_has_an_id_swallows_nothing() {
    let refused = Outcome::Failed { reason: "no".into(), is_uncertain: false };
    for outcome in [refused, sent("1", "5")] {
        let (_folder, mut file) = new();
        let message = deleted_in_flight(&mut file, "hello");
        end(&mut file, message.seq, outcome);
        assert!(matches!(echo(&mut file, "6", false, 1_700_000_020), Answer::Message(_)));
    }
    let (_folder, mut file) = new();
    let waits = made(&mut file, "hello");
    commit(&mut file, Command::Delete { id: waits.id }, Durability::Tables);
    assert!(matches!(echo(&mut file, "6", false, 1_700_000_020), Answer::Message(_)));
    // Nor does one of long ago.
    let (_folder, mut file) = new();
    deleted_in_flight(&mut file, "hello");
    assert!(matches!(echo(&mut file, "6", false, 1_700_009_000), Answer::Message(_)));
}

#[test]
fn a_message_that_was_canceled_in_flight_and_deleted_does_not_come_back() {
    let (_folder, mut file) = new();
    let message = made(&mut file, "hello");
    claim(&mut file, message.seq, "1");
    set(&mut file, &message, Status::Canceled);
    commit(&mut file, Command::Delete { id: message.id }, Durability::Tables);
    assert_eq!(own(&mut file, "1", "5", "hello"), Answer::NotFound);
    assert_eq!(total_of(&file), 0);
}

#[test]
fn a_failure_does_not_end_the_doubt_about_an_earlier_attempt_of_a_deleted_message() {
    let refused = || Outcome::Failed { reason: "no".into(), is_uncertain: false };
    for is_doubted in [false, true] {
        let (_folder, mut file) = new();
        let message = made(&mut file, "hello");
        if is_doubted {
            claim(&mut file, message.seq, "1");
            end(&mut file, message.seq, in_doubt());
        }
        claim(&mut file, message.seq, "1");
        commit(&mut file, Command::Delete { id: message.id }, Durability::Tables);
        end(&mut file, message.seq, refused());
        let answer = echo(&mut file, "5", false, 1_700_000_020);
        assert_eq!(answer == Answer::NotFound, is_doubted, "{answer:?}");
    }
}

#[test]
fn a_deleted_message_is_known_by_its_content_only_for_as_long_as_its_echo_may_take() {
    for start in (1_700_000_000..1_700_000_600).step_by(150) {
        for (delay, is_known) in [(0, true), (ECHO_LATE, true), (2 * ECHO_LATE, false)] {
            let (_folder, mut file) = new();
            let message = made(&mut file, "hello");
            let account = Some("1".to_owned());
            let claim = Command::Claim { seqs: vec![message.seq], account, at: start };
            commit(&mut file, claim, Durability::Tables);
            commit(&mut file, Command::Delete { id: message.id }, Durability::Tables);
            let answer = echo(&mut file, "5", false, start + delay);
            assert_eq!(answer == Answer::NotFound, is_known, "{start} + {delay}: {answer:?}");
        }
    }
}

#[test]
fn a_deleted_message_is_known_in_a_history_of_an_unknown_clock() {
    for (clock_ahead, ahead, is_known) in [
        (None, -3_600, true),
        (None, 700, true),
        (Some(-3_600), -3_600, true),
        (Some(0), -3_600, false),
    ] {
        let (_folder, mut file) = new();
        deleted_in_flight(&mut file, "hello");
        let at = 1_700_000_020_u64;
        let time = at.saturating_add_signed(ahead);
        let received = Inbound { time, clock_ahead, from_history: true, ..received("hello", true) };
        let received = Box::new(received);
        let command = Command::Receive { received, at, can_wait: false };
        let answer = commit(&mut file, command, Durability::Tables);
        assert_eq!(answer == Answer::NotFound, is_known, "{clock_ahead:?}: {answer:?}");
    }
}
