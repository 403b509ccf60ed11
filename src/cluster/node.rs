//! The life of a node: it follows the log, stands for election while it has all of it, and leads for
//! as long as its lease lasts.

use super::connection::{CLUSTER_ID, NatsConnection};
use super::lease::{self, Election, Holder, Lease, SeenLease};
use super::media::MediaExchange;
use super::presence::{self, Presence};
use super::requests::{Answerer, LeaderRequests};
use super::snapshot;
use super::standing::Standing;
use crate::health::HEALTH;
use crate::log::jetstream::{BatchReader, EventStream, LeaseEnd};
use crate::media::Blobs;
use crate::metrics::METRICS;
use crate::store::{Store, StoreError};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Names of parts in `GET /api/health`.
const PART: &str = "cluster";
const SNAPSHOTS: &str = "snapshots";
const NAMES: &str = "cluster.node";

/// Pause between two looks at the lease and the end of the log.
const LOOK: Duration = Duration::from_millis(300);

/// Pause after a fault.
const PAUSE: Duration = Duration::from_millis(300);

/// How long a node that could not go on leading leaves it to others.
const ABSTAIN: Duration = Duration::from_secs(1);

/// Pause between two words of how this node stands.
const TELL: Duration = Duration::from_millis(500);

/// For how long it is told that another node has the name of this one, once it was seen.
const SAME_NAME: Duration = Duration::from_secs(10);

/// How long a leader waits for a message of the log before it looks at the end of it again.
const WAIT: Duration = Duration::from_millis(50);

/// A node of a cluster. May be run anew after a panic.
#[derive(Clone)]
pub struct ClusterNode {
    pub(super) connection: NatsConnection,
    pub(super) lease: Arc<LeaseEnd>,
    pub(super) standing: Arc<Standing>,
    pub(super) holder: Holder,
    pub(super) snapshot_every: u64,
}

/// A node at work on its store.
struct Work {
    node: ClusterNode,
    stream: EventStream,
    store: Arc<Store>,
    /// Beside it, snapshots are written before they are sent.
    db: PathBuf,
    listen: String,
    requests: LeaderRequests,
    events: LeaderRequests,
    services: NodeServices,
    /// The store is of another cluster.
    is_foreign: AtomicBool,
    stop: CancellationToken,
}

/// Services of a node to others.
#[derive(Clone)]
pub struct NodeServices {
    /// Gives them files of messages.
    pub media: MediaExchange,
    /// Carries out their requests while this node leads.
    pub requests: Answerer,
    /// Stores events that they hold while this node leads.
    pub events: Answerer,
}

/// The cluster, as the server of a node sees it.
#[derive(Clone, Debug)]
pub struct ClusterHandle {
    /// How this node stands.
    pub standing: Arc<Standing>,
    /// Passes requests on to the node that leads.
    pub requests: LeaderRequests,
    /// Passes events on to it.
    pub events: LeaderRequests,
    /// Brings files of messages here from other nodes.
    pub media: MediaExchange,
}

/// Why a node cannot go on for now.
type Fault = String;

impl ClusterNode {
    /// The cluster, for the server, which keeps its files in `blobs`.
    pub fn handle(&self, blobs: Blobs) -> ClusterHandle {
        let requests = LeaderRequests::new(&self.connection, "requests");
        let events = LeaderRequests::new(&self.connection, "events");
        let media = MediaExchange::new(&self.connection, &self.holder.instance, blobs);
        ClusterHandle { standing: self.standing.clone(), requests, events, media }
    }

    /// Works until `stop`; a lease that is held is given up then. `listen` is the address at which
    /// this node serves.
    pub async fn run(
        self,
        store: Arc<Store>,
        db: PathBuf,
        listen: String,
        services: NodeServices,
        stop: CancellationToken,
    ) {
        let media = services.media.clone();
        let work = Work {
            stream: self.connection.stream(),
            requests: LeaderRequests::new(&self.connection, "requests"),
            events: LeaderRequests::new(&self.connection, "events"),
            node: self,
            store,
            db,
            listen,
            services,
            is_foreign: AtomicBool::new(false),
            stop,
        };
        let exchanging = work.stop.run_until_cancelled(media.answer());
        tokio::join!(work.take_part(), work.tell_presence(), exchanging);
        work.node.connection.close().await;
    }
}

