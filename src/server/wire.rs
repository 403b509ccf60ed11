//! The byte stream of one connection: counts written bytes, and adds a JSON body to errors that hyper
//! sends itself.

use crate::protocol::http::{ErrorBody, code_of};
use bytes::{Buf, Bytes};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::sleep;

/// When the server stops, a connection that writes nothing for this time is stuck.
const WRITE_TIMEOUT: Duration = Duration::from_millis(500);

/// Phase of a connection.
#[derive(Debug, Default)]
pub struct ConnectionPhase {
    requests: AtomicU64,
    running: AtomicUsize,
    written: AtomicU64,
}

/// Marks a request as running, until it is dropped.
pub struct RunningRequest(Arc<ConnectionPhase>);

impl ConnectionPhase {
    /// Marks a request as running until the result is dropped.
    pub fn begin(self: &Arc<Self>) -> RunningRequest {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.running.fetch_add(1, Ordering::Relaxed);
        RunningRequest(self.clone())
    }

    /// Whether a request has come.
    pub fn has_begun(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > 0
    }

    /// Waits until no request is running and nothing was written for a while.
    pub async fn stuck(&self) {
        let mut seen = None;
        loop {
            let written = self.written.load(Ordering::Relaxed);
            if self.running.load(Ordering::Relaxed) == 0 && seen == Some(written) {
                return;
            }
            seen = Some(written);
            sleep(WRITE_TIMEOUT).await;
        }
    }
}

impl Drop for RunningRequest {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection's stream.
pub struct Wire<S> {
    stream: S,
    progress: Arc<ConnectionPhase>,
    /// The rest of the answer that replaces hyper's own.
    replacement: Bytes,
    is_replaced: bool,
}

impl<S: AsyncWrite + Unpin> Wire<S> {
    /// Counts bytes that are written to `stream` in `progress`.
    pub fn new(stream: S, progress: Arc<ConnectionPhase>) -> Self {
        Self { stream, progress, replacement: Bytes::new(), is_replaced: false }
    }

    /// Whether these bytes must not be written: hyper's error without a body, or bytes after it.
    fn replaces(&mut self, bytes: &[u8]) -> bool {
        if !self.is_replaced
            && let Some(answer) = answer_for(bytes)
        {
            (self.is_replaced, self.replacement) = (true, answer);
        }
        self.is_replaced
    }

    fn poll_replacement(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.replacement.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, &self.replacement))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.replacement.advance(written),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn count(&self, written: usize) {
        self.progress.written.fetch_add(written as u64, Ordering::Relaxed);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.replaces(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.count(written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = slices.iter().find(|slice| !slice.is_empty());
        if first.is_some_and(|first| self.replaces(first)) {
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, slices))?;
        self.count(written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_replacement(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_replacement(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The replacement for an answer that hyper itself writes before it closes a connection: an error
/// without a body. Our own errors always have a body, and client data cannot contain such an
/// answer.
fn answer_for(bytes: &[u8]) -> Option<Bytes> {
    if !bytes.starts_with(b"HTTP/1.") || bytes.get(8..10) != Some(b" 4") {
        return None;
    }
    let head = std::str::from_utf8(bytes).ok()?;
    let has = |field: &str| head.lines().any(|line| line.eq_ignore_ascii_case(field));
    if !head.ends_with("\r\n\r\n") || !has("content-length: 0") || head.contains("content-type") {
        return None;
    }
    let status = head.lines().next()?;
    let code = status.get(9..12)?;
    let error = match code {
        "414" => "the request's address is too long",
        "431" => "the request's head is too large",
        _ => "this is no HTTP request; check its first line and its header fields",
    };
    let name = code.parse().ok().map(|code| code_of(code).to_owned());
    let body =
        serde_json::to_string(&ErrorBody { error: error.into(), code: name, detail: None }).ok()?;
    let length = body.len();
    let head = format!(
        "{status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    Some((head + &body).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_errors_without_a_body_are_replaced() {
        let own = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let answer = String::from_utf8(answer_for(own).unwrap().to_vec()).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
        assert!(answer.contains("{\"error\":\"this is no HTTP request"), "{answer}");
        for other in [
            &b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"[..],
            b"HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}",
            b"\x81\x05hello",
            b"",
        ] {
            assert_eq!(answer_for(other), None);
        }
    }
}
