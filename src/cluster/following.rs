//! The life of a node while another one leads: it applies the log, and stands for election while it has
//! all of it.

use super::connection::CLUSTER_ID;
use super::lease::{self, Election, Lease, SeenLease};
use super::presence::{self, Presence};
use super::running::{Fault, HEALTH_PART, POLL_INTERVAL, RunningNode};
use super::snapshot;
use super::starting::fetched_beside;
use crate::health::HEALTH;
use crate::log::jetstream::BatchReader;
use crate::metrics::METRICS;
use crate::store::StoreError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Time for which an elected node checks what the other nodes have.
const OTHERS_TIMEOUT: Duration = Duration::from_millis(700);

impl RunningNode {
    /// Applies the log until this node is elected, which is possible from `stands_from` on. Returns its lease
    /// and the reader of the log.
    pub(super) async fn follow(
        &self,
        reported: &mut Option<Fault>,
        stands_from: Instant,
    ) -> Result<(Box<Lease>, BatchReader), Fault> {
        self.check_identity().await?;
        let stream_seq = *self.store.stream_seqs().borrow();
        let mut reader = self.stream.read_after(stream_seq).await.map_err(|error| error.0)?;
        let (mut seen, mut wanted) = (SeenLease::default(), None::<(u64, Instant)>);
        let mut look = interval(POLL_INTERVAL);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let applied_through = reader.applied_through();
            tokio::select! {
                batches = reader.next() => {
                    let batches = batches.map_err(|error| error.0)?;
                    let applied = self.store.replicate(applied_through, batches).await;
                    if let Err(StoreError::Damaged(why)) = applied {
                        return Err(self.fetch_snapshot(&format!("this store is damaged ({why})")).await);
                    }
                    applied.map_err(|error| error.to_string())?;
                }
                _ = look.tick() => {
                    self.check_store(&reader)?;
                    let began = Instant::now();
                    let end = self.end_of_log().await?;
                    METRICS.cluster_lag.set((end - end.min(reader.read_to())).cast_signed());
                    // Under load the log has grown again before its end is known.
                    let (end, began) = *wanted.get_or_insert((end, began));
                    if reader.read_to() < end {
                        continue;
                    }
                    wanted = None;
                    self.node.state.set_current(began);
                    if reported.take().is_some() {
                        tracing::info!("the cluster: this node follows again");
                    }
                    HEALTH.recover(HEALTH_PART);
                    let (connection, holder) = (&self.node.connection, &self.node.holder);
                    let stands = Instant::now() >= stands_from;
                    match lease::take(connection, holder, &mut seen, stands).await? {
                        Election::Won(lease) => {
                            if let Err(fault) = self.check_others().await {
                                lease.give_up().await;
                                return Err(fault);
                            }
                            return Ok((lease, reader));
                        }
                        Election::Held(leader) => self.node.state.set_leader(leader, false),
                    }
                }
            }
        }
    }

    /// Checks that no node is known to have more than the stream: that part was acknowledged, and is lost there.
    async fn check_others(&self) -> Result<(), Fault> {
        let looking = async {
            let nodes = presence::all(&self.node.connection.leases().await?).await?;
            Ok::<_, Fault>((nodes, self.end_of_log().await?))
        };
        // A NATS server that hangs must not prevent the cluster from having a leader.
        let Ok(Ok((nodes, end))) = timeout(OTHERS_TIMEOUT, looking).await else { return Ok(()) };
        match nodes.iter().max_by_key(|node| node.stream_seq).filter(|node| node.stream_seq > end) {
            Some(Presence { node, stream_seq, .. }) => Err(format!(
                "the node `{node}` has the log up to {stream_seq}, and the stream ends with {end}: NATS has lost what it had acknowledged; docs/cluster.md says what to do"
            )),
            None => Ok(()),
        }
    }

    /// Checks that the stream is the log of this store, and still has what comes next.
    async fn check_identity(&self) -> Result<(), Fault> {
        let info = self.stream.info().await.map_err(|error| error.0)?;
        let view = self.store.view().map_err(|error| error.to_string())?;
        let Some(membership) = view.membership() else {
            return Err("the store belongs to no cluster".into());
        };
        let stream = info.config.metadata.get(CLUSTER_ID);
        let is_foreign = stream != Some(&membership.cluster);
        self.is_foreign.store(is_foreign, Ordering::Relaxed);
        if is_foreign {
            return Err(format!(
                "this store is of the cluster {}, and the stream of {}; name the right servers and `cluster.name`, or move the store away",
                membership.cluster,
                stream.map_or("none", String::as_str)
            ));
        }
        let (first, last) = (info.state.first_sequence, info.state.last_sequence);
        if membership.stream_seq > last {
            return Err(format!(
                "this store has the log up to {}, and the stream ends with {last}: NATS has lost what it had acknowledged; docs/cluster.md says what to do",
                membership.stream_seq
            ));
        }
        if membership.stream_seq + 1 < first {
            let stream_seq = membership.stream_seq;
            let why = format!(
                "this store has the log up to {stream_seq}, and the stream begins with {first}"
            );
            return Err(self.fetch_snapshot(&why).await);
        }
        Ok(())
    }

    /// Fetches a snapshot to replace a store that cannot continue; the server begins again with it. Returns
    /// the fault to be reported meanwhile.
    async fn fetch_snapshot(&self, why: &str) -> Fault {
        let to = fetched_beside(&self.db);
        if self.node.state.is_to_begin_again() {
            return format!("{why}; this server begins again with a snapshot");
        }
        tracing::warn!("{why}; this node fetches a snapshot");
        self.is_fetching.store(true, Ordering::Relaxed);
        let fetched = snapshot::fetch(&self.node.connection, &self.node.holder.node, &to).await;
        self.is_fetching.store(false, Ordering::Relaxed);
        match fetched {
            Ok(stream_seq) if stream_seq > *self.store.stream_seqs().borrow() => {
                self.node.state.set_has_snapshot();
                format!("{why}; this server begins again with a snapshot")
            }
            Ok(_) => format!("{why}, and there is no newer snapshot"),
            Err(error) => format!("{why}, and no snapshot can be fetched: {error}"),
        }
    }
}
