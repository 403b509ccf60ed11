//! The lease of the leader: a key of a bucket whose values lapse. Its revision is the term: only the
//! node that knows the newest one can renew it.

use super::connection::NatsConnection;
use async_nats::jetstream::kv::{self, CreateErrorKind, Operation, UpdateErrorKind};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// The key of the lease.
const LEADER: &str = "leader";

/// The holder of a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    pub(super) node: String,
    /// One start of its process.
    pub(super) instance: String,
}

/// The lease, as its holder has it.
#[derive(Debug)]
pub(super) struct Lease {
    bucket: kv::Store,
    holder: Holder,
    revision: u64,
    length: Duration,
    /// When it ends, unless it is renewed; by this node's clock, and never later than by NATS's.
    pub(super) until: Instant,
}

/// The outcome of asking for the lease.
#[derive(Debug)]
pub(super) enum Election {
    /// This node, since now.
    Won(Box<Lease>),
    /// Another one, where its name is known.
    Held(Option<String>),
}

/// The node that holds the lease, if one does.
pub(super) async fn holder(bucket: &kv::Store) -> Result<Option<(Holder, u64)>, String> {
    let entry = bucket.entry(LEADER).await.map_err(|error| error.to_string())?;
    let entry = entry.filter(|entry| entry.operation == Operation::Put);
    Ok(entry.and_then(|entry| {
        let holder = serde_json::from_slice(&entry.value).ok()?;
        Some((holder, entry.revision))
    }))
}

/// Takes the lease, where nobody holds it.
pub(super) async fn take(connection: &NatsConnection, me: &Holder) -> Result<Election, String> {
    let bucket = connection.leases().await?;
    if let Some((holder, _)) = holder(&bucket).await? {
        return Ok(Election::Held(Some(holder.node)));
    }
    // Values lapse after this time, which was set when the cluster was made.
    let status = bucket.status().await.map_err(|error| error.to_string())?;
    let (length, began) = (status.max_age(), Instant::now());
    match bucket.create(LEADER, encoded(me)).await {
        Ok(revision) => {
            let (holder, until) = (me.clone(), began + length);
            Ok(Election::Won(Box::new(Lease { bucket, holder, revision, length, until })))
        }
        Err(error) if error.kind() == CreateErrorKind::AlreadyExists => Ok(Election::Held(None)),
        Err(error) => Err(error.to_string()),
    }
}

fn encoded(holder: &Holder) -> Bytes {
    // Two strings always serialise.
    serde_json::to_vec(holder).unwrap_or_default().into()
}

impl Lease {
    /// The revision by which it is held.
    pub(super) fn term(&self) -> u64 {
        self.revision
    }

    /// The pause between two renewals.
    pub(super) fn pause(&self) -> Duration {
        self.length / 4
    }

    /// Renews it; `false` where another node may hold it by now.
    pub(super) async fn renew(&mut self) -> bool {
        while Instant::now() < self.until {
            let began = Instant::now();
            let left = self.until - began;
            let value = encoded(&self.holder);
            let renewed = self.bucket.update(LEADER, value, self.revision);
            match tokio::time::timeout(left.min(self.length / 2), renewed).await {
                Ok(Ok(revision)) => {
                    (self.revision, self.until) = (revision, began + self.length);
                    return true;
                }
                Ok(Err(error)) if error.kind() == UpdateErrorKind::WrongLastRevision => {
                    // An answer that did not arrive may have been of a renewal.
                    match holder(&self.bucket).await {
                        Ok(Some((holder, revision))) if holder == self.holder => {
                            self.revision = revision;
                        }
                        Ok(_) => return false,
                        Err(error) => tracing::debug!("the lease: {error}"),
                    }
                }
                Ok(Err(error)) => tracing::debug!("the lease cannot be renewed: {error}"),
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    }

    /// Lets others take it at once.
    pub(super) async fn give_up(self) {
        let deleted = self.bucket.delete_expect_revision(LEADER, Some(self.revision));
        // It lapses by itself otherwise.
        let _ = tokio::time::timeout(self.length, deleted).await;
    }
}
