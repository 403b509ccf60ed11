//! Connections that a node passes on to the one that leads, as streams of bytes over NATS: adapters and
//! bots connect to any node, and belong to the leader all the same.
//!
//! Each end sends frames to a subject of the other: whether the stream ends (1 byte), the bytes that were
//! sent before and those that were taken (8 each, little-endian), then bytes. NATS keeps the order of one
//! sender's messages, and may lose some where its connections break: a frame that does not begin where
//! the last one ended ends the stream, as a broken connection does.

use super::connection::NatsConnection;
use super::requests::{Answerer, LeaderRequests, NotAnswered};
use super::state::ClusterState;
use async_nats::{Client, Subscriber};
use bytes::{Buf, Bytes, BytesMut};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, split};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Bytes that may be under way in one direction before a frame is sent.
const WINDOW: u64 = 1 << 20;

/// Bytes that the other end is told of together, once it has waited for them.
const TOLD_TOGETHER: u64 = WINDOW / 4;

/// Bytes of a frame, where NATS takes as many.
const PIECE_BYTES: usize = 64 << 10;

/// Bytes between a stream and who reads or writes it.
const BUFFER_BYTES: usize = 64 << 10;

/// How long the node that leads may take to begin a connection.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// Pause between two frames where nothing is to be sent.
const BEAT: Duration = Duration::from_secs(1);

/// The time after which an end that is not heard of is gone.
const SILENCE: Duration = Duration::from_secs(30);

/// A connection that another node took, at the node that leads.
#[derive(Debug)]
pub struct PassedConnection {
    #[allow(missing_docs)]
    pub stream: DuplexStream,
    /// The address of the client; `None` where it came over the Unix socket of its node.
    pub from: Option<IpAddr>,
}

/// The request for a connection.
#[derive(Debug, Serialize, Deserialize)]
struct TunnelRequest {
    from: Option<IpAddr>,
    /// The subject of frames for the node that asks.
    subject: String,
}

/// Passes connections on to the node that leads.
#[derive(Clone, Debug)]
pub struct Tunnels {
    client: Client,
    requests: LeaderRequests,
    state: Arc<ClusterState>,
}

impl Tunnels {
    pub(super) fn new(connection: &NatsConnection, state: &Arc<ClusterState>) -> Self {
        let requests = LeaderRequests::new(connection, "connections");
        Self { client: connection.context.client(), requests, state: state.clone() }
    }

    /// The requests by which other nodes ask for connections.
    pub fn requests(&self) -> LeaderRequests {
        self.requests.clone()
    }

    /// Opens a connection to the node that leads, for a client at an address. It ends with either of its
    /// ends, and when another node leads.
    ///
    /// # Errors
    ///
    /// No node leads, or the one that does takes no connection.
    pub async fn open(&self, from: Option<IpAddr>) -> Result<DuplexStream, NotAnswered> {
        let unknown = |error: &dyn std::fmt::Display| NotAnswered::Unknown(error.to_string());
        let subject = self.client.new_inbox();
        let frames = self.client.subscribe(subject.clone()).await;
        let frames = frames.map_err(|error| unknown(&error))?;
        // Texts always serialise.
        let opening = serde_json::to_vec(&TunnelRequest { from, subject }).unwrap_or_default();
        let answer = self.requests.ask(opening.into(), OPEN_TIMEOUT).await?;
        let answer: Result<String, String> =
            serde_json::from_slice(&answer).map_err(|error| unknown(&error))?;
        let to = answer.map_err(NotAnswered::Unknown)?;
        let (near, far) = duplex(BUFFER_BYTES);
        let state = self.state.clone();
        let mut leader = state.leader();
        let goes_on = move || {
            let now = state.leader();
            leader = leader.take().or_else(|| now.clone());
            now.is_none() || now == leader
        };
        tokio::spawn(Tunnel::new(self.client.clone(), to, frames).run(far, goes_on));
        Ok(near)
    }

    /// Takes connections of other nodes, as the node that leads.
    pub fn taking(&self, taken: mpsc::Sender<PassedConnection>) -> Answerer {
        let client = self.client.clone();
        Arc::new(move |opening| {
            let (client, taken) = (client.clone(), taken.clone());
            Box::pin(async move {
                let begun = begin(client, &opening, &taken).await;
                serde_json::to_vec(&begun).unwrap_or_default().into()
            })
        })
    }
}

