//! The hub: who watches, and what they are handed the moment it is committed.
//!
//! The writer's thread hands over each commit. Sessions are found by four look-ups for each run of
//! messages of one conversation, its frames are encoded once, and whoever cannot keep up reads on
//! from the store.

pub mod frame;
mod mailbox;
pub mod replay;
mod subscriber;

pub use mailbox::Batches;
pub use subscriber::{Refused, Subscriber};

use crate::adapter::StatusChange;
use crate::metrics::METRICS;
use crate::model::change::{Change, Effect};
use crate::model::message::Message;
use crate::model::subscription::Topic;
use frame::Batch;
use mailbox::Mailbox;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use tokio::runtime::Handle;

/// Bytes of content in one batch, roughly; what a socket takes in one write.
const BATCH_BYTES: usize = 64 << 10;

/// With more sessions to wake than this, the writer leaves it to the runtime and goes on.
const MAX_WOKEN_HERE: usize = 16;

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
    runtime: Handle,
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
    by_pair: HashMap<Topic, HashMap<u64, Arc<Mailbox>>>,
}

impl Index {
    fn add(&mut self, pair: &Topic, session: u64, mailbox: &Arc<Mailbox>) {
        self.by_pair.entry(pair.clone()).or_default().insert(session, mailbox.clone());
    }

    fn remove(&mut self, pair: &Topic, session: u64) {
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
            Some(Topic::matching(message.platform_or_local(), &message.recipient))
        };
        let found = pairs.into_iter().flatten().filter_map(|pair| self.by_pair.get(&pair));
        found.flatten()
    }
}

impl Hub {
    /// A hub that nobody watches yet. To be called within the runtime whose tasks will watch.
    pub fn new(limits: Limits) -> Arc<Self> {
        let state = State {
            head: 0,
            last_session: 0,
            messages: Index::default(),
            statuses: Index::default(),
        };
        Arc::new(Self { state: Mutex::new(state), limits, runtime: Handle::current() })
    }

    /// A new session, subscribed to nothing.
    pub fn watch(self: &Arc<Self>) -> Subscriber {
        let mut state = self.lock();
        state.last_session += 1;
        Subscriber::new(self.clone(), state.last_session, state.head)
    }

    /// Hands out a change of an adapter's state, once to each session that watches its platform.
    pub fn adapter_status(&self, status: &StatusChange) {
        let batch = Batch::of(vec![frame::adapter_status(status)]);
        let state = self.lock();
        let mut woken = Woken::default();
        for (pair, members) in &state.messages.by_pair {
            if pair.platform.as_deref().is_none_or(|platform| platform == status.platform) {
                for (session, mailbox) in members {
                    if woken.seen.insert(*session) {
                        woken.wakers.extend(mailbox.push(&batch, state.head, self.limits));
                    }
                }
            }
        }
        drop(state);
        woken.wake(&self.runtime);
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
        let mut woken = Woken::default();
        for run in changes.chunk_by(goes_with) {
            match &run[0].effect {
                Effect::Created(_) => self.created(&mut guard, run, &mut woken),
                Effect::StatusChanged(message) | Effect::Updated(message) => {
                    self.updated(&guard, message, &mut woken)
                }
                Effect::Deleted(_) | Effect::ConversationChanged { .. } => {}
            }
        }
        drop(guard);
        woken.wake(&self.runtime);
    }

    /// Hands out a run of new messages; the same sessions watch all of them.
    fn created(&self, state: &mut State, run: &[Change], woken: &mut Woken) {
        let mut head = state.head;
        let news = run.iter().filter_map(|change| match &change.effect {
            Effect::Created(message) if message.seq > head => {
                head = message.seq;
                Some(message)
            }
            // One that went back to its old place.
            _ => None,
        });
        let messages: Vec<&Message> = news.collect();
        let Some(&first) = messages.first() else { return };
        let count = messages.len() as u64;
        METRICS.messages(first.direction.as_str(), first.platform_or_local(), count);
        let mut watching = state.messages.watching(first).peekable();
        if watching.peek().is_some() {
            let batches = self.batches(&messages);
            for (_, mailbox) in watching {
                for batch in &batches {
                    woken.wakers.extend(mailbox.push(batch, state.head, self.limits));
                }
            }
        }
        state.head = head;
    }

