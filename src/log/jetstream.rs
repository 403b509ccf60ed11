//! The log of a cluster: one stream of NATS JetStream.
//!
//! A message that names no batch is none of ours, and counts for nothing. Any other is a part of a batch: version (1 byte), number of the part and how many there are (2
//! bytes each), the offset of the batch's first event (8), then bytes of its payload; numbers are
//! little-endian. A batch counts once its last part is there. Parts whose batch was left unfinished
//! by a leader that died count for nothing.
//!
//! Each part is published with the sequence that the stream must end with, so that of two nodes that
//! both take themselves for the leader only one can append. A header names the batch: a node that
//! does not know whether its message arrived reads the stream and finds its own name, or another's.

use super::encoding::{LogRecord, decode_payload};
use super::{Batch, LogError, Result, SharedBatch, SharedLog};
use async_nats::jetstream::consumer::pull::{Ordered, OrderedConfig};
use async_nats::jetstream::consumer::{DeliverPolicy, ReplayPolicy};
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Info, Stream};
use async_nats::jetstream::{Context, Message};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

/// The form of a message.
const VERSION: u8 = 1;

/// Bytes of a message before its part of the payload.
const HEAD: usize = 1 + 2 + 2 + 8;

/// Bytes of a payload in one message; NATS takes 1 MiB unless it is configured otherwise.
const PART_BYTES: usize = 512 << 10;

/// The fewest bytes of a payload in one message, however little NATS takes.
const MIN_PART_BYTES: usize = 1 << 10;

/// Bytes of a message that are left for its head and its header.
const HEADER_BYTES: usize = 512;

/// Bytes of a batch; more is no batch of ours.
const MAX_BATCH_BYTES: usize = 1 << 30;

/// The header that names the batch.
const BATCH_HEADER: &str = "Rechat-Batch";

/// How long the answer to one message may take before it is looked for in the stream.
const ACK_TIMEOUT: Duration = Duration::from_secs(2);

/// How long an append may take in all; NATS needs some of it where a server that keeps the stream has died.
const APPEND_TIMEOUT: Duration = Duration::from_secs(10);

/// Pause before a message is published again.
const PAUSE: Duration = Duration::from_millis(50);

/// Batches and bytes that are read together.
const READ_TOGETHER: usize = 512;
const READ_BYTES: usize = 4 << 20;

/// The stream of a cluster.
#[derive(Clone)]
pub struct EventStream {
    context: Context,
    name: String,
    subject: String,
    /// On which the writer's thread waits.
    runtime: Handle,
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The time up to which this node may append: the end of its lease, as far as it knows.
#[derive(Debug, Default)]
pub struct LeaseEnd(Mutex<Option<Instant>>);

impl LeaseEnd {
    /// The node may append until then.
    pub fn extend(&self, until: Instant) {
        self.set(Some(until));
    }

    /// The node may not append any more.
    pub fn end(&self) {
        self.set(None);
    }

    /// The time that is left; `None` where it is over.
    pub fn left(&self) -> Option<Duration> {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = until?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    fn set(&self, until: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }
}

impl EventStream {
    /// The stream with this name, whose messages have this subject. `runtime` is the one that the
    /// connection works on.
    pub fn new(context: Context, name: String, subject: String, runtime: Handle) -> Self {
        Self { context, name, subject, runtime }
    }

    async fn stream(&self) -> Result<Stream<()>> {
        let stream = self.context.get_stream_no_info(&self.name).await;
        stream.map_err(|error| self.failed(&error))
    }

    /// The stream as NATS describes it.
    ///
    /// # Errors
    ///
    /// NATS does not answer, or there is no such stream.
    pub async fn info(&self) -> Result<Info> {
        let stream = self.context.get_stream(&self.name).await;
        stream.map(|stream| stream.cached_info().clone()).map_err(|error| self.failed(&error))
    }

