//! The store on a disk that loses its power, and on one that fails for a while.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "common/disk.rs"]
mod disk;

use disk::Disk;
use proptest::prelude::*;
use rechat::adapter::{self, AdapterEvent, EventSink, Registry};
use rechat::hub::{self, FrameForm, Hub, SubscribeRequest, Subscriber};
use rechat::ingest::Ingest;
use rechat::media::{BlobBounds, Blobs};
use rechat::model::change::{Change, ChangeEffect, Committed};
use rechat::model::cursor::{Cursor, Epoch};
use rechat::model::inbound::Inbound;
use rechat::model::message::{Draft, Message, MessageType, Status};
use rechat::model::routing::RoutingFacts;
use rechat::model::status_rules::Outcome;
use rechat::outbox::{self, CommitObserver, RetryPolicy};
use rechat::protocol::event::EventKinds;
use rechat::store::{
    Access, Answer, Command, EntryContent, Head, Listener, MessageFilter, Page, Store, StoreError,
    StoreOptions, check::check,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// Remembers what it is told.
struct Recorder(Arc<Mutex<Vec<(Epoch, Change)>>>);

impl Listener for Recorder {
    fn opened(&mut self, _: Head) {}

    fn committed(&mut self, batch: Arc<Committed>) {
        let told = batch.changes.iter().map(|change| (batch.epoch, change.clone()));
        self.0.lock().unwrap().extend(told);
    }
}

/// A store on such a disk, and what it has acknowledged.
struct Machine {
    runtime: tokio::runtime::Runtime,
    disk: Arc<Mutex<Disk>>,
    options: StoreOptions,
    store: Option<Store>,
    /// Everything that listeners were told.
    told: Arc<Mutex<Vec<(Epoch, Change)>>>,
    /// The last state that was acknowledged; `None` where that was a deletion.
    acknowledged: HashMap<Uuid, Option<Message>>,
    /// Messages of which a change was refused: they may be as acknowledged, or one step further.
    doubtful: Vec<Uuid>,
    /// The store's folder, where free space is looked up.
    _folder: TempDir,
}

impl Machine {
    fn new() -> Self {
        let (disk, storage) = Disk::new();
        let folder = TempDir::new().unwrap();
        let mut options = StoreOptions::new(folder.path().join("a.redb"), Access::Write);
        options.storage = Some(storage);
        options.cache_bytes = 1 << 20;
        // So small that it begins anew now and then.
        options.log_bytes = 32 << 10;
        let mut machine = Self {
            runtime: tokio::runtime::Runtime::new().unwrap(),
            disk,
            options,
            store: None,
            told: Arc::default(),
            acknowledged: HashMap::new(),
            doubtful: Vec::new(),
            _folder: folder,
        };
        machine.boot();
        machine
    }

    fn boot(&mut self) {
        let listener = Recorder(self.told.clone());
        self.store = Some(Store::open(&self.options, Box::new(listener)).unwrap());
    }

    /// Gives a batch to the store at once; notes what it acknowledges, and says whether it did.
    fn write(&mut self, commands: Vec<(Option<Uuid>, Command)>) -> Result<(), StoreError> {
        let mut result = Ok(());
        for (id, is_delete, answer) in self.answers(commands) {
            match answer {
                Ok(Answer::Message(message)) => {
                    drop(self.acknowledged.insert(message.id, Some(message)));
                }
                Ok(Answer::Claimed(claimed)) => {
                    for message in claimed {
                        self.acknowledged.insert(message.id, Some(message));
                    }
                }
                Ok(Answer::Deleted) if is_delete => {
                    drop(self.acknowledged.insert(id.unwrap(), None));
                }
                Ok(_) => {}
                Err(error) => {
                    self.doubtful.extend(id);
                    result = Err(error);
                }
            }
        }
        result
    }

    /// Gives a batch to the store at once. The answers, each with what was asked for and whether that was a
    /// deletion.
    fn answers(
        &self,
        commands: Vec<(Option<Uuid>, Command)>,
    ) -> Vec<(Option<Uuid>, bool, Result<Answer, StoreError>)> {
        let store = self.store.as_ref().unwrap();
        self.runtime.block_on(async {
            let mut waits = Vec::new();
            for (id, command) in commands {
                let is_delete = matches!(command, Command::Delete { .. });
                waits.push((id, is_delete, store.submit(command).await));
            }
            let mut answers = Vec::new();
            for (id, is_delete, wait) in waits {
                let answer = match wait {
                    Ok(wait) => wait.await,
                    Err(error) => Err(error),
                };
                answers.push((id, is_delete, answer));
            }
            answers
        })
    }

    /// Every acknowledged change is there, and everything agrees with everything.
    fn verify(&self) {
        let view = self.store.as_ref().unwrap().view().unwrap();
        for (id, wanted) in &self.acknowledged {
            if !self.doubtful.contains(id) {
                assert_eq!(&view.by_id(*id).unwrap(), wanted, "{id}");
            }
        }
        // The journal has every event that was told, in order.
        let kept = view.journal(0, usize::MAX).unwrap().unwrap();
        let creations =
            kept.iter().filter(|kept| matches!(kept.entry, EntryContent::Created { .. }));
        let seqs: Vec<_> = creations
            .map(|kept| match kept.entry {
                EntryContent::Created { seq } => seq,
                _ => 0,
            })
            .collect();
        assert!(seqs.into_iter().eq(1..=view.head()), "every creation has its event, in order");
        for (epoch, change) in self.told.lock().unwrap().iter() {
            let cursor = Cursor { epoch: *epoch, offset: change.offset };
            assert_eq!(view.offset_of(cursor).unwrap(), Some(change.offset), "{cursor}");
            // Sessions are not told of these.
            let is_told = !matches!(change.effect, ChangeEffect::AttemptEnded(_));
            assert_eq!(kept.iter().any(|kept| kept.offset == change.offset), is_told, "{cursor}");
        }
        let report = check(&view).unwrap();
        assert!(report.findings.is_empty(), "{:?}", report.findings);
        assert_eq!(report.messages, view.stats().total);
    }

    /// The power is cut, and comes back.
    fn power_cut(&mut self, keeps: impl FnMut() -> bool) {
        self.disk.lock().unwrap().cut(keeps);
        self.store = None;
        self.boot();
        self.verify();
        // Uncertain commands are decided now, either way.
        let view = self.store.as_ref().unwrap().view().unwrap();
        for id in std::mem::take(&mut self.doubtful) {
            self.acknowledged.insert(id, view.by_id(id).unwrap());
        }
    }
}

fn create(n: usize) -> (Option<Uuid>, Command) {
    let draft = Draft::new(MessageType::Text, "x".repeat(n % 900 + 1), "group_1".into(), None);
    (
        None,
        Command::Create {
            draft: draft.unwrap(),
            at: 1_700_000_000,
            idempotency: None,
            facts: RoutingFacts::default(),
        },
    )
}

/// A batch of changes of every kind, on messages that are there.
fn batch(machine: &Machine, numbers: &[u16]) -> Vec<(Option<Uuid>, Command)> {
    let view = machine.store.as_ref().unwrap().view().unwrap();
    let page = Page { offset: 0, limit: 50, before: None };
    let there = view.list(&MessageFilter::default(), page).unwrap();
    let at = 1_700_000_001;
    numbers
        .iter()
        .map(|&number| {
            let n = usize::from(number);
            let Some(message) = there.get(n / 8 % 50) else { return create(n) };
            let (id, seq) = (message.id, message.seq);
            let status = Status::ALL[n / 8 % 5];
            let command = match n % 8 {
                0 => Command::SetStatus { id, status, at },
                1 => Command::Delete { id },
                2 => Command::Claim { seqs: vec![seq], account: None, at },
                3 => {
                    let sent = Outcome::Sent {
                        account: Some("1".into()),
                        external_id: None,
                        is_unconfirmed: false,
                    };
                    Command::RecordOutcome { seq, outcome: sent, at }
                }
                _ => return create(n),
            };
            (Some(id), command)
        })
        .collect()
}

/// How often; more with `ROUNDS` in the environment.
fn rounds(few: u32) -> u32 {
    std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(few)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: rounds(24), ..ProptestConfig::default() })]
    #[test]
    fn a_power_cut_loses_nothing_that_was_acknowledged(
        lives in prop::collection::vec(
            (prop::collection::vec(prop::collection::vec(any::<u16>(), 1..20), 1..12), 0..150u32, any::<u64>()),
            1..4,
        ),
    ) {
        let mut machine = Machine::new();
        for (batches, until_cut, luck) in lives {
            machine.disk.lock().unwrap().left = Some(until_cut);
            for numbers in batches {
                let Ok(_) = machine.store.as_ref().unwrap().view() else { break };
                let batch = batch(&machine, &numbers);
                if machine.write(batch).is_err() {
                    break;
                }
            }
            let mut luck = luck | 1;
            machine.power_cut(move || {
                // A generator is enough: a bit of luck for each sector.
                luck ^= luck << 13;
                luck ^= luck >> 7;
                luck ^= luck << 17;
                luck & 1 == 1
            });
        }
    }
}

