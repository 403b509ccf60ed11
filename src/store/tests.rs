//! Tests of batches and logs on real files.

use super::file::{Durability, StoreFile};
use super::open::open;
use super::*;
use crate::model::change::{Inbound, Outcome};
use crate::model::content::{Content, Segment};
use crate::model::event::AdapterState;
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
        assert_eq!((found.id, found.content), (message.id, message.content.clone()));
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
        content: text.into(),
        reply_to: None,
        external_id: text.into(),
        time: 1_700_000_000,
        own,
        from_history: false,
        original: None,
        fingerprint: None,
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
fn a_batch_routes_by_what_came_earlier_in_it() {
    let (_folder, mut file) = new();
    let nameless = || {
        let draft = Draft::new(MessageType::Text, "x".into(), "group_1".into(), None).unwrap();
        Command::Create { draft, at: 1, idempotency: None, facts: RoutingFacts::default() }
    };
    let commands = vec![nameless(), receive("hello", false), nameless()];
    let answers = file.commit(commands, Durability::Tables).unwrap().answers;
    let platforms: Vec<_> = answers
        .into_iter()
        .map(|answer| match answer {
            Ok(Answer::Done(message)) => message.platform,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(platforms, [None, Some("qq".to_owned()), Some("qq".to_owned())]);
    let before = file.view().unwrap().cursor().offset;
    let see = Command::SeePlatform { platform: "qq".into(), kind: "onebot11".into() };
    file.commit(vec![nameless(), see.clone(), see], Durability::Tables).unwrap();
    assert_eq!(file.view().unwrap().cursor().offset, before + 2, "it is seen once");
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
fn a_claim_leaves_out_what_is_damaged_and_ends_before_what_may_have_gone_out() {
    let (_folder, mut file) = new();
    let seqs: Vec<_> = (0..5).map(|_| made(&mut file, "x").seq).collect();
    let claim = |seqs: &[u64]| Command::Claim { seqs: seqs.to_vec(), account: None, at: 1 };
    let outcome = Outcome::Retry { reason: "no answer".into(), is_uncertain: true };
    let retry = Command::RecordOutcome { seq: seqs[3], outcome, at: 2 };
    file.commit(vec![claim(&seqs[3..4]), retry], Durability::Tables).unwrap();
    let txn = file.database.begin_write().unwrap();
    txn.open_table(tables::MESSAGES).unwrap().insert(seqs[1], &b"\xff"[..]).unwrap();
    txn.commit().unwrap();
    let claims = vec![claim(&seqs), claim(&seqs[3..])];
    let answers = file.commit(claims, Durability::Log).unwrap().answers;
    let claimed: Vec<Vec<_>> = answers
        .into_iter()
        .map(|answer| match answer {
            Ok(Answer::Claimed(claimed)) => claimed.iter().map(|message| message.seq).collect(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(claimed, [vec![seqs[0], seqs[2]], vec![seqs[3], seqs[4]]]);
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
    let texts: Vec<_> = all.iter().map(|message| message.content.readable()).collect();
    assert_eq!(texts, ["theirs", "ours", "in both"]);
}

/// The rows of every table, as they lie there.
fn dump(file: &StoreFile) -> Vec<(String, Vec<String>)> {
    use redb::ReadableTable;
    fn rows<K: redb::Key + 'static, V: redb::Value + 'static>(
        txn: &redb::ReadTransaction,
        table: redb::TableDefinition<'static, K, V>,
    ) -> (String, Vec<String>) {
        let name = redb::TableHandle::name(&table).to_owned();
        let table = txn.open_table(table).unwrap();
        let row = |row: std::result::Result<_, redb::StorageError>| {
            let (key, value): (redb::AccessGuard<'_, K>, redb::AccessGuard<'_, V>) = row.unwrap();
            format!("{:?} {:?}", key.value(), value.value())
        };
        (name, table.iter().unwrap().map(row).collect())
    }
    let txn = redb::ReadableDatabase::begin_read(&file.database).unwrap();
    vec![
        rows(&txn, tables::MESSAGES),
        rows(&txn, tables::FOREIGN_IDS),
        rows(&txn, tables::POSTINGS),
        rows(&txn, tables::PLATFORMS),
        rows(&txn, tables::CONVERSATIONS),
        rows(&txn, tables::NEWEST),
        rows(&txn, tables::LATE),
        rows(&txn, tables::KEYS),
        rows(&txn, tables::KEYS_BY_AGE),
        rows(&txn, tables::SEEN),
        rows(&txn, tables::SENT),
        rows(&txn, tables::JOURNAL),
        rows(&txn, tables::EPOCHS),
        rows(&txn, tables::QUARANTINE),
        rows(&txn, tables::REQUESTS),
        rows(&txn, tables::ADAPTER_STATE),
        rows(&txn, tables::META),
    ]
}

fn commit(file: &mut StoreFile, command: Command, durability: Durability) -> Answer {
    file.commit(vec![command], durability).unwrap().answers.remove(0).unwrap()
}

/// Something of every kind, by the log.
fn do_everything(file: &mut StoreFile) {
    let mut log = |command| commit(file, command, Durability::Log);
    let key = Some(Idempotency::new("key", "body"));
    let draft = Draft::new(MessageType::Text, "keyed".into(), "group_2".into(), None).unwrap();
    let Answer::Done(keyed) =
        log(Command::Create { draft, at: 5, idempotency: key, facts: RoutingFacts::default() })
    else {
        panic!()
    };
    log(create("one"));
    log(create("two"));
    log(receive("three", false));
    let facts = RoutingFacts { default_platform: Some("qq".into()), ..RoutingFacts::default() };
    log(Command::Route { messages: vec![(keyed.seq, facts)], at: 6 });
    log(Command::SeePlatform { platform: "qq".into(), kind: "onebot11".into() });
    log(Command::Claim { seqs: vec![1, 2, 3], account: None, at: 7 });
    let sent = Outcome::Sent {
        account: Some("1".into()),
        external_id: Some("e".into()),
        is_unconfirmed: false,
    };
    log(Command::RecordOutcome { seq: 2, outcome: sent, at: 8 });
    let again = Outcome::Retry { reason: "silent".into(), is_uncertain: true };
    log(Command::RecordOutcome { seq: 3, outcome: again, at: 1_700_000_000 });
    log(receive("two", true));
    log(Command::SetStatus { id: keyed.id, status: Status::Canceled, at: 9 });
    let (platform, conversation) = ("qq".to_owned(), "group_1".to_owned());
    log(Command::Name { platform, conversation, name: "One".into() });
    log(Command::SetConversation {
        platform: "qq".into(),
        conversation: "group_1".into(),
        read_to: Some(u64::MAX),
        muted: Some(true),
        pinned: None,
    });
    log(Command::Delete { id: keyed.id });
    let (inbound, reason) = (Box::new(received("four", false)), "it is too large".to_owned());
    log(Command::SetAside { inbound: inbound.clone(), reason: reason.clone(), at: 10 });
    log(Command::SetAside { inbound, reason, at: 10 });
    let first = file.view().unwrap().quarantine().unwrap()[0].offset;
    commit(file, Command::Release { offset: first }, Durability::Log);
    let mut foreign = received("five", false).into_message(9, uuid::Uuid::from_u128(77), 11);
    foreign.conversation_name = Some("Five".into());
    commit(file, Command::Import { messages: vec![foreign] }, Durability::Log);
    let kept = |key: &str, value| {
        let (adapter, key) = ("ilink".to_owned(), key.to_owned());
        Command::KeepState { state: Box::new(AdapterState { adapter, key, value }) }
    };
    let all = vec![
        receive("six", false),
        kept("cursor", Some(vec![1])),
        kept("other", Some(vec![2])),
        kept("other", None),
    ];
    commit(file, Command::Together(all), Durability::Log);
    commit(file, Command::Trim { marks_before: 1_600_000_000 }, Durability::Log);
}

#[test]
fn the_same_events_make_the_same_tables() {
    let (_folder, mut file) = new();
    let (_other_folder, other) = new_like(&file);
    do_everything(&mut file);
    let batches = file.log.read(1).unwrap().batches;
    assert!(batches.len() > 15, "{}", batches.len());
    for batch in batches {
        let txn = other.database.begin_write().unwrap();
        file::apply(&txn, &other.context, batch).unwrap();
        txn.commit().unwrap();
    }
    let (ours, theirs) = (dump(&file), dump(&other));
    for ((table, ours), (_, theirs)) in ours.iter().zip(&theirs) {
        // Two stores have two keys.
        let is_key = |row: &&String| row.contains("\"id ");
        let kept =
            |rows: &[String]| rows.iter().filter(|row| !is_key(row)).cloned().collect::<Vec<_>>();
        assert_eq!(kept(ours), kept(theirs), "{table}");
    }
    let report = check::check(&other.view().unwrap()).unwrap();
    assert_eq!(report.findings, [""; 0]);
    assert_eq!(report.set_aside.len(), 1);
}

#[test]
fn what_happened_is_kept_in_order_and_told_to_who_comes_back() {
    let (folder, mut file) = new();
    do_everything(&mut file);
    drop(file);
    let opened = open(&options(folder.path(), Access::Read)).unwrap();
    let view = opened.view().unwrap();
    let all = view.journal(0, 100).unwrap().unwrap();
    let created = |entry: &&JournalEntry| matches!(entry.entry, Entry::Created { .. });
    assert_eq!(all.iter().filter(created).count(), 6);
    let deleted = all.iter().filter_map(|entry| match &entry.entry {
        Entry::Deleted { seq, platform, conversation, .. } => {
            Some((*seq, platform.as_deref(), conversation.as_str()))
        }
        _ => None,
    });
    assert_eq!(deleted.collect::<Vec<_>>(), [(1, Some("qq"), "group_2")]);
    let named = all.iter().any(|entry| matches!(entry.entry, Entry::ConversationChanged { .. }));
    assert!(named && all.is_sorted_by(|a, b| a.offset < b.offset));
    // In pieces it is the same.
    let mut pieces: Vec<JournalEntry> = Vec::new();
    loop {
        let after = pieces.last().map_or(0, |entry| entry.offset);
        let next = view.journal(after, 2).unwrap().unwrap();
        if next.is_empty() {
            break;
        }
        pieces.extend(next);
    }
    assert_eq!(pieces, all);
}

#[test]
fn what_an_adapter_keeps_lies_with_its_messages_and_in_no_copy() {
    let (folder, mut file) = new();
    let kept = |value: u8| {
        let (adapter, key) = ("ilink".to_owned(), "cursor".to_owned());
        let state = AdapterState { adapter, key, value: Some(vec![value]) };
        Command::KeepState { state: Box::new(state) }
    };
    commit(&mut file, kept(1), Durability::Tables);
    let Answer::Together(answers) = commit(
        &mut file,
        Command::Together(vec![receive("a", false), receive("a", false), kept(2)]),
        Durability::Log,
    ) else {
        panic!()
    };
    assert!(matches!(
        answers[..],
        [Ok(Answer::Done(_)), Ok(Answer::Repeated(_)), Ok(Answer::Noted)]
    ));
    let file = writable(crashed(folder.path()).path());
    let view = file.view().unwrap();
    assert_eq!(view.adapter_state("ilink").unwrap(), [("cursor".to_owned(), vec![2])]);
    assert_eq!(view.adapter_state("ilin").unwrap(), []);
    let copied = TempDir::new().unwrap();
    view.copy_to(&copied.path().join("a.redb")).unwrap();
    let copy = writable(copied.path());
    assert_eq!(copy.view().unwrap().adapter_state("ilink").unwrap(), []);
    assert_eq!(copy.view().unwrap().stats().total, 1);
}

#[test]
fn a_message_of_a_batch_that_cannot_be_stored_is_set_aside_in_the_same_commit() {
    let (_folder, mut file) = new();
    commit(&mut file, receive("a", false), Durability::Tables);
    damage(&file, tables::CONVERSATIONS, &("qq", "group_1"));
    let state = AdapterState { adapter: "x".into(), key: "k".into(), value: Some(vec![7]) };
    let all = vec![receive("b", false), Command::KeepState { state: Box::new(state) }];
    let Answer::Together(answers) = commit(&mut file, Command::Together(all), Durability::Tables)
    else {
        panic!()
    };
    assert!(matches!(answers[..], [Err(Error::Damaged(_)), Ok(Answer::Noted)]), "{answers:?}");
    let view = file.view().unwrap();
    assert_eq!(view.quarantine().unwrap()[0].inbound.content.readable(), "b");
    assert_eq!(view.adapter_state("x").unwrap().len(), 1);
}

#[test]
fn a_message_that_comes_again_under_another_id_is_known_by_its_fingerprint() {
    let (_folder, mut file) = new();
    let told = |id: &str, account: &str, print: &str| {
        let received = Inbound {
            external_id: id.into(),
            account: account.into(),
            fingerprint: Some(print.into()),
            ..received("same text", false)
        };
        Command::Receive { received: Box::new(received), at: 1_700_000_001, can_wait: false }
    };
    let mut tell =
        |id, account, print| commit(&mut file, told(id, account, print), Durability::Log);
    assert!(matches!(tell("1", "a", "p"), Answer::Done(_)));
    assert!(matches!(tell("2", "a", "p"), Answer::Repeated(_)));
    assert!(matches!(tell("3", "b", "p"), Answer::Repeated(_)), "after another log-in");
    assert!(matches!(tell("4", "a", "q"), Answer::Done(_)));
}

#[test]
fn a_cursor_holds_over_restarts_and_in_no_other_life_of_the_store() {
    let (folder, mut file) = new();
    made(&mut file, "1");
    let early = file.view().unwrap().cursor();
    file.close().unwrap();
    let copy = crashed(folder.path());
    let mut file = writable(folder.path());
    made(&mut file, "2");
    let late = file.view().unwrap().cursor();
    assert_ne!(early.epoch, late.epoch);
    let view = file.view().unwrap();
    assert_eq!(view.offset_of(early).unwrap(), Some(early.offset));
    assert_eq!(view.offset_of(late).unwrap(), Some(late.offset));
    let beyond = crate::model::cursor::Cursor { offset: late.offset + 1, ..late };
    assert_eq!(view.offset_of(beyond).unwrap(), None);
    // The copy goes on by itself, to the same offset.
    let mut copy = writable(copy.path());
    made(&mut copy, "other");
    let view = copy.view().unwrap();
    assert_eq!(view.cursor().offset, late.offset);
    assert_eq!(view.offset_of(early).unwrap(), Some(early.offset));
    assert_eq!(view.offset_of(late).unwrap(), None);
}

#[test]
fn the_log_keeps_its_epoch_over_a_crash() {
    let (folder, mut file) = new();
    made(&mut file, "1");
    commit(&mut file, create("2"), Durability::Log);
    let cursor = file.view().unwrap().cursor();
    let mut again = writable(crashed(folder.path()).path());
    assert_eq!(again.view().unwrap().cursor(), cursor);
    made(&mut again, "3");
    assert_eq!(again.view().unwrap().offset_of(cursor).unwrap(), Some(cursor.offset));
}

#[test]
fn the_id_of_a_deleted_message_is_known_only_where_it_was_given() {
    let (folder, mut file) = new();
    made(&mut file, "0");
    let copy = crashed(folder.path());
    let mut copy = writable(copy.path());
    for file in [&mut file, &mut copy] {
        let message = made(file, "deleted");
        commit(file, Command::Delete { id: message.id }, Durability::Tables);
        assert_eq!(file.view().unwrap().seq_of(message.id).unwrap(), Some(message.seq));
    }
    let theirs = made(&mut copy, "theirs");
    made(&mut file, "ours");
    assert_eq!(file.view().unwrap().seq_of(theirs.id).unwrap(), None);
}

#[test]
fn a_damaged_record_of_the_log_loses_only_itself_and_is_kept() {
    let (folder, mut file) = new();
    made(&mut file, "in the tables");
    for n in 0..5 {
        commit(&mut file, create(&format!("in the log {n}")), Durability::Log);
    }
    let crash = crashed(folder.path());
    let log = log_in(crash.path());
    let mut bytes = fs::read(&log).unwrap();
    let at = bytes.windows(12).position(|text| text == b"in the log 2").unwrap();
    bytes[at] ^= 1;
    fs::write(&log, bytes).unwrap();
    let file = writable(crash.path());
    let page = Page { offset: 0, limit: 10, before: None };
    let left = file.view().unwrap().list(&Filter::default(), page).unwrap();
    let texts: Vec<_> = left.iter().map(|message| message.content.readable()).collect();
    assert_eq!(
        texts,
        ["in the log 4", "in the log 3", "in the log 1", "in the log 0", "in the tables"]
    );
    assert_eq!(kept_logs(crash.path(), "damaged"), 1);
    assert_eq!(check::check(&file.view().unwrap()).unwrap().findings, [""; 0]);
}

/// How many logs are kept beside a store, for this reason.
fn kept_logs(folder: &Path, why: &str) -> usize {
    let names = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.file_name());
    names.filter(|name| name.to_string_lossy().starts_with(&format!("a.redb-wal.{why}."))).count()
}

#[test]
fn a_log_without_a_record_of_this_store_is_kept() {
    let (folder, mut file) = new();
    made(&mut file, "in the tables");
    commit(&mut file, create("in the log"), Durability::Log);
    let of_another = fs::read(log_in(crashed(folder.path()).path())).unwrap();
    let noise: Vec<u8> = (0..100_000_u64).map(|n| (n * n / 7) as u8).collect();
    for log in [of_another, noise] {
        let (folder, mut file) = new();
        made(&mut file, "stays");
        file.close().unwrap();
        fs::write(log_in(folder.path()), log).unwrap();
        let file = writable(folder.path());
        assert_eq!(file.view().unwrap().stats().total, 1);
        assert_eq!(kept_logs(folder.path(), "foreign"), 1);
        file.close().unwrap();
        writable(folder.path());
        assert_eq!(kept_logs(folder.path(), "foreign"), 1, "it is told once");
    }
}

/// Changes a row behind the store's back.
fn damage<K: redb::Key + 'static>(
    file: &StoreFile,
    table: redb::TableDefinition<'static, K, &'static [u8]>,
    key: &K::SelfType<'_>,
) {
    let txn = file.database.begin_write().unwrap();
    {
        let mut table = txn.open_table(table).unwrap();
        let mut bytes = redb::ReadableTable::get(&table, key).unwrap().unwrap().value().to_vec();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        table.insert(key, bytes.as_slice()).unwrap();
    }
    txn.commit().unwrap();
}

#[test]
fn a_damaged_row_of_an_index_or_a_conversation_stops_only_what_meets_it() {
    let elsewhere = |text: &str| {
        let draft = Draft::new(MessageType::Text, text.into(), "group_9".into(), Some("tg".into()));
        Command::Create {
            draft: draft.unwrap(),
            at: 1,
            idempotency: None,
            facts: RoutingFacts::default(),
        }
    };
    for is_index in [true, false] {
        let (_folder, mut file) = new();
        made(&mut file, "here");
        commit(&mut file, elsewhere("there"), Durability::Tables);
        let row = file.view().unwrap().conversation_row("qq", "group_1").unwrap().unwrap();
        if is_index {
            damage(&file, tables::POSTINGS, &row.term.row(0));
        } else {
            damage(&file, tables::CONVERSATIONS, &("qq", "group_1"));
        }
        let commands = vec![create("refused"), elsewhere("taken"), receive("refused", false)];
        let answers = file.commit(commands, Durability::Tables).unwrap().answers;
        let is_done: Vec<_> = answers.iter().map(Result::is_ok).collect();
        assert_eq!(is_done, [false, true, false]);
        let named = if is_index { "index row" } else { "qq/group_1" };
        let error = answers[0].clone().unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
        let findings = check::check(&file.view().unwrap()).unwrap().findings;
        assert!(findings.iter().any(|finding| finding.contains(named)), "{findings:?}");
        assert_eq!(file.view().unwrap().stats().total, 3, "nothing of what was refused is there");
    }
}

#[test]
fn counters_that_are_damaged_are_counted_again() {
    let (folder, mut file) = new();
    do_everything(&mut file);
    let last = made(&mut file, "last");
    commit(&mut file, Command::Delete { id: last.id }, Durability::Tables);
    let (stats, cursor) = (file.view().unwrap().stats(), file.view().unwrap().cursor());
    damage(&file, tables::META, &"counters");
    file.close().unwrap();
    assert_eq!(total(folder.path(), Access::Read), stats.total, "for readers, too");
    let mut file = writable(folder.path());
    let view = file.view().unwrap();
    assert_eq!((view.stats(), view.cursor()), (stats, cursor));
    assert_eq!(made(&mut file, "goes on").seq, last.seq + 1, "nothing is given twice");
    assert_eq!(check::check(&file.view().unwrap()).unwrap().findings, [""; 0]);
}

#[test]
fn what_the_log_holds_follows_counters_that_were_counted_again() {
    let (folder, mut file) = new();
    made(&mut file, "in the tables");
    file.close().unwrap();
    let tables = fs::read(folder.path().join("a.redb")).unwrap();
    let mut file = writable(folder.path());
    commit(&mut file, create("in the log"), Durability::Log);
    let log = fs::read(log_in(folder.path())).unwrap();
    drop(file);
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.redb"), tables).unwrap();
    let file = writable(folder.path());
    damage(&file, tables::META, &"counters");
    file.close().unwrap();
    fs::write(log_in(folder.path()), log).unwrap();
    let file = writable(folder.path());
    assert_eq!(file.view().unwrap().stats().total, 2);
    assert_eq!(check::check(&file.view().unwrap()).unwrap().findings, [""; 0]);
}

#[test]
fn lists_and_lanes_pass_over_a_damaged_message() {
    let (folder, mut file) = new();
    let damaged = made(&mut file, "1");
    made(&mut file, "2");
    damage(&file, tables::MESSAGES, &damaged.seq);
    let view = file.view().unwrap();
    let page = Page { offset: 0, limit: 10, before: None };
    let filter = Filter { platform: Some("qq".into()), ..Filter::default() };
    for filter in [filter, Filter::default()] {
        assert_eq!(view.list(&filter, page).unwrap().len(), 1);
    }
    assert_eq!(view.pending(Some("qq"), "group_1", 10).unwrap().len(), 1);
    assert_eq!(view.outbound(Status::Pending).unwrap().count(), 1);
    let copy = view.copy_to(&folder.path().join("copy.redb"));
    assert!(copy.is_err_and(|error| error.to_string().contains("message 1 is damaged")));
}

#[test]
fn what_is_old_is_forgotten_and_no_more() {
    let (folder, mut file) = new();
    let mut options = options(folder.path(), Access::Write);
    let message = made(&mut file, "emptied");
    commit(&mut file, receive("seen", false), Durability::Tables);
    let cursor = file.view().unwrap().cursor();
    file.close().unwrap();
    options.journal_events = 3;
    let mut file = open(&options).unwrap().into_writable().unwrap();
    commit(&mut file, Command::Delete { id: message.id }, Durability::Tables);
    for n in 0..5 {
        let draft = Draft::new(MessageType::Text, n.to_string(), "group_2".into(), None).unwrap();
        let create =
            Command::Create { draft, at: 1, idempotency: None, facts: RoutingFacts::default() };
        commit(&mut file, create, Durability::Tables);
    }
    let is_known = |file: &mut StoreFile| {
        let answer = commit(file, receive("seen", false), Durability::Tables);
        matches!(answer, Answer::Repeated(_))
    };
    let trim = |file: &mut StoreFile, marks_before| {
        while commit(file, Command::Trim { marks_before }, Durability::Tables) == Answer::Noted {}
    };
    trim(&mut file, 1_700_000_000);
    assert!(is_known(&mut file), "it is of that time, not before it");
    let view = file.view().unwrap();
    assert_eq!(view.offset_of(cursor).unwrap(), None, "events after it are not kept");
    assert_eq!(view.journal(cursor.offset, 10).unwrap(), None);
    let all = view.journal(view.counters().kept_from, 10).unwrap().unwrap();
    assert_eq!(all.len(), 2, "the newest are kept");
    trim(&mut file, 1_700_000_001);
    assert!(!is_known(&mut file));
    assert_eq!(check::check(&file.view().unwrap()).unwrap().findings, [""; 0]);
}

#[test]
fn an_emptied_conversation_is_listed_no_more_and_forgotten_later() {
    let (_folder, mut file) = new();
    let message = made(&mut file, "x");
    let all = ConversationQuery::default();
    assert_eq!(file.view().unwrap().conversations(&all).unwrap().len(), 1);
    commit(&mut file, Command::Delete { id: message.id }, Durability::Tables);
    let view = file.view().unwrap();
    assert_eq!(view.conversations(&all).unwrap(), []);
    assert_eq!(view.conversation("qq", "group_1").unwrap(), None);
    assert!(view.conversation_row("qq", "group_1").unwrap().is_some());
    commit(&mut file, Command::Trim { marks_before: 0 }, Durability::Tables);
    assert_eq!(file.view().unwrap().conversation_row("qq", "group_1").unwrap(), None);
    made(&mut file, "again");
    assert_eq!(file.view().unwrap().conversations(&all).unwrap().len(), 1);
    assert_eq!(check::check(&file.view().unwrap()).unwrap().findings, [""; 0]);
}

#[test]
fn claims_are_told_by_their_owner() {
    let (folder, mut file) = new();
    let first = made(&mut file, "1");
    commit(
        &mut file,
        Command::Claim { seqs: vec![first.seq], account: None, at: 1 },
        Durability::Tables,
    );
    file.close().unwrap();
    let mut options = options(folder.path(), Access::Write);
    options.owner = "other".into();
    let mut file = open(&options).unwrap().into_writable().unwrap();
    let second = made(&mut file, "2");
    commit(
        &mut file,
        Command::Claim { seqs: vec![second.seq], account: None, at: 1 },
        Durability::Tables,
    );
    let view = file.view().unwrap();
    let of =
        |owner| view.claimed_by(owner).unwrap().map(|found| found.unwrap().seq).collect::<Vec<_>>();
    assert_eq!((of("main"), of("other"), of("third")), (vec![1], vec![2], vec![]));
    let again = Outcome::NotAttempted;
    commit(&mut file, Command::RecordOutcome { seq: 2, outcome: again, at: 2 }, Durability::Tables);
    assert_eq!(file.view().unwrap().by_seq(2).unwrap().unwrap().owner, None);
}

/// A file of version 0.2, as its release left it.
fn unpack_fixture(name: &str, to: &Path) {
    let packed = fs::read(format!("tests/fixtures/store/{name}.gz")).unwrap();
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut bytes).unwrap();
    fs::write(to, bytes).unwrap();
}

/// Messages that version 0.2 exported of it, by ID.
fn exported(of: &str) -> Vec<serde_json::Value> {
    let all = fs::read("tests/fixtures/store/0.2.0.json").unwrap();
    let all: serde_json::Value = serde_json::from_slice(&all).unwrap();
    let strip = |message: &serde_json::Value| {
        let mut message = message.clone();
        for beside in ["seq", "external_id", "original"] {
            message.as_object_mut().unwrap().remove(beside);
        }
        message
    };
    all[of].as_array().unwrap().iter().map(strip).collect()
}

fn by_id(folder: &Path, access: Access) -> Vec<serde_json::Value> {
    let opened = open(&options(folder, access)).unwrap();
    let view = opened.view().unwrap();
    assert_eq!(check::check(&view).unwrap().findings, [""; 0]);
    let messages =
        view.after(0).unwrap().map(|message| serde_json::to_value(message.unwrap()).unwrap());
    let mut messages: Vec<_> = messages.collect();
    // Version 0.2 had none.
    for message in &mut messages {
        message.as_object_mut().unwrap().remove("segments");
    }
    messages.sort_by_key(|message| message["id"].as_str().unwrap().to_owned());
    messages
}

#[test]
fn a_store_of_version_0_2_is_brought_up_to_date() {
    let folder = TempDir::new().unwrap();
    unpack_fixture("0.2.0-closed.redb", &folder.path().join("a.redb"));
    assert_eq!(by_id(folder.path(), Access::Read), exported("closed"));
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().collect();
    assert_eq!(names.len(), 1, "no copy stays: {names:?}");
    let mut file = writable(folder.path());
    // Its messages and keys are known.
    let key = Some(Idempotency::new("k1", "another body"));
    let draft = Draft::new(MessageType::Text, "x".into(), "group_1".into(), None).unwrap();
    let answer = commit(
        &mut file,
        Command::Create {
            draft,
            at: crate::clock::now(),
            idempotency: key,
            facts: RoutingFacts::default(),
        },
        Durability::Tables,
    );
    assert!(matches!(answer, Answer::KeyTaken | Answer::Done(_)), "{answer:?}");
    let conversation = file.view().unwrap().conversation("qq", "group_77").unwrap().unwrap();
    assert_eq!(conversation.account.as_deref(), Some("1"));
}

#[test]
fn the_log_of_version_0_2_is_carried_out_and_the_ids_it_gave_stay() {
    let folder = TempDir::new().unwrap();
    let unpack = |folder: &Path| {
        unpack_fixture("0.2.0-killed.redb", &folder.join("a.redb"));
        unpack_fixture("0.2.0-killed.redb-wal", &folder.join("a.redb-wal"));
    };
    unpack(folder.path());
    assert_eq!(by_id(folder.path(), Access::Write), exported("killed"));
    // Killed after it was done, before the old log was taken away.
    unpack_fixture("0.2.0-killed.redb-wal", &folder.path().join("a.redb-wal"));
    assert_eq!(by_id(folder.path(), Access::Write), exported("killed"));
    assert!(!log_in(folder.path()).exists());
    // Killed before it was done: a copy lies there, perhaps half of one.
    let folder = TempDir::new().unwrap();
    unpack(folder.path());
    fs::write(folder.path().join("a.redb.before-0.3"), "half").unwrap();
    assert_eq!(by_id(folder.path(), Access::Write), exported("killed"));
}

#[test]
fn check_finds_every_flipped_bit_that_matters() {
    let (folder, mut file) = new();
    do_everything(&mut file);
    for n in 0..200 {
        made(&mut file, &format!("message {n} {}", "x".repeat(n)));
    }
    let wanted = dump(&file);
    file.close().unwrap();
    let whole = fs::read(folder.path().join("a.redb")).unwrap();
    let mut luck = 88_172_645_463_325_252_u64;
    let mut found = 0;
    for _ in 0..200 {
        luck ^= luck << 13;
        luck ^= luck >> 7;
        luck ^= luck << 17;
        let mut bytes = whole.clone();
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() as u64;
        bytes[(luck >> 8) as usize % used as usize] ^= 1 << (luck % 8);
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("a.redb"), bytes).unwrap();
        match check::check_file(&options(folder.path(), Access::Read)) {
            Ok(report) if report.findings.is_empty() => {
                assert!(dump(&writable(folder.path())) == wanted, "a flipped bit was not found");
            }
            _ => found += 1,
        }
    }
    assert!(found > 20, "only {found} were found; too few to say anything");
}

#[test]
fn a_zeroed_page_is_an_error_and_the_rest_goes_on() {
    const PAGE: usize = 4096;
    let (folder, mut file) = new();
    do_everything(&mut file);
    file.close().unwrap();
    let whole = fs::read(folder.path().join("a.redb")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pages = whole.chunks_exact(PAGE).enumerate().skip(1);
    let used = pages.filter(|(_, page)| page.iter().any(|byte| *byte != 0)).map(|(at, _)| at);
    let used: Vec<_> = used.collect();
    let (mut refused, mut taken) = (0, 0);
    for page in used {
        let mut bytes = whole.clone();
        bytes[page * PAGE..(page + 1) * PAGE].fill(0);
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("a.redb"), bytes).unwrap();
        let options = options(folder.path(), Access::Write);
        // None of it may hang or panic.
        let _ = check::check_file(&Options { access: Access::Read, ..options.clone() });
        let Ok(store) = Store::open(&options, Box::new(())) else {
            refused += 1;
            continue;
        };
        for command in [create("x"), receive("new", false), create("y")] {
            match runtime.block_on(store.write(command)) {
                Ok(_) => taken += 1,
                Err(_) => refused += 1,
            }
        }
        if let Ok(view) = store.view() {
            let page = Page { offset: 0, limit: 10, before: None };
            let _ = (view.list(&Filter::default(), page), view.pending(Some("qq"), "group_1", 9));
        }
        store.close();
    }
    assert!(refused > 0 && taken > 0, "{refused} refused, {taken} taken");
}

/// What is shown of the one conversation: its newest message, what is unread, and what mentions us.
fn unread(file: &StoreFile) -> (u64, u64, u64) {
    let found = file.view().unwrap().conversation("qq", "group_1").unwrap().unwrap();
    (found.last_seq, found.unread, found.mentions)
}

fn receive_at(text: &str, own: bool, time: u64, at: u64) -> Command {
    let mut received = received(text, own);
    received.time = time;
    Command::Receive { received: Box::new(received), at, can_wait: false }
}

fn read(read_to: Option<u64>, pinned: Option<bool>) -> Command {
    Command::SetConversation {
        platform: "qq".into(),
        conversation: "group_1".into(),
        read_to,
        muted: None,
        pinned,
    }
}

#[test]
fn what_comes_in_is_unread_until_it_is_read_or_answered() {
    let (folder, mut file) = new();
    let mut tables = |command| commit(&mut file, command, Durability::Tables);
    assert_eq!(tables(read(Some(1), None)), Answer::NotFound);
    for (n, text) in ["1", "2", "3"].into_iter().enumerate() {
        tables(receive_at(text, false, 10 + n as u64, 20));
    }
    assert_eq!(unread(&file), (3, 3, 0));
    let mut tables = |command| commit(&mut file, command, Durability::Tables);
    tables(read(Some(2), Some(true)));
    tables(read(Some(1), None));
    assert_eq!(unread(&file), (3, 1, 0), "what was read stays read");
    commit(&mut file, read(Some(u64::MAX), None), Durability::Tables);
    commit(&mut file, receive_at("4", false, 30, 30), Durability::Tables);
    assert_eq!(unread(&file), (4, 1, 0), "the mark is not beyond what there was");
    commit(&mut file, create("answer"), Durability::Log);
    assert_eq!(unread(&file), (5, 0, 0));
    let before = file.view().unwrap().cursor();
    commit(&mut file, read(Some(5), Some(true)), Durability::Tables);
    assert_eq!(file.view().unwrap().cursor(), before, "nothing changed");
    file.close().unwrap();
    let file = writable(folder.path());
    assert!(file.view().unwrap().conversation("qq", "group_1").unwrap().unwrap().pinned);
    assert_eq!(check::check(&file.view().unwrap()).unwrap().findings, [""; 0]);
}

#[test]
fn an_old_message_of_ours_reads_nothing_that_was_said_later() {
    let (_folder, mut file) = new();
    let mut tables = |command| commit(&mut file, command, Durability::Tables);
    tables(receive_at("live", false, 100, 100));
    tables(receive_at("ours, from a history", true, 50, 101));
    assert_eq!(unread(&file), (2, 1, 0));
    let found = file.view().unwrap().conversation("qq", "group_1").unwrap().unwrap();
    assert_eq!((found.last_message.unwrap().seq, found.last_at), (1, 100), "as it was said");
    commit(&mut file, receive_at("ours, from the phone", true, 102, 102), Durability::Tables);
    assert_eq!(unread(&file), (3, 0, 0));
}

#[test]
fn an_import_leaves_read_what_was_read_and_no_more() {
    let (_folder, mut file) = new();
    let import = |file: &mut StoreFile, id: u128, own| {
        let mut message = received("old", own).into_message(0, uuid::Uuid::from_u128(id), 11);
        message.external_id = None;
        commit(file, Command::Import { messages: vec![message] }, Durability::Tables)
    };
    import(&mut file, 1, false);
    assert_eq!(unread(&file), (1, 0, 0));
    commit(&mut file, receive("new", false), Durability::Tables);
    import(&mut file, 2, true);
    assert_eq!(unread(&file), (3, 1, 0), "what is ours in it answers nothing");
}

#[test]
fn what_a_bot_says_reads_nothing() {
    let (_folder, mut file) = new();
    commit(&mut file, receive("1", false), Durability::Tables);
    let term = file.view().unwrap().conversation_row("qq", "group_1").unwrap().unwrap().term;
    let mut row = conversation::ConversationRow::new(term);
    let mut message = received("echo", true).into_message(2, uuid::Uuid::nil(), 1_800_000_000);
    message.via = Some("echo".into());
    row.add(&message, crate::model::event::Origin::Made);
    assert_eq!((row.last_seq, row.read_seq), (2, 0));
}

#[test]
fn a_conversation_is_listed_by_what_is_left_in_it() {
    let (_folder, mut file) = new();
    let first = made(&mut file, "1");
    let second = made(&mut file, "2");
    commit(&mut file, Command::Delete { id: second.id }, Durability::Tables);
    assert_eq!(unread(&file).0, first.seq);
    let import = Command::Import { messages: vec![second] };
    commit(&mut file, import, Durability::Tables);
    assert_eq!(unread(&file).0, 2, "it is back at its place");
    assert_eq!(check::check(&file.view().unwrap()).unwrap().findings, [""; 0]);
}

/// Gives the tables the form of schema 2, which had no read marks and no orders.
fn as_schema_2(file: &StoreFile) {
    #[derive(serde::Serialize)]
    struct Row<'a>(u32, u64, u64, Option<&'a str>, Option<&'a str>, u64);
    #[derive(serde::Serialize)]
    struct Counted(u64, u32, [u64; 10], u64, u64);
    let second = |mut bytes: Vec<u8>| {
        bytes[0] = 2;
        bytes
    };
    let txn = file.database.begin_write().unwrap();
    let rows = order::conversations(&txn.open_table(tables::CONVERSATIONS).unwrap()).unwrap();
    for (platform, name, row) in &rows {
        let (shown, account) = (row.name.as_deref(), row.account.as_deref());
        // It kept the place of a message that was deleted.
        let old = Row(row.term.0, row.last_seq + 1, row.last_at, shown, account, row.messages);
        let bytes = second(tables::pack(&[platform, name], &old).unwrap());
        let mut table = txn.open_table(tables::CONVERSATIONS).unwrap();
        table.insert((&**platform, &**name), bytes.as_slice()).unwrap();
    }
    {
        let mut meta = txn.open_table(tables::META).unwrap();
        let kept = tables::counters(&meta).unwrap();
        let old = Counted(kept.head, kept.named_terms, kept.by_state, kept.offset, kept.kept_from);
        let counters = second(tables::pack(&["counters"], &old).unwrap());
        meta.insert("counters", counters.as_slice()).unwrap();
        meta.insert("schema", 2_u32.to_le_bytes().as_slice()).unwrap();
    }
    for term in [tables::Term::LATE, tables::Term::MENTIONS] {
        let mut postings = txn.open_table(tables::POSTINGS).unwrap();
        postings.remove(term.row(0)).unwrap();
    }
    txn.delete_table(tables::NEWEST).unwrap();
    txn.delete_table(tables::LATE).unwrap();
    txn.commit().unwrap();
}

#[test]
fn a_store_of_schema_2_is_brought_up_to_date() {
    let (folder, mut file) = new();
    let mention = Content::of(vec![Segment::Mention { user: "1".into(), name: None, me: true }]);
    let mut received = received("hi", false);
    received.content = mention;
    let received = Box::new(received);
    commit(
        &mut file,
        Command::Receive { received, at: 1_700_000_001, can_wait: false },
        Durability::Tables,
    );
    commit(&mut file, receive_at("late", false, 5, 1_700_000_002), Durability::Tables);
    commit(&mut file, create("elsewhere"), Durability::Tables);
    let wanted: Vec<_> = dump(&file);
    as_schema_2(&file);
    file.close().unwrap();
    let mut file = writable(folder.path());
    assert_eq!(unread(&file), (3, 0, 0), "everything is read");
    assert_eq!(check::check(&file.view().unwrap()).unwrap().findings, [""; 0]);
    for ((table, found), (_, wanted)) in dump(&file).iter().zip(&wanted) {
        assert_eq!(found, wanted, "{table}");
    }
    commit(&mut file, receive("next", false), Durability::Tables);
    assert_eq!(unread(&file), (4, 1, 0));
}