/// Begins a connection that another node asks for; gives the subject of frames for this node.
async fn begin(
    client: Client,
    opening: &[u8],
    taken: &mpsc::Sender<PassedConnection>,
) -> Result<String, String> {
    let TunnelRequest { from, subject } = serde_json::from_slice(opening)
        .map_err(|error| format!("the nodes are not of one version: {error}"))?;
    let own = client.new_inbox();
    let frames = client.subscribe(own.clone()).await.map_err(|error| error.to_string())?;
    let (near, far) = duplex(BUFFER_BYTES);
    taken
        .try_send(PassedConnection { stream: near, from })
        .map_err(|_| "the node that leads has too many new connections".to_owned())?;
    tokio::spawn(Tunnel::new(client, subject, frames).run(far, || true));
    Ok(own)
}

/// One end of a connection between two nodes.
struct Tunnel {
    client: Client,
    /// The subject of the other end.
    to: String,
    frames: Subscriber,
    counts: TunnelCounts,
    /// Bytes that came and are not taken yet.
    waiting: VecDeque<Bytes>,
    /// The other end sends nothing more.
    has_ended: bool,
}

/// Bytes that went through one end of a connection.
#[derive(Debug, Default)]
struct TunnelCounts {
    sent: u64,
    /// Bytes of them that the other end is known to have taken.
    acknowledged: u64,
    received: u64,
    taken: u64,
    /// Bytes of them that the other end was told of.
    told: u64,
}

impl TunnelCounts {
    fn has_room(&self) -> bool {
        self.sent - self.acknowledged < WINDOW
    }

    /// Counts a frame that came; an error where it does not follow the one before.
    fn receive(&mut self, frame: &TunnelFrame) -> Result<(), &'static str> {
        if frame.sent != self.received {
            return Err("a part of it was lost");
        }
        if frame.taken < self.acknowledged || frame.taken > self.sent {
            return Err("the other node counts wrongly");
        }
        self.acknowledged = frame.taken;
        self.received += frame.bytes.len() as u64;
        if self.received - self.taken > WINDOW + PIECE_BYTES as u64 {
            return Err("the other node sent more than it may");
        }
        Ok(())
    }
}

/// A message of one end to the other.
#[derive(Clone, Debug, PartialEq, Eq)]
struct TunnelFrame {
    is_last: bool,
    sent: u64,
    taken: u64,
    bytes: Bytes,
}

impl TunnelFrame {
    /// Bytes before those of the stream.
    const HEAD: usize = 1 + 8 + 8;

    fn encode(&self) -> Bytes {
        let mut message = BytesMut::with_capacity(Self::HEAD + self.bytes.len());
        message.extend([u8::from(self.is_last)]);
        message.extend(self.sent.to_le_bytes());
        message.extend(self.taken.to_le_bytes());
        message.extend_from_slice(&self.bytes);
        message.freeze()
    }

    fn decode(mut message: Bytes) -> Option<Self> {
        if message.len() < Self::HEAD {
            return None;
        }
        let (is_last, sent, taken) =
            (message.get_u8() == 1, message.get_u64_le(), message.get_u64_le());
        Some(Self { is_last, sent, taken, bytes: message })
    }
}

impl Tunnel {
    fn new(client: Client, to: String, frames: Subscriber) -> Self {
        let (counts, waiting) = (TunnelCounts::default(), VecDeque::new());
        Self { client, to, frames, counts, waiting, has_ended: false }
    }

    /// Carries bytes between a stream and the other end until either ends.
    async fn run(mut self, stream: DuplexStream, goes_on: impl FnMut() -> bool) {
        let carried = self.carry(stream, goes_on).await;
        let told = self.send(true, Bytes::new()).await;
        if let Err(error) = carried.and(told) {
            tracing::warn!("a connection between this node and another one ended: {error}");
        }
    }

