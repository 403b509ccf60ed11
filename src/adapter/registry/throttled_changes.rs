//! Limits how often state changes are reported: an account that reconnects all the time must not fill
//! the log.

use super::changes::Changes;
use crate::protocol::platform::AdapterStatusChange;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Changes of one account that are told at once.
const AT_ONCE: u32 = 10;

/// After those, one change is told in this time: the newest.
const PAUSE: Duration = Duration::from_secs(30);

/// Platform and account.
type AccountKey = (String, Option<String>);

/// The changes of state, for one reader who is not told of each where they are many.
#[derive(Debug)]
pub struct ThrottledChanges {
    changes: Changes,
    accounts: HashMap<AccountKey, Budget>,
}

/// How many changes of an account may be told now.
#[derive(Debug)]
struct Budget {
    left: u32,
    /// When `left` last grew.
    since: Instant,
    /// The newest change that was not told, for lack of budget.
    held: Option<AdapterStatusChange>,
}

impl ThrottledChanges {
    pub(super) fn new(changes: Changes) -> Self {
        Self { changes, accounts: HashMap::new() }
    }

    /// The next change that may be told.
    pub async fn next(&mut self) -> AdapterStatusChange {
        loop {
            let due = self.accounts.values().filter_map(Budget::due).min();
            let change = tokio::select! {
                biased;
                change = self.changes.next() => Some(change),
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => None,
            };
            let now = Instant::now();
            let told = match change {
                Some(change) => self.take(change, now),
                None => self.accounts.values_mut().find_map(|budget| budget.release(now)),
            };
            self.accounts.retain(|_, budget| !budget.is_whole(now));
            if let Some(change) = told {
                return change;
            }
        }
    }

    fn take(&mut self, change: AdapterStatusChange, now: Instant) -> Option<AdapterStatusChange> {
        let key = (change.platform.clone(), change.account.clone());
        let new = Budget { left: AT_ONCE, since: now, held: None };
        let budget = self.accounts.entry(key).or_insert(new);
        budget.held = Some(change);
        budget.release(now)
    }
}

impl Budget {
    /// When the change that is held may be told.
    fn due(&self) -> Option<Instant> {
        self.held.as_ref().map(|_| if self.left > 0 { self.since } else { self.since + PAUSE })
    }

    /// Gives the change that is held, if it may be told now.
    fn release(&mut self, now: Instant) -> Option<AdapterStatusChange> {
        while self.left < AT_ONCE && now >= self.since + PAUSE {
            (self.left, self.since) = (self.left + 1, self.since + PAUSE);
        }
        if self.left == 0 {
            return None;
        }
        let held = self.held.take()?;
        if self.left == AT_ONCE {
            self.since = now;
        }
        self.left -= 1;
        Some(held)
    }

    /// Whether it is as if nothing had been told.
    fn is_whole(&self, now: Instant) -> bool {
        self.held.is_none() && now >= self.since + PAUSE * (AT_ONCE - self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Registry;
    use super::*;
    use crate::protocol::platform::PlatformState;

    fn change(state: PlatformState) -> AdapterStatusChange {
        let (platform, account) = ("qq".to_owned(), Some("1".to_owned()));
        AdapterStatusChange { platform, account, state, reason: None }
    }

    #[tokio::test]
    async fn of_many_changes_the_first_ones_are_told_and_then_the_newest() {
        let mut throttled = ThrottledChanges::new(Registry::new().changes());
        let begin = Instant::now();
        let mut told = 0;
        for n in 0..200 {
            let state = if n % 2 == 0 { PlatformState::Error } else { PlatformState::Connected };
            told += u32::from(throttled.take(change(state), begin).is_some());
        }
        assert_eq!(told, AT_ONCE);
        let budget = throttled.accounts.values_mut().next().unwrap();
        assert_eq!(budget.due(), Some(begin + PAUSE));
        assert_eq!(budget.release(begin + PAUSE / 2), None);
        assert_eq!(budget.release(begin + PAUSE), Some(change(PlatformState::Connected)));
        assert_eq!(budget.due(), None);
        assert!(!budget.is_whole(begin + PAUSE));
        assert!(budget.is_whole(begin + PAUSE * (AT_ONCE + 1)));
    }
}
