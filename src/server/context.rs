//! Context of the handlers.

use super::access::AccessControl;
use super::limit::{Limit, UnidentifiedLimit};
use super::memory::Memory;
use crate::actions::Actions;
use crate::activity::ActivityCounts;
use crate::adapter;
use crate::config::Config;
use crate::gateway::Gateway;
use crate::hub::Hub;
use crate::mcp::AgentBounds;
use crate::media::Blobs;
use crate::media::complete::Completer;
use crate::media::partial::Partials;
use crate::media::sign::Signer;
use crate::model::message::{Message, Status};
use crate::model::routing::RoutingFacts;
use crate::outbox::{self, NextAttempts, Outcomes};
use crate::search::Index;
use crate::store::{Store, View};
use arc_swap::ArcSwap;
use hyper::Request;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A request, as handlers get it.
pub type Incoming = Request<hyper::body::Incoming>;

/// The parts of the server that handlers use.
pub struct ServerContext {
    #[allow(missing_docs)]
    pub config: Config,
    /// Address of the page for this host.
    pub page: String,
    /// The valid tokens.
    pub access: AccessControl,
    #[allow(missing_docs)]
    pub store: Arc<Store>,
    /// Search index of the store.
    pub search: Arc<Index>,
    /// The endpoints for OneBot programs.
    pub adapters: ArcSwap<adapter::Adapters>,
    /// Bots.
    pub bots: Gateway,
    #[allow(missing_docs)]
    pub registry: adapter::Registry,
    /// Carries out recalls, edits and reactions.
    pub actions: Actions,
    /// Limits of agents.
    pub agents: Arc<AgentBounds>,
    /// Outcomes of attempts that requests wait for.
    pub outcomes: Arc<Outcomes>,
    /// Times of the next attempts of messages that wait.
    pub attempts: Arc<NextAttempts>,
    #[allow(missing_docs)]
    pub activity: Arc<ActivityCounts>,
    #[allow(missing_docs)]
    pub hub: Arc<Hub>,
    /// The limit on WebSocket sessions and streams.
    pub sessions: Limit,
    /// The limit on connections of OneBot programs.
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
    /// The reason why a message waits, if it does.
    pub fn waiting(&self, message: &Message, view: &View) -> Option<String> {
        let default_platform = self.config.default_platform.as_deref();
        outbox::waiting(message, view, &self.registry, &self.attempts, default_platform)
    }

    /// Sets the reasons why the messages of a list wait. Neighbouring messages without a platform
    /// and with the same recipient wait for the same reason, which is found once.
    pub fn fill_waiting(&self, messages: &mut [Message], view: &View) {
        for run in messages.chunk_by_mut(|one, next| {
            let waits =
                |message: &Message| message.platform.is_none() && message.status == Status::Pending;
            waits(one) && waits(next) && one.recipient == next.recipient
        }) {
            let [first, others @ ..] = run else { continue };
            first.waiting = self.waiting(first, view);
            for other in others {
                other.waiting.clone_from(&first.waiting);
            }
        }
    }

    /// Facts for the routing of a message.
    pub fn routing_facts(&self) -> RoutingFacts {
        self.registry.routing_facts(self.config.default_platform.as_deref())
    }
}
