//! Ages that stay right when the clock was set while no server ran.

use super::{Clock, now};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A time without messages: from one message to the next one, or to the start of the server. Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The time of the message before it.
    pub begin: u64,
    /// The time of the message after it, or of the start.
    pub end: u64,
}

/// Ages of what is stored: of messages, of idempotency keys, and of events.
///
/// [`Clock`] notices if the clock is set while a server runs. Only the times of messages show how much time
/// passed before the start, and a clock that was set ahead leaves the same gap between them as a server that
/// was off. So the longest gap since a time does not count as age, if the gap is at least as long as the thing
/// is kept. If the clock was set ahead once by that much, nothing seems older than it is. If the clock was
/// right, things become old later, by that gap at most. A shorter gap counts as age, because a host may be off
/// every night: a clock that was set ahead by less makes things old early by that much.
#[derive(Debug)]
pub struct Ages {
    clock: Arc<Clock>,
    /// The gaps before the start.
    gaps: Vec<Gap>,
    /// The log was told that a gap keeps something.
    is_told: AtomicBool,
}

impl Ages {
    /// The ages in a store that had these gaps up to [`Clock::started_at`].
    pub fn new(clock: Arc<Clock>, gaps: Vec<Gap>) -> Self {
        Self { clock, gaps, is_told: AtomicBool::new(false) }
    }

    /// The age of a time in seconds, for something that is kept `life` seconds; `None` if this clock never
    /// showed that time, such as the future.
    fn of(&self, stamp: u64, life: u64) -> Option<u64> {
        let age = self.clock.age(stamp)?;
        let gap = self.longest_gap_since(stamp);
        Some(if gap >= life { age.saturating_sub(gap) } else { age })
    }

    /// Whether a time is more than `life` seconds ago.
    pub fn is_older(&self, stamp: u64, life: u64) -> bool {
        let is_older = self.of(stamp, life).is_some_and(|age| age > life);
        if !is_older {
            self.tell_kept(stamp, life);
        }
        is_older
    }

    /// The age of a time in seconds, for something that is kept `life` seconds. The age of a time that this
    /// clock never showed is the time since the start, because what has that time was there at the start.
    pub fn since_start_or_of(&self, stamp: u64, life: u64) -> u64 {
        self.of(stamp, life).unwrap_or_else(|| self.clock.watched())
    }

    /// Unix seconds to compare with times that lie `life` seconds back. A time more than `life` before it is
    /// really that old. No gap counts here, so events and marks may be kept longer than `life`.
    pub fn now(&self, life: u64) -> u64 {
        let now = now().saturating_sub(self.clock.set_ahead());
        let recent = self.gaps.iter().filter(|gap| gap.end.saturating_add(life) > now);
        now.saturating_sub(recent.map(|gap| gap.end - gap.begin).max().unwrap_or_default())
    }

    /// Says once in the log that something is kept which the clock shows to be older than `life` seconds,
    /// because of a gap that is longer than that.
    pub fn tell_kept(&self, stamp: u64, life: u64) {
        let gap = self.longest_gap_since(stamp);
        let is_old = self.clock.age(stamp).is_some_and(|age| age >= life);
        if is_old && gap >= life && !self.is_told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                seconds = gap,
                "before the server started there was a long time without any message: the clock of this host \
                 may have been set ahead. That time is not counted when old messages are deleted, and when \
                 messages that wait are given up"
            );
        }
    }

    fn longest_gap_since(&self, stamp: u64) -> u64 {
        let since = self.gaps.iter().filter(|gap| gap.end > stamp);
        since.map(|gap| gap.end - gap.begin.max(stamp)).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 60 * 60;

    /// The age of something that is kept ten days. Gaps and times are given in days before now.
    fn age(gaps: &[(u64, u64)], days: u64) -> u64 {
        let clock = Arc::new(Clock::start());
        let at = |days: u64| clock.started_at() - days * DAY;
        let gaps = gaps.iter().map(|(begin, end)| Gap { begin: at(*begin), end: at(*end) });
        let gaps = gaps.collect();
        Ages::new(clock.clone(), gaps).of(at(days), 10 * DAY).unwrap() / DAY
    }

    #[test]
    fn the_longest_gap_since_a_time_does_not_count_to_its_age() {
        assert_eq!(age(&[], 40), 40);
        for (gaps, days, expected) in [
            (&[(365, 0)][..], 400, 35),
            // A message came since.
            (&[(365, 1)], 400, 36),
            (&[(365, 1)], 365, 1),
            (&[(365, 31)], 365, 31),
            (&[(365, 31)], 20, 20),
            // Its own gap counts from itself on.
            (&[(365, 31)], 100, 31),
            (&[(365, 31), (20, 10)], 20, 10),
            (&[(365, 31), (20, 10)], 366, 32),
            // It is too short to make anything old.
            (&[(20, 11)], 20, 20),
            (&[(40, 0)], 9, 9),
        ] {
            assert_eq!(age(gaps, days), expected, "{gaps:?}: {days}");
        }
    }

    #[test]
    fn events_are_as_old_as_messages() {
        let clock = Arc::new(Clock::start());
        let at = |days: u64| clock.started_at() - days * DAY;
        for (begin, end, life, expected) in [(365, 1, 7, 364), (365, 8, 7, 0), (365, 8, 30, 357)] {
            let gaps = vec![Gap { begin: at(begin), end: at(end) }];
            let ahead = now() - Ages::new(clock.clone(), gaps).now(life * DAY);
            assert!(ahead.abs_diff(expected * DAY) < DAY, "{begin} to {end}: {ahead}");
        }
    }

    #[test]
    fn a_time_of_another_clock_is_at_least_as_old_as_the_start() {
        let clock = Arc::new(Clock::start());
        let ages = Ages::new(clock.clone(), Vec::new());
        let future = now() + DAY;
        assert_eq!(ages.of(future, DAY), None);
        assert!(ages.since_start_or_of(future, DAY) <= clock.watched());
    }
}
