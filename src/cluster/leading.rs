//! A node as leader: it takes over, decides, and renews its lease until the lease is lost.

use super::lease::Lease;
use super::log_retention;
use super::requests::LeaderService;
use super::running::{ClusterNode, Fault, HEALTH_PART, RunningNode};
use crate::health::HEALTH;
use crate::log::jetstream::{BatchReader, NO_SPACE};
use crate::metrics::METRICS;
use crate::store::StoreError;
use async_nats::Subscriber;
use futures_util::future::{select_all, try_join_all};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// The part of the health about snapshots.
const SNAPSHOTS: &str = "snapshots";

/// Pause before a leader that could not begin its epoch reads further and tries again.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// How long a leader waits for a message of the log before it checks the end of the log again.
const NEXT_TIMEOUT: Duration = Duration::from_millis(50);

impl RunningNode {
    /// Leads until the lease is lost, the store cannot continue, or the node stops.
    pub(super) async fn lead(
        &self,
        mut lease: Box<Lease>,
        mut reader: BatchReader,
        reported: &mut Option<Fault>,
    ) -> Result<(), Fault> {
        let ClusterNode { state, lease: end, holder, .. } = &self.node;
        let (term, began) = (lease.term(), Instant::now());
        end.extend(lease.until);
        let led = tokio::select! {
            () = self.renew_until_lost(&mut lease) => Err("this node was the leader and lost its lease".to_owned()),
            led = self.take_over(&mut reader, term, began, reported) => led,
            () = self.stop.cancelled() => Ok(()),
        };
        end.end();
        // The next leader makes the snapshots.
        HEALTH.recover(SNAPSHOTS);
        self.store.follow().await;
        state.set_leader(None, false);
        tracing::warn!(node = holder.node, "this node leads no longer");
        lease.give_up().await;
        led
    }

    /// Renews the lease until it is lost.
    async fn renew_until_lost(&self, lease: &mut Lease) {
        loop {
            sleep(lease.pause()).await;
            if !lease.renew().await {
                return;
            }
            self.node.lease.extend(lease.until);
            self.node.state.set_current(Instant::now());
        }
    }

    /// Takes over from the leader before, and leads until the store cannot continue.
    async fn take_over(
        &self,
        reader: &mut BatchReader,
        term: u64,
        began: Instant,
        reported: &mut Option<Fault>,
    ) -> Result<(), Fault> {
        // The leader before can append until this node has appended.
        loop {
            self.read_all(reader).await?;
            match self.store.lead(reader.applied_through(), reader.read_to()).await {
                Ok(()) => break,
                Err(StoreError::Unavailable(error)) if self.node.lease.left().is_some() => {
                    self.check_store(reader)?;
                    self.report(&error, reported);
                    if error.starts_with(NO_SPACE) {
                        let (connection, stream) = (&self.node.connection, &self.stream);
                        log_retention::make_room(connection, stream, &self.store, &self.db).await?;
                    }
                }
                Err(error) => return Err(error.to_string()),
            }
            sleep(RETRY_PAUSE).await;
        }
        let taken = try_join_all(self.services.iter().map(LeaderService::take)).await?;
        let name = &self.node.holder.node;
        let took = began.elapsed();
        tracing::info!(node = name, term, ?took, "this node leads the cluster");
        METRICS.cluster_takeovers.inc();
        self.node.state.set_leader(Some(name.clone()), true);
        METRICS.cluster_lag.set(0);
        HEALTH.recover(HEALTH_PART);
        let mut leading = self.store.leading();
        tokio::select! {
            _ = leading.wait_for(|is_leading| !is_leading) => {}
            () = self.keep_snapshots() => {}
            () = self.serve(taken) => {}
        }
        Err("this node was the leader and could not continue".into())
    }

    /// Answers what other nodes ask of the leader, until one of the services ends.
    async fn serve(&self, taken: Vec<Subscriber>) {
        let services = self.services.iter().zip(taken);
        let answering = services
            .map(|(service, requests)| Box::pin(service.answer(requests, &self.node.lease)));
        select_all(answering).await;
    }

    /// Applies everything that is in the log.
    async fn read_all(&self, reader: &mut BatchReader) -> Result<(), Fault> {
        loop {
            let end = self.end_of_log().await?;
            while reader.read_to() < end {
                let applied = reader.applied_through();
                // The last message may be of a batch that was left unfinished.
                let Ok(batches) = timeout(NEXT_TIMEOUT, reader.next()).await else { break };
                let batches = batches.map_err(|error| error.0)?;
                let applied = self.store.replicate(applied, batches).await;
                applied.map_err(|error| error.to_string())?;
            }
            if reader.read_to() >= end {
                return Ok(());
            }
        }
    }

    /// Makes snapshots while this node leads; never ends.
    async fn keep_snapshots(&self) {
        loop {
            let every = self.node.snapshot_every;
            let kept = log_retention::keep(
                &self.node.connection,
                &self.stream,
                &self.store,
                &self.db,
                every,
            );
            match kept.await {
                Ok(()) => HEALTH.recover(SNAPSHOTS),
                Err(error) => {
                    tracing::error!("no snapshot could be made: {error}");
                    HEALTH.degrade(SNAPSHOTS, error);
                }
            }
            sleep(log_retention::POLL_INTERVAL).await;
        }
    }
}
