//! One conversation's messages, sent one after the other.

use super::route::{self, Not, Route};
use super::{Key, Tools, record_outcome};
use crate::adapter::{AccountHandle, Delivery, Found, OnUnknown, Outbound};
use crate::clock::now;
use crate::metrics::METRICS;
use crate::model::change::Outcome;
use crate::model::message::{Message, Status};
use crate::store::{self, Answer, Command};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::{Instant, sleep_until};

/// The most messages that are claimed at once.
const MAX_CLAIMED: usize = 64;

/// What is claimed at once should be sent within this, so that little is in doubt after a crash.
const CLAIM_FOR: Duration = Duration::from_millis(20);

/// How long to wait before the disk is tried again.
const DISK_PAUSE: Duration = Duration::from_millis(500);

/// Why a lane's task ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing waits any more.
    Empty,
    /// No adapter can take what waits.
    Waiting,
}

/// One conversation at work.
pub(super) struct Lane {
    /// Without a platform the lane only finds one; its messages move to the lane of that.
    platform: Option<String>,
    recipient: String,
    tools: Tools,
    /// Something of this lane was changed by others.
    wake: Arc<Notify>,
    /// How many messages to claim at once; grows while they go out quickly.
    claims: usize,
}

impl Lane {
    pub(super) fn new(key: Key, tools: Tools, wake: Arc<Notify>) -> Self {
        let Key { platform, recipient } = key;
        Self { platform, recipient, tools, wake, claims: 1 }
    }

    pub(super) async fn run(mut self) -> End {
        if self.platform.is_none() {
            return self.find_platform().await;
        }
        loop {
            let waiting = self.waiting(1);
            let Some(first) = waiting.first() else { return End::Empty };
            if self.tools.stop.is_cancelled() {
                return End::Waiting;
            }
            let route = match route::find(&self.tools, first) {
                Ok(route) => route,
                Err(Not::Now) => return End::Waiting,
                Err(Not::Ever(reason)) => {
                    record_outcome(&self.tools.store, first.seq, Outcome::Failed { reason }).await;
                    continue;
                }
            };
            if !self.is_due(first).await {
                continue;
            }
            // Held until what is claimed is sent: an account talks only so fast.
            let Some(_turn) = self.turn(&route.link).await else { return End::Waiting };
            if !route::is_open(&self.tools, &route) {
                continue;
            }
            if first.is_uncertain && self.looked_up(first, &route).await {
                continue;
            }
            self.send(first.seq, &route).await;
        }
    }

    /// Gives a platform to messages that named none, as soon as there is one for them.
    async fn find_platform(&self) -> End {
        loop {
            let waiting = self.waiting(MAX_CLAIMED);
            let Some(first) = waiting.first() else { return End::Empty };
            let Some(platform) = route::platform_for(&self.tools, &first.recipient) else {
                return End::Waiting;
            };
            let seqs = waiting.iter().map(|message| message.seq).collect();
            if let Err(error) =
                self.tools.store.write(Command::Route { seqs, platform, at: now() }).await
            {
                self.wait_for_disk(&error).await;
            }
            if self.tools.stop.is_cancelled() {
                return End::Waiting;
            }
        }
    }

    fn waiting(&self, most: usize) -> Vec<Message> {
        let view = self.tools.store.view();
        let found =
            view.and_then(|view| view.pending(self.platform.as_deref(), &self.recipient, most));
        found.unwrap_or_else(|error| {
            tracing::error!("the outbox cannot read what waits for {}: {error}", self.recipient);
            Vec::new()
        })
    }

    async fn wait_for_disk(&self, error: &store::Error) {
        tracing::error!("the outbox waits for the disk: {error}");
        tokio::time::sleep(DISK_PAUSE).await;
    }

    async fn turn(&self, link: &AccountHandle) -> Option<OwnedSemaphorePermit> {
        tokio::select! {
            () = self.tools.stop.cancelled() => None,
            turn = self.tools.paces.turn(link) => turn,
        }
    }

    /// Waits until a message may be tried again after a failure; `false` where somebody changed it
    /// meanwhile, so that the lane has to be looked at anew.
    async fn is_due(&self, message: &Message) -> bool {
        if message.last_error.is_none() {
            return true;
        }
        let passed =
            Duration::from_secs(self.tools.clock.age(message.updated_at).unwrap_or_default());
        let pause = self.tools.policy.pause(message.retry_count);
        let until = Instant::now() + pause.saturating_sub(passed);
        loop {
            tokio::select! {
                () = self.tools.stop.cancelled() => return false,
                () = sleep_until(until) => return true,
                () = self.wake.notified() => {
                    let found = self.tools.store.view().and_then(|view| view.by_seq(message.seq));
                    if found.is_ok_and(|found| found.as_ref() != Some(message)) {
                        return false;
                    }
                }
            }
        }
    }

    /// Asks the platform about an attempt whose outcome is unknown; says whether that settled it.
    async fn looked_up(&self, message: &Message, route: &Route) -> bool {
        let outcome = match route.link.find(outbound(message, route)).await {
            Found::Sent { external_id }
                if self.is_its_own(message, route, external_id.as_deref()) =>
            {
                Outcome::Sent { account: route.link.account.clone(), external_id }
            }
            Found::CannotTell if route.link.settings.on_unknown == OnUnknown::Fail => {
                Outcome::Failed { reason: "outcome unknown".into() }
            }
            Found::Sent { .. } | Found::NotSent | Found::CannotTell => return false,
        };
        record_outcome(&self.tools.store, message.seq, outcome).await;
        true
    }

