//! Creation of a cluster: its stream, its buckets, and the first snapshot.

use super::connection::{CLUSTER_ID, NatsConnection};
use super::snapshot;
use crate::config::ClusterSettings;
use crate::error::{Error, Result};
use crate::store::{self, Access, Membership, Store, StoreOptions};
use async_nats::jetstream::stream;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::timeout;
use uuid::Uuid;

/// How long NATS may take to answer at all.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A file that is removed in the end.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Creates a cluster whose nodes start with a copy of a store, or with an empty store. The copy is written
/// next to `beside` before it is sent. Returns the cluster's ID.
///
/// # Errors
///
/// NATS cannot be reached or refuses, the cluster is there already, or the store cannot be copied.
pub async fn init(
    settings: &ClusterSettings,
    from: Option<&StoreOptions>,
    beside: &Path,
) -> Result<String> {
    let connection = NatsConnection::open(settings).await?;
    let failed = |error: &dyn std::fmt::Display| Error::failed(format!("NATS: {error}"));
    let account = timeout(ANSWER_TIMEOUT, connection.context.query_account()).await;
    account.map_err(|_| connection.no_answer(&settings.nats))?.map_err(|error| {
        if connection.is_connected() {
            failed(&error).hint("JetStream must be on: `nats-server -js`")
        } else {
            connection.no_answer(&settings.nats)
        }
    })?;
    if connection.stream().exists().await.map_err(|error| Error::failed(error.0))? {
        return Err(Error::failed(format!("the cluster `{}` is there already", settings.name))
            .hint("start its nodes with `rechat serve`, or choose another `cluster.name`"));
    }
    let cluster = Uuid::new_v4().to_string();
    let copy = Scratch(beside.with_added_extension("init"));
    copy_store(from, &copy.0, &cluster).await?;
    let bucket = connection.make_snapshots().await?;
    snapshot::send(&connection, &bucket, &cluster, &copy.0, 0).await?;
    connection.make_leases().await.map_err(Error::failed)?;
    connection.make_stream_seqs().await.map_err(Error::failed)?;
    // The stream is made last, because its presence means that the cluster is complete.
    let log = connection.context.create_stream(stream::Config {
        name: connection.stream_name(),
        subjects: vec![connection.subject()],
        num_replicas: connection.replicas,
        storage: stream::StorageType::File,
        discard: stream::DiscardPolicy::New,
        // 0 means no bound.
        max_bytes: i64::try_from(settings.log_bytes).unwrap_or(i64::MAX),
        // A message that somebody deletes would be a gap for every node.
        deny_delete: true,
        metadata: HashMap::from([(CLUSTER_ID.to_owned(), cluster.clone())]),
        ..stream::Config::default()
    });
    log.await.map_err(|error| failed(&error))?;
    connection.close().await;
    Ok(cluster)
}

/// Writes a copy of a store, or an empty store, that belongs to a cluster at the beginning of its log.
async fn copy_store(from: Option<&StoreOptions>, to: &Path, cluster: &str) -> Result<()> {
    let (from, to, cluster) = (from.cloned(), to.to_owned(), cluster.to_owned());
    let copied = tokio::task::spawn_blocking(move || {
        let _ = std::fs::remove_file(&to);
        if let Some(from) = from {
            let store = Store::open(&StoreOptions { access: Access::Read, ..from }, Box::new(()))?;
            store.view()?.copy_for_a_node(&to)?;
            store.close();
        }
        let options = StoreOptions::new(&to, Access::Write);
        store::join(&options, &Membership { cluster, stream_seq: 0 })
    });
    let copied = copied.await.map_err(|error| Error::failed(error.to_string()))?;
    Ok(copied?)
}