    /// The batches behind a place, and those that will come.
    ///
    /// # Errors
    ///
    /// NATS does not answer, or there is no such stream.
    pub async fn read_after(&self, place: u64) -> Result<BatchReader> {
        let config = OrderedConfig {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: place + 1 },
            replay_policy: ReplayPolicy::Instant,
            ..OrderedConfig::default()
        };
        let stream = self.stream().await?;
        let consumer = stream.create_consumer(config).await.map_err(|error| self.failed(&error))?;
        let messages = consumer.messages().await.map_err(|error| self.failed(&error))?;
        Ok(BatchReader { messages, next: place + 1, given: place, parts: Parts::default() })
    }

    /// Removes what every node and the snapshots have.
    ///
    /// # Errors
    ///
    /// NATS does not answer, or refuses.
    pub async fn remove_through(&self, place: u64) -> Result<()> {
        let purge = self.stream().await?.purge().sequence(place + 1).await;
        purge.map(drop).map_err(|error| self.failed(&error))
    }

    /// Appends the parts of a batch; gives the place of the last one.
    async fn append(
        &self,
        after: u64,
        first: u64,
        payload: &[u8],
        lease: &LeaseEnd,
    ) -> Result<u64> {
        let id = Uuid::new_v4().to_string();
        let max_bytes = self.context.client().max_payload().saturating_sub(HEADER_BYTES);
        let mut place = after;
        for part in parts_of(first, payload, max_bytes.clamp(MIN_PART_BYTES, PART_BYTES))? {
            place = self.publish(place, part, &id, lease).await?;
        }
        Ok(place)
    }

    /// Publishes a message until it is known to be in the stream, or not.
    async fn publish(&self, after: u64, message: Bytes, id: &str, lease: &LeaseEnd) -> Result<u64> {
        let until = Instant::now() + APPEND_TIMEOUT;
        if lease.left().is_none() {
            return Err(LogError("this node leads no longer; nothing was stored".into()));
        }
        let mut fault = "no answer".to_owned();
        while let Some(left) = lease.left() {
            let left = left.min(until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                let limit = APPEND_TIMEOUT.as_secs();
                return Err(LogError(format!(
                    "NATS did not acknowledge it within {limit} s ({fault}); whether it was stored is unknown"
                )));
            }
            let published = self.publish_once(after, message.clone(), id);
            match timeout(left.min(ACK_TIMEOUT), published).await {
                Ok(Ok(place)) => return Ok(place),
                Ok(Err(Refused::WrongPlace)) => match self.is_ours(after + 1, id).await {
                    Ok(true) => return Ok(after + 1),
                    Ok(false) => {
                        return Err(LogError(
                            "another node leads by now; nothing was stored".into(),
                        ));
                    }
                    Err(error) => fault = error.0,
                },
                Ok(Err(Refused::Other(error))) => fault = error,
                Err(_) => {}
            }
            sleep(PAUSE).await;
        }
        Err(LogError(format!(
            "the lease ended before NATS had acknowledged it ({fault}); whether it was stored is unknown"
        )))
    }

    async fn publish_once(
        &self,
        after: u64,
        message: Bytes,
        id: &str,
    ) -> std::result::Result<u64, Refused> {
        let message = PublishMessage::build()
            .payload(message)
            .header(BATCH_HEADER, id)
            .expected_stream(&self.name)
            .expected_last_sequence(after);
        let sent = self.context.send_publish(self.subject.clone(), message).await?;
        Ok(sent.await?.sequence)
    }

    /// Whether the message at a place is of a batch of ours.
    async fn is_ours(&self, place: u64, id: &str) -> Result<bool> {
        let message = self.stream().await?.get_raw_message(place).await;
        let message = message.map_err(|error| self.failed(&error))?;
        Ok(message.headers.get(BATCH_HEADER).is_some_and(|found| found.as_str() == id))
    }

