//! The states of adapters, which are connected to the leader: it sends each change to the other nodes, for
//! their own clients.

use super::connection::NatsConnection;
use crate::protocol::platform::AdapterStatusChange;
use async_nats::Client;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::timeout;

/// How long NATS may take to accept a change. A node that misses one still shows the state at `/api/platforms`.
const TELL_TIMEOUT: Duration = Duration::from_secs(1);

/// A change at a node.
#[derive(Serialize, Deserialize)]
struct ToldStatus {
    /// One start of its process.
    instance: String,
    change: AdapterStatusChange,
}

/// Sends the states of adapters to other nodes, and gets theirs.
#[derive(Clone, Debug)]
pub struct StatusFeed {
    client: Client,
    subject: String,
    instance: String,
}

impl StatusFeed {
    pub(super) fn new(connection: &NatsConnection, instance: &str) -> Self {
        let client = connection.context.client();
        let subject = format!("{}.adapters", connection.prefix);
        Self { client, subject, instance: instance.to_owned() }
    }

    /// Sends a change to the other nodes.
    pub async fn report(&self, change: &AdapterStatusChange) {
        let told = ToldStatus { instance: self.instance.clone(), change: change.clone() };
        // Texts always serialise.
        let told = serde_json::to_vec(&told).unwrap_or_default();
        let sent = timeout(TELL_TIMEOUT, self.client.publish(self.subject.clone(), told.into()));
        if !matches!(sent.await, Ok(Ok(()))) {
            tracing::debug!("cannot report an adapter to other nodes: NATS cannot be reached");
        }
    }

    /// Passes on the states from other nodes, until the connection to NATS ends.
    pub async fn follow(&self, tell: impl Fn(AdapterStatusChange)) {
        let Ok(mut changes) = self.client.subscribe(self.subject.clone()).await else { return };
        while let Some(message) = changes.next().await {
            match serde_json::from_slice(&message.payload) {
                Ok(ToldStatus { instance, change }) if instance != self.instance => tell(change),
                Ok(_) => {}
                Err(error) => tracing::debug!(
                    "cannot read the report of another node about an adapter: {error}"
                ),
            }
        }
    }
}
