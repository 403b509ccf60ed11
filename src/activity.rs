//! Number of inbound and outbound messages in each minute of the last day.
//!
//! Counted in memory with each commit. The time before the start is read from the journal once, on a
//! thread of its own.

use crate::health;
use crate::model::change::{Change, ChangeEffect};
use crate::model::message::Direction;
use crate::store::record::MessageTimes;
use crate::store::{Result, Store};
use std::sync::{Arc, Mutex, PoisonError};

/// Minutes that are remembered: a day.
pub const MAX_MINUTES: usize = 24 * 60;

/// The most messages that are read at the start. If the day has more, the oldest are not counted.
const MAX_READ: usize = 1_000_000;

/// The reading stops after this many old messages in a row. A single old message is no proof that
/// the day is over, because platforms deliver some messages late.
const OLD_IN_A_ROW: usize = 10_000;

const MINUTE: u64 = 60;

/// Messages of each minute, by `created_at`.
#[derive(Debug)]
pub struct ActivityCounts(Mutex<Ring>);

/// Answer of [`ActivityCounts::last`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Minutes {
    /// Unix seconds at which the first minute begins.
    pub from: u64,
    /// Inbound messages a minute, the oldest first.
    pub inbound: Vec<u64>,
    /// Outbound messages a minute.
    pub outbound: Vec<u64>,
}

/// Minute `m` is at `m % MAX_MINUTES`; minutes that are a day older than the newest are dropped.
#[derive(Debug)]
struct Ring {
    newest: u64,
    counts: Vec<[u64; 2]>,
}

impl Default for ActivityCounts {
    fn default() -> Self {
        Self(Mutex::new(Ring { newest: 0, counts: vec![[0; 2]; MAX_MINUTES] }))
    }
}

impl ActivityCounts {
    /// Counts what was committed, as of `now` (Unix seconds).
    pub fn committed(&self, changes: &[Change], now: u64) {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ring.advance(now / MINUTE);
        for change in changes {
            if let ChangeEffect::Created(message) | ChangeEffect::PutBack(message) = &change.effect
            {
                ring.add(message.created_at, message.direction);
            }
        }
    }

    /// The last `minutes` (at most [`MAX_MINUTES`]), including the minute of `now`.
    pub fn last(&self, minutes: usize, now: u64) -> Minutes {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ring.advance(now / MINUTE);
        let first = (ring.newest + 1).saturating_sub(minutes.min(MAX_MINUTES) as u64);
        let counts = |direction: Direction| {
            let of = |minute| ring.counts[place(minute)][direction as usize];
            (first..=ring.newest).map(of).collect()
        };
        Minutes {
            from: first * MINUTE,
            inbound: counts(Direction::Inbound),
            outbound: counts(Direction::Outbound),
        }
    }

    /// Starts to read the messages before the start from the journal; commits until now are not
    /// counted again.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn read_back(self: &Arc<Self>, store: &Store, now: u64) -> Result<()> {
        let (view, activity) = (store.view()?, self.clone());
        activity.0.lock().unwrap_or_else(PoisonError::into_inner).advance(now / MINUTE);
        health::blocking("activity", move || {
            let mut old = 0;
            for times in view.times()?.take(MAX_READ) {
                let MessageTimes { created_at, direction, .. } = times?;
                let mut ring = activity.0.lock().unwrap_or_else(PoisonError::into_inner);
                old = if ring.add(created_at, direction) { 0 } else { old + 1 };
                if old >= OLD_IN_A_ROW {
                    break;
                }
            }
            Ok::<_, crate::store::StoreError>(())
        });
        Ok(())
    }
}

impl Ring {
    /// Empties the minutes that began since the last call.
    fn advance(&mut self, minute: u64) {
        let day = MAX_MINUTES as u64;
        // A larger difference than that of a late caller: the clock was set back.
        if minute + 1 < self.newest {
            for ahead in minute + 1..=self.newest.min(minute + day) {
                self.counts[place(ahead)] = [0; 2];
            }
            self.newest = minute;
        }
        for minute in (self.newest + 1).max((minute + 1).saturating_sub(day))..=minute {
            self.counts[place(minute)] = [0; 2];
        }
        self.newest = self.newest.max(minute);
    }

    /// Counts a message that was made at a time in Unix seconds; `false` if it is older than a day.
    fn add(&mut self, at: u64, direction: Direction) -> bool {
        let minute = at / MINUTE;
        let oldest = (self.newest + 1).saturating_sub(MAX_MINUTES as u64);
        let is_kept = (oldest..=self.newest).contains(&minute);
        if is_kept {
            self.counts[place(minute)][direction as usize] += 1;
        }
        is_kept
    }
}

fn place(minute: u64) -> usize {
    (minute % MAX_MINUTES as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::{Draft, MessageType};
    use proptest::prelude::*;

    fn message(at: u64, direction: Direction) -> Change {
        let draft = Draft::new(MessageType::Text, "x".into(), "1".into(), None).unwrap();
        let mut message = draft.into_message(1, uuid::Uuid::nil(), at);
        message.direction = direction;
        Change { offset: 1, effect: ChangeEffect::Created(message) }
    }

    #[test]
    fn a_clock_that_was_set_back_counts_on() {
        let activity = ActivityCounts::default();
        let (then, ahead) = (10_000_000, 50_000_000);
        for now in [then, ahead, then, 0, then] {
            activity.committed(&[message(now, Direction::Outbound)], now);
            let told = activity.last(60, now);
            assert_eq!(told.outbound.iter().sum::<u64>(), 1, "{told:?}");
            assert_eq!(told.from / MINUTE + told.outbound.len() as u64, now / MINUTE + 1);
        }
    }

    proptest! {
        #[test]
        fn every_minute_tells_its_own_messages(
            steps in proptest::collection::vec((0u64..40_000, 0u64..200_000, any::<bool>()), 0..60),
        ) {
            let (activity, mut now, mut all) = (ActivityCounts::default(), 10_000_000, Vec::new());
            for (pause, age, is_inbound) in steps {
                now += pause;
                let direction = if is_inbound { Direction::Inbound } else { Direction::Outbound };
                activity.committed(&[message(now - age, direction)], now);
                // A message that was too old when it came is not counted.
                if (now / MINUTE) - (now - age) / MINUTE < MAX_MINUTES as u64 {
                    all.push((now - age, direction));
                }
            }
            let told = activity.last(MAX_MINUTES, now);
            prop_assert_eq!(told.inbound.len(), MAX_MINUTES);
            for (i, minute) in (told.from / MINUTE..).take(MAX_MINUTES).enumerate() {
                let count = |direction| {
                    all.iter().filter(|(at, d)| at / MINUTE == minute && *d == direction).count()
                };
                prop_assert_eq!(told.inbound[i], count(Direction::Inbound) as u64);
                prop_assert_eq!(told.outbound[i], count(Direction::Outbound) as u64);
            }
            let hour = activity.last(60, now);
            prop_assert_eq!(&hour.outbound[..], &told.outbound[MAX_MINUTES - 60..]);
        }
    }
}
