//! The connection of a node to NATS, and the names of the cluster's streams and buckets.

use crate::config::ClusterSettings;
use crate::error::{Error, Result};
use crate::log::jetstream::EventStream;
use async_nats::connection::State;
use async_nats::jetstream::context::{ContextBuilder, GetStreamError, GetStreamErrorKind};
use async_nats::jetstream::{Context, ErrorCode, kv, object_store};
use async_nats::{ConnectOptions, Event};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::timeout;

/// Time limit of a request to JetStream.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Time limit of a request for a key, and the number of attempts.
const ENTRY_TIMEOUT: Duration = Duration::from_millis(500);
const ENTRY_ATTEMPTS: usize = 4;

/// Messages that one subscription may hold. NATS drops more, and their senders get no answer.
const SUBSCRIPTION_MESSAGES: usize = 4096;

/// How long NATS keeps the progress that a node reported last.
const PLACES_KEPT: Duration = Duration::from_mins(10);

/// Ends the name of the bucket of known nodes.
const KNOWN_NODES: &str = "nodes";

/// For how long NATS keeps that a node was there, so that its absence is told.
const NODES_KEPT: Duration = Duration::from_hours(7 * 24);

/// The longest pause between two attempts to connect.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Bytes of a message that are left for its head.
const HEAD_BYTES: usize = 1 << 10;

/// Advice where NATS refuses the connection.
const REFUSAL_ADVICE: &str = "check `cluster.nats`, `token`, `credentials` and the certificates";

/// The key of the stream's metadata that has the cluster's ID.
pub(super) const CLUSTER_ID: &str = "rechat-cluster";

/// A connection to NATS for one cluster; it reconnects by itself.
#[derive(Clone, Debug)]
pub struct NatsConnection {
    client: async_nats::Client,
    pub(super) context: Context,
    /// The beginning of the names of all streams, buckets and subjects of the cluster.
    pub(super) prefix: String,
    /// The number of NATS servers that keep each stream and bucket.
    pub(super) replicas: usize,
    /// The time after which a silent leader is replaced.
    pub(super) lease: Duration,
    /// The last error of NATS or of the connection.
    refusal: Arc<Mutex<Option<String>>>,
}

impl NatsConnection {
    /// Begins to connect; to be called on the runtime that the connection is to work on.
    ///
    /// # Errors
    ///
    /// An address, or a file that is named, cannot be used.
    pub async fn open(settings: &ClusterSettings) -> Result<Self> {
        let failed = |error: &dyn std::fmt::Display| {
            Error::failed(format!("NATS at {}: {error}", settings.nats.join(", ")))
        };
        let refusal = Arc::<Mutex<Option<String>>>::default();
        let told = refusal.clone();
        let mut options = ConnectOptions::new()
            .event_callback(move |event| {
                note_refusal(&told, &event);
                std::future::ready(())
            })
            .name(format!("rechat {}", settings.node))
            .retry_on_initial_connect()
            .subscription_capacity(SUBSCRIPTION_MESSAGES)
            .ping_interval(Duration::from_secs(2))
            .reconnect_delay_callback(|attempts| {
                LONGEST_PAUSE.min(Duration::from_millis(20 * attempts as u64))
            });
        if let Some(file) = &settings.credentials {
            let read = options.credentials_file(file).await;
            options = read.map_err(|error| {
                Error::failed(format!("`cluster.credentials`: {}: {error}", file.display()))
            })?;
        }
        if let Some(token) = &settings.token {
            options = options.token(token.reveal().to_owned());
        }
        if let Some(ca) = &settings.ca {
            options = options.add_root_certificates(ca.clone()).require_tls(true);
        }
        if let (Some(certificate), Some(key)) = (&settings.certificate, &settings.key) {
            options = options.add_client_certificate(certificate.clone(), key.clone());
        }
        let client = options.connect(&settings.nats).await.map_err(|error| failed(&error))?;
        let context = ContextBuilder::new().timeout(ANSWER_TIMEOUT).ack_timeout(ANSWER_TIMEOUT);
        let context = context.build(client.clone());
        let prefix = format!("rechat-{}", settings.name);
        let (replicas, lease) = (settings.replicas, settings.lease());
        Ok(Self { client, context, prefix, replicas, lease, refusal })
    }

