//! One connection to a framework: it answers actions and sends events.

use super::acknowledgements::Acknowledgements;
use super::follow::EventFollower;
use super::framework::BotPeer;
use super::socket::{BotSocket, Outlet};
use futures_util::stream::FuturesUnordered;
use futures_util::{SinkExt, StreamExt};
use std::future::pending;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_util::sync::CancellationToken;

/// Frames that may wait to be written.
const QUEUE: usize = 32;

/// The most actions of one connection that run at once; beyond it, its frames wait.
const MAX_ACTIONS: usize = 128;

/// Bytes of those actions.
const MAX_ACTION_BYTES: usize = 64 << 20;

/// The longest time in which the framework may neither read nor send anything.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// Pause between heartbeats.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(30);

/// Close code when rechat ends the connection (RFC 6455, section 7.4.1).
const GOING_AWAY: u16 = 1001;

/// Serves a connection until it ends; returns the reason.
pub(super) async fn serve(
    mut socket: BotSocket,
    peer: &impl BotPeer,
    following: Option<EventFollower<'_>>,
    stop: &CancellationToken,
) -> String {
    let (queue, outgoing) = mpsc::channel(QUEUE);
    let acknowledgements = Acknowledgements::default();
    if let Some(hello) = peer.hello() {
        // The queue is empty here, so there is room.
        let _ = queue.try_send(Message::text(hello));
    }
    let followed = async {
        match following {
            Some(following) => following.run(peer, &queue, &acknowledgements).await,
            None => pending().await,
        }
    };
    let reason = tokio::select! {
        reason = read(&mut socket, peer, &queue, outgoing, &acknowledgements) => reason,
        () = beat(peer, &queue) => "the connection was lost".to_owned(),
        () = followed => "rechat is stopping".to_owned(),
        () = stop.cancelled() => "rechat ended it".to_owned(),
    };
    socket.close(GOING_AWAY, "", !stop.is_cancelled()).await;
    reason
}

/// Reads and writes until the connection ends.
async fn read(
    socket: &mut BotSocket,
    peer: &impl BotPeer,
    queue: &mpsc::Sender<Message>,
    mut outgoing: mpsc::Receiver<Message>,
    acknowledgements: &Acknowledgements,
) -> String {
    let BotSocket { frames, outlet } = socket;
    let reading = async {
        let mut actions = FuturesUnordered::new();
        let mut bytes = 0;
        loop {
            let has_room = actions.len() < MAX_ACTIONS && bytes < MAX_ACTION_BYTES;
            let message = tokio::select! {
                Some(done) = actions.next() => {
                    bytes -= done;
                    continue;
                }
                message = timeout(IDLE_TIMEOUT, frames.next()), if has_room => message,
            };
            let message = match message {
                Err(_) => return "the framework fell silent".to_owned(),
                Ok(None) => return "the connection was lost".to_owned(),
                Ok(Some(Err(error))) => return format!("the connection was lost: {error}"),
                Ok(Some(Ok(Message::Close(frame)))) => return closed(frame),
                Ok(Some(Ok(message))) => message,
            };
            let Some(text) = action_of(message, acknowledgements) else { continue };
            bytes += text.len();
            actions.push(async move {
                if let Some(answer) = peer.answer(&text).await {
                    // The queue ends together with the connection.
                    let _ = queue.send(Message::text(answer)).await;
                }
                text.len()
            });
        }
    };
    tokio::select! {
        reason = write(outlet, &mut outgoing) => reason,
        reason = reading => reason,
    }
}

/// Writes the messages of a queue until the connection or the queue ends; returns the reason.
async fn write(outlet: &mut Outlet, queued: &mut mpsc::Receiver<Message>) -> String {
    while let Some(message) = queued.recv().await {
        match timeout(IDLE_TIMEOUT, outlet.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return format!("the connection was lost: {error}"),
            Err(_) => return "the framework does not read".to_owned(),
        }
    }
    "the connection was lost".to_owned()
}

/// The text of an action, if a message is one. A pong is noted.
fn action_of(message: Message, acknowledgements: &Acknowledgements) -> Option<String> {
    match message {
        Message::Text(text) => Some(text.to_string()),
        Message::Binary(bytes) => String::from_utf8(bytes.to_vec()).ok(),
        Message::Pong(payload) => {
            acknowledgements.note_pong(&payload);
            None
        }
        Message::Ping(_) | Message::Close(_) | Message::Frame(_) => None,
    }
}

/// The reason of a connection that the framework closed.
fn closed(frame: Option<CloseFrame>) -> String {
    match frame.filter(|frame| !frame.reason.is_empty()) {
        Some(frame) => format!("the framework closed it: {} ({})", frame.reason, frame.code),
        None => "the framework closed it".to_owned(),
    }
}

/// Sends heartbeats until the connection ends; pings if the protocol has no heartbeats.
async fn beat(peer: &impl BotPeer, queue: &mpsc::Sender<Message>) {
    let mut ticks = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let heartbeat = peer.heartbeat().map(Message::text);
        for message in heartbeat.into_iter().chain([Message::Ping(Bytes::new())]) {
            if queue.send(message).await.is_err() {
                return;
            }
        }
    }
}
