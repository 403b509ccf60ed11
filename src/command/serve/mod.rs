//! `rechat serve`

mod access;
mod adapter_states;
mod held;
mod leading;
pub(super) mod log;
mod media;
mod membership;
mod notify;
mod reload;
mod welcome;

use super::output::Output;
use crate::actions::Actions;
use crate::activity::ActivityCounts;
use crate::adapter::{self, EventSink, Registry};
use crate::cli::{Globals, LoopbackMode, Serve};
use crate::clock::{Clock, now};
use crate::cluster::{self, WantedCopies};
use crate::config::{self, Config, Loaded, LogFormat, Sources};
use crate::error::{Error, Result};
use crate::gateway::{self, Gateway};
use crate::health::{self, HEALTH};
use crate::hub::{self, Hub};
use crate::ingest::{HandOver, Ingest};
use crate::mcp;
use crate::model::change::Committed;
use crate::outbox::{self, CommitObserver, LateOutcomes, Outbox};
use crate::raw_events::RawEventRetention;
use crate::retention;
use crate::search::{self, Index};
use crate::server::{
    AccessControl, Limit, Listeners, Memory, ServerContext, UnidentifiedLimit, serve,
};
use crate::shutdown;
use crate::store::{
    self, Head, Listener, SharedLogFactory, Store, StoreOptions, kept_logs, kept_stores,
};
use access::check_access;
use arc_swap::ArcSwap;
use held::Leader;
use leading::{ConfiguredParts, OwnedParts, while_leading};
use log::LogLevel;
use media::OpenedMedia;
use membership::ClusterPart;
use notify::notify;
use reload::Live;
use sd_notify::NotifyState;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Events of adapters that wait to be stored; with more, their sockets wait.
const MAX_EVENTS: usize = 1024;

/// Bytes of those events.
const MAX_EVENT_BYTES: u32 = 64 << 20;

/// The part of `limits.memory_bytes` that events which are read again may hold beside it.
const REPLAY_PART: usize = 4;

/// Connections of other nodes that wait to be served; more are refused.
const MAX_PASSED: usize = 64;

/// The time for running attempts to end when the server stops.
const LAST_ATTEMPTS: Duration = Duration::from_secs(2);

/// How often the server looks for damaged logs that are kept.
const LOOK_AT_LOGS: Duration = Duration::from_mins(1);

/// The time at the end for storing received events and recording attempts.
const LAST_WRITES: Duration = Duration::from_millis(900);

pub(super) fn run(serve: Serve, globals: &Globals) -> Result<()> {
    let mut sources = Sources::of_process(globals.config.clone())?;
    let print = serve.print_config;
    add_flags(&mut sources, serve);
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
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::failed(format!("cannot start threads: {error}")))?;
    let ended = runtime.block_on(run_server(sources, loaded, log));
    // A long copy or export that is under way breaks off.
    runtime.shutdown_background();
    ended
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
        ("token_file", "--token-file", serve.token_file.map(|path| path.display().to_string())),
        ("log.level", "--log", serve.log),
        ("log.format", "--log-format", log_format.map(str::to_owned)),
    ];
    for (key, flag, value) in words {
        sources.flags.extend(value.map(|value| (key, flag, value.into())));
    }
    if let Some(how) = serve.loopback {
        let mut entry = toml::Table::from_iter([("kind".to_owned(), "loopback".into())]);
        if how == LoopbackMode::Echo {
            entry.insert("echo".to_owned(), true.into());
        }
        sources.more_adapters.push(entry);
    }
    if serve.allow_no_token {
        sources.flags.push(("allow_no_token", "--allow-no-token", true.into()));
    }
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

