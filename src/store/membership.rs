//! The cluster that a store belongs to, as its tables have it. The store of a node applies only the log of
//! its cluster.

use super::error::{Result, StoreError};
use super::tables::META;
use redb::{ReadableTable, WriteTransaction};
use std::path::Path;

/// The row of `meta` with the ID of the cluster.
const CLUSTER: &str = "cluster";

/// The row of `meta` with the stream sequence that the tables have.
const STREAM_SEQ: &str = "place";

/// The cluster that a store belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The ID of the cluster.
    pub cluster: String,
    /// The stream sequence up to which the tables have the cluster's log.
    pub stream_seq: u64,
}

pub(super) fn membership(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
) -> Option<Membership> {
    let cluster = meta.get(CLUSTER).ok()??;
    let cluster = String::from_utf8_lossy(cluster.value()).into_owned();
    let stream_seq = meta.get(STREAM_SEQ).ok().flatten();
    let stream_seq = stream_seq
        .and_then(|stream_seq| stream_seq.value().try_into().ok())
        .map_or(0, u64::from_le_bytes);
    Some(Membership { cluster, stream_seq })
}

/// Writes the stream sequence that the tables have with this transaction.
pub(super) fn put_stream_seq(txn: &WriteTransaction, stream_seq: u64) -> Result<()> {
    txn.open_table(META)?.insert(STREAM_SEQ, stream_seq.to_le_bytes().as_slice())?;
    Ok(())
}

pub(super) fn put(txn: &WriteTransaction, membership: &Membership) -> Result<()> {
    txn.open_table(META)?.insert(CLUSTER, membership.cluster.as_bytes())?;
    put_stream_seq(txn, membership.stream_seq)
}

pub(super) fn remove(txn: &WriteTransaction) -> Result<()> {
    let mut meta = txn.open_table(META)?;
    meta.remove(CLUSTER)?;
    meta.remove(STREAM_SEQ)?;
    Ok(())
}

pub(super) fn not_of_a_cluster(path: &Path) -> StoreError {
    StoreError::Open(format!(
        "{} is the store of no cluster, and `[cluster]` is configured\n  \
         move it away: this node then takes a copy of the cluster; to put it into a new cluster: \
         rechat cluster init --from",
        path.display()
    ))
}

pub(super) fn written_by_its_cluster(path: &Path, cluster: &str) -> StoreError {
    StoreError::Open(format!(
        "{} is the store of a node of the cluster {cluster}, which alone writes it\n  \
         start its server with the `[cluster]` of its configuration; to make it a store of its own: \
         rechat cluster leave",
        path.display()
    ))
}