#[test]
fn a_disk_that_fails_is_told_of_and_gone_on_with() {
    let mut machine = Machine::new();
    for after in 0..40 {
        machine.write(vec![create(1)]).unwrap();
        {
            let mut disk = machine.disk.lock().unwrap();
            (disk.left, disk.fails_reads) = (Some(after), after % 2 == 1);
        }
        let mut error = None;
        for n in 0..200 {
            if let Err(failed) = machine.write(vec![create(n)]) {
                error = Some(failed.to_string());
                break;
            }
        }
        let error = error.expect("the fault is noticed");
        assert!(error.contains("store") || error.contains("Repository"), "{error}");
        machine.disk.lock().unwrap().left = None;
        // The writer opens the file again by itself.
        while machine.write(vec![create(1)]).is_err() {}
        machine.verify();
    }
}

#[test]
fn an_error_is_only_told_of_what_is_not_stored() {
    let mut machine = Machine::new();
    let mut stored = 0;
    for after in 0..rounds(60) {
        // The first of them goes into the tables after a pause, the others into the log.
        if after % 10 == 0 {
            machine.power_cut(|| true);
        }
        {
            let mut disk = machine.disk.lock().unwrap();
            (disk.left, disk.heals) = (Some(after % 30), true);
            disk.fails_reads = after % 2 == 1;
        }
        for n in 0..100 {
            let answers = machine.answers(vec![create(n), create(n), create(n)]);
            for (_, _, answer) in answers {
                match answer {
                    Ok(_) => stored += 1,
                    Err(error) => {
                        assert!(!error.to_string().contains("unknown"), "{error}");
                    }
                }
            }
            if machine.disk.lock().unwrap().left.is_none() {
                break;
            }
        }
        let view = machine.store.as_ref().unwrap().view().unwrap();
        assert_eq!(view.stats().total, stored, "after {after} operations");
    }
}

