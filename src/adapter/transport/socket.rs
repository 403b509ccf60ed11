//! A WebSocket of text frames, whether it was dialled or accepted.

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message, Utf8Bytes};
use tokio_util::sync::CancellationToken;

/// Frames that may wait to be written.
const QUEUE: usize = 64;
/// How long a peer may take to read one frame.
const WRITE_LIMIT: Duration = Duration::from_secs(10);
/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// How often the peer is asked whether it is there.
const PING: Duration = Duration::from_secs(30);
/// How long a peer may send nothing at all, not even the answer to a ping.
const SILENCE: Duration = Duration::from_secs(90);

type Frames = Pin<Box<dyn Stream<Item = Result<Message, Error>> + Send>>;
type Outlet = Pin<Box<dyn Sink<Message, Error = Error> + Send>>;

/// What a socket is to be opened with, so that a frame of this many bytes still passes.
pub fn socket_config(max_frame: usize) -> WebSocketConfig {
    WebSocketConfig::default().max_message_size(Some(max_frame)).max_frame_size(Some(max_frame))
}

/// A connection to an implementation.
pub struct Socket {
    frames: Frames,
    outlet: Outlet,
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
    pub(in crate::adapter) fn split(self) -> (Reader, Writer, impl Future<Output = ()> + Send) {
        let (queue, frames) = mpsc::channel(QUEUE);
        let gone = CancellationToken::new();
        let reader = Reader { frames: self.frames, gone: gone.clone() };
        let writing = write_all(self.outlet, frames, gone.clone());
        (reader, Writer { queue, gone }, writing)
    }
}

/// Why nothing more comes from a socket.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::adapter) struct Closed(pub(in crate::adapter) String);

/// The frames that come in.
pub(in crate::adapter) struct Reader {
    frames: Frames,
    gone: CancellationToken,
}

impl Reader {
    /// The next text frame; an error if none comes for as long as `patience`.
    ///
    /// Without it, the answers to pings are enough.
    pub(in crate::adapter) async fn next(
        &mut self,
        patience: Option<Duration>,
    ) -> Result<Utf8Bytes, Closed> {
        let patient_until = patience.map(|patience| Instant::now() + patience);
        loop {
            let silent_until = Instant::now() + SILENCE;
            let deadline = patient_until.map_or(silent_until, |until| until.min(silent_until));
            let message = tokio::select! {
                biased;
                message = timeout_at(deadline, self.frames.next()) => message,
                () = self.gone.cancelled() => return Err(Closed("the peer does not read".into())),
            };
            match message {
                Err(_) => return Err(Closed("the implementation fell silent".into())),
                Ok(None) => return Err(Closed("the connection was lost".into())),
                Ok(Some(Err(error))) => return Err(Closed(error.to_string())),
                Ok(Some(Ok(Message::Text(text)))) => return Ok(text),
                // Some send their JSON as binary frames.
                Ok(Some(Ok(Message::Binary(bytes)))) => {
                    if let Ok(text) = Utf8Bytes::try_from(bytes) {
                        return Ok(text);
                    }
                    tracing::warn!("skipped a binary frame that is not text");
                }
                Ok(Some(Ok(Message::Close(frame)))) => return Err(closed_by_peer(frame)),
                Ok(Some(Ok(_))) => {}
            }
        }
    }
}

fn closed_by_peer(frame: Option<CloseFrame>) -> Closed {
    match frame {
        Some(frame) if !frame.reason.is_empty() => {
            Closed(format!("the peer closed the connection: {} ({})", frame.reason, frame.code))
        }
        Some(frame) => Closed(format!("the peer closed the connection ({})", frame.code)),
        None => Closed("the peer closed the connection".into()),
    }
}

/// The way frames go out.
#[derive(Clone)]
pub(in crate::adapter) struct Writer {
    queue: mpsc::Sender<Message>,
    gone: CancellationToken,
}

