//! Policy of retries (contract, item 18), and how long a message waits for an adapter.

use backon::{BackoffBuilder, ExponentialBuilder};
use std::time::Duration;

/// How sending goes.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// How often a message is sent again before it is given up.
    pub retries: u32,
    /// The first pause before it is sent again; the next ones double.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// How long a message waits for an adapter before it is given up.
    pub time_to_live: Duration,
}

impl Policy {
    /// How long to wait after an attempt that was the `retries`th repetition.
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
