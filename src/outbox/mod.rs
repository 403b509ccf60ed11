//! The outbox: sends waiting messages, in order for each conversation, and records each outcome.
//!
//! A lane is one conversation with waiting messages. Its messages are in the store, and a task sends them
//! while an adapter is connected. Lanes never wait for each other. Nothing polls: the dispatcher wakes for a
//! commit, for an adapter that connects, or when a time limit ends.

mod attempts;
mod commits;
mod context;
mod dispatcher;
mod join_texts;
mod known_platforms;
mod lane;
mod lane_key;
mod outcomes;
mod rate_limit;
mod recording;
mod recovery;
mod retry;
mod route;
mod uncertain;
mod unreadable;
mod waiting;

pub use attempts::NextAttempts;
pub use commits::CommitObserver;
pub use outcomes::{Outcomes, WaitEnd};
pub use retry::RetryPolicy;
pub use route::doubtful;
pub use waiting::{no_platform, waiting};

use crate::adapter::Registry;
use crate::clock::Clock;
use crate::store::Store;
use commits::ChangeQueue;
pub use context::LateOutcomes;
use context::OutboxContext;
use dispatcher::Dispatcher;
use recovery::{expire, recover};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The dispatcher's end of an outbox.
#[derive(Clone)]
pub struct Outbox {
    changes: Arc<ChangeQueue>,
    /// Those who wait for the outcome of a message.
    pub outcomes: Arc<Outcomes>,
    /// Times of the next attempts.
    pub attempts: Arc<NextAttempts>,
    /// At a node of a cluster: takes outcomes that this node can no longer store.
    late: Option<Arc<dyn LateOutcomes>>,
}

/// The two ends of an outbox: one for the store's listener, one to be run.
pub fn new() -> (CommitObserver, Outbox) {
    let (changes, outcomes) = (Arc::new(ChangeQueue::default()), Arc::new(Outcomes::default()));
    let observer = CommitObserver { changes: changes.clone(), outcomes: outcomes.clone() };
    (observer, Outbox { changes, outcomes, attempts: Arc::default(), late: None })
}

impl Outbox {
    /// This outbox, where `late` gets outcomes that only another node of the cluster can store.
    #[must_use]
    pub fn with_late(self, late: Option<Arc<dyn LateOutcomes>>) -> Self {
        Self { late, ..self }
    }

    /// Sends until `stop` is cancelled, in the present term of the store. May be called again after a
    /// panic; messages that were being sent then have an unknown outcome.
    pub async fn run(
        self,
        store: Arc<Store>,
        registry: Registry,
        policy: RetryPolicy,
        default_platform: Option<String>,
        clock: Arc<Clock>,
        stop: CancellationToken,
    ) {
        let mut handles = registry.handles_changed();
        let note = known_platforms::note(
            store.clone(),
            registry.clone(),
            self.changes.clone(),
            stop.clone(),
        );
        let context = OutboxContext {
            term: store.term(),
            late: self.late,
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
        let outcomes = context.outcomes.clone();
        outcomes.set_claims_own(false);
        if context.stop.run_until_cancelled(recover(&context, None)).await.is_none() {
            return;
        }
        outcomes.set_claims_own(true);
        let (stop, mut expiry) = (context.stop.clone(), Box::pin(expire(context.clone())));
        let mut note = Box::pin(note);
        let mut dispatcher = Dispatcher::new(context);
        dispatcher.begin();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                changed = self.changes.next() => dispatcher.take(changed),
                // The registry is held by the context, so its end lives.
                Ok(()) = handles.changed() => dispatcher.try_all(),
                true = dispatcher.end_one() => {}
                () = &mut expiry => {}
                () = &mut note => break,
            }
        }
        dispatcher.end_all().await;
        // Another node may claim from now on.
        outcomes.set_claims_own(false);
    }
}

#[cfg(test)]
mod tests;
