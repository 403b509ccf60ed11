//! Answers that come after the attempt was given up.

use super::attempts::{AT, claim, end, in_doubt, own, sent, set, status};
use super::*;

#[test]
fn an_answer_that_comes_late_ends_the_doubt() {
    let (_folder, mut file) = new();
    let first = made(&mut file, "hello");
    claim(&mut file, first.seq, "1");
    end(&mut file, first.seq, in_doubt());
    let late = |id| Command::RecordLate { id, outcome: sent("1", "5"), at: AT };
    let unknown = late(uuid::Uuid::from_u128(1));
    assert_eq!(commit(&mut file, unknown, Durability::Tables), Answer::NotFound);
    commit(&mut file, late(first.id), Durability::Tables);
    assert_eq!(status(&file, first.seq), Status::Sent);
    assert!(matches!(own(&mut file, "1", "5", "hello"), Answer::Repeated(_)));
}

#[test]
fn a_late_refusal_of_the_only_attempt_ends_the_doubt() {
    let (_folder, mut file) = new();
    let refused = |file: &mut StoreFile, id, retryable| {
        let outcome = Outcome::RefusedLate { reason: "no such group".into(), retryable };
        commit(file, Command::RecordLate { id, outcome, at: AT }, Durability::Tables);
    };
    for (retryable, expected) in [(false, Status::Failed), (true, Status::Pending)] {
        let message = made(&mut file, "hello");
        claim(&mut file, message.seq, "1");
        end(&mut file, message.seq, in_doubt());
        refused(&mut file, message.id, retryable);
        let after = file.view().unwrap().by_seq(message.seq).unwrap().unwrap();
        assert_eq!((after.status, after.is_uncertain), (expected, false));
        assert_eq!(after.last_error.as_deref(), Some("no such group"));
    }
    // Of two attempts it is not known which one was refused, also if the second one was asked for by hand.
    for by_hand in [false, true] {
        let message = made(&mut file, "hello");
        for _ in 0..2 {
            claim(&mut file, message.seq, "1");
            end(&mut file, message.seq, in_doubt());
            if by_hand
                && file.view().unwrap().by_seq(message.seq).unwrap().unwrap().retry_count == 0
            {
                set(&mut file, &message, Status::Canceled);
                set(&mut file, &message, Status::Pending);
            }
        }
        refused(&mut file, message.id, false);
        let after = file.view().unwrap().by_seq(message.seq).unwrap().unwrap();
        assert_eq!((after.status, after.is_uncertain), (Status::Pending, true));
    }
}

/// A message that a late answer proved to be sent, under the ID "5", while its second attempt is under way.
fn proved_during_another_attempt(file: &mut StoreFile) -> Message {
    let first = made(file, "hello");
    claim(file, first.seq, "1");
    end(file, first.seq, in_doubt());
    claim(file, first.seq, "1");
    let late = Command::RecordLate { id: first.id, outcome: sent("1", "5"), at: AT };
    commit(file, late, Durability::Tables);
    assert_eq!(status(file, first.seq), Status::Sent);
    first
}

#[test]
fn an_attempt_that_is_under_way_is_not_ended_by_the_late_answer_to_an_earlier_one() {
    let (_folder, mut file) = new();
    let first = proved_during_another_attempt(&mut file);
    set(&mut file, &first, Status::Pending);
    end(&mut file, first.seq, Outcome::Failed { reason: "no".into(), is_uncertain: false });
    assert_eq!(
        status(&file, first.seq),
        Status::Pending,
        "another attempt was asked for meanwhile"
    );
}

#[test]
fn the_echo_of_an_attempt_is_ours_though_an_earlier_one_is_proved_by_now() {
    let (_folder, mut file) = new();
    let first = proved_during_another_attempt(&mut file);
    for id in ["5", "6"] {
        assert!(
            matches!(own(&mut file, "1", id, "hello"), Answer::Repeated(m) if m.seq == first.seq)
        );
    }
    end(&mut file, first.seq, sent("1", "6"));
    assert_eq!(file.view().unwrap().stats().total, 1);
}

#[test]
fn a_message_that_a_late_answer_proved_is_not_in_doubt_by_the_end_of_an_attempt() {
    for attempts in 1..=2 {
        let (_folder, mut file) = new();
        let first = made(&mut file, "hello");
        for attempt in 1..=attempts {
            claim(&mut file, first.seq, "1");
            if attempt < attempts {
                end(&mut file, first.seq, in_doubt());
            }
        }
        let late = Command::RecordLate { id: first.id, outcome: sent("1", "5"), at: AT };
        commit(&mut file, late, Durability::Tables);
        end(&mut file, first.seq, in_doubt());
        let now = file.view().unwrap().by_seq(first.seq).unwrap().unwrap();
        assert_eq!((now.status, now.is_uncertain, now.owner), (Status::Sent, false, None));
        assert!(matches!(own(&mut file, "1", "9", "hello"), Answer::Message(_)), "the owner's");
    }
}
