//! The main loop of a node: it follows the log, stands for election while it has all of it, and leads as
//! long as its lease lasts.

use super::media::MediaExchange;
use super::requests::{LeaderRequests, LeaderService};
use super::running::{ClusterNode, RunningNode};
use super::state::ClusterState;
use super::status_feed::StatusFeed;
use super::tunnel::Tunnels;
use super::wait_reasons::WaitReasons;
use crate::backoff::Backoff;
use crate::media::Blobs;
use crate::store::Store;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How long a node does not stand for election after a fault without a connection to NATS.
const ELECTION_PAUSE_WITHOUT_NATS: Duration = Duration::from_secs(1);

/// Pause after a fault.
const RETRY_PAUSE: Duration = Duration::from_millis(300);

/// How long a node whose lead ended does not stand for election.
const ELECTION_PAUSE: Duration = Duration::from_millis(500);

/// The same after several short leads in a row: the first pause and the longest one.
const ELECTION_PAUSES_AFTER_SHORT: [Duration; 2] =
    [Duration::from_secs(1), Duration::from_secs(30)];

/// A lead that ends sooner is a short one.
const SHORT_LEAD: Duration = Duration::from_secs(10);

/// Services of a node to others.
#[derive(Clone)]
pub struct NodeServices {
    /// Sends them files of messages.
    pub media: MediaExchange,
    /// Answers them while this node leads.
    pub while_leading: Vec<LeaderService>,
}

/// The cluster, as the server of a node sees it.
#[derive(Clone, Debug)]
pub struct ClusterHandle {
    /// The state of this node.
    pub state: Arc<ClusterState>,
    /// Passes requests on to the leader.
    pub requests: LeaderRequests,
    /// Passes events of adapters on to the leader.
    pub events: LeaderRequests,
    /// Asks the leader why messages wait.
    pub waiting: WaitReasons,
    /// Passes connections on to the leader.
    pub tunnels: Tunnels,
    /// Sends the states of adapters to the other nodes, and gets theirs.
    pub states: StatusFeed,
    /// Copies files of messages here from other nodes.
    pub media: MediaExchange,
}

impl ClusterNode {
    /// The cluster, for the server, which keeps its files in `blobs`.
    pub fn handle(&self, blobs: Blobs) -> ClusterHandle {
        let requests = |name| LeaderRequests::new(&self.connection, name);
        ClusterHandle {
            state: self.state.clone(),
            requests: requests("requests"),
            events: requests("events"),
            waiting: WaitReasons::new(requests("waiting")),
            tunnels: Tunnels::new(&self.connection, &self.state),
            states: StatusFeed::new(&self.connection, &self.holder.instance),
            media: MediaExchange::new(&self.connection, &self.holder.instance, blobs),
        }
    }

    /// Runs until `stop`, and then gives up the lease if it has it. `listen` is the address at which this
    /// node serves. May be called again after a panic.
    pub async fn run(
        self,
        store: Arc<Store>,
        db: PathBuf,
        listen: String,
        services: NodeServices,
        stop: CancellationToken,
    ) {
        let NodeServices { media, while_leading } = services;
        let work = RunningNode {
            stream: self.connection.stream(),
            node: self,
            store,
            db,
            listen,
            services: while_leading,
            is_foreign: AtomicBool::new(false),
            is_fetching: AtomicBool::new(false),
            stop,
        };
        let exchanging = work.stop.run_until_cancelled(media.answer());
        tokio::join!(take_part(&work), work.report_presence(), exchanging);
        work.node.connection.close().await;
    }
}

/// Follows and leads in turn.
async fn take_part(work: &RunningNode) {
    let (mut reported, mut stands_from, mut short_leads) = (None, Instant::now(), None);
    // Before a panic this node may have led.
    work.node.lease.end();
    work.store.follow().await;
    work.node.state.set_leader(None, false);
    while !work.stop.is_cancelled() {
        let elected = tokio::select! {
            () = work.stop.cancelled() => break,
            elected = work.follow(&mut reported, stands_from) => elected,
        };
        let done = match elected {
            Ok((lease, reader)) => {
                let began = Instant::now();
                let led = Box::pin(work.lead(lease, reader, &mut reported)).await;
                // If this node cannot lead for long, another node may do better.
                let abstain = if began.elapsed() < SHORT_LEAD {
                    short_leads.get_or_insert_with(after_short_lead).pause()
                } else {
                    short_leads = None;
                    ELECTION_PAUSE
                };
                stands_from = Instant::now() + abstain;
                led
            }
            Err(fault) => Err(fault),
        };
        if let Err(fault) = done {
            if !work.node.connection.is_connected() {
                // By then other nodes have reported what they have, in case NATS has lost it.
                stands_from = stands_from.max(Instant::now() + ELECTION_PAUSE_WITHOUT_NATS);
            }
            work.report(&fault, &mut reported);
            let _ = work.stop.run_until_cancelled(sleep(RETRY_PAUSE)).await;
        }
    }
}

fn after_short_lead() -> Backoff {
    let [first, longest] = ELECTION_PAUSES_AFTER_SHORT;
    Backoff::new(first, longest)
}
