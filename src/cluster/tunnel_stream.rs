//! One end of a connection that goes over NATS, as a stream of bytes.
//!
//! Each end sends frames to a subject of the other: whether the stream ends (1 byte), the number of bytes
//! that were sent before and the number that were read (8 each, little-endian), then the bytes. NATS keeps the
//! order of one sender's messages, but may lose some if its connections break. So a frame that does not begin
//! where the last one ended ends the stream, as a broken connection does.

use async_nats::{Client, Subscriber};
use bytes::{Buf, Bytes, BytesMut};
use futures_util::StreamExt;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, split};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Bytes that may be sent in one direction without an acknowledgement.
const WINDOW: u64 = 1 << 20;

/// The number of read bytes that are acknowledged to the other end at once.
const REPORT_BYTES: u64 = WINDOW / 4;

/// Bytes of a frame, if NATS takes as many.
const PIECE_BYTES: usize = 64 << 10;

/// Pause between two frames if there is nothing to send.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// The time after which a silent end counts as gone.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// One end of a connection between two nodes.
pub(super) struct TunnelStream {
    client: Client,
    /// The subject of the other end.
    to: String,
    frames: Subscriber,
    counts: TunnelCounts,
    /// Bytes that were received and not read yet.
    waiting: BytesMut,
    /// The other end sends nothing more.
    has_ended: bool,
}

/// Bytes that went through one end of a connection.
#[derive(Debug, Default)]
struct TunnelCounts {
    sent: u64,
    /// Those of them that the other end has acknowledged.
    acknowledged: u64,
    received: u64,
    taken: u64,
    /// Those of them that were acknowledged to the other end.
    reported: u64,
}

impl TunnelCounts {
    fn has_room(&self) -> bool {
        self.sent - self.acknowledged < WINDOW
    }

    /// Counts a received frame.
    ///
    /// # Errors
    ///
    /// It does not follow the one before.
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

impl TunnelStream {
    pub(super) fn new(client: Client, to: String, frames: Subscriber) -> Self {
        let (counts, waiting) = (TunnelCounts::default(), BytesMut::new());
        Self { client, to, frames, counts, waiting, has_ended: false }
    }

    /// Carries bytes between a stream and the other end until either ends.
    pub(super) async fn run(mut self, stream: DuplexStream, has_same_leader: impl FnMut() -> bool) {
        let carried = self.carry(stream, has_same_leader).await;
        let sent = self.send(true, Bytes::new()).await;
        if let Err(error) = carried.and(sent) {
            tracing::warn!("a connection between this node and another one ended: {error}");
        }
    }

    async fn carry(
        &mut self,
        stream: DuplexStream,
        mut has_same_leader: impl FnMut() -> bool,
    ) -> Result<(), String> {
        let (mut from, mut to) = split(stream);
        let mut buffer = vec![0; PIECE_BYTES.min(self.max_bytes())];
        let (mut heartbeat, mut heard) = (interval(HEARTBEAT), Instant::now());
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.has_ended || !self.waiting.is_empty() {
            let may_send = self.counts.has_room() && !self.has_ended;
            tokio::select! {
                frame = self.frames.next(), if !self.has_ended => {
                    let frame = frame.ok_or("the connection to NATS ended")?.payload;
                    let frame = TunnelFrame::decode(frame).ok_or("a frame cannot be read")?;
                    self.counts.receive(&frame)?;
                    heard = Instant::now();
                    self.has_ended = frame.is_last;
                    self.waiting.extend_from_slice(&frame.bytes);
                }
                read = from.read(&mut buffer), if may_send => match read {
                    Ok(read @ 1..) => self.send(false, Bytes::copy_from_slice(&buffer[..read])).await?,
                    _ => return Ok(()),
                },
                written = to.write(&self.waiting), if !self.waiting.is_empty() => match written {
                    Ok(written @ 1..) => self.take(written).await?,
                    _ => return Ok(()),
                },
                _ = heartbeat.tick() => {
                    if !has_same_leader() {
                        return Err("another node leads the cluster".into());
                    }
                    if !self.has_ended && heard.elapsed() > IDLE_TIMEOUT {
                        return Err("the other node is gone".into());
                    }
                    self.send(false, Bytes::new()).await?;
                }
            }
        }
        // If this fails, the reader is gone.
        let _ = to.shutdown().await;
        Ok(())
    }

    /// Counts bytes that the stream read, and lets the other end send the same number again.
    async fn take(&mut self, written: usize) -> Result<(), String> {
        self.waiting.advance(written);
        self.counts.taken += written as u64;
        if self.counts.taken - self.counts.reported >= REPORT_BYTES {
            self.send(false, Bytes::new()).await?;
        }
        Ok(())
    }

    async fn send(&mut self, is_last: bool, bytes: Bytes) -> Result<(), String> {
        let TunnelCounts { sent, taken, .. } = self.counts;
        self.counts.sent += bytes.len() as u64;
        self.counts.reported = taken;
        let message = TunnelFrame { is_last, sent, taken, bytes }.encode();
        // Without NATS it waits here for as long as the other end waits for it.
        match timeout(IDLE_TIMEOUT, self.client.publish(self.to.clone(), message)).await {
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
        assert!(counts.receive(&frame(10, 2, 0)).is_err(), "less is taken than before");
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