    /// Whether a platform's ID is not that of another message that says the same.
    fn is_its_own(&self, message: &Message, route: &Route, external_id: Option<&str>) -> bool {
        let (Some(id), Ok(view)) = (external_id, self.tools.store.view()) else { return true };
        let platform = &route.link.platform;
        let sent = view.sent_as(platform, &route.conversation, id, message.updated_at);
        sent.ok().flatten().is_none_or(|seq| seq == message.seq)
    }

    /// Claims messages from `first` on and sends them; those that were not reached wait again.
    async fn send(&mut self, first: u64, route: &Route) {
        let settings = &route.link.settings;
        let is_cautious = settings.rate_limit.is_some() || settings.on_unknown == OnUnknown::Fail;
        let waiting = self.waiting(if is_cautious { 1 } else { self.claims });
        // It may have been taken back meanwhile; the next one is to be looked at first.
        if waiting.first().is_none_or(|message| message.seq != first) {
            return;
        }
        // One that may have gone out already is looked up first, when its turn comes.
        let certain = waiting.iter().skip(1).take_while(|message| !message.is_uncertain).count();
        let claims = waiting.into_iter().take(1 + certain).map(|message| message.seq);
        let claims: Vec<_> = claims.collect();
        let command = Command::Claim { seqs: claims.clone(), at: now() };
        let claimed = match self.tools.store.write(command).await {
            Ok(Answer::Claimed(claimed)) => claimed,
            Ok(_) => return,
            Err(error) => {
                self.wait_for_disk(&error).await;
                return self.let_go(&claims).await;
            }
        };
        let began = Instant::now();
        self.send_claimed(claimed, route).await;
        self.claims = match began.elapsed() {
            spent if spent < CLAIM_FOR / 2 => (self.claims * 2).min(MAX_CLAIMED),
            spent if spent > CLAIM_FOR => (self.claims / 2).max(1),
            _ => self.claims,
        };
    }

    /// Lets messages wait again whose claim failed: where the disk failed in the midst of it, they
    /// may be claimed all the same.
    async fn let_go(&self, claims: &[u64]) {
        for &seq in claims {
            record_outcome(&self.tools.store, seq, Outcome::NotAttempted).await;
        }
    }

    async fn send_claimed(&self, claimed: Vec<Message>, route: &Route) {
        let store = &self.tools.store;
        let mut outcomes = Vec::with_capacity(claimed.len());
        let mut has_failed = false;
        for message in claimed {
            let wanted = self.is_still_wanted(&message);
            // What cannot be read now is looked at again, and before what comes after it.
            has_failed |= wanted.is_err();
            let is_held = has_failed || self.tools.stop.is_cancelled();
            let outcome = if is_held || wanted == Ok(false) {
                Outcome::NotAttempted
            } else {
                let delivery = route.link.send(outbound(&message, route)).await;
                self.judge(&message, delivery, &route.link)
            };
            has_failed |= matches!(outcome, Outcome::Retry { .. });
            // Queued in order, and waited for together.
            let command =
                Command::RecordOutcome { seq: message.seq, outcome: outcome.clone(), at: now() };
            outcomes.push((message.seq, outcome, store.submit(command).await));
        }
        for (seq, outcome, written) in outcomes {
            let is_written = match written {
                Ok(answer) => answer.await.is_ok(),
                Err(_) => false,
            };
            if !is_written {
                record_outcome(store, seq, outcome).await;
            }
        }
    }

    /// A message that was taken back since it was claimed is not sent.
    fn is_still_wanted(&self, message: &Message) -> store::Result<bool> {
        let found = self.tools.store.view()?.by_seq(message.seq)?;
        Ok(found.is_some_and(|found| found.status == Status::Sending))
    }

    /// What an attempt's end means.
    fn judge(&self, message: &Message, delivery: Delivery, link: &AccountHandle) -> Outcome {
        let (registry, account) = (&self.tools.registry, link.account.as_deref());
        let outcome = match &delivery {
            Delivery::Sent { .. } => "sent",
            Delivery::Refused { .. } => "refused",
            Delivery::Unknown { .. } => "unknown",
        };
        METRICS.attempt(&link.platform, outcome);
        let (reason, retryable, is_uncertain) = match delivery {
            Delivery::Sent { external_id } => {
                registry.count_sent(&link.platform, account);
                return Outcome::Sent { account: link.account.clone(), external_id };
            }
            Delivery::Refused { reason, retryable } => (reason, retryable, false),
            Delivery::Unknown { reason } => (reason, true, true),
        };
        registry.count_failed(&link.platform, account, &reason);
        if !retryable || message.retry_count >= self.tools.policy.retries {
            return Outcome::Failed { reason };
        }
        Outcome::Retry { reason, is_uncertain }
    }
}

fn outbound(message: &Message, route: &Route) -> Outbound {
    Outbound {
        id: message.id,
        conversation: route.conversation.clone(),
        message_type: message.message_type,
        content: message.content.clone(),
        created_at: message.created_at,
    }
}
