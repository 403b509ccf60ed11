//! Claims the waiting messages of a lane, sends them, and records the outcomes.

use super::{Lane, MAX_CLAIMED};
use crate::adapter::{AccountHandle, Delivery, OnUnknown};
use crate::clock::now;
use crate::health::HEALTH;
use crate::metrics::METRICS;
use crate::model::message::{Message, Status};
use crate::model::status_rules::Outcome;
use crate::outbox::join_texts;
use crate::outbox::recording::record_outcome;
use crate::outbox::route::DeliveryRoute;
use crate::store::{self, Answer, Command};
use std::time::Duration;
use tokio::time::Instant;

/// Time in which the claimed messages should be sent, so that few are uncertain after a crash.
const CLAIM_TIME: Duration = Duration::from_millis(20);

/// The store's answer to an outcome.
trait OutcomeWritten: Future<Output = store::Result<Answer>> {}

impl<T: Future<Output = store::Result<Answer>>> OutcomeWritten for T {}

/// An outcome, and whether it is queued.
type QueuedOutcome<W> = (u64, Outcome, store::Result<W>);

impl Lane {
    /// Claims messages from `first` on and sends them; those that were not reached wait again.
    pub(super) async fn send(&mut self, first: u64, route: &DeliveryRoute) {
        let claims = self.to_claim(first, route);
        // It may have been canceled in the meantime; then the next one is checked first.
        if claims.is_empty() {
            return;
        }
        let account = route.account.account.clone();
        let command = Command::Claim { seqs: claims.clone(), account, at: now() };
        let claimed = match self.context.write(command).await {
            Ok(Answer::Claimed(claimed)) => claimed,
            Ok(_) => return,
            Err(error) => {
                self.rest("cannot be sent", &error).await;
                // Damage has refused it as a whole.
                if !matches!(error, store::StoreError::Damaged(_)) {
                    self.release(&claims).await;
                }
                return;
            }
        };
        if self.faults.take().is_some() {
            HEALTH.recover("outbox");
        }
        let began = Instant::now();
        if route.account.join_limit().is_some() && claimed.len() > 1 {
            self.send_joined(claimed, route).await;
        } else {
            self.send_claimed(claimed, route).await;
        }
        self.claims = match began.elapsed() {
            spent if spent < CLAIM_TIME / 2 => (self.claims * 2).min(MAX_CLAIMED),
            spent if spent > CLAIM_TIME => (self.claims / 2).max(1),
            _ => self.claims,
        };
    }

    /// The messages to claim, from `first` on; none if another one waits before it now, or it waits no more.
    fn to_claim(&self, first: u64, route: &DeliveryRoute) -> Vec<u64> {
        if let Some(most) = route.account.join_limit() {
            let mut joined = self.joined_from_first(most);
            if joined.first() != Some(&first) {
                joined.clear();
            }
            return joined;
        }
        let settings = &route.account.settings;
        let is_cautious = settings.rate_limit.is_some()
            || settings.on_unknown == OnUnknown::Fail
            || route.account.has_window();
        let limit = if is_cautious { 1 } else { self.claims };
        let waiting = self.waiting_from(0, limit);
        if waiting.first() == Some(&first) {
            return waiting;
        }
        // A damaged one before it is passed over.
        match self.waiting(1).first() {
            Some(message) if message.seq == first => self.waiting_from(first, limit),
            _ => Vec::new(),
        }
    }

    /// Returns messages to `Pending` whose claim failed: if the disk failed in the middle, they may be
    /// claimed nevertheless.
    async fn release(&self, claims: &[u64]) {
        for &seq in claims {
            record_outcome(&self.context, seq, Outcome::NotAttempted).await;
        }
    }

    async fn send_claimed(&self, claimed: Vec<Message>, route: &DeliveryRoute) {
        let mut outcomes = Vec::with_capacity(claimed.len());
        let mut has_failed = false;
        for message in claimed {
            let wanted = self.is_still_wanted(&message);
            // A message that cannot be read now is tried again, before those after it.
            has_failed |= wanted.is_err();
            let is_held = has_failed || self.context.stop.is_cancelled();
            let outcome = if is_held || wanted == Ok(false) {
                Outcome::NotAttempted
            } else {
                let delivery = route.account.send(route.outbound(&self.context, &message)).await;
                // It waits, and so do the messages after it.
                has_failed |= delivery == Delivery::Closed;
                self.outcome_of(&message, delivery, &route.account)
            };
            has_failed |= matches!(outcome, Outcome::Retry { .. });
            outcomes.push(self.queue_outcome(message.seq, outcome).await);
        }
        self.wait_for_outcomes(outcomes).await;
    }

