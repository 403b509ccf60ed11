//! Reading from a store whose disk fails.

use super::*;
use crate::log::disk::{StorageFactory, StoreFileKind};
use crate::model::message::{Draft, MessageType};
use crate::model::routing::RoutingFacts;
use crate::store::{Access, Command, Store, StoreOptions};
use redb::StorageBackend;
use redb::backends::InMemoryBackend;
use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

const MESSAGES: u64 = 40;

/// Files in memory that outlive the store, and fail once after some reads.
#[derive(Debug, Default)]
struct Files {
    files: Mutex<HashMap<bool, Arc<InMemoryBackend>>>,
    /// Reads until one fails; `u64::MAX` where none does.
    left: AtomicU64,
}

#[derive(Debug)]
struct File {
    content: Arc<InMemoryBackend>,
    files: Arc<Files>,
}

impl StorageBackend for File {
    fn len(&self) -> io::Result<u64> {
        self.content.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let left = &self.files.left;
        let one_less = |left: u64| (left != u64::MAX).then(|| left.wrapping_sub(1));
        if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less) == Ok(0) {
            return Err(io::Error::other("the disk is out of order"));
        }
        self.content.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.content.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.content.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.content.write(offset, data)
    }
}

/// Opens the store of these files, with a cache that holds next to nothing.
fn open(files: &Arc<Files>) -> Store {
    files.left.store(u64::MAX, Ordering::SeqCst);
    let factory = files.clone();
    let storage = StorageFactory(Arc::new(move |kind| {
        let mut files = factory.files.lock().unwrap();
        let new = || Arc::new(InMemoryBackend::new());
        let content = files.entry(kind == StoreFileKind::Tables).or_insert_with(new).clone();
        Box::new(File { content, files: factory.clone() })
    }));
    let options = StoreOptions {
        storage: Some(storage),
        cache_bytes: 0,
        ..StoreOptions::new("nowhere", Access::Write)
    };
    Store::open(&options, Box::new(())).unwrap()
}

/// The `seq` of the messages that a session reads, whose disk fails after some reads; and whether it
/// failed.
fn read(files: &Arc<Files>, form: FrameForm, fails_after: u64) -> (Vec<u64>, bool) {
    let mut interest = Interest::default();
    interest.topics.add(&NameList::absent(), &NameList::absent(), Position::default());
    let mut reading = StoreReading::from(form, Position::default());
    let (mut store, mut told, mut has_failed) = (open(files), Vec::new(), false);
    files.left.store(fails_after, Ordering::SeqCst);
    loop {
        let view = store.view();
        let step = view.and_then(|view| reading.step(&view, &interest, true, CHUNK_BYTES));
        match step {
            Ok(ReadStep::Frames(frames)) => told.extend(frames.iter().map(|frame| {
                let event: serde_json::Value = serde_json::from_str(&frame.text).unwrap();
                event["data"]["seq"].as_u64().unwrap()
            })),
            Ok(ReadStep::End(_)) => return (told, has_failed),
            Ok(ReadStep::Gone) => panic!("everything is kept"),
            Err(_) => {
                has_failed = true;
                drop(store);
                store = open(files);
            }
        }
    }
}

#[tokio::test]
async fn a_disk_that_fails_in_the_middle_of_a_step_loses_no_message() {
    let files = Arc::new(Files::default());
    let store = open(&files);
    for _ in 0..MESSAGES {
        let (text, platform) = ("x".repeat(500), Some("qq".into()));
        let draft = Draft::new(MessageType::Text, text, "g".into(), platform).unwrap();
        let facts = RoutingFacts::default();
        store.write(Command::Create { draft, at: 1, idempotency: None, facts }).await.unwrap();
    }
    drop(store);
    let all: Vec<_> = (1..=MESSAGES).collect();
    for form in [FrameForm::Messages, FrameForm::Events] {
        let mut failures = 0;
        for fails_after in (0..).step_by(5) {
            let (told, has_failed) = read(&files, form, fails_after);
            assert_eq!(told, all, "{form:?}, after {fails_after} reads");
            if !has_failed {
                break;
            }
            failures += 1;
        }
        assert!(failures > 2, "{form:?}: {failures}");
    }
}
