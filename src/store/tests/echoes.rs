//! Echoes of messages of ours, with several accounts in one conversation.

use super::*;
use crate::model::change::{Change, ChangeEffect};
use crate::model::message::Doubt;
use crate::store::journal::EntryContent;

/// When the messages of these tests were made, as [`create`] and [`receive`] have it.
pub(super) const AT: u64 = 1_700_000_000;

/// A message that an account's owner wrote, here or elsewhere, under this ID.
pub(super) fn own(file: &mut StoreFile, account: &str, id: &str, text: &str) -> Answer {
    let mut received = Inbound { account: account.into(), ..received(text, true) };
    received.external_id = id.into();
    let received = Box::new(received);
    commit(file, Command::Receive { received, at: AT, can_wait: false }, Durability::Tables)
}

pub(super) fn claim(file: &mut StoreFile, seq: u64, account: &str) {
    let command = Command::Claim { seqs: vec![seq], account: Some(account.into()), at: AT };
    commit(file, command, Durability::Tables);
}

pub(super) fn end(file: &mut StoreFile, seq: u64, outcome: Outcome) {
    commit(file, Command::RecordOutcome { seq, outcome, at: AT }, Durability::Tables);
}

pub(super) fn sent(account: &str, id: &str) -> Outcome {
    let (account, external_id) = (Some(account.into()), Some(id.into()));
    Outcome::Sent { account, external_id, is_unconfirmed: false }
}

pub(super) fn in_doubt() -> Outcome {
    Outcome::Retry { reason: "no answer".into(), is_uncertain: true }
}

/// Sets a status by hand.
pub(super) fn set(file: &mut StoreFile, message: &Message, status: Status) {
    commit(file, Command::SetStatus { id: message.id, status, at: AT }, Durability::Tables);
}

fn status(file: &StoreFile, seq: u64) -> Status {
    file.view().unwrap().by_seq(seq).unwrap().unwrap().status
}

#[test]
fn one_id_of_two_accounts_is_of_two_messages() {
    let (_folder, mut file) = new();
    let first = made(&mut file, "by one").seq;
    claim(&mut file, first, "1");
    end(&mut file, first, sent("1", "5"));
    let Answer::Message(other) = own(&mut file, "2", "5", "typed by two") else {
        panic!("it is lost")
    };
    assert_eq!(other.account.as_deref(), Some("2"));
    assert!(matches!(own(&mut file, "1", "5", "by one"), Answer::Repeated(m) if m.seq == first));
    assert_eq!(file.view().unwrap().stats().total, 2);
}

#[test]
fn what_another_account_says_is_no_proof_of_an_attempt() {
    let (_folder, mut file) = new();
    let first = made(&mut file, "hello").seq;
    claim(&mut file, first, "1");
    end(&mut file, first, in_doubt());
    let Answer::Message(other) = own(&mut file, "2", "9", "hello") else {
        panic!("it is taken for ours")
    };
    assert_eq!((other.account.as_deref(), status(&file, first)), (Some("2"), Status::Pending));
    assert!(matches!(own(&mut file, "1", "8", "hello"), Answer::Repeated(m) if m.seq == first));
    assert_eq!(status(&file, first), Status::Sent);
}

#[test]
fn the_echo_of_an_earlier_attempt_ends_the_doubt_though_another_account_tried_since() {
    let (_folder, mut file) = new();
    let first = made(&mut file, "hello").seq;
    claim(&mut file, first, "1");
    end(&mut file, first, in_doubt());
    claim(&mut file, first, "2");
    let reason = "no".to_owned();
    end(&mut file, first, Outcome::Retry { reason, is_uncertain: false });
    assert!(matches!(own(&mut file, "1", "8", "hello"), Answer::Repeated(m) if m.seq == first));
    assert_eq!(status(&file, first), Status::Sent);
}

#[test]
fn what_version_0_2_marked_without_the_account_is_known() {
    let (_folder, mut file) = new();
    let first = made(&mut file, "by one").seq;
    claim(&mut file, first, "1");
    let without = Outcome::Sent { account: None, external_id: None, is_unconfirmed: false };
    end(&mut file, first, without);
    let [_, key, _] = dedupe_keys::sent_keys("qq", None, "group_1", "5", AT);
    let txn = file.database.begin_write().unwrap();
    txn.open_table(tables::SENT).unwrap().insert(key, first).unwrap();
    txn.commit().unwrap();
    assert!(matches!(own(&mut file, "1", "5", "x"), Answer::Repeated(m) if m.seq == first));
    assert!(matches!(own(&mut file, "2", "5", "x"), Answer::Message(_)));
}

