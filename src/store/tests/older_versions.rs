//! Stores that older versions wrote.

use super::*;
use crate::model::message::Direction;
use crate::protocol::http::{Request, TransferRecord};
use std::sync::{Arc, Mutex};

/// A file of version 0.2, as its release left it.
fn unpack_fixture(name: &str, to: &Path) {
    let packed = fs::read(format!("tests/fixtures/store/{name}.gz")).unwrap();
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut bytes).unwrap();
    fs::write(to, bytes).unwrap();
}

/// When the messages of the fixtures were made, in Unix seconds.
const MADE_AT: u64 = 1_795_664_721;

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
    let cursor = file.view().unwrap().cursor();
    assert_ne!(cursor, Cursor::default(), "a cursor tells it from other stores at once");
    assert_eq!(file.view().unwrap().offset_of(cursor).unwrap(), Some(cursor.offset));
    // Its keys are known for as long as they count.
    let create = |at| {
        let draft = Draft::new(MessageType::Text, "x".into(), "group_1".into(), None).unwrap();
        let idempotency = Some(Idempotency::new("k1", "another body"));
        Command::Create { draft, at, idempotency, facts: RoutingFacts::default() }
    };
    let answer = commit(&mut file, create(MADE_AT + 23 * 60 * 60), Durability::Tables);
    assert_eq!(answer, Answer::KeyTaken);
    // Its messages are known when their platform tells of them again.
    let view = file.view().unwrap();
    let all = view.after(0).unwrap().map(|message| message.unwrap());
    let inbound: Vec<_> = all
        .filter(|message| message.direction == Direction::Inbound)
        .map(|message| Inbound::of(&message).unwrap())
        .collect();
    assert!(inbound.len() > 1, "{}", inbound.len());
    for received in inbound {
        let receive =
            Command::Receive { received: Box::new(received), at: MADE_AT, can_wait: false };
        let answer = commit(&mut file, receive, Durability::Tables);
        assert!(matches!(answer, Answer::Repeated(_)), "{answer:?}");
    }
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

/// The contents of the messages in a folder, sorted, where everything is sound.
fn contents(folder: &Path) -> Vec<String> {
    let opened = open(&options(folder, Access::Write)).unwrap();
    let view = opened.view().unwrap();
    assert_eq!(check::check(&view).unwrap().findings, [""; 0]);
    let mut contents: Vec<_> = view
        .after(0)
        .unwrap()
        .map(|message| message.unwrap().content.readable().into_owned())
        .collect();
    contents.sort_unstable();
    contents
}

#[test]
fn a_flipped_bit_in_the_log_of_version_0_2_loses_what_it_hit_alone_and_is_told() {
    let folder = TempDir::new().unwrap();
    unpack_fixture("0.2.0-killed.redb", &folder.path().join("a.redb"));
    unpack_fixture("0.2.0-killed.redb-wal", &log_in(folder.path()));
    let (tables, log) =
        (fs::read(folder.path().join("a.redb")).unwrap(), fs::read(log_in(folder.path())).unwrap());
    let all = contents(folder.path());
    // A record begins with its length.
    let mut records = Vec::new();
    let mut at = 0;
    while let Some(len) = log.get(at..at + 4) {
        let len = u32::from_le_bytes(len.try_into().unwrap()) as usize;
        if len == 0 {
            break;
        }
        records.push(at..at + len);
        at += len;
    }
    assert!(records.len() > 10, "{}", records.len());
    for (number, record) in records.iter().enumerate() {
        let folder = TempDir::new().unwrap();
        let mut flipped = log.clone();
        flipped[record.end - 3] ^= 1;
        fs::write(folder.path().join("a.redb"), &tables).unwrap();
        fs::write(log_in(folder.path()), flipped).unwrap();
        let left = contents(folder.path());
        let in_it = String::from_utf8_lossy(&log[record.clone()]);
        let (mut lost, mut more) = (all.clone(), 0);
        for content in &left {
            match lost.iter().position(|known| known == content) {
                Some(at) => drop(lost.remove(at)),
                None => more += 1,
            }
        }
        // It may have been the deletion of one.
        assert!(more <= 1, "record {number}: {more} messages are there that were not");
        for content in &lost {
            assert!(in_it.contains(content), "{content} is lost by record {number}");
        }
        // Of the last record nobody can say whether it was torn.
        let is_told = number + 1 < records.len();
        let kept = crate::log::file::kept_beside(&folder.path().join("a.redb"));
        assert_eq!(kept.len(), usize::from(is_told), "record {number}: {kept:?}");
        let copy = folder.path().join("a.redb.before-0.3");
        assert_eq!(copy.exists(), is_told, "record {number}");
        // The messages behind it may have been sent: none is sent anew without a doubt.
        let view = open(&options(folder.path(), Access::Read)).unwrap().view().unwrap();
        let is_waiting = |message: &Message| {
            message.status == Status::Pending
                && message.direction == Direction::Outbound
                && message.platform.is_some()
        };
        let mut waiting = view.after(0).unwrap().map(Result::unwrap).filter(is_waiting);
        assert!(!is_told || waiting.all(|message| message.is_uncertain), "record {number}");
    }
}

