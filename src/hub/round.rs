//! The sessions that have something new: their sockets are written, or their tasks are woken.

use super::SessionLimits;
use super::chunk::ChunkMaker;
use super::mailbox::{Broadcast, Mailbox, ServedBy};
use crate::health::watched;
use std::sync::Arc;
use std::task::Waker;
use tokio::runtime::Handle;

/// The most sockets that one thread writes to, one after the other. If there are more, other threads help.
const SOCKETS_A_THREAD: usize = 64;

/// Sessions that have something new. All are served together when this is dropped, also by a panic.
#[derive(Default)]
pub(super) struct Round {
    tasks: Vec<Waker>,
    sockets: Vec<Arc<Mailbox>>,
}

impl Round {
    /// Adds a handout to a mailbox, and its session to those that are served.
    pub(super) fn push(
        &mut self,
        mailbox: &Arc<Mailbox>,
        handout: &Broadcast,
        limits: SessionLimits,
    ) {
        match mailbox.push(handout, limits) {
            Some(ServedBy::Task(task)) => self.tasks.push(task),
            Some(ServedBy::Hub) => self.sockets.push(mailbox.clone()),
            None => {}
        }
    }
}

impl Drop for Round {
    fn drop(&mut self) {
        self.tasks.drain(..).for_each(Waker::wake);
        let mut sockets = std::mem::take(&mut self.sockets);
        let parts = sockets.len().div_ceil(SOCKETS_A_THREAD).max(1);
        let size = sockets.len().div_ceil(parts);
        // The runtime keeps the newest task of a thread for that thread: of two parts, one that is spawned alone
        // would wait until this one is written.
        let kept = if parts == 2 { 0 } else { size };
        while sockets.len() > kept
            && let Ok(runtime) = Handle::try_current()
        {
            let part = Sockets(sockets.split_off(sockets.len().saturating_sub(size)));
            runtime.spawn(watched("sessions", async move { part.write() }));
        }
        Sockets(sockets).write();
    }
}

/// Sessions whose sockets are still to be written. When this is dropped, also by a panic, the tasks of those
/// that are left are woken.
struct Sockets(Vec<Arc<Mailbox>>);

impl Sockets {
    fn write(mut self) {
        let mut chunks = ChunkMaker::default();
        while let Some(mailbox) = self.0.pop() {
            mailbox.write(&mut chunks);
        }
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|mailbox| mailbox.wake());
    }
}

#[cfg(test)]
mod tests;
