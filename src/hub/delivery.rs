//! The sessions that have something new: their sockets are written, or their tasks are woken.

use super::chunk::ChunkMaker;
use super::mailbox::Mailbox;
use crate::health::watched;
use std::sync::Arc;
use std::task::Waker;
use tokio::runtime::Handle;

/// The most sockets that one thread writes to, one after the other. If there are more, other threads help.
const SOCKETS_A_THREAD: usize = 128;

/// Sessions that have something new. All are served together when this is dropped, also by a panic.
#[derive(Default)]
pub(super) struct Delivery {
    tasks: Vec<Waker>,
    sockets: Vec<Arc<Mailbox>>,
}

impl Delivery {
    /// Wakes this task.
    pub(super) fn wake(&mut self, task: Waker) {
        self.tasks.push(task);
    }

    /// Writes to the socket of this session, unless its task comes first.
    pub(super) fn write(&mut self, mailbox: Arc<Mailbox>) {
        self.sockets.push(mailbox);
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.tasks.drain(..).for_each(Waker::wake);
        let mut sockets = std::mem::take(&mut self.sockets);
        while sockets.len() > SOCKETS_A_THREAD
            && let Ok(runtime) = Handle::try_current()
        {
            let part = Sockets(sockets.split_off(sockets.len() - SOCKETS_A_THREAD));
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
