//! A WebSocket of text frames, whether it was dialled or accepted.

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message, Utf8Bytes};
use tokio_util::sync::CancellationToken;

/// Frames that may wait to be written.
const QUEUE: usize = 64;
/// Bytes of those frames, where they are several: each may have a file in it.
const QUEUE_BYTES: usize = 256 << 20;
/// How long an implementation may take to read one small frame.
const WRITE_LIMIT: Duration = Duration::from_secs(10);
/// Bytes a second, at least, in which an implementation takes a frame and passes on the file in it.
const UPLOAD_RATE: usize = 128 << 10;
/// How long a farewell may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// How often the implementation is asked whether it is there.
const PING: Duration = Duration::from_secs(30);
/// How long an implementation may send nothing at all, not even the answer to a ping.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// The limit for a frame of so many bytes, where a small one has this limit.
pub(in crate::adapter) fn limit_for(bytes: usize, limit: Duration) -> Duration {
    limit.saturating_add(Duration::from_secs((bytes / UPLOAD_RATE) as u64))
}

type FrameStream = Pin<Box<dyn Stream<Item = Result<Message, Error>> + Send>>;
type FrameSink = Pin<Box<dyn Sink<Message, Error = Error> + Send>>;

/// A frame larger than the limit is read and passed over; one so many times as large is not even
/// read, and ends the connection with 1009.
const UNREAD_FROM: usize = 4;

/// The limits to open a socket with, for frames of at most this many bytes.
pub fn socket_config(max_frame: usize) -> WebSocketConfig {
    let most = max_frame.saturating_mul(UNREAD_FROM);
    WebSocketConfig::default().max_message_size(Some(most)).max_frame_size(Some(most))
}

/// A connection to an implementation.
pub struct Socket {
    frames: FrameStream,
    outlet: FrameSink,
}

impl Socket {
    /// Takes over a WebSocket whose handshake is done.
    pub fn new<S>(stream: WebSocketStream<S>) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (outlet, frames) = stream.split();
        Self { frames: Box::pin(frames), outlet: Box::pin(outlet) }
    }

    /// The two directions, and the work of writing, to be run beside whatever uses them.
    pub(in crate::adapter) fn split(
        self,
        max_frame: usize,
    ) -> (Reader, Writer, impl Future<Output = ()> + Send) {
        let (queue, frames) = mpsc::channel(QUEUE);
        let queued_bytes = Arc::new(AtomicUsize::new(0));
        let gone = CancellationToken::new();
        let state = Arc::new(SocketState::default());
        let reader =
            Reader { frames: self.frames, max_frame, gone: gone.clone(), state: state.clone() };
        let writing = write_all(self.outlet, frames, gone.clone(), state);
        (reader, Writer { queue, queued_bytes, gone }, writing)
    }
}

/// One text frame.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::adapter) enum TextFrame {
    /// One within the limit.
    Text(Utf8Bytes),
    /// One over the limit, to be passed over.
    TooLarge(Utf8Bytes),
}

/// Why nothing more comes from a socket; each with words for people.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::adapter) enum SocketClosed {
    /// The connection was lost or closed.
    Lost(String),
    /// The implementation sent a frame that is too large to be read.
    FrameTooLarge(String),
    /// The implementation closed with 1009: a frame of ours is too large for it.
    OursTooLarge(String),
}

impl SocketClosed {
    pub(in crate::adapter) fn reason(&self) -> &str {
        match self {
            Self::Lost(reason) | Self::FrameTooLarge(reason) | Self::OursTooLarge(reason) => reason,
        }
    }
}

/// The frames that come in.
pub(in crate::adapter) struct Reader {
    frames: FrameStream,
    max_frame: usize,
    gone: CancellationToken,
    state: Arc<SocketState>,
}

/// The facts that the two directions of a connection tell each other.
#[derive(Default)]
struct SocketState {
    /// The connection ends because of a frame that is too large.
    is_too_large: AtomicBool,
    /// A frame is being written, within its own limit; no ping goes out meanwhile.
    is_writing: AtomicBool,
}

