//! The settings that every adapter has, whatever it speaks.

use super::kind::Kind;
use crate::model::message::check_name;
use hyper::Uri;
use serde::{Deserialize, Deserializer};
use std::num::NonZeroU32;
use std::time::Duration;

/// The settings that every adapter has: checked, with every default filled in.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The kind of adapter.
    pub kind: &'static Kind,
    /// The platform of its messages, where it is not the one that the kind or the implementation
    /// names.
    pub platform: Option<String>,
    /// The accounts that may connect; empty: any.
    pub accounts: Vec<String>,
    /// The way in which the connection is opened.
    pub transport: Transport,
    /// The implementation's access token.
    pub token: Option<String>,
    /// How fast an account may send.
    pub rate_limit: Option<RateLimit>,
    /// The fate of an attempt whose outcome is unknown.
    pub on_unknown: OnUnknown,
    /// How long an action may go unanswered.
    pub answer_timeout: Duration,
    /// The first pause before dialling again; the next ones grow.
    pub reconnect: Duration,
    /// The most bytes of one frame from the implementation; images come inside them as base64.
    pub max_frame: usize,
    /// The longest time that a message may wait, if it differs from that of other platforms.
    pub time_to_live: Option<Duration>,
}

impl Settings {
    /// An adapter of this kind with nothing configured.
    pub fn new(kind: &'static Kind) -> Self {
        Self {
            kind,
            platform: None,
            accounts: Vec::new(),
            transport: Transport::Accept(None),
            token: None,
            rate_limit: None,
            on_unknown: OnUnknown::Resend,
            answer_timeout: Duration::from_secs(15),
            reconnect: Duration::from_secs(1),
            max_frame: 16 * 1024 * 1024,
            time_to_live: None,
        }
    }

    /// Checks an entry of a kind, and fills in the defaults. The error names the key.
    ///
    /// # Errors
    ///
    /// A setting is wrong; the text names it and says what is right.
    pub fn read(kind: &'static Kind, entry: SettingsEntry) -> Result<Self, String> {
        let default = Self::new(kind);
        if let Some(platform) = &entry.platform {
            check_name("platform", platform)?;
        }
        for account in &entry.account {
            check_name("account", account)?;
        }
        let answer_timeout =
            seconds("answer_timeout", entry.answer_timeout, default.answer_timeout)?;
        Ok(Self {
            transport: transport(kind, entry.url, entry.path)?,
            platform: entry.platform,
            accounts: entry.account,
            token: entry.token.filter(|token| !token.is_empty()),
            rate_limit: rate_limit(entry.rate_limit, entry.burst)?,
            on_unknown: entry.on_unknown.unwrap_or_default(),
            answer_timeout,
            reconnect: seconds("reconnect", entry.reconnect, default.reconnect)?,
            max_frame: entry.max_frame.unwrap_or(default.max_frame),
            ..default
        })
    }

    /// The platform these settings stand for as long as no implementation names another.
    pub fn platform(&self) -> &str {
        self.platform.as_deref().unwrap_or(self.kind.platform)
    }

    /// Checks that an account may connect; the error says which ones may.
    ///
    /// # Errors
    ///
    /// A setting is wrong; the text names it and says what is right.
    pub fn check_account(&self, account: &str) -> Result<(), String> {
        if self.accounts.is_empty() || self.accounts.iter().any(|known| known == account) {
            return Ok(());
        }
        Err(format!(
            "the account `{account}` may not connect here; `account` of this adapter has {}",
            self.accounts.join(", ")
        ))
    }
}

/// The way in which a connection is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// The implementation dials in: at this path, or at those of the kind.
    Accept(Option<String>),
    /// We dial out to this `ws://` or `wss://` address.
    Dial(Uri),
}

/// How fast an account may send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// Messages a second, more than 0.
    pub per_second: f64,
    /// How many may go at once after a silence.
    pub burst: NonZeroU32,
}

