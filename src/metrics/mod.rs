//! Metrics of the running server, served at `/metrics` (`docs/metrics.md` says which to watch).

mod classic;
mod process;

pub use classic::classic;

use crate::model::message::Direction;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};

/// The most platforms with metrics of their own; further ones are counted together.
const MAX_PLATFORMS: usize = 64;

/// The metrics of this process.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// All metrics. Values from the store and the registry are read at each scrape.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// The usual metrics of a process, whose names have no prefix of ours.
    process: Registry,
    /// The platforms with metrics of their own. Clients may name any platform, so the number is
    /// limited.
    platforms: Mutex<HashSet<String>>,
    /// Messages that were stored since the start.
    pub messages: Family<MessageLabels, Counter>,
    /// Attempts to send, by their outcome.
    pub attempts: Family<AttemptLabels, Counter>,
    /// Messages in the store, by status.
    pub stored: Family<StatusLabels, Gauge>,
    /// Age in seconds of the oldest message that waits to be sent.
    pub outbox_oldest: Gauge,
    /// Changes that shared a commit.
    pub commit_changes: Histogram,
    /// Durations of commits.
    pub commit_seconds: Histogram,
    /// Batches that could not be written.
    pub store_errors: Counter,
    /// WebSocket sessions and streams.
    pub sessions: Gauge,
    /// Sessions that are behind and read from the store.
    pub sessions_behind: Gauge,
    /// Times that a session fell behind.
    pub overflows: Counter,
    /// 1 for the state of each account.
    pub adapters: Family<AdapterLabels, Gauge>,
    /// Frames of implementations that could not be read or stored.
    pub frames_skipped: Counter,
    /// Requests by route and status code.
    pub requests: Family<RequestLabels, Counter>,
    /// Durations of requests by route.
    pub request_seconds: Family<RouteLabels, Histogram, Seconds>,
    /// Times that a limit was reached.
    pub limit_hits: Family<LimitLabels, Counter>,
    /// Requests with a wrong token.
    pub wrong_tokens: Counter,
    /// Background tasks that panicked.
    pub task_panics: Counter,
    /// Messages that are not in the search index yet.
    pub search_missing: Gauge,
    /// Bytes of the search index on disk.
    pub search_bytes: Gauge,
    /// Events of platforms that were quarantined because a row of the store is damaged.
    pub events_quarantined: Counter,
    /// Events of platforms that could be neither stored nor quarantined.
    pub events_refused: Counter,
    /// Events that bots have read.
    pub bot_events: Family<BotLabels, Counter>,
    /// 1 for the state of each bot.
    pub bot_state: Family<BotStateLabels, Gauge>,
    /// Events that each bot has not received yet.
    pub bot_waiting: Family<BotLabels, Gauge>,
    /// Bytes of the media that are stored.
    pub media_bytes: Gauge,
    /// Media that were fetched.
    pub media_fetched: Counter,
    /// Attempts to fetch media that failed.
    pub media_failures: Counter,
    /// 1 if this node leads its cluster, else 0.
    pub cluster_leading: Gauge,
    /// Messages of the cluster's log that this node has not applied.
    pub cluster_lag: Gauge,
    /// Times that this node began to lead its cluster.
    pub cluster_takeovers: Counter,
}

/// The labels of metrics of a bot.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct BotLabels {
    /// The name of the bot.
    pub bot: String,
}

/// The labels of the state of a bot.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct BotStateLabels {
    /// The name of the bot.
    pub bot: String,
    /// The state.
    pub state: String,
}

/// Limits that can be reached, by their keys in the configuration.
const LIMITS: [&str; 9] = [
    "adapters",
    "connections",
    "connections_per_address",
    "exports",
    "memory_bytes",
    "session_commands",
    "sessions",
    "uploads",
    "wrong_tokens",
];

/// Outcomes of attempts.
const OUTCOMES: [&str; 3] = ["sent", "refused", "unknown"];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabels {
    version: &'static str,
}