async fn run_server(sources: Sources, loaded: Loaded, log: LogLevel) -> Result<()> {
    let config = loaded.config.clone();
    let hangups = shutdown::hangups()?;
    let stop = shutdown::on_signal()?;
    let hub = Hub::new(hub::SessionLimits {
        frames: config.limits.session_frames,
        bytes: config.limits.session_bytes,
        replay_bytes: config.limits.memory_bytes / REPLAY_PART,
        topics: config.limits.session_pairs,
    });
    let (observer, outbox) = outbox::new();
    let socket = config::socket_beside(&config.db);
    // The store's lock first: it proves that a socket found beside it is stale.
    let activity = Arc::new(ActivityCounts::default());
    let committed = Arc::new(Notify::new());
    let raw_events = Arc::new(RawEventRetention::default());
    let wanted = config.cluster.as_ref().map(|_| Arc::new(WantedCopies::default()));
    let commits = Commits {
        hub: hub.clone(),
        outbox: observer,
        activity: activity.clone(),
        media: committed.clone(),
        wanted: wanted.clone(),
        raw_events: raw_events.clone(),
    };
    let started = match &config.cluster {
        Some(settings) => {
            Some(cluster::start(settings, &config.store_options(store::Access::Write)).await?)
        }
        None => None,
    };
    let (node, shared_log) = started.map(|started| (started.node, started.log)).unzip();
    let store = open_store(&config, &socket, commits, shared_log).await?;
    activity.read_back(&store, now())?;
    let media = OpenedMedia::open(&config, committed, &store, node.as_ref())?;
    let listeners = Listeners::bind(&config, &socket).await?;
    let address = listeners.address().map_err(|error| Error::failed(error.to_string()))?;
    let db = config.db.display().to_string();
    welcome::welcome(&config, address);
    let page = welcome::page(&config, address);
    let (policy, retention) = watch::channel(config.retention());
    let Started { context, owned, background, unstored } = start(
        config,
        page,
        store.clone(),
        media,
        hub,
        raw_events,
        activity,
        outbox,
        retention,
        stop,
    )?;
    let (registry, stop) = (context.registry.clone(), context.stop.clone());
    // From now on, so that the first connection is told of, too.
    let mut first = Some(registry.damped_changes());
    let telling = move || {
        let changes = first.take().unwrap_or_else(|| registry.damped_changes());
        log::tell_of_adapters(changes, stop.clone())
    };
    context.tasks.spawn(health::supervise("log", context.stop.clone(), telling));
    let live = Live { context: context.clone(), owned, log, retention: policy };
    let reloading = live.reload_on(hangups, sources, loaded);
    let tasks = context.tasks.clone();
    tokio::spawn(async move { health::run_to_end("reload", &tasks, reloading).await });
    let (kept, stop) = (context.config.db.clone(), context.stop.clone());
    let telling = move || tell_kept_logs(kept.clone(), stop.clone());
    context.tasks.spawn(health::supervise("kept logs", context.stop.clone(), telling));
    tracing::info!(%address, socket = %socket.display(), db, "serving");
    let (kept, stop) = (context.store.clone(), context.stop.clone());
    let telling = move || tell_system(kept.clone(), stop.clone());
    context.tasks.spawn(health::supervise("systemd", context.stop.clone(), telling));
    let (pass, passed) = mpsc::channel(MAX_PASSED);
    let passed = node.is_some().then_some(passed);
    let part = node.zip(wanted).and_then(|(node, wanted)| {
        ClusterPart::begin(node, wanted, &context, &socket, &address.to_string(), pass)
    });
    serve(context, listeners, passed).await?;
    // With the server's context went the last sender of events: ingest ends with what it holds.
    if tokio::time::timeout(LAST_WRITES, background).await.is_err() {
        match unstored.load(Ordering::Relaxed) {
            0 => tracing::warn!("attempts to send were interrupted; the next start looks them up"),
            events => tracing::error!(
                events,
                "these events came in and could not be stored; they were held in memory only and \
                 are lost, unless the platform's history tells them again"
            ),
        }
    }
    // The lease last: others lead once everything of this node is written.
    if let Some(part) = part {
        part.end().await;
    }
    store.close();
    tracing::info!("stopped");
    Ok(())
}

/// Tells, for as long as they are there, of damaged logs and stores that are kept beside the store.
async fn tell_kept_logs(db: PathBuf, stop: CancellationToken) {
    const PART: &str = "write-ahead log";
    const STORE_PART: &str = "damaged store";
    loop {
        match &kept_logs(&db)[..] {
            [] => HEALTH.recover(PART),
            [kept, ..] => HEALTH.degrade(
                PART,
                format!(
                    "{} is kept: that log was damaged, missing or of another store, and messages may be missing; remove the file once you have looked",
                    kept.display()
                ),
            ),
        }
        match &kept_stores(&db)[..] {
            [] => HEALTH.recover(STORE_PART),
            [kept, ..] => HEALTH.degrade(
                STORE_PART,
                format!(
                    "{} is kept: the store was damaged and made anew from what could be read, and messages may be missing; remove the file once you have looked",
                    kept.display()
                ),
            ),
        }
        if stop.run_until_cancelled(tokio::time::sleep(LOOK_AT_LOGS)).await.is_none() {
            return;
        }
    }
}