/// The facts that the server told of its store before it was closed or killed, in version 0.3.
/// The answers that the server of version 0.3 gave from its store before it was closed or
/// killed.
fn told_by_0_3() -> serde_json::Value {
    serde_json::from_slice(&fs::read("tests/fixtures/store/0.3.0.json").unwrap()).unwrap()
}

/// Every message with all that is kept of it, the oldest first.
fn whole(folder: &Path, access: Access) -> serde_json::Value {
    let opened = open(&options(folder, access)).unwrap();
    let view = opened.view().unwrap();
    assert_eq!(check::check(&view).unwrap().findings, [""; 0]);
    let record = |message: Result<Message>| TransferRecord::from(message.unwrap());
    let messages: Vec<_> = view.after(0).unwrap().map(record).collect();
    serde_json::to_value(messages).unwrap()
}

#[test]
fn a_store_of_version_0_3_is_what_it_was() {
    let folder = TempDir::new().unwrap();
    unpack_fixture("0.3.0-closed.redb", &folder.path().join("a.redb"));
    let told = told_by_0_3();
    assert_eq!(whole(folder.path(), Access::Read), told["closed"]);
    let mut file = writable(folder.path());
    let view = file.view().unwrap();
    let conversations = view.conversations(&ConversationQuery::default()).unwrap();
    let conversations = serde_json::json!({ "conversations": conversations });
    assert_eq!(conversations, told["conversations"]);
    let requests = view.requests(10).unwrap().into_iter().filter_map(Request::of);
    let requests = serde_json::json!({ "requests": requests.collect::<Vec<_>>() });
    assert_eq!(requests, told["requests"]);
    let feed = view.feed(0, 100, usize::MAX).unwrap().unwrap();
    assert!(feed.iter().any(|entry| entry.raw_event.is_some()), "raw events are gone");
    // A message that the platform delivers again is recognised as known.
    let found = view.after(0).unwrap().map(|message| message.unwrap());
    let inbound = found.filter(|message| message.direction == Direction::Inbound);
    let inbound: Vec<_> = inbound.map(|message| Inbound::of(&message).unwrap()).collect();
    assert!(inbound.len() > 3, "{}", inbound.len());
    for received in inbound {
        let received = Box::new(received);
        let receive = Command::Receive { received, at: MADE_AT + 100_000, can_wait: false };
        let answer = commit(&mut file, receive, Durability::Tables);
        assert!(matches!(answer, Answer::Repeated(_)), "{answer:?}");
    }
}

#[test]
fn the_log_of_version_0_3_is_taken_over() {
    let folder = TempDir::new().unwrap();
    unpack_fixture("0.3.0-killed.redb", &folder.path().join("a.redb"));
    let killed = told_by_0_3()["killed"].clone();
    let in_tables = total(folder.path(), Access::Read);
    assert!(in_tables < killed.as_array().unwrap().len() as u64, "{in_tables}");
    unpack_fixture("0.3.0-killed.redb-wal", &folder.path().join("a.redb-wal"));
    assert_eq!(whole(folder.path(), Access::Read), killed);
    assert_eq!(whole(folder.path(), Access::Write), killed);
}

/// Gives the tables the form of schema 2, which had no read marks and no orders.
fn as_schema_2(file: &StoreFile) {
    #[derive(serde::Serialize)]
    struct OldRecord<'a>(u32, u64, u64, Option<&'a str>, Option<&'a str>, u64);
    #[derive(serde::Serialize)]
    struct Counted(u64, u32, [u64; 10], u64, u64);
    let second = |mut bytes: Vec<u8>| {
        bytes[0] = 2;
        bytes
    };
    let txn = file.database.begin_write().unwrap();
    let rows =
        order_tables::conversations(&txn.open_table(tables::CONVERSATIONS).unwrap()).unwrap();
    for (platform, name, row) in &rows {
        let (shown, account) = (row.name.as_deref(), row.account.as_deref());
        // It kept the place of a message that was deleted.
        let old =
            OldRecord(row.term.0, row.last_seq + 1, row.last_at, shown, account, row.messages);
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
    for term in [tables::PostingKey::LATE, tables::PostingKey::MENTIONS] {
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

#[test]
fn how_far_a_store_is_brought_up_to_date_is_told() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.redb");
    unpack_fixture("0.2.0-closed.redb", &path);
    let all = fs::metadata(&path).unwrap().len();
    let told = Arc::new(Mutex::new(Vec::new()));
    let progress = {
        let told = told.clone();
        MigrationProgress(Arc::new(move |step| told.lock().unwrap().push(format!("{step:?}"))))
    };
    let with_progress =
        StoreOptions { migration: Some(progress), ..options(folder.path(), Access::Read) };
    open(&with_progress).unwrap();
    let told = std::mem::take(&mut *told.lock().unwrap());
    assert!(told[0].starts_with("Begins") && told[0].contains("a.redb"), "{told:?}");
    assert!(told.contains(&format!("{:?}", MigrationStep::Copied { bytes: all, all })), "{told:?}");
    assert!(told.iter().any(|step| step.starts_with("Rewritten")), "{told:?}");
    assert_eq!(told.last().unwrap(), "Ends");
}
