//! The hub: sends committed events to the sessions that are subscribed to them.
//!
//! The writer's thread only queues each commit. A task of the hub finds the sessions by four
//! look-ups for each run of messages of one conversation, encodes each frame once, and writes it to the
//! sockets of sessions that wait; sessions that cannot keep up read on from the store.

mod begin;
pub mod chunk;
mod fan_out;
pub mod frame;
mod index;
mod limits;
mod mailbox;
mod queue;
mod reading;
pub mod replay;
mod replay_limit;
pub mod resume;
mod round;
mod run;
mod subscribe_request;
mod subscriber;
mod throttle;

pub use chunk::Batches;
pub use limits::SessionLimits;
pub use mailbox::FrameForm;
pub use subscribe_request::{ReplayStart, SubscribeRefused, SubscribeRequest, Subscribed};
pub use subscriber::{CursorGone, Subscriber};

use crate::adapter::AdapterStatusChange;
use crate::model::change::Committed;
use crate::model::subscription::Position;
use crate::protocol::event::EventKind;
use crate::store::Head;
use frame::{Frame, FrameBatch, FrameContent};
use index::TopicIndex;
use mailbox::{Broadcast, HandoutSubject};
use queue::Queue;
use replay_limit::ReplayMemory;
use round::Round;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// The longest time that a session waits until commits before its command are sent.
const CAUGHT_UP_TIMEOUT: Duration = Duration::from_secs(10);

/// All sessions.
pub struct Hub {
    queue: Queue,
    state: Mutex<State>,
    progress: watch::Sender<Progress>,
    replay_memory: ReplayMemory,
    limits: SessionLimits,
    /// Counts the stores that did not have what was sent before. A session of an earlier one has to load
    /// everything again.
    life: AtomicU64,
}

/// Progress of sending commits.
#[derive(Clone, Copy, Default)]
struct Progress {
    /// The number of the last commit.
    number: u64,
    /// The newest message.
    seq: u64,
}

struct State {
    /// The newest message and event that were sent.
    head: Head,
    last_session: u64,
    last_handout: u64,
    /// By kind of event.
    indexes: [TopicIndex; EventKind::ALL.len()],
}

impl State {
    fn position(&self) -> Position {
        position_of(self.head)
    }

    fn index(&self, kind: EventKind) -> &TopicIndex {
        &self.indexes[kind as usize]
    }

    fn index_mut(&mut self, kind: EventKind) -> &mut TopicIndex {
        &mut self.indexes[kind as usize]
    }

    fn next_handout(&mut self) -> u64 {
        self.last_handout += 1;
        self.last_handout
    }
}

fn position_of(head: Head) -> Position {
    Position { seq: head.seq, offset: head.cursor.offset }
}

impl Hub {
    /// A hub without sessions. It sends nothing before [`Hub::run`].
    pub fn new(limits: SessionLimits) -> Arc<Self> {
        let state = State {
            head: Head::default(),
            last_session: 0,
            last_handout: 0,
            indexes: std::array::from_fn(|_| TopicIndex::default()),
        };
        Arc::new(Self {
            queue: Queue::default(),
            state: Mutex::new(state),
            progress: watch::Sender::default(),
            replay_memory: ReplayMemory::new(limits.replay_bytes),
            limits,
            life: AtomicU64::new(0),
        })
    }

    /// The store was opened with this head. After a fault there may be events that were never sent;
    /// sessions read them from the store. Where it does not have what was sent, sessions end with
    /// [`CursorGone`].
    pub fn opened(&self, head: Head) {
        self.queue.reset(head);
    }

    /// Adds a commit to the queue; never waits.
    pub fn committed(&self, commit: Arc<Committed>) {
        self.queue.push(commit);
    }

    /// Sends a change of an adapter's state, once to each session with a topic of its platform.
    pub fn adapter_status(&self, change: AdapterStatusChange) {
        let change = Arc::new(change);
        let mut state = self.lock();
        let number = state.next_handout();
        let resume = state.head.cursor.into();
        let [plain, with_cursor] = [false, true].map(|shows_cursor| {
            [FrameBatch::of(
                None,
                vec![Frame::of(&FrameContent::Adapter(&change), resume, shows_cursor)],
            )]
        });
        let subject = HandoutSubject::Adapter(&change, state.position());
        let batches = |shows_cursor: bool| &(if shows_cursor { &with_cursor } else { &plain })[..];
        let handout = Broadcast { number, batches: &batches, subject };
        let sessions = state.index(EventKind::NewMessage).of_platform(&change.platform);
        let mut round = Round::default();
        sessions.for_each(|mailbox| round.push(mailbox, &handout, self.limits));
        // So that no socket is written under the lock.
        drop(state);
    }

    /// Waits until everything that was committed before, and `seq`, was sent to mailboxes.
    async fn caught_up(&self, seq: u64) {
        let number = self.queue.pushed();
        let is_there = |progress: &Progress| progress.number >= number && progress.seq >= seq;
        let mut progress = self.progress.subscribe();
        if timeout(CAUGHT_UP_TIMEOUT, progress.wait_for(is_there)).await.is_err() {
            tracing::warn!("sessions get commits late; is the machine overloaded?");
        }
    }

    fn life(&self) -> u64 {
        self.life.load(Ordering::SeqCst)
    }

    /// A panic of a lock's holder leaves nothing half changed: each step leaves a complete state.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