/// Tells systemd that we are ready, that we live (for as long as the store answers), and that we
/// are stopping; does nothing without systemd.
async fn tell_system(store: Arc<Store>, stop: CancellationToken) {
    notify(NotifyState::Ready);
    let every = sd_notify::watchdog_enabled().map_or(Duration::MAX, |limit| limit / 3);
    while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
        if store.view().is_ok() {
            notify(NotifyState::Watchdog);
        }
    }
    notify(NotifyState::Stopping);
}

/// The server, and the parts that work behind it.
struct Started<Background> {
    context: Arc<ServerContext>,
    owned: Arc<OwnedParts>,
    /// Ends when ingest and outbox have.
    background: Background,
    /// The number of events that are held in memory only.
    unstored: Arc<AtomicUsize>,
}

/// Starts what works behind the server: ingest, adapters, outbox.
#[expect(
    clippy::too_many_arguments,
    clippy::too_many_lines,
    reason = "the parts of the server, each once"
)]
fn start(
    config: Config,
    page: String,
    store: Arc<Store>,
    media: OpenedMedia,
    hub: Arc<Hub>,
    raw_events: Arc<RawEventRetention>,
    activity: Arc<ActivityCounts>,
    outbox: Outbox,
    retention: watch::Receiver<retention::RetentionPolicy>,
    stop: CancellationToken,
) -> Result<Started<impl Future<Output = ()>>> {
    let (registry, tasks) = (Registry::new(), TaskTracker::new());
    let (core, inbound) = EventSink::new(MAX_EVENTS, MAX_EVENT_BYTES);
    let leader = media.cluster.as_ref().map(|cluster| Leader(cluster.events.clone()));
    let ingest = Ingest::new(
        store.clone(),
        registry.clone(),
        outbox.outcomes.clone(),
        raw_events.clone(),
        media.blobs.clone(),
        leader.clone().map(|leader| Arc::new(leader) as Arc<dyn HandOver>),
        inbound,
    );
    let unstored = ingest.unstored();
    // It ends with its queue, not with the signal.
    let never = CancellationToken::new();
    let receiving = tokio::spawn(health::supervise("ingest", never, move || ingest.clone().run()));
    // Before anything comes in, so that its raw events are kept for bots.
    let actions = Actions::new(store.clone(), registry.clone(), tasks.clone());
    let parts = gateway::GatewayContext {
        store: store.clone(),
        registry: registry.clone(),
        actions: actions.clone(),
        outcomes: outbox.outcomes.clone(),
        blobs: media.blobs.clone(),
        signer: media.signer.clone(),
        raw_events,
        stop: stop.clone(),
        tasks: tasks.clone(),
    };
    let is_leading = *store.leading().borrow();
    let bots = if is_leading { config.bot.clone() } else { Vec::new() };
    let bots = ArcSwap::from_pointee(Gateway::start(parts.clone(), bots)?);
    let adapters_stop = CancellationToken::new();
    let (all, files) = (adapters_stop.clone(), media.for_adapters());
    let adapters = if is_leading {
        adapter::start(config.adapter.clone(), core, registry.clone(), files, all, tasks.clone())
    } else {
        adapter::none(core, registry.clone(), files, all, tasks.clone())
    };
    tasks.spawn(health::supervise("hub", stop.clone(), {
        let (hub, store, stop) = (hub.clone(), store.clone(), stop.clone());
        move || hub.clone().run(store.clone(), stop.clone())
    }));
    adapter_states::start(&registry, &hub, &store, media.cluster.as_ref(), &tasks, &stop);
    let clock = Arc::new(Clock::start());
    tasks.spawn(health::supervise("clock", stop.clone(), {
        let (clock, stop) = (clock.clone(), stop.clone());
        move || {
            let (clock, stop) = (clock.clone(), stop.clone());
            async move { clock.watch(stop).await }
        }
    }));
    let deleting = {
        let (store, clock) = (store.clone(), clock.clone());
        move |until: CancellationToken| {
            let (store, clock, retention) = (store.clone(), clock.clone(), retention.clone());
            let end = until.clone();
            let run = move || {
                retention::run(store.clone(), clock.clone(), retention.clone(), end.clone())
            };
            health::supervise("retention", until, run)
        }
    };
    tasks.spawn(while_leading(store.leading(), stop.clone(), deleting));
    let (blobs, signer) = (media.blobs.clone(), media.signer.clone());
    let (partials, cluster) = (media.partials.clone(), media.cluster.clone());
    let completer = media.start(&config, &store, registry.clone(), &tasks, &stop);
    let index = Arc::new(Index::new(search::folder_beside(&config.db)));
    tasks.spawn(search::run(index.clone(), store.clone(), stop.clone()));
    let (outcomes, attempts) = (outbox.outcomes.clone(), outbox.attempts.clone());
    let late = leader.map(|leader| Arc::new(leader) as Arc<dyn LateOutcomes>);
    let outbox = outbox.with_late(late);
    let sending = {
        let (store, registry) = (store.clone(), registry.clone());
        let (policy, default_platform) = (config.policy(), config.default_platform.clone());
        move |until: CancellationToken| {
            let (outbox, store, registry) = (outbox.clone(), store.clone(), registry.clone());
            let (clock, default_platform) = (clock.clone(), default_platform.clone());
            let end = until.clone();
            let run = move || {
                outbox.clone().run(
                    store.clone(),
                    registry.clone(),
                    policy,
                    default_platform.clone(),
                    clock.clone(),
                    end.clone(),
                )
            };
            health::supervise("outbox", until, run)
        }
    };
    let sending = tokio::spawn(while_leading(store.leading(), stop.clone(), sending));
    let sending = tokio::spawn(end_before(adapters_stop, stop.clone(), sending));
    let configured = Mutex::new(ConfiguredParts {
        adapters: config.adapter.clone(),
        bots: config.bot.clone(),
        is_changed: false,
    });
    let context = Arc::new(ServerContext {
        access: AccessControl::new(&config),
        sessions: Limit::new("sessions", config.limits.sessions),
        dial_ins: Limit::new("adapters", config.limits.adapters),
        unidentified: UnidentifiedLimit::new("adapters", config.limits.adapters),
        exports: Limit::new("exports", config.limits.exports),
        uploads: Limit::new("uploads", config.limits.uploads),
        blobs,
        partials,
        completer,
        signer,
        fetches: Arc::new(Semaphore::new(config.media.fetches)),
        memory: Memory::new(config.limits.memory_bytes),
        actions,
        bots,
        cluster,
        agents: Arc::new(mcp::AgentBounds::new(config.mcp.clone())),
        config,
        page,
        store,
        search: index,
        adapters: ArcSwap::from_pointee(adapters),
        registry,
        outcomes,
        attempts,
        activity,
        hub,
        stop,
        tasks,
    });
    let owned = Arc::new(OwnedParts { context: context.clone(), gateway: parts, configured });
    context.tasks.spawn(owned.clone().follow_role(is_leading));
    let background = async {
        let _ = tokio::join!(receiving, sending);
    };
    Ok(Started { context, owned, background, unstored })
}