#[test]
fn a_log_that_cannot_be_written_costs_nothing_but_time() {
    let mut machine = Machine::new();
    for n in 0..200 {
        machine.disk.lock().unwrap().has_no_log = n % 20 >= 10;
        machine.write(vec![create(n)]).unwrap();
    }
    machine.power_cut(|| false);
    assert_eq!(machine.acknowledged.len(), 200);
}

/// Listeners of commits, as in a server.
struct Told {
    hub: Arc<Hub>,
    notes: CommitObserver,
}

impl Listener for Told {
    fn opened(&mut self, head: Head) {
        self.hub.opened(head);
        self.notes.opened();
    }

    fn committed(&mut self, batch: Arc<Committed>) {
        self.notes.committed(&batch.changes);
        self.hub.committed(batch);
    }
}

/// Sends what waits by loopback, until it is dropped.
fn send_by_loopback(store: &Arc<Store>, outbox: outbox::Outbox) -> impl Drop {
    let (registry, stop) = (Registry::new(), CancellationToken::new());
    let (sink, _events) = EventSink::new(1, 1024);
    let loopback = toml::from_str("kind = 'loopback'").unwrap();
    let tracker = TaskTracker::new();
    adapter::start(vec![loopback], sink, registry.clone(), Arc::new(()), stop.clone(), tracker);
    let pause = Duration::from_millis(1);
    let policy = RetryPolicy {
        retries: 5,
        first_pause: pause,
        longest_pause: pause,
        time_to_live: Duration::from_hours(1),
    };
    let clock = Arc::new(rechat::clock::Clock::start());
    tokio::spawn(outbox.run(store.clone(), registry, policy, None, clock, stop.clone()));
    stop.drop_guard()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_misses_a_message_and_none_is_forgotten_when_the_disk_failed() {
    let (disk, storage) = Disk::new();
    let folder = TempDir::new().unwrap();
    let mut options = StoreOptions::new(folder.path().join("a.redb"), Access::Write);
    options.storage = Some(storage);
    options.log_bytes = 32 << 10;
    let hub = Hub::new(hub::SessionLimits {
        frames: 256,
        bytes: 1 << 20,
        replay_bytes: 1 << 20,
        topics: 10,
    });
    let (notes, outbox) = outbox::new();
    let told = Told { hub: hub.clone(), notes };
    options.doubt_timeout = Duration::ZERO;
    let store = Arc::new(Store::open(&options, Box::new(told)).unwrap());
    let handing_out = hub.clone().run(store.clone(), CancellationToken::new());
    let handing_out = tokio::spawn(handing_out).abort_handle();
    let mut messages = hub.subscriber(FrameForm::Messages);
    messages.subscribe(SubscribeRequest::default(), &store).await.unwrap();
    let mut events = hub.subscriber(FrameForm::Events);
    let wish = SubscribeRequest { events: Some(EventKinds::all()), ..SubscribeRequest::default() };
    events.subscribe(wish, &store).await.unwrap();
    let _sending = send_by_loopback(&store, outbox);
    let create = |n: u32| {
        let (platform, group) = (Some("loopback".into()), format!("group_{}", n % 3));
        let draft = Draft::new(MessageType::Text, "x".into(), group, platform).unwrap();
        store.write(Command::Create {
            draft,
            at: rechat::clock::now(),
            idempotency: None,
            facts: RoutingFacts::default(),
        })
    };
    let mut says_unknown = false;
    for after in 0..rounds(60) {
        disk.lock().unwrap().left = Some(after % 30);
        let mut n = 0;
        let error = loop {
            match create(n).await {
                Ok(_) => n += 1,
                Err(error) => break error,
            }
        };
        says_unknown |= error.to_string().contains("whether it was stored is unknown");
        disk.lock().unwrap().left = None;
        while create(n).await.is_err() {}
    }
    assert!(says_unknown, "where the log has it and the tables fail");
    let all_sent = async {
        loop {
            let stats = store.view().unwrap().stats();
            if stats.sent == stats.total {
                return stats.total;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let total = tokio::time::timeout(Duration::from_mins(1), all_sent).await.expect("all is sent");
    let all: Vec<u64> = (1..=total).collect();
    assert_eq!(seqs_told(&mut messages, &store, "new_message", total).await, all);
    // An attempt may be repeated; each message is told to be sent in the end.
    let mut sent = seqs_told(&mut events, &store, "message_status", total).await;
    sent.sort_unstable();
    assert_eq!(sent, all);
    handing_out.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_is_stored_in_its_order_though_the_disk_fails_now_and_then() {
    const AT_ONCE: usize = 50;
    let (disk, storage) = Disk::new();
    disk.lock().unwrap().heals = true;
    let folder = TempDir::new().unwrap();
    let mut options = StoreOptions::new(folder.path().join("a.redb"), Access::Write);
    options.storage = Some(storage);
    let store = Arc::new(Store::open(&options, Box::new(())).unwrap());
    let (sink, queue) = EventSink::new(1_000, 1 << 20);
    let blobs = Blobs::open(folder.path().join("media"), BlobBounds::NONE).unwrap();
    let (_, outbox) = outbox::new();
    let (registry, words) = (Registry::new(), Arc::default());
    let ingest = Ingest::new(store.clone(), registry, outbox.outcomes, words, blobs, None, queue);
    let storing = tokio::spawn(ingest.run());
    let mut wanted = Vec::new();
    for round in 0..rounds(20) {
        disk.lock().unwrap().left = Some(round % 10);
        for n in 0..AT_ONCE {
            let text = format!("{round}/{n}");
            assert!(sink.report(AdapterEvent::Message(Box::new(inbound(&text)))).await);
            wanted.push(text);
        }
        while store.view().map_or(0, |view| view.stats().total) < wanted.len() as u64 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    drop(sink);
    storing.await.unwrap();
    let view = store.view().unwrap();
    let all =
        view.after(0).unwrap().map(|message| message.unwrap().content.readable().into_owned());
    assert_eq!(all.collect::<Vec<_>>(), wanted);
}

/// A message of somebody else, with an ID of its own.
fn inbound(text: &str) -> Inbound {
    Inbound {
        platform: "qq".into(),
        account: "1".into(),
        conversation: "group_1".into(),
        content: text.into(),
        external_id: text.into(),
        time: 1_700_000_000,
        ..Inbound::default()
    }
}

/// The `seq` of the first so many events of a kind, as they came; of statuses, of `Sent` alone.
async fn seqs_told(session: &mut Subscriber, store: &Store, kind: &str, count: u64) -> Vec<u64> {
    let mut seen = Vec::new();
    while (seen.len() as u64) < count {
        let batches = tokio::time::timeout(Duration::from_mins(1), session.next(store));
        let batches = batches.await.expect("what is stored is handed out").expect("it is kept");
        for frame in batches.iter().flat_map(|batch| batch.frames()) {
            let event: serde_json::Value = serde_json::from_str(&frame.text).unwrap();
            let is_sent = event["data"]["status"] == "Sent" || kind != "message_status";
            if event["type"] == kind && is_sent {
                seen.push(event["data"]["seq"].as_u64().unwrap());
            }
        }
    }
    seen
}
