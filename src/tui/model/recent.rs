//! Changes of messages that the server told of lately. The answer to a request that was made before
//! such a change can be older than it.

use crate::client::watch::StatusChange;
use crate::model::message::{LOCAL, Message};
use std::collections::{HashMap, VecDeque};
use uuid::Uuid;

/// The most changes that are kept.
const MAX_CHANGES: usize = 4_096;

/// The most bytes of content that are kept.
const MAX_BYTES: usize = 8 << 20;

/// The last change of each message that changed lately.
#[derive(Debug, Default)]
pub struct RecentChanges {
    /// The number of the event that was told last.
    told_last: u64,
    changes: HashMap<Uuid, LastChange>,
    /// The messages that changed, by number of the event.
    order: VecDeque<(u64, Uuid)>,
    /// The newest event that was let go.
    forgotten: u64,
    bytes: usize,
}

/// A message after its last change.
#[derive(Debug)]
struct LastChange {
    told_last: u64,
    state: ChangedTo,
}

#[derive(Debug)]
enum ChangedTo {
    Status(StatusChange),
    Updated(Box<Message>),
    Deleted,
}

impl RecentChanges {
    /// The number of the event that was told last. A request keeps it, for its answer.
    pub fn told_last(&self) -> u64 {
        self.told_last
    }

    /// Counts an event.
    pub fn count(&mut self) {
        self.told_last += 1;
    }

    /// Forgets all changes, for the store is another.
    pub fn clear(&mut self) {
        *self = Self { told_last: self.told_last, forgotten: self.told_last, ..Self::default() };
    }

    /// A message's status changed.
    pub fn status(&mut self, change: &StatusChange) {
        let state = match self.changes.remove(&change.id).map(|known| known.state) {
            Some(ChangedTo::Updated(mut message)) => {
                self.bytes -= message.content.bytes();
                set_status(&mut message, change);
                ChangedTo::Updated(message)
            }
            _ => ChangedTo::Status(change.clone()),
        };
        self.keep(change.id, state);
    }

    /// A message is now so.
    pub fn updated(&mut self, message: &Message) {
        self.keep(message.id, ChangedTo::Updated(Box::new(message.clone())));
    }

    /// A message was deleted.
    pub fn deleted(&mut self, id: Uuid) {
        self.keep(id, ChangedTo::Deleted);
    }

    fn keep(&mut self, id: Uuid, state: ChangedTo) {
        self.bytes += state.bytes();
        let before = self.changes.insert(id, LastChange { told_last: self.told_last, state });
        self.bytes -= before.map_or(0, |before| before.state.bytes());
        self.order.push_back((self.told_last, id));
        while self.order.len() > MAX_CHANGES || self.bytes > MAX_BYTES {
            let Some((told_last, id)) = self.order.pop_front() else { return };
            if self.changes.get(&id).is_some_and(|change| change.told_last == told_last)
                && let Some(change) = self.changes.remove(&id)
            {
                self.bytes -= change.state.bytes();
                self.forgotten = told_last;
            }
        }
    }

    /// Whether every change since a request is still known.
    pub fn reaches(&self, asked: u64) -> bool {
        self.forgotten <= asked
    }

    /// Whether a message was deleted lately.
    pub fn is_deleted(&self, id: Uuid) -> bool {
        self.changes.get(&id).is_some_and(|change| matches!(change.state, ChangedTo::Deleted))
    }

    /// Applies to a message of an answer what was told after the request. An event that is older
    /// than the answer is followed by a newer one.
    pub fn apply(&self, message: &mut Message, asked: u64) {
        match self.changes.get(&message.id).filter(|change| change.told_last > asked) {
            Some(LastChange { state: ChangedTo::Status(change), .. }) => {
                set_status(message, change)
            }
            Some(LastChange { state: ChangedTo::Updated(now), .. }) => {
                *message = Message { seq: message.seq, ..(**now).clone() };
            }
            Some(LastChange { state: ChangedTo::Deleted, .. }) | None => {}
        }
    }
}

impl ChangedTo {
    fn bytes(&self) -> usize {
        match self {
            Self::Updated(message) => message.content.bytes(),
            Self::Status(_) | Self::Deleted => 0,
        }
    }
}

/// Gives a message its new status.
pub fn set_status(message: &mut Message, change: &StatusChange) {
    message.status = change.status;
    message.retry_count = change.retry_count;
    message.updated_at = change.updated_at;
    message.last_error = change.last_error.as_deref().map(str::to_owned);
    message.waiting = None;
    if change.platform != LOCAL {
        message.platform = Some(change.platform.clone().into_owned());
    }
}