/// The fate of an attempt whose outcome is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnUnknown {
    /// It is sent again: at least once.
    #[default]
    Resend,
    /// It fails: at most once.
    Fail,
}

/// The keys of an entry that are the kind's own.
pub type OwnSettings = serde_json::Map<String, serde_json::Value>;

/// An `[[adapter]]` entry as it is written: the keys of every kind, and the rest.
#[derive(Deserialize)]
pub struct SettingsEntry {
    pub(in crate::adapter) kind: String,
    platform: Option<String>,
    #[serde(default, deserialize_with = "one_or_many")]
    account: Vec<String>,
    pub(in crate::adapter) url: Option<String>,
    pub(in crate::adapter) path: Option<String>,
    pub(in crate::adapter) token: Option<String>,
    rate_limit: Option<f64>,
    burst: Option<NonZeroU32>,
    on_unknown: Option<OnUnknown>,
    answer_timeout: Option<f64>,
    reconnect: Option<f64>,
    max_frame: Option<usize>,
    #[serde(flatten)]
    pub(in crate::adapter) own: OwnSettings,
}

impl SettingsEntry {
    /// The keys that every kind has.
    pub(in crate::adapter) const KEYS: [&str; 12] = [
        "kind",
        "platform",
        "account",
        "url",
        "path",
        "token",
        "rate_limit",
        "burst",
        "on_unknown",
        "answer_timeout",
        "reconnect",
        "max_frame",
    ];
}

/// Reads an account or a list of them; an account may be written as a number.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Account {
        Text(String),
        Number(u64),
    }
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "`account` is an ID or a list of IDs")]
    enum Accounts {
        One(Account),
        Many(Vec<Account>),
    }
    let accounts = match Accounts::deserialize(deserializer)? {
        Accounts::One(account) => vec![account],
        Accounts::Many(accounts) => accounts,
    };
    let text = |account| match account {
        Account::Text(text) => text,
        Account::Number(number) => number.to_string(),
    };
    Ok(accounts.into_iter().map(text).collect())
}

fn transport(kind: &Kind, url: Option<String>, path: Option<String>) -> Result<Transport, String> {
    if kind.paths.is_empty() && (url.is_some() || path.is_some()) {
        return Err(format!("`{}` has no connections; leave out `url` and `path`", kind.name));
    }
    match (url, path) {
        (Some(_), Some(_)) => {
            Err("give `url` where rechat connects, or `path` where the implementation connects, not both".into())
        }
        (Some(url), None) => match url.parse::<Uri>() {
            Ok(uri) if matches!(uri.scheme_str(), Some("ws" | "wss")) => Ok(Transport::Dial(uri)),
            // It may have a secret in it.
            _ => Err("`url` is no address of a WebSocket; give it as ws://host:port/ or wss://host/".into()),
        },
        (None, Some(path)) if !path.starts_with('/') => {
            Err(format!("`path` is `{path}`; begin it with `/`"))
        }
        (None, path) => Ok(Transport::Accept(path)),
    }
}

fn rate_limit(rate: Option<f64>, burst: Option<NonZeroU32>) -> Result<Option<RateLimit>, String> {
    match rate {
        None if burst.is_some() => Err("`burst` needs a `rate_limit`".into()),
        None => Ok(None),
        Some(per_second) if per_second.is_finite() && per_second > 0.0 => {
            Ok(Some(RateLimit { per_second, burst: burst.unwrap_or(NonZeroU32::MIN) }))
        }
        Some(rate) => Err(format!("`rate_limit` is {rate}; give messages per second, above 0")),
    }
}

fn seconds(field: &str, given: Option<f64>, default: Duration) -> Result<Duration, String> {
    const DAY: f64 = 86_400.0;
    match given {
        None => Ok(default),
        Some(seconds) if seconds > 0.0 && seconds <= DAY => Ok(Duration::from_secs_f64(seconds)),
        Some(seconds) => {
            Err(format!("`{field}` is {seconds}; give seconds, above 0, at most a day"))
        }
    }
}
