//! Limits of numbers: connections, sessions, implementations of platforms, exports.

use super::error::{ErrorResponse, Result};
use crate::metrics::METRICS;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// `Retry-After` of an answer about a reached limit.
pub const RETRY_AFTER: Duration = Duration::from_secs(5);

/// The bearer of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LimitOf {
    /// All clients together.
    All,
    /// One address.
    Address,
}

/// Counts that a limit was reached, and says whether to log it: each limit once a minute.
pub fn may_log(limit: &'static str, of: LimitOf) -> bool {
    static LOGGED: LazyLock<DefaultKeyedRateLimiter<(&'static str, LimitOf)>> =
        LazyLock::new(|| RateLimiter::keyed(Quota::per_minute(NonZeroU32::MIN)));
    METRICS.limit_hit(limit);
    LOGGED.check_key(&(limit, of)).is_ok()
}

/// A limit of how many things of a kind exist at the same time.
#[derive(Clone, Debug)]
pub struct Limit {
    /// The key of the configuration that sets it.
    key: &'static str,
    max: usize,
    permits: Arc<Semaphore>,
}

impl Limit {
    /// A limit of `max`, set by the key `key` of the configuration.
    pub fn new(key: &'static str, max: usize) -> Self {
        Self { key, max, permits: Arc::new(Semaphore::new(max.min(Semaphore::MAX_PERMITS))) }
    }

    /// A permit, counted as long as it is held; 503 if the limit is reached.
    ///
    /// # Errors
    ///
    /// The limit is reached; the answer asks the client to try again.
    pub fn acquire(&self) -> Result<OwnedSemaphorePermit> {
        self.permits.clone().try_acquire_owned().map_err(|_| {
            if may_log(self.key, LimitOf::All) {
                tracing::warn!(limit = self.key, max = self.max, "a limit is reached");
            }
            let Self { key, max, .. } = self;
            let text = format!("the limit of {max} is reached (`limits.{key}`)");
            ErrorResponse::unavailable(text, RETRY_AFTER)
        })
    }
}

/// A limit on the connections of each address.
#[derive(Clone, Debug)]
pub struct AddressLimit {
    max: usize,
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A permit for a connection, among all connections and among those of its address.
#[derive(Debug)]
pub struct ConnectionPermit {
    pub(super) _connection: OwnedSemaphorePermit,
    pub(super) _address: Option<AddressPermit>,
}

/// A connection's permit, held as long as any part of the connection is active.
pub type Permit = Arc<ConnectionPermit>;

/// A permit for a connection among those of its address.
#[derive(Debug)]
pub struct AddressPermit {
    address: IpAddr,
    limit: AddressLimit,
}

impl AddressLimit {
    /// A limit of `max` connections from each address.
    pub fn new(max: usize) -> Self {
        Self { max, counts: Arc::default() }
    }

    /// A permit for one more connection from `address`; `None` if the limit is reached.
    pub fn acquire(&self, address: IpAddr) -> Option<AddressPermit> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= self.max {
            return None;
        }
        *count += 1;
        Some(AddressPermit { address, limit: self.clone() })
    }
}

/// A limit on connections that have not sent a token yet. Those of one address cannot block all
/// others.
#[derive(Clone, Debug)]
pub struct UnidentifiedLimit {
    all: Limit,
    addresses: AddressLimit,
}

/// An address may take this fraction of all permits, and at least this number.
const ADDRESS_PART: usize = 4;
const MIN_OF_ADDRESS: usize = 4;

impl UnidentifiedLimit {
    /// A limit of `max`, set by the key `key` of the configuration, of which each address may take
    /// a fraction.
    pub fn new(key: &'static str, max: usize) -> Self {
        let of_address = (max / ADDRESS_PART).max(MIN_OF_ADDRESS);
        Self { all: Limit::new(key, max), addresses: AddressLimit::new(of_address) }
    }

    /// A permit for one more connection, counted as long as it is held; the Unix socket has no
    /// address.
    ///
    /// # Errors
    ///
    /// The limit is reached; the answer asks the client to try again.
    pub fn acquire(&self, address: Option<IpAddr>) -> Result<ConnectionPermit> {
        let address = match address {
            Some(address) => Some(self.addresses.acquire(address).ok_or_else(|| {
                let max = self.addresses.max;
                if may_log(self.all.key, LimitOf::Address) {
                    tracing::warn!(%address, max, "too many connections from one address have not sent a token");
                }
                let text = format!(
                    "there are {max} connections from this address already that have not shown a \
                     token; send it in the first frame, and close those that say nothing"
                );
                ErrorResponse::unavailable(text, RETRY_AFTER)
            })?),
            None => None,
        };
        Ok(ConnectionPermit { _connection: self.all.acquire()?, _address: address })
    }
}

impl Drop for AddressPermit {
    fn drop(&mut self) {
        let mut counts = self.limit.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permit_that_was_given_back_can_be_had_again() {
        let limit = Limit::new("sessions", 1);
        let permit = limit.acquire().unwrap();
        assert!(limit.acquire().is_err());
        drop(permit);
        assert!(limit.acquire().is_ok());
        let addresses = AddressLimit::new(1);
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|ip| ip.parse().unwrap());
        let permit = addresses.acquire(one);
        assert!(addresses.acquire(one).is_none() && addresses.acquire(other).is_some());
        drop(permit);
        assert!(addresses.acquire(one).is_some());
        assert!(addresses.counts.lock().unwrap().is_empty());
    }

    #[test]
    fn one_address_takes_a_part_of_the_places() {
        let limit = UnidentifiedLimit::new("adapters", 64);
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|ip| Some(ip.parse().unwrap()));
        let held: Vec<_> = std::iter::from_fn(|| limit.acquire(one).ok()).collect();
        assert_eq!(held.len(), 16);
        let refused = limit.acquire(one).unwrap_err();
        assert!(refused.text().contains("16 connections from this address"), "{}", refused.text());
        assert!(limit.acquire(other).is_ok() && limit.acquire(None).is_ok());
        drop(held);
        assert!(limit.acquire(one).is_ok());
    }
}