    /// Whether NATS can be reached at the moment.
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Why NATS cannot be used, if that is known, for people.
    pub(super) fn refusal(&self) -> Option<String> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The error of NATS that does not answer.
    pub(super) fn no_answer(&self, servers: &[String]) -> Error {
        let servers = servers.join(", ");
        match self.refusal() {
            Some(why) => Error::failed(format!("NATS at {servers} does not answer: {why}"))
                .hint(REFUSAL_ADVICE),
            None => Error::failed(format!("NATS at {servers} does not answer"))
                .hint("is it running, with JetStream (`nats-server -js`)?"),
        }
    }

    /// Bytes that a message may have beside its head.
    pub(super) fn max_bytes(&self) -> usize {
        self.client.max_payload().saturating_sub(HEAD_BYTES).max(HEAD_BYTES)
    }

    /// The subject of the log's messages.
    pub(super) fn subject(&self) -> String {
        format!("{}.log", self.prefix)
    }

    /// The stream that is the log.
    pub fn stream(&self) -> EventStream {
        let (context, name) = (self.context.clone(), self.stream_name());
        EventStream::new(context, name, self.subject(), Handle::current())
    }

    /// The ID of the cluster, as the stream has it.
    pub(super) async fn cluster(&self) -> std::result::Result<String, String> {
        let info = self.stream().info().await.map_err(|error| error.0)?;
        info.config
            .metadata
            .get(CLUSTER_ID)
            .cloned()
            .ok_or_else(|| format!("the stream {} is not the log of a cluster", self.stream_name()))
    }

    pub(super) fn stream_name(&self) -> String {
        format!("{}-log", self.prefix)
    }

    /// The bucket of values that expire: the lease, and the nodes that live.
    pub(super) fn lease_bucket(&self) -> String {
        format!("{}-leases", self.prefix)
    }

    /// The bucket of snapshots.
    pub(super) fn snapshot_bucket(&self) -> String {
        format!("{}-snapshots", self.prefix)
    }

    pub(super) async fn leases(&self) -> std::result::Result<kv::Store, String> {
        let bucket = self.context.get_key_value(self.lease_bucket()).await;
        bucket.map_err(|error| format!("the bucket {}: {error}", self.lease_bucket()))
    }

    /// The same; makes it if it does not exist.
    pub(super) async fn make_leases(&self) -> std::result::Result<kv::Store, String> {
        if let Ok(bucket) = self.leases().await {
            return Ok(bucket);
        }
        let made = self.context.create_key_value(kv::Config {
            bucket: self.lease_bucket(),
            history: 1,
            max_age: self.lease,
            num_replicas: self.replicas,
            ..kv::Config::default()
        });
        made.await.map_err(|error| format!("the bucket {}: {error}", self.lease_bucket()))
    }

    /// The bucket with the part of the log that each node has; makes it if it does not exist.
    pub(super) async fn make_stream_seqs(&self) -> std::result::Result<kv::Store, String> {
        self.make_bucket("places", PLACES_KEPT).await
    }

    /// The bucket of the nodes that were there within the last days; made where it is not there.
    pub(super) async fn make_known_nodes(&self) -> std::result::Result<kv::Store, String> {
        self.make_bucket(KNOWN_NODES, NODES_KEPT).await
    }

