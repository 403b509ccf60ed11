//! One session: its frames, its pings, its end.

mod obey;

use super::bell::Bell;
use super::command::Reply;
use super::writing;
use crate::config::Scope;
use crate::hub::{Batches, Subscriber};
use crate::server::Context;
use crate::server::lifetime::{Ended, Lifetime};
use bytes::Bytes;
use futures_util::stream::FuturesUnordered;
use futures_util::{SinkExt, StreamExt};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use hyper_tungstenite::HyperWebsocketStream;
use hyper_tungstenite::tungstenite::protocol::CloseFrame;
use hyper_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use hyper_tungstenite::tungstenite::{self, Error, Utf8Bytes};
pub use obey::refusal;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

/// Messages of one session that wait for the disk; while there are more, it is not read.
const MAX_IN_FLIGHT: usize = 64;

/// How long a client has to answer our close frame.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// How much of an oversized frame is read, so that the client sees why it was closed.
const DISCARD_BYTES: usize = 64 << 20;

/// What a session waits for besides its client and the hub.
enum Event {
    /// The server stops, or the token is revoked.
    Stop(Ended),
    /// It is time for a ping.
    Ping,
    /// A `send_message` is on the disk, or failed.
    Stored(Reply),
}

pub(super) struct Session {
    id: Uuid,
    context: Arc<Context>,
    /// What the client's token lets it do.
    scope: Scope,
    lifetime: Lifetime,
    pace: DefaultDirectRateLimiter,
    socket: HyperWebsocketStream,
    /// Rings when the client has said something.
    bell: Bell,
    watcher: Subscriber,
    /// What happens rarely; each is looked at only when it has happened.
    events: FuturesUnordered<Pin<Box<dyn Future<Output = Event> + Send>>>,
    /// Messages that wait for the disk.
    in_flight: usize,
    /// The rest of what is being written. Nothing else may go out before.
    unsent: Bytes,
    /// When the client was last heard of.
    heard: Instant,
}

/// Why a session ends.
enum End {
    /// The client closed it, or the connection broke.
    Gone,
    /// The client reads nothing, not even a farewell.
    TakesNothing,
    /// We close it.
    Close(CloseCode, &'static str),
}

impl From<Ended> for End {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Stopping => Self::Close(CloseCode::Away, "the server is stopping"),
            Ended::Revoked => Self::Close(CloseCode::Policy, "the token was revoked"),
        }
    }
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        // The connection's own limit (`listen.rs`), and not what the system says of a lost peer.
        let is_ours = error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none();
        if is_ours { Self::TakesNothing } else { Self::Gone }
    }
}

