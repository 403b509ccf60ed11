//! Bodies of requests: bytes in memory, or a file that is read while it is sent.

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::{Body, Frame, SizeHint};
use std::fs::File;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Bytes that are read and sent at once.
const PIECE_BYTES: u64 = 64 << 10;

/// The body of a request.
pub(super) type RequestBody = Either<Full<Bytes>, FileBody>;

/// A file to be sent, and a function that is called with the number of sent bytes.
pub struct FileBody {
    file: File,
    left: u64,
    told: Box<dyn FnMut(u64) + Send>,
}

impl FileBody {
    /// A file from its present position, and its length in bytes from there.
    pub fn new(file: File, length: u64, told: impl FnMut(u64) + Send + 'static) -> Self {
        Self { file, left: length, told: Box::new(told) }
    }

    /// Bytes that are left.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// The file, the number of bytes left, and the function for sent bytes.
    pub(super) fn into_parts(self) -> (File, u64, Box<dyn FnMut(u64) + Send>) {
        (self.file, self.left, self.told)
    }

    /// The next bytes; empty at the end. Waits for the disk.
    pub(super) fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read =
            self.file.by_ref().take(PIECE_BYTES.min(self.left)).read_to_end(&mut bytes)? as u64;
        if read == 0 && self.left > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter"));
        }
        self.left -= read;
        (self.told)(read);
        Ok(bytes)
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    /// Reads on this thread, because a command has nothing else to do.
    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        if this.left == 0 {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(this.read().map(|bytes| Frame::data(bytes.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use std::io::{Seek, Write};
    use std::sync::{Arc, Mutex};

    #[tokio::test]
    async fn a_file_goes_whole_and_one_that_shrinks_breaks_off() {
        let mut file = tempfile::tempfile().unwrap();
        let bytes = vec![7; 200_000];
        file.write_all(&bytes).unwrap();
        file.rewind().unwrap();
        let told = Arc::new(Mutex::new(0));
        let count = told.clone();
        let body = FileBody::new(file.try_clone().unwrap(), 200_000, move |read| {
            *count.lock().unwrap() += read;
        });
        assert_eq!(body.collect().await.unwrap().to_bytes(), bytes);
        assert_eq!(*told.lock().unwrap(), 200_000);
        file.rewind().unwrap();
        let longer = FileBody::new(file, 200_001, |_| {}).collect().await.unwrap_err();
        assert_eq!(longer.kind(), io::ErrorKind::UnexpectedEof);
    }
}