    fn failed(&self, error: &dyn fmt::Display) -> LogError {
        LogError(format!("the stream {}: {error}", self.name))
    }
}

/// Why a message is not known to be in the stream.
enum Refused {
    /// The stream does not end where it should.
    WrongPlace,
    Other(String),
}

impl From<async_nats::jetstream::context::PublishError> for Refused {
    fn from(error: async_nats::jetstream::context::PublishError) -> Self {
        match error.kind() {
            PublishErrorKind::WrongLastSequence => Self::WrongPlace,
            _ => Self::Other(error.to_string()),
        }
    }
}

/// The log of a cluster, for the node that leads.
#[derive(Debug)]
pub struct JetStreamLog {
    stream: EventStream,
    lease: Arc<LeaseEnd>,
}

impl JetStreamLog {
    /// Appends for as long as the lease lasts.
    pub fn new(stream: EventStream, lease: Arc<LeaseEnd>) -> Self {
        Self { stream, lease }
    }
}

impl SharedLog for JetStreamLog {
    fn append(&mut self, after: u64, first: u64, record: LogRecord) -> Result<u64> {
        let Self { stream, lease } = self;
        stream.runtime.block_on(stream.append(after, first, record.payload(), lease))
    }
}

/// Reads the batches of a stream, in order and without a gap.
pub struct BatchReader {
    messages: Ordered,
    /// The number of the next message.
    next: u64,
    /// The place of the last batch that was given out.
    given: u64,
    parts: Parts,
}

impl fmt::Debug for BatchReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchReader").field("next", &self.next).finish_non_exhaustive()
    }
}

impl BatchReader {
    /// The number of the last message that was read, also where it is a part of an unfinished batch.
    pub fn read_to(&self) -> u64 {
        self.next - 1
    }

    /// The place of the last batch that was given out, or behind which reading began.
    pub fn given(&self) -> u64 {
        self.given
    }

    /// The next batches, at least one; may be dropped while it waits.
    ///
    /// # Errors
    ///
    /// Messages are missing or cannot be read, or NATS does not answer.
    pub async fn next(&mut self) -> Result<Vec<SharedBatch>> {
        let (mut batches, mut bytes) = (Vec::new(), 0);
        while batches.is_empty() {
            let message = self.messages.next().await;
            batches.extend(self.take(message)?);
        }
        while batches.len() < READ_TOGETHER && bytes < READ_BYTES {
            let Some(message) = self.messages.next().now_or_never() else { break };
            let batch = self.take(message)?;
            bytes += batch.as_ref().map_or(0, |batch| batch.bytes);
            batches.extend(batch);
        }
        self.given = batches.last().map_or(self.given, |last: &SharedBatch| last.place);
        Ok(batches)
    }

    fn take<E: fmt::Display>(
        &mut self,
        message: Option<std::result::Result<Message, E>>,
    ) -> Result<Option<SharedBatch>> {
        let failed = |text: String| LogError(format!("reading the stream: {text}"));
        let message = match message {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(failed(error.to_string())),
            None => return Err(failed("it ended".into())),
        };
        let place = message.info().map_err(|error| failed(error.to_string()))?.stream_sequence;
        if place != self.next {
            return Err(failed(format!("message {} is missing; {place} came", self.next)));
        }
        self.next += 1;
        let headers = message.headers.as_ref();
        if headers.and_then(|headers| headers.get(BATCH_HEADER)).is_none() {
            // Every node does the same, so all stay alike.
            tracing::error!(
                place,
                "a message of the log is none of rechat's, and is passed over; who else can write to NATS?"
            );
            return Ok(None);
        }
        let batch = self.parts.take(&message.payload);
        let batch = batch.map_err(|error| failed(format!("message {place}: {error}")))?;
        Ok(batch.map(|(batch, bytes)| SharedBatch { batch, place, bytes }))
    }
}

