//! Starts the parts that work behind the server: ingest, bots, adapters, search, retention, outbox.

use super::adapter_states;
use super::handover::Leader;
use super::leading::{ConfiguredParts, OwnedParts, while_leading};
use super::media::OpenedMedia;
use crate::actions::Actions;
use crate::activity::ActivityCounts;
use crate::adapter::{self, Adapters, EventSink, QueuedEvent, Registry};
use crate::allocator;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::Result;
use crate::gateway::{Gateway, GatewayContext};
use crate::health;
use crate::hub::Hub;
use crate::ingest::{Ingest, LeaderHandover};
use crate::mcp::AgentBounds;
use crate::outbox::{LateOutcomes, Outbox};
use crate::raw_events::RawEventRetention;
use crate::retention::{self, RetentionPolicy};
use crate::search::{self, Index};
use crate::server::{AccessControl, Limit, Memory, ServerContext, UnidentifiedLimit};
use crate::store::Store;
use arc_swap::ArcSwap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Events of adapters that wait to be stored; with more, their sockets wait.
const MAX_EVENTS: usize = 1024;

/// Bytes of those events.
const MAX_EVENT_BYTES: u32 = 64 << 20;

/// The time for running attempts to end when the server stops.
const OUTBOX_STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// The parts of a server that are open before any task runs.
pub(super) struct ServerParts {
    pub(super) config: Config,
    /// The address of the page.
    pub(super) page: String,
    pub(super) store: Arc<Store>,
    pub(super) media: OpenedMedia,
    pub(super) hub: Arc<Hub>,
    pub(super) raw_events: Arc<RawEventRetention>,
    pub(super) activity: Arc<ActivityCounts>,
    pub(super) retention: watch::Receiver<RetentionPolicy>,
    pub(super) stop: CancellationToken,
}

/// The server, and the parts that work behind it.
pub(super) struct Started<Background> {
    pub(super) context: Arc<ServerContext>,
    pub(super) owned: Arc<OwnedParts>,
    /// Ends when ingest and outbox have.
    pub(super) background: Background,
    /// The number of events that are held in memory only.
    pub(super) unstored: Arc<AtomicUsize>,
}

/// Starts all parts. Adapters and bots begin at once only where this server leads.
pub(super) fn start(
    parts: ServerParts,
    outbox: Outbox,
) -> Result<Started<impl Future<Output = ()> + use<>>> {
    let (registry, tasks) = (Registry::new(), TaskTracker::new());
    let (events, queue) = EventSink::new(MAX_EVENTS, MAX_EVENT_BYTES);
    let leader = parts.media.cluster.as_ref().map(|node| Arc::new(Leader(node.events.clone())));
    let outbox = outbox.with_late(leader.clone().map(|leader| leader as Arc<dyn LateOutcomes>));
    let ingest = parts.ingest(&registry, &outbox, leader.map(|leader| leader as _), queue);
    let unstored = ingest.unstored();
    // It ends with its queue, not with the signal.
    let never = CancellationToken::new();
    let receiving = tokio::spawn(health::supervise("ingest", never, move || ingest.clone().run()));
    let gateway = parts.gateway(&registry, &outbox, &tasks);
    let is_leading = *parts.store.leading().borrow();
    // Before anything comes in, so that its raw events are kept for bots.
    let bots = if is_leading { parts.config.bot.clone() } else { Vec::new() };
    let bots = Gateway::start(gateway.clone(), bots)?;
    let adapters_stop = CancellationToken::new();
    let adapters = parts.adapters(is_leading, events, &registry, &adapters_stop, &tasks);
    let clock = parts.start_clock(&tasks);
    parts.start_tasks(&registry, &clock, &tasks);
    let sending = parts.start_outbox(outbox.clone(), &registry, clock);
    let sending = tokio::spawn(end_after(sending, adapters_stop, parts.stop.clone()));
    let configured = Mutex::new(ConfiguredParts {
        adapters: parts.config.adapter.clone(),
        bots: parts.config.bot.clone(),
        is_changed: false,
    });
    let context =
        parts.serve_with(registry, &outbox, gateway.actions.clone(), bots, adapters, tasks);
    let context = Arc::new(context);
    let owned = Arc::new(OwnedParts { context: context.clone(), gateway, configured });
    context.tasks.spawn(owned.clone().follow_role(is_leading));
    let background = async {
        let _ = tokio::join!(receiving, sending);
    };
    Ok(Started { context, owned, background, unstored })
}

impl ServerParts {
    fn ingest(
        &self,
        registry: &Registry,
        outbox: &Outbox,
        hand_over: Option<Arc<dyn LeaderHandover>>,
        queue: mpsc::Receiver<QueuedEvent>,
    ) -> Ingest {
        let (outcomes, raw_events) = (outbox.outcomes.clone(), self.raw_events.clone());
        let (store, blobs) = (self.store.clone(), self.media.blobs.clone());
        Ingest::new(store, registry.clone(), outcomes, raw_events, blobs, hand_over, queue)
    }

