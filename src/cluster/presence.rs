//! The nodes that live: each reports its state at regular times, in a bucket whose values expire.

use super::connection::entry;
use async_nats::jetstream::kv;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};

/// The beginning of the keys of nodes.
const NODES: &str = "nodes.";

/// The state of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// The name of the node.
    pub node: String,
    /// One start of its process.
    pub instance: String,
    /// The version of rechat that it runs.
    pub version: String,
    /// Where it serves.
    pub listen: String,
    /// The stream sequence of the log that its readers see.
    pub stream_seq: u64,
    /// The newest event that its readers see.
    pub offset: u64,
}

/// Reports the state of this node; returns the last report under its name.
pub(super) async fn report(
    bucket: &kv::Store,
    presence: &Presence,
) -> Result<Option<Presence>, String> {
    let key = format!("{NODES}{}", presence.node);
    let value = serde_json::to_vec(presence).map_err(|error| error.to_string())?;
    let before = read(bucket, &key).await?;
    bucket.put(key, value.into()).await.map_err(|error| error.to_string())?;
    Ok(before)
}

async fn read(bucket: &kv::Store, key: &str) -> Result<Option<Presence>, String> {
    let entry = entry(bucket, key).await?;
    Ok(entry.and_then(|entry| serde_json::from_slice(&entry.value).ok()))
}

/// The nodes that live, by name.
pub(super) async fn all(bucket: &kv::Store) -> Result<Vec<Presence>, String> {
    let mut keys = bucket.keys().await.map_err(|error| error.to_string())?;
    let mut found: Vec<Presence> = Vec::new();
    while let Some(key) = keys.next().await {
        let key = key.map_err(|error| error.to_string())?;
        if !key.starts_with(NODES) {
            continue;
        }
        found.extend(read(bucket, &key).await?);
    }
    found.sort_by(|one: &Presence, other| one.node.cmp(&other.node));
    Ok(found)
}

/// A known node that does not report its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingNode {
    /// Its name.
    pub node: String,
    /// Where it served.
    pub listen: String,
    /// When it last reported, in seconds since 1970; it reports every 20 s.
    pub seen_at: u64,
}

/// The nodes that reported within the last seven days and are not among the `live` ones, by name.
pub(super) async fn missing(
    known: &kv::Store,
    live: &[Presence],
) -> Result<Vec<MissingNode>, String> {
    let mut keys = known.keys().await.map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    while let Some(key) = keys.next().await {
        let key = key.map_err(|error| error.to_string())?;
        let Some(entry) = entry(known, &key).await? else { continue };
        let report = serde_json::from_slice(&entry.value);
        let Presence { node, listen, .. } =
            report.map_err(|error| format!("`{key}` is no report of a node: {error}"))?;
        if !live.iter().any(|presence| presence.node == node) {
            let seen_at = u64::try_from(entry.created.unix_timestamp()).unwrap_or_default();
            found.push(MissingNode { node, listen, seen_at });
        }
    }
    found.sort_by(|one: &MissingNode, other| one.node.cmp(&other.node));
    Ok(found)
}

/// Reports the part of the log that a node has, so that the log keeps the rest; the report is kept for minutes.
pub(super) async fn report_stream_seq(
    bucket: &kv::Store,
    node: &str,
    stream_seq: u64,
) -> Result<(), String> {
    let put = bucket.put(node, stream_seq.to_string().into());
    put.await.map(drop).map_err(|error| error.to_string())
}

/// The part of the log that each node has, for the nodes that reported it within the last minutes.
pub(super) async fn stream_seqs(bucket: &kv::Store) -> Result<Vec<u64>, String> {
    let mut keys = bucket.keys().await.map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    while let Some(key) = keys.next().await {
        let key = key.map_err(|error| error.to_string())?;
        let entry = entry(bucket, &key).await?;
        found
            .extend(entry.and_then(|entry| str::from_utf8(&entry.value).ok()?.parse::<u64>().ok()));
    }
    Ok(found)
}
