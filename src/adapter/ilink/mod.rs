//! The official bot interface of WeChat, called iLink: persons write to a bot, which answers.

mod account;
mod address;
mod api;
mod crypto;
mod http;
mod inbound;
mod json;
mod lock;
mod login;
mod memory;
mod outbound;
mod poll;
mod qr;
mod reply;
mod send;
mod service;
mod upload;
mod window;

use super::api::{Kind, LoginRequest, OwnSettings, Settings};
use super::context::Context;
use super::registry::ConfiguredEntry;
use super::service::{Adapter, ServeStandalone, Service, read_own};
use super::transport::Running;
use hyper::Uri;
use serde::Deserialize;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;

pub(super) static ADAPTER: Adapter = Adapter {
    kind: Kind {
        name: "ilink",
        platform: "wechat",
        paths: &[],
        addresses: address::addresses,
        resolve: address::resolve,
        is_fallback: false,
    },
    logs_in: true,
    configure: |own| Ok(Service::Standalone(Arc::new(Ilink::configure(own)?))),
};

/// The official addresses.
const URL: &str = "https://ilinkai.weixin.qq.com";
const CDN: &str = "https://novac2c.cdn.weixin.qq.com/c2c";

/// How long a message waits for a person to write.
const WINDOW_TTL: Duration = Duration::from_hours(7 * 24);

/// The most characters of one text: a longer one may be cut in silence.
const MAX_TEXT: usize = 2_000;

/// Requests about logins that may wait.
const MAX_REQUESTS: usize = 16;

/// The keys of an `[[adapter]]` entry that only this kind has.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Own {
    url: Option<String>,
    cdn: Option<String>,
    window_ttl: Option<u64>,
    max_text: Option<usize>,
}

/// The settings of this kind, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Options {
    /// The address of the interface.
    url: String,
    /// The address of the media.
    cdn: String,
    /// How long a message waits for a person to write.
    window_ttl: Duration,
    /// The most characters of one text.
    max_text: usize,
}

/// One configured adapter.
struct Ilink {
    options: Arc<Options>,
    logins: mpsc::Sender<LoginRequest>,
    /// Taken by the run.
    requests: Mutex<Option<mpsc::Receiver<LoginRequest>>>,
}

impl fmt::Debug for Ilink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ilink").field(&self.options).finish()
    }
}

impl Ilink {
    fn configure(own: OwnSettings) -> Result<Self, String> {
        let own: Own = read_own(own)?;
        let window_ttl = own.window_ttl.map_or(WINDOW_TTL, Duration::from_secs);
        let max_text = own.max_text.unwrap_or(MAX_TEXT);
        if window_ttl.is_zero() {
            return Err("`window_ttl` is 0; give seconds, above 0".into());
        }
        if max_text == 0 {
            return Err("`max_text` is 0; give characters, above 0".into());
        }
        let options = Options {
            url: address("url", own.url, URL)?,
            cdn: address("cdn", own.cdn, CDN)?,
            window_ttl,
            max_text,
        };
        let (logins, requests) = mpsc::channel(MAX_REQUESTS);
        Ok(Self { options: Arc::new(options), logins, requests: Mutex::new(Some(requests)) })
    }
}

/// An address of the web, without the slash at its end.
fn address(key: &str, given: Option<String>, default: &str) -> Result<String, String> {
    let Some(given) = given else { return Ok(default.to_owned()) };
    let is_web = given.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none()
    });
    if is_web {
        Ok(given.trim_end_matches('/').to_owned())
    } else {
        Err(format!("`{key}` is `{given}`; give it as https://host/"))
    }
}

impl ServeStandalone for Ilink {
    fn run(
        self: Arc<Self>,
        settings: Arc<Settings>,
        entry: Option<ConfiguredEntry>,
        context: Context,
    ) -> Running<()> {
        Box::pin(async move {
            let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some(requests) = requests else { return };
            let options = Arc::clone(&self.options);
            service::Service::new(options, settings, entry, context).run(requests).await;
        })
    }

    fn time_to_live(&self) -> Option<Duration> {
        Some(self.options.window_ttl)
    }

    fn logins(&self) -> Option<mpsc::Sender<LoginRequest>> {
        Some(self.logins.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> Result<Options, String> {
        let own = toml::from_str(text).unwrap();
        Ilink::configure(own).map(|ilink| (*ilink.options).clone())
    }

    #[test]
    fn the_defaults_are_the_official_addresses() {
        let options = options("").unwrap();
        assert_eq!((&*options.url, &*options.cdn), (URL, CDN));
        assert_eq!(options.window_ttl, Duration::from_hours(7 * 24));
    }

    #[test]
    fn an_error_names_the_key() {
        assert_eq!(options("url = 'http://h:1/'").unwrap().url, "http://h:1");
        for (text, key) in [
            ("url = 'ws://h/'", "`url`"),
            ("cdn = 'h'", "`cdn`"),
            ("window_ttl = 0", "`window_ttl`"),
            ("window_ttl = 'x'", "`window_ttl`"),
            ("max_text = 0", "`max_text`"),
            ("speed = 1", "speed"),
        ] {
            let error = options(text).unwrap_err();
            assert!(error.contains(key), "{text}: {error}");
        }
    }
}
