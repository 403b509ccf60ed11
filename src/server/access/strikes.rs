//! Wrong tokens, counted by address: who shows too many is not listened to for a while.

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Addresses that are remembered; with more, those that have been quiet are forgotten.
const MAX_ADDRESSES: usize = 10_000;

/// How often each address may be wrong.
#[derive(Debug)]
pub(super) struct Strikes {
    wrong: DefaultKeyedRateLimiter<IpAddr>,
    /// Until when an address is not listened to.
    out: Mutex<HashMap<IpAddr, Instant>>,
}

impl Strikes {
    /// So many wrong tokens a minute are let pass.
    pub(super) fn new(a_minute: NonZeroU32) -> Self {
        let wrong = RateLimiter::keyed(Quota::per_minute(a_minute));
        Self { wrong, out: Mutex::default() }
    }

    /// How long this address is still out, if it is.
    pub(super) fn is_out(&self, address: IpAddr) -> Option<Duration> {
        let out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let left = out.get(&network(address))?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// Counts a wrong token; `true` where the address is out from now on.
    pub(super) fn strike(&self, address: IpAddr) -> bool {
        let address = network(address);
        if self.wrong.len() > MAX_ADDRESSES {
            self.wrong.retain_recent();
        }
        let Err(until) = self.wrong.check_key(&address) else { return false };
        let wait = until.wait_time_from(DefaultClock::default().now());
        let now = Instant::now();
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        if out.len() > MAX_ADDRESSES {
            out.retain(|_, until| *until > now);
        }
        out.insert(address, now + wait);
        true
    }
}

/// Who has one IPv6 address usually has the 2⁶⁴ beside it.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_wrong_too_often_is_out_and_others_are_not() {
        let strikes = Strikes::new(NonZeroU32::new(3).unwrap());
        let (bad, good): (IpAddr, IpAddr) =
            ("2001:db8::1".parse().unwrap(), "192.0.2.1".parse().unwrap());
        let near = "2001:db8::ffff".parse().unwrap();
        assert!((0..3).all(|_| !strikes.strike(bad) && strikes.is_out(bad).is_none()));
        assert!(strikes.strike(near));
        assert!(strikes.is_out(bad).is_some_and(|left| left <= Duration::from_secs(20)));
        assert_eq!(strikes.is_out(good), None);
    }
}