    /// The frames of new messages, in batches of which an empty mailbox holds any.
    fn batches(&self, messages: &[&Message]) -> Vec<Arc<Batch>> {
        let most_bytes = self.limits.bytes.min(BATCH_BYTES);
        let (mut batches, mut frames, mut bytes) = (Vec::new(), Vec::new(), 0);
        for message in messages {
            let frame = frame::new_message(message);
            bytes += frame.text.len();
            let is_full = frames.len() >= self.limits.frames || bytes > most_bytes;
            if is_full && !frames.is_empty() {
                bytes = frame.text.len();
                batches.push(Batch::of(std::mem::take(&mut frames)));
            }
            frames.push(frame);
        }
        batches.push(Batch::of(frames));
        batches
    }

    /// Hands out a change of a message's state.
    fn updated(&self, state: &State, message: &Message, woken: &mut Woken) {
        let mut batch = None;
        woken.seen.clear();
        for (session, mailbox) in state.statuses.watching(message) {
            let batch =
                batch.get_or_insert_with(|| Batch::of(vec![frame::message_status(message)]));
            // A mailbox knows a message twice by its `seq`, but not a change of it.
            if woken.seen.insert(*session) {
                woken.wakers.extend(mailbox.push(batch, state.head, self.limits));
            }
        }
    }
}

/// Whether two changes are new messages of one conversation and direction.
fn goes_with(one: &Change, next: &Change) -> bool {
    let (Effect::Created(one), Effect::Created(next)) = (&one.effect, &next.effect) else {
        return false;
    };
    one.recipient == next.recipient
        && one.platform == next.platform
        && one.direction == next.direction
}

/// The sessions that got something and waited for it, each woken once when all is handed out.
#[derive(Default)]
struct Woken {
    wakers: Vec<Waker>,
    seen: HashSet<u64>,
}

impl Woken {
    fn wake(self, runtime: &Handle) {
        let wake_all = |wakers: Vec<Waker>| wakers.into_iter().for_each(Waker::wake);
        if self.wakers.len() > MAX_WOKEN_HERE {
            runtime.spawn(async move { wake_all(self.wakers) });
        } else {
            wake_all(self.wakers);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::mailbox::Found;
    use super::*;
    use crate::model::message::{Draft, MessageType};
    use std::task::{Context, Poll};

    const LIMITS: Limits = Limits { frames: 4, bytes: 1 << 20, pairs: 10 };

    fn created(seq: u64, platform: &str, conversation: &str) -> Change {
        let (recipient, platform) = (conversation.to_owned(), Some(platform.to_owned()));
        let draft = Draft::new(MessageType::Text, "x".into(), recipient, platform).unwrap();
        let message = draft.into_message(seq, uuid::Uuid::nil(), 0);
        Change { offset: seq, effect: Effect::Created(message) }
    }

    /// A session that has each of these pairs.
    fn watching(hub: &Hub, pairs: &[Topic]) -> Arc<Mailbox> {
        let mailbox = Arc::new(Mailbox::new(0));
        let mut state = hub.lock();
        for pair in pairs {
            state.messages.add(pair, 1, &mailbox);
        }
        mailbox
    }

    fn look(mailbox: &Mailbox) -> Poll<Found> {
        mailbox.poll_take(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn who_watches_by_several_pairs_has_each_message_once_and_in_order() {
        let hub = Hub::new(LIMITS);
        let pairs = [(None, None), (Some("qq"), None), (Some("qq"), Some("a"))];
        let mailbox = watching(&hub, &pairs.map(|(platform, name)| Topic::of(platform, name)));
        hub.committed(&[
            created(1, "qq", "a"),
            created(2, "qq", "a"),
            created(1, "qq", "a"),
            created(3, "qq", "b"),
            created(4, "qq", "a"),
        ]);
        let Poll::Ready(Found::Mail(batches)) = look(&mailbox) else { panic!("no mail") };
        let messages: Vec<_> = batches.iter().map(|batch| batch.messages().unwrap()).collect();
        assert_eq!(messages, [(1, 2), (3, 3), (4, 4)]);
        assert!(look(&mailbox).is_pending());
    }

    #[tokio::test]
    async fn a_run_that_is_longer_than_a_mailbox_is_read_from_the_store() {
        let hub = Hub::new(LIMITS);
        let mailbox = watching(&hub, &[Topic::default()]);
        let all: Vec<Change> = (1..=6).map(|seq| created(seq, "qq", "a")).collect();
        hub.committed(&all[..1]);
        hub.committed(&all[1..]);
        assert!(matches!(look(&mailbox), Poll::Ready(Found::Behind(0))));
    }
}