impl Reader {
    /// The next text frame; an error if none comes for as long as `patience`.
    ///
    /// Without it, the answers to pings are enough.
    pub(in crate::adapter) async fn next(
        &mut self,
        patience: Option<Duration>,
    ) -> Result<TextFrame, SocketClosed> {
        let patient_until = patience.map(|patience| Instant::now() + patience);
        loop {
            let silent_until = Instant::now() + IDLE_TIMEOUT;
            let deadline = patient_until.map_or(silent_until, |until| until.min(silent_until));
            let message = tokio::select! {
                biased;
                message = timeout_at(deadline, self.frames.next()) => message,
                () = self.gone.cancelled() => return Err(self.last_word().await),
            };
            match message {
                Err(_)
                    if self.state.is_writing.load(Ordering::Relaxed)
                        && patient_until.is_none_or(|until| Instant::now() < until) => {}
                Err(_) => return Err(SocketClosed::Lost("the implementation fell silent".into())),
                Ok(None) => return Err(SocketClosed::Lost("the connection was lost".into())),
                Ok(Some(Err(error))) => return Err(self.failed(&error)),
                Ok(Some(Ok(Message::Text(text)))) => return Ok(self.limited(text)),
                // Some send their JSON as binary frames.
                Ok(Some(Ok(Message::Binary(bytes)))) => {
                    // Some write half of a surrogate pair as three bytes: the rest is still read.
                    let text = Utf8Bytes::try_from(bytes.clone())
                        .unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned().into());
                    return Ok(self.limited(text));
                }
                Ok(Some(Ok(Message::Close(frame)))) => return Err(closed_by_implementation(frame)),
                Ok(Some(Ok(_))) => {}
            }
        }
    }
}

impl Reader {
    fn limited(&self, text: Utf8Bytes) -> TextFrame {
        if text.len() > self.max_frame { TextFrame::TooLarge(text) } else { TextFrame::Text(text) }
    }

    fn failed(&self, error: &Error) -> SocketClosed {
        if let Error::Capacity(_) = error {
            self.state.is_too_large.store(true, Ordering::Relaxed);
            let limit = self.max_frame;
            return SocketClosed::FrameTooLarge(format!(
                "a frame is far over `max_frame` ({limit}): {error}"
            ));
        }
        SocketClosed::Lost(match error {
            Error::Utf8(_) => {
                "a text frame of the implementation is no UTF-8, with which a WebSocket cannot go \
                 on (RFC 6455, section 8.1)"
                    .to_owned()
            }
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                "the implementation closed the connection".to_owned()
            }
            error => error.to_string(),
        })
    }

    /// Nothing can be written any more; the implementation may have said why before.
    async fn last_word(&mut self) -> SocketClosed {
        let find = async {
            while let Some(Ok(message)) = self.frames.next().await {
                if let Message::Close(frame) = message {
                    return Some(closed_by_implementation(frame));
                }
            }
            None
        };
        let found = timeout(CLOSE_TIMEOUT, find).await.ok().flatten();
        found.unwrap_or_else(|| SocketClosed::Lost("the implementation does not read".into()))
    }
}

fn closed_by_implementation(frame: Option<CloseFrame>) -> SocketClosed {
    if frame.as_ref().is_some_and(|frame| frame.code == CloseCode::Size) {
        return SocketClosed::OursTooLarge(
            "the implementation closed the connection: what was sent is too large for it (1009)"
                .into(),
        );
    }
    SocketClosed::Lost(match frame {
        Some(frame) if !frame.reason.is_empty() => {
            format!("the implementation closed the connection: {} ({})", frame.reason, frame.code)
        }
        Some(frame) => format!("the implementation closed the connection ({})", frame.code),
        None => "the implementation closed the connection".into(),
    })
}

