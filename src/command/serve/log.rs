//! The log: to standard error, for people or as JSON; its level can be set anew.

use crate::config::{Log, LogFormat};
use crate::error::{Error, Result};
use std::io::IsTerminal;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry, reload};

/// Sets the level of a log that has started.
pub(super) type LogLevel = Box<dyn Fn(&str) -> Result<()> + Send + Sync>;

pub(super) fn start(log: &Log) -> Result<LogLevel> {
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
    let cannot = |error: &dyn std::fmt::Display| {
        Error::failed(format!("the log cannot be started: {error}"))
    };
    registry().with(level).with(lines).try_init().map_err(|error| cannot(&error))?;
    Ok(Box::new(move |level| handle.reload(filter(level)?).map_err(|error| cannot(&error))))
}

fn filter(level: &str) -> Result<EnvFilter> {
    EnvFilter::try_new(level)
        .map_err(|error| Error::failed(format!("`log.level` {level:?} cannot be read: {error}")))
}
