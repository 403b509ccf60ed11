//! `rechat serve`

mod access;
mod adapter_states;
mod flags;
mod handover;
mod kept_logs;
mod leading;
pub(super) mod log;
mod media;
mod membership;
mod notify;
mod reload;
mod start;
mod store;
mod welcome;

use super::output::Output;
use crate::activity::ActivityCounts;
use crate::cli::{GlobalOptions, Serve};
use crate::clock::now;
use crate::cluster::{self, ClusterNode, WantedCopies};
use crate::config::{self, Config, Loaded, Sources};
use crate::error::{Error, Result};
use crate::health::supervise;
use crate::hub::{Hub, SessionLimits};
use crate::media::NewMedia;
use crate::outbox;
use crate::raw_events::RawEventRetention;
use crate::server::{Listeners, ServerContext, serve};
use crate::store::{Access, SharedLogFactory};
use crate::{health, shutdown};
use access::check_access;
use log::LogLevel;
use media::OpenedMedia;
use membership::NodeTask;
use reload::Reloadable;
use start::{ServerParts, Started, start};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use store::Commits;
use tokio::sync::{mpsc, watch};

/// The part of `limits.memory_bytes` that events which are read again may hold beside it.
const REPLAY_PART: usize = 4;

/// Connections of other nodes that wait to be served; more are refused.
const MAX_PASSED: usize = 64;

/// The time at the end for storing received events and recording attempts.
const INGEST_STOP_TIMEOUT: Duration = Duration::from_millis(900);

pub(super) fn run(serve: Serve, globals: &GlobalOptions) -> Result<()> {
    let mut sources = Sources::of_process(globals.config.clone())?;
    let print = serve.print_config;
    flags::add(&mut sources, serve);
    let loaded = config::load(&sources)?;
    if print {
        let mut out = Output::new(globals);
        out.line(loaded.describe()?)?;
        return out.finish();
    }
    check_access(&loaded.config)?;
    let log = log::start(&loaded.config.log)?;
    sources.warnings().for_each(|warning| tracing::warn!("{warning}"));
    allow_descriptors();
    let mut ended = run_once(sources.clone(), loaded, log.clone())?;
    while ended == ServerEnd::BeginAgain {
        health::HEALTH.clear();
        let loaded = config::load(&sources)?;
        cluster::take_fetched(&loaded.config.db)?;
        ended = run_once(sources.clone(), loaded, log.clone())?;
    }
    Ok(())
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ServerEnd {
    Stopped,
    /// A snapshot lies beside its store, and takes its place.
    BeginAgain,
}

fn run_once(sources: Sources, loaded: Loaded, log: LogLevel) -> Result<ServerEnd> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::failed(format!("cannot start threads: {error}")))?;
    let ended = runtime.block_on(run_server(sources, loaded, log));
    // A long copy or export that is under way breaks off.
    runtime.shutdown_background();
    ended
}

/// Raises the limit of open files to the most that this user may have: a shell allows 1,024, far
/// fewer than connections.
fn allow_descriptors() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!("the limit of open files stays as it is: {error}");
    }
}

