//! The official bot interface of WeChat, called iLink: persons write to a bot, which answers.

mod account;
mod address;
mod api;
mod call_failure;
mod connection;
mod crypto;
mod download;
mod hosts;
mod http;
mod inbound;
mod json;
mod lock;
mod login;
mod logins;
mod options;
mod outbound;
mod poll;
mod qr;
mod reply;
mod saved_state;
mod send;
mod service;
mod typing;
mod unreadable;
mod upload;
mod window;

use super::api::{ConfigKey, Kind, LoginRequest, OwnSettings, Settings};
use super::context::Context;
use super::definition::{Adapter, ServeStandalone, Service};
use super::registry::ConfiguredEntry;
use super::transport::Running;
use options::IlinkOptions;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};

pub(super) static ADAPTER: Adapter = Adapter {
    kind: Kind {
        name: "ilink",
        title: "WeChat",
        platform: "wechat",
        paths: &[],
        addresses: address::addresses,
        resolve: address::resolve,
        is_fallback: false,
        loses_media: true,
        advice: "check the network; if the login has ended, run `rechat login` for the platform",
        keys: &[
            ConfigKey::new(
                "url",
                "string",
                "the official one",
                "\"https://ilink.example.com\"",
                "another address than the official one",
            ),
            ConfigKey::new(
                "cdn",
                "string",
                "the official one",
                "\"https://cdn.example.com/c2c\"",
                "another address for files than the official one",
            ),
            ConfigKey::new(
                "window_ttl",
                "number, at least 1",
                "604800",
                "86400",
                "seconds that a message waits until it can go out, before it is `Failed`",
            ),
            ConfigKey::new(
                "max_text",
                "number, at least 1",
                "2000",
                "4000",
                "characters of one text; a longer one goes out in parts",
            ),
            ConfigKey::new(
                "join_texts",
                "boolean",
                "false",
                "true",
                "texts that wait one after the other go out as one of up to `max_text` characters",
            ),
        ],
    },
    logs_in: true,
    configure: |own| Ok(Service::Standalone(Arc::new(Ilink::configure(own)?))),
};

/// Requests about logins that may wait.
const MAX_REQUESTS: usize = 16;

/// One configured adapter.
struct Ilink {
    options: Arc<IlinkOptions>,
    logins: mpsc::Sender<LoginRequest>,
    /// Held by the run.
    requests: Mutex<mpsc::Receiver<LoginRequest>>,
}

impl fmt::Debug for Ilink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ilink").field(&self.options).finish()
    }
}

impl Ilink {
    fn configure(own: OwnSettings) -> Result<Self, String> {
        let options = IlinkOptions::read(own)?;
        let (logins, requests) = mpsc::channel(MAX_REQUESTS);
        Ok(Self { options: Arc::new(options), logins, requests: Mutex::new(requests) })
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
            let mut requests = self.requests.lock().await;
            let options = Arc::clone(&self.options);
            service::IlinkService::new(options, settings, entry, context).run(&mut requests).await;
        })
    }

    fn time_to_live(&self) -> Option<Duration> {
        Some(self.options.window_ttl)
    }

    fn logins(&self) -> Option<mpsc::Sender<LoginRequest>> {
        Some(self.logins.clone())
    }
}
