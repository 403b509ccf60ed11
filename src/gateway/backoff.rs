//! Backoff between attempts to reach a bot framework.

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use std::time::Duration;

/// The first pause.
const FIRST: Duration = Duration::from_millis(500);

/// The longest pause: a framework that has just been started should not wait long.
const LONGEST: Duration = Duration::from_secs(10);

/// Pauses that grow up to [`LONGEST`], without an end.
pub(super) struct Backoff(ExponentialBackoff);

impl Backoff {
    pub(super) fn new() -> Self {
        let growing = ExponentialBuilder::default().with_min_delay(FIRST).with_max_delay(LONGEST);
        Self(growing.with_jitter().without_max_times().build())
    }

    pub(super) fn next(&mut self) -> Duration {
        self.0.next().unwrap_or(LONGEST)
    }
}
