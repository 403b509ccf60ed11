//! The time of day, and ages that stay right when the clock is set.

mod ages;

pub use ages::{Ages, Gap};

use rustix::time::{ClockId, clock_gettime};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_util::sync::CancellationToken;

/// Seconds by which the clock may differ from the time that passed; a larger difference means that
/// it was set.
const TOLERANCE: i64 = 10;

/// Times before this one (the year 2000) come from a clock that had not been set yet.
const UNSET: i64 = 946_684_800;

/// Pause between checks whether the clock was set.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// Changes of the clock that are remembered separately.
const MAX_JUMPS: usize = 64;

/// Unix seconds; 0 if the clock is before 1970.
pub fn now() -> u64 {
    unix_seconds(SystemTime::now())
}

/// Unix milliseconds; 0 if the clock is before 1970.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A time in Unix seconds; 0 if it is before 1970.
pub fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Seconds of the monotonic clock, which cannot be set. On Linux it also counts while the host sleeps.
fn monotonic() -> i64 {
    #[cfg(target_os = "linux")]
    let id = ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let id = ClockId::Monotonic;
    clock_gettime(id).tv_sec
}

/// Watches for changes of the clock, so that nothing seems older than it is.
#[derive(Debug)]
pub struct Clock(Mutex<Timeline>);

impl Clock {
    /// Begins to watch.
    pub fn start() -> Self {
        Self(Mutex::new(Timeline::begin(now().cast_signed(), monotonic())))
    }

    /// When the watch began, in Unix seconds by the clock of that time.
    pub fn started_at(&self) -> u64 {
        let timeline = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        timeline.began_at.cast_unsigned()
    }

    /// Checks the clock regularly, until `stop`.
    pub async fn watch(&self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(CHECK_INTERVAL)).await.is_some() {
            self.look();
        }
    }

    /// Checks the clock; logs it if the clock was set.
    fn look(&self) {
        let mut timeline = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(by) = timeline.look(now().cast_signed(), monotonic()) {
            let way = if by > 0 { "ahead" } else { "back" };
            tracing::warn!(seconds = by.abs(), "the clock of this host was set {way}");
        }
    }

    /// The smallest possible age of a timestamp in seconds; `None` if this clock never showed that
    /// time.
    pub fn age(&self, stamp: u64) -> Option<u64> {
        self.look();
        let timeline = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        timeline.age(stamp.cast_signed())
    }

    /// By how many seconds the clock was set ahead since the watch began, all together.
    pub fn set_ahead(&self) -> u64 {
        self.look();
        let timeline = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        timeline.set_ahead()
    }

    /// Seconds since the beginning of the watch.
    pub fn watched(&self) -> u64 {
        let timeline = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (monotonic() - timeline.began).cast_unsigned()
    }
}

/// The times that the clock has shown, as eras: each lasts from one change of the clock to the
/// next.
#[derive(Debug)]
struct Timeline {
    /// When the watch began, in monotonic seconds.
    began: i64,
    /// When the watch began, by the clock of that time.
    began_at: i64,
    /// Earliest time from which timestamps of before the start can be right.
    begin: i64,
    /// The time that was read last.
    wall: i64,
    monotonic: i64,
    jumps: VecDeque<Jump>,
}

/// The clock was set: the era up to `end` ended, and another began no earlier than `begin`.
#[derive(Debug)]
struct Jump {
    end: i64,
    begin: i64,
    by: i64,
}

impl Timeline {
    fn begin(wall: i64, monotonic: i64) -> Self {
        let begin = UNSET.min(wall);
        Self { began: monotonic, began_at: wall, begin, wall, monotonic, jumps: VecDeque::new() }
    }

    /// Notes the present time; returns by how much the clock was set since the last call, if it
    /// was.
    fn look(&mut self, wall: i64, monotonic: i64) -> Option<i64> {
        let passed = (monotonic - self.monotonic).max(0);
        let expected = self.wall + passed;
        (self.wall, self.monotonic) = (wall, monotonic);
        let by = wall - expected;
        if by.abs() <= TOLERANCE {
            return None;
        }
        // The clock was set at an unknown moment since the last check.
        let (end, begin) = (expected + TOLERANCE, wall - passed - TOLERANCE);
        self.jumps.push_back(Jump { end, begin, by });
        if self.jumps.len() > MAX_JUMPS
            && let (Some(first), Some(second)) = (self.jumps.pop_front(), self.jumps.front_mut())
        {
            // The two changes are merged so that nothing becomes older than it is.
            second.end = second.end.max(first.end);
            second.by = first.by.max(0) + second.by.max(0);
        }
        Some(by)
    }

