//! The configuration: one file, the environment, and flags, in rising order.

mod access;
mod cluster;
mod keys;
mod layers;
mod limits;
mod lines;
mod loaded;
mod log_level;
mod mcp;
mod media;
mod public_host;
mod secret;
mod sources;

pub use crate::adapter::ConfigKey;
pub use access::{RequiredScope, Token, TokenEntry, TokenScope, weakness};
pub use cluster::ClusterSettings;
pub use keys::{BOT_KEYS, KEYS, TOKEN_KEYS, adapter_keys};
pub use layers::load;
pub use limits::ClientLimits;
pub use loaded::Loaded;
pub use log_level::log_filter;
pub use mcp::{AgentSending, McpSettings, Pattern};
pub use media::MediaSettings;
pub use public_host::PublicHost;
pub use secret::Secret;
pub use sources::Sources;

use crate::adapter;
use crate::error::{Error, Result};
use crate::gateway::BotConfig;
use crate::model::json_object::{from_object, some_from_object};
use etcetera::BaseStrategy;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Everything that can be set. `keys.rs` describes each key for people.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address for HTTP and the WebSocket.
    pub listen: SocketAddr,
    /// The store's file; empty stands for the default place.
    pub db: PathBuf,
    /// Access of clients on TCP.
    pub token: Option<Secret>,
    /// The file that token is in, instead.
    pub token_file: Option<PathBuf>,
    /// Serve another address than loopback without a token.
    pub allow_no_token: bool,
    /// Names, beside the address itself, under which browsers and programs may reach the server.
    pub public_hosts: Vec<PublicHost>,
    /// Origins of pages elsewhere that may ask here, such as `https://app.example.com`.
    pub cors_origins: Vec<String>,
    /// The path under which a reverse proxy shows the server, such as `/rechat`.
    pub prefix: String,
    /// Addresses of reverse proxies, whose `X-Forwarded-For` is believed.
    #[serde(alias = "proxies")]
    pub trusted_proxies: Vec<IpAddr>,
    /// The platform for messages that name none, unless their conversation is known.
    pub default_platform: Option<String>,
    /// Fate of the content of a message that was taken back on its platform.
    pub recalled: Recalled,
    /// The certificate to serve HTTPS with.
    #[serde(deserialize_with = "some_from_object")]
    pub tls: Option<Tls>,
    /// The cluster that this server is a node of.
    #[serde(deserialize_with = "some_from_object")]
    pub cluster: Option<ClusterSettings>,
    /// The section `[log]`.
    #[serde(deserialize_with = "from_object")]
    pub log: LogSettings,
    /// The section `[limits]`.
    #[serde(deserialize_with = "from_object")]
    pub limits: ClientLimits,
    /// The section `[store]`.
    #[serde(deserialize_with = "from_object")]
    pub store: StoreLimits,
    /// The section `[outbox]`.
    #[serde(deserialize_with = "from_object")]
    pub outbox: OutboxSettings,
    /// Retention.
    #[serde(deserialize_with = "from_object")]
    pub retention: Retention,
    /// The section `[media]`.
    #[serde(deserialize_with = "from_object")]
    pub media: MediaSettings,
    /// Rights and limits of agents.
    #[serde(deserialize_with = "from_object")]
    pub mcp: McpSettings,
    /// Tokens with a scope each.
    #[serde(rename = "tokens")]
    pub token_entries: Vec<TokenEntry>,
    /// All tokens that are accepted; found when the configuration is complete.
    #[serde(skip)]
    pub tokens: Vec<Token>,
    /// Adapters that dial out, or that are to be set up otherwise than by dialling in.
    #[serde(skip_serializing)]
    pub adapter: Vec<adapter::AdapterConfig>,
    /// Bot frameworks that plug in.
    #[serde(skip_serializing)]
    pub bot: Vec<BotConfig>,
}

/// A certificate and its key, as PEM files; read again when they change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate, and those of its issuers.
    pub certificate: PathBuf,
    /// The private key of the certificate.
    pub key: PathBuf,
}

/// Settings of sending.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutboxSettings {
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

impl Default for OutboxSettings {
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

/// Retention; everything is kept unless it is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Days after which a message is deleted; 0 keeps it.
    pub days: f64,
    /// Messages to keep, the newest; 0 keeps all.
    pub messages: u64,
}

/// Logging of the process, and how long events are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSettings {
    /// `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,rechat::access=debug`.
    pub level: String,
    /// Whether lines are text or JSON.
    pub format: LogFormat,
    /// Days for which events are kept, so that clients can go on where they stopped.
    pub days: f64,
    /// The most events that are kept.
    pub events: u64,
}

/// Format of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Settings of the store.
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
            token_file: None,
            allow_no_token: false,
            public_hosts: Vec::new(),
            cors_origins: Vec::new(),
            prefix: String::new(),
            trusted_proxies: Vec::new(),
            default_platform: None,
            recalled: Recalled::Keep,
            tls: None,
            cluster: None,
            log: LogSettings::default(),
            limits: ClientLimits::default(),
            store: StoreLimits::default(),
            outbox: OutboxSettings::default(),
            retention: Retention::default(),
            media: MediaSettings::default(),
            mcp: McpSettings::default(),
            token_entries: Vec::new(),
            tokens: Vec::new(),
            adapter: Vec::new(),
            bot: Vec::new(),
        }
    }
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Text, days: 7.0, events: 1_000_000 }
    }
}

impl Default for StoreLimits {
    fn default() -> Self {
        let options = crate::store::StoreOptions::new("", crate::store::Access::Read);
        Self {
            cache_bytes: options.cache_bytes,
            batch: options.batch,
            queue: options.queue,
            reserve_bytes: options.reserve_bytes,
        }
    }
}

