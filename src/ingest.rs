//! Ingest: stores the events of adapters.
//!
//! An event gives back its room in the queue only once it is on disk. If the disk refuses, the event is tried
//! again, the room fills (it is bounded in bytes), and the sockets of adapters wait: nothing is
//! lost, and memory stays bounded. Questions of adapters are answered meanwhile. If a damaged row prevents an event from being stored, the event is set
//! aside, and the next one is stored.
//!
//! A message of the account's owner may be the echo of an attempt that is still running. It waits for
//! the end of the attempt, which gives the platform's ID; then the store decides. It waits in memory only: if
//! the process is killed, the attempt is in doubt at the next start, as any attempt that was cut off, and is
//! looked up.

mod command;
mod handover;
mod quarantine;
mod queued_command;
mod unstored;

pub use handover::{decode as decode_held, encode as encode_held};
pub use quarantine::{TriedAgain, report_quarantine, try_again};

use crate::adapter::{QueuedEvent, Registry};
use crate::clock::now;
use crate::health;
use crate::media::{Blobs, content};
use crate::metrics::METRICS;
use crate::model::message::Direction;
use crate::outbox::Outcomes;
use crate::raw_events::RawEventRetention;
use crate::store::{self, Answer, Command, Store};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use quarantine::tell_dropped;
use queued_command::QueuedCommand;
use std::collections::VecDeque;
use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, sleep_until, timeout_at};
use unstored::UnstoredEvents;

/// Events that are stored in one batch.
const BATCH: usize = 256;

/// Pause before the disk is tried again.
const DISK_PAUSE: Duration = Duration::from_secs(1);

/// Pause before the node that leads the cluster is asked again.
const LEADER_PAUSE: Duration = Duration::from_millis(500);

/// How long a message waits for the end of an attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);

/// The node that leads the cluster, for events that are held here.
pub trait LeaderHandover: fmt::Debug + Send + Sync {
    /// Has it store events; the error says why that is not known to be done.
    fn give(&self, events: Bytes) -> BoxFuture<'_, Result<(), String>>;

    /// The most bytes at a time.
    fn max_bytes(&self) -> usize;
}

/// Events of adapters, kept here until they are stored. May be started again after a panic.
#[derive(Clone)]
pub struct Ingest {
    store: Arc<Store>,
    registry: Registry,
    outcomes: Arc<Outcomes>,
    raw_events: Arc<RawEventRetention>,
    blobs: Blobs,
    /// At a node of a cluster: where events go while another node leads.
    hand_over: Option<Arc<dyn LeaderHandover>>,
    work: Arc<Mutex<UnstoredEvents>>,
    /// Messages that are held in memory only.
    unstored: Arc<AtomicUsize>,
}

impl Ingest {
    /// Stores the events of `queue`.
    pub fn new(
        store: Arc<Store>,
        registry: Registry,
        outcomes: Arc<Outcomes>,
        raw_events: Arc<RawEventRetention>,
        blobs: Blobs,
        hand_over: Option<Arc<dyn LeaderHandover>>,
        queue: mpsc::Receiver<QueuedEvent>,
    ) -> Self {
        let work = Arc::new(Mutex::new(UnstoredEvents::new(queue)));
        let unstored = Arc::default();
        Self { store, registry, outcomes, raw_events, blobs, hand_over, work, unstored }
    }

    /// Number of events that are only in memory: they would be lost if the process ended.
    pub fn unstored(&self) -> Arc<AtomicUsize> {
        self.unstored.clone()
    }

    /// Works until all adapters have dropped the queue.
    pub async fn run(self) {
        let work = &mut *self.work.lock().await;
        report_quarantine(&self.store);
        work.begin();
        self.take_in(work).await;
        self.store_batch(work).await;
        while self.take(work).await {
            self.store_batch(work).await;
        }
        // No more attempts will end.
        work.release_all();
        self.store_batch(work).await;
    }

    /// Takes the next events to be stored; `false` if the queue has ended.
    async fn take(&self, work: &mut UnstoredEvents) -> bool {
        let mut events = Vec::with_capacity(BATCH);
        let until = work.waiting.front().map(|item| item.until);
        let timeout = async {
            match until {
                Some(until) => sleep_until(until).await,
                None => pending().await,
            }
        };
        tokio::select! {
            count = work.queue.recv_many(&mut events, BATCH) => if count == 0 { return false },
            () = self.outcomes.any_ended(), if until.is_some() => work.ask_again(),
            () = self.leads(), if work.has_too_large() => {}
            () = timeout => work.release_oldest(),
        }
        work.events.extend(events);
        self.take_in(work).await;
        true
    }

    /// Waits until this node leads; at a server of no cluster it always does.
    async fn leads(&self) {
        let mut leading = self.store.leading();
        if leading.wait_for(|leads| *leads).await.is_err() {
            pending().await
        }
    }

    /// Turns the taken events into commands.
    async fn take_in(&self, work: &mut UnstoredEvents) {
        while let Some(event) = work.events.pop_front() {
            work.batch.extend(self.item(event));
        }
        self.keep_bytes(&mut work.batch).await;
        self.count_unstored(work);
    }

