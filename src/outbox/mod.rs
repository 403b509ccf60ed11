//! The outbox: sends what waits, in order for each conversation, and records the truth.
//!
//! A lane is one conversation that has messages waiting; its messages lie in the store, and a task
//! works them off while an adapter is connected. Lanes never wait for each other. Nothing polls:
//! the dispatcher wakes for a commit, for a way to send that opens, or when time runs out for
//! something.

mod lane;
mod news;
mod outcomes;
mod rate_limit;
mod route;

pub use news::Notes;
pub use outcomes::Outcomes;

use crate::adapter::Registry;
use crate::clock::{Clock, now};
use crate::model::change::Outcome;
use crate::model::message::{Message, Status};
use crate::store::{self, Command, Store};
use backon::{BackoffBuilder, ExponentialBuilder};
use futures_util::{StreamExt, stream};
use lane::{End, Lane};
use news::{Board, News};
use rate_limit::RateLimits;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::{self, JoinSet};
use tokio_util::sync::CancellationToken;

/// Outcomes that are recorded together.
const AT_ONCE: usize = 256;

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

/// What lanes work with.
#[derive(Clone)]
struct Tools {
    store: Arc<Store>,
    registry: Registry,
    policy: Policy,
    default_platform: Option<String>,
    paces: Arc<RateLimits>,
    clock: Arc<Clock>,
    stop: CancellationToken,
}

/// The dispatcher's end.
pub struct Outbox {
    board: Arc<Board>,
    /// Who waits for the outcome of a message.
    pub outcomes: Arc<Outcomes>,
}

/// The two ends of an outbox: one for the store's listener, one to be run.
pub fn new() -> (Notes, Outbox) {
    let (board, outcomes) = (Arc::new(Board::default()), Arc::new(Outcomes::default()));
    let notes = Notes { board: board.clone(), outcomes: outcomes.clone() };
    (notes, Outbox { board, outcomes })
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
        self,
        store: Arc<Store>,
        registry: Registry,
        policy: Policy,
        default_platform: Option<String>,
        clock: Arc<Clock>,
        stop: CancellationToken,
    ) {
        let mut links = registry.links();
        let paces = Arc::default();
        let tools = Tools { store, registry, policy, default_platform, paces, clock, stop };
        if tools.stop.run_until_cancelled(recover(&tools, None)).await.is_none() {
            return;
        }
        let mut expiry = Box::pin(expire(tools.clone()));
        let mut dispatcher = Dispatcher {
            tools,
            lanes: HashMap::new(),
            tasks: JoinSet::new(),
            running: HashMap::new(),
        };
        dispatcher.begin();
        loop {
            tokio::select! {
                () = dispatcher.tools.stop.cancelled() => break,
                news = self.board.next() => dispatcher.hear(news),
                // The registry is held by the tools, so its end lives.
                Ok(()) = links.changed() => dispatcher.try_all(),
                Some(done) = dispatcher.tasks.join_next_with_id() => dispatcher.done(done),
                () = &mut expiry => {}
            }
        }
        while dispatcher.tasks.join_next().await.is_some() {}
    }
}

struct Dispatcher {
    tools: Tools,
    lanes: HashMap<Key, Standing>,
    tasks: JoinSet<End>,
    /// Whose task it is.
    running: HashMap<task::Id, Key>,
}

impl Dispatcher {
    /// Finds the lanes of everything that waits, and looks at them all.
    fn begin(&mut self) {
        self.try_all();
        let Ok(view) = self.tools.store.view() else { return };
        let Ok(waiting) = view.outbound(Status::Pending) else { return };
        let keys: HashSet<_> = waiting.filter_map(|m| Some(Key::of(&m.ok()?))).collect();
        for key in keys {
            self.look_at(key, false);
        }
    }

    fn start(&mut self, key: Key) {
        let wake = Arc::new(Notify::new());
        let lane = Lane::new(key.clone(), self.tools.clone(), wake.clone());
        self.spawn(key, wake, async move { lane.run().await });
    }

