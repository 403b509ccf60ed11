//! What waits for one session: a bounded queue while it is live, and a note of where to read on
//! in the store once that was full.

use super::Limits;
use crate::hub::frame::{Batch, Subject};
use crate::metrics::METRICS;
use crate::store::postings::{BLOCK, Places, locate, start_of};
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// What waits for a session; the few batches of one that keeps up need no memory of their own.
pub type Batches = SmallVec<[Arc<Batch>; 2]>;

/// One session's mail.
pub(super) struct Mailbox {
    mail: Mutex<Mail>,
}

struct Mail {
    mode: Mode,
    /// Its session waits for mail; who brings some takes this, and calls it.
    waiting: Option<Waker>,
}

enum Mode {
    Live(Queue),
    Behind(Missed),
}

#[derive(Default)]
struct Queue {
    batches: Batches,
    frames: usize,
    bytes: usize,
    /// The newest message that was queued, or that was known when the session went live.
    last: u64,
}

/// What the store cannot tell a session that is behind, kept in a size that does not grow with
/// the time it is away.
#[derive(Default)]
pub(super) struct Missed {
    /// Messages up to this one were handed over.
    pub(super) delivered: u64,
    /// Messages whose state has changed.
    pub(super) changed: SeqSet,
    /// The newest state of each adapter that changed.
    pub(super) adapters: BTreeMap<Subject, Arc<Batch>>,
}

/// What a session finds in its mailbox.
pub(super) enum Found {
    /// Live, and these wait.
    Mail(Batches),
    /// It has to read on from the store, after this message.
    Behind(u64),
}

/// What came of the wish to be live again.
pub(super) enum Seam {
    /// It is live.
    Live,
    /// There are more messages to read first.
    MoreMessages,
    /// Every message is read; these are to be told first.
    Missed(Missed),
}

impl Mailbox {
    /// An empty mailbox, live from `head` on.
    pub(super) fn new(head: u64) -> Self {
        METRICS.sessions.inc();
        let mode = Mode::Live(Queue { last: head, ..Queue::default() });
        Self { mail: Mutex::new(Mail { mode, waiting: None }) }
    }

    /// Puts a batch in. `head` is the last message that was handed to everybody, where the batch
    /// brings none. Gives the session that waits for it, to be woken.
    pub(super) fn push(&self, batch: &Arc<Batch>, head: u64, limits: Limits) -> Option<Waker> {
        let mut mail = self.lock();
        match &mut mail.mode {
            Mode::Behind(missed) => missed.note(batch),
            Mode::Live(queue) => {
                let messages = batch.messages();
                if let Some((_, last)) = messages {
                    // A session has one copy, however many of its pairs match.
                    if last <= queue.last {
                        return None;
                    }
                    queue.last = last;
                }
                let (frames, bytes) = (batch.frames().len(), batch.wire().len());
                let is_full =
                    queue.frames + frames > limits.frames || queue.bytes + bytes > limits.bytes;
                if is_full && !queue.batches.is_empty() {
                    let delivered = messages.map_or(head, |(first, _)| first - 1);
                    let mut missed = std::mem::take(queue).overflow(delivered);
                    missed.note(batch);
                    mail.mode = Mode::Behind(missed);
                } else {
                    queue.frames += frames;
                    queue.bytes += bytes;
                    queue.batches.push(batch.clone());
                }
            }
        }
        mail.waiting.take()
    }

    /// Takes out what waits; while that is nothing, the task is woken by the next push.
    pub(super) fn poll_take(&self, cx: &mut Context) -> Poll<Found> {
        let mut mail = self.lock();
        match &mut mail.mode {
            Mode::Live(queue) if queue.batches.is_empty() => {
                if !mail.waiting.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                    mail.waiting = Some(cx.waker().clone());
                }
                Poll::Pending
            }
            Mode::Live(queue) => {
                (queue.frames, queue.bytes) = (0, 0);
                Poll::Ready(Found::Mail(std::mem::take(&mut queue.batches)))
            }
            Mode::Behind(missed) => Poll::Ready(Found::Behind(missed.delivered)),
        }
    }

    /// Has the session look, if it waits.
    pub(super) fn wake(&self) {
        let waiting = self.lock().waiting.take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// Turns from the live stream to the store; gives the message after which to read on.
    /// `head` is the newest message that was handed out.
    pub(super) fn fall_behind(&self, head: u64) -> u64 {
        let mut mail = self.lock();
        if let Mode::Live(queue) = &mut mail.mode {
            mail.mode = Mode::Behind(std::mem::take(queue).overflow(head));
        }
        match &mail.mode {
            Mode::Behind(missed) => missed.delivered,
            Mode::Live(_) => head,
        }
    }

    /// Turns back to the live stream, if everything up to `head` was read (`position`).
    pub(super) fn catch_up(&self, position: u64, head: u64) -> Seam {
        let mut mail = self.lock();
        let Mode::Behind(missed) = &mut mail.mode else { return Seam::Live };
        if head > position {
            return Seam::MoreMessages;
        }
        if !missed.changed.is_empty() || !missed.adapters.is_empty() {
            return Seam::Missed(std::mem::take(missed));
        }
        METRICS.sessions_behind.dec();
        mail.mode = Mode::Live(Queue { last: position, ..Queue::default() });
        Seam::Live
    }

    fn lock(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        METRICS.sessions.dec();
        if matches!(self.lock().mode, Mode::Behind(_)) {
            METRICS.sessions_behind.dec();
        }
    }
}

impl Queue {
    /// Lets go of everything, and keeps what the store cannot tell later.
    fn overflow(self, delivered: u64) -> Missed {
        METRICS.overflows.inc();
        METRICS.sessions_behind.inc();
        let first = self.batches.iter().find_map(|batch| batch.messages());
        let mut missed = Missed {
            delivered: first.map_or(delivered, |(first, _)| first - 1),
            ..Missed::default()
        };
        self.batches.iter().for_each(|batch| missed.note(batch));
        missed
    }
}

impl Missed {
    fn note(&mut self, batch: &Arc<Batch>) {
        for frame in batch.frames() {
            match &frame.subject {
                Subject::Message(_) => {}
                Subject::Status(seq) => self.changed.insert(*seq),
                Subject::Adapter(..) => {
                    drop(self.adapters.insert(frame.subject.clone(), batch.clone()));
                }
            }
        }
    }
}

/// A set of `seq` in bits.
#[derive(Default)]
pub(super) struct SeqSet {
    blocks: BTreeMap<u32, Places>,
}

impl SeqSet {
    fn insert(&mut self, seq: u64) {
        let (block, place) = locate(seq);
        self.blocks.entry(block).or_default().set(place, true);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Takes out one block's worth, the lowest.
    pub(super) fn take_some(&mut self) -> Vec<u64> {
        const { assert!(BLOCK <= 4096, "so many frames are made at once") };
        let Some((block, places)) = self.blocks.pop_first() else { return Vec::new() };
        places.ascending().map(|place| start_of(block) + u64::from(place)).collect()
    }
}