    /// Stores the bytes that messages contain, as media.
    async fn keep_bytes(&self, batch: &mut VecDeque<QueuedCommand>) {
        for item in batch {
            let command = match &mut item.command {
                Command::StoreRawEvent { meaning: Some(meaning), .. } => meaning,
                command => command,
            };
            let told = match command {
                Command::Receive { received, .. } => &mut received.content,
                Command::Edit { content, .. } => content,
                _ => continue,
            };
            if !content::has_bytes(told) {
                continue;
            }
            let (blobs, given) = (self.blobs.clone(), told.clone());
            let kept = health::blocking("incoming bytes", move || {
                content::keep_inbound(&blobs, &given, now())
            });
            if let Ok(kept) = kept.await {
                *told = kept;
            }
        }
    }

    /// The command for an event; questions are answered at once.
    fn item(&self, event: QueuedEvent) -> Option<QueuedCommand> {
        let (event, room) = event.split();
        let mut stored = None;
        let command = self.command(event, &mut stored)?;
        let until = Instant::now() + ATTEMPT_TIMEOUT;
        Some(QueuedCommand { command, stored, _room: room, until })
    }

    /// Writes the commands in their order, in one commit, so that none is stored before an earlier
    /// one. If the disk refuses, they are tried one by one, each until it is stored; otherwise its
    /// event would be lost. After an error it may be stored all the same: the store recognizes what it has.
    async fn store_batch(&self, work: &mut UnstoredEvents) {
        if *self.store.leading().borrow() {
            work.take_back();
        }
        while let Some(commands) = work.next() {
            let follows = !*self.store.leading().borrow();
            if let Some(leader) = self.hand_over.as_ref().filter(|_| follows) {
                self.give(work, &**leader).await;
                continue;
            }
            match self.store.write(Command::InOrder(commands)).await {
                Ok(Answer::Together(answers)) => {
                    for answer in answers {
                        self.answered(work, answer);
                    }
                }
                Err(store::StoreError::Damaged(reason)) if work.is_alone() => {
                    self.answered(work, Err(store::StoreError::Damaged(reason)));
                }
                Err(error) if work.is_alone() => {
                    let events = work.batch.len();
                    tracing::error!(events, "events cannot be stored and wait: {error}");
                    work.repeat();
                    self.await_turn(work, DISK_PAUSE).await;
                }
                Ok(_) | Err(_) => {
                    work.repeat();
                    work.go_one_by_one();
                }
            }
            self.count_unstored(work);
            // Also for raw events, which only bots get and which make no change.
            self.raw_events.stored();
        }
    }

    /// Waits before events are given to the store or to another node again. Events are taken meanwhile, because
    /// questions are among them, which are answered; the bytes that are held stay bounded.
    async fn await_turn(&self, work: &mut UnstoredEvents, pause: Duration) {
        work.pause();
        let until = Instant::now() + pause;
        let mut events = Vec::new();
        while let Ok(1..) = timeout_at(until, work.queue.recv_many(&mut events, BATCH)).await {
            work.events.extend(events.drain(..));
            self.take_in(work).await;
        }
        sleep_until(until).await;
    }

    /// Gives the node that leads what is held here. Adapters are not told that it is stored: they end,
    /// and those of the node that leads go on from what that one has.
    async fn give(&self, work: &mut UnstoredEvents, leader: &dyn LeaderHandover) {
        work.release_all();
        let Some((count, events)) = handover::encode(work.commands(), leader.max_bytes()) else {
            tracing::error!(
                limit = leader.max_bytes(),
                "an event is larger than NATS takes (`max_payload`); those after it go first, and it waits until this node leads"
            );
            return work.put_aside();
        };
        match leader.give(events.into()).await {
            Ok(()) => {
                (0..count).for_each(|_| drop(work.take_first()));
                tracing::info!(events = count, "events went to the node that leads the cluster");
            }
            Err(error) => {
                tracing::debug!(events = count, "events wait for a node that leads: {error}");
                self.await_turn(work, LEADER_PAUSE).await;
            }
        }
        self.count_unstored(work);
    }

    /// Handles the answer to the first command of the batch.
    fn answered(&self, work: &mut UnstoredEvents, answer: store::Result<Answer>) {
        let Some(mut item) = work.take_first() else { return };
        if let Ok(answer) = &answer {
            tell_dropped(&item.command, answer);
        }
        match answer {
            Ok(Answer::Later) => work.wait(item),
            Ok(answer) if item.is_early(&answer) => work.wait(item),
            Ok(_) if matches!(item.command, Command::Quarantine { .. }) => {
                report_quarantine(&self.store)
            }
            Ok(answer) => {
                self.count(&answer);
                if matches!(item.command, Command::Together(_)) {
                    report_quarantine(&self.store);
                }
                if let Some(stored) = item.stored.take() {
                    stored.send(&answer);
                }
            }
            Err(error) => work.batch.extend(item.quarantine(&error.to_string())),
        }
    }

    /// Counts inbound messages, but not duplicates.
    fn count(&self, answer: &Answer) {
        if let Answer::Together(answers) = answer {
            for answer in answers {
                match answer {
                    Ok(answer) => self.count(answer),
                    Err(reason) => {
                        tracing::error!(
                            "an event is quarantined; `rechat check` tells of it: {reason}"
                        );
                        METRICS.events_quarantined.inc();
                        report_quarantine(&self.store);
                    }
                }
            }
        }
        if let Answer::Message(message) = answer
            && message.direction == Direction::Inbound
            && let Some(platform) = &message.platform
        {
            self.registry.count_received(platform, message.account.as_deref());
        }
    }

    fn count_unstored(&self, work: &UnstoredEvents) {
        self.unstored.store(work.len(), Ordering::Relaxed);
    }
}