    fn set_ahead(&self) -> u64 {
        self.jumps.iter().map(|jump| jump.by.max(0).cast_unsigned()).sum()
    }

    /// The smallest age that the timestamp can have, by the eras that showed its time.
    fn age(&self, stamp: i64) -> Option<u64> {
        let mut set_since: i64 = self.jumps.iter().map(|jump| jump.by).sum();
        let mut begin = self.begin;
        let mut least: Option<i64> = None;
        let last = Jump { end: self.wall + TOLERANCE, begin: 0, by: 0 };
        for jump in self.jumps.iter().chain([&last]) {
            if (begin..=jump.end).contains(&stamp) {
                let age = self.wall - stamp - set_since;
                least = Some(least.map_or(age, |least| least.min(age)));
            }
            set_since -= jump.by;
            begin = jump.begin;
        }
        least.map(|age| age.max(0).cast_unsigned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: i64 = 86_400;
    const START: i64 = 1_800_000_000;

    #[test]
    fn what_was_stamped_before_the_clock_was_set_is_as_old_as_it_is() {
        let mut timeline = Timeline::begin(START, 5);
        assert_eq!(timeline.age(START - DAY), Some(86_400));
        assert_eq!(timeline.look(START + 100, 105), None);
        assert_eq!(timeline.look(START + 160 + DAY, 165), Some(DAY));
        assert_eq!(timeline.age(START + 100), Some(60));
        assert_eq!(timeline.age(START + DAY + 150), Some(10));
        assert_eq!(timeline.look(170, 175), Some(-START - DAY));
        assert_eq!(timeline.age(START + 100), Some(70), "in 1970");
        assert_eq!(timeline.age(170), Some(0));
        assert_eq!(timeline.look(START + 180, 185), Some(START));
        assert_eq!(timeline.age(START + 100), Some(80), "right again");
        assert_eq!(timeline.age(170), Some(10), "made in 1970");
        assert_eq!(timeline.age(START + 2 * DAY), None, "of no time that was");
        assert_eq!(timeline.age(1000), None, "of 1970, and not of this run");
        assert_eq!(timeline.set_ahead(), (DAY + START).cast_unsigned());
    }

    proptest! {
        #[test]
        fn nothing_is_older_than_it_is(
            steps in proptest::collection::vec((0i64..5_000, -100_000i64..100_000, any::<bool>()), 1..90),
        ) {
            let (mut wall, mut monotonic) = (START, 0);
            let mut timeline = Timeline::begin(wall, monotonic);
            let mut stamped = vec![(wall - 500, monotonic - 500)];
            for (pause, by, is_set) in steps {
                (wall, monotonic) = (wall + pause, monotonic + pause);
                stamped.push((wall, monotonic));
                if is_set {
                    wall += by;
                    stamped.push((wall, monotonic));
                }
                // Some time passes before the next check.
                (wall, monotonic) = (wall + 3, monotonic + 3);
                stamped.push((wall, monotonic));
                timeline.look(wall, monotonic);
                for (stamp, at) in &stamped {
                    let age = timeline.age(*stamp);
                    let real = monotonic - at;
                    // A change within the tolerance is not noticed.
                    let unseen = TOLERANCE * i64::try_from(stamped.len()).unwrap();
                    prop_assert!(age.is_some_and(|age| age.cast_signed() <= real + unseen), "{age:?} {real}");
                }
            }
        }

        #[test]
        fn a_clock_that_nobody_sets_tells_ages_exactly(age in 0i64..1_000_000, pause in 0i64..1_000_000) {
            let mut timeline = Timeline::begin(START, 0);
            timeline.look(START + pause, pause);
            prop_assert_eq!(timeline.age(START - age), Some((age + pause).cast_unsigned()));
        }
    }
}
