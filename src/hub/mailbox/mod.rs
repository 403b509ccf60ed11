//! The queue of one session. It is bounded: when it overflows, the session reads from the store, from
//! the position kept here.

mod broadcast;
mod direct_write;
mod frame_queue;

use super::chunk::{Batches, ChunkMaker};
use super::limits::SessionLimits;
use crate::metrics::METRICS;
use crate::model::subscription::Position;
pub use broadcast::FrameForm;
pub(in crate::hub) use broadcast::{Broadcast, HandoutSubject};
use bytes::Bytes;
use direct_write::DirectWrite;
pub(in crate::hub) use frame_queue::AdapterStates;
use frame_queue::{Backlog, FrameQueue, note};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::net::tcp::OwnedWriteHalf;

/// One session's queue.
pub(in crate::hub) struct Mailbox {
    mail: Mutex<Mail>,
}

struct Mail {
    form: FrameForm,
    mode: MailboxMode,
    /// The number of the last handout.
    last: u64,
    /// Set while the session's task waits; a push takes it and wakes the task.
    waiting: Option<Waker>,
    socket: Option<DirectWrite>,
}

enum MailboxMode {
    Live(FrameQueue),
    Behind(Backlog),
}

/// Writes what was added to the mailbox of a session.
pub(in crate::hub) enum ServedBy {
    /// The session's task, which waits and is to be woken.
    Task(Waker),
    /// The hub: see [`Mailbox::write`].
    Hub,
}

/// Content of a mailbox.
pub(in crate::hub) enum MailboxContent {
    /// The session is live, and these batches wait.
    Mail(Batches),
    /// The session has to read from the store, after this position.
    Behind(Position),
}

/// Result of an attempt to become live again.
pub(in crate::hub) enum CaughtUp {
    Live,
    /// More was committed in the meantime, and has to be read first.
    MoreToRead,
    /// Everything was read; these states have to be sent first.
    Adapters(AdapterStates),
}

impl Mailbox {
    /// An empty mailbox, live from `head` on.
    pub(in crate::hub) fn new(head: Position) -> Self {
        METRICS.sessions.inc();
        let mode = MailboxMode::Live(FrameQueue::after(head));
        let mail = Mail { form: FrameForm::default(), mode, last: 0, waiting: None, socket: None };
        Self { mail: Mutex::new(mail) }
    }

    pub(in crate::hub) fn set_form(&self, form: FrameForm) {
        self.lock().form = form;
    }

    /// Lets the hub write to the socket of the session while the session's task waits.
    pub(in crate::hub) fn set_socket(&self, socket: Arc<OwnedWriteHalf>) {
        self.lock().socket = Some(DirectWrite::to(socket));
    }

    /// Adds a handout. Returns how the session is served, unless it will be served anyway.
    pub(in crate::hub) fn push(
        &self,
        handout: &Broadcast,
        limits: SessionLimits,
    ) -> Option<ServedBy> {
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
        match &mut mail.socket {
            Some(socket) if socket.is_allowed => {
                let is_listed = std::mem::replace(&mut socket.is_listed, true);
                (!is_listed).then_some(ServedBy::Hub)
            }
            _ => mail.waiting.take().map(ServedBy::Task),
        }
    }

    /// Writes the waiting batches to the socket, or wakes the session's task if that has to go on.
    pub(in crate::hub) fn write(&self, chunks: &mut ChunkMaker) {
        let mut guard = self.lock();
        let mail = &mut *guard;
        let Some(socket) = &mut mail.socket else { return };
        socket.is_listed = false;
        let is_done = match &mut mail.mode {
            MailboxMode::Live(queue) => socket.is_allowed && socket.write_all(queue, chunks),
            MailboxMode::Behind(_) => false,
        };
        if is_done {
            return;
        }
        let task = mail.waiting.take();
        drop(guard);
        if let Some(task) = task {
            task.wake();
        }
    }

    /// Ends the hub's writing until the session's task waits again. Returns the part of a write that the
    /// socket did not take.
    pub(in crate::hub) fn take_unsent(&self) -> Bytes {
        self.lock().socket.as_mut().map(DirectWrite::take_unsent).unwrap_or_default()
    }

    /// Takes the waiting batches; none if the rest of a write comes first. If there is nothing to write, the
    /// next push wakes the task, or is written to the socket.
    pub(in crate::hub) fn poll_take(&self, cx: &mut Context) -> Poll<MailboxContent> {
        let mut guard = self.lock();
        let mail = &mut *guard;
        if mail.socket.as_ref().is_some_and(DirectWrite::has_unsent) {
            // The task has to write the rest before anything else.
            return Poll::Ready(MailboxContent::Mail(Batches::new()));
        }
        let content = match &mut mail.mode {
            MailboxMode::Live(queue) if queue.batches.is_empty() => {
                if !mail.waiting.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                    mail.waiting = Some(cx.waker().clone());
                }
                Poll::Pending
            }
            MailboxMode::Live(queue) => Poll::Ready(MailboxContent::Mail(queue.take())),
            MailboxMode::Behind(backlog) => Poll::Ready(MailboxContent::Behind(backlog.delivered)),
        };
        if let Some(socket) = &mut mail.socket {
            socket.is_allowed = content.is_pending();
        }
        content
    }

    /// Takes the waiting batches without waiting; nothing if the session is behind.
    pub(in crate::hub) fn take(&self) -> Batches {
        match &mut self.lock().mode {
            MailboxMode::Live(queue) => queue.take(),
            MailboxMode::Behind(_) => Batches::new(),
        }
    }

    /// Wakes the session if it waits.
    pub(in crate::hub) fn wake(&self) {
        let mut mail = self.lock();
        if let Some(socket) = &mut mail.socket {
            socket.is_listed = false;
        }
        let task = mail.waiting.take();
        drop(mail);
        if let Some(task) = task {
            task.wake();
        }
    }

    /// Changes from live events to reading the store; returns the position after which to read.
    /// Everything up to `head` was sent to mailboxes.
    pub(in crate::hub) fn fall_behind(&self, head: Position) -> Position {
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
    pub(in crate::hub) fn catch_up(&self, position: Position, head: Position) -> CaughtUp {
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
        mail.mode = MailboxMode::Live(FrameQueue::after(position.max(head)));
        CaughtUp::Live
    }

    /// Changes to live events without reading the missing ones.
    pub(in crate::hub) fn go_live(&self, head: Position) {
        let mut mail = self.lock();
        if matches!(mail.mode, MailboxMode::Behind(_)) {
            METRICS.sessions_behind.dec();
        }
        mail.mode = MailboxMode::Live(FrameQueue::after(head));
    }

    /// The position after which a session that is behind continues.
    pub(in crate::hub) fn delivered(&self) -> Option<Position> {
        match &self.lock().mode {
            MailboxMode::Behind(backlog) => Some(backlog.delivered),
            MailboxMode::Live(_) => None,
        }
    }

    /// The result of [`Self::fall_behind`], without changing anything.
    pub(in crate::hub) fn place_behind(&self, head: Position) -> Position {
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

#[cfg(test)]
mod tests;
