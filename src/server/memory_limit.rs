//! A limit on the bytes of all bodies of requests and answers together.

use super::error::{ErrorResponse, Result};
use super::limit::{LimitOf, RETRY_AFTER, may_log};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes for each permit of the semaphore.
const PERMIT_BYTES: usize = 1 << 10;

/// The key of the configuration.
const KEY: &str = "memory_bytes";

/// Bodies up to this size are small.
const SMALL_BODY_BYTES: usize = 64 << 10;

/// The fraction of all bytes that is reserved for small answers, so that slow readers of large
/// answers do not block others.
const SMALL_PART: u32 = 8;

/// Bytes that bodies may take.
#[derive(Clone, Debug)]
pub struct Memory {
    large: Pool,
    small: Pool,
}

#[derive(Clone, Debug)]
struct Pool {
    units: u32,
    free: Arc<Semaphore>,
}

/// Bytes of one body; returned when this is dropped.
#[derive(Debug)]
pub struct Reservation(OwnedSemaphorePermit);

/// Bytes of a body, with their reservation.
struct Held {
    bytes: Bytes,
    _reservation: Reservation,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Memory {
    /// A limit of this number of bytes.
    pub fn new(bytes: usize) -> Self {
        let units = u32::try_from(bytes / PERMIT_BYTES).unwrap_or(u32::MAX);
        let small = units / SMALL_PART;
        Self { large: Pool::new(units - small), small: Pool::new(small) }
    }

    /// Reserves bytes for an answer; 503 if the limit is reached.
    ///
    /// # Errors
    ///
    /// The limit is reached; the answer asks the client to try again.
    pub fn reserve(&self, bytes: usize) -> Result<Reservation> {
        self.pool(bytes).reserve(bytes)
    }

    /// Reserves bytes for a request's body; 503 if the limit is reached.
    ///
    /// # Errors
    ///
    /// The limit is reached; the answer asks the client to try again.
    pub fn reserve_received(&self, bytes: usize) -> Result<Reservation> {
        self.large.reserve(bytes)
    }

    /// Reserves bytes as soon as there are enough; `None` if that takes longer than `limit`.
    pub async fn reserve_within(&self, limit: Duration, bytes: usize) -> Option<Reservation> {
        let pool = self.pool(bytes);
        let permit = pool.free.clone().acquire_many_owned(pool.units(bytes));
        let permit =
            tokio::time::timeout(limit, permit).await.ok().and_then(std::result::Result::ok);
        if permit.is_none() {
            log_full();
        }
        permit.map(Reservation)
    }

    fn pool(&self, bytes: usize) -> &Pool {
        if bytes <= SMALL_BODY_BYTES { &self.small } else { &self.large }
    }
}

impl Pool {
    fn new(units: u32) -> Self {
        let units = units.max(1);
        Self { units, free: Arc::new(Semaphore::new(units as usize)) }
    }

    fn reserve(&self, bytes: usize) -> Result<Reservation> {
        let permit = self.free.clone().try_acquire_many_owned(self.units(bytes));
        permit.map(Reservation).map_err(|_| {
            log_full();
            let text = format!(
                "the memory for requests and answers is used up (`limits.{KEY}`); try again later"
            );
            ErrorResponse::unavailable(text, RETRY_AFTER)
        })
    }

    /// A single body is always allowed, even if the limit is smaller.
    fn units(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX).min(self.units)
    }
}

impl Reservation {
    /// The bytes; they keep the reservation until the last of them is written.
    pub fn hold(self, bytes: impl Into<Bytes>) -> Bytes {
        Bytes::from_owner(Held { bytes: bytes.into(), _reservation: self })
    }

    /// Adds another reservation to this one.
    pub fn merge(&mut self, other: Self) {
        self.0.merge(other.0);
    }
}

fn log_full() {
    if may_log(KEY, LimitOf::All) {
        tracing::warn!(limit = KEY, "bodies of requests and answers reached the limit of memory");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_free_again_when_the_last_of_them_is_gone() {
        let memory = Memory::new(800 * PERMIT_BYTES);
        let held = memory.reserve(600 * PERMIT_BYTES).unwrap().hold(vec![0; 600 * PERMIT_BYTES]);
        assert!(memory.reserve(200 * PERMIT_BYTES).is_err());
        assert!(memory.reserve(PERMIT_BYTES).is_ok(), "small answers have a part of their own");
        let rest = held.slice(100..);
        drop(held);
        assert!(memory.reserve(200 * PERMIT_BYTES).is_err());
        drop(rest);
        assert!(memory.reserve(200 * PERMIT_BYTES).is_ok());
        assert!(memory.reserve(10_000 * PERMIT_BYTES).is_ok(), "one body alone is always held");
    }
}
