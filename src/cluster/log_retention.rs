//! Retention of the log. The leader makes snapshots. It removes from the log what the older of the two newest
//! snapshots has, unless a node that is not too far behind lacks it.

use super::connection::NatsConnection;
use super::{presence, snapshot};
use crate::error::Error;
use crate::log::jetstream::EventStream;
use crate::store::Store;
use async_nats::jetstream::object_store::ObjectStore;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::fs;

/// Snapshots that are kept, and one more while a node fetches it.
const MAX_SNAPSHOTS: usize = 2;

/// Bytes of the log after which a snapshot is made, however few messages they are.
const SNAPSHOT_BYTES: u64 = 1 << 30;

/// Snapshots for which a bounded log must have space.
const SNAPSHOTS_OF_ROOM: u64 = 16;

/// The log does not wait for a node that is behind by more than this number of snapshot intervals.
const MOST_BEHIND: u64 = 8;

/// Pause between two checks whether a snapshot is due.
pub(super) const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// The properties of the log in NATS that decide how much of it is kept.
#[derive(Clone, Copy, Debug)]
struct LogSize {
    messages: u64,
    bytes: u64,
    /// The most bytes that it may have, if it is bounded.
    max_bytes: Option<u64>,
    /// Messages after which a snapshot is made.
    snapshot_every: u64,
}

impl LogSize {
    /// Whether a part of the log with so many messages is as long as `lengths` snapshots are apart.
    fn is_long(&self, messages: u64, lengths: u64) -> bool {
        let bounded = self.max_bytes.map_or(u64::MAX, |most| most / SNAPSHOTS_OF_ROOM);
        let snapshot_bytes = SNAPSHOT_BYTES.min(bounded);
        let bytes = messages.saturating_mul(self.bytes / self.messages.max(1));
        messages >= self.snapshot_every.saturating_mul(lengths)
            || bytes >= snapshot_bytes.saturating_mul(lengths)
    }

    /// Whether a bounded log is nearly full.
    fn is_nearly_full(&self) -> bool {
        self.max_bytes.is_some_and(|most| self.bytes >= most / 8 * 7)
    }

    /// The stream sequence up to which nobody needs the log: the older snapshot has this part, and so have all
    /// nodes (`stream_seqs`) that are not too far behind. If the log is nearly full, the sequence of the newest
    /// snapshot.
    fn removable(&self, newest: u64, older: u64, stream_seqs: &[u64]) -> u64 {
        if self.is_nearly_full() {
            return newest;
        }
        let waited_for =
            |stream_seq: &u64| !self.is_long(newest.saturating_sub(*stream_seq), MOST_BEHIND);
        stream_seqs.iter().copied().filter(waited_for).fold(older, u64::min)
    }
}

/// Makes a snapshot if enough was appended since the last one. Removes older snapshots, and the part of the log
/// that is not needed any more.
pub(super) async fn keep(
    connection: &NatsConnection,
    stream: &EventStream,
    store: &Arc<Store>,
    db: &Path,
    snapshot_every: u64,
) -> Result<(), String> {
    let text = |error: Error| error.to_string();
    let bucket = connection.make_snapshots().await.map_err(text)?;
    let info = stream.info().await.map_err(|error| error.0)?;
    let log = LogSize {
        messages: info.state.messages,
        bytes: info.state.bytes,
        max_bytes: u64::try_from(info.config.max_bytes).ok().filter(|most| *most > 0),
        snapshot_every,
    };
    let cluster = connection.cluster().await?;
    let mut snapshots = snapshot::all(&bucket, &cluster).await.map_err(text)?;
    let stream_seq = *store.stream_seqs().borrow();
    // Without any, no new node can start.
    let is_recent = |newest: &snapshot::StoreSnapshot| {
        !log.is_long(stream_seq.saturating_sub(newest.stream_seq), 1)
    };
    if snapshots.last().is_some_and(is_recent) && !log.is_nearly_full() {
        return Ok(());
    }
    let stream_seq = make_snapshot(connection, &bucket, &cluster, store, db).await?;
    let stream_seqs = presence::stream_seqs(&connection.make_stream_seqs().await?).await?;
    snapshots = snapshot::all(&bucket, &cluster).await.map_err(text)?;
    while snapshots.len() > MAX_SNAPSHOTS {
        if snapshots.len() == MAX_SNAPSHOTS + 1 && stream_seqs.contains(&snapshots[0].stream_seq) {
            break;
        }
        let oldest = snapshots.remove(0);
        bucket.delete(&oldest.name).await.map_err(|error| error.to_string())?;
    }
    let older = &snapshots[snapshots.len().saturating_sub(MAX_SNAPSHOTS)];
    let removable = log.removable(stream_seq, older.stream_seq, &stream_seqs);
    stream.remove_through(removable).await.map_err(|error| error.0)
}

