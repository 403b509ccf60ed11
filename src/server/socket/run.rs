//! The loop of a session: its frames, its pings, its end.

use super::commands;
use super::session::{Session, SessionEnd, SessionEvent};
use super::writing;
use crate::hub::{Batches, CursorGone};
use crate::protocol::event::{self, CURSOR_GONE};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hyper_tungstenite::tungstenite::protocol::CloseFrame;
use hyper_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use hyper_tungstenite::tungstenite::{self, Error, Utf8Bytes};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, sleep, timeout};

/// The most messages of one session that wait for the disk. If there are more, the session is not read.
const MAX_IN_FLIGHT: usize = 64;

/// How long a client may take to answer a close frame.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// Bytes of a frame that is too large that are read and dropped, so that the client gets the close frame.
const DISCARD_BYTES: usize = 64 << 20;

/// Reason why the task of a session goes on.
enum Next {
    OfHub(Result<Batches, CursorGone>),
    Event(SessionEvent),
    OfClient(Option<Result<tungstenite::Message, Error>>),
}

impl Session {
    pub(super) async fn run(&mut self) {
        let lifetime = self.lifetime.clone();
        self.events.push(Box::pin(async move { SessionEvent::Stop(lifetime.ended().await) }));
        self.ping_later();
        let end = loop {
            let next = tokio::select! {
                next = self.subscriber.next(&self.context.store) => Next::OfHub(next),
                Some(event) = self.events.next() => Next::Event(event),
                frame = self.incoming.next(&mut self.socket), if self.in_flight < MAX_IN_FLIGHT => {
                    Next::OfClient(frame)
                }
            };
            if let Err(end) = self.go_on(next).await {
                break end;
            }
        };
        match end {
            SessionEnd::Gone => {}
            SessionEnd::TakesNothing => {
                let idle = self.idle().as_secs();
                tracing::info!(session = %self.id, "a client took nothing for {idle} s and is closed");
            }
            SessionEnd::Close(code, reason) => Box::pin(self.close(code, reason)).await,
        }
    }

    /// Futures are boxed, so that a session that waits needs little memory.
    async fn go_on(&mut self, next: Next) -> Result<(), SessionEnd> {
        self.unsent = self.subscriber.take_unsent();
        if !self.unsent.is_empty() {
            self.write_unsent().await?;
        }
        match next {
            Next::OfHub(Ok(batches)) => Box::pin(self.push(batches)).await,
            Next::OfHub(Err(CursorGone)) => Box::pin(self.tell_gone()).await,
            Next::Event(event) => Box::pin(self.react(event)).await,
            Next::OfClient(frame) => Box::pin(self.receive(frame)).await,
        }
    }

    async fn react(&mut self, event: SessionEvent) -> Result<(), SessionEnd> {
        match event {
            SessionEvent::Stop(ended) => Err(ended.into()),
            SessionEvent::Ping => self.ping().await,
            SessionEvent::Stored(reply) => {
                self.in_flight -= 1;
                self.reply(*reply).await
            }
        }
    }

    /// The session fell behind so far that events that it has not sent are no longer kept.
    async fn tell_gone(&mut self) -> Result<(), SessionEnd> {
        let text = "events that this session missed are no longer kept; load afresh and subscribe";
        let error = event::ErrorAnswer {
            error: text.into(),
            code: Some(CURSOR_GONE.into()),
            ..event::ErrorAnswer::default()
        };
        self.reply(event::ServerEvent::Error(error)).await
    }

    fn ping_later(&mut self) {
        let every = Duration::from_secs(self.context.config.limits.ping_seconds.max(1));
        self.events.push(Box::pin(async move {
            sleep(every).await;
            SessionEvent::Ping
        }));
    }

    async fn ping(&mut self) -> Result<(), SessionEnd> {
        if self.last_received.elapsed() >= self.idle() {
            tracing::info!(session = %self.id, "a client did not answer pings and is closed");
            return Err(SessionEnd::Close(CloseCode::Policy, "no answer to pings"));
        }
        self.ping_later();
        self.send_frame(tungstenite::Message::Ping(Bytes::new())).await
    }

    fn idle(&self) -> Duration {
        Duration::from_secs(self.context.config.limits.idle_seconds)
    }

    async fn receive(
        &mut self,
        frame: Option<Result<tungstenite::Message, Error>>,
    ) -> Result<(), SessionEnd> {
        self.last_received = Instant::now();
        match frame {
            Some(Ok(tungstenite::Message::Text(text))) => self.carry_out(&text).await,
            Some(Ok(tungstenite::Message::Binary(_))) => {
                let text = "binary frames are not understood; send JSON as text";
                self.reply(commands::error(text, None)).await
            }
            // The library has queued the pong; it is sent before anything else.
            Some(Ok(tungstenite::Message::Ping(_))) => {
                Ok(self.lifetime.run(self.socket.flush()).await??)
            }
            Some(Ok(tungstenite::Message::Pong(_) | tungstenite::Message::Frame(_))) => Ok(()),
            Some(Ok(tungstenite::Message::Close(_))) => {
                // The library has queued the answer (RFC 6455, section 5.5.1).
                let _ = timeout(CLOSE_WAIT, self.socket.flush()).await;
                Err(SessionEnd::Gone)
            }
            None => Err(SessionEnd::Gone),
            Some(Err(error)) => Err(error.into()),
        }
    }

    /// Closes with a reason and waits until the client has received it. Bytes that the client still sends
    /// are read and dropped, because the system resets a connection with unread bytes.
    async fn close(&mut self, code: CloseCode, reason: &'static str) {
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
        let closing = async {
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
        let _ = timeout(CLOSE_WAIT, closing).await;
    }
}
