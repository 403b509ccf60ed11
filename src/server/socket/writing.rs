//! Writes frames to the socket as the hub encoded them. The library would copy each of them.

use crate::hub::Batches;
use bytes::{Buf, Bytes, BytesMut};
use hyper_tungstenite::HyperWebsocketStream;
use std::io;
use tokio::io::AsyncWriteExt;

/// The most bytes of one write.
const WRITE_BYTES: usize = 64 << 10;

/// Joins waiting batches into a few chunks, each for one write. A single batch is not copied.
pub(super) fn chunks(batches: Batches) -> impl Iterator<Item = Bytes> {
    let mut batches = batches.into_iter().map(|batch| batch.wire().clone()).peekable();
    let fits = |size: usize| move |next: &Bytes| size + next.len() <= WRITE_BYTES;
    std::iter::from_fn(move || {
        let first = batches.next()?;
        let Some(second) = batches.next_if(fits(first.len())) else { return Some(first) };
        let mut chunk = BytesMut::with_capacity(2 * (first.len() + second.len()));
        chunk.extend_from_slice(&first);
        chunk.extend_from_slice(&second);
        while let Some(next) = batches.next_if(fits(chunk.len())) {
            chunk.extend_from_slice(&next);
        }
        Some(chunk.freeze())
    })
}

/// Writes the rest in `unsent`. Bytes that were written are removed from it, even if this future is
/// dropped. The library must have nothing left to write.
pub(super) async fn write(socket: &mut HyperWebsocketStream, unsent: &mut Bytes) -> io::Result<()> {
    let stream = socket.get_mut();
    while !unsent.is_empty() {
        match stream.write(unsent).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => unsent.advance(written),
        }
    }
    // An empty rest would keep the memory of its batch.
    *unsent = Bytes::new();
    stream.flush().await
}
