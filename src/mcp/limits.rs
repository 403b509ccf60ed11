//! How much agents may ask and write in a minute.

use crate::config::McpSettings;
use crate::error::{Error, Result};
use crate::metrics::METRICS;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::Arc;

/// Limits of all agents together.
#[derive(Clone)]
pub struct AgentLimits {
    calls: Arc<DefaultDirectRateLimiter>,
    sends: Arc<DefaultDirectRateLimiter>,
}

impl AgentLimits {
    /// Limits as they are configured; nothing is counted yet.
    pub fn new(config: &McpSettings) -> Self {
        let limiter = |most: NonZeroU32| Arc::new(RateLimiter::direct(Quota::per_minute(most)));
        Self { calls: limiter(config.calls_per_minute), sends: limiter(config.sends_per_minute) }
    }

    /// Counts a call; an error where there were too many.
    pub(super) fn count_call(&self) -> Result<()> {
        count(&self.calls, "calls_per_minute", "calls")
    }

    /// Counts a message that is to be sent; an error where there were too many.
    pub(super) fn count_send(&self) -> Result<()> {
        count(&self.sends, "sends_per_minute", "messages")
    }
}

fn count(limiter: &DefaultDirectRateLimiter, key: &'static str, what: &str) -> Result<()> {
    limiter.check().map_err(|until| {
        METRICS.limit_hit(key);
        let wait = until.wait_time_from(DefaultClock::default().now());
        let seconds = wait.as_secs() + 1;
        Error::failed(format!(
            "too many {what}: `mcp.{key}` allows no more; ask again in {seconds} s"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_and_sends_are_counted_apart() {
        let config: McpSettings =
            toml::from_str("calls_per_minute = 2\nsends_per_minute = 1").unwrap();
        let limits = AgentLimits::new(&config);
        assert!(limits.count_send().is_ok());
        assert!(limits.count_call().is_ok() && limits.count_call().is_ok());
        for refused in [limits.count_send(), limits.count_call()] {
            let error = refused.unwrap_err().to_string();
            assert!(error.contains("per_minute` allows no more; ask again in"), "{error}");
        }
    }
}
