//! State that the lanes share.

use super::attempts::NextAttempts;
use super::outcomes::Outcomes;
use super::rate_limit::RateLimits;
use super::retry::RetryPolicy;
use crate::adapter::Registry;
use crate::clock::Clock;
use crate::store::{Answer, Command, Result, Store};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Takes outcomes that this node knows, but only the present leader can store.
pub trait LateOutcomes: Send + Sync {
    /// Passes a command on to the leader; returns at once.
    fn pass_on(&self, late: Command);
}

/// State shared by the lanes.
#[derive(Clone)]
pub(super) struct OutboxContext {
    pub(super) store: Arc<Store>,
    /// The term (number of the present lead) in which this outbox was started. In another term this
    /// data may be out of date.
    pub(super) term: u64,
    /// At a node of a cluster: takes outcomes that come after the term.
    pub(super) late: Option<Arc<dyn LateOutcomes>>,
    pub(super) registry: Registry,
    pub(super) policy: RetryPolicy,
    pub(super) default_platform: Option<String>,
    pub(super) limits: Arc<RateLimits>,
    pub(super) attempts: Arc<NextAttempts>,
    pub(super) outcomes: Arc<Outcomes>,
    pub(super) clock: Arc<Clock>,
    pub(super) stop: CancellationToken,
}

impl OutboxContext {
    /// Carries out a command in the store, unless another node has led since.
    pub(super) fn write(&self, command: Command) -> impl Future<Output = Result<Answer>> {
        let submitted = self.submit(command);
        async { submitted.await?.await }
    }

    /// Queues a command; the future that it gives waits for the answer.
    pub(super) fn submit(
        &self,
        command: Command,
    ) -> impl Future<Output = Result<impl Future<Output = Result<Answer>> + use<>>> {
        self.store.submit_in(Some(self.term), command)
    }

    /// Whether the store still decides, and no other node has since this began.
    pub(super) fn is_in_force(&self) -> bool {
        *self.store.leading().borrow() && self.store.term() == self.term
    }
}
