//! The server: HTTP over TCP and over the Unix socket beside the store.

mod auth;
mod body;
mod error;
mod listen;
mod messages;
mod router;

pub use body::Body;
pub use listen::{Listeners, serve};

use crate::config::Config;
use crate::store::{Answer as Stored, Command, Store};
use error::Refusal;
use hyper::{Request, Response, StatusCode};
use std::time::Duration;

/// A request as handlers get it.
pub type Incoming = Request<hyper::body::Incoming>;

/// An answer as handlers give it.
pub type Answer = Response<Body>;

/// What handlers work with.
pub struct Context {
    #[allow(missing_docs)]
    pub config: Config,
    #[allow(missing_docs)]
    pub store: Store,
}

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
