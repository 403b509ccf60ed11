//! A WebSocket to a framework, in either direction.

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

/// The most bytes of a frame: pictures are in it as base64.
const MAX_FRAME: usize = 16 << 20;

/// The longest time that sending a close frame may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The longest time until the other side ends the connection; until then it counts as connected
/// there.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// The most bytes of the reason in a close frame (RFC 6455, section 5.5).
const MAX_REASON: usize = 123;

pub(super) type Frames = Pin<Box<dyn Stream<Item = Result<Message, Error>> + Send>>;
pub(super) type Outlet = Pin<Box<dyn Sink<Message, Error = Error> + Send>>;

/// The limits for a socket.
pub fn socket_config() -> WebSocketConfig {
    WebSocketConfig::default().max_message_size(Some(MAX_FRAME)).max_frame_size(Some(MAX_FRAME))
}

/// A connection to a framework.
pub struct BotSocket {
    pub(super) frames: Frames,
    pub(super) outlet: Outlet,
}

impl BotSocket {
    /// Takes a WebSocket after its handshake.
    pub fn new<S>(stream: WebSocketStream<S>) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (outlet, frames) = stream.split();
        Self { frames: Box::pin(frames), outlet: Box::pin(outlet) }
    }

    /// Ends the connection; with `waits`, also waits until the other side has ended it.
    pub(super) async fn close(mut self, code: u16, reason: &str, waits: bool) {
        let reason = cut(reason, MAX_REASON).into();
        let frame = CloseFrame { code: code.into(), reason };
        let said = timeout(CLOSE_TIMEOUT, self.outlet.send(Message::Close(Some(frame)))).await;
        if waits && matches!(said, Ok(Ok(()))) {
            let rest = async { while let Some(Ok(_)) = self.frames.next().await {} };
            let _ = timeout(FLUSH_TIMEOUT, rest).await;
        }
    }
}

/// The beginning of a text, up to this number of bytes.
fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
