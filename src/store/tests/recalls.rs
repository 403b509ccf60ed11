//! Recalls that come before their messages.

use super::carry_out::carry_out;
use super::transaction::Transaction;
use super::*;
use crate::model::message::Recall;
use redb::{ReadableDatabase, ReadableTableMetadata};

/// When recalls are told in these tests, as their platform tells it.
const AT: u64 = 1_700_000_002;

fn of(file: &StoreFile, seq: u64) -> Message {
    file.view().unwrap().by_seq(seq).unwrap().unwrap()
}

/// How a message was taken back, where it was.
fn recall_of(file: &StoreFile, seq: u64) -> Option<Recall> {
    of(file, seq).recall.map(|recall| *recall)
}

fn by_ann() -> Recall {
    let by = Some(Sender { id: "2".into(), name: "Ann".into() });
    Recall { at: AT, by }
}

/// A message that comes at the time of this commit.
fn live(text: &str, time: u64) -> Command {
    receive_at(text, false, time, crate::clock::now())
}

#[test]
fn a_message_that_comes_after_its_recall_is_taken_back_also_after_a_crash() {
    let (folder, mut file) = new();
    commit(&mut file, recall("x"), Durability::Log);
    let copy = crashed(folder.path());
    let mut file = writable(copy.path());
    commit(&mut file, live("x", AT - 1), Durability::Tables);
    commit(&mut file, live("y", AT - 1), Durability::Tables);
    assert_eq!((recall_of(&file, 1), recall_of(&file, 2)), (Some(by_ann()), None));
    assert_eq!(of(&file, 1).content.readable(), "x");
    assert_eq!(check::check(&file.view().unwrap()).unwrap().findings, [""; 0]);
}

#[test]
fn its_content_is_not_kept_where_that_is_configured() {
    let folder = TempDir::new().unwrap();
    let mut options = options(folder.path(), Access::Write);
    options.hides_recalled = true;
    let mut file = open(&options).unwrap().into_writable().unwrap();
    commit(&mut file, recall("x"), Durability::Tables);
    commit(&mut file, live("x", AT), Durability::Tables);
    assert_eq!((recall_of(&file, 1), &*of(&file, 1).content.readable()), (Some(by_ann()), ""));
}

#[test]
fn another_message_with_the_same_id_is_not_taken_back() {
    let (_folder, mut file) = new();
    commit(&mut file, recall("x"), Durability::Tables);
    commit(&mut file, live("x", AT + 61), Durability::Tables);
    assert_eq!(of(&file, 1).recall, None, "it was said after the recall");
    commit(&mut file, live("x", AT), Durability::Tables);
    commit(&mut file, live("x", AT - 1), Durability::Tables);
    let recalls = (recall_of(&file, 2), recall_of(&file, 3));
    assert_eq!(recalls, (Some(by_ann()), None), "a recall is of one message");
    let late = receive_at("x", false, AT - 2, crate::clock::now() + 3_601);
    commit(&mut file, recall("z"), Durability::Tables);
    commit(&mut file, late, Durability::Tables);
    assert_eq!(of(&file, 4).recall, None);
}

#[test]
fn a_message_of_ours_is_taken_back_once_its_id_is_known() {
    let (_folder, mut file) = new();
    let sent = made(&mut file, "ours");
    commit(&mut file, recall("x"), Durability::Tables);
    let claim = Command::Claim { seqs: vec![sent.seq], account: Some("1".into()), at: AT };
    commit(&mut file, claim, Durability::Tables);
    let outcome = Outcome::Sent {
        account: Some("1".into()),
        external_id: Some("x".into()),
        is_unconfirmed: false,
    };
    let at = crate::clock::now();
    commit(&mut file, Command::RecordOutcome { seq: sent.seq, outcome, at }, Durability::Tables);
    let now = of(&file, sent.seq);
    assert_eq!((now.status, recall_of(&file, sent.seq)), (Status::Sent, Some(by_ann())));
}

#[test]
fn a_damaged_recall_is_told_and_stops_no_message() {
    let (_folder, mut file) = new();
    commit(&mut file, recall("x"), Durability::Tables);
    let key = dedupe_keys::early_recall_key("qq", "1", "group_1", "x");
    damage(&file, tables::EARLY_RECALLS, &key);
    let findings = check::check(&file.view().unwrap()).unwrap().findings;
    assert!(findings[0].contains("recall"), "{findings:?}");
    commit(&mut file, live("x", AT), Durability::Tables);
    assert_eq!(of(&file, 1).recall, None);
}

#[test]
fn recalls_whose_messages_do_not_come_are_forgotten_with_their_age() {
    let (folder, mut file) = new();
    let an_hour_ago = crate::clock::now() - 3_700;
    let txn = file.database.begin_write().unwrap();
    let mut state = Transaction::open(&txn, &file.context, an_hour_ago).unwrap();
    carry_out(&mut state, vec![recall("old")], None).unwrap();
    state.finish().unwrap();
    txn.commit().unwrap();
    commit(&mut file, recall("new"), Durability::Tables);
    let trim =
        || Command::Trim { marks_before: 0, lapsed_keys: Vec::new(), at: crate::clock::now() };
    assert_eq!(commit(&mut file, trim(), Durability::Log), Answer::Noted);
    assert_eq!(commit(&mut file, trim(), Durability::Log), Answer::Nothing);
    // By an event: whoever applies the log comes to the same.
    let copy = crashed(folder.path());
    for file in [file, writable(copy.path())] {
        let txn = file.database.begin_read().unwrap();
        assert_eq!(txn.open_table(tables::EARLY_RECALLS).unwrap().len().unwrap(), 1);
    }
}

#[test]
fn recalls_of_unknown_messages_are_bounded() {
    let (_folder, mut file) = new();
    let all = (0..5_000).map(|n| recall(&n.to_string())).collect();
    file.commit(all, Durability::Tables).unwrap();
    let txn = file.database.begin_read().unwrap();
    assert!(txn.open_table(tables::EARLY_RECALLS).unwrap().len().unwrap() <= 4_096);
    commit(&mut file, live("4999", AT), Durability::Tables);
    assert_eq!(recall_of(&file, 1), Some(by_ann()));
}
