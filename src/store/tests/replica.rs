//! Nodes that share a log: whoever leads, fails or crashes, all come to the same.

use super::*;
use crate::log::{LogError, LogRecord, SharedBatch, SharedLog};
use crate::store::options::SharedLogFactory;
use proptest::prelude::*;
use redb::{ReadableDatabase, TableHandle};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// The log of a cluster, in memory.
#[derive(Default)]
struct MemoryLog {
    batches: Vec<SharedBatch>,
    /// How the next append fails: whether the batch is in the log all the same.
    fails: Option<bool>,
    /// No node may append any more.
    is_over: bool,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<MemoryLog>>);

impl SharedLog for Shared {
    fn append(&mut self, after: u64, first: u64, record: LogRecord) -> crate::log::Result<u64> {
        let mut log = self.0.lock().unwrap();
        let fault = log.fails.take();
        if fault == Some(false) {
            return Err(LogError("it is unknown whether it arrived".into()));
        }
        if after != log.batches.len() as u64 {
            return Err(LogError("another node has appended".into()));
        }
        let (stream_seq, bytes) = (after + 1, record.size());
        log.batches.push(SharedBatch { batch: record.into_batch(first), stream_seq, bytes });
        match fault {
            Some(_) => Err(LogError("it is unknown whether it arrived".into())),
            None => Ok(stream_seq),
        }
    }

    fn may_append(&self) -> bool {
        !self.0.lock().unwrap().is_over
    }
}

impl Shared {
    fn end(&self) -> u64 {
        self.0.lock().unwrap().batches.len() as u64
    }

    /// Some batches behind a stream sequence.
    fn behind(&self, stream_seq: u64, most: usize) -> Vec<SharedBatch> {
        let log = self.0.lock().unwrap();
        log.batches.iter().skip(stream_seq as usize).take(most).cloned().collect()
    }
}

/// A node, and whether it takes itself for the leader.
struct Replica {
    folder: TempDir,
    file: StoreFile,
    leads: bool,
}

impl Replica {
    fn open(folder: TempDir, log: &Shared) -> Self {
        let log = log.clone();
        let shared_log = Some(SharedLogFactory(Arc::new(move || Box::new(log.clone()))));
        let options = StoreOptions { shared_log, ..options(folder.path(), Access::Write) };
        let file = open(&options).unwrap().into_writable().unwrap();
        Self { folder, file, leads: false }
    }

    fn stream_seq(&self) -> u64 {
        self.file.shared.as_ref().unwrap().stream_seq()
    }

    fn read(&mut self, log: &Shared, most: usize) {
        self.leads = false;
        let stream_seq = self.stream_seq();
        self.file.replicate(stream_seq, log.behind(stream_seq, most)).unwrap();
    }

    /// Takes over, where everything of the log is here.
    fn lead(&mut self, log: &Shared) -> Result<()> {
        let stream_seq = self.stream_seq();
        self.file.lead(stream_seq, log.end())
    }

    fn contents(&self) -> Vec<(Uuid, String)> {
        let view = self.file.view().unwrap();
        let all = view.before(u64::MAX).unwrap().map(|message| {
            let message = message.unwrap();
            (message.id, message.content.readable().into_owned())
        });
        all.collect()
    }
}

/// Nodes whose stores are copies of one.
fn nodes(count: usize, log: &Shared) -> Vec<Replica> {
    let (folder, mut file) = new();
    made(&mut file, "from before");
    file.close().unwrap();
    let membership = Membership { cluster: "home".into(), stream_seq: 0 };
    join(&options(folder.path(), Access::Write), &membership).unwrap();
    (0..count).map(|_| Replica::open(crashed(folder.path()), log)).collect()
}