    /// Sends several texts as one message, with the same outcome for all.
    async fn send_joined(&self, claimed: Vec<Message>, route: &DeliveryRoute) {
        let is_stopped = self.context.stop.is_cancelled();
        let is_sent = |message: &Message| !is_stopped && self.is_still_wanted(message) == Ok(true);
        let (sent, held): (Vec<_>, Vec<_>) = claimed.into_iter().partition(is_sent);
        let mut outcomes = Vec::new();
        for message in held {
            outcomes.push(self.queue_outcome(message.seq, Outcome::NotAttempted).await);
        }
        if let [first, ..] = &sent[..] {
            let mut outbound = route.outbound(&self.context, first);
            outbound.content = join_texts::content(&sent);
            // A bot's own form is for a single message.
            outbound.original = None;
            let delivery = route.account.send(outbound).await;
            for (at, message) in sent.iter().enumerate() {
                let delivery = join_texts::delivery_of(&delivery, at == 0);
                let outcome = self.outcome_of(message, delivery, &route.account);
                outcomes.push(self.queue_outcome(message.seq, outcome).await);
            }
        }
        self.wait_for_outcomes(outcomes).await;
    }

    /// Queues an outcome, so that outcomes keep their order and share a commit.
    async fn queue_outcome(
        &self,
        seq: u64,
        outcome: Outcome,
    ) -> QueuedOutcome<impl OutcomeWritten> {
        let command = Command::RecordOutcome { seq, outcome: outcome.clone(), at: now() };
        (seq, outcome, self.context.submit(command).await)
    }

    /// Waits until outcomes are written; those that failed are written again.
    async fn wait_for_outcomes(&self, outcomes: Vec<QueuedOutcome<impl OutcomeWritten>>) {
        for (seq, outcome, written) in outcomes {
            let is_written = match written {
                Ok(answer) => answer.await.is_ok(),
                Err(_) => false,
            };
            if !is_written {
                record_outcome(&self.context, seq, outcome).await;
            }
        }
    }

    /// Whether a claimed message is still to be sent: it may have been canceled.
    fn is_still_wanted(&self, message: &Message) -> store::Result<bool> {
        let found = self.context.store.view()?.status_of(message.seq)?;
        Ok(found == Some(Status::Sending))
    }

    /// The outcome of an attempt. A permanent refusal fails at once, so that the next message can
    /// be sent.
    fn outcome_of(
        &self,
        message: &Message,
        delivery: Delivery,
        account: &AccountHandle,
    ) -> Outcome {
        let (registry, id) = (&self.context.registry, account.account.as_deref());
        let word = match &delivery {
            Delivery::Sent { .. } => "sent",
            Delivery::Closed => "closed",
            Delivery::Refused { .. } => "refused",
            Delivery::Unknown { .. } => "unknown",
        };
        METRICS.attempt(&account.platform, word);
        let (reason, retryable, is_uncertain) = match delivery {
            Delivery::Sent { external_id, is_unconfirmed } => {
                registry.count_sent(&account.platform, id);
                let account = account.account.clone();
                return Outcome::Sent { account, external_id, is_unconfirmed };
            }
            Delivery::Closed => return Outcome::NotAttempted,
            Delivery::Refused { reason, retryable } => (reason, retryable, false),
            Delivery::Unknown { reason } => (reason, true, true),
        };
        registry.count_failed(&account.platform, id, &reason);
        if !retryable || message.retry_count >= self.context.policy.retries {
            let is_in_doubt = message.is_uncertain && !is_uncertain;
            let doubt = if is_in_doubt { "; an earlier attempt may have sent it" } else { "" };
            return Outcome::Failed { reason: reason + doubt, is_uncertain };
        }
        Outcome::Retry { reason, is_uncertain }
    }

    /// The messages that are sent as one, from the first waiting one on.
    fn joined_from_first(&self, most: usize) -> Vec<u64> {
        let waiting = self.waiting(MAX_CLAIMED);
        let length = join_texts::length(&waiting, most);
        waiting.iter().take(length).map(|message| message.seq).collect()
    }
}
