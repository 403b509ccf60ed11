//! How long something that a request opened may go on: until the server stops, or the token that
//! opened it is revoked.

use std::future::Future;
use tokio_util::sync::CancellationToken;

/// The end of a WebSocket session, a stream or an adapter's connection.
#[derive(Clone, Debug)]
pub struct Lifetime {
    stop: CancellationToken,
    revoked: CancellationToken,
}

/// Why it has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The server stops.
    Stopping,
    /// The token is not accepted any more.
    Revoked,
}

impl Lifetime {
    /// Ends with either of the two.
    pub fn new(stop: CancellationToken, revoked: CancellationToken) -> Self {
        Self { stop, revoked }
    }

    /// Waits for the end.
    pub async fn ended(&self) -> Ended {
        tokio::select! {
            () = self.stop.cancelled() => Ended::Stopping,
            () = self.revoked.cancelled() => Ended::Revoked,
        }
    }

    /// Runs `work`, unless the end comes first.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> Result<T, Ended> {
        tokio::select! {
            biased;
            ended = self.ended() => Err(ended),
            done = work => Ok(done),
        }
    }

    /// Runs a write, unless the end comes while it waits. Most are done at once, and looking at both
    /// tokens costs almost as much.
    pub async fn write<T>(&self, write: impl Future<Output = T>) -> Result<T, Ended> {
        tokio::select! {
            biased;
            done = write => Ok(done),
            ended = self.ended() => Err(ended),
        }
    }
}