/// The way frames go out.
#[derive(Clone)]
pub(in crate::adapter) struct Writer {
    queue: mpsc::Sender<QueuedFrame>,
    /// Bytes of the frames that wait.
    queued_bytes: Arc<AtomicUsize>,
    gone: CancellationToken,
}

/// A frame that waits to be written.
struct QueuedFrame {
    text: String,
    counted: CountedBytes,
    is_taken: Arc<AtomicBool>,
}

/// The sender's hold on a frame that was queued.
#[derive(Debug)]
pub(in crate::adapter) struct SentFrame {
    is_taken: Arc<AtomicBool>,
}

impl SentFrame {
    /// Takes the frame back: it will not be written. `false` if its writing has begun.
    pub(in crate::adapter) fn take_back(&self) -> bool {
        !self.is_taken.swap(true, Ordering::AcqRel)
    }
}

impl QueuedFrame {
    /// Its text, which is written from now on, and the count of its bytes; `None` if it was taken back.
    fn begin(self) -> Option<(String, CountedBytes)> {
        let was_taken = self.is_taken.swap(true, Ordering::AcqRel);
        (!was_taken).then_some((self.text, self.counted))
    }
}

/// Bytes of a frame, counted until it is written or dropped.
struct CountedBytes {
    bytes: usize,
    all: Arc<AtomicUsize>,
}

impl Drop for CountedBytes {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Writer {
    /// Queues a frame; the error says why it will not be written.
    pub(in crate::adapter) fn send(&self, text: String) -> Result<SentFrame, &'static str> {
        if self.gone.is_cancelled() {
            return Err("the connection was lost");
        }
        let (all, bytes) = (Arc::clone(&self.queued_bytes), text.len());
        let before = all.fetch_add(bytes, Ordering::Relaxed);
        let counted = CountedBytes { bytes, all };
        // One frame may be as large as it is.
        if before > 0 && before.saturating_add(bytes) > QUEUE_BYTES {
            return Err("the implementation does not read");
        }
        let is_taken = Arc::new(AtomicBool::new(false));
        let frame = QueuedFrame { text, counted, is_taken: is_taken.clone() };
        self.queue.try_send(frame).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => "the implementation does not read",
            mpsc::error::TrySendError::Closed(_) => "the connection was lost",
        })?;
        Ok(SentFrame { is_taken })
    }

    /// Ends the connection.
    pub(in crate::adapter) fn close(&self) {
        self.gone.cancel();
    }
}

/// Writes until the connection ends, and sees to it that its reader ends too.
async fn write_all(
    mut outlet: FrameSink,
    mut queue: mpsc::Receiver<QueuedFrame>,
    gone: CancellationToken,
    state: Arc<SocketState>,
) {
    let _ends_the_reader = gone.clone().drop_guard();
    let mut ping = interval_at(Instant::now() + PING, PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let (message, _counted) = tokio::select! {
            biased;
            () = gone.cancelled() => break,
            frame = queue.recv() => match frame.map(QueuedFrame::begin) {
                Some(Some((text, counted))) => (Message::text(text), Some(counted)),
                Some(None) => continue,
                None => break,
            },
            _ = ping.tick() => (Message::Ping(Bytes::new()), None),
        };
        let limit = limit_for(message.len(), WRITE_LIMIT);
        state.is_writing.store(true, Ordering::Relaxed);
        let written = tokio::select! {
            written = timeout(limit, outlet.send(message)) => matches!(written, Ok(Ok(()))),
            () = gone.cancelled() => false,
        };
        state.is_writing.store(false, Ordering::Relaxed);
        if !written {
            return;
        }
    }
    let code =
        if state.is_too_large.load(Ordering::Relaxed) { CloseCode::Size } else { CloseCode::Away };
    let close = CloseFrame { code, reason: Utf8Bytes::from_static("") };
    // An implementation that is gone already needs no farewell.
    let _ = timeout(CLOSE_TIMEOUT, outlet.send(Message::Close(Some(close)))).await;
}

#[cfg(test)]
mod tests;
