//! The queue of one session. It is bounded: when it overflows, the session reads from the store, from
//! the position kept here.

use super::frame::FrameBatch;
use super::limits::SessionLimits;
use crate::adapter::AdapterStatusChange;
use crate::metrics::METRICS;
use crate::model::subscription::Position;
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Batches that wait for a session; a session that keeps up needs no extra memory for them.
pub type Batches = SmallVec<[Arc<FrameBatch>; 2]>;

/// The form of a session's frames, and how it reads from the store when it is behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FrameForm {
    /// New messages without cursors; read from the messages by `seq`.
    #[default]
    Messages,
    /// Frames without cursors; read from the journal by offset.
    Stream,
    /// Frames with cursors; read from the journal by offset.
    Events,
}

impl FrameForm {
    /// Whether the session reads by offset.
    pub(super) fn is_by_offset(self) -> bool {
        self != Self::Messages
    }

    /// Whether frames have a cursor.
    pub(super) fn shows_cursor(self) -> bool {
        self == Self::Events
    }
}

/// Frames that are sent to every session of some topic.
pub(super) struct Broadcast<'h> {
    /// Grows with each handout, so that a session with several matching topics gets it once.
    pub number: u64,
    /// The frames, with or without cursors.
    pub batches: &'h dyn Fn(bool) -> &'h [Arc<FrameBatch>],
    pub subject: HandoutSubject<'h>,
}

/// Subject of a handout.
#[derive(Clone, Copy)]
pub(super) enum HandoutSubject<'h> {
    /// Events; after the handout, everything up to here was sent.
    Log(Position),
    /// The state of an adapter, which has no position in the log; sent after everything up to here.
    Adapter(&'h Arc<AdapterStatusChange>, Position),
    /// The present state of a conversation, sent after everything up to here; sessions that read
    /// the journal find it there.
    Conversation(Position),
}

/// One session's queue.
pub(super) struct Mailbox {
    mail: Mutex<Mail>,
}

struct Mail {
    form: FrameForm,
    mode: MailboxMode,
    /// The number of the last handout.
    last: u64,
    /// Set while the session's task waits; a push takes it and wakes the task.
    waiting: Option<Waker>,
}

enum MailboxMode {
    Live(FrameQueue),
    Behind(Backlog),
}

#[derive(Default)]
struct FrameQueue {
    batches: Batches,
    frames: usize,
    bytes: usize,
    /// States of adapters among them.
    adapters: AdapterStates,
    /// Everything up to here was queued, or was known when the session became live.
    through: Position,
}

/// State of a session that is behind; its size does not grow while the client is away.
#[derive(Default)]
struct Backlog {
    /// Everything up to here was sent.
    delivered: Position,
    adapters: AdapterStates,
}

/// The newest state of each adapter that changed, by platform and account.
pub(super) type AdapterStates = BTreeMap<(String, Option<String>), Arc<AdapterStatusChange>>;

/// Content of a mailbox.
pub(super) enum MailboxContent {
    /// The session is live, and these batches wait.
    Mail(Batches),
    /// The session has to read from the store, after this position.
    Behind(Position),
}

/// Result of an attempt to become live again.
pub(super) enum CaughtUp {
    Live,
    /// More was committed in the meantime, and has to be read first.
    MoreToRead,
    /// Everything was read; these states have to be sent first.
    Adapters(AdapterStates),
}

impl Mailbox {
    /// An empty mailbox, live from `head` on.
    pub(super) fn new(head: Position) -> Self {
        METRICS.sessions.inc();
        let mode = MailboxMode::Live(FrameQueue { through: head, ..FrameQueue::default() });
        let mail = Mail { form: FrameForm::default(), mode, last: 0, waiting: None };
        Self { mail: Mutex::new(mail) }
    }

    pub(super) fn set_form(&self, form: FrameForm) {
        self.lock().form = form;
    }

    /// Adds a handout. Returns the waker of the session if it waits.
    pub(super) fn push(&self, handout: &Broadcast, limits: SessionLimits) -> Option<Waker> {
        let mut mail = self.lock();
        if handout.number <= mail.last {
            return None;
        }
        mail.last = handout.number;
        let form = mail.form;
        match &mut mail.mode {
            MailboxMode::Live(queue) if queue.knows(handout.subject, form) => return None,
            MailboxMode::Live(queue) => {
                if let Some(backlog) = queue.push(handout, form, limits) {
                    mail.mode = MailboxMode::Behind(backlog);
                }
            }
            MailboxMode::Behind(backlog) => note(&mut backlog.adapters, handout.subject),
        }
        mail.waiting.take()
    }