/// The labels of stored messages.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct MessageLabels {
    /// `Inbound` or `Outbound`.
    pub direction: &'static str,
    /// The platform, or `other` beyond a number of platforms.
    pub platform: String,
}

/// The labels of attempts to send.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct AttemptLabels {
    /// The platform, or `other` beyond a number of platforms.
    pub platform: String,
    /// `sent`, `refused`, or `unknown`.
    pub outcome: &'static str,
}

/// The label of messages in the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StatusLabels {
    /// The status.
    pub status: &'static str,
}

/// The labels of the state of an account.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct AdapterLabels {
    /// The platform.
    pub platform: String,
    /// The account; empty while it is unknown.
    pub account: String,
    /// The state.
    pub state: String,
}

/// The labels of requests.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// The path of the route, or `other`.
    pub route: &'static str,
    /// The status code of the answer.
    pub code: u16,
}

/// The label of durations of requests.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RouteLabels {
    /// The path of the route, or `other`.
    pub route: &'static str,
}

/// The label of limits that were reached.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct LimitLabels {
    /// The key of the configuration.
    pub limit: &'static str,
}

/// Makes histograms of durations, from 0.1 ms to some seconds.
#[derive(Clone, Debug)]
pub struct Seconds;

impl MetricConstructor<Histogram> for Seconds {
    fn new_metric(&self) -> Histogram {
        Histogram::new(exponential_buckets(0.0001, 4.0, 9))
    }
}

