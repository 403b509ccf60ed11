//! Requests of clients, and events, that a node passes on to the leader, by request and reply.

use super::connection::NatsConnection;
use crate::log::jetstream::LeaseEnd;
use async_nats::client::{Request, RequestErrorKind};
use async_nats::connection::State;
use async_nats::{Client, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Requests of other nodes that are answered at one time; more are refused.
const MAX_ANSWERING: usize = 64;

/// Answers the requests that other nodes pass on.
pub type Answerer = Arc<dyn Fn(Bytes) -> BoxFuture<'static, Bytes> + Send + Sync>;

/// A service of the leader to the other nodes.
#[derive(Clone)]
pub struct LeaderService {
    /// The requests, as the others pass them on.
    pub requests: LeaderRequests,
    /// Answers them.
    pub answerer: Answerer,
    /// The answer if too many requests are running; nothing was done then.
    pub busy: Bytes,
}

/// Passes requests on to the leader.
#[derive(Clone)]
pub struct LeaderRequests {
    client: Client,
    subject: String,
}

impl fmt::Debug for LeaderRequests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaderRequests").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotAnswered {
    /// No node leads; nothing was done.
    NoLeader,
    /// The outcome is unknown.
    Unknown(String),
    /// It is too large for NATS.
    TooLarge {
        /// The size that NATS takes, in bytes.
        limit: usize,
    },
}

impl LeaderRequests {
    /// Passes on requests of one kind, by its name: `requests`, `events`.
    pub(super) fn new(connection: &NatsConnection, name: &str) -> Self {
        let client = connection.context.client();
        Self { client, subject: format!("{}.{name}", connection.prefix) }
    }

    /// Whether NATS can be reached at the moment.
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// The size of a message that NATS takes, in bytes.
    pub fn max_bytes(&self) -> usize {
        self.client.max_payload()
    }

    /// The answer of the leader.
    ///
    /// # Errors
    ///
    /// No node leads, the answer does not come in time, or the request is too large.
    pub async fn ask(&self, request: Bytes, limit: Duration) -> Result<Bytes, NotAnswered> {
        if request.len() > self.max_bytes() {
            return Err(NotAnswered::TooLarge { limit: self.max_bytes() });
        }
        let request = Request::new().payload(request).timeout(Some(limit));
        let answer = self.client.send_request(self.subject.clone(), request).await;
        answer.map(|answer| answer.payload).map_err(|error| match error.kind() {
            RequestErrorKind::NoResponders => NotAnswered::NoLeader,
            _ => NotAnswered::Unknown(error.to_string()),
        })
    }
}

impl LeaderService {
    /// Begins to take requests, as the leader.
    pub(super) async fn take(&self) -> Result<Subscriber, String> {
        let LeaderRequests { client, subject } = &self.requests;
        client.subscribe(subject.clone()).await.map_err(|error| error.to_string())
    }

    /// Answers requests until the connection or the lease ends. Requests that waited here while this process was
    /// suspended belong to another node by then, and get no answer.
    pub(super) async fn answer(&self, mut requests: Subscriber, lease: &LeaseEnd) {
        let (permits, mut tasks) = (Arc::new(Semaphore::new(MAX_ANSWERING)), JoinSet::new());
        while let Some(request) = requests.next().await {
            while tasks.try_join_next().is_some() {}
            let Some(reply) = request.reply else { continue };
            if lease.left().is_none() {
                return;
            }
            let client = self.requests.client.clone();
            // A request that waited could be carried out after its sender got the answer that the outcome is unknown.
            let Ok(permit) = permits.clone().try_acquire_owned() else {
                let _ = client.publish(reply, self.busy.clone()).await;
                continue;
            };
            let answer = (self.answerer)(request.payload);
            tasks.spawn(async move {
                let answer = answer.await;
                if let Err(error) = client.publish(reply, answer).await {
                    tracing::warn!("cannot answer a node that passed a request on: {error}");
                }
                drop(permit);
            });
        }
    }
}