impl Work {
    async fn take_part(&self) {
        let (mut told, mut stands_from) = (None, Instant::now());
        while !self.stop.is_cancelled() {
            let elected = tokio::select! {
                () = self.stop.cancelled() => break,
                elected = self.follow(&mut told, stands_from) => elected,
            };
            let done = match elected {
                Ok((lease, reader)) => {
                    let led = Box::pin(self.lead(lease, reader, &mut told)).await;
                    stands_from = Instant::now() + ABSTAIN;
                    led
                }
                Err(fault) => Err(fault),
            };
            if let Err(fault) = done {
                self.tell(&fault, &mut told);
                let _ = self.stop.run_until_cancelled(sleep(PAUSE)).await;
            }
        }
    }

    /// Tells a fault: in the log once, in the health for as long as it lasts, with how old reads are.
    fn tell(&self, fault: &str, told: &mut Option<Fault>) {
        let fault = if self.node.connection.is_connected() {
            fault.to_owned()
        } else {
            "NATS cannot be reached; what is read goes on, and nothing can be written".to_owned()
        };
        let age = self.node.standing.age().map_or(0, |age| age.as_secs());
        HEALTH.degrade(PART, format!("{fault}; what is read here may be {age} s old"));
        if told.as_ref() != Some(&fault) {
            tracing::error!("the cluster: {fault}");
            *told = Some(fault);
        }
    }

    /// Applies the log until this node is elected, which it may be from a time on; gives its lease, and
    /// the reader of the log.
    async fn follow(
        &self,
        told: &mut Option<Fault>,
        stands_from: Instant,
    ) -> Result<(Box<Lease>, BatchReader), Fault> {
        self.check_identity().await?;
        let place = *self.store.places().borrow();
        let mut reader = self.stream.read_after(place).await.map_err(|error| error.0)?;
        let mut seen = SeenLease::default();
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let given = reader.given();
            tokio::select! {
                batches = reader.next() => {
                    let batches = batches.map_err(|error| error.0)?;
                    let applied = self.store.replicate(given, batches).await;
                    applied.map_err(|error| error.to_string())?;
                }
                _ = look.tick() => {
                    let began = Instant::now();
                    let end = self.end_of_log().await?;
                    METRICS.cluster_lag.set((end - end.min(reader.read_to())).cast_signed());
                    if reader.read_to() < end {
                        continue;
                    }
                    self.node.standing.set_current(began);
                    if told.take().is_some() {
                        tracing::info!("the cluster: this node follows again");
                    }
                    HEALTH.recover(PART);
                    let (connection, holder) = (&self.node.connection, &self.node.holder);
                    let stands = Instant::now() >= stands_from;
                    match lease::take(connection, holder, &mut seen, stands).await? {
                        Election::Won(lease) => return Ok((lease, reader)),
                        Election::Held(leader) => self.node.standing.set_leader(leader, false),
                    }
                }
            }
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
        if membership.place > last {
            return Err(format!(
                "this store has the log up to {}, and the stream ends with {last}: NATS has lost what it had acknowledged; docs/cluster.md says what to do",
                membership.place
            ));
        }
        if membership.place + 1 < first {
            return Err(format!(
                "this store has the log up to {}, and the stream begins with {first}; start this node again: it then takes a snapshot",
                membership.place
            ));
        }
        Ok(())
    }

    async fn end_of_log(&self) -> Result<u64, Fault> {
        self.stream.info().await.map(|info| info.state.last_sequence).map_err(|error| error.0)
    }

    /// Leads until the lease is lost, the store cannot go on, or the node stops.
    async fn lead(
        &self,
        mut lease: Box<Lease>,
        mut reader: BatchReader,
        told: &mut Option<Fault>,
    ) -> Result<(), Fault> {
        let ClusterNode { standing, lease: end, holder, .. } = &self.node;
        let (term, began) = (lease.term(), Instant::now());
        end.extend(lease.until);
        let led = tokio::select! {
            () = self.keep(&mut lease) => Err("this node led, and has lost its lease".to_owned()),
            led = self.take_over(&mut reader, term, began, told) => led,
            () = self.stop.cancelled() => Ok(()),
        };
        end.end();
        // They are the business of the next leader.
        HEALTH.recover(SNAPSHOTS);
        self.store.follow().await;
        standing.set_leader(None, false);
        tracing::warn!(node = holder.node, "this node leads no longer");
        lease.give_up().await;
        led
    }

    /// Renews the lease until it is lost.
    async fn keep(&self, lease: &mut Lease) {
        loop {
            sleep(lease.pause()).await;
            if !lease.renew().await {
                return;
            }
            self.node.lease.extend(lease.until);
            self.node.standing.set_current(Instant::now());
        }
    }

