//! Messages that are deleted while they are being sent: they do not come back by their echo.

use super::echoes::{claim, end, in_doubt, own, sent};
use super::*;

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

#[test]
fn an_echo_that_comes_before_the_answer_waits_for_it() {
    let (_folder, mut file) = new();
    let echo = |file: &mut StoreFile, can_wait, at| {
        let mut received = received("hello", true);
        received.external_id = "5".into();
        let received = Box::new(received);
        commit(file, Command::Receive { received, at, can_wait }, Durability::Tables)
    };
    let now = crate::clock::now();
    let message = deleted_in_flight(&mut file, "hello");
    assert_eq!(echo(&mut file, true, now), Answer::Later);
    let end = Command::RecordOutcome { seq: message.seq, outcome: sent("1", "5"), at: now };
    commit(&mut file, end, Durability::Tables);
    assert_eq!(echo(&mut file, true, now), Answer::NotFound);
    // One that waits, or was sent before, is not in flight when it is deleted.
    let (_other, mut file) = new();
    let waits = made(&mut file, "waits");
    commit(&mut file, Command::Delete { id: waits.id }, Durability::Tables);
    assert!(matches!(echo(&mut file, true, now), Answer::Message(_)));
    // What never ends is not waited for.
    let (_third, mut file) = new();
    deleted_in_flight(&mut file, "hello");
    assert!(matches!(echo(&mut file, true, now + 1_000), Answer::Message(_)));
}