/// The messages of a batch, each with so many bytes of its payload.
fn parts_of(first: u64, payload: &[u8], part_bytes: usize) -> Result<Vec<Bytes>> {
    let count = payload.len().div_ceil(part_bytes).max(1);
    let parts = u16::try_from(count).map_err(|_| LogError("a batch is too large".into()))?;
    let part = |(number, bytes): (usize, &[u8])| {
        let mut message = Vec::with_capacity(HEAD + bytes.len());
        message.push(VERSION);
        message.extend((number as u16).to_le_bytes());
        message.extend(parts.to_le_bytes());
        message.extend(first.to_le_bytes());
        message.extend(bytes);
        Bytes::from(message)
    };
    Ok(payload.chunks(part_bytes).enumerate().map(part).collect())
}

/// Parts of a batch that is not whole yet.
#[derive(Debug, Default)]
struct Parts {
    /// The offset of its first event, and how many parts there are.
    of: Option<(u64, u16)>,
    found: u16,
    bytes: Vec<u8>,
}

impl Parts {
    /// Takes the next message; gives the batch that is whole with it, and its size.
    fn take(
        &mut self,
        message: &[u8],
    ) -> std::result::Result<Option<(Batch, usize)>, &'static str> {
        let another = "it was written by another version of rechat; update this one";
        let (head, bytes) = message.split_at_checked(HEAD).ok_or("it is too short")?;
        let &[VERSION, n0, n1, p0, p1, ref first @ ..] = head else { return Err(another) };
        let (number, parts) = (u16::from_le_bytes([n0, n1]), u16::from_le_bytes([p0, p1]));
        let first = first.try_into().map(u64::from_le_bytes).map_err(|_| "it is too short")?;
        if number == 0 {
            // One that was begun before was left unfinished, and counts for nothing.
            *self = Self { of: Some((first, parts)), ..Self::default() };
        }
        if self.of != Some((first, parts)) || self.found != number {
            return Err("a part of its batch is missing");
        }
        if self.bytes.len() + bytes.len() > MAX_BATCH_BYTES {
            return Err("its batch is too large");
        }
        self.bytes.extend(bytes);
        self.found += 1;
        if self.found < parts {
            return Ok(None);
        }
        let payload = std::mem::take(self).bytes;
        let batch = decode_payload(first, &payload).ok().flatten().ok_or(another)?;
        Ok(Some((batch, payload.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::super::encoding::tests::every_event;
    use super::*;
    use crate::model::cursor::Epoch;
    use proptest::prelude::*;

    fn payload(events: usize) -> Vec<u8> {
        let mut record = LogRecord::new(Epoch::new(3), 9);
        for event in every_event().iter().cycle().take(events) {
            record.push(event, None).unwrap();
        }
        record.payload().to_vec()
    }

    #[test]
    fn a_large_batch_goes_in_parts_and_comes_back_whole() {
        let payload = payload(20_000);
        let messages = parts_of(7, &payload, PART_BYTES).unwrap();
        assert!(messages.len() > 1 && messages.iter().all(|part| part.len() <= HEAD + PART_BYTES));
        let mut parts = Parts::default();
        let (last, before) = messages.split_last().unwrap();
        for part in before {
            assert_eq!(parts.take(part), Ok(None));
        }
        let (batch, bytes) = parts.take(last).unwrap().unwrap();
        assert_eq!((batch.first, batch.events.len(), bytes), (7, 20_000, payload.len()));
        assert_eq!(batch.epoch, Epoch::new(3));
    }

    #[test]
    fn parts_that_a_leader_left_behind_count_for_nothing() {
        let mut parts = Parts::default();
        let unfinished = parts_of(7, &payload(20_000), PART_BYTES).unwrap();
        assert_eq!(parts.take(&unfinished[0]), Ok(None));
        let next = parts_of(7, &payload(2), PART_BYTES).unwrap();
        let (batch, _) = parts.take(&next[0]).unwrap().unwrap();
        assert_eq!(batch.events, every_event()[..2]);
        assert!(parts.take(&unfinished[1]).is_err(), "the rest of it is no batch");
    }

    proptest! {
        #[test]
        fn no_message_makes_it_panic(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..5)) {
            let mut parts = Parts::default();
            for message in messages {
                let _ = parts.take(&message);
            }
        }
    }
}