impl Metrics {
    fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("rechat"),
            process: Registry::default(),
            platforms: Mutex::default(),
            messages: Family::default(),
            attempts: Family::default(),
            stored: Family::default(),
            outbox_oldest: Gauge::default(),
            commit_changes: Histogram::new(exponential_buckets(1.0, 4.0, 6)),
            commit_seconds: Seconds.new_metric(),
            store_errors: Counter::default(),
            sessions: Gauge::default(),
            sessions_behind: Gauge::default(),
            overflows: Counter::default(),
            adapters: Family::default(),
            frames_skipped: Counter::default(),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(Seconds),
            limit_hits: Family::default(),
            wrong_tokens: Counter::default(),
            task_panics: Counter::default(),
            search_missing: Gauge::default(),
            search_bytes: Gauge::default(),
            events_quarantined: Counter::default(),
            events_refused: Counter::default(),
            bot_events: Family::default(),
            bot_state: Family::default(),
            bot_waiting: Family::default(),
            media_bytes: Gauge::default(),
            media_fetched: Counter::default(),
            media_failures: Counter::default(),
            cluster_leading: Gauge::default(),
            cluster_lag: Gauge::default(),
            cluster_takeovers: Counter::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        self.process.register_collector(Box::new(process::Process));
        let build = Family::<BuildLabels, Gauge>::default();
        build.get_or_create(&BuildLabels { version: env!("CARGO_PKG_VERSION") }).set(1);
        // All series exist from the start: a series that appears with its first count shows no
        // increase to alert on.
        for limit in LIMITS {
            drop(self.limit_hits.get_or_create(&LimitLabels { limit }));
        }
        let r = &mut self.registry;
        r.register("build_info", "1 for the version that runs", build);
        r.register("messages", "Messages stored since the start", self.messages.clone());
        r.register("attempts", "Attempts to send, by how they ended", self.attempts.clone());
        r.register("stored", "Messages in the store, by status", self.stored.clone());
        let help = "Age in seconds of the oldest message that waits to be sent";
        r.register("outbox_oldest_seconds", help, self.outbox_oldest.clone());
        r.register("commit_changes", "Changes that shared a commit", self.commit_changes.clone());
        r.register("commit_seconds", "How long commits took", self.commit_seconds.clone());
        r.register("store_errors", "Batches that could not be written", self.store_errors.clone());
        r.register("sessions", "WebSocket sessions and streams", self.sessions.clone());
        let help = "Sessions that are behind and read from the store";
        r.register("sessions_behind", help, self.sessions_behind.clone());
        r.register("queue_overflows", "Times a session fell behind", self.overflows.clone());
        r.register("adapter_state", "1 for the state each account is in", self.adapters.clone());
        let help = "Frames of implementations that could not be read or kept";
        r.register("frames_skipped", help, self.frames_skipped.clone());
        r.register("http_requests", "Requests by route and status code", self.requests.clone());
        r.register("http_seconds", "How long requests took", self.request_seconds.clone());
        r.register("limit_hits", "Times a limit was reached", self.limit_hits.clone());
        r.register("wrong_tokens", "Wrong tokens shown", self.wrong_tokens.clone());
        let help = "Background tasks that panicked";
        r.register("task_panics", help, self.task_panics.clone());
        let help = "Messages that are not in the search index yet";
        r.register("search_missing_messages", help, self.search_missing.clone());
        let help = "The size of the search index on disk";
        r.register("search_index_bytes", help, self.search_bytes.clone());
        let help = "Events of platforms that met a damaged row and were quarantined";
        r.register("events_quarantined", help, self.events_quarantined.clone());
        let help =
            "Events of platforms that could be neither stored nor quarantined; the log names them";
        r.register("events_refused", help, self.events_refused.clone());
        r.register("bot_events", "Events that each bot has read", self.bot_events.clone());
        r.register("bot_state", "1 for the state each bot is in", self.bot_state.clone());
        let help = "Events that each bot has not received yet";
        r.register("bot_waiting", help, self.bot_waiting.clone());
        r.register("media_bytes", "The size of the media that are kept", self.media_bytes.clone());
        r.register("media_fetched", "Media that were fetched", self.media_fetched.clone());
        let help = "Attempts to fetch media that failed";
        r.register("media_fetch_failures", help, self.media_failures.clone());
        let help = "Whether this node leads its cluster: 1, or 0";
        r.register("cluster_leading", help, self.cluster_leading.clone());
        let help = "Messages of the cluster's log that this node has not applied";
        r.register("cluster_lag", help, self.cluster_lag.clone());
        let help = "Times this node began to lead its cluster";
        r.register("cluster_takeovers", help, self.cluster_takeovers.clone());
    }

    /// Counts messages that were stored.
    pub fn messages(&self, direction: &'static str, platform: &str, count: u64) {
        let platform = self.platform_label(platform);
        self.messages.get_or_create(&MessageLabels { direction, platform }).inc_by(count);
    }

    /// Counts events that a bot has read.
    pub fn bot_events(&self, bot: &str, events: u64) {
        self.bot_events.get_or_create(&BotLabels { bot: bot.to_owned() }).inc_by(events);
    }

    /// Counts an attempt to send.
    pub fn attempt(&self, platform: &str, outcome: &'static str) {
        let platform = self.platform_label(platform);
        self.attempts.get_or_create(&AttemptLabels { platform, outcome }).inc();
    }

    fn platform_label(&self, platform: &str) -> String {
        let mut known = self.platforms.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains(platform) {
            if known.len() >= MAX_PLATFORMS {
                return "other".into();
            }
            known.insert(platform.to_owned());
            self.begin(platform);
        }
        platform.to_owned()
    }

    /// Makes the series of a platform exist before anything is counted.
    pub fn know_platform(&self, platform: &str) {
        self.platform_label(platform);
    }

    fn begin(&self, platform: &str) {
        for direction in Direction::ALL.map(Direction::as_str) {
            let platform = platform.to_owned();
            drop(self.messages.get_or_create(&MessageLabels { direction, platform }));
        }
        for outcome in OUTCOMES {
            let platform = platform.to_owned();
            drop(self.attempts.get_or_create(&AttemptLabels { platform, outcome }));
        }
    }

    /// Counts that a limit was reached; `limit` is its key in the configuration.
    pub fn limit_hit(&self, limit: &'static str) {
        self.limit_hits.get_or_create(&LimitLabels { limit }).inc();
    }

    /// All metrics, in the `OpenMetrics` text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode_registry(&mut text, &self.registry);
        let _ = text::encode_registry(&mut text, &self.process);
        let _ = text::encode_eof(&mut text);
        text
    }
}
