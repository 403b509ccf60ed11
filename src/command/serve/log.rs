//! The log: to standard error, for people or as JSON; its level can be set anew.

use crate::adapter::{AdapterStatusChange, ThrottledChanges};
use crate::config::{LogFormat, LogSettings};
use crate::error::{Error, Result};
use std::io::IsTerminal;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry, reload};

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
    let (level, handle) = reload::Layer::new(filter(&log.level)?);
    let cannot =
        |error: &dyn std::fmt::Display| Error::failed(format!("cannot start the log: {error}"));
    registry().with(level).with(lines).try_init().map_err(|error| cannot(&error))?;
    Ok(Arc::new(move |level| handle.reload(filter(level)?).map_err(|error| cannot(&error))))
}

/// Says which account comes and goes, until the server stops.
pub(super) async fn tell_of_adapters(mut changes: ThrottledChanges, stop: CancellationToken) {
    while let Some(change) = stop.run_until_cancelled(changes.next()).await {
        let AdapterStatusChange { platform, account, state, reason } = change;
        tracing::info!(platform, account, reason, "an adapter is {state:?}");
    }
}

fn filter(level: &str) -> Result<EnvFilter> {
    // A word alone would be taken for a part of the program, and everything else be silent.
    let is_level = |word: &str| word.contains('=') || word.trim().parse::<LevelFilter>().is_ok();
    if !level.split(',').all(is_level) {
        return Err(Error::failed(format!("`log.level` is {level:?}, which is no level"))
            .hint("write error, warn, info, debug, trace or off"));
    }
    EnvFilter::try_new(with_quiet_parts(level))
        .map_err(|error| Error::failed(format!("`log.level` is {level:?}: {error}")))
}

/// The level, with two libraries at `warn`: they tell of each request, and of each attempt to connect.
fn with_quiet_parts(level: &str) -> String {
    let is_quiet = |word: &str| matches!(word.trim(), "off" | "error" | "warn");
    if level.split(',').all(is_quiet) {
        return level.to_owned();
    }
    let quiet = ["rmcp", "async_nats"].into_iter().filter(|part| !level.contains(part));
    quiet.fold(level.to_owned(), |level, part| format!("{level},{part}=warn"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_quiet_unless_they_are_named() {
        for (level, wanted) in [
            ("info", "info,rmcp=warn,async_nats=warn"),
            ("warn,rechat=debug", "warn,rechat=debug,rmcp=warn,async_nats=warn"),
            ("off", "off"),
            ("info,rmcp=trace", "info,rmcp=trace,async_nats=warn"),
        ] {
            assert_eq!(with_quiet_parts(level), wanted);
            assert!(filter(level).is_ok());
        }
    }
}
