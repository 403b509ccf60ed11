//! Lifetime of a connection: until the server stops, or its token is revoked.

use super::access::Revocation;
use std::future::Future;
use tokio_util::sync::CancellationToken;

/// The end of a WebSocket session, a stream or an adapter's connection.
#[derive(Clone, Debug)]
pub struct Lifetime {
    stop: CancellationToken,
    revoked: Revocation,
}

/// Reason of the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The server stops.
    Stopping,
    /// The token is not accepted any more.
    Revoked,
}

impl Lifetime {
    /// Ends with the first of the two.
    pub fn new(stop: CancellationToken, revoked: Revocation) -> Self {
        Self { stop, revoked }
    }

    /// Waits for the end.
    pub async fn ended(&self) -> Ended {
        tokio::select! {
            () = self.stop.cancelled() => Ended::Stopping,
            () = self.revoked.cancelled() => Ended::Revoked,
        }
    }

    /// Runs `work` until the end of the lifetime.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> Result<T, Ended> {
        tokio::select! {
            biased;
            ended = self.ended() => Err(ended),
            done = work => Ok(done),
        }
    }

    /// Runs a write until the end of the lifetime. Most writes finish at once, and checking both
    /// tokens costs almost as much, so the write is polled first, and only one that waits needs memory for
    /// the checks.
    pub async fn write<T>(&self, write: impl Future<Output = T>) -> Result<T, Ended> {
        tokio::select! {
            biased;
            done = write => Ok(done),
            ended = async { Box::pin(self.ended()).await } => Err(ended),
        }
    }
}
