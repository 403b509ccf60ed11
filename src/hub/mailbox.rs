//! What waits for one session: a bounded queue while it is live, and a note of where to read on
//! in the store once that was full.

use super::Limits;
use crate::frame::{Frame, Subject};
use crate::metrics::METRICS;
use crate::store::postings::{BLOCK, Places, locate, start_of};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// One session's mail.
pub(super) struct Mailbox {
    mail: Mutex<Mail>,
    wake: Notify,
}

struct Mail {
    mode: Mode,
    /// Somebody has been told already that there is something.
    is_announced: bool,
}

enum Mode {
    Live(Queue),
    Behind(Missed),
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Frame>,
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
    pub(super) adapters: BTreeMap<Subject, Frame>,
}

/// What a session finds in its mailbox.
pub(super) enum Found {
    /// Live, and these wait.
    Frames(Vec<Frame>),
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
        Self { mail: Mutex::new(Mail { mode, is_announced: false }), wake: Notify::new() }
    }

    /// Puts a frame in. `delivered` is the last message before it that was handed to everybody.
    /// Says whether its session has to be woken.
    pub(super) fn push(&self, frame: &Frame, delivered: u64, limits: Limits) -> bool {
        let mut mail = self.lock();
        match &mut mail.mode {
            Mode::Behind(missed) => missed.note(frame),
            Mode::Live(queue) => {
                if let Subject::Message(seq) = frame.subject {
                    // A session has one copy, however many of its pairs match.
                    if seq <= queue.last {
                        return false;
                    }
                    queue.last = seq;
                }
                let is_full = queue.frames.len() >= limits.frames
                    || queue.bytes + frame.text.len() > limits.bytes && !queue.frames.is_empty();
                if is_full {
                    let mut missed = std::mem::take(queue).overflow(delivered);
                    missed.note(frame);
                    mail.mode = Mode::Behind(missed);
                } else {
                    queue.bytes += frame.text.len();
                    queue.frames.push_back(frame.clone());
                }
            }
        }
        !std::mem::replace(&mut mail.is_announced, true)
    }

    /// Wakes the session.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Waits until there may be something to take.
    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Takes out what waits.
    pub(super) fn take(&self) -> Found {
        let mut mail = self.lock();
        mail.is_announced = false;
        match &mut mail.mode {
            Mode::Live(queue) => {
                queue.bytes = 0;
                Found::Frames(queue.frames.drain(..).collect())
            }
            Mode::Behind(missed) => Found::Behind(missed.delivered),
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
        mail.is_announced = false;
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
    /// Lets go of all frames, and keeps what the store cannot tell later.
    fn overflow(self, delivered: u64) -> Missed {
        METRICS.overflows.inc();
        METRICS.sessions_behind.inc();
        let first = self.frames.iter().find_map(|frame| match frame.subject {
            Subject::Message(seq) => Some(seq),
            _ => None,
        });
        let mut missed =
            Missed { delivered: first.map_or(delivered, |seq| seq - 1), ..Missed::default() };
        self.frames.iter().for_each(|frame| missed.note(frame));
        missed
    }
}

impl Missed {
    fn note(&mut self, frame: &Frame) {
        match &frame.subject {
            Subject::Message(_) => {}
            Subject::Status(seq) => self.changed.insert(*seq),
            Subject::Adapter(..) => {
                drop(self.adapters.insert(frame.subject.clone(), frame.clone()));
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
