//! One conversation's messages, sent one after the other.

mod sending;

use super::context::OutboxContext;
use super::lane_key::LaneKey;
use super::recording::{fault_pauses, record_outcome};
use super::recovery;
use super::route::{self, DeliveryRoute, NoRoute};
use super::uncertain;
use super::unreadable::cannot_read;
use crate::adapter::AccountHandle;
use crate::backoff::Backoff;
use crate::clock::now;
use crate::health::HEALTH;
use crate::model::message::Message;
use crate::model::status_rules::Outcome;
use crate::store::{self, Command, View};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::{Instant, sleep_until};

/// The most messages that are claimed at once.
const MAX_CLAIMED: usize = 64;

/// How long a message that an account may have sent waits for it, if others could send it again.
const ACCOUNT_TIMEOUT: Duration = Duration::from_mins(1);

/// Reason why a lane's task ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LaneEnd {
    /// Nothing waits any more.
    Empty,
    /// No adapter can take the waiting messages.
    Waiting,
    /// It has paused after a panic, and has to be checked again.
    Rested,
}

/// The task of one conversation.
pub(super) struct Lane {
    key: LaneKey,
    context: OutboxContext,
    /// Notified when something of this lane was changed by others.
    wake: Arc<Notify>,
    /// Number of messages to claim at once; grows while they are sent quickly.
    claims: usize,
    /// Pauses after faults of the store; `None` while there are none.
    faults: Option<Backoff>,
}

impl Lane {
    pub(super) fn new(key: LaneKey, context: OutboxContext, wake: Arc<Notify>) -> Self {
        Self { key, context, wake, claims: 1, faults: None }
    }

    pub(super) async fn run(mut self) -> LaneEnd {
        loop {
            if self.context.stop.is_cancelled() {
                return LaneEnd::Waiting;
            }
            let waiting = match self.read_waiting(1) {
                Ok(waiting) => waiting,
                // Everything is checked again once it is back.
                Err(store::StoreError::Absent) => return LaneEnd::Empty,
                Err(error) => {
                    self.rest("cannot be read", &error).await;
                    continue;
                }
            };
            let Some(first) = waiting.first() else { return LaneEnd::Empty };
            // Nothing of this lane is being sent now, so the process of that claim was killed.
            if first.owner.is_some() {
                record_outcome(&self.context, first.seq, recovery::killed_attempt()).await;
                continue;
            }
            if first.platform.is_none() {
                if self.route_again().await {
                    continue;
                }
                return LaneEnd::Waiting;
            }
            let route = match route::find(&self.context, first) {
                Ok(route) => route,
                Err(NoRoute::NotConnected) => return LaneEnd::Waiting,
                Err(NoRoute::Unaddressable(reason)) => {
                    let outcome = Outcome::Failed { reason, is_uncertain: false };
                    record_outcome(&self.context, first.seq, outcome).await;
                    continue;
                }
            };
            // A conversation has one lane, even if messages name it differently.
            if route.conversation != first.recipient && self.route_again().await {
                continue;
            }
            if let Some(closed) = route.account.closed(&route.conversation, now()) {
                let Some(until) = closed.until else { return LaneEnd::Waiting };
                self.wait_until(until).await;
                continue;
            }
            if !self.is_due(first, &route).await {
                continue;
            }
            // Held until the claimed messages are sent, because accounts have a rate limit.
            let Some(_permit) = self.permit(&route.account).await else { return LaneEnd::Waiting };
            if !route::is_open(&self.context, &route) {
                continue;
            }
            if first.is_uncertain && !uncertain::may_send(&self.context, first, &route).await {
                continue;
            }
            self.send(first.seq, &route).await;
        }
    }

