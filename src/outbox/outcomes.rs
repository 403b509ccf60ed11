//! Those who wait for the outcome of a message, as `send_message` does.

use crate::model::message::{Message, Status};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, oneshot};

/// Those who wait, by message.
#[derive(Debug, Default)]
pub struct Outcomes {
    waiting: Mutex<HashMap<u64, Vec<oneshot::Sender<Message>>>>,
    ended: Notify,
}

impl Outcomes {
    /// Begins to wait for the end of a message's next attempt.
    pub fn wait(&self, seq: u64) -> oneshot::Receiver<Message> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.lock();
        // Those who gave up are let go of here, so that the map does not grow with them.
        waiting.retain(|_, senders| {
            senders.retain(|sender| !sender.is_closed());
            !senders.is_empty()
        });
        waiting.entry(seq).or_default().push(sender);
        receiver
    }

    /// Whether an attempt at this message has ended, well or not.
    pub fn has_ended(message: &Message) -> bool {
        match message.status {
            Status::Sent | Status::Failed | Status::Canceled => true,
            Status::Pending => message.last_error.is_some(),
            Status::Sending => false,
        }
    }

    /// Waits until any attempt has ended since the last time; for one waiter.
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
        for waiting in self.lock().remove(&message.seq).into_iter().flatten() {
            let _ = waiting.send(message.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Vec<oneshot::Sender<Message>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