/// Ends the adapters after the outbox, so that what is under way still gets its answer, if that
/// comes soon.
async fn end_before(
    adapters: CancellationToken,
    stop: CancellationToken,
    mut sending: JoinHandle<()>,
) {
    stop.cancelled().await;
    let ended = tokio::time::timeout(LAST_ATTEMPTS, &mut sending).await;
    adapters.cancel();
    if ended.is_err() {
        let _ = sending.await;
    }
}

/// Opens the store; a server that has it already is told apart from any other process.
async fn open_store(
    config: &Config,
    socket: &Path,
    commits: Commits,
    shared_log: Option<SharedLogFactory>,
) -> Result<Arc<Store>> {
    let runs_already = async || {
        let text = format!("a rechat server already runs on {}", config.db.display());
        let hint = "use that server, or name another store with --db";
        let answers = tokio::net::UnixStream::connect(socket).await.is_ok();
        answers.then(|| Error::failed(text).hint(hint))
    };
    // Looked at first, too: opening waits for another process that has the file.
    if let Some(error) = runs_already().await {
        return Err(error);
    }
    let options = StoreOptions { shared_log, ..config.store_options(store::Access::Write) };
    match Store::open(&options, Box::new(commits)) {
        Ok(store) => Ok(Arc::new(store)),
        Err(error) => Err(runs_already().await.unwrap_or_else(|| error.into())),
    }
}

/// Listeners of commits.
struct Commits {
    hub: Arc<Hub>,
    outbox: CommitObserver,
    activity: Arc<ActivityCounts>,
    media: Arc<Notify>,
    /// In a cluster: files that other nodes may have.
    wanted: Option<Arc<WantedCopies>>,
    raw_events: Arc<RawEventRetention>,
}

impl Listener for Commits {
    fn opened(&mut self, head: Head) {
        self.hub.opened(head);
        self.outbox.opened();
    }

    fn committed(&mut self, batch: Arc<Committed>) {
        self.outbox.committed(&batch.changes);
        self.activity.committed(&batch.changes, now());
        if let Some(wanted) = &self.wanted {
            wanted.committed(&batch.changes);
        }
        self.hub.committed(batch);
        self.media.notify_one();
        self.raw_events.stored();
    }
}