    /// Routes the messages of this lane again; returns whether any has moved to another lane.
    async fn route_again(&mut self) -> bool {
        let waiting = self.waiting(MAX_CLAIMED);
        let Some(first) = waiting.first().map(|message| message.seq) else { return true };
        let default_platform = self.context.default_platform.as_deref();
        let facts = self.context.registry.routing_facts(default_platform);
        let messages = waiting.iter().map(|message| (message.seq, facts.clone())).collect();
        let command = Command::Route { messages, at: now() };
        if let Err(error) = self.context.write(command).await {
            self.rest("waits for the disk", &error).await;
            return true;
        }
        self.waiting(1).first().is_none_or(|message| message.seq != first)
    }

    fn read_waiting(&self, limit: usize) -> store::Result<Vec<Message>> {
        let LaneKey { platform, recipient } = &self.key;
        self.context.store.view()?.pending(platform.as_deref(), recipient, limit)
    }

    fn waiting(&self, limit: usize) -> Vec<Message> {
        let LaneKey { platform, recipient } = &self.key;
        self.read(|view| view.pending(platform.as_deref(), recipient, limit))
    }

    fn waiting_from(&self, first: u64, limit: usize) -> Vec<u64> {
        let LaneKey { platform, recipient } = &self.key;
        self.read(|view| view.pending_seqs(platform.as_deref(), recipient, first, limit))
    }

    fn read<T>(&self, read: impl FnOnce(&View) -> store::Result<Vec<T>>) -> Vec<T> {
        self.context.store.view().and_then(|view| read(&view)).unwrap_or_else(|error| {
            cannot_read(&format!("what waits for {}", self.key.recipient), &error);
            Vec::new()
        })
    }

    /// Pauses after a fault of the store, longer each time; only the first one is logged.
    async fn rest(&mut self, what: &str, error: &store::StoreError) {
        let told = format!("what waits for {} {what}: {error}", self.key.recipient);
        if self.faults.is_none() {
            tracing::error!("{told}");
        }
        HEALTH.degrade("outbox", told);
        let pause = self.faults.get_or_insert_with(fault_pauses).pause();
        tokio::select! {
            () = self.context.stop.cancelled() => {}
            () = self.wake.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }

    async fn permit(&self, account: &AccountHandle) -> Option<OwnedSemaphorePermit> {
        tokio::select! {
            () = self.context.stop.cancelled() => None,
            permit = self.context.limits.permit(account) => permit,
        }
    }

    /// Waits for a closed conversation to be worth another attempt (`until`, Unix seconds), or for a
    /// change of the lane.
    async fn wait_until(&self, until: u64) {
        let pause = Duration::from_secs(until.saturating_sub(now()));
        tokio::select! {
            () = self.context.stop.cancelled() => {}
            () = self.wake.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }

    /// Waits until a message may be tried again after a failure; `false` if a command changed it in
    /// the meantime, or another account is to send it: then the lane starts again.
    async fn is_due(&self, message: &Message, route: &DeliveryRoute) -> bool {
        if message.last_error.is_none() {
            return true;
        }
        let clock = &self.context.clock;
        let passed = Duration::from_secs(clock.age(message.updated_at).unwrap_or_default());
        let policy = &self.context.policy;
        let mut pause = policy.pause(message.retry_count).saturating_sub(passed);
        // Only the account that may have sent it can look it up. It could not before the server ran.
        if message.is_uncertain && route.is_of_other_account(message) {
            let passed = passed.min(Duration::from_secs(clock.watched()));
            let timeout = ACCOUNT_TIMEOUT.min(policy.longest_pause);
            pause = pause.max(timeout.saturating_sub(passed));
        }
        let until = Instant::now() + pause;
        let _announced = self.context.attempts.announce(message.seq, pause);
        // A late answer or echo ends the wait.
        let mut ended = self.context.outcomes.wait(message.seq);
        loop {
            tokio::select! {
                () = self.context.stop.cancelled() => return false,
                _ = &mut ended => return false,
                () = sleep_until(until) => return true,
                () = self.wake.notified() => {
                    let found = self.context.store.view().and_then(|view| view.by_seq(message.seq));
                    if found.is_ok_and(|found| found.as_ref() != Some(message))
                        || !route::is_best(&self.context, message, route)
                    {
                        return false;
                    }
                }
            }
        }
    }
}
