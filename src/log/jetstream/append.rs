//! Appends to the stream; only the leader does it.
//!
//! Each part is published with the sequence that the stream must end with. So if two nodes believe that
//! they lead, only one of them can append. A header names the batch: a node that does not know whether its
//! message arrived reads the stream, and finds its own name there or another one.

use super::lease::LeaseEnd;
use super::parts::{BATCH_HEADER, parts_of};
use super::stream::EventStream;
use crate::log::encoding::LogRecord;
use crate::log::{LogError, OUTCOME_UNKNOWN, Result, SharedLog};
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, ErrorCode};
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

/// Bytes of a payload in one message. NATS accepts 1 MiB unless it is configured otherwise.
const PART_BYTES: usize = 512 << 10;

/// The fewest bytes of a payload in one message, even if NATS accepts less.
const MIN_PART_BYTES: usize = 1 << 10;

/// Bytes of a message that are left for its head and its header.
const HEADER_BYTES: usize = 512;

/// How long the answer to one message may take before it is looked for in the stream.
const ACK_TIMEOUT: Duration = Duration::from_secs(2);

/// Time limit of an append. NATS needs some of it if a server that keeps the stream has died.
const APPEND_TIMEOUT: Duration = Duration::from_secs(10);

/// The beginning of the error if NATS has no space.
pub const NO_SPACE: &str = "NATS takes nothing more";

/// Pause before a message is published again.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// The cluster's log for the leader.
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

    fn may_append(&self) -> bool {
        self.lease.left().is_some()
    }
}

impl EventStream {
    /// Appends the parts of a batch; returns the stream sequence of the last one.
    async fn append(
        &self,
        after: u64,
        first: u64,
        payload: &[u8],
        lease: &LeaseEnd,
    ) -> Result<u64> {
        let id = Uuid::new_v4().to_string();
        let max_bytes = self.context.client().max_payload().saturating_sub(HEADER_BYTES);
        let mut stream_seq = after;
        for part in parts_of(first, payload, max_bytes.clamp(MIN_PART_BYTES, PART_BYTES))? {
            stream_seq = self.publish(stream_seq, part, &id, lease).await?;
        }
        Ok(stream_seq)
    }

    /// Publishes a message until it is known whether the stream has it.
    async fn publish(&self, after: u64, message: Bytes, id: &str, lease: &LeaseEnd) -> Result<u64> {
        let until = Instant::now() + APPEND_TIMEOUT;
        if lease.left().is_none() {
            return Err(LogError("this node leads no longer; nothing was stored".into()));
        }
        let (mut fault, mut is_first) = ("no answer".to_owned(), true);
        while let Some(left) = lease.left() {
            let left = left.min(until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                let limit = APPEND_TIMEOUT.as_secs();
                return Err(LogError(format!(
                    "NATS did not acknowledge it within {limit} s ({fault}); {OUTCOME_UNKNOWN}"
                )));
            }
            let published = self.publish_once(after, message.clone(), id);
            match timeout(left.min(ACK_TIMEOUT), published).await {
                Ok(Ok(stream_seq)) => return Ok(stream_seq),
                Ok(Err(Refused::WrongSequence)) => match self.is_ours(after + 1, id).await {
                    Ok(true) => return Ok(after + 1),
                    Ok(false) => {
                        return Err(LogError(
                            "another node leads by now; nothing was stored".into(),
                        ));
                    }
                    Err(error) => fault = error.0,
                },
                // An earlier attempt may have succeeded.
                Ok(Err(Refused::Full(error))) if is_first => {
                    return Err(LogError(format!("{NO_SPACE} ({error}); nothing was stored")));
                }
                Ok(Err(Refused::Full(error) | Refused::Other(error))) => fault = error,
                Err(_) => {}
            }
            is_first = false;
            sleep(RETRY_PAUSE).await;
        }
        Err(LogError(format!(
            "the lease ended before NATS had acknowledged it ({fault}); {OUTCOME_UNKNOWN}"
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

    /// Whether the message at a stream sequence belongs to this batch.
    async fn is_ours(&self, stream_seq: u64, id: &str) -> Result<bool> {
        let message = self.stream().await?.get_raw_message(stream_seq).await;
        let message = message.map_err(|error| self.failed(&error))?;
        Ok(message.headers.get(BATCH_HEADER).is_some_and(|found| found.as_str() == id))
    }
}

/// Reason why a message is not known to be in the stream.
enum Refused {
    /// The stream does not end where it should.
    WrongSequence,
    /// NATS has no space for it.
    Full(String),
    Other(String),
}

/// Errors of NATS without space: of the account, of the server, and of the stream.
const NO_SPACE_CODES: [ErrorCode; 4] = [
    ErrorCode::ACCOUNT_RESOURCES_EXCEEDED,
    ErrorCode::INSUFFICIENT_RESOURCES,
    ErrorCode::STORAGE_RESOURCES_EXCEEDED,
    ErrorCode::STREAM_STORE_FAILED,
];

impl From<PublishError> for Refused {
    fn from(error: PublishError) -> Self {
        match error.kind() {
            PublishErrorKind::WrongLastSequence => Self::WrongSequence,
            _ if is_full(&error) => Self::Full(error.to_string()),
            _ => Self::Other(error.to_string()),
        }
    }
}

fn is_full(error: &PublishError) -> bool {
    let answer = std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<jetstream::Error>());
    answer.is_some_and(|answer| NO_SPACE_CODES.contains(&answer.error_code()))
}