    async fn carry(
        &mut self,
        stream: DuplexStream,
        mut goes_on: impl FnMut() -> bool,
    ) -> Result<(), String> {
        let (mut from, mut to) = split(stream);
        let mut buffer = vec![0; PIECE_BYTES.min(self.max_bytes())];
        let (mut beat, mut heard) = (interval(BEAT), Instant::now());
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.has_ended || !self.waiting.is_empty() {
            let may_send = self.counts.has_room() && !self.has_ended;
            let next = self.waiting.front().map_or(&[][..], |bytes| bytes);
            tokio::select! {
                frame = self.frames.next(), if !self.has_ended => {
                    let frame = frame.ok_or("the connection to NATS ended")?.payload;
                    let frame = TunnelFrame::decode(frame).ok_or("a frame cannot be read")?;
                    self.counts.receive(&frame)?;
                    heard = Instant::now();
                    self.has_ended = frame.is_last;
                    self.waiting.extend(Some(frame.bytes).filter(|bytes| !bytes.is_empty()));
                }
                read = from.read(&mut buffer), if may_send => match read {
                    Ok(read @ 1..) => self.send(false, Bytes::copy_from_slice(&buffer[..read])).await?,
                    _ => return Ok(()),
                },
                written = to.write(next), if !next.is_empty() => match written {
                    Ok(written @ 1..) => self.take(written).await?,
                    _ => return Ok(()),
                },
                _ = beat.tick() => {
                    if !goes_on() {
                        return Err("another node leads the cluster".into());
                    }
                    if !self.has_ended && heard.elapsed() > SILENCE {
                        return Err("the other node is gone".into());
                    }
                    self.send(false, Bytes::new()).await?;
                }
            }
        }
        // The reader is gone where this fails.
        let _ = to.shutdown().await;
        Ok(())
    }

    /// Counts bytes that the stream took, and lets the other end send as many more.
    async fn take(&mut self, written: usize) -> Result<(), String> {
        if let Some(first) = self.waiting.front_mut() {
            first.advance(written);
        }
        if self.waiting.front().is_some_and(Bytes::is_empty) {
            self.waiting.pop_front();
        }
        self.counts.taken += written as u64;
        if self.counts.taken - self.counts.told >= TOLD_TOGETHER {
            self.send(false, Bytes::new()).await?;
        }
        Ok(())
    }

    async fn send(&mut self, is_last: bool, bytes: Bytes) -> Result<(), String> {
        let TunnelCounts { sent, taken, .. } = self.counts;
        self.counts.sent += bytes.len() as u64;
        self.counts.told = taken;
        let message = TunnelFrame { is_last, sent, taken, bytes }.encode();
        // Without NATS it waits here for as long as the other end waits for it.
        match timeout(SILENCE, self.client.publish(self.to.clone(), message)).await {
            Ok(published) => published.map_err(|error| error.to_string()),
            Err(_) => Err("NATS cannot be reached".into()),
        }
    }

    /// Bytes that NATS takes in a frame.
    fn max_bytes(&self) -> usize {
        self.client.max_payload().saturating_sub(TunnelFrame::HEAD).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(sent: u64, taken: u64, bytes: usize) -> TunnelFrame {
        TunnelFrame { is_last: false, sent, taken, bytes: vec![7; bytes].into() }
    }

    #[test]
    fn a_frame_comes_out_as_it_went_in() {
        for frame in [frame(1, 2, 3), TunnelFrame { is_last: true, ..frame(u64::MAX, 0, 0) }] {
            assert_eq!(TunnelFrame::decode(frame.encode()), Some(frame));
        }
        assert_eq!(TunnelFrame::decode(Bytes::from_static(&[0; 16])), None);
    }

    #[test]
    fn what_was_lost_on_the_way_is_noticed_by_the_next_frame() {
        let mut counts = TunnelCounts { sent: 5, ..TunnelCounts::default() };
        assert_eq!(counts.receive(&frame(0, 3, 10)), Ok(()));
        assert_eq!((counts.acknowledged, counts.received), (3, 10));
        assert!(counts.receive(&frame(9, 3, 1)).is_err(), "some of it came twice");
        assert!(
            counts.receive(&frame(11, 3, 0)).is_err(),
            "a byte is missing, and nothing follows"
        );
        assert!(counts.receive(&frame(10, 6, 0)).is_err(), "more is taken than was sent");
        assert!(counts.receive(&frame(10, 2, 0)).is_err(), "what was taken is taken");
        assert_eq!(counts.receive(&frame(10, 5, 0)), Ok(()));
    }

    #[test]
    fn an_end_that_takes_nothing_is_not_sent_more_than_a_window() {
        let counts = TunnelCounts { sent: WINDOW, ..TunnelCounts::default() };
        assert!(!counts.has_room());
        let mut counts = TunnelCounts::default();
        let most = usize::try_from(WINDOW).unwrap() + PIECE_BYTES;
        assert_eq!(counts.receive(&frame(0, 0, most)), Ok(()));
        assert!(counts.receive(&frame(most as u64, 0, 1)).is_err());
    }
}
