//! Reads the batches of the stream.

use super::parts::{BATCH_HEADER, BatchParts};
use crate::log::{LogError, Result, SharedBatch};
use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::pull::Ordered;
use futures_util::{FutureExt, StreamExt};
use std::fmt;

/// The most batches that are read together.
const READ_TOGETHER: usize = 512;
const READ_BYTES: usize = 4 << 20;

/// Reads the batches of a stream, in order and without a gap.
pub struct BatchReader {
    messages: Ordered,
    /// The stream sequence of the next message.
    next: u64,
    /// The stream sequence of the last batch that was returned.
    applied_through: u64,
    parts: BatchParts,
}

impl fmt::Debug for BatchReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchReader").field("next", &self.next).finish_non_exhaustive()
    }
}

impl BatchReader {
    /// Reads the messages of a consumer that begins after a stream sequence.
    pub(super) fn new(messages: Ordered, stream_seq: u64) -> Self {
        Self {
            messages,
            next: stream_seq + 1,
            applied_through: stream_seq,
            parts: BatchParts::default(),
        }
    }

    /// The stream sequence of the last message that was read, also if it is part of an unfinished batch.
    pub fn read_to(&self) -> u64 {
        self.next - 1
    }

    /// The stream sequence of the last batch that was returned, or after which reading began.
    pub fn applied_through(&self) -> u64 {
        self.applied_through
    }

    /// The next batches, at least one. May be dropped while it waits.
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
        self.applied_through =
            batches.last().map_or(self.applied_through, |last: &SharedBatch| last.stream_seq);
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
        let stream_seq = message.info().map_err(|error| failed(error.to_string()))?.stream_sequence;
        if stream_seq != self.next {
            return Err(failed(format!("message {} is missing; {stream_seq} came", self.next)));
        }
        self.next += 1;
        let headers = message.headers.as_ref();
        if headers.and_then(|headers| headers.get(BATCH_HEADER)).is_none() {
            // All nodes do the same, so their stores stay equal.
            tracing::error!(
                stream_seq,
                "a message of the log is none of rechat's, and is passed over; who else can write to NATS?"
            );
            return Ok(None);
        }
        let batch = self.parts.take(&message.payload);
        let batch = batch.map_err(|error| failed(format!("message {stream_seq}: {error}")))?;
        Ok(batch.map(|(batch, bytes)| SharedBatch { batch, stream_seq, bytes }))
    }
}