#[derive(Clone, Debug)]
enum Step {
    /// A command comes to a node.
    Write,
    /// A node applies a part of the log.
    Read(usize),
    /// A node applies all of it, and takes over; nobody tells the leader before.
    Lead,
    /// The next append fails: the batch is in the log, or not.
    Fail(bool),
    /// A node ends as by a power cut, and starts again.
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Write),
        3 => (0..4_usize).prop_map(Step::Read),
        2 => Just(Step::Lead),
        1 => any::<bool>().prop_map(Step::Fail),
        1 => Just(Step::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn all_nodes_come_to_the_same_whoever_leads_and_fails(
        steps in prop::collection::vec((0..3_usize, step()), 1..60)
    ) {
        let log = Shared::default();
        let mut nodes = nodes(3, &log);
        let (mut acknowledged, mut refused) = (BTreeSet::new(), BTreeSet::new());
        for (number, (at, step)) in steps.into_iter().enumerate() {
            let node = &mut nodes[at];
            match step {
                Step::Write if node.leads => {
                    let text = format!("message {number}");
                    let fails = log.0.lock().unwrap().fails;
                    match node.file.commit(vec![create(&text)], Durability::Log) {
                        Ok(outcome) => {
                            prop_assert!(outcome.answers.iter().all(Result::is_ok));
                            acknowledged.insert(text);
                        }
                        Err(StoreError::Unavailable(_)) => {
                            node.leads = false;
                            // Of one that failed otherwise nobody knows.
                            if fails.is_none() {
                                refused.insert(text);
                            }
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
                Step::Write => {}
                Step::Read(most) => node.read(&log, most),
                Step::Lead => {
                    node.read(&log, usize::MAX);
                    node.leads = node.lead(&log).is_ok();
                }
                Step::Fail(is_stored) => log.0.lock().unwrap().fails = Some(is_stored),
                Step::Crash => {
                    let left = crashed(node.folder.path());
                    nodes[at] = Replica::open(left, &log);
                }
            }
        }
        for node in &mut nodes {
            node.read(&log, usize::MAX);
        }
        let contents = nodes[0].contents();
        prop_assert!(nodes.iter().all(|node| node.contents() == contents));
        let cursors: Vec<_> = nodes.iter().map(|node| node.file.view().unwrap().cursor()).collect();
        prop_assert!(cursors.iter().all(|cursor| *cursor == cursors[0]));
        let ids: BTreeSet<_> = contents.iter().map(|(id, _)| *id).collect();
        prop_assert_eq!(ids.len(), contents.len(), "an ID is there twice");
        for text in &acknowledged {
            let times = contents.iter().filter(|(_, content)| content == text).count();
            prop_assert_eq!(times, 1, "{}", text);
        }
        prop_assert!(contents.iter().all(|(_, content)| !refused.contains(content)));
    }
}

#[test]
fn a_leader_that_was_deposed_cannot_append() {
    let log = Shared::default();
    let mut nodes = nodes(2, &log);
    nodes[0].lead(&log).unwrap();
    made_there(&mut nodes[0], "one");
    nodes[1].read(&log, usize::MAX);
    nodes[1].lead(&log).unwrap();
    let refused = nodes[0].file.commit(vec![create("two")], Durability::Log);
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "it was taken");
    made_there(&mut nodes[1], "three");
    nodes[0].read(&log, usize::MAX);
    assert_eq!(nodes[0].contents(), nodes[1].contents());
    let texts: Vec<_> = nodes[0].contents().into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["three", "one", "from before"]);
}

fn made_there(node: &mut Replica, text: &str) {
    let outcome = node.file.commit(vec![create(text)], Durability::Log).unwrap();
    assert!(outcome.answers[0].is_ok());
}

#[test]
fn a_store_that_went_back_reads_the_log_again_before_it_leads() {
    let log = Shared::default();
    let mut nodes = nodes(2, &log);
    nodes[0].lead(&log).unwrap();
    nodes[1].read(&log, usize::MAX);
    for number in 0..3 {
        made_there(&mut nodes[0], &format!("{number}"));
    }
    nodes[1].read(&log, usize::MAX);
    let applied = nodes[1].stream_seq();
    // The tables were not durable yet.
    nodes[1] = Replica::open(crashed(nodes[1].folder.path()), &log);
    assert!(nodes[1].stream_seq() < applied, "nothing was lost");
    let node = &mut nodes[1];
    assert!(matches!(node.file.lead(applied, log.end()), Err(StoreError::Unavailable(_))));
    assert!(matches!(node.file.replicate(applied, Vec::new()), Err(StoreError::Unavailable(_))));
    node.read(&log, usize::MAX);
    node.lead(&log).unwrap();
    made_there(node, "later");
    nodes[0].read(&log, usize::MAX);
    assert_eq!(nodes[0].contents(), nodes[1].contents());
}

#[test]
fn a_copy_for_a_node_has_every_table() {
    let log = Shared::default();
    let mut node = nodes(1, &log).remove(0);
    node.lead(&log).unwrap();
    made_there(&mut node, "one");
    let copies = TempDir::new().unwrap();
    let copy = copies.path().join("s.redb");
    node.file.view().unwrap().copy_for_a_node(&copy).unwrap();
    let tables = |database: &redb::Database| -> BTreeSet<String> {
        let txn = database.begin_read().unwrap();
        txn.list_tables().unwrap().map(|table| table.name().to_owned()).collect()
    };
    let copied = redb::Database::open(&copy).unwrap();
    assert_eq!(tables(&copied), tables(&node.file.database));
}

#[test]
fn the_store_of_a_node_is_written_by_the_log_alone() {
    let log = Shared::default();
    let node = nodes(1, &log).remove(0);
    let folder = crashed(node.folder.path());
    let alone = options(folder.path(), Access::Write);
    let Err(StoreError::Open(text)) = Store::open(&alone, Box::new(())) else {
        panic!("it can be written")
    };
    assert!(text.contains("rechat cluster leave"), "{text}");
    leave(&alone).unwrap();
    drop(Store::open(&alone, Box::new(())).unwrap());
    // And without it, it is no node's.
    let shared_log = Some(SharedLogFactory(Arc::new(move || Box::new(log.clone()))));
    let Err(StoreError::Open(text)) = open(&StoreOptions { shared_log, ..alone }) else {
        panic!("it is a node's")
    };
    assert!(text.contains("of no cluster"), "{text}");
}

#[test]
fn a_backup_of_a_node_is_a_store_of_its_own_and_a_snapshot_is_a_node() {
    let log = Shared::default();
    let mut node = nodes(1, &log).remove(0);
    node.lead(&log).unwrap();
    made_there(&mut node, "one");
    let copies = TempDir::new().unwrap();
    let (backup, snapshot) = (copies.path().join("b.redb"), copies.path().join("s.redb"));
    let view = node.file.view().unwrap();
    view.copy_to(&backup).unwrap();
    view.copy_for_a_node(&snapshot).unwrap();
    let membership = |path: &Path| {
        let store = Store::open(&StoreOptions::new(path, Access::Read), Box::new(())).unwrap();
        store.view().unwrap().membership()
    };
    assert_eq!(membership(&backup), None);
    assert_eq!(membership(&snapshot), Some(Membership { cluster: "home".into(), stream_seq: 2 }));
}

/// The store of a node, and the log of its cluster.
fn store_of_a_node() -> (TempDir, Store, Shared) {
    let log = Shared::default();
    let folder = nodes(1, &log).remove(0).folder;
    let shared = log.clone();
    let shared_log = Some(SharedLogFactory(Arc::new(move || Box::new(shared.clone()))));
    let options = StoreOptions { shared_log, ..options(folder.path(), Access::Write) };
    let store = Store::open(&options, Box::new(())).unwrap();
    (folder, store, log)
}

#[tokio::test]
async fn outcomes_of_an_earlier_term_are_not_taken() {
    let (_folder, store, log) = store_of_a_node();
    store.lead(0, 0).await.unwrap();
    let before = store.term();
    let Answer::Message(message) = store.write(create("text")).await.unwrap() else {
        panic!("it is not made")
    };
    let claim = Command::Claim { seqs: vec![message.seq], account: None, at: 9 };
    store.write(claim).await.unwrap();
    // Another node may have sent it in between, and be sending it.
    store.follow().await;
    let stream_seq = log.end();
    store.lead(stream_seq, stream_seq).await.unwrap();
    let outcome = |outcome| Command::RecordOutcome { seq: message.seq, outcome, at: 9 };
    let stale = store.submit_in(Some(before), outcome(Outcome::NotAttempted)).await.unwrap();
    assert!(matches!(stale.await, Err(StoreError::Unavailable(_))));
    let status = || store.view().unwrap().by_seq(message.seq).unwrap().unwrap().status;
    assert_eq!(status(), Status::Sending);
    let now = store.submit_in(Some(store.term()), outcome(Outcome::NotAttempted)).await.unwrap();
    now.await.unwrap();
    assert_eq!(status(), Status::Pending);
}

#[tokio::test]
async fn a_leader_whose_time_is_over_does_not_say_what_is_not_there() {
    let (_folder, store, log) = store_of_a_node();
    store.lead(0, 0).await.unwrap();
    let delete = || Command::Delete { id: Uuid::nil() };
    assert_eq!(store.write(delete()).await, Ok(Answer::NotFound));
    log.0.lock().unwrap().is_over = true;
    let refused = store.write(delete()).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(!*store.leading().borrow());
}
