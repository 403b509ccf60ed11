//! Wrong tokens, counted by address: an address with too many has to wait.

use super::refusal::RefusalKind;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The most addresses that are remembered; beyond it, quiet ones are dropped.
const MAX_ADDRESSES: usize = 10_000;

/// Refusals of one kind that are logged one after the other, for somebody who tries one address after the other.
const LOGGED_AT_ONCE: NonZeroU32 = NonZeroU32::new(5).unwrap();

/// Counts of wrong tokens for each address.
#[derive(Debug)]
pub(super) struct AttemptThrottle {
    wrong: DefaultKeyedRateLimiter<IpAddr>,
    logged: DefaultKeyedRateLimiter<(IpAddr, RefusalKind)>,
    /// The time until which an address has to wait.
    waiting: Mutex<HashMap<IpAddr, Instant>>,
}

/// The time that an address has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RetryAfter {
    pub(super) left: Duration,
    /// The address did not have to wait before.
    pub(super) is_new: bool,
}

impl AttemptThrottle {
    /// Allows this number of wrong tokens each minute.
    pub(super) fn new(per_minute: NonZeroU32) -> Self {
        let wrong = RateLimiter::keyed(Quota::per_minute(per_minute));
        let logged =
            RateLimiter::keyed(Quota::per_minute(NonZeroU32::MIN).allow_burst(LOGGED_AT_ONCE));
        Self { wrong, logged, waiting: Mutex::default() }
    }

    /// Whether a refusal of this address may be logged: each kind a few times, and then once a minute.
    pub(super) fn may_log(&self, address: IpAddr, refusal: RefusalKind) -> bool {
        if self.logged.len() > MAX_ADDRESSES {
            self.logged.retain_recent();
        }
        self.logged.check_key(&(network(address), refusal)).is_ok()
    }

    /// Counts a wrong token; returns the wait if the address sent too many.
    pub(super) fn count_wrong(&self, address: IpAddr) -> Option<RetryAfter> {
        let (address, now) = (network(address), Instant::now());
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = waiting.get(&address).filter(|until| **until > now) {
            return Some(RetryAfter { left: *until - now, is_new: false });
        }
        if self.wrong.len() > MAX_ADDRESSES {
            self.wrong.retain_recent();
        }
        let until = self.wrong.check_key(&address).err()?;
        let left = until.wait_time_from(DefaultClock::default().now());
        if waiting.len() > MAX_ADDRESSES {
            waiting.retain(|_, until| *until > now);
        }
        waiting.insert(address, now + left);
        Some(RetryAfter { left, is_new: true })
    }
}

/// The network of an IPv6 address, because a client usually has all 2⁶⁴ addresses of it.
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
    fn an_address_that_is_wrong_too_often_has_to_wait_and_others_do_not() {
        let throttle = AttemptThrottle::new(NonZeroU32::new(3).unwrap());
        let [bad, near, good] =
            ["2001:db8::1", "2001:db8::ffff", "192.0.2.1"].map(|ip| ip.parse().unwrap());
        assert!((0..3).all(|_| throttle.count_wrong(bad).is_none()));
        let first = throttle.count_wrong(near).unwrap();
        assert!(first.is_new && first.left <= Duration::from_secs(20));
        assert!(throttle.count_wrong(bad).is_some_and(|wait| !wait.is_new));
        assert_eq!(throttle.count_wrong(good), None);
        let may_log = |address, refusal| throttle.may_log(address, refusal);
        assert!((0..LOGGED_AT_ONCE.get()).all(|_| may_log(bad, RefusalKind::NoToken)));
        assert!(!may_log(near, RefusalKind::NoToken));
        assert!(may_log(good, RefusalKind::NoToken));
        assert!(may_log(near, RefusalKind::WrongToken) && may_log(bad, RefusalKind::WrongPath));
    }
}
