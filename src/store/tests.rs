//! What batches and logs leave behind, in real files.

use super::file::{Durability, StoreFile};
use super::open::open;
use super::*;
use crate::model::change::{Inbound, Outcome};
use crate::model::message::{Draft, Message, MessageType, Sender, Status};
use crate::model::routing::RoutingFacts;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn create(text: &str) -> Command {
    let draft = Draft::new(MessageType::Text, text.into(), "group_1".into(), Some("qq".into()));
    Command::Create {
        draft: draft.unwrap(),
        at: 1_700_000_000,
        idempotency: None,
        facts: RoutingFacts::default(),
    }
}

/// A store in a folder of its own.
fn new() -> (TempDir, StoreFile) {
    let folder = TempDir::new().unwrap();
    let file = writable(folder.path());
    (folder, file)
}

fn writable(folder: &Path) -> StoreFile {
    open(&options(folder, Access::Write)).unwrap().into_writable().unwrap()
}

fn options(folder: &Path, access: Access) -> Options {
    Options::new(folder.join("a.redb"), access)
}

fn log_in(folder: &Path) -> PathBuf {
    folder.join("a.redb-wal")
}

/// The files as a crash at this moment would leave them.
fn crashed(folder: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

fn total(folder: &Path, access: Access) -> u64 {
    open(&options(folder, access)).unwrap().view().unwrap().stats().total
}

fn made(file: &mut StoreFile, text: &str) -> Message {
    match file.commit(vec![create(text)], Durability::Tables).unwrap().answers.remove(0) {
        Ok(Answer::Done(message)) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn readers_have_what_only_the_log_holds() {
    let (folder, mut file) = new();
    made(&mut file, "in the tables");
    file.commit(vec![create("in the log")], Durability::Log).unwrap();
    let crash = crashed(folder.path());
    assert_eq!(total(crash.path(), Access::Read), 2);
    // Tables that were closed, beside a log that goes beyond them.
    let closed = TempDir::new().unwrap();
    let mut first = writable(closed.path());
    made(&mut first, "in the tables");
    first.close().unwrap();
    let copy = crashed(closed.path());
    let mut second = writable(closed.path());
    second.commit(vec![create("in the log")], Durability::Log).unwrap();
    fs::copy(log_in(closed.path()), log_in(copy.path())).unwrap();
    assert_eq!(total(copy.path(), Access::Read), 2);
    assert_eq!(total(copy.path(), Access::Read), 2);
}

#[test]
fn a_log_that_does_not_follow_an_older_copy_is_set_aside_for_good() {
    let (folder, mut file) = new();
    made(&mut file, "old");
    let older = crashed(folder.path());
    made(&mut file, "new");
    file.commit(vec![create("newer")], Durability::Log).unwrap();
    fs::copy(log_in(folder.path()), log_in(older.path())).unwrap();
    assert_eq!(total(older.path(), Access::Write), 1);
    assert!(!log_in(older.path()).exists());
    let names = fs::read_dir(older.path()).unwrap().flatten().map(|entry| entry.file_name());
    assert_eq!(
        names
            .filter(|name| name.to_string_lossy().starts_with("a.redb-wal.does-not-follow."))
            .count(),
        1
    );
    let mut file = writable(older.path());
    made(&mut file, "another");
    drop(file);
    assert_eq!(total(older.path(), Access::Write), 2);
}

#[test]
fn without_a_log_the_tables_hold_everything_at_once() {
    let (folder, mut file) = new();
    fs::create_dir(log_in(folder.path())).unwrap();
    file.commit(vec![create("x")], Durability::Log).unwrap();
    let copy = TempDir::new().unwrap();
    fs::copy(folder.path().join("a.redb"), copy.path().join("a.redb")).unwrap();
    assert_eq!(total(copy.path(), Access::Read), 1);
    fs::remove_dir(log_in(folder.path())).unwrap();
    file.commit(vec![create("y")], Durability::Log).unwrap();
    assert_eq!(total(crashed(folder.path()).path(), Access::Read), 2);
}

#[test]
fn messages_come_back_to_their_own_places_by_an_import() {
    let (folder, mut file) = new();
    let mut all = vec![made(&mut file, "0")];
    let older = crashed(folder.path());
    all.extend((1..6).map(|n| made(&mut file, &n.to_string())));
    // Some were deleted, and one is told out of turn.
    let exported = vec![all[4].clone(), all[2].clone(), all[5].clone()];
    let mut file = writable(older.path());
    let answers = |file: &mut StoreFile| {
        let messages = exported.clone();
        file.commit(vec![Command::Import { messages }], Durability::Tables).unwrap().answers
    };
    assert_eq!(answers(&mut file), [Ok(Answer::Imported { new: 3, known: 0 })]);
    assert_eq!(answers(&mut file), [Ok(Answer::Imported { new: 0, known: 3 })]);
    let view = file.view().unwrap();
    for message in exported {
        assert_eq!(view.by_id(message.id).unwrap().as_ref(), Some(&message));
    }
    assert!(check::check(&view).unwrap().findings.is_empty());
    assert_eq!(made(&mut file, "next").seq, 7);
}

#[test]
fn a_place_that_is_taken_is_no_ones_else() {
    let (_folder, mut file) = new();
    let own = made(&mut file, "ours");
    file.commit(vec![Command::Delete { id: own.id }], Durability::Tables).unwrap();
    let next = made(&mut file, "next");
    let mut foreign = next.clone();
    foreign.id = uuid::Uuid::from_u128(7);
    let (_folder, mut other) = new_like(&file);
    // The other one has something else where ours would go.
    let import = |messages| vec![Command::Import { messages }];
    other.commit(import(vec![foreign.clone()]), Durability::Tables).unwrap();
    other.commit(import(vec![own.clone()]), Durability::Tables).unwrap();
    let view = other.view().unwrap();
    for message in [own, foreign] {
        let found = view.by_id(message.id).unwrap().unwrap();
        assert_eq!((found.id, &*found.content), (message.id, &*message.content));
        assert_eq!(view.seq_of(message.id).unwrap(), Some(found.seq));
    }
}

/// An empty store whose IDs are those of another.
fn new_like(file: &StoreFile) -> (TempDir, StoreFile) {
    let (folder, mut like) = new();
    like.context = file.context.clone();
    (folder, like)
}

fn received(text: &str, own: bool) -> Inbound {
    Inbound {
        platform: "qq".into(),
        account: "1".into(),
        conversation: "group_1".into(),
        conversation_name: None,
        sender: Sender { id: "2".into(), name: "Ann".into() },
        message_type: MessageType::Text,
        content: text.into(),
        external_id: text.into(),
        time: 1_700_000_000,
        own,
        from_history: false,
        original: None,
    }
}

fn receive(text: &str, own: bool) -> Command {
    Command::Receive { received: Box::new(received(text, own)), at: 1_700_000_001, can_wait: false }
}

#[test]
fn what_a_batch_did_is_known_to_the_rest_of_it() {
    let (_folder, mut file) = new();
    let sending = made(&mut file, "hello");
    file.commit(
        vec![Command::Claim { seqs: vec![sending.seq], account: None, at: 1 }],
        Durability::Tables,
    )
    .unwrap();
    let again = Outcome::Retry { reason: "it is silent".into(), is_uncertain: true };
    let (platform, conversation) = ("qq".to_owned(), "group_9".to_owned());
    let mut elsewhere = received("first", false);
    elsewhere.conversation.clone_from(&conversation);
    let commands = vec![
        Command::RecordOutcome { seq: sending.seq, outcome: again, at: 1_700_000_000 },
        receive("hello", true),
        Command::Receive { received: Box::new(elsewhere), at: 3, can_wait: false },
        Command::Name { platform, conversation, name: "Nine".into() },
    ];
    file.commit(commands, Durability::Tables).unwrap();
    let view = file.view().unwrap();
    assert_eq!(view.by_id(sending.id).unwrap().unwrap().status, Status::Sent);
    assert_eq!(view.stats().total, 2, "the echo is no message of its own");
    let named = view.conversation("qq", "group_9").unwrap().unwrap();
    assert_eq!(named.name.as_deref(), Some("Nine"));
}

#[test]
fn a_damaged_record_refuses_only_what_meets_it() {
    let (_folder, mut file) = new();
    let damaged = made(&mut file, "to be damaged");
    let txn = file.database.begin_write().unwrap();
    txn.open_table(tables::MESSAGES).unwrap().insert(damaged.seq, &b"\xff"[..]).unwrap();
    txn.commit().unwrap();
    let claim = Command::Claim { seqs: vec![damaged.seq], account: None, at: 1 };
    let delete = Command::Delete { id: damaged.id };
    let answers = file.commit(vec![claim, create("x"), delete], Durability::Log).unwrap().answers;
    let is_done: Vec<_> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(is_done, [false, true, false]);
    assert_eq!(file.view().unwrap().stats().total, 2);
}

#[test]
fn what_a_copy_and_its_original_made_apart_is_all_kept() {
    let (folder, mut original) = new();
    made(&mut original, "in both");
    let copy = crashed(folder.path());
    let ours = made(&mut original, "ours");
    let mut copy = writable(copy.path());
    let theirs = made(&mut copy, "theirs");
    assert_eq!(ours.seq, theirs.seq, "they have the same place");
    assert_ne!(ours.id, theirs.id, "and are told apart");
    for (new, known) in [(1, 0), (0, 1)] {
        let import = Command::Import { messages: vec![theirs.clone()] };
        let answers = original.commit(vec![import], Durability::Tables).unwrap().answers;
        assert_eq!(answers, [Ok(Answer::Imported { new, known })]);
    }
    let page = Page { offset: 0, limit: 10, before: None };
    let all = original.view().unwrap().list(&Filter::default(), page).unwrap();
    let texts: Vec<_> = all.iter().map(|message| &*message.content).collect();
    assert_eq!(texts, ["theirs", "ours", "in both"]);
}
