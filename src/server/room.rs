//! Places that are limited in number: connections, sessions, implementations.

use super::error::{Refusal, Result};
use crate::metrics::METRICS;
use hyper::StatusCode;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Room for so many of a kind.
#[derive(Clone, Debug)]
pub struct Room {
    /// The key of the configuration that sets how many.
    key: &'static str,
    most: usize,
    places: Arc<Semaphore>,
}

impl Room {
    /// Room for `most`, set by the configuration's `key`.
    pub fn new(key: &'static str, most: usize) -> Self {
        Self { key, most, places: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))) }
    }

    /// A place, for as long as it is held; 503 where all are taken.
    pub fn enter(&self) -> Result<OwnedSemaphorePermit> {
        self.places.clone().try_acquire_owned().map_err(|_| {
            METRICS.limit_hit(self.key);
            tracing::warn!(limit = self.key, most = self.most, "no room for another one");
            let Self { key, most, .. } = self;
            let text = format!("there are {most} already; `limits.{key}` allows no more");
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, text)
        })
    }
}

/// How many connections each address has.
#[derive(Clone, Debug)]
pub struct Addresses {
    most: usize,
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A connection's place among all, and among those of its address.
#[derive(Debug)]
pub struct Place {
    pub(super) _connection: OwnedSemaphorePermit,
    pub(super) _address: Option<AddressPlace>,
}

/// A connection's place among those of its address.
#[derive(Debug)]
pub struct AddressPlace {
    address: IpAddr,
    all: Addresses,
}

impl Addresses {
    /// Room for `most` connections from each address.
    pub fn new(most: usize) -> Self {
        Self { most, counts: Arc::default() }
    }

    /// A place for one more from there; `None` where it has all that it may have.
    pub fn enter(&self, address: IpAddr) -> Option<AddressPlace> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(AddressPlace { address, all: self.clone() })
    }
}

impl Drop for AddressPlace {
    fn drop(&mut self) {
        let mut counts = self.all.counts.lock().unwrap_or_else(PoisonError::into_inner);
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
    fn a_place_that_is_left_can_be_taken_again() {
        let room = Room::new("sessions", 1);
        let place = room.enter().unwrap();
        assert!(room.enter().is_err());
        drop(place);
        assert!(room.enter().is_ok());
        let addresses = Addresses::new(1);
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|ip| ip.parse().unwrap());
        let place = addresses.enter(one);
        assert!(addresses.enter(one).is_none() && addresses.enter(other).is_some());
        drop(place);
        assert!(addresses.enter(one).is_some());
        assert!(addresses.counts.lock().unwrap().is_empty());
    }
}
