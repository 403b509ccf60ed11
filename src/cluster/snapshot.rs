//! Snapshots: copies of a node's store in a bucket of NATS. A node that is new or too far behind starts
//! from one.

use super::connection::NatsConnection;
use super::presence;
use crate::error::{Error, Result};
use crate::log::disk::make_private;
use crate::store::{Store, StoreError};
use async_nats::jetstream::object_store::{ObjectMetadata, ObjectStore};
use futures_util::StreamExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::fs::{self, File};
use tokio::io;
use tokio::time::sleep;

/// The beginning of the names of a cluster's snapshots; the stream sequence of the log follows. Snapshots that an
/// earlier cluster of the same name left in the bucket do not count.
fn prefix(cluster: &str) -> String {
    format!("snapshot-{cluster}-")
}

/// Pause between two reports of the stream sequence of a snapshot that is being fetched.
const REPORT_INTERVAL: Duration = Duration::from_mins(1);

/// Bytes of a snapshot in one message.
const CHUNK_BYTES: usize = 512 << 10;

/// A snapshot in the bucket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StoreSnapshot {
    /// The last stream sequence of the log in it.
    pub(super) stream_seq: u64,
    pub(super) name: String,
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
        let stream_seq =
            object.name.strip_prefix(&prefix).and_then(|stream_seq| stream_seq.parse().ok());
        found.extend(stream_seq.map(|stream_seq| StoreSnapshot {
            stream_seq,
            name: object.name,
            bytes: object.size,
        }));
    }
    found.sort();
    Ok(found)
}

/// Sends a file as the snapshot of a stream sequence.
pub(super) async fn send(
    connection: &NatsConnection,
    bucket: &ObjectStore,
    cluster: &str,
    file: &Path,
    stream_seq: u64,
) -> Result<()> {
    let failed = |error: &dyn std::fmt::Display| {
        Error::failed(format!("the snapshot {}: {error}", file.display()))
    };
    let mut bytes = File::open(file).await.map_err(|error| failed(&error))?;
    let chunk_size = Some(CHUNK_BYTES.min(connection.max_bytes()));
    let name = format!("{}{stream_seq}", prefix(cluster));
    let about = ObjectMetadata { name, chunk_size, ..ObjectMetadata::default() };
    bucket.put(about, &mut bytes).await.map(drop).map_err(|error| failed(&error))
}

/// Writes the newest snapshot to a new file; returns the last stream sequence in it. Meanwhile the log keeps
/// what comes after it, for this node.
pub(super) async fn fetch(connection: &NatsConnection, node: &str, to: &Path) -> Result<u64> {
    let cluster = connection.cluster().await.map_err(|error| {
        Error::failed(error).hint("if the cluster was never created, run `rechat cluster init`")
    })?;
    let bucket = connection.snapshots().await?;
    let Some(newest) = all(&bucket, &cluster).await?.pop() else {
        return Err(Error::failed("the cluster has no snapshot").hint(
            "if it was never created, run `rechat cluster init`; `rechat cluster status` shows its state",
        ));
    };
    tokio::select! {
        fetched = download(&bucket, &newest, to) => fetched?,
        () = report_stream_seq(connection, node, newest.stream_seq) => {}
    }
    Ok(newest.stream_seq)
}

/// Reports at regular times that a node will soon have the log up to a stream sequence; never ends.
async fn report_stream_seq(connection: &NatsConnection, node: &str, stream_seq: u64) {
    loop {
        let reporting = async {
            let stream_seqs = connection.make_stream_seqs().await?;
            presence::report_stream_seq(&stream_seqs, node, stream_seq).await
        };
        if let Err(error) = reporting.await {
            tracing::debug!(
                "cannot report the progress of this node, so the log may not be kept for it: {error}"
            );
        }
        sleep(REPORT_INTERVAL).await;
    }
}

async fn download(bucket: &ObjectStore, newest: &StoreSnapshot, to: &Path) -> Result<()> {
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
    fs::rename(&part, to).await.map_err(|error| failed(&error))
}

/// Writes a copy of the store as it is now; returns the last stream sequence in it.
pub(super) async fn copy(store: Arc<Store>, to: PathBuf) -> std::result::Result<u64, String> {
    let copied = tokio::task::spawn_blocking(move || {
        let _ = std::fs::remove_file(&to);
        let view = store.view()?;
        view.copy_for_a_node(&to)?;
        Ok::<_, StoreError>(view.membership().map_or(0, |membership| membership.stream_seq))
    });
    let copied = copied.await.map_err(|error| error.to_string())?;
    copied.map_err(|error| error.to_string())
}