    fn spawn(
        &mut self,
        key: Key,
        wake: Arc<Notify>,
        work: impl Future<Output = End> + Send + 'static,
    ) {
        self.lanes.insert(key.clone(), Standing::Running { wake, news: false });
        self.running.insert(self.tasks.spawn(work).id(), key);
    }

    fn hear(&mut self, news: News) {
        if news.everything {
            return self.begin();
        }
        for (key, is_taken_back) in news.lanes {
            self.look_at(key, is_taken_back);
        }
        for recipient in news.known {
            // A message without a platform may have one now.
            let key = Key { platform: None, recipient };
            if self.lanes.contains_key(&key) {
                self.look_at(key, true);
            }
        }
    }

    /// Sees to a lane in which something changed; `anew` also if it waits for an adapter.
    fn look_at(&mut self, key: Key, anew: bool) {
        match self.lanes.get_mut(&key) {
            Some(Standing::Running { wake, news }) => {
                *news = true;
                wake.notify_one();
            }
            Some(Standing::Waiting) if !anew => {}
            Some(Standing::Waiting) | None => self.start(key),
        }
    }

    /// Sees to every lane: an adapter can be sent by now, or one no longer.
    fn try_all(&mut self) {
        for key in self.lanes.keys().cloned().collect::<Vec<_>>() {
            self.look_at(key, true);
        }
    }

    fn done(&mut self, done: Result<(task::Id, End), task::JoinError>) {
        let id = done.as_ref().map_or_else(task::JoinError::id, |(id, _)| *id);
        let Some(key) = self.running.remove(&id) else { return };
        let end = match done {
            Ok((_, end)) => end,
            Err(error) => {
                tracing::error!("a lane of the outbox broke, to {}: {error}", key.recipient);
                return self.mend(key);
            }
        };
        let has_news = matches!(self.lanes.get(&key), Some(Standing::Running { news: true, .. }));
        match end {
            _ if has_news => self.start(key),
            End::Empty => drop(self.lanes.remove(&key)),
            End::Waiting => drop(self.lanes.insert(key, Standing::Waiting)),
        }
    }

    /// What a lane that broke was sending is in doubt; then it goes on.
    fn mend(&mut self, key: Key) {
        let (tools, lane) = (self.tools.clone(), key.clone());
        self.spawn(key.clone(), Arc::default(), async move {
            recover(&tools, Some(&lane)).await;
            End::Empty
        });
        self.look_at(key, true);
    }
}

/// What was being sent, in all lanes or one, when that broke off may or may not have gone out.
async fn recover(tools: &Tools, lane: Option<&Key>) {
    let interrupted: Vec<_> = {
        let Ok(view) = tools.store.view() else { return };
        let Ok(sending) = view.outbound(Status::Sending) else { return };
        let is_meant = |message: &Message| lane.is_none_or(|lane| *lane == Key::of(message));
        sending.flatten().filter(is_meant).map(|message| message.seq).collect()
    };
    let again = |seq| {
        let reason = "rechat was stopped while it was being sent".to_owned();
        record_outcome(&tools.store, seq, Outcome::Retry { reason, is_uncertain: true })
    };
    stream::iter(interrupted).for_each_concurrent(AT_ONCE, again).await;
}

/// Gives up, again and again, what has waited too long; never ends.
async fn expire(tools: Tools) {
    loop {
        let next = give_up_old(&tools).await;
        tokio::time::sleep(next).await;
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
    let give_up = |message: Message| {
        let platform = message.platform.as_deref().unwrap_or("any platform");
        let reason = format!("no adapter for {platform} connected within {ttl} s");
        record_outcome(&tools.store, message.seq, Outcome::Failed { reason })
    };
    stream::iter(old).for_each_concurrent(AT_ONCE, give_up).await;
    Duration::from_secs(next.max(1))
}

/// Records an outcome, however often the disk has to be asked: it must not be forgotten.
async fn record_outcome(store: &Store, seq: u64, outcome: Outcome) {
    let mut pause = Duration::from_millis(100);
    if let Outcome::Failed { reason } = &outcome {
        tracing::warn!(message = seq, reason, "a message is given up");
    }
    loop {
        let command = Command::RecordOutcome { seq, outcome: outcome.clone(), at: now() };
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

#[cfg(test)]
mod tests;