    /// Takes the waiting batches; if there are none, the next push wakes the task.
    pub(super) fn poll_take(&self, cx: &mut Context) -> Poll<MailboxContent> {
        let mut mail = self.lock();
        match &mut mail.mode {
            MailboxMode::Live(queue) if queue.batches.is_empty() => {
                if !mail.waiting.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                    mail.waiting = Some(cx.waker().clone());
                }
                Poll::Pending
            }
            MailboxMode::Live(queue) => Poll::Ready(MailboxContent::Mail(queue.take())),
            MailboxMode::Behind(backlog) => Poll::Ready(MailboxContent::Behind(backlog.delivered)),
        }
    }

    /// Takes the waiting batches without waiting; nothing if the session is behind.
    pub(super) fn take(&self) -> Batches {
        match &mut self.lock().mode {
            MailboxMode::Live(queue) => queue.take(),
            MailboxMode::Behind(_) => Batches::new(),
        }
    }

    /// Wakes the session if it waits.
    pub(super) fn wake(&self) {
        let waiting = self.lock().waiting.take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// Changes from live events to reading the store; returns the position after which to read.
    /// Everything up to `head` was sent to mailboxes.
    pub(super) fn fall_behind(&self, head: Position) -> Position {
        let mut mail = self.lock();
        if let MailboxMode::Live(queue) = &mut mail.mode {
            let delivered = queue.through.max(head);
            mail.mode = MailboxMode::Behind(std::mem::take(queue).overflow(delivered));
        }
        match &mail.mode {
            MailboxMode::Behind(backlog) => backlog.delivered,
            MailboxMode::Live(_) => head,
        }
    }

    /// Changes back to live events, if everything up to `head` was read (`position`).
    pub(super) fn catch_up(&self, position: Position, head: Position) -> CaughtUp {
        let mut mail = self.lock();
        let by_offset = mail.form.is_by_offset();
        let MailboxMode::Behind(backlog) = &mut mail.mode else { return CaughtUp::Live };
        let is_there =
            if by_offset { position.offset >= head.offset } else { position.seq >= head.seq };
        if !is_there {
            return CaughtUp::MoreToRead;
        }
        if !backlog.adapters.is_empty() {
            return CaughtUp::Adapters(std::mem::take(&mut backlog.adapters));
        }
        METRICS.sessions_behind.dec();
        mail.mode =
            MailboxMode::Live(FrameQueue { through: position.max(head), ..FrameQueue::default() });
        CaughtUp::Live
    }

    /// Changes to live events without reading the missing ones.
    pub(super) fn go_live(&self, head: Position) {
        let mut mail = self.lock();
        if matches!(mail.mode, MailboxMode::Behind(_)) {
            METRICS.sessions_behind.dec();
        }
        mail.mode = MailboxMode::Live(FrameQueue { through: head, ..FrameQueue::default() });
    }

    /// The position after which a session that is behind continues.
    pub(super) fn delivered(&self) -> Option<Position> {
        match &self.lock().mode {
            MailboxMode::Behind(backlog) => Some(backlog.delivered),
            MailboxMode::Live(_) => None,
        }
    }

    /// The result of [`Self::fall_behind`], without changing anything.
    pub(super) fn place_behind(&self, head: Position) -> Position {
        match &self.lock().mode {
            MailboxMode::Behind(backlog) => backlog.delivered,
            MailboxMode::Live(queue) => queue.place_behind(queue.through.max(head)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        METRICS.sessions.dec();
        if matches!(self.lock().mode, MailboxMode::Behind(_)) {
            METRICS.sessions_behind.dec();
        }
    }
}

impl FrameQueue {
    /// Whether the session has read it from the store already.
    fn knows(&self, subject: HandoutSubject, form: FrameForm) -> bool {
        match subject {
            HandoutSubject::Log(through) if form.is_by_offset() => {
                through.offset <= self.through.offset
            }
            HandoutSubject::Log(through) => through.seq <= self.through.seq,
            HandoutSubject::Adapter(..) => false,
            // The session has read further in the store than the hub is, and has a newer state.
            HandoutSubject::Conversation(at) => at.offset < self.through.offset,
        }
    }

    /// Adds a handout to the queue; if it does not fit, the session falls behind.
    fn push(
        &mut self,
        handout: &Broadcast,
        form: FrameForm,
        limits: SessionLimits,
    ) -> Option<Backlog> {
        note(&mut self.adapters, handout.subject);
        let mut delivered = self.through;
        match handout.subject {
            HandoutSubject::Log(through) => self.through = delivered.max(through),
            // Its cursor would lead back, so it is sent with the session's own cursor.
            HandoutSubject::Adapter(_, at) if at.offset < delivered.offset => {
                return Some(std::mem::take(self).overflow(delivered));
            }
            HandoutSubject::Adapter(..) | HandoutSubject::Conversation(_) => {}
        }
        for batch in (handout.batches)(form.shows_cursor()) {
            let fits = self.frames + batch.frames().len() <= limits.frames
                && self.bytes + batch.wire().len() <= limits.bytes;
            if !fits && !self.batches.is_empty() {
                delivered = batch.before.map_or(delivered, |before| before.max(delivered));
                return Some(std::mem::take(self).overflow(delivered));
            }
            self.frames += batch.frames().len();
            self.bytes += batch.wire().len();
            self.batches.push(batch.clone());
        }
        None
    }

    fn take(&mut self) -> Batches {
        (self.frames, self.bytes) = (0, 0);
        self.adapters.clear();
        std::mem::take(&mut self.batches)
    }

    /// Drops all batches, and keeps the position from which to read.
    fn overflow(self, delivered: Position) -> Backlog {
        METRICS.overflows.inc();
        METRICS.sessions_behind.inc();
        Backlog { delivered: self.place_behind(delivered), adapters: self.adapters }
    }

    /// The position from which to read in the store: before the first batch that was not taken, else
    /// after `delivered`.
    fn place_behind(&self, delivered: Position) -> Position {
        self.batches.iter().find_map(|batch| batch.before).unwrap_or(delivered)
    }
}

/// Keeps an adapter's state, because the store does not have it.
fn note(adapters: &mut AdapterStates, subject: HandoutSubject) {
    if let HandoutSubject::Adapter(change, _) = subject {
        adapters.insert((change.platform.clone(), change.account.clone()), change.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::PlatformState;
    use crate::hub::frame::{Frame, FrameContent};
    use crate::model::cursor::Cursor;

    const LIMITS: SessionLimits =
        SessionLimits { frames: 1, bytes: 1 << 20, replay_bytes: 1 << 20, topics: 10 };

    fn at(offset: u64) -> Position {
        Position { seq: offset, offset }
    }

    fn adapter(account: &str) -> Arc<AdapterStatusChange> {
        Arc::new(AdapterStatusChange {
            platform: "qq".into(),
            account: Some(account.into()),
            state: PlatformState::Connected,
            reason: None,
        })
    }

    fn push_adapter(mailbox: &Mailbox, number: u64, head: Position, account: &str) {
        let change = adapter(account);
        let frame = Frame::of(&FrameContent::Adapter(&change), Cursor::default().into(), true);
        let batches = [FrameBatch::of(None, vec![frame])];
        let subject = HandoutSubject::Adapter(&change, head);
        mailbox.push(&Broadcast { number, batches: &|_| &batches, subject }, LIMITS);
    }

    fn found(mailbox: &Mailbox) -> MailboxContent {
        match mailbox.poll_take(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(found) => found,
            Poll::Pending => panic!("nothing waits"),
        }
    }

    #[test]
    fn states_of_adapters_that_did_not_fit_are_told_after_the_store() {
        let mailbox = Mailbox::new(at(3));
        push_adapter(&mailbox, 1, at(3), "a");
        push_adapter(&mailbox, 2, at(3), "b");
        let MailboxContent::Behind(delivered) = found(&mailbox) else { panic!("it is not behind") };
        assert_eq!(delivered, at(3));
        let CaughtUp::Adapters(adapters) = mailbox.catch_up(at(3), at(3)) else {
            panic!("they are forgotten")
        };
        assert_eq!(adapters.len(), 2);
        assert!(matches!(mailbox.catch_up(at(3), at(3)), CaughtUp::Live));
    }

    #[test]
    fn the_state_of_an_adapter_leads_no_session_back() {
        let mailbox = Mailbox::new(at(0));
        mailbox.set_form(FrameForm::Events);
        mailbox.fall_behind(at(5));
        // The session has read more than the hub has sent.
        assert!(matches!(mailbox.catch_up(at(9), at(7)), CaughtUp::Live));
        push_adapter(&mailbox, 1, at(7), "a");
        let MailboxContent::Behind(delivered) = found(&mailbox) else {
            panic!("it is told with cursor 7")
        };
        assert_eq!(delivered, at(9));
    }
}
