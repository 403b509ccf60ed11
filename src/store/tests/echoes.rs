//! Echoes of messages of ours, with several accounts in one conversation.

use super::attempts::{AT, claim, end, in_doubt, own, sent, status};
use super::*;

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

fn sent_without_id() -> Outcome {
    Outcome::Sent { account: Some("1".into()), external_id: None, is_unconfirmed: false }
}

#[test]
fn the_echo_of_a_message_without_an_id_waits_for_attempts_of_alike_messages_alone() {
    let (_folder, mut file) = new();
    let said = |file: &mut StoreFile, id: &str, text: &str| {
        let received = Inbound { external_id: id.into(), ..received(text, true) };
        let received = Box::new(received);
        commit(file, Command::Receive { received, at: AT, can_wait: true }, Durability::Tables)
    };
    let begin = |file: &mut StoreFile, text: &str| {
        let seq = made(file, text).seq;
        claim(file, seq, "1");
        seq
    };
    let [first, second] = ["one", "two"].map(|text| begin(&mut file, text));
    end(&mut file, first, sent_without_id());
    end(&mut file, second, sent_without_id());
    begin(&mut file, "two");
    begin(&mut file, "three");
    assert!(matches!(said(&mut file, "91", "one"), Answer::Repeated(m) if m.seq == first));
    assert!(matches!(said(&mut file, "92", "two"), Answer::Later));
    assert!(matches!(said(&mut file, "93", "three"), Answer::Later));
}

#[test]
fn each_of_many_late_echoes_finds_its_message() {
    let (_folder, mut file) = new();
    let batch = |file: &mut StoreFile, commands: Vec<Command>| -> Vec<Answer> {
        let done = file.commit(commands, Durability::Log).unwrap();
        done.answers.into_iter().map(Result::unwrap).collect()
    };
    let texts: Vec<String> = (0..600).map(|n| format!("number {n}")).collect();
    batch(&mut file, texts.iter().map(|text| create(text)).collect());
    let seqs: Vec<u64> = (1..=600).collect();
    let claim =
        |seqs: &[u64]| Command::Claim { seqs: seqs.to_vec(), account: Some("1".into()), at: AT };
    batch(&mut file, seqs.chunks(50).map(claim).collect());
    let sent = |&seq: &u64| Command::RecordOutcome { seq, outcome: sent_without_id(), at: AT };
    batch(&mut file, seqs.iter().map(sent).collect());
    for (seq, text) in seqs.iter().zip(&texts) {
        let answer = own(&mut file, "1", &format!("id {seq}"), text);
        assert!(matches!(&answer, Answer::Repeated(m) if m.seq == *seq), "{text}: {answer:?}");
    }
}
