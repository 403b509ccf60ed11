//! The server: HTTP over TCP and over the Unix socket beside the store.

mod assets;
mod auth;
mod body;
mod dial_in;
mod error;
mod listen;
mod messages;
mod platforms;
mod router;
mod socket;
mod stream;

pub use body::Body;
pub use listen::{Listeners, serve};

use crate::activity::Activity;
use crate::adapter;
use crate::config::Config;
use crate::hub::Hub;
use crate::outbox::Outcomes;
use crate::store::{Answer as Stored, Command, Store};
use error::Refusal;
use hyper::{Request, Response, StatusCode};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
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
    #[allow(missing_docs)]
    pub store: Arc<Store>,
    /// Where implementations dial in.
    pub adapters: adapter::Context,
    #[allow(missing_docs)]
    pub registry: adapter::Registry,
    /// Who waits to hear how a message fared.
    pub outcomes: Arc<Outcomes>,
    #[allow(missing_docs)]
    pub activity: Arc<Activity>,
    #[allow(missing_docs)]
    pub hub: Arc<Hub>,
    /// Cancelled when the server stops; whatever goes on for long must heed it.
    pub stop: CancellationToken,
    /// Connections and sessions; the server waits for them when it stops.
    pub tasks: TaskTracker,
}

/// A connection's place among those allowed; kept for as long as anything of it goes on.
pub type Permit = Arc<OwnedSemaphorePermit>;

/// By which way somebody asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Over the network: with a token, where one is set.
    Tcp,
    /// Over the Unix socket: the file's mode has let them in.
    Unix,
}

impl Context {
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