    /// The bucket of the nodes that were there within the last days, if there is one.
    pub(super) async fn known_nodes(&self) -> std::result::Result<Option<kv::Store>, String> {
        let name = format!("{}-{KNOWN_NODES}", self.prefix);
        let error = match self.context.get_key_value(&name).await {
            Ok(bucket) => return Ok(Some(bucket)),
            Err(error) => error,
        };
        let stream = self.context.get_stream(format!("KV_{name}")).await;
        match stream.as_ref().map_err(GetStreamError::kind) {
            Err(GetStreamErrorKind::JetStream(error))
                if error.error_code() == ErrorCode::STREAM_NOT_FOUND =>
            {
                Ok(None)
            }
            _ => Err(format!("the bucket {name}: {error}")),
        }
    }

    async fn make_bucket(
        &self,
        suffix: &str,
        max_age: Duration,
    ) -> std::result::Result<kv::Store, String> {
        let name = format!("{}-{suffix}", self.prefix);
        if let Ok(bucket) = self.context.get_key_value(&name).await {
            return Ok(bucket);
        }
        let made = self.context.create_key_value(kv::Config {
            bucket: name.clone(),
            history: 1,
            max_age,
            num_replicas: self.replicas,
            ..kv::Config::default()
        });
        made.await.map_err(|error| format!("the bucket {name}: {error}"))
    }

    pub(super) async fn snapshots(&self) -> Result<object_store::ObjectStore> {
        let bucket = self.context.get_object_store(&self.snapshot_bucket()).await;
        bucket.map_err(|error| self.no_snapshots(&error))
    }

    /// The same; makes it if it does not exist.
    pub(super) async fn make_snapshots(&self) -> Result<object_store::ObjectStore> {
        if let Ok(bucket) = self.snapshots().await {
            return Ok(bucket);
        }
        let made = self.context.create_object_store(object_store::Config {
            bucket: self.snapshot_bucket(),
            num_replicas: self.replicas,
            ..object_store::Config::default()
        });
        made.await.map_err(|error| self.no_snapshots(&error))
    }

    fn no_snapshots(&self, error: &dyn std::fmt::Display) -> Error {
        Error::failed(format!("the bucket {}: {error}", self.snapshot_bucket()))
            .hint("if the cluster was never created, run `rechat cluster init`")
    }

    /// Ends the connection after everything is sent.
    pub async fn close(&self) {
        let _ = timeout(Duration::from_millis(500), self.client.flush()).await;
        let _ = self.client.drain().await;
    }
}

/// The error of a cluster that does not exist.
pub(super) fn not_made(name: &str) -> Error {
    Error::failed(format!("there is no cluster `{name}` at NATS"))
        .hint("`rechat cluster init` makes it; `cluster.name` names it")
}

/// Keeps an error until the connection is there. Such an error comes again with each attempt, and the
/// log has the first one.
fn note_refusal(refusal: &Mutex<Option<String>>, event: &Event) {
    let told = match event {
        Event::Connected => None,
        Event::ServerError(error) => Some(error.to_string()),
        Event::ClientError(error) => Some(error.to_string()),
        _ => return,
    };
    let mut refusal = refusal.lock().unwrap_or_else(PoisonError::into_inner);
    if let (None, Some(why)) = (&*refusal, &told) {
        tracing::warn!("NATS cannot be used: {why}; {REFUSAL_ADVICE}");
    }
    *refusal = told;
}

/// The entry of a key. Any server that keeps the bucket may be asked. If that one hangs, another one is
/// asked.
pub(super) async fn entry(
    bucket: &kv::Store,
    key: &str,
) -> std::result::Result<Option<kv::Entry>, String> {
    let mut fault = String::new();
    for _ in 0..ENTRY_ATTEMPTS {
        match timeout(ENTRY_TIMEOUT, bucket.entry(key)).await {
            Ok(Ok(found)) => {
                return Ok(found.filter(|entry| entry.operation == kv::Operation::Put));
            }
            Ok(Err(error)) => fault = error.to_string(),
            Err(_) => "NATS does not answer in time".clone_into(&mut fault),
        }
    }
    Err(format!("the key {key}: {fault}"))
}
