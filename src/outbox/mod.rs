//! The outbox: sends what waits, in order for each conversation, and records the truth.
//!
//! A lane is one conversation that has messages waiting; its messages lie in the store, and a task
//! works them off while an adapter is connected. Lanes never wait for each other. Nothing polls:
//! the dispatcher wakes for a commit, for a route that opens, or when time runs out for something.

mod attempts;
mod commits;
mod dispatcher;
mod lane;
mod lookup;
mod outcomes;
mod rate_limit;
mod recovery;
mod route;
mod sightings;
mod waiting;

pub use attempts::NextAttempts;
pub use commits::CommitObserver;
pub use outcomes::Outcomes;
pub use waiting::{no_platform, waiting};

use crate::adapter::Registry;
use crate::clock::Clock;
use crate::health::HEALTH;
use crate::model::message::Message;
use crate::store::{self, Store};
use backon::{BackoffBuilder, ExponentialBuilder};
use commits::ChangeQueue;
use dispatcher::Dispatcher;
use rate_limit::RateLimits;
use recovery::{expire, record_outcome, recover};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

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

/// Tells that something cannot be read and so is not sent. While the store is away nothing is
/// told: everything is looked at again once it is back.
fn cannot_read(what: &str, error: &store::Error) {
    if *error != store::Error::Absent {
        tracing::error!("the outbox cannot read {what}: {error}");
        HEALTH.degrade("outbox", format!("{what} cannot be read, and is not sent: {error}"));
    }
}

/// State shared by the lanes.
#[derive(Clone)]
struct Context {
    store: Arc<Store>,
    registry: Registry,
    policy: Policy,
    default_platform: Option<String>,
    limits: Arc<RateLimits>,
    attempts: Arc<NextAttempts>,
    outcomes: Arc<Outcomes>,
    clock: Arc<Clock>,
    stop: CancellationToken,
}

/// The dispatcher's end of an outbox.
#[derive(Clone)]
pub struct Outbox {
    changes: Arc<ChangeQueue>,
    /// Those who wait for the outcome of a message.
    pub outcomes: Arc<Outcomes>,
    /// Times of the next attempts.
    pub attempts: Arc<NextAttempts>,
}

/// The two ends of an outbox: one for the store's listener, one to be run.
pub fn new() -> (CommitObserver, Outbox) {
    let (changes, outcomes) = (Arc::new(ChangeQueue::default()), Arc::new(Outcomes::default()));
    let observer = CommitObserver { changes: changes.clone(), outcomes: outcomes.clone() };
    (observer, Outbox { changes, outcomes, attempts: Arc::default() })
}

impl Outbox {
    /// Sends until `stop`. May be run anew after a panic: what was being sent is in doubt then.
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
        let note =
            sightings::note(store.clone(), registry.clone(), self.changes.clone(), stop.clone());
        let context = Context {
            store,
            registry,
            policy,
            default_platform,
            limits: Arc::default(),
            attempts: self.attempts,
            outcomes: self.outcomes,
            clock,
            stop,
        };
        if context.stop.run_until_cancelled(recover(&context, None)).await.is_none() {
            return;
        }
        let (stop, mut expiry) = (context.stop.clone(), Box::pin(expire(context.clone())));
        let mut note = Box::pin(note);
        let mut dispatcher = Dispatcher::new(context);
        dispatcher.begin();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                changed = self.changes.next() => dispatcher.take(changed),
                // The registry is held by the context, so its end lives.
                Ok(()) = links.changed() => dispatcher.try_all(),
                true = dispatcher.end_one() => {}
                () = &mut expiry => {}
                () = &mut note => break,
            }
        }
        dispatcher.end_all().await;
    }
}

#[cfg(test)]
mod tests;
