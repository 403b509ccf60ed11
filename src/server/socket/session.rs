//! One session: its state, and the frames to its client.

use super::writing;
use crate::config::TokenScope;
use crate::hub::{Batches, FrameForm, Subscriber};
use crate::protocol::event;
use crate::server::ServerContext;
use crate::server::lifetime::{Ended, Lifetime};
use crate::server::on_wake::OnWake;
use bytes::Bytes;
use futures_util::SinkExt;
use futures_util::stream::FuturesUnordered;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use hyper_tungstenite::HyperWebsocketStream;
use hyper_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use hyper_tungstenite::tungstenite::{self, Error};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::time::Instant;
use uuid::Uuid;

/// Events of a session besides frames of its client and of the hub.
pub(super) enum SessionEvent {
    /// The server stops, or the token is revoked.
    Stop(Ended),
    /// It is time for a ping.
    Ping,
    /// A `send_message` is stored, or failed.
    Stored(Box<event::ServerEvent<'static>>),
}

pub(super) struct Session {
    pub(super) id: Uuid,
    pub(super) context: Arc<ServerContext>,
    /// Rights of the client's token.
    pub(super) scope: TokenScope,
    pub(super) lifetime: Lifetime,
    pub(super) limiter: DefaultDirectRateLimiter,
    pub(super) socket: HyperWebsocketStream,
    /// Whether the client may have sent something.
    pub(super) incoming: OnWake,
    pub(super) subscriber: Subscriber,
    /// Rare events. Each future is polled only after it was woken.
    pub(super) events: FuturesUnordered<Pin<Box<dyn Future<Output = SessionEvent> + Send>>>,
    /// The number of messages that wait for the disk.
    pub(super) in_flight: usize,
    /// Ends once the last message that was passed on to the leader is stored.
    pub(super) passed_on: Option<oneshot::Receiver<()>>,
    /// The rest of a write. Nothing else may be written before it.
    pub(super) unsent: Bytes,
    /// When the client sent something last.
    pub(super) last_received: Instant,
}

/// Reason why a session ends.
pub(super) enum SessionEnd {
    /// The client closed it, or the connection is lost.
    Gone,
    /// The client reads nothing, not even a close frame.
    TakesNothing,
    /// The server closes it.
    Close(CloseCode, &'static str),
}

impl From<Ended> for SessionEnd {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Stopping => Self::Close(CloseCode::Away, "the server is stopping"),
            Ended::Revoked => Self::Close(CloseCode::Policy, "the token was revoked"),
        }
    }
}

impl From<io::Error> for SessionEnd {
    fn from(error: io::Error) -> Self {
        // The time limit of `listen.rs`, not an error of the system about a lost peer.
        let is_ours = error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none();
        if is_ours { Self::TakesNothing } else { Self::Gone }
    }
}

impl From<Error> for SessionEnd {
    fn from(error: Error) -> Self {
        match error {
            Error::Io(error) => error.into(),
            Error::Capacity(_) => Self::Close(CloseCode::Size, "the frame is too large"),
            Error::Utf8(_) => Self::Close(CloseCode::Invalid, "the text is not UTF-8"),
            Error::Protocol(_) => Self::Close(CloseCode::Protocol, "not the WebSocket protocol"),
            _ => Self::Gone,
        }
    }
}

impl Session {
    pub(super) fn new(
        id: Uuid,
        context: Arc<ServerContext>,
        scope: TokenScope,
        lifetime: Lifetime,
        socket: HyperWebsocketStream,
    ) -> Self {
        let subscriber = context.hub.subscriber(FrameForm::Messages);
        let limiter =
            RateLimiter::direct(Quota::per_second(context.config.limits.session_commands));
        let events = FuturesUnordered::new();
        Self {
            id,
            context,
            scope,
            lifetime,
            limiter,
            socket,
            incoming: OnWake::new(),
            subscriber,
            events,
            in_flight: 0,
            passed_on: None,
            unsent: Bytes::new(),
            last_received: Instant::now(),
        }
    }

    /// Writes frames past the library. The library has nothing to write before them, because it is flushed
    /// before the session continues.
    pub(super) async fn push(&mut self, batches: Batches) -> Result<(), SessionEnd> {
        for chunk in writing::chunks(batches) {
            self.unsent = chunk;
            self.write_unsent().await?;
        }
        Ok(())
    }

    pub(super) async fn write_unsent(&mut self) -> Result<(), SessionEnd> {
        let written = writing::write(&mut self.socket, &mut self.unsent);
        Ok(self.lifetime.write(written).await??)
    }

    pub(super) async fn reply(
        &mut self,
        reply: event::ServerEvent<'static>,
    ) -> Result<(), SessionEnd> {
        // These types always serialise.
        let text = serde_json::to_string(&reply).unwrap_or_default();
        self.send_frame(tungstenite::Message::Text(text.into())).await
    }

    /// Writes one frame with the library, and the pongs that the library has queued.
    pub(super) async fn send_frame(
        &mut self,
        frame: tungstenite::Message,
    ) -> Result<(), SessionEnd> {
        Ok(self.lifetime.write(self.socket.send(frame)).await??)
    }
}
