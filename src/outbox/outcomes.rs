//! Requests that wait for the outcome of a message, such as `send_message`.

use crate::model::message::{Message, Status};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, oneshot};

/// With fewer messages than this, cancelled waits stay.
const CLEANUP_FROM: usize = 256;

/// The end of a wait for a message.
#[derive(Debug)]
pub enum WaitEnd {
    /// An attempt ended. This is the message after it.
    Attempt(Box<Message>),
    /// The message was deleted.
    Deleted {
        /// An attempt may have sent it.
        may_be_sent: bool,
    },
}

/// The waiting requests, by message.
#[derive(Debug, Default)]
pub struct Outcomes {
    waiting: Mutex<Waiting>,
    ended: Notify,
    /// Whether this outbox makes the claims of the store: those of a killed process are recorded as in doubt.
    are_claims_own: AtomicBool,
}

#[derive(Debug, Default)]
struct Waiting {
    senders: HashMap<u64, Vec<oneshot::Sender<WaitEnd>>>,
    /// Number of messages after the last removal of cancelled waits.
    count_after_cleanup: usize,
}

impl Outcomes {
    /// Begins to wait for the end of a message's next attempt.
    pub fn wait(&self, seq: u64) -> oneshot::Receiver<WaitEnd> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.lock();
        waiting.remove_cancelled();
        let senders = waiting.senders.entry(seq).or_default();
        senders.retain(|sender| !sender.is_closed());
        senders.push(sender);
        receiver
    }

    /// Whether no attempt at this message is awaited: one has ended, or the message was given up. An attempt
    /// goes on if the status is set by hand meanwhile.
    pub fn has_ended(message: &Message) -> bool {
        match message.status {
            _ if message.owner.is_some() => false,
            Status::Sent | Status::Failed | Status::Canceled => true,
            Status::Pending => message.last_error.is_some(),
            Status::Sending => false,
        }
    }

    /// Whether each claim of the store is an attempt of this outbox. Before, the process of each was killed.
    pub fn are_claims_own(&self) -> bool {
        self.are_claims_own.load(Ordering::SeqCst)
    }

    /// From now on they are, or no longer.
    pub(super) fn set_claims_own(&self, are_own: bool) {
        self.are_claims_own.store(are_own, Ordering::SeqCst);
    }

    /// Waits until any attempt has ended since the last call; for one waiter.
    pub async fn any_ended(&self) {
        self.ended.notified().await;
    }

    /// An attempt may have ended.
    pub(super) fn attempt_ended(&self) {
        self.ended.notify_one();
    }

    pub(super) fn tell(&self, message: &Message) {
        if message.status != Status::Sending {
            self.attempt_ended();
        }
        if !Self::has_ended(message) {
            return;
        }
        self.end(message.seq, || WaitEnd::Attempt(Box::new(message.clone())));
    }

    /// A message was deleted; this is the message before it.
    pub(super) fn deleted(&self, message: &Message) {
        self.attempt_ended();
        let may_be_sent = message.may_be_sent();
        self.end(message.seq, || WaitEnd::Deleted { may_be_sent });
    }

    fn end(&self, seq: u64, ended: impl Fn() -> WaitEnd) {
        for waiting in self.lock().senders.remove(&seq).into_iter().flatten() {
            let _ = waiting.send(ended());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Removes cancelled waits, so that the map does not grow; runs only when there are twice as
    /// many messages as after the last time.
    fn remove_cancelled(&mut self) {
        if self.senders.len() < CLEANUP_FROM.max(2 * self.count_after_cleanup) {
            return;
        }
        self.senders.retain(|_, senders| {
            senders.retain(|sender| !sender.is_closed());
            !senders.is_empty()
        });
        self.count_after_cleanup = self.senders.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot::error::TryRecvError;

    #[test]
    fn those_who_gave_up_are_let_go_of() {
        let outcomes = Outcomes::default();
        let mut patient: Vec<_> = (0..CLEANUP_FROM as u64).map(|seq| outcomes.wait(seq)).collect();
        for seq in 1_000..10_000 {
            drop(outcomes.wait(seq));
        }
        assert!(outcomes.lock().senders.len() <= 2 * patient.len());
        assert!(patient.iter_mut().all(|one| matches!(one.try_recv(), Err(TryRecvError::Empty))));
    }
}
