//! Connections that a node passes on to the leader, as streams of bytes over NATS: adapters and
//! bots can connect to any node, although they belong to the leader.

use super::connection::NatsConnection;
use super::requests::{Answerer, LeaderRequests, NotAnswered};
use super::state::ClusterState;
use super::tunnel_stream::TunnelStream;
use async_nats::Client;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc;

/// Bytes of the buffer between a stream and its reader or writer.
const BUFFER_BYTES: usize = 64 << 10;

/// How long the leader may take to begin a connection.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that another node accepted, at the leader.
#[derive(Debug)]
pub struct PassedConnection {
    /// Its bytes, in both directions.
    pub stream: DuplexStream,
    /// The address of the client; `None` if it came over the Unix socket of its node.
    pub from: Option<IpAddr>,
}

/// The request for a connection.
#[derive(Debug, Serialize, Deserialize)]
struct TunnelRequest {
    from: Option<IpAddr>,
    /// The subject of frames for the requesting node.
    subject: String,
}

/// Passes connections on to the leader.
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

    /// Opens a connection to the leader, for a client at an address. It ends if either side ends it, or
    /// when another node becomes the leader.
    ///
    /// # Errors
    ///
    /// No node leads, or the leader accepts no connection.
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
        let has_same_leader = move || {
            let now = state.leader();
            leader = leader.take().or_else(|| now.clone());
            now.is_none() || now == leader
        };
        tokio::spawn(TunnelStream::new(self.client.clone(), to, frames).run(far, has_same_leader));
        Ok(near)
    }

    /// The answer if too many connections begin at one time.
    pub fn too_many() -> Bytes {
        let refused = Err::<String, _>("the leader has too many new connections");
        serde_json::to_vec(&refused).unwrap_or_default().into()
    }

    /// Accepts connections of other nodes, as the leader.
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

/// Begins a connection that another node requests; returns the subject of frames for this node.
async fn begin(
    client: Client,
    opening: &[u8],
    taken: &mpsc::Sender<PassedConnection>,
) -> Result<String, String> {
    let TunnelRequest { from, subject } = serde_json::from_slice(opening)
        .map_err(|error| format!("the nodes have different versions: {error}"))?;
    let own = client.new_inbox();
    let frames = client.subscribe(own.clone()).await.map_err(|error| error.to_string())?;
    let (near, far) = duplex(BUFFER_BYTES);
    taken
        .try_send(PassedConnection { stream: near, from })
        .map_err(|_| "the leader has too many new connections".to_owned())?;
    tokio::spawn(TunnelStream::new(client, subject, frames).run(far, || true));
    Ok(own)
}