impl From<Error> for End {
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
        context: Arc<Context>,
        scope: Scope,
        lifetime: Lifetime,
        socket: HyperWebsocketStream,
    ) -> Self {
        let watcher = context.hub.watch();
        let pace = RateLimiter::direct(Quota::per_second(context.config.limits.session_commands));
        let events = FuturesUnordered::new();
        Self {
            id,
            context,
            scope,
            lifetime,
            pace,
            socket,
            bell: Bell::new(),
            watcher,
            events,
            in_flight: 0,
            unsent: Bytes::new(),
            heard: Instant::now(),
        }
    }

    pub(super) async fn run(&mut self) {
        let lifetime = self.lifetime.clone();
        self.events.push(Box::pin(async move { Event::Stop(lifetime.ended().await) }));
        self.ping_later();
        let end = loop {
            // What is rare is boxed, so that a session takes up little.
            let went_on = tokio::select! {
                batches = self.watcher.next(&self.context.store) => self.push(batches).await,
                Some(event) = self.events.next() => Box::pin(self.react(event)).await,
                came = self.bell.next(&mut self.socket), if self.in_flight < MAX_IN_FLIGHT => {
                    Box::pin(self.hear(came)).await
                }
            };
            if let Err(end) = went_on {
                break end;
            }
        };
        match end {
            End::Gone => {}
            End::TakesNothing => {
                let idle = self.idle().as_secs();
                tracing::info!(session = %self.id, "a client took nothing for {idle} s and is closed");
            }
            End::Close(code, reason) => Box::pin(self.close(code, reason)).await,
        }
    }

    async fn react(&mut self, event: Event) -> Result<(), End> {
        match event {
            Event::Stop(ended) => Err(ended.into()),
            Event::Ping => self.ping().await,
            Event::Stored(reply) => {
                self.in_flight -= 1;
                self.say(reply).await
            }
        }
    }

    /// Writes frames as they are. The library holds back nothing that would have to go first, for
    /// whatever is said by it is flushed before the session goes on.
    async fn push(&mut self, batches: Batches) -> Result<(), End> {
        for piece in writing::pieces(batches) {
            self.unsent = piece;
            let written = writing::write(&mut self.socket, &mut self.unsent);
            self.lifetime.run(written).await??;
        }
        Ok(())
    }

    async fn say(&mut self, reply: Reply) -> Result<(), End> {
        self.send_frame(tungstenite::Message::Text(reply.text().into())).await
    }

    /// Writes one frame by the library, and with it the pongs that it owes.
    async fn send_frame(&mut self, frame: tungstenite::Message) -> Result<(), End> {
        Ok(self.lifetime.run(self.socket.send(frame)).await??)
    }

    fn ping_later(&mut self) {
        let every = Duration::from_secs(self.context.config.limits.ping_seconds.max(1));
        self.events.push(Box::pin(async move {
            sleep(every).await;
            Event::Ping
        }));
    }

    async fn ping(&mut self) -> Result<(), End> {
        if self.heard.elapsed() >= self.idle() {
            tracing::info!(session = %self.id, "a client did not answer pings and is closed");
            return Err(End::Close(CloseCode::Policy, "no answer to pings"));
        }
        self.ping_later();
        self.send_frame(tungstenite::Message::Ping(Bytes::new())).await
    }

    fn idle(&self) -> Duration {
        Duration::from_secs(self.context.config.limits.idle_seconds)
    }

    async fn hear(&mut self, came: Option<Result<tungstenite::Message, Error>>) -> Result<(), End> {
        self.heard = Instant::now();
        match came {
            Some(Ok(tungstenite::Message::Text(text))) => self.obey(&text).await,
            Some(Ok(tungstenite::Message::Binary(_))) => {
                self.say(Reply::error("binary frames are not understood; send JSON as text")).await
            }
            // The library has the pong ready, and it goes before anything else.
            Some(Ok(tungstenite::Message::Ping(_))) => {
                Ok(self.lifetime.run(self.socket.flush()).await??)
            }
            Some(Ok(tungstenite::Message::Pong(_) | tungstenite::Message::Frame(_))) => Ok(()),
            Some(Ok(tungstenite::Message::Close(_))) => {
                // The library has the answer ready (RFC 6455, section 5.5.1).
                let _ = timeout(CLOSE_WAIT, self.socket.flush()).await;
                Err(End::Gone)
            }
            None => Err(End::Gone),
            Some(Err(error)) => Err(error.into()),
        }
    }

    /// Says why, and lets the client hear it: what it is still sending is read and thrown away,
    /// for an unread rest would make the system cut the connection before our word arrives.
    async fn close(&mut self, code: CloseCode, reason: &'static str) {
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
        let farewell = async {
            if writing::write(&mut self.socket, &mut self.unsent).await.is_err()
                || self.socket.close(Some(frame)).await.is_err()
            {
                return;
            }
            let raw = self.socket.get_mut();
            let (mut scratch, mut left) = ([0; 4096], DISCARD_BYTES);
            while let Ok(n @ 1..) = raw.read(&mut scratch).await {
                left = left.saturating_sub(n);
                if left == 0 {
                    return;
                }
            }
        };
        let _ = timeout(CLOSE_WAIT, farewell).await;
    }
}
