//! `rechat serve`

use super::output::Output;
use crate::cli::Serve;
use crate::config::{self, Config, Log, LogFormat, Sources};
use crate::error::{Error, Result};
use crate::hub::{self, Hub};
use crate::server::{Context, Listeners, serve};
use crate::shutdown;
use crate::store::{Access, Store};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use tokio_util::task::TaskTracker;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

pub(super) fn run(serve: Serve, config: Option<PathBuf>) -> Result<()> {
    let mut sources = Sources::of_process(config)?;
    let print = serve.print_config;
    add_flags(&mut sources, serve);
    let loaded = config::load(&sources)?;
    if print {
        let mut out = Output::new();
        out.line(loaded.describe()?)?;
        return out.finish();
    }
    check_access(&loaded.config)?;
    start_log(&loaded.config.log)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::failed(format!("the system gives no threads: {error}")))?
        .block_on(run_server(loaded.config))
}

fn add_flags(sources: &mut Sources, serve: Serve) {
    let log_format = serve.log_format.map(|format| match format {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    });
    let words = [
        ("listen", "--listen", serve.listen.map(|address| address.to_string())),
        ("db", "--db", serve.db.map(|path| path.display().to_string())),
        ("token", "--token", serve.token),
        ("log.level", "--log", serve.log),
        ("log.format", "--log-format", log_format.map(str::to_owned)),
    ];
    for (key, flag, value) in words {
        sources.flags.extend(value.map(|value| (key, flag, value.into())));
    }
    if serve.allow_no_token {
        sources.flags.push(("allow_no_token", "--allow-no-token", true.into()));
    }
}

/// Refuses to serve strangers by mistake (contract, Part 2, item 21).
fn check_access(config: &Config) -> Result<()> {
    if config.listen.ip().is_loopback() || config.token.is_some() || config.allow_no_token {
        return Ok(());
    }
    let listen = config.listen;
    Err(Error::usage(format!("{listen} can be reached by others, and no token is set")).hint(
        format!(
            "rechat serve --listen {listen} --token \"$(head -c 24 /dev/urandom | base64)\"\n  \
         or, if everybody who reaches it may read and send: --allow-no-token"
        ),
    ))
}

fn start_log(log: &Log) -> Result<()> {
    let filter = EnvFilter::try_new(&log.level).map_err(|error| {
        Error::failed(format!("`log.level` {:?} cannot be read: {error}", log.level))
    })?;
    let wants_colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(wants_colour && std::io::stderr().is_terminal());
    let started = match log.format {
        LogFormat::Text => builder.finish().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
    };
    started.map_err(|error| Error::failed(format!("the log cannot be started: {error}")))
}

async fn run_server(config: Config) -> Result<()> {
    let stop = shutdown::on_signal()?;
    let socket = config::socket_beside(&config.db);
    let options = config.store_options(Access::Write);
    let hub = Hub::new(hub::Limits {
        frames: config.limits.session_frames,
        bytes: config.limits.session_bytes,
        pairs: config.limits.session_pairs,
    });
    let store = match Store::open(&options, Box::new(hub.clone())) {
        Ok(store) => store,
        Err(_) if tokio::net::UnixStream::connect(&socket).await.is_ok() => {
            return Err(Error::failed(format!(
                "a rechat server already runs on {}",
                config.db.display()
            ))
            .hint("use that one, or give this one another store with --db"));
        }
        Err(error) => return Err(error.into()),
    };
    let context = Arc::new(Context { config, store, hub, stop, tasks: TaskTracker::new() });
    let listeners = Listeners::bind(&context, &socket).await?;
    let address = listeners.address().map_err(|error| Error::failed(error.to_string()))?;
    tracing::info!(%address, socket = %socket.display(), db = %context.config.db.display(), "serving");
    serve(context.clone(), listeners).await?;
    if let Some(context) = Arc::into_inner(context) {
        context.store.close()
    } else {
        tracing::warn!("the store is still in use and is closed with the process")
    }
    tracing::info!("stopped");
    Ok(())
}
