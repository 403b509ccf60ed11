//! The hub: who watches, and what they are handed the moment it is committed.
//!
//! The writer's thread hands over each commit. Sessions are found by four look-ups for each
//! message, its frame is encoded once, and whoever cannot keep up reads on from the store.

mod mailbox;
mod watcher;

pub use watcher::{Refused, Watcher};

use crate::adapter::StatusChange;
use crate::change::Change;
use crate::frame::{self, Frame};
use crate::message::Message;
use crate::metrics::METRICS;
use crate::subscription::Pair;
use mailbox::Mailbox;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a session may take up.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Frames that wait for a session; with more, it reads from the store until it has caught up.
    pub frames: usize,
    /// Bytes that wait for a session.
    pub bytes: usize,
    /// Pairs of a session.
    pub pairs: usize,
}

/// Everybody who watches.
pub struct Hub {
    state: Mutex<State>,
    limits: Limits,
}

struct State {
    /// The newest message that was handed out.
    head: u64,
    last_session: u64,
    messages: Index,
    statuses: Index,
}

/// Sessions by pair, each found without looking at the others.
#[derive(Default)]
struct Index {
    by_pair: HashMap<Pair, HashMap<u64, Arc<Mailbox>>>,
}

impl Index {
    fn add(&mut self, pair: &Pair, session: u64, mailbox: &Arc<Mailbox>) {
        self.by_pair.entry(pair.clone()).or_default().insert(session, mailbox.clone());
    }

    fn remove(&mut self, pair: &Pair, session: u64) {
        if let Some(members) = self.by_pair.get_mut(pair) {
            members.remove(&session);
            if members.is_empty() {
                self.by_pair.remove(pair);
            }
        }
    }

    /// The sessions that watch a message's pairs; one that has several comes several times.
    fn watching(&self, message: &Message) -> impl Iterator<Item = (&u64, &Arc<Mailbox>)> {
        let pairs = if self.by_pair.is_empty() {
            None
        } else {
            Some(Pair::matching(message.platform_or_local(), &message.recipient))
        };
        let found = pairs.into_iter().flatten().filter_map(|pair| self.by_pair.get(&pair));
        found.flatten()
    }
}

impl Hub {
    /// A hub that nobody watches yet.
    pub fn new(limits: Limits) -> Arc<Self> {
        let state = State {
            head: 0,
            last_session: 0,
            messages: Index::default(),
            statuses: Index::default(),
        };
        Arc::new(Self { state: Mutex::new(state), limits })
    }

    /// A new session, subscribed to nothing.
    pub fn watch(self: &Arc<Self>) -> Watcher {
        let mut state = self.lock();
        state.last_session += 1;
        Watcher::new(self.clone(), state.last_session, state.head)
    }

    /// Hands out a change of an adapter's state, once to each session that watches its platform.
    pub fn adapter_status(&self, status: &StatusChange) {
        let frame = frame::adapter_status(status);
        let state = self.lock();
        let mut woken = Woken::default();
        for (pair, members) in &state.messages.by_pair {
            if pair.platform.as_deref().is_none_or(|platform| platform == status.platform) {
                for (session, mailbox) in members {
                    if woken.seen.insert(*session) {
                        woken.push(mailbox, &frame, state.head, self.limits);
                    }
                }
            }
        }
        drop(state);
        woken.wake();
    }

    /// Nothing is left half done where a lock's holder panicked: each step leaves a whole state.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The journal ends at `head`, as the store was opened. After a fault there may be messages
    /// that were never handed out: whoever watches reads them from the store.
    pub fn opened(&self, head: u64) {
        let mut state = self.lock();
        if head > state.head {
            for mailbox in state.messages.by_pair.values().flat_map(HashMap::values) {
                mailbox.fall_behind(state.head);
                mailbox.wake();
            }
            state.head = head;
        }
    }

    /// Hands out what was committed, to whoever watches it.
    pub fn committed(&self, changes: &[Change]) {
        let mut guard = self.lock();
        let state = &mut *guard;
        let mut woken = Woken::default();
        for change in changes {
            match change {
                // One that went back to its old place is no news.
                Change::Created(message) if message.seq <= state.head => {}
                Change::Created(message) => {
                    METRICS.message(message.direction.as_str(), message.platform_or_local());
                    let mut frame = None;
                    for (_, mailbox) in state.messages.watching(message) {
                        let frame = frame.get_or_insert_with(|| frame::new_message(message));
                        woken.push(mailbox, frame, message.seq - 1, self.limits);
                    }
                    state.head = message.seq;
                }
                Change::Updated(message) => {
                    let mut frame = None;
                    woken.seen.clear();
                    for (session, mailbox) in state.statuses.watching(message) {
                        let frame = frame.get_or_insert_with(|| frame::message_status(message));
                        // A mailbox knows a message twice by its `seq`, but not a change of it.
                        if woken.seen.insert(*session) {
                            woken.push(mailbox, frame, state.head, self.limits);
                        }
                    }
                }
                Change::Deleted(_) => {}
            }
        }
        drop(guard);
        woken.wake();
    }
}

/// The mailboxes that got something, each woken once when all is handed out.
#[derive(Default)]
struct Woken {
    mailboxes: Vec<Arc<Mailbox>>,
    seen: std::collections::HashSet<u64>,
}

impl Woken {
    fn push(&mut self, mailbox: &Arc<Mailbox>, frame: &Frame, delivered: u64, limits: Limits) {
        if mailbox.push(frame, delivered, limits) {
            self.mailboxes.push(mailbox.clone());
        }
    }

    fn wake(self) {
        for mailbox in self.mailboxes {
            mailbox.wake();
        }
    }
}
