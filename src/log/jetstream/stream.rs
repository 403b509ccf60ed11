//! The stream of a cluster.

use super::reader::BatchReader;
use crate::log::{LogError, Result};
use async_nats::jetstream::consumer::pull::OrderedConfig;
use async_nats::jetstream::consumer::{DeliverPolicy, ReplayPolicy};
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{Info, Stream};
use async_nats::jetstream::{Context, ErrorCode};
use std::fmt;
use tokio::runtime::Handle;

/// The stream of a cluster.
#[derive(Clone)]
pub struct EventStream {
    pub(super) context: Context,
    pub(super) name: String,
    pub(super) subject: String,
    /// The runtime that the writer's thread waits on.
    pub(super) runtime: Handle,
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").field("name", &self.name).finish_non_exhaustive()
    }
}

impl EventStream {
    /// The stream with this name; its messages have this subject. `runtime` is that of the connection.
    pub fn new(context: Context, name: String, subject: String, runtime: Handle) -> Self {
        Self { context, name, subject, runtime }
    }

    pub(super) async fn stream(&self) -> Result<Stream<()>> {
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

    /// Whether there is such a stream.
    ///
    /// # Errors
    ///
    /// NATS does not answer.
    pub async fn exists(&self) -> Result<bool> {
        match self.context.get_stream(&self.name).await {
            Ok(_) => Ok(true),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(error)
                    if error.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                {
                    Ok(false)
                }
                _ => Err(self.failed(&error)),
            },
        }
    }

    /// Reads the batches after a stream sequence, and waits for later ones.
    ///
    /// # Errors
    ///
    /// NATS does not answer, or there is no such stream.
    pub async fn read_after(&self, stream_seq: u64) -> Result<BatchReader> {
        let config = OrderedConfig {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: stream_seq + 1 },
            replay_policy: ReplayPolicy::Instant,
            ..OrderedConfig::default()
        };
        let stream = self.stream().await?;
        let consumer = stream.create_consumer(config).await.map_err(|error| self.failed(&error))?;
        let messages = consumer.messages().await.map_err(|error| self.failed(&error))?;
        Ok(BatchReader::new(messages, stream_seq))
    }

    /// Removes the messages up to a stream sequence, which every node and the snapshots have.
    ///
    /// # Errors
    ///
    /// NATS does not answer, or refuses.
    pub async fn remove_through(&self, stream_seq: u64) -> Result<()> {
        let purge = self.stream().await?.purge().sequence(stream_seq + 1).await;
        purge.map(drop).map_err(|error| self.failed(&error))
    }

    pub(super) fn failed(&self, error: &dyn fmt::Display) -> LogError {
        LogError(format!("the stream {}: {error}", self.name))
    }
}
