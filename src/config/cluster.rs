//! The cluster that this server is a node of.

use super::Secret;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// The least room for a log: batches of half a MiB have to fit many times.
const MIN_LOG_BYTES: u64 = 64 << 20;

/// The cluster that this server is a node of. All its nodes have the same settings, but for `node`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClusterSettings {
    /// The NATS servers.
    pub nats: Vec<String>,
    /// The cluster's name: by it the stream and the buckets are named.
    pub name: String,
    /// The name of this node.
    pub node: String,
    /// How many NATS servers keep the log; needed when the cluster is made.
    pub replicas: usize,
    /// Seconds after which a leader that is not heard of is replaced; needed when the cluster is made.
    pub lease_seconds: f64,
    /// Messages of the log after which the leader makes a snapshot, and removes what is older.
    pub snapshot_every: u64,
    /// The most bytes of the log in NATS, or 0 for as many as its servers have room for; needed when the
    /// cluster is made.
    pub log_bytes: u64,
    /// A file with credentials for NATS (`.creds`).
    pub credentials: Option<PathBuf>,
    /// A token for NATS.
    pub token: Option<Secret>,
    /// PEM file with the certificates that the NATS servers' are checked by.
    pub ca: Option<PathBuf>,
    /// PEM file with the certificate to show NATS.
    pub certificate: Option<PathBuf>,
    /// PEM file with its key.
    pub key: Option<PathBuf>,
}

impl Default for ClusterSettings {
    fn default() -> Self {
        Self {
            nats: Vec::new(),
            name: String::new(),
            node: String::new(),
            replicas: 3,
            lease_seconds: 3.0,
            snapshot_every: 100_000,
            log_bytes: 0,
            credentials: None,
            token: None,
            ca: None,
            certificate: None,
            key: None,
        }
    }
}

impl ClusterSettings {
    pub(super) fn check(&self) -> Result<()> {
        if self.nats.is_empty() {
            return Err(Error::failed("`cluster.nats` names no server")
                .hint("write it as [\"nats://10.0.0.1:4222\"]"));
        }
        for (key, name) in [("name", &self.name), ("node", &self.node)] {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            if name.is_empty() || name.len() > 64 || !name.chars().all(is_plain) {
                return Err(Error::failed(format!(
                    "`cluster.{key}` must be 1 to 64 letters, digits, `-` and `_`"
                )));
            }
        }
        if !(1..=5).contains(&self.replicas) {
            return Err(Error::failed("`cluster.replicas` must be 1 to 5"));
        }
        if !(1.0..=600.0).contains(&self.lease_seconds) {
            return Err(Error::failed("`cluster.lease_seconds` must be 1 to 600"));
        }
        if self.snapshot_every == 0 {
            return Err(Error::failed("`cluster.snapshot_every` must be at least 1"));
        }
        if self.log_bytes != 0 && self.log_bytes < MIN_LOG_BYTES {
            return Err(Error::failed(
                "`cluster.log_bytes` must be 0, or at least 67108864 (64 MiB)",
            ));
        }
        if self.certificate.is_some() != self.key.is_some() {
            return Err(Error::failed("`cluster.certificate` and `cluster.key` need each other"));
        }
        Ok(())
    }

    /// After how long a leader that is not heard of is replaced.
    pub fn lease(&self) -> Duration {
        Duration::from_secs_f64(self.lease_seconds)
    }
}
