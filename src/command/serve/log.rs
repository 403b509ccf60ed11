//! The log: to standard error, for people or as JSON; its level can be set anew.

use crate::adapter::{AdapterStatusChange, ThrottledChanges};
use crate::config::{LogFormat, LogSettings, log_filter};
use crate::error::{Error, Result};
use std::io::IsTerminal;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry, reload};

/// Sets the level of a log that has started.
pub(in crate::command) type LogLevel = Arc<dyn Fn(&str) -> Result<()> + Send + Sync>;

pub(in crate::command) fn start(log: &LogSettings) -> Result<LogLevel> {
    let wants_colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(wants_colour && std::io::stderr().is_terminal());
    let lines = match log.format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let (level, handle) = reload::Layer::new(log_filter(&with_quiet_parts(&log.level))?);
    let cannot =
        |error: &dyn std::fmt::Display| Error::failed(format!("cannot start the log: {error}"));
    registry().with(level).with(lines).try_init().map_err(|error| cannot(&error))?;
    Ok(Arc::new(move |level| {
        handle.reload(log_filter(&with_quiet_parts(level))?).map_err(|error| cannot(&error))
    }))
}

/// Says which account comes and goes, until the server stops.
pub(super) async fn tell_of_adapters(mut changes: ThrottledChanges, stop: CancellationToken) {
    while let Some(change) = stop.run_until_cancelled(changes.next()).await {
        let AdapterStatusChange { platform, account, state, reason } = change;
        tracing::info!(platform, account, reason, "an adapter is {state:?}");
    }
}

/// The level, with two libraries quiet: one tells of each request, the other of each attempt to
/// connect, whose error the node tells.
fn with_quiet_parts(level: &str) -> String {
    let is_quiet = |word: &str| matches!(word.trim(), "off" | "error" | "warn");
    let mut quiet = vec!["async_nats=off"];
    if !level.split(',').all(is_quiet) {
        quiet.insert(0, "rmcp=warn");
    }
    let named = |part: &&str| part.split('=').next().is_some_and(|name| level.contains(name));
    quiet.retain(|part| !named(part));
    quiet.iter().fold(level.to_owned(), |level, part| format!("{level},{part}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_quiet_unless_they_are_named() {
        for (level, wanted) in [
            ("info", "info,rmcp=warn,async_nats=off"),
            ("warn,rechat=debug", "warn,rechat=debug,rmcp=warn,async_nats=off"),
            ("warn", "warn,async_nats=off"),
            ("info,rmcp=trace", "info,rmcp=trace,async_nats=off"),
            ("info,async_nats=info", "info,async_nats=info,rmcp=warn"),
        ] {
            assert_eq!(with_quiet_parts(level), wanted);
            assert!(log_filter(wanted).is_ok());
        }
    }
}