impl Config {
    /// Checks what a type alone cannot say, and fills in the store's default place.
    fn completed(mut self) -> Result<Self> {
        if self.db.as_os_str().is_empty() {
            self.db = default_folder(BaseStrategy::data_dir)?.join("rechat.redb");
        }
        let (token, file) = (self.token.as_ref(), self.token_file.as_deref());
        self.tokens = access::tokens(token, file, &self.token_entries)?;
        let own = self.tokens.iter().find(|token| token.name == "token");
        for bot in &mut self.bot {
            bot.server_token = own.map(|token| token.secret.reveal().to_owned());
        }
        let prefix = self.prefix.trim_end_matches('/').to_owned();
        if !prefix.is_empty() && !prefix.starts_with('/') {
            return Err(Error::failed("`prefix` must begin with `/`, such as \"/rechat\""));
        }
        self.prefix = prefix;
        let pauses = [self.outbox.first_pause_seconds, self.outbox.longest_pause_seconds];
        if !pauses.iter().all(|seconds| (0.0..1e9).contains(seconds)) {
            return Err(Error::failed(
                "`outbox.first_pause_seconds` and `outbox.longest_pause_seconds` must be 0 or more",
            ));
        }
        if let Some(platform) = &self.default_platform {
            crate::model::message::check_name("default_platform", platform)
                .map_err(Error::failed)?;
        }
        if let Some(wrong) = self.cors_origins.iter().find(|origin| !is_origin(origin)) {
            return Err(Error::failed(format!("`cors_origins`: {wrong:?} is not an origin"))
                .hint("write it as https://app.example.com"));
        }
        if !(0.0..1e9).contains(&self.retention.days) {
            return Err(Error::failed("`retention.days` must be 0 or more"));
        }
        log_filter(&self.log.level)?;
        if !(0.0..1e9).contains(&self.log.days) || self.log.events == 0 {
            return Err(Error::failed(
                "`log.days` must be a number of days from 0 on, and `log.events` at least 1",
            ));
        }
        let mut names = BTreeSet::new();
        if let Some(bot) = self.bot.iter().find(|bot| !names.insert(&bot.name)) {
            let name = &bot.name;
            let text = format!("two `[[bot]]` entries have the name `{name}`; give each its own");
            return Err(Error::failed(text));
        }
        self.media.check()?;
        if let Some(cluster) = &self.cluster {
            cluster.check()?;
        }
        if self.store.batch == 0 || self.store.queue == 0 {
            return Err(Error::failed("`store.batch` and `store.queue` must be at least 1"));
        }
        Ok(self)
    }

    /// How sending goes.
    pub fn policy(&self) -> crate::outbox::RetryPolicy {
        crate::outbox::RetryPolicy {
            retries: self.outbox.retries,
            first_pause: Duration::from_secs_f64(self.outbox.first_pause_seconds),
            longest_pause: Duration::from_secs_f64(self.outbox.longest_pause_seconds),
            time_to_live: Duration::from_secs(self.outbox.time_to_live_seconds),
        }
    }

    /// Retention.
    pub fn retention(&self) -> crate::retention::RetentionPolicy {
        let Retention { days, messages } = self.retention;
        let age = Duration::try_from_secs_f64(days * 86_400.0).unwrap_or_default().as_secs();
        crate::retention::RetentionPolicy {
            age: (age > 0).then_some(age),
            count: (messages > 0).then_some(messages),
            media_age: self.media.age(),
        }
    }

    /// How to open the store for `access`.
    pub fn store_options(&self, access: crate::store::Access) -> crate::store::StoreOptions {
        crate::store::StoreOptions {
            cache_bytes: self.store.cache_bytes,
            batch: self.store.batch,
            queue: self.store.queue,
            reserve_bytes: self.store.reserve_bytes,
            journal_seconds: Duration::from_secs_f64(self.log.days * 86_400.0).as_secs(),
            journal_events: self.log.events,
            hides_recalled: self.recalled == Recalled::Hide,
            ..crate::store::StoreOptions::new(&self.db, access)
        }
    }
}

/// Fate of the content of a message that was taken back on its platform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recalled {
    /// It stays here.
    #[default]
    Keep,
    /// It is not kept.
    Hide,
}

/// Whether this is what a browser says of itself: scheme, host, perhaps a port, and nothing behind.
fn is_origin(text: &str) -> bool {
    let uri = text.parse::<hyper::Uri>();
    uri.is_ok_and(|uri| {
        let parts = uri.scheme_str().zip(uri.authority());
        parts.is_some_and(|(scheme, host)| text == format!("{scheme}://{host}"))
    })
}

/// Where the configuration lies unless another file is named.
///
/// # Errors
///
/// There is no home directory to look in.
pub fn default_file() -> Result<PathBuf> {
    Ok(default_folder(BaseStrategy::config_dir)?.join("config.toml"))
}

/// The Unix socket of the server that has a store open: beside it, named alike.
pub fn socket_beside(db: &Path) -> PathBuf {
    db.with_extension("sock")
}

/// The folder for what programs keep from one start to the next (`$XDG_STATE_HOME/rechat`).
///
/// # Errors
///
/// There is no home directory to look in.
pub fn state_folder() -> Result<PathBuf> {
    default_folder(|strategy| strategy.state_dir().unwrap_or_else(|| strategy.data_dir()))
}

fn default_folder(of: impl Fn(&etcetera::base_strategy::Xdg) -> PathBuf) -> Result<PathBuf> {
    let strategy = etcetera::base_strategy::Xdg::new().map_err(|_| {
        Error::failed("this user has no home folder")
            .hint("name the store with --db FILE, and the configuration with --config FILE")
    })?;
    Ok(of(&strategy).join("rechat"))
}
