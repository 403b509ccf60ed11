//! One session: its commands, its frames, its pings, its end.

use super::command::{Command, Parsed, Reply, Since};
use crate::clock::now;
use crate::config::{Need, Scope};
use crate::frame::Frame;
use crate::hub::{Refused, Watcher};
use crate::message::{Draft, Message, Status};
use crate::metrics::METRICS;
use crate::outbox::Outcomes;
use crate::server::Context;
use crate::store::{self, Answer};
use futures_util::stream::FuturesUnordered;
use futures_util::{SinkExt, StreamExt};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use hyper_tungstenite::HyperWebsocketStream;
use hyper_tungstenite::tungstenite::protocol::CloseFrame;
use hyper_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use hyper_tungstenite::tungstenite::{self, Error, Utf8Bytes};
use serde_json::Value;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};
use uuid::Uuid;

/// Messages of one session that wait for the disk; while there are more, it is not read.
const MOST_IN_FLIGHT: usize = 64;

/// How long a client has to answer our close frame.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// How much of an oversized frame is read, so that the client sees why it was closed.
const DISCARD_BYTES: usize = 64 << 20;

/// A `send_message` that waits for the disk.
type Sending = Pin<Box<dyn Future<Output = Reply> + Send>>;

pub(super) struct Session {
    id: Uuid,
    context: Arc<Context>,
    /// What the client's token lets it do.
    scope: Scope,
    pace: DefaultDirectRateLimiter,
    socket: HyperWebsocketStream,
    watcher: Watcher,
    in_flight: FuturesUnordered<Sending>,
    pings: Interval,
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

const STOPPING: End = End::Close(CloseCode::Away, "the server is stopping");

impl From<Elapsed> for End {
    fn from(_: Elapsed) -> Self {
        Self::TakesNothing
    }
}

impl Session {
    pub(super) fn new(
        id: Uuid,
        context: Arc<Context>,
        scope: Scope,
        socket: HyperWebsocketStream,
    ) -> Self {
        let every = Duration::from_secs(context.config.limits.ping_seconds.max(1));
        let mut pings = interval_at(Instant::now() + every, every);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let watcher = context.hub.watch();
        let in_flight = FuturesUnordered::new();
        let pace = RateLimiter::direct(Quota::per_second(context.config.limits.session_commands));
        Self { id, context, scope, pace, socket, watcher, in_flight, pings, heard: Instant::now() }
    }

    pub(super) async fn run(mut self) {
        let stop = self.context.stop.clone();
        let end = loop {
            let went_on = tokio::select! {
                () = stop.cancelled() => Err(STOPPING),
                frames = self.watcher.next(&self.context.store) => self.push(frames).await,
                Some(reply) = self.in_flight.next() => self.say(reply).await,
                came = self.socket.next(), if self.in_flight.len() < MOST_IN_FLIGHT => self.hear(came).await,
                _ = self.pings.tick() => self.ping().await,
            };
            if let Err(end) = went_on {
                break end;
            }
        };
        if let End::Close(code, reason) = end {
            self.close(code, reason).await;
        }
    }

    async fn push(&mut self, frames: Vec<Frame>) -> Result<(), End> {
        self.write(frames.into_iter().map(|frame| tungstenite::Message::Text(frame.text))).await
    }

    async fn say(&mut self, reply: Reply) -> Result<(), End> {
        self.write([tungstenite::Message::Text(reply.text().into())]).await
    }

    /// Writes frames, gathered as far as that goes. A client that takes nothing for as long as an
    /// idle one is gone, and none holds up the server's end.
    async fn write(
        &mut self,
        frames: impl IntoIterator<Item = tungstenite::Message>,
    ) -> Result<(), End> {
        let idle = self.idle();
        let socket = &mut self.socket;
        let write = async {
            for frame in frames {
                // Waits, too, once more is gathered than goes out in one write.
                timeout(idle, socket.feed(frame)).await?.map_err(|_| End::Gone)?;
            }
            timeout(idle, socket.flush()).await?.map_err(|_| End::Gone)
        };
        tokio::select! {
            () = self.context.stop.cancelled() => Err(STOPPING),
            written = write => {
                if matches!(written, Err(End::TakesNothing)) {
                    tracing::info!(session = %self.id, "a client took nothing for {} s and is closed", idle.as_secs());
                }
                written
            }
        }
    }

    async fn ping(&mut self) -> Result<(), End> {
        if self.heard.elapsed() >= self.idle() {
            tracing::info!(session = %self.id, "a client did not answer pings and is closed");
            return Err(End::Close(CloseCode::Policy, "no answer to pings"));
        }
        self.write([tungstenite::Message::Ping(Vec::new().into())]).await
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
            // Pongs are written by the library with the next flush.
            Some(Ok(tungstenite::Message::Ping(_))) => self.write([]).await,
            Some(Ok(tungstenite::Message::Pong(_) | tungstenite::Message::Frame(_))) => Ok(()),
            Some(Err(Error::Capacity(_))) => {
                Err(End::Close(CloseCode::Size, "the frame is too large"))
            }
            Some(Err(Error::Utf8(_))) => {
                Err(End::Close(CloseCode::Invalid, "the text is not UTF-8"))
            }
            Some(Err(Error::Protocol(_))) => {
                Err(End::Close(CloseCode::Protocol, "not the WebSocket protocol"))
            }
            Some(Ok(tungstenite::Message::Close(_)) | Err(_)) | None => Err(End::Gone),
        }
    }

