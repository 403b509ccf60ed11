//! A TCP stream that the hub may also write to, when the connection is a WebSocket session.

use rustix::io::Errno;
use rustix::net::{Shutdown, shutdown};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// A TCP stream with a writing half that is shared.
pub struct SharedTcp {
    read: OwnedReadHalf,
    write: Arc<OwnedWriteHalf>,
}

impl SharedTcp {
    /// A stream, and its writing half.
    pub fn of(stream: TcpStream) -> (Self, Arc<OwnedWriteHalf>) {
        let (read, write) = stream.into_split();
        let write = Arc::new(write);
        (Self { read, write: write.clone() }, write)
    }

    /// Tries a write whenever the socket may take something, until it does.
    fn poll_with(
        &self,
        cx: &mut Context,
        write: impl Fn(&OwnedWriteHalf) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let stream: &TcpStream = self.read.as_ref();
        loop {
            ready!(stream.poll_write_ready(cx))?;
            match write(&self.write) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }
}

impl AsyncRead for SharedTcp {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context,
        buffer: &mut ReadBuf,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.read).poll_read(cx, buffer)
    }
}

impl AsyncWrite for SharedTcp {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_with(cx, |half| half.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context,
        slices: &[IoSlice],
    ) -> Poll<io::Result<usize>> {
        self.poll_with(cx, |half| half.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context) -> Poll<io::Result<()>> {
        let stream: &TcpStream = self.read.as_ref();
        Poll::Ready(match shutdown(stream, Shutdown::Write) {
            // The peer has closed it.
            Err(Errno::NOTCONN) => Ok(()),
            done => done.map_err(io::Error::from),
        })
    }
}
