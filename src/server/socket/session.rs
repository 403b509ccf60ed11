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

/// Things that happen to a session besides frames of its client and of the hub.
pub(super) enum SessionEvent {
    /// The server stops, or the token is revoked.
    Stop(Ended),
    /// It is time for a ping.
    Ping,
    /// A `send_message` is on the disk, or failed.
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
    /// Rare events; each is looked at only when it has happened.
    pub(super) events: FuturesUnordered<Pin<Box<dyn Future<Output = SessionEvent> + Send>>>,
    /// Messages that wait for the disk.
    pub(super) in_flight: usize,
    /// Ends once the last message that was passed on to the leader is stored.
    pub(super) passed_on: Option<oneshot::Receiver<()>>,
    /// The rest of what is being written. Nothing else may go out before.
    pub(super) unsent: Bytes,
    /// When the client sent something last.
    pub(super) last_received: Instant,
}

/// Reason why a session ends.
pub(super) enum SessionEnd {
    /// The client closed it, or the connection broke.
    Gone,
    /// The client reads nothing, not even a close frame.
    TakesNothing,
    /// We close it.
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
        // The connection's own limit (`listen.rs`), and not what the system says of a lost peer.
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

    /// Writes frames as they are. The library holds back nothing that would have to go first: its
    /// own frames are flushed before the session goes on.
    pub(super) async fn push(&mut self, batches: Batches) -> Result<(), SessionEnd> {
        for chunk in writing::chunks(batches) {
            self.unsent = chunk;
            let written = writing::write(&mut self.socket, &mut self.unsent);
            self.lifetime.write(written).await??;
        }
        Ok(())
    }

    pub(super) async fn reply(
        &mut self,
        reply: event::ServerEvent<'static>,
    ) -> Result<(), SessionEnd> {
        // Our own types always serialise.
        let text = serde_json::to_string(&reply).unwrap_or_default();
        self.send_frame(tungstenite::Message::Text(text.into())).await
    }

    /// Writes one frame by the library, and with it the pongs that it owes.
    pub(super) async fn send_frame(
        &mut self,
        frame: tungstenite::Message,
    ) -> Result<(), SessionEnd> {
        Ok(self.lifetime.write(self.socket.send(frame)).await??)
    }
}