async fn run_server(sources: Sources, loaded: Loaded, log: LogLevel) -> Result<ServerEnd> {
    let config = loaded.config.clone();
    let hangups = shutdown::hangups()?;
    let stop = shutdown::on_signal()?;
    let hub = hub(&config);
    let (observer, outbox) = outbox::new();
    let socket = config::socket_beside(&config.db);
    let activity = Arc::new(ActivityCounts::default());
    let new_media = Arc::new(NewMedia::default());
    let raw_events = Arc::new(RawEventRetention::default());
    let wanted = config.cluster.as_ref().map(|_| Arc::new(WantedCopies::default()));
    let commits = Commits {
        hub: hub.clone(),
        outbox: observer,
        activity: activity.clone(),
        media: new_media.clone(),
        wanted: wanted.clone(),
        raw_events: raw_events.clone(),
    };
    let joining = Box::pin(join_cluster(&config));
    let Some(joined) = stop.run_until_cancelled(joining).await else {
        tracing::info!("stopped");
        return Ok(ServerEnd::Stopped);
    };
    let (node, shared_log) = joined?.unzip();
    // The store's lock first: it proves that a socket found beside it is stale.
    let store = store::open(&config, &socket, commits, shared_log).await?;
    activity.read_back(&store, now())?;
    let media = OpenedMedia::open(&config, new_media, &store, node.as_ref())?;
    let listeners = Listeners::bind(&config, &socket).await?;
    let address = listeners.address().map_err(|error| Error::failed(error.to_string()))?;
    welcome::welcome(&config, address);
    let page = welcome::page(&config, address);
    let (policy, retention) = watch::channel(config.retention());
    let parts = ServerParts {
        config,
        page,
        store: store.clone(),
        media,
        hub,
        raw_events,
        activity,
        retention,
        stop,
    };
    let Started { context, owned, background, unstored } = start(parts, outbox)?;
    start_reports(&context);
    let live = Reloadable { context: context.clone(), owned, log, retention: policy };
    let reloading = live.reload_on(hangups, sources, loaded);
    let tasks = context.tasks.clone();
    tokio::spawn(async move { health::run_to_end("reload", &tasks, reloading).await });
    let db = context.config.db.display().to_string();
    tracing::info!(%address, socket = %socket.display(), db, "serving");
    let (pass, passed) = mpsc::channel(MAX_PASSED);
    let passed = node.is_some().then_some(passed);
    let part = node.zip(wanted).and_then(|(node, wanted)| {
        NodeTask::begin(node, wanted, &context, &socket, &address.to_string(), pass)
    });
    let state = context.cluster.as_ref().map(|cluster| cluster.state.clone());
    serve(context, listeners, passed).await?;
    // With the server's context went the last sender of events: ingest ends with what it holds.
    end_within_limit(background, &unstored).await;
    // The lease last: others lead once everything of this node is written.
    if let Some(part) = part {
        part.end().await;
    }
    store.close();
    if state.is_some_and(|state| state.is_to_begin_again()) {
        tracing::warn!("this server begins again, with the snapshot that it fetched");
        return Ok(ServerEnd::BeginAgain);
    }
    tracing::info!("stopped");
    Ok(ServerEnd::Stopped)
}

fn hub(config: &Config) -> Arc<Hub> {
    Hub::new(SessionLimits {
        frames: config.limits.session_frames,
        bytes: config.limits.session_bytes,
        replay_bytes: config.limits.memory_bytes / REPLAY_PART,
        topics: config.limits.session_pairs,
    })
}

/// Joins the cluster that is configured.
async fn join_cluster(config: &Config) -> Result<Option<(ClusterNode, SharedLogFactory)>> {
    let Some(settings) = &config.cluster else { return Ok(None) };
    let started = cluster::start(settings, &config.store_options(Access::Write)).await?;
    Ok(Some((started.node, started.log)))
}

/// Starts what tells the log, the health and systemd of the server's state.
fn start_reports(context: &ServerContext) {
    let (registry, stop) = (context.registry.clone(), context.stop.clone());
    // From now on, so that the first connection is told of, too.
    let mut first = Some(registry.throttled_changes());
    let adapters = move || {
        let changes = first.take().unwrap_or_else(|| registry.throttled_changes());
        log::tell_of_adapters(changes, stop.clone())
    };
    context.tasks.spawn(supervise("log", context.stop.clone(), adapters));
    let (db, stop) = (context.config.db.clone(), context.stop.clone());
    let logs = move || kept_logs::report(db.clone(), stop.clone());
    context.tasks.spawn(supervise("kept logs", context.stop.clone(), logs));
    let (store, stop) = (context.store.clone(), context.stop.clone());
    let state = context.cluster.as_ref().map(|cluster| cluster.state.clone());
    let system = move || notify::notify_systemd(store.clone(), state.clone(), stop.clone());
    context.tasks.spawn(supervise("systemd", context.stop.clone(), system));
}

/// Waits for ingest and outbox, and tells of what did not end in time.
async fn end_within_limit(background: impl Future<Output = ()>, unstored: &AtomicUsize) {
    if tokio::time::timeout(INGEST_STOP_TIMEOUT, background).await.is_ok() {
        return;
    }
    match unstored.load(Ordering::Relaxed) {
        0 => tracing::warn!("attempts to send were interrupted; the next start looks them up"),
        events => tracing::error!(
            events,
            "these events came in and could not be stored; they were held in memory only and are \
             lost, unless the platform's history tells them again"
        ),
    }
}
