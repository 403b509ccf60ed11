//! Context of the handlers.

use super::access::AccessControl;
use super::limit::{Limit, UnidentifiedLimit};
use super::memory_limit::Memory;
use crate::actions::Actions;
use crate::activity::ActivityCounts;
use crate::adapter;
use crate::cluster::ClusterHandle;
use crate::config::Config;
use crate::gateway::Gateway;
use crate::hub::Hub;
use crate::mcp::AgentBounds;
use crate::media::Blobs;
use crate::media::fetch_missing::Completer;
use crate::media::partial::Partials;
use crate::media::sign::Signer;
use crate::model::routing::RoutingFacts;
use crate::outbox::{NextAttempts, Outcomes};
use crate::search::Index;
use crate::store::Store;
use arc_swap::ArcSwap;
use hyper::Request;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The text for a position that a node cut off from its cluster does not know.
pub const NOT_HERE_YET: &str = "this node is cut off from its cluster, and may not have that yet; ask another node, or try again";

/// A request, as handlers get it.
pub type Incoming = Request<hyper::body::Incoming>;

/// The parts of the server that handlers use.
pub struct ServerContext {
    /// The configuration of this start.
    pub config: Config,
    /// Address of the page for this host.
    pub page: String,
    /// The valid tokens.
    pub access: AccessControl,
    /// The store of the messages.
    pub store: Arc<Store>,
    /// Search index of the store.
    pub search: Arc<Index>,
    /// The endpoints to which implementations of platforms connect.
    pub adapters: ArcSwap<adapter::Adapters>,
    /// Bots.
    pub bots: ArcSwap<Gateway>,
    /// How this node stands in its cluster, where it is one.
    pub cluster: Option<ClusterHandle>,
    /// The accounts that are connected.
    pub registry: adapter::Registry,
    /// Carries out recalls, edits and reactions.
    pub actions: Actions,
    /// Limits of agents.
    pub agents: Arc<AgentBounds>,
    /// Outcomes of attempts that requests wait for.
    pub outcomes: Arc<Outcomes>,
    /// Times of the next attempts of messages that wait.
    pub attempts: Arc<NextAttempts>,
    /// The counts of messages of each minute.
    pub activity: Arc<ActivityCounts>,
    /// Tells sessions of new events.
    pub hub: Arc<Hub>,
    /// The limit on WebSocket sessions and streams.
    pub sessions: Limit,
    /// The limit on connections of implementations of platforms.
    pub dial_ins: Limit,
    /// The limit on bots whose first frame has not come yet.
    pub unidentified: UnidentifiedLimit,
    /// The limit on exports.
    pub exports: Limit,
    /// The limit on uploads of media.
    pub uploads: Limit,
    /// The stored files.
    pub blobs: Blobs,
    /// Uploads in parts.
    pub partials: Partials,
    /// Fetches media of messages.
    pub completer: Completer,
    /// Checks signed addresses of files.
    pub signer: Signer,
    /// Permits for downloads that clients ask for.
    pub fetches: Arc<Semaphore>,
    /// The limit on the bytes of bodies.
    pub memory: Memory,
    /// Cancelled when the server stops; long tasks end with it.
    pub stop: CancellationToken,
    /// Connections and sessions; the server waits for them when it stops.
    pub tasks: TaskTracker,
}

impl ServerContext {
    /// Whether another node of the cluster decides.
    pub fn follows(&self) -> bool {
        self.cluster.is_some() && !*self.store.leading().borrow()
    }

    /// Whether other nodes may have sent events to clients that this node does not have yet.
    pub fn is_behind(&self) -> bool {
        self.cluster.as_ref().is_some_and(|cluster| cluster.state.age().is_some())
    }

    /// Facts for the routing of a message.
    pub fn routing_facts(&self) -> RoutingFacts {
        self.registry.routing_facts(self.config.default_platform.as_deref())
    }
}
