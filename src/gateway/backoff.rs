//! Backoff between attempts to reach a bot framework.

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use std::time::Duration;

/// The first pause.
const MIN_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause: a framework that has just been started should not wait long.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// Pauses that grow up to [`MAX_PAUSE`], without an end.
pub(super) struct Backoff(ExponentialBackoff);

impl Backoff {
    pub(super) fn new() -> Self {
        let growing =
            ExponentialBuilder::default().with_min_delay(MIN_PAUSE).with_max_delay(MAX_PAUSE);
        Self(growing.with_jitter().without_max_times().build())
    }

    pub(super) fn next(&mut self) -> Duration {
        self.0.next().unwrap_or(MAX_PAUSE)
    }
}