#[test]
fn an_id_that_is_given_anew_is_of_another_message_in_a_history_too() {
    let (_folder, mut file) = new();
    let mut told = |id: &str, text: &str, time, from_history| {
        let mut received = Inbound { time, from_history, ..received(text, false) };
        received.external_id = id.into();
        let received = Box::new(received);
        let command = Command::Receive { received, at: AT + 9_000, can_wait: false };
        commit(&mut file, command, Durability::Tables)
    };
    assert!(matches!(told("5", "before the restart", AT, false), Answer::Message(_)));
    // Off in time, or edited since: it is the same.
    assert!(matches!(told("5", "before the restart", AT + 8_000, true), Answer::Repeated(_)));
    assert!(matches!(told("5", "before the restart!", AT + 1, true), Answer::Repeated(_)));
    assert!(matches!(told("5", "missed meanwhile", AT + 7_000, true), Answer::Message(_)));
    assert!(matches!(told("5", "missed meanwhile", AT + 7_000, true), Answer::Repeated(_)));
}

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
fn nothing_is_claimed_if_the_first_message_has_gone() {
    let (_folder, mut file) = new();
    let first = made(&mut file, "plain");
    let (recipient, platform) = ("group_1".into(), "qq".into());
    let draft = Draft::of_bot("helper", "2".into(), "x".into(), recipient, platform, None).unwrap();
    let made = Command::Create { draft, at: AT, idempotency: None, facts: RoutingFacts::default() };
    commit(&mut file, made, Durability::Tables);
    commit(&mut file, Command::Delete { id: first.id }, Durability::Tables);
    let claim = Command::Claim { seqs: vec![1, 2], account: Some("1".into()), at: AT };
    assert_eq!(commit(&mut file, claim, Durability::Tables), Answer::Claimed(Vec::new()));
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

#[test]
fn one_claim_takes_messages_of_one_bot_alone() {
    let (_folder, mut file) = new();
    made(&mut file, "plain");
    for account in ["1", "2", "2"] {
        let (recipient, platform) = ("group_1".into(), "qq".into());
        let draft =
            Draft::of_bot("helper", account.into(), "x".into(), recipient, platform, None).unwrap();
        let facts = RoutingFacts::default();
        let made = Command::Create { draft, at: AT, idempotency: None, facts };
        commit(&mut file, made, Durability::Tables);
    }
    let mut claimed = |first: u64| {
        let seqs = (first..=4).collect();
        let command = Command::Claim { seqs, account: Some("1".into()), at: AT };
        let Answer::Claimed(claimed) = commit(&mut file, command, Durability::Tables) else {
            panic!("nothing is claimed")
        };
        claimed.iter().map(|message| message.seq).collect::<Vec<_>>()
    };
    assert_eq!((claimed(1), claimed(2), claimed(3)), (vec![1], vec![2], vec![3, 4]));
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

/// The doubt about a message, as it is stored.
fn doubt(file: &StoreFile, seq: u64) -> Option<Doubt> {
    file.view().unwrap().by_seq(seq).unwrap().unwrap().doubt.map(|doubt| *doubt)
}

fn claim_at(file: &mut StoreFile, seq: u64, account: &str, at: u64) {
    let command = Command::Claim { seqs: vec![seq], account: Some(account.into()), at };
    commit(file, command, Durability::Tables);
}

fn end_at(file: &mut StoreFile, seq: u64, outcome: Outcome, at: u64) {
    commit(file, Command::RecordOutcome { seq, outcome, at }, Durability::Tables);
}

#[test]
fn a_doubt_begins_when_the_first_attempt_in_doubt_began() {
    let (_folder, mut file) = new();
    let seq = made(&mut file, "waits long").seq;
    let since = |file: &StoreFile| {
        let message = file.view().unwrap().by_seq(seq).unwrap().unwrap();
        message.may_be_sent_since()
    };
    let refused = || Outcome::Retry { reason: "busy".into(), is_uncertain: false };
    claim_at(&mut file, seq, "1", AT + 1_000);
    assert_eq!(since(&file), AT + 1_000, "the process may be killed now");
    end_at(&mut file, seq, refused(), AT + 1_001);
    assert_eq!(doubt(&file, seq), None);
    claim_at(&mut file, seq, "1", AT + 2_000);
    end_at(&mut file, seq, in_doubt(), AT + 2_050);
    assert_eq!(since(&file), AT + 2_000);
    claim_at(&mut file, seq, "1", AT + 3_000);
    end_at(&mut file, seq, refused(), AT + 3_001);
    assert_eq!(since(&file), AT + 2_000, "a later attempt ends no doubt");
    end_at(&mut file, seq, sent("1", "5"), AT + 3_002);
    assert_eq!(doubt(&file, seq), None);
}

#[test]
fn only_the_accounts_whose_attempts_are_in_doubt_prove_a_message() {
    let refused = || Outcome::Retry { reason: "busy".into(), is_uncertain: false };
    for (first, is_proof) in [(refused(), false), (in_doubt(), true)] {
        let (_folder, mut file) = new();
        let seq = made(&mut file, "hi").seq;
        claim(&mut file, seq, "1");
        end(&mut file, seq, first);
        claim(&mut file, seq, "2");
        end(&mut file, seq, in_doubt());
        let others = doubt(&file, seq).unwrap().other_accounts;
        assert_eq!(others, if is_proof { vec!["1".to_owned()] } else { vec![] });
        own(&mut file, "1", "5", "hi");
        assert_eq!(status(&file, seq) == Status::Sent, is_proof);
    }
}