/// Makes space in a full log, at a node that has all of it: removes what the newest snapshot has,
/// or makes a snapshot and removes everything. Nodes that lack some of it take the snapshot.
pub(super) async fn make_room(
    connection: &NatsConnection,
    stream: &EventStream,
    store: &Arc<Store>,
    db: &Path,
) -> Result<(), String> {
    let text = |error: Error| error.to_string();
    let bucket = connection.make_snapshots().await.map_err(text)?;
    let cluster = connection.cluster().await?;
    let first = stream.info().await.map_err(|error| error.0)?.state.first_sequence;
    let snapshots = snapshot::all(&bucket, &cluster).await.map_err(text)?;
    let removable = match snapshots.last() {
        Some(newest) if newest.stream_seq >= first => newest.stream_seq,
        _ => make_snapshot(connection, &bucket, &cluster, store, db).await?,
    };
    tracing::warn!(removable, "the log in NATS was full; what the newest snapshot has is removed");
    stream.remove_through(removable).await.map_err(|error| error.0)
}

/// Makes a snapshot; returns the last stream sequence in it.
async fn make_snapshot(
    connection: &NatsConnection,
    bucket: &ObjectStore,
    cluster: &str,
    store: &Arc<Store>,
    db: &Path,
) -> Result<u64, String> {
    let file = db.with_added_extension("snapshot");
    let stream_seq = snapshot::copy(store.clone(), file.clone()).await?;
    let sent = snapshot::send(connection, bucket, cluster, &file, stream_seq).await;
    let _ = fs::remove_file(&file).await;
    sent.map_err(|error| error.to_string())?;
    tracing::info!(stream_seq, "a snapshot was made");
    Ok(stream_seq)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: LogSize =
        LogSize { messages: 1000, bytes: 1_000_000, max_bytes: None, snapshot_every: 100 };

    #[test]
    fn a_snapshot_is_due_after_messages_or_bytes() {
        assert!(!LOG.is_long(99, 1) && LOG.is_long(100, 1));
        let large = LogSize { bytes: 1000 << 26, ..LOG };
        assert!(!large.is_long(15, 1) && large.is_long(16, 1), "of 64 MiB each");
        let bounded = LogSize { messages: 100, bytes: 100_000, max_bytes: Some(160_000), ..LOG };
        assert!(!bounded.is_long(9, 1) && bounded.is_long(10, 1), "of 1 kB each");
        assert!(!LogSize { messages: 0, bytes: 0, ..LOG }.is_long(0, 1));
    }

    #[test]
    fn the_log_waits_for_nodes_but_not_for_one_that_is_far_behind() {
        assert_eq!(LOG.removable(1000, 900, &[]), 900);
        assert_eq!(LOG.removable(1000, 900, &[1000, 950]), 900);
        assert_eq!(LOG.removable(1000, 900, &[1000, 201]), 201);
        assert_eq!(LOG.removable(1000, 900, &[1000, 200, 700]), 700, "one is stuck");
        let bounded = LogSize { messages: 100, bytes: 100_000, max_bytes: Some(160_000), ..LOG };
        assert_eq!(bounded.removable(1000, 990, &[921]), 921);
        assert_eq!(bounded.removable(1000, 990, &[920]), 990, "half of the room");
        let full = LogSize { bytes: 140_000, ..bounded };
        assert_eq!(full.removable(1000, 900, &[950]), 1000);
    }
}
