//! Snapshots: copies of a node's store in a bucket of NATS, from which a node starts that is new or
//! too far behind. What the snapshots have is removed from the log.

use super::connection::NatsConnection;
use super::presence;
use crate::error::{Error, Result};
use crate::log::disk::make_private;
use crate::log::jetstream::EventStream;
use crate::store::{Store, StoreError};
use async_nats::jetstream::object_store::{ObjectMetadata, ObjectStore};
use futures_util::StreamExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::fs::{self, File};
use tokio::io;

/// Begins the names of a cluster's snapshots; the place of the log follows. What an earlier cluster of the
/// same name left in the bucket is none of this one's.
fn prefix(cluster: &str) -> String {
    format!("snapshot-{cluster}-")
}

/// Snapshots that are kept.
const KEPT: usize = 2;

/// Lengths between two snapshots by which a node may be behind before the log does not wait for it.
const MOST_BEHIND: u64 = 8;

/// Pause between two looks at whether a snapshot is to be made.
pub(super) const PAUSE: Duration = Duration::from_secs(5);

/// Bytes of a snapshot in one message.
const CHUNK_BYTES: usize = 512 << 10;

/// A snapshot in the bucket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StoreSnapshot {
    /// The place of the log up to which it goes.
    pub(super) place: u64,
    name: String,
    /// Its size in bytes.
    pub(super) bytes: usize,
}

/// The snapshots of a cluster, the oldest first.
pub(super) async fn all(bucket: &ObjectStore, cluster: &str) -> Result<Vec<StoreSnapshot>> {
    let failed = |error: &dyn std::fmt::Display| Error::failed(format!("snapshots: {error}"));
    let mut list = bucket.list().await.map_err(|error| failed(&error))?;
    let (mut found, prefix) = (Vec::new(), prefix(cluster));
    while let Some(object) = list.next().await {
        let object = object.map_err(|error| failed(&error))?;
        if object.deleted {
            continue;
        }
        let place = object.name.strip_prefix(&prefix).and_then(|place| place.parse().ok());
        found.extend(place.map(|place| StoreSnapshot {
            place,
            name: object.name,
            bytes: object.size,
        }));
    }
    found.sort();
    Ok(found)
}

/// Sends a file as the snapshot of a place.
pub(super) async fn send(
    connection: &NatsConnection,
    bucket: &ObjectStore,
    cluster: &str,
    file: &Path,
    place: u64,
) -> Result<()> {
    let failed = |error: &dyn std::fmt::Display| {
        Error::failed(format!("the snapshot {}: {error}", file.display()))
    };
    let mut bytes = File::open(file).await.map_err(|error| failed(&error))?;
    let chunk_size = Some(CHUNK_BYTES.min(connection.max_bytes()));
    let name = format!("{}{place}", prefix(cluster));
    let about = ObjectMetadata { name, chunk_size, ..ObjectMetadata::default() };
    bucket.put(about, &mut bytes).await.map(drop).map_err(|error| failed(&error))
}

/// Writes the newest snapshot to a file that is not there; gives the place up to which it goes.
pub(super) async fn fetch(connection: &NatsConnection, to: &Path) -> Result<u64> {
    let cluster = connection.cluster().await.map_err(|error| {
        Error::failed(error).hint("was the cluster made? `rechat cluster init` makes it")
    })?;
    let bucket = connection.snapshots().await?;
    let Some(newest) = all(&bucket, &cluster).await?.pop() else {
        return Err(Error::failed("the cluster has no snapshot").hint(
            "was it made? `rechat cluster init` makes it, and `rechat cluster status` tells",
        ));
    };
    let failed = |error: &dyn std::fmt::Display| {
        Error::failed(format!("the {} cannot be fetched to {}: {error}", newest.name, to.display()))
    };
    let part = to.with_added_extension("part");
    let _ = fs::remove_file(&part).await;
    make_private(&part).map_err(|error| failed(&error))?;
    let mut object = bucket.get(&newest.name).await.map_err(|error| failed(&error))?;
    let mut file = File::options().write(true).open(&part).await.map_err(|error| failed(&error))?;
    let copied = io::copy(&mut object, &mut file).await.map_err(|error| failed(&error))?;
    if copied != newest.bytes as u64 {
        return Err(failed(&format!("{copied} of {} bytes came", newest.bytes)));
    }
    file.sync_all().await.map_err(|error| failed(&error))?;
    fs::rename(&part, to).await.map_err(|error| failed(&error))?;
    Ok(newest.place)
}

/// Makes a snapshot where enough has been appended since the last one, and removes what is older than
/// the ones that are kept from the bucket and the log. What a node that lives does not have yet stays,
/// unless it is too far behind.
pub(super) async fn keep(
    connection: &NatsConnection,
    stream: &EventStream,
    store: &Arc<Store>,
    db: &Path,
    every: u64,
) -> std::result::Result<(), String> {
    let text = |error: Error| error.to_string();
    let bucket = connection.make_snapshots().await.map_err(text)?;
    let cluster = connection.cluster().await?;
    let mut snapshots = all(&bucket, &cluster).await.map_err(text)?;
    // Without any, no new node can start.
    if snapshots.last().is_some_and(|newest| *store.places().borrow() < newest.place + every) {
        return Ok(());
    }
    let file = db.with_added_extension("snapshot");
    let place = copy(store.clone(), file.clone()).await?;
    let sent = send(connection, &bucket, &cluster, &file, place).await;
    let _ = fs::remove_file(&file).await;
    sent.map_err(text)?;
    tracing::info!(place, "a snapshot was made");
    snapshots = all(&bucket, &cluster).await.map_err(text)?;
    while snapshots.len() > KEPT {
        let oldest = snapshots.remove(0);
        bucket.delete(&oldest.name).await.map_err(|error| error.to_string())?;
    }
    let leases = connection.leases().await?;
    let nodes = presence::all(&leases).await?;
    // One that does not go on may not fill NATS's disk; it takes a snapshot once it does.
    let bound = place.saturating_sub(every.saturating_mul(MOST_BEHIND));
    let places = nodes.iter().map(|node| node.place).filter(|place| *place >= bound);
    let needed = places.chain(snapshots.first().map(|oldest| oldest.place)).min();
    match needed {
        Some(place) => stream.remove_through(place).await.map_err(|error| error.0),
        None => Ok(()),
    }
}

/// Writes a copy of the store as it is now; gives the place up to which it goes.
async fn copy(store: Arc<Store>, to: PathBuf) -> std::result::Result<u64, String> {
    let copied = tokio::task::spawn_blocking(move || {
        let _ = std::fs::remove_file(&to);
        let view = store.view()?;
        view.copy_for_a_node(&to)?;
        Ok::<_, StoreError>(view.membership().map_or(0, |membership| membership.place))
    });
    let copied = copied.await.map_err(|error| error.to_string())?;
    copied.map_err(|error| error.to_string())
}
