//! Writing to the socket of a session on the hub's thread, while the session's task waits. To wake the
//! task would cost about as much as the write.

use super::frame_queue::FrameQueue;
use crate::hub::chunk::ChunkMaker;
use bytes::Bytes;
use std::sync::Arc;
use tokio::net::tcp::OwnedWriteHalf;

/// The socket of a session, and whether the hub may write to it.
pub(super) struct DirectWrite {
    socket: Arc<OwnedWriteHalf>,
    /// Set while the session's task waits and has nothing to write.
    pub(super) is_allowed: bool,
    /// Whether a [`Round`](crate::hub::round::Round) will write what waits.
    pub(super) is_listed: bool,
    /// The part of a write that the socket did not take. The session's task has to write it first.
    unsent: Bytes,
}

impl DirectWrite {
    pub(super) fn to(socket: Arc<OwnedWriteHalf>) -> Self {
        Self { socket, is_allowed: false, is_listed: false, unsent: Bytes::new() }
    }

    /// Whether a part of a write is left for the session's task.
    pub(super) fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Ends the hub's writing, and takes what the socket did not take.
    pub(super) fn take_unsent(&mut self) -> Bytes {
        self.is_allowed = false;
        std::mem::take(&mut self.unsent)
    }

    /// Writes all batches. Returns false if the session's task has to go on: the socket is full, or has an
    /// error, which the task meets too.
    pub(super) fn write_all(&mut self, queue: &mut FrameQueue, chunks: &mut ChunkMaker) -> bool {
        debug_assert!(!self.has_unsent(), "frames would be written into the middle of another one");
        while let Some(chunk) = queue.take_chunk(chunks) {
            let written = self.socket.try_write(&chunk).unwrap_or(0);
            if written < chunk.len() {
                self.is_allowed = false;
                self.unsent = chunk.slice(written..);
                return false;
            }
        }
        true
    }
}
