//! The configuration: one file, the environment, and flags, in rising order.

mod layers;
mod secret;

pub use layers::{Loaded, Sources, load};
pub use secret::Secret;

use crate::adapter;
use crate::error::{Error, Result};
use etcetera::BaseStrategy;
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Everything that can be set. Each key is described in `docs/configuration.md`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where HTTP and the WebSocket are served.
    pub listen: SocketAddr,
    /// The store's file; empty stands for the default place.
    pub db: PathBuf,
    /// What clients on TCP must show.
    pub token: Option<Secret>,
    /// Serve another address than loopback without a token.
    pub allow_no_token: bool,
    /// Names, beside the address itself, under which browsers may reach the server.
    pub public_hosts: Vec<String>,
    /// Where a message goes that names no platform, unless its conversation is known.
    pub default_platform: Option<String>,
    #[allow(missing_docs)]
    pub log: Log,
    #[allow(missing_docs)]
    pub limits: Limits,
    #[allow(missing_docs)]
    pub store: StoreLimits,
    #[allow(missing_docs)]
    pub outbox: Outbox,
    /// Adapters that dial out, or that are to be set up otherwise than by dialling in.
    #[serde(skip_serializing)]
    pub adapter: Vec<adapter::Settings>,
}

/// How sending goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Outbox {
    /// How often a message is sent again before it is given up.
    pub retries: u32,
    /// Seconds before it is sent again for the first time; the next pauses double.
    pub first_pause_seconds: f64,
    /// The longest pause, in seconds.
    pub longest_pause_seconds: f64,
    /// Seconds that a message waits for an adapter before it is given up.
    pub time_to_live_seconds: u64,
    /// Seconds that `send_message` waits for the platform's word.
    pub ack_seconds: u64,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            retries: 5,
            first_pause_seconds: 1.0,
            longest_pause_seconds: 300.0,
            time_to_live_seconds: 24 * 60 * 60,
            ack_seconds: 20,
        }
    }
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,rechat::access=debug`.
    pub level: String,
    #[allow(missing_docs)]
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What a client may take up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes of a request's body, and of a WebSocket frame.
    pub body_bytes: usize,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// Seconds a request's head may take to arrive.
    pub head_seconds: u64,
    /// Seconds a request's body may take to arrive.
    pub body_seconds: u64,
    /// Seconds until a request that waits for the disk is given up.
    pub answer_seconds: u64,
    /// Connections over TCP at one time; the Unix socket is not counted.
    pub connections: usize,
    /// Frames that wait for a session; with more, it reads from the store until it has caught up.
    pub session_frames: usize,
    /// Bytes that wait for a session.
    pub session_bytes: usize,
    /// Pairs of platform and conversation that a session may be subscribed to.
    pub session_pairs: usize,
    /// Seconds between pings to a session.
    pub ping_seconds: u64,
    /// Seconds after which a session that is not heard of, or takes nothing, is closed.
    pub idle_seconds: u64,
    /// Seconds that running requests have to end when the server stops.
    pub stop_seconds: u64,
}

/// How the store works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreLimits {
    /// Bytes of the file kept in memory.
    pub cache_bytes: usize,
    /// The most changes that share a commit.
    pub batch: usize,
    /// The most changes that wait for the disk.
    pub queue: usize,
    /// Bytes the disk must have free; with less, nothing is written.
    pub reserve_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            db: PathBuf::new(),
            token: None,
            allow_no_token: false,
            public_hosts: Vec::new(),
            default_platform: None,
            log: Log::default(),
            limits: Limits::default(),
            store: StoreLimits::default(),
            outbox: Outbox::default(),
            adapter: Vec::new(),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Text }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1 << 20,
            head_bytes: 64 << 10,
            head_seconds: 10,
            body_seconds: 30,
            answer_seconds: 30,
            connections: 10_000,
            session_frames: 256,
            session_bytes: 1 << 20,
            session_pairs: 1000,
            ping_seconds: 30,
            idle_seconds: 300,
            stop_seconds: 4,
        }
    }
}

impl Default for StoreLimits {
    fn default() -> Self {
        let options = crate::store::Options::new("", crate::store::Access::Read);
        Self {
            cache_bytes: options.cache_bytes,
            batch: options.batch,
            queue: options.queue,
            reserve_bytes: options.reserve_bytes,
        }
    }
}

impl Limits {
    /// How long running requests have to end when the server stops.
    pub fn stop(&self) -> Duration {
        Duration::from_secs(self.stop_seconds)
    }
}

impl Config {
    /// Checks what a type alone cannot say, and fills in the store's default place.
    fn completed(mut self) -> Result<Self> {
        if self.db.as_os_str().is_empty() {
            self.db = default_folder(BaseStrategy::data_dir)?.join("rechat.redb");
        }
        if self.token.as_ref().is_some_and(Secret::is_empty) {
            return Err(Error::failed("`token` is empty").hint("give it a value, or leave it out"));
        }
        let pauses = [self.outbox.first_pause_seconds, self.outbox.longest_pause_seconds];
        if !pauses.iter().all(|seconds| (0.0..1e9).contains(seconds)) {
            return Err(Error::failed("the pauses of `outbox` must be seconds from 0 on"));
        }
        if let Some(platform) = &self.default_platform {
            crate::message::check_name("default_platform", platform).map_err(Error::failed)?;
        }
        if self.store.batch == 0 || self.store.queue == 0 {
            return Err(Error::failed("`store.batch` and `store.queue` must be at least 1"));
        }
        Ok(self)
    }

    /// How sending goes.
    pub fn policy(&self) -> crate::outbox::Policy {
        crate::outbox::Policy {
            retries: self.outbox.retries,
            first_pause: Duration::from_secs_f64(self.outbox.first_pause_seconds),
            longest_pause: Duration::from_secs_f64(self.outbox.longest_pause_seconds),
            time_to_live: Duration::from_secs(self.outbox.time_to_live_seconds),
        }
    }

    /// How to open the store for `access`.
    pub fn store_options(&self, access: crate::store::Access) -> crate::store::Options {
        crate::store::Options {
            path: self.db.clone(),
            access,
            cache_bytes: self.store.cache_bytes,
            batch: self.store.batch,
            queue: self.store.queue,
            reserve_bytes: self.store.reserve_bytes,
        }
    }
}

/// Where the configuration lies unless another file is named.
pub fn default_file() -> Result<PathBuf> {
    Ok(default_folder(BaseStrategy::config_dir)?.join("config.toml"))
}

/// The Unix socket of the server that has a store open: beside it, named alike.
pub fn socket_beside(db: &Path) -> PathBuf {
    db.with_extension("sock")
}

fn default_folder(of: impl Fn(&etcetera::base_strategy::Xdg) -> PathBuf) -> Result<PathBuf> {
    let strategy = etcetera::base_strategy::Xdg::new().map_err(|_| {
        Error::failed("this user has no home folder")
            .hint("name the store with --db FILE, and the configuration with --config FILE")
    })?;
    Ok(of(&strategy).join("rechat"))
}