    /// Takes over from the leader before, and leads until the store cannot go on.
    async fn take_over(
        &self,
        reader: &mut BatchReader,
        term: u64,
        began: Instant,
        told: &mut Option<Fault>,
    ) -> Result<(), Fault> {
        // The leader before may append until this node has.
        loop {
            self.read_all(reader).await?;
            match self.store.lead(reader.given(), reader.read_to()).await {
                Ok(()) => break,
                Err(StoreError::Unavailable(error)) if self.node.lease.left().is_some() => {
                    self.tell(&error, told);
                }
                Err(error) => return Err(error.to_string()),
            }
            if *self.store.places().borrow() < reader.given() {
                return Err("the store was opened anew; it reads the log again".into());
            }
        }
        let (requests, events) = (self.requests.take().await?, self.events.take().await?);
        let name = &self.node.holder.node;
        let took = began.elapsed();
        tracing::info!(node = name, term, ?took, "this node leads the cluster");
        METRICS.cluster_takeovers.inc();
        self.node.standing.set_leader(Some(name.clone()), true);
        METRICS.cluster_lag.set(0);
        HEALTH.recover(PART);
        let mut leading = self.store.leading();
        tokio::select! {
            _ = leading.wait_for(|is_leading| !is_leading) => {}
            () = self.keep_snapshots() => {}
            () = self.requests.answer(requests, &self.services.requests, &self.node.lease) => {}
            () = self.events.answer(events, &self.services.events, &self.node.lease) => {}
        }
        Err("this node led, and could not go on".into())
    }

    /// Applies everything that is in the log.
    async fn read_all(&self, reader: &mut BatchReader) -> Result<(), Fault> {
        loop {
            let end = self.end_of_log().await?;
            while reader.read_to() < end {
                let given = reader.given();
                // The last message may be of a batch that was left unfinished.
                let Ok(batches) = timeout(WAIT, reader.next()).await else { break };
                let batches = batches.map_err(|error| error.0)?;
                let applied = self.store.replicate(given, batches).await;
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
            let kept =
                snapshot::keep(&self.node.connection, &self.stream, &self.store, &self.db, every);
            match kept.await {
                Ok(()) => HEALTH.recover(SNAPSHOTS),
                Err(error) => {
                    tracing::error!("no snapshot could be made: {error}");
                    HEALTH.degrade(SNAPSHOTS, error);
                }
            }
            sleep(snapshot::PAUSE).await;
        }
    }

    /// Tells the cluster how this node stands, until it stops.
    async fn tell_presence(&self) {
        // Before this node has told once, its name may have been that of its last process.
        let (mut has_told, mut same_name) = (false, None::<Instant>);
        while self.stop.run_until_cancelled(sleep(TELL)).await.is_some() {
            if self.is_foreign.load(Ordering::Relaxed) {
                continue;
            }
            let Ok(view) = self.store.view() else { continue };
            let presence = Presence {
                node: self.node.holder.node.clone(),
                instance: self.node.holder.instance.clone(),
                version: env!("CARGO_PKG_VERSION").into(),
                listen: self.listen.clone(),
                place: *self.store.places().borrow(),
                offset: view.cursor().offset,
            };
            let told = async {
                let bucket = self.node.connection.leases().await?;
                presence::tell(&bucket, &presence).await
            };
            let Some(told) = self.stop.run_until_cancelled(timeout(LOOK * 10, told)).await else {
                return;
            };
            match told {
                Ok(Ok(before)) => {
                    let other = before.filter(|before| before.instance != presence.instance);
                    if let Some(other) = other.filter(|_| has_told) {
                        tell_same_name(&other, same_name.is_none());
                        same_name = Some(Instant::now());
                    }
                    has_told = true;
                }
                Ok(Err(error)) => tracing::debug!("this node cannot tell how it stands: {error}"),
                Err(_) => {}
            }
            if same_name.is_some_and(|seen| seen.elapsed() > SAME_NAME) {
                same_name = None;
                HEALTH.recover(NAMES);
            }
        }
    }
}

/// Tells that another node has the name of this one.
fn tell_same_name(other: &Presence, is_new: bool) {
    let Presence { node, listen, .. } = other;
    let text = format!(
        "another node is named `{node}` too, and serves at {listen}; give each its own `cluster.node`"
    );
    if is_new {
        tracing::error!("the cluster: {text}");
    }
    HEALTH.degrade(NAMES, text);
}
