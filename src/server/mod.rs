//! The server: HTTP over TCP and over the Unix socket beside the store.

mod access;
mod assets;
mod body;
mod description;
mod dial_in;
mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
mod listen;
mod messages;
mod metrics;
mod platforms;
mod room;
mod router;
mod socket;
mod stream;
mod tls;
mod transfer;

pub use access::Access;
pub use body::Body;
pub use listen::{Listeners, serve};
pub use room::Room;

use crate::activity::Activity;
use crate::adapter;
use crate::config::Config;
use crate::hub::Hub;
use crate::model::message::Message;
use crate::model::routing::RoutingFacts;
use crate::outbox::{self, NextAttempts, Outcomes};
use crate::store::{Answer as Stored, Command, Store, View};
use arc_swap::ArcSwap;
use error::Refusal;
use hyper::{Request, Response, StatusCode};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A request as handlers get it.
pub type Incoming = Request<hyper::body::Incoming>;

/// An answer as handlers give it.
pub type Answer = Response<Body>;

/// What handlers work with.
pub struct Context {
    #[allow(missing_docs)]
    pub config: Config,
    /// Who may ask for what.
    pub access: Access,
    #[allow(missing_docs)]
    pub store: Arc<Store>,
    /// Where implementations dial in.
    pub adapters: ArcSwap<adapter::Context>,
    #[allow(missing_docs)]
    pub registry: adapter::Registry,
    /// Those who wait for the outcome of a message.
    pub outcomes: Arc<Outcomes>,
    /// Times of the next attempts of messages that wait.
    pub attempts: Arc<NextAttempts>,
    #[allow(missing_docs)]
    pub activity: Arc<Activity>,
    #[allow(missing_docs)]
    pub hub: Arc<Hub>,
    /// Room for WebSocket sessions and streams.
    pub sessions: Room,
    /// Room for implementations that dial in.
    pub dial_ins: Room,
    /// Room for exports.
    pub exports: Room,
    /// Cancelled when the server stops; whatever goes on for long must heed it.
    pub stop: CancellationToken,
    /// Connections and sessions; the server waits for them when it stops.
    pub tasks: TaskTracker,
}

/// A connection's place among those allowed; kept for as long as anything of it goes on.
pub type Permit = Arc<room::Place>;

/// By which way somebody asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Over the network, from this address: with a token, where one is set.
    Tcp(IpAddr),
    /// Over the Unix socket: the file's mode has let them in.
    Unix,
}

impl Context {
    /// Why a message waits, if it does.
    fn waiting(&self, message: &Message, view: &View) -> Option<String> {
        let default_platform = self.config.default_platform.as_deref();
        outbox::waiting(message, view, &self.registry, &self.attempts, default_platform)
    }

    /// Facts by which a message to this recipient is routed.
    fn routing_facts(&self, recipient: &str) -> RoutingFacts {
        self.registry.routing_facts(recipient, self.config.default_platform.as_deref())
    }

    /// Has a command written; 503 where the disk does not answer in time.
    async fn write(&self, command: Command) -> error::Result<Stored> {
        let limit = Duration::from_secs(self.config.limits.answer_seconds);
        match tokio::time::timeout(limit, self.store.write(command)).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format!(
                    "the disk did not answer within {} s; whether it was stored is unknown",
                    limit.as_secs()
                ),
            )),
        }
    }
}
