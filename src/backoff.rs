//! Pauses between attempts, each twice as long as the one before.

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The first and the longest pause between looks at something that changes soon.
const POLL_PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(500)];

/// Pauses that double up to the longest one, without an end.
#[derive(Debug)]
pub struct Backoff {
    pauses: ExponentialBackoff,
    longest: Duration,
}

impl Backoff {
    /// Pauses from `first` up to `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { pauses: doubling(first, longest).build(), longest }
    }

    /// The same, each made longer by chance, so that many clients do not come back at one time.
    pub fn with_jitter(first: Duration, longest: Duration) -> Self {
        Self { pauses: doubling(first, longest).with_jitter().build(), longest }
    }

    /// The next pause.
    pub fn pause(&mut self) -> Duration {
        self.pauses.next().unwrap_or(self.longest)
    }
}

/// Looks at something that changes soon, with growing pauses, until a time limit.
#[derive(Debug)]
pub struct Polls {
    backoff: Backoff,
    began: Instant,
    limit: Duration,
}

impl Polls {
    /// Looks within a time limit from now on.
    pub fn within(limit: Duration) -> Self {
        let [first, longest] = POLL_PAUSES;
        Self { backoff: Backoff::new(first, longest), began: Instant::now(), limit }
    }

    /// The time since the first look.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Waits until the next look; `false` at once if the limit is over.
    pub async fn pause(&mut self) -> bool {
        let left = self.limit.saturating_sub(self.elapsed());
        if !left.is_zero() {
            sleep(self.backoff.pause().min(left)).await;
        }
        !left.is_zero()
    }
}

fn doubling(first: Duration, longest: Duration) -> ExponentialBuilder {
    let builder = ExponentialBuilder::default().with_min_delay(first);
    builder.with_max_delay(longest.max(first)).without_max_times()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_do_not_end() {
        let [first, longest] = POLL_PAUSES;
        let mut backoff = Backoff::new(first, longest);
        // The library counts with floating point.
        let mut rounded = || (backoff.pause().as_micros() + 500) / 1000;
        let pauses: Vec<_> = (0..100).map(|_| rounded()).collect();
        assert_eq!(pauses[..6], [20, 40, 80, 160, 320, 500]);
        assert!(pauses[6..].iter().all(|pause| *pause == 500), "{pauses:?}");
    }

    #[test]
    fn a_first_pause_over_the_longest_stays() {
        let mut backoff = Backoff::new(Duration::from_mins(1), Duration::from_secs(30));
        assert_eq!([backoff.pause(), backoff.pause()], [Duration::from_mins(1); 2]);
    }
}
