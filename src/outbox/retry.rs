//! The retry policy (contract, item 18), and how long a message waits for an adapter.

use backon::{BackoffBuilder, ExponentialBuilder};
use std::time::Duration;

/// Pauses and limits of attempts.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// Attempts after the first one; then the message is `Failed`.
    pub retries: u32,
    /// Pause before the second attempt; each further pause doubles.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// How long a message waits for an adapter; then it is `Failed`.
    pub time_to_live: Duration,
}

impl RetryPolicy {
    /// Pause before the next attempt, after so many `retries`; with jitter.
    pub(super) fn pause(&self, retries: u32) -> Duration {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(self.first_pause)
            .with_max_delay(self.longest_pause)
            .with_factor(2.0)
            .without_max_times()
            .with_jitter();
        pauses.build().nth(retries as usize).unwrap_or(self.longest_pause)
    }
}
