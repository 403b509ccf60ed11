//! The start of a node: its store is there, or comes from a snapshot.

use super::connection::{CLUSTER_ID, NatsConnection, not_made};
use super::lease::Holder;
use super::running::ClusterNode;
use super::snapshot;
use crate::clock::now;
use crate::config::ClusterSettings;
use crate::error::{Error, Result};
use crate::log::file::path_beside;
use crate::log::jetstream::{JetStreamLog, LeaseEnd};
use crate::store::{Access, Membership, SharedLogFactory, Store, StoreOptions};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How long a node without a store waits for NATS.
const FIRST_TIMEOUT: Duration = Duration::from_mins(1);

/// How long a node without a store waits for a snapshot, once NATS answers.
const SNAPSHOT_TIMEOUT: Duration = Duration::from_secs(15);

/// An attempt of this length has read a part of the snapshot, so another attempt may succeed.
const LONG_FETCH: Duration = Duration::from_secs(5);

/// How long a node with a store waits to learn whether it is too far behind; it serves reads anyway.
const LOOK_TIMEOUT: Duration = Duration::from_secs(5);

/// A node whose store can be opened.
pub struct StartedNode {
    /// The node, which does not follow the log yet.
    pub node: ClusterNode,
    /// The log to open the store with.
    pub log: SharedLogFactory,
}

/// Connects a node, and ensures that it has a store that can follow the log.
///
/// # Errors
///
/// NATS cannot be used, the cluster was never created, or the disk refuses.
pub async fn start(settings: &ClusterSettings, options: &StoreOptions) -> Result<StartedNode> {
    let connection = NatsConnection::open(settings).await?;
    let path = &options.path;
    if path.exists() {
        // Without NATS, this store still serves reads.
        let behind = timeout(LOOK_TIMEOUT, is_too_far_behind(&connection, options)).await;
        if let Ok(Ok(true)) = behind {
            move_away(path)?;
        }
    }
    if !path.exists() {
        fetch_first(&connection, settings, path).await?;
    }
    let lease = Arc::new(LeaseEnd::default());
    let (stream, end) = (connection.stream(), lease.clone());
    let log = SharedLogFactory(Arc::new(move || {
        Box::new(JetStreamLog::new(stream.clone(), end.clone()))
    }));
    let instance = uuid::Uuid::new_v4().to_string();
    let node = ClusterNode {
        connection,
        lease,
        state: Arc::default(),
        holder: Holder { node: settings.node.clone(), instance, lasts_ms: 0 },
        snapshot_every: settings.snapshot_every,
    };
    Ok(StartedNode { node, log })
}

/// The file to which a node fetches the snapshot that replaces its store.
pub(super) fn fetched_beside(path: &Path) -> PathBuf {
    path.with_added_extension("fetched")
}

/// Replaces the store, which is closed, by the snapshot that a node fetched while it ran.
///
/// # Errors
///
/// The disk refuses.
pub fn take_fetched(path: &Path) -> Result<()> {
    move_away(path)?;
    std::fs::rename(fetched_beside(path), path).map_err(|error| {
        Error::failed(format!("the snapshot cannot become {}: {error}", path.display()))
    })
}

/// Moves away a store that cannot continue from the log any more.
fn move_away(path: &Path) -> Result<()> {
    let aside = path.with_added_extension(format!("behind.{}", now()));
    std::fs::rename(path, &aside).map_err(|error| {
        Error::failed(format!("{} cannot be moved away: {error}", path.display()))
    })?;
    let _ = std::fs::remove_file(path_beside(path));
    let aside = aside.display();
    tracing::warn!(
        "this store cannot continue from the log and was moved to {aside}; this node takes a snapshot"
    );
    Ok(())
}

/// Fetches the newest snapshot, once NATS can be reached.
async fn fetch_first(
    connection: &NatsConnection,
    settings: &ClusterSettings,
    path: &Path,
) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| {
            Error::failed(format!("{} cannot be made: {error}", folder.display()))
        })?;
    }
    let (mut began, mut is_told) = (Instant::now(), false);
    loop {
        let tried = Instant::now();
        match snapshot::fetch(connection, &settings.node, path).await {
            Ok(stream_seq) => {
                tracing::info!(stream_seq, "this node starts from a snapshot");
                return Ok(());
            }
            Err(error) => {
                if tried.elapsed() > LONG_FETCH {
                    began = Instant::now();
                }
                // NATS servers that have just started have to elect their own leader first.
                let patience =
                    if connection.is_connected() { SNAPSHOT_TIMEOUT } else { FIRST_TIMEOUT };
                let error = cause(connection, settings, error).await;
                if began.elapsed() >= patience {
                    return Err(error);
                }
                if !std::mem::replace(&mut is_told, true) {
                    tracing::warn!("this node has no store yet and waits for a snapshot: {error}");
                }
                sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

/// Why no snapshot can be fetched: of NATS or of the cluster, if the cause is there.
async fn cause(connection: &NatsConnection, settings: &ClusterSettings, fault: Error) -> Error {
    if !connection.is_connected() {
        return connection.no_answer(&settings.nats);
    }
    match connection.stream().exists().await {
        Ok(false) => not_made(&settings.name),
        _ => fault,
    }
}

/// Whether the stream no longer has what comes next here.
async fn is_too_far_behind(connection: &NatsConnection, options: &StoreOptions) -> Result<bool> {
    let reading = StoreOptions { access: Access::Read, ..options.clone() };
    let store = Store::open(&reading, Box::new(()))?;
    let membership = store.view()?.membership();
    store.close();
    let Some(Membership { stream_seq, cluster }) = membership else { return Ok(false) };
    let info = connection.stream().info().await.map_err(|error| Error::failed(error.0))?;
    // The store of another cluster stays where it is; the node reports it.
    let is_its = info.config.metadata.get(CLUSTER_ID) == Some(&cluster);
    Ok(is_its && stream_seq + 1 < info.state.first_sequence)
}
