//! Commits on their way from the writer's thread to the hub's task, bounded in number and bytes.
//! The writer never waits: if the queue is full, its content is dropped, and sessions read from the
//! store.

use crate::metrics::METRICS;
use crate::model::change::{Change, ChangeEffect, Committed};
use crate::store::Head;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Changes that wait.
const MAX_CHANGES: usize = 16_384;

/// Bytes of content that wait.
const MAX_BYTES: usize = 32 << 20;

/// Approximate size of a change without its content.
const CHANGE_BYTES: usize = 512;

/// The queue between writer and hub.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Default)]
struct State {
    commits: VecDeque<Arc<Committed>>,
    changes: usize,
    bytes: usize,
    /// Everything up to there was dropped, and has to be read from the store: the head, and the
    /// number of commits.
    dropped: Option<(Head, u64)>,
    /// The newest message and event that were added.
    head: Head,
    /// Number of commits that were added, and of openings of the store.
    pushed: u64,
}

/// The next thing for the hub's task.
pub(super) enum NextCommit {
    /// A commit, and its number.
    Commit(Arc<Committed>, u64),
    /// Everything up to here was dropped, and has to be read from the store; with the number of the
    /// last commit.
    Dropped(Head, u64),
}

impl NextCommit {
    /// The number of its changes, and at least 1.
    pub(super) fn changes(&self) -> usize {
        match self {
            Self::Commit(commit, _) => commit.changes.len().max(1),
            Self::Dropped(..) => 1,
        }
    }

    /// About how many bytes its content has.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Commit(commit, _) => bytes(commit),
            Self::Dropped(..) => 0,
        }
    }
}

impl Queue {
    /// Adds a commit; drops everything if the queue is full.
    pub(super) fn push(&self, commit: Arc<Committed>) {
        let mut state = self.lock();
        state.pushed += 1;
        for Change { offset, effect } in &commit.changes {
            state.head.cursor.offset = *offset;
            state.head.cursor.epoch = commit.epoch;
            if let ChangeEffect::Created(message) = effect {
                state.head.seq = state.head.seq.max(message.seq);
            }
        }
        state.changes += commit.changes.len();
        state.bytes += bytes(&commit);
        let is_full = state.changes > MAX_CHANGES || state.bytes > MAX_BYTES;
        if is_full && !state.commits.is_empty() {
            METRICS.limit_hit("hub_queue");
            tracing::warn!(
                "commits come faster than sessions get them; sessions read from the store"
            );
            state.drop_all();
        } else {
            state.commits.push_back(commit);
        }
        drop(state);
        self.arrived.notify_one();
    }

    /// The store was opened: everything up to `head` has to be read from it.
    pub(super) fn reset(&self, head: Head) {
        let mut state = self.lock();
        state.head = head;
        state.pushed += 1;
        state.drop_all();
        drop(state);
        self.arrived.notify_one();
    }

    /// Drops the waiting commits, for a reason of the hub.
    pub(super) fn drop_all(&self) {
        self.lock().drop_all();
        self.arrived.notify_one();
    }

    /// The next one, if there is one.
    pub(super) fn pop(&self) -> Option<NextCommit> {
        let mut state = self.lock();
        if let Some((head, number)) = state.dropped.take() {
            return Some(NextCommit::Dropped(head, number));
        }
        let commit = state.commits.pop_front()?;
        state.changes -= commit.changes.len();
        state.bytes -= bytes(&commit);
        let number = state.pushed - state.commits.len() as u64;
        Some(NextCommit::Commit(commit, number))
    }

    /// Waits until something was added.
    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// Number of commits that were added so far.
    pub(super) fn pushed(&self) -> u64 {
        self.lock().pushed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn drop_all(&mut self) {
        self.commits.clear();
        (self.changes, self.bytes) = (0, 0);
        self.dropped = Some((self.head, self.pushed));
    }
}

fn bytes(commit: &Committed) -> usize {
    let size = |change: &Change| {
        let message = change.effect.message();
        CHANGE_BYTES + message.map_or(0, |message| message.content.bytes())
    };
    commit.changes.iter().map(size).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cursor::Epoch;
    use crate::model::message::{Draft, MessageType};

    fn commit(seq: u64, size: usize) -> Arc<Committed> {
        let draft = Draft::new(MessageType::Text, "x".repeat(size), "g".into(), None).unwrap();
        let message = draft.into_message(seq, uuid::Uuid::nil(), 0);
        let change = Change { offset: 10 * seq, effect: ChangeEffect::Created(message) };
        Arc::new(Committed { epoch: Epoch::new(1), changes: vec![change] })
    }

    #[test]
    fn what_fits_comes_out_in_order_and_what_does_not_is_told_to_be_in_the_store() {
        let queue = Queue::default();
        queue.push(commit(1, 10));
        queue.push(commit(2, MAX_BYTES + 1));
        queue.push(commit(3, 10));
        let Some(NextCommit::Dropped(head, 2)) = queue.pop() else { panic!("they were dropped") };
        assert_eq!((head.seq, head.cursor.offset), (2, 20));
        assert!(matches!(queue.pop(), Some(NextCommit::Commit(_, 3))));
        queue.push(commit(4, MAX_BYTES));
        assert!(matches!(queue.pop(), Some(NextCommit::Commit(_, 4))), "one alone always fits");
        assert!(queue.pop().is_none());
        let many = u64::try_from(MAX_CHANGES).unwrap();
        (5..=many + 5).for_each(|seq| queue.push(commit(seq, 1)));
        assert!(matches!(queue.pop(), Some(NextCommit::Dropped(_, _))));
    }
}
