//! Writes frames to the socket as the hub encoded them. The library would copy each of them.

use crate::hub::Batches;
use crate::hub::chunk::{ChunkMaker, batches_in_chunk};
use bytes::{Buf, Bytes};
use hyper_tungstenite::HyperWebsocketStream;
use std::io;
use tokio::io::AsyncWriteExt;

/// Joins waiting batches into a few chunks, each for one write.
pub(super) fn chunks(mut batches: Batches) -> impl Iterator<Item = Bytes> {
    let mut maker = ChunkMaker::default();
    std::iter::from_fn(move || {
        let count = batches_in_chunk(&batches);
        let chunk = (count > 0).then(|| maker.chunk(&batches[..count]));
        batches.drain(..count);
        chunk
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
