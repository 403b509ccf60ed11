//! The outbox: sends what waits, in order for each conversation, and records the truth.
//!
//! A lane is one conversation that has messages waiting; its messages lie in the store, and a task
//! works them off while an adapter is connected. Lanes never wait for each other. Nothing polls:
//! the dispatcher wakes for a commit, for an adapter that connects, or when time runs out for
//! something.

mod lane;
mod outcomes;
mod pace;
mod route;

pub use outcomes::Outcomes;

use crate::adapter::Registry;
use crate::change::{Change, Outcome};
use crate::clock::{Clock, now};
use crate::message::{Direction, Message, Status};
use crate::store::{self, Command, Store};
use backon::{BackoffBuilder, ExponentialBuilder};
use lane::{End, Lane};
use pace::Paces;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Notes that may wait for the dispatcher; the writer waits when there are more.
const NOTES: usize = 4096;

/// How sending goes.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// How often a message is sent again before it is given up.
    pub retries: u32,
    /// The first pause before it is sent again; the next ones double.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// How long a message waits for an adapter before it is given up.
    pub time_to_live: Duration,
}

impl Policy {
    /// How long to wait after an attempt that was the `retries`th repetition.
    fn pause(&self, retries: u32) -> Duration {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(self.first_pause)
            .with_max_delay(self.longest_pause)
            .with_factor(2.0)
            .without_max_times()
            .with_jitter();
        pauses.build().nth(retries as usize).unwrap_or(self.longest_pause)
    }
}

/// A conversation as messages name it: the platform, where one is known, and the recipient.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    platform: Option<String>,
    recipient: String,
}

impl Key {
    fn of(message: &Message) -> Self {
        Self { platform: message.platform.clone(), recipient: message.recipient.clone() }
    }
}

/// What a commit means to the outbox.
#[derive(Debug)]
enum Note {
    /// Something of this lane changed: a message waits, or one was taken back.
    Lane(Key),
    /// A message came in, so that this conversation is known now.
    Known(String),
}

/// What lanes work with.
#[derive(Clone)]
struct Tools {
    store: Arc<Store>,
    registry: Registry,
    policy: Policy,
    default_platform: Option<String>,
    paces: Arc<Paces>,
    clock: Arc<Clock>,
    stop: CancellationToken,
}

/// The writer's end: told of every commit.
pub struct Notes {
    queue: mpsc::Sender<Note>,
    opened: Arc<Notify>,
    outcomes: Arc<Outcomes>,
}

/// The dispatcher's end.
pub struct Outbox {
    notes: mpsc::Receiver<Note>,
    opened: Arc<Notify>,
    /// Who waits for the outcome of a message.
    pub outcomes: Arc<Outcomes>,
}

/// The two ends of an outbox: one for the store's listener, one to be run.
pub fn new() -> (Notes, Outbox) {
    let (sender, receiver) = mpsc::channel(NOTES);
    let (opened, outcomes) = (Arc::new(Notify::new()), Arc::new(Outcomes::default()));
    let notes = Notes { queue: sender, opened: opened.clone(), outcomes: outcomes.clone() };
    (notes, Outbox { notes: receiver, opened, outcomes })
}

impl Notes {
    /// The store is open, perhaps after a fault: what waits may be other than what was told.
    pub fn opened(&self) {
        self.opened.notify_one();
    }

    /// Passes on what matters. Called by the writer's thread; waits where the dispatcher lags.
    pub fn committed(&self, changes: &[Change]) {
        let mut noted = HashSet::new();
        for change in changes {
            let message = change.message();
            if message.direction == Direction::Inbound {
                if matches!(change, Change::Created(_)) {
                    let _ = self.queue.blocking_send(Note::Known(message.recipient.clone()));
                }
                continue;
            }
            if matches!(change, Change::Updated(_)) {
                self.outcomes.tell(message);
            }
            let matters = match change {
                Change::Created(message) => message.status == Status::Pending,
                Change::Updated(message) => {
                    !matches!(message.status, Status::Sending | Status::Sent)
                }
                Change::Deleted(_) => true,
            };
            if matters && noted.insert(Key::of(message)) {
                let _ = self.queue.blocking_send(Note::Lane(Key::of(message)));
            }
        }
    }
}

/// A lane as the dispatcher sees it.
enum Standing {
    /// Its task runs; `news` says that something came since it began.
    Running { wake: Arc<Notify>, news: bool },
    /// No adapter can take its messages now.
    Waiting,
}

impl Outbox {
    /// Sends until `stop`.
    pub async fn run(
        mut self,
        store: Arc<Store>,
        registry: Registry,
        policy: Policy,
        default_platform: Option<String>,
        clock: Arc<Clock>,
        stop: CancellationToken,
    ) {
        let mut connections = registry.changes();
        let paces = Arc::default();
        let tools = Tools { store, registry, policy, default_platform, paces, clock, stop };
        recover(&tools).await;
        let mut dispatcher = Dispatcher { tools, lanes: HashMap::new(), tasks: JoinSet::new() };
        dispatcher.begin();
        let mut expiry = Box::pin(tokio::time::sleep(Duration::ZERO));
        loop {
            tokio::select! {
                () = dispatcher.tools.stop.cancelled() => break,
                note = self.notes.recv() => match note {
                    Some(note) => dispatcher.note(note),
                    None => break,
                },
                () = self.opened.notified() => dispatcher.begin(),
                _ = connections.next() => dispatcher.try_waiting(),
                Some(done) = dispatcher.tasks.join_next() => dispatcher.done(done),
                () = &mut expiry => {
                    let next = give_up_old(&dispatcher.tools).await;
                    expiry.as_mut().reset(tokio::time::Instant::now() + next);
                }
            }
        }
        // Nobody reads notes any more: the writer must not wait for us while the lanes end.
        self.notes.close();
        while dispatcher.tasks.join_next().await.is_some() {}
    }
}

