//! The lease of the leader: a key of a bucket whose values expire. Its revision is the term: only the
//! node that knows the newest revision can renew it.

use super::connection::{NatsConnection, entry};
use async_nats::jetstream::kv::{self, CreateError, CreateErrorKind, UpdateErrorKind};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// The key of the lease.
const LEADER: &str = "leader";

/// A lease that did not expire by itself is taken after this number of lease lengths.
const LEASES_UNTIL_TAKEN: u32 = 3;

/// The holder of a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    pub(super) node: String,
    /// One start of its process.
    pub(super) instance: String,
    /// Milliseconds until the lease ends, unless it is renewed.
    #[serde(default)]
    pub(super) lasts_ms: u64,
}

/// The lease of another node, as it was last seen to be renewed.
#[derive(Debug, Default)]
pub(super) struct SeenLease(Option<(u64, Instant)>);

impl SeenLease {
    /// Whether the holder cannot have the lease any more: it has not renewed it for too long by this node's
    /// clock. Values expire by the clocks of the NATS servers, which may have been set back.
    fn is_over(&mut self, holder: &Holder, revision: u64) -> bool {
        match self.0 {
            Some((seen, since)) if seen == revision => {
                holder.lasts_ms > 0
                    && since.elapsed() > LEASES_UNTIL_TAKEN * Duration::from_millis(holder.lasts_ms)
            }
            _ => {
                self.0 = Some((revision, Instant::now()));
                false
            }
        }
    }
}

/// The lease, as its holder has it.
#[derive(Debug)]
pub(super) struct Lease {
    bucket: kv::Store,
    holder: Holder,
    revision: u64,
    length: Duration,
    /// When it ends, unless it is renewed: by this node's clock, and never later than by that of NATS.
    pub(super) until: Instant,
}

/// The outcome of asking for the lease.
#[derive(Debug)]
pub(super) enum Election {
    /// This node has it now.
    Won(Box<Lease>),
    /// Another node has it; its name, if it is known.
    Held(Option<String>),
}

/// The node that holds the lease, if one does.
pub(super) async fn holder(bucket: &kv::Store) -> Result<Option<(Holder, u64)>, String> {
    let entry = entry(bucket, LEADER).await?;
    Ok(entry.and_then(|entry| {
        let holder = serde_json::from_slice(&entry.value).ok()?;
        Some((holder, entry.revision))
    }))
}

/// Takes the lease if nobody holds it, and this node `stands` for election.
pub(super) async fn take(
    connection: &NatsConnection,
    me: &Holder,
    seen: &mut SeenLease,
    stands: bool,
) -> Result<Election, String> {
    let bucket = connection.make_leases().await?;
    let held = holder(&bucket).await?;
    // If the acknowledgement was lost, this node has the lease already.
    let is_over = held.as_ref().is_some_and(|(holder, revision)| {
        holder.instance == me.instance || seen.is_over(holder, *revision)
    });
    if !stands || (held.is_some() && !is_over) {
        return Ok(Election::Held(held.map(|(holder, _)| holder.node)));
    }
    let status = bucket.status().await.map_err(|error| error.to_string())?;
    // Values expire after the time that was set when the cluster was created.
    let lengths = [status.max_age(), connection.lease];
    let length = lengths.into_iter().filter(|length| !length.is_zero()).min();
    let (length, began) = (length.unwrap_or(connection.lease), Instant::now());
    let lasts_ms = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    let me = Holder { lasts_ms, ..me.clone() };
    let taken = match held {
        None => bucket.create(LEADER, encoded(&me)).await,
        Some((holder, revision)) => {
            if holder.instance != me.instance {
                let node = holder.node;
                tracing::warn!(
                    node,
                    "the lease was not renewed for a long time and did not expire; are the clocks of the NATS servers right?"
                );
            }
            let updated = bucket.update(LEADER, encoded(&me), revision).await;
            updated.map_err(CreateError::from)
        }
    };
    match taken {
        Ok(revision) => {
            let until = began + length;
            Ok(Election::Won(Box::new(Lease { bucket, holder: me, revision, length, until })))
        }
        Err(error) if error.kind() == CreateErrorKind::AlreadyExists => Ok(Election::Held(None)),
        Err(error) => Err(error.to_string()),
    }
}

fn encoded(holder: &Holder) -> Bytes {
    // Texts and numbers always serialise.
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

    /// Renews it; `false` if another node may hold it by now.
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
        // Otherwise it expires by itself.
        let _ = tokio::time::timeout(self.length, deleted).await;
    }
}