    fn gateway(&self, registry: &Registry, outbox: &Outbox, tasks: &TaskTracker) -> GatewayContext {
        GatewayContext {
            store: self.store.clone(),
            registry: registry.clone(),
            actions: Actions::new(self.store.clone(), registry.clone(), tasks.clone()),
            outcomes: outbox.outcomes.clone(),
            blobs: self.media.blobs.clone(),
            signer: self.media.signer.clone(),
            raw_events: self.raw_events.clone(),
            stop: self.stop.clone(),
            tasks: tasks.clone(),
        }
    }

    fn adapters(
        &self,
        is_leading: bool,
        events: EventSink,
        registry: &Registry,
        stop: &CancellationToken,
        tasks: &TaskTracker,
    ) -> Adapters {
        let (registry, files) = (registry.clone(), self.media.for_adapters());
        let (stop, tasks) = (stop.clone(), tasks.clone());
        if is_leading {
            adapter::start(self.config.adapter.clone(), events, registry, files, stop, tasks)
        } else {
            adapter::none(events, registry, files, stop, tasks)
        }
    }

    fn start_clock(&self, tasks: &TaskTracker) -> Arc<Clock> {
        let clock = Arc::new(Clock::start());
        let (watched, stop) = (clock.clone(), self.stop.clone());
        let watch = move || {
            let (clock, stop) = (watched.clone(), stop.clone());
            async move { clock.watch(stop).await }
        };
        tasks.spawn(health::supervise("clock", self.stop.clone(), watch));
        clock
    }

    /// Starts the hub, what tells of adapters, and the removal of old messages.
    fn start_tasks(&self, registry: &Registry, clock: &Arc<Clock>, tasks: &TaskTracker) {
        let (hub, store, stop) = (self.hub.clone(), self.store.clone(), self.stop.clone());
        let relay = move || hub.clone().run(store.clone(), stop.clone());
        tasks.spawn(health::supervise("hub", self.stop.clone(), relay));
        tasks.spawn(allocator::return_memory_when_idle(self.stop.clone()));
        let cluster = self.media.cluster.as_ref();
        adapter_states::start(registry, &self.hub, &self.store, cluster, tasks, &self.stop);
        let (store, clock, policy) = (self.store.clone(), clock.clone(), self.retention.clone());
        let remove = move |until: CancellationToken| {
            let (store, clock) = (store.clone(), clock.clone());
            let (policy, end) = (policy.clone(), until.clone());
            let run =
                move || retention::run(store.clone(), clock.clone(), policy.clone(), end.clone());
            health::supervise("retention", until, run)
        };
        tasks.spawn(while_leading(self.store.leading(), self.stop.clone(), remove));
    }

    /// Sends messages for as long as this server leads.
    fn start_outbox(
        &self,
        outbox: Outbox,
        registry: &Registry,
        clock: Arc<Clock>,
    ) -> JoinHandle<()> {
        let (store, registry, policy) =
            (self.store.clone(), registry.clone(), self.config.policy());
        let platform = self.config.default_platform.clone();
        let send = move |until: CancellationToken| {
            let (outbox, store, registry) = (outbox.clone(), store.clone(), registry.clone());
            let (platform, clock, end) = (platform.clone(), clock.clone(), until.clone());
            let run = move || {
                let (store, registry) = (store.clone(), registry.clone());
                let (platform, clock) = (platform.clone(), clock.clone());
                outbox.clone().run(store, registry, policy, platform, clock, end.clone())
            };
            health::supervise("outbox", until, run)
        };
        tokio::spawn(while_leading(self.store.leading(), self.stop.clone(), send))
    }

    /// Starts the tasks of media and search; gives what requests are served with.
    fn serve_with(
        self,
        registry: Registry,
        outbox: &Outbox,
        actions: Actions,
        bots: Gateway,
        adapters: Adapters,
        tasks: TaskTracker,
    ) -> ServerContext {
        let Self { config, page, store, media, hub, activity, stop, .. } = self;
        let (blobs, signer) = (media.blobs.clone(), media.signer.clone());
        let (partials, cluster) = (media.partials.clone(), media.cluster.clone());
        let completer = media.start(&config, &store, registry.clone(), &tasks, &stop);
        let index = Arc::new(Index::new(search::folder_beside(&config.db)));
        tasks.spawn(search::run(index.clone(), store.clone(), stop.clone()));
        ServerContext {
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
            bots: ArcSwap::from_pointee(bots),
            cluster,
            agents: Arc::new(AgentBounds::new(config.mcp.clone())),
            config,
            page,
            store,
            search: index,
            adapters: ArcSwap::from_pointee(adapters),
            registry,
            outcomes: outbox.outcomes.clone(),
            attempts: outbox.attempts.clone(),
            activity,
            hub,
            stop,
            tasks,
        }
    }
}

/// Ends the adapters after the outbox, so that what is under way still gets its answer, if that
/// comes soon.
async fn end_after(
    mut sending: JoinHandle<()>,
    adapters: CancellationToken,
    stop: CancellationToken,
) {
    stop.cancelled().await;
    let ended = tokio::time::timeout(OUTBOX_STOP_TIMEOUT, &mut sending).await;
    adapters.cancel();
    if ended.is_err() {
        let _ = sending.await;
    }
}