    async fn obey(&mut self, text: &Utf8Bytes) -> Result<(), End> {
        let Parsed { request_id, command } = Parsed::read(text);
        if self.pace.check().is_err() {
            let most = self.context.config.limits.session_commands;
            METRICS.limit_hit("session_commands");
            let text = format!("more than {most} commands a second; send this one again later");
            return self.say(Reply::error(text).to(request_id)).await;
        }
        let reply = match command {
            Ok(Command::SendMessage(_)) if !self.scope.covers(Need::Send) => {
                let scope = self.scope.as_str();
                Reply::error(format!("a token with the scope `{scope}` may not send messages"))
            }
            Ok(Command::SendMessage(draft)) => return self.send(draft, request_id).await,
            Ok(Command::Subscribe { platforms, conversations, since, with_status }) => {
                match self.place(since) {
                    Ok(since) => match self.watcher.subscribe(&platforms, &conversations, since) {
                        Ok(()) => {
                            if with_status {
                                self.watcher.tell_status(true);
                            }
                            Reply::ack("subscribed").in_session(self.id)
                        }
                        Err(refused) => Reply::error(refusal(refused)),
                    },
                    Err(text) => Reply::error(text),
                }
            }
            Ok(Command::Unsubscribe { platforms, conversations, ends_pairs, ends_status }) => {
                if ends_status {
                    self.watcher.tell_status(false);
                }
                if ends_pairs {
                    self.watcher.unsubscribe(&platforms, &conversations);
                }
                // What was handed out before goes before the answer, so that nothing comes after.
                let queued = self.watcher.queued();
                self.push(queued).await?;
                Reply::ack("unsubscribed")
            }
            Err(text) => Reply::error(text),
        };
        self.say(reply.to(request_id)).await
    }

    /// The `seq` that a `since` stands for.
    fn place(&self, since: Option<Since>) -> Result<Option<u64>, String> {
        match since {
            None => Ok(None),
            Some(Since::Seq(seq)) => Ok(Some(seq)),
            Some(Since::Id(id)) => match self.context.store.view().and_then(|view| view.seq_of(id))
            {
                Ok(Some(seq)) => Ok(Some(seq)),
                Ok(None) => Err(format!("`since`: there is no message {id}")),
                Err(error) => Err(error.to_string()),
            },
        }
    }

    /// Queues a message for the disk, in the order of the frames; the answer comes when it is there.
    async fn send(&mut self, draft: Draft, request_id: Option<Value>) -> Result<(), End> {
        let command = store::Command::Create { draft, at: now(), idempotency: None };
        let written = match self.context.store.submit(command).await {
            Ok(written) => written,
            Err(error) => return self.say(Reply::error(error.to_string()).to(request_id)).await,
        };
        let context = self.context.clone();
        self.in_flight.push(Box::pin(async move {
            let reply = match written.await {
                Ok(Answer::Done(message)) => delivered(&context, message).await,
                Ok(_) => Reply::error("the message was not stored"),
                Err(error) => Reply::error(error.to_string()),
            };
            reply.to(request_id)
        }));
        Ok(())
    }

    /// Says why, and lets the client hear it: what it is still sending is read and thrown away,
    /// for an unread rest would make the system cut the connection before our word arrives.
    async fn close(mut self, code: CloseCode, reason: &'static str) {
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
        let farewell = async {
            if self.socket.close(Some(frame)).await.is_err() {
                return;
            }
            let mut raw = self.socket.into_inner();
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

/// What became of a message that is stored: where an adapter can take it, its word is waited for
/// (contract, Part 2, item 12).
async fn delivered(context: &Context, message: Message) -> Reply {
    let id = message.id;
    let sent = |status| Reply::ack("sent").of_message(id, Some(status));
    let platform = message.platform.as_deref().unwrap_or_default();
    if context.registry.link(platform, None).is_none() {
        return sent(message.status.as_str());
    }
    let ended = context.outcomes.wait(message.seq);
    // It may have ended before anybody waited.
    let now = context.store.view().and_then(|view| view.by_seq(message.seq)).ok().flatten();
    let limit = Duration::from_secs(context.config.outbox.ack_seconds);
    let ended = match now.filter(Outcomes::has_ended) {
        Some(message) => Some(message),
        None => timeout(limit, ended).await.ok().and_then(Result::ok),
    };
    match ended {
        Some(message) if message.status == Status::Sent => sent(Status::Sent.as_str()),
        Some(message) => {
            let why = message.last_error.unwrap_or_else(|| format!("it is {}", message.status));
            Reply::error(why).of_message(id, None)
        }
        None => {
            let text = format!(
                "the platform gave no word within {} s; it goes on being sent",
                limit.as_secs()
            );
            Reply::error(text).of_message(id, None)
        }
    }
}

/// Why a subscription is refused, in words.
pub fn refusal(refused: Refused) -> String {
    match refused {
        Refused::TooManyPairs { limit } => {
            format!(
                "`platforms` and `conversations` make more than {limit} pairs for this session; use fewer, or \"*\""
            )
        }
        Refused::TooManyReplays => {
            "`since`: too many replays at once; wait until one has caught up".into()
        }
        Refused::BeyondHead { head } => format!("`since` lies beyond the newest message, {head}"),
    }
}
