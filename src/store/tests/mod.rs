//! Tests of batches and logs on real files.

mod attempts;
mod attempts_and_status;
mod batches;
mod claims;
mod conversations;
mod damage;
mod damaged_file;
mod deleted_in_flight;
mod doubts;
mod duplicates;
mod echoes;
mod encodings;
mod events;
mod forgetting;
mod gaps;
mod ids;
mod late_answers;
mod log;
mod older_versions;
mod owners_words;
mod parts;
mod quarantine;
mod recalls;
mod replica;
mod salvaged;

use super::file::{Durability, StoreFile};
use super::open::open;
use super::*;
use crate::model::content::{Content, Segment};
use crate::model::cursor::Cursor;
use crate::model::event::AdapterState;
use crate::model::inbound::{AlikeEntries, Inbound};
use crate::model::message::{Draft, Message, MessageType, Sender, Status};
use crate::model::platform_event::{MessageTarget, PlatformEvent};
use crate::model::routing::RoutingFacts;
use crate::model::status_rules::Outcome;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use uuid::Uuid;

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

fn options(folder: &Path, access: Access) -> StoreOptions {
    StoreOptions::new(folder.join("a.redb"), access)
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
        Ok(Answer::Message(message)) => message,
        other => panic!("{other:?}"),
    }
}

fn received(text: &str, own: bool) -> Inbound {
    Inbound {
        platform: "qq".into(),
        account: "1".into(),
        conversation: "group_1".into(),
        sender: Sender { id: "2".into(), name: "Ann".into() },
        content: text.into(),
        external_id: text.into(),
        time: 1_700_000_000,
        own,
        ..Inbound::default()
    }
}

fn receive(text: &str, own: bool) -> Command {
    Command::Receive { received: Box::new(received(text, own)), at: 1_700_000_001, can_wait: false }
}

fn commit(file: &mut StoreFile, command: Command, durability: Durability) -> Answer {
    file.commit(vec![command], durability).unwrap().answers.remove(0).unwrap()
}

/// Something of every kind, by the log.
fn do_everything(file: &mut StoreFile) {
    let mut log = |command| commit(file, command, Durability::Log);
    let key = Some(Idempotency::new("key", "body"));
    let draft = Draft::new(MessageType::Text, "keyed".into(), "group_2".into(), None).unwrap();
    let Answer::Message(keyed) =
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
        unread_from: None,
        muted: Some(true),
        pinned: None,
    });
    log(Command::Delete { id: keyed.id });
    log(quarantine("four"));
    let event = Box::new(PlatformEvent::of(recall("four")).unwrap());
    log(Command::Quarantine { event, reason: "it is too large".into(), at: 10 });
    let first = file.view().unwrap().quarantined_after(0, 1, 1).unwrap()[0].offset;
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
    commit(file, recall("unheard of"), Durability::Log);
    commit(
        file,
        Command::Trim {
            marks_before: 1_600_000_000,
            lapsed_keys: Vec::new(),
            at: crate::clock::now(),
        },
        Durability::Log,
    );
}

/// A message of a platform that could not be stored.
fn quarantine(text: &str) -> Command {
    let event = Box::new(PlatformEvent::of(receive(text, false)).unwrap());
    Command::Quarantine { event, reason: "a damaged row".into(), at: 1 }
}

/// The platform takes a message back.
fn recall(external_id: &str) -> Command {
    let target = MessageTarget::External {
        account: "1".into(),
        platform: "qq".into(),
        conversation: "group_1".into(),
        external_id: external_id.into(),
    };
    let by = Some(Sender { id: "2".into(), name: "Ann".into() });
    Command::Recall { target, by, at: 1_700_000_002 }
}

/// An empty store whose IDs are those of another.
fn new_like(file: &StoreFile) -> (TempDir, StoreFile) {
    let (folder, mut like) = new();
    like.context = file.context.clone();
    (folder, like)
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
        let rows = table.iter().unwrap().map(row);
        // Whether there is a log is no content.
        (name, rows.filter(|row| !row.contains(tables::LOG_BYTES)).collect())
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
        rows(&txn, tables::RAW_EVENTS),
        rows(&txn, tables::EARLY_RECALLS),
        rows(&txn, tables::META),
    ]
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

/// The newest message of the one conversation, and its counts of unread messages and mentions.
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
        unread_from: None,
        muted: None,
        pinned,
    }
}
