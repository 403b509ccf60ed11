//! The definition of an adapter: its description, its own settings, and its service.

use super::api::{Kind, LoginRequest, OwnSettings, Settings};
use super::context::Context;
use super::registry::ConfiguredEntry;
use super::transport::{Running, ServeConnection};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// One adapter, listed in `kinds`.
pub(super) struct Adapter {
    pub(super) kind: Kind,
    /// It logs in to a web service: `url` is its own setting, and it runs without an entry too, for
    /// those who log in.
    pub(super) logs_in: bool,
    /// Reads the kind's own settings; the error names the key.
    pub(super) configure: fn(OwnSettings) -> Result<Service, String>,
}

/// The service of one configured adapter; made from the kind's own settings.
#[derive(Clone, Debug)]
pub(super) enum Service {
    /// Serves connections of `transport`, dialled or accepted.
    Connections(Arc<dyn ServeConnection>),
    /// Makes no connections of `transport`.
    Standalone(Arc<dyn ServeStandalone>),
}

/// Serves an adapter that makes no connections of `transport`.
pub(super) trait ServeStandalone: fmt::Debug + Send + Sync {
    /// Runs until the context stops; without an entry where it is not configured.
    fn run(
        self: Arc<Self>,
        settings: Arc<Settings>,
        entry: Option<ConfiguredEntry>,
        context: Context,
    ) -> Running<()>;

    /// How long a message may wait, where that is not what holds for all platforms.
    fn time_to_live(&self) -> Option<Duration> {
        None
    }

    /// Where requests to log in go, if it takes such.
    fn logins(&self) -> Option<mpsc::Sender<LoginRequest>> {
        None
    }
}

/// Reads a kind's own settings into their type.
pub(super) fn read_own<T: DeserializeOwned>(own: OwnSettings) -> Result<T, String> {
    serde_path_to_error::deserialize(Value::Object(own)).map_err(|error| {
        let key = error.path().to_string();
        let error = error.into_inner().to_string();
        if error.starts_with("unknown field") { error } else { format!("`{key}`: {error}") }
    })
}
