//! The state of a cluster, read from NATS; no node has to run.

use super::connection::{CLUSTER_ID, NatsConnection, not_made};
use super::presence::{MissingNode, Presence};
use super::{lease, presence, snapshot};
use crate::config::ClusterSettings;
use crate::error::{Error, Result};
use serde::Serialize;
use std::time::Duration;
use tokio::time::timeout;

/// How long NATS may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The state of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClusterStatus {
    /// Its name in the configuration.
    pub name: String,
    /// Its ID.
    pub cluster: String,
    /// The leader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leader: Option<String>,
    /// The revision of the leader's lease.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term: Option<u64>,
    /// The first message of the log.
    pub first: u64,
    /// The last message of the log.
    pub last: u64,
    /// The size of the log in bytes.
    pub bytes: u64,
    /// The number of NATS servers that keep the log.
    pub replicas: usize,
    /// The number of those that are up to date.
    pub replicas_current: usize,
    /// The stream sequence of the newest snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<u64>,
    /// The size of the newest snapshot in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_bytes: Option<usize>,
    /// The nodes that live.
    pub nodes: Vec<NodeStatus>,
    /// The nodes that were there within the last seven days and do not answer now; `None` if that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<Vec<MissingNode>>,
    /// Why it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_error: Option<String>,
}

/// The state of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeStatus {
    /// Its last report.
    #[serde(flatten)]
    pub presence: Presence,
    /// Messages of the log that it has not applied.
    pub lag: u64,
}

/// The state of the cluster that is configured.
///
/// # Errors
///
/// NATS does not answer, or the cluster was never created.
pub async fn status(settings: &ClusterSettings) -> Result<ClusterStatus> {
    let connection = NatsConnection::open(settings).await?;
    let found = timeout(ANSWER_TIMEOUT, read(&connection, settings)).await;
    connection.close().await;
    found.map_err(|_| connection.no_answer(&settings.nats))?
}

/// The error of a cluster whose state cannot be read, although NATS is connected.
fn no_state(error: &str) -> Error {
    Error::failed(format!("NATS does not tell the state of the cluster: {error}"))
        .hint("more than half of the NATS servers that keep its log have to run")
}

async fn read(connection: &NatsConnection, settings: &ClusterSettings) -> Result<ClusterStatus> {
    let info = loop {
        match connection.stream().info().await {
            Ok(info) => break info,
            Err(_) if !connection.is_connected() => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => {
                let is_made = connection.stream().exists().await.unwrap_or(true);
                return Err(if is_made { no_state(&error.0) } else { not_made(&settings.name) });
            }
        }
    };
    let no_state = |error: String| no_state(&error);
    let cluster = info.config.metadata.get(CLUSTER_ID).cloned().unwrap_or_default();
    let bucket = connection.leases().await.map_err(no_state)?;
    let leader = lease::holder(&bucket).await.map_err(no_state)?;
    let nodes = presence::all(&bucket).await.map_err(no_state)?;
    let missing = missing(connection, &nodes).await;
    let snapshot = snapshot::all(&connection.snapshots().await?, &cluster).await?.pop();
    let last = info.state.last_sequence;
    let others = info.cluster.iter().flat_map(|cluster| &cluster.replicas);
    let current = 1 + others.filter(|replica| replica.current && !replica.offline).count();
    let state =
        |presence: Presence| NodeStatus { lag: last.saturating_sub(presence.stream_seq), presence };
    Ok(ClusterStatus {
        name: settings.name.clone(),
        cluster,
        term: leader.as_ref().map(|(_, revision)| *revision),
        leader: leader.map(|(holder, _)| holder.node),
        first: info.state.first_sequence,
        last,
        bytes: info.state.bytes,
        replicas: info.config.num_replicas,
        replicas_current: current,
        snapshot: snapshot.as_ref().map(|newest| newest.stream_seq),
        snapshot_bytes: snapshot.map(|newest| newest.bytes),
        nodes: nodes.into_iter().map(state).collect(),
        missing_error: missing.as_ref().err().cloned(),
        missing: missing.ok(),
    })
}

/// The nodes that do not answer; the error says why they are not known.
async fn missing(
    connection: &NatsConnection,
    live: &[Presence],
) -> std::result::Result<Vec<MissingNode>, String> {
    let found = match connection.known_nodes().await {
        Ok(Some(known)) => presence::missing(&known, live).await,
        Ok(None) => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    found.map_err(|error| format!("the list of nodes could not be read: {error}"))
}