impl Writer {
    /// Queues a frame; the error says why it will not be written.
    pub(in crate::adapter) fn send(&self, text: String) -> Result<(), &'static str> {
        if self.gone.is_cancelled() {
            return Err("the connection was lost");
        }
        self.queue.try_send(Message::text(text)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => "the peer does not read",
            mpsc::error::TrySendError::Closed(_) => "the connection was lost",
        })
    }

    /// Ends the connection.
    pub(in crate::adapter) fn close(&self) {
        self.gone.cancel();
    }
}

/// Writes until the connection ends, and sees to it that its reader ends too.
async fn write_all(
    mut outlet: Outlet,
    mut queue: mpsc::Receiver<Message>,
    gone: CancellationToken,
) {
    let _ends_the_reader = gone.clone().drop_guard();
    let mut ping = interval_at(Instant::now() + PING, PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            biased;
            () = gone.cancelled() => break,
            message = queue.recv() => match message {
                Some(message) => message,
                None => break,
            },
            _ = ping.tick() => Message::Ping(Bytes::new()),
        };
        let written = tokio::select! {
            written = timeout(WRITE_LIMIT, outlet.send(message)) => matches!(written, Ok(Ok(()))),
            () = gone.cancelled() => false,
        };
        if !written {
            return;
        }
    }
    let away = CloseFrame { code: CloseCode::Away, reason: Utf8Bytes::from_static("") };
    // A peer that is gone already needs no farewell.
    let _ = timeout(FAREWELL, outlet.send(Message::Close(Some(away)))).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::DuplexStream;
    use tokio_tungstenite::tungstenite::protocol::Role;

    /// A socket of ours, and the other end of it.
    async fn pair(max_frame: usize) -> (Socket, WebSocketStream<DuplexStream>) {
        let (ours, theirs) = tokio::io::duplex(4096);
        let ours =
            WebSocketStream::from_raw_socket(ours, Role::Server, Some(socket_config(max_frame)))
                .await;
        (Socket::new(ours), WebSocketStream::from_raw_socket(theirs, Role::Client, None).await)
    }

    #[tokio::test]
    async fn frames_go_both_ways_until_it_is_closed() {
        let (socket, mut peer) = pair(1024).await;
        let (mut reader, writer, writing) = socket.split();
        let writing = tokio::spawn(writing);
        peer.send(Message::text("in")).await.unwrap();
        peer.send(Message::binary(&b"bytes of text"[..])).await.unwrap();
        assert_eq!(reader.next(None).await.unwrap(), "in");
        assert_eq!(reader.next(None).await.unwrap(), "bytes of text");
        writer.send("out".into()).unwrap();
        assert_eq!(peer.next().await.unwrap().unwrap(), Message::text("out"));
        writer.close();
        let Message::Close(Some(frame)) = peer.next().await.unwrap().unwrap() else { panic!() };
        assert_eq!(frame.code, CloseCode::Away);
        assert!(writer.send("late".into()).is_err());
        writing.await.unwrap();
    }

    #[tokio::test]
    async fn a_frame_over_the_limit_ends_it() {
        let (socket, mut peer) = pair(1024).await;
        let (mut reader, _writer, _writing) = socket.split();
        let sent = tokio::spawn(async move { peer.send(Message::text("x".repeat(2000))).await });
        assert!(reader.next(None).await.is_err());
        drop(reader);
        drop(sent);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_read_is_given_up() {
        let (socket, _peer) = pair(1024).await;
        let (mut reader, writer, writing) = socket.split();
        let writing = tokio::spawn(writing);
        while writer.send("x".repeat(1000)).is_ok() {}
        assert_eq!(writer.send("one more".into()), Err("the peer does not read"));
        assert_eq!(reader.next(None).await, Err(Closed("the peer does not read".into())));
        writing.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_is_silent_is_given_up() {
        let (socket, peer) = pair(1024).await;
        let (mut reader, _writer, writing) = socket.split();
        tokio::spawn(writing);
        // It lives, but answers no ping.
        let silence = reader.next(None).await;
        assert_eq!(silence, Err(Closed("the implementation fell silent".into())));
        drop(peer);
    }
}
