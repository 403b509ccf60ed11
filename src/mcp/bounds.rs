//! Limits of agents: the visible conversations, whether they may send, and how often. A reload of
//! the configuration changes them, also for calls that are running.

use super::position::Seal;
use crate::config::{AgentSending, McpSettings};
use crate::error::{Error, Result};
use crate::metrics::METRICS;
use arc_swap::ArcSwap;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::Arc;

/// Limits of all agents together.
pub struct AgentBounds {
    current: ArcSwap<CurrentBounds>,
    seal: Seal,
}

struct CurrentBounds {
    config: McpSettings,
    calls: Arc<DefaultDirectRateLimiter>,
    sends: Arc<DefaultDirectRateLimiter>,
}

impl AgentBounds {
    /// The configured limits, with counts of zero.
    pub fn new(config: McpSettings) -> Self {
        let (calls, sends) = (limiter(config.calls_per_minute), limiter(config.sends_per_minute));
        let current = ArcSwap::from_pointee(CurrentBounds { config, calls, sends });
        Self { current, seal: Seal::new() }
    }

    /// Applies another configuration. A limit that does not change keeps its count.
    pub fn replace(&self, config: McpSettings) {
        let old = self.current.load();
        let kept = |most: NonZeroU32, was: NonZeroU32, limit: &Arc<DefaultDirectRateLimiter>| {
            if most == was { limit.clone() } else { limiter(most) }
        };
        let was = &old.config;
        let calls = kept(config.calls_per_minute, was.calls_per_minute, &old.calls);
        let sends = kept(config.sends_per_minute, was.sends_per_minute, &old.sends);
        self.current.store(Arc::new(CurrentBounds { config, calls, sends }));
    }

    /// The seal for positions in the history.
    pub(super) fn seal(&self) -> &Seal {
        &self.seal
    }

    /// Whether agents may send messages.
    pub(super) fn send(&self) -> AgentSending {
        self.current.load().config.send
    }

    /// Whether agents see a conversation.
    pub(super) fn shows(&self, platform: &str, conversation: &str) -> bool {
        self.current.load().config.shows(platform, conversation)
    }

    /// Whether agents see all conversations.
    pub(super) fn shows_everything(&self) -> bool {
        self.current.load().config.shows_everything()
    }

    /// Whether agents may see at least one conversation of a platform.
    pub(super) fn shows_platform(&self, platform: &str) -> bool {
        self.current.load().config.shows_platform(platform)
    }

    /// Counts a call; an error if there were too many.
    pub(super) fn count_call(&self) -> Result<()> {
        count(&self.current.load().calls, "calls_per_minute", "calls")
    }

    /// Counts a message to be sent; an error if there were too many, or if a reload has disabled
    /// sending.
    pub(super) fn count_send(&self) -> Result<()> {
        let current = self.current.load();
        if current.config.send == AgentSending::Off {
            return Err(Error::failed("agents may not send: `mcp.send` is \"off\""));
        }
        count(&current.sends, "sends_per_minute", "messages")
    }
}

fn limiter(most: NonZeroU32) -> Arc<DefaultDirectRateLimiter> {
    Arc::new(RateLimiter::direct(Quota::per_minute(most)))
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

    fn config(text: &str) -> McpSettings {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn calls_and_sends_are_counted_apart() {
        let limits = "send = 'allow'\ncalls_per_minute = 2\nsends_per_minute = 1";
        let bounds = AgentBounds::new(config(limits));
        assert!(bounds.count_send().is_ok());
        assert!(bounds.count_call().is_ok() && bounds.count_call().is_ok());
        for refused in [bounds.count_send(), bounds.count_call()] {
            let error = refused.unwrap_err().to_string();
            assert!(error.contains("per_minute` allows no more; ask again in"), "{error}");
        }
    }

    #[test]
    fn a_reload_takes_effect_at_once_and_forgets_no_count() {
        let bounds = AgentBounds::new(config("send = 'allow'\nsends_per_minute = 1"));
        assert!(bounds.count_send().is_ok());
        bounds.replace(config("send = 'allow'\nsends_per_minute = 1\nhide = ['qq/*']"));
        assert!(!bounds.shows("qq", "group_1") && bounds.shows("wechat", "private_a"));
        assert!(bounds.count_send().is_err(), "it was counted before");
        bounds.replace(config("send = 'allow'\nsends_per_minute = 5"));
        assert!(bounds.count_send().is_ok());
        bounds.replace(config(""));
        assert!(bounds.count_send().unwrap_err().to_string().contains("`mcp.send`"));
    }
}