struct Dispatcher {
    tools: Tools,
    lanes: HashMap<Key, Standing>,
    tasks: JoinSet<(Key, End)>,
}

impl Dispatcher {
    /// Finds the lanes of everything that waits already.
    fn begin(&mut self) {
        let Ok(view) = self.tools.store.view() else { return };
        let Ok(waiting) = view.outbound(Status::Pending) else { return };
        let keys: HashSet<_> = waiting.filter_map(|m| Some(Key::of(&m.ok()?))).collect();
        for key in keys {
            self.note(Note::Lane(key));
        }
    }

    fn start(&mut self, key: Key) {
        let wake = Arc::new(Notify::new());
        let lane = Lane::new(key.clone(), self.tools.clone(), wake.clone());
        self.lanes.insert(key.clone(), Standing::Running { wake, news: false });
        self.tasks.spawn(async move { (key, lane.run().await) });
    }

    fn note(&mut self, note: Note) {
        match note {
            Note::Lane(key) => match self.lanes.get_mut(&key) {
                Some(Standing::Running { wake, news }) => {
                    *news = true;
                    wake.notify_one();
                }
                Some(Standing::Waiting) => {}
                None => self.start(key),
            },
            Note::Known(recipient) => {
                let key = Key { platform: None, recipient };
                if let Some(Standing::Waiting) = self.lanes.get(&key) {
                    self.start(key);
                }
            }
        }
    }

    fn try_waiting(&mut self) {
        if self.tools.registry.connected_platforms().is_empty() {
            return;
        }
        let is_waiting = |(key, standing): (&Key, &Standing)| {
            matches!(standing, Standing::Waiting).then(|| key.clone())
        };
        let waiting: Vec<_> = self.lanes.iter().filter_map(is_waiting).collect();
        for key in waiting {
            self.start(key);
        }
    }

    fn done(&mut self, done: Result<(Key, End), tokio::task::JoinError>) {
        let (key, end) = match done {
            Ok(done) => done,
            // We ended it, to begin anew.
            Err(error) if error.is_cancelled() => return,
            Err(error) => {
                tracing::error!("a lane of the outbox broke: {error}");
                // Whichever it was, it is found again among those that do not run.
                return self.begin_anew();
            }
        };
        let has_news = matches!(self.lanes.get(&key), Some(Standing::Running { news: true, .. }));
        match end {
            _ if has_news => self.start(key),
            End::Empty => drop(self.lanes.remove(&key)),
            End::Waiting => drop(self.lanes.insert(key, Standing::Waiting)),
        }
    }

    fn begin_anew(&mut self) {
        self.tasks.abort_all();
        self.lanes.clear();
        self.begin();
    }
}

/// What was being sent when the process ended may or may not have gone out.
async fn recover(tools: &Tools) {
    let Ok(view) = tools.store.view() else { return };
    let Ok(sending) = view.outbound(Status::Sending) else { return };
    let interrupted: Vec<_> = sending.filter_map(|message| Some(message.ok()?.seq)).collect();
    for seq in interrupted {
        let reason = "rechat was stopped while it was being sent".to_owned();
        settle(&tools.store, seq, Outcome::Again { reason, is_uncertain: true }).await;
    }
}

/// Fails what has waited for an adapter beyond its time to live; says when to look again.
async fn give_up_old(tools: &Tools) -> Duration {
    let ttl = tools.policy.time_to_live.as_secs();
    let mut next = ttl;
    let mut old = Vec::new();
    {
        let Ok(view) = tools.store.view() else { return Duration::from_secs(ttl.min(60)) };
        let Ok(waiting) = view.outbound(Status::Pending) else {
            return Duration::from_secs(ttl.min(60));
        };
        for message in waiting.flatten() {
            let age = tools.clock.age(message.updated_at).unwrap_or_else(|| tools.clock.watched());
            if age >= ttl && route::find(tools, &message).is_err_and(|not| not == route::Not::Now) {
                old.push(message);
            } else {
                next = next.min(ttl.saturating_sub(age));
            }
        }
    }
    for message in old {
        let platform = message.platform.as_deref().unwrap_or("any platform");
        let reason = format!("no adapter for {platform} connected within {ttl} s");
        settle(&tools.store, message.seq, Outcome::Failed { reason }).await;
    }
    Duration::from_secs(next.max(1))
}

/// Records an outcome, however often the disk has to be asked: it must not be forgotten.
async fn settle(store: &Store, seq: u64, outcome: Outcome) {
    let mut pause = Duration::from_millis(100);
    loop {
        let command = Command::Settle { seq, outcome: outcome.clone(), at: now() };
        match store.write(command).await {
            Ok(_) | Err(store::Error::Absent) => return,
            Err(error) => {
                tracing::error!("the outcome of message {seq} waits for the disk: {error}")
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}
