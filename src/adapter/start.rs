//! Starting the configured adapters, and the endpoints for those who dial in.

use super::api::{EventSink, LoginRequest, OwnSettings, ReadMedia, Settings, Transport};
use super::context::Context;
use super::definition::{Adapter, ServeStandalone, Service};
use super::kinds::{ADAPTERS, AdapterConfig};
use super::registry::{ConfiguredEntry, Registry};
use super::transport::{Dialled, Endpoint, ServeConnection, keep_connected};
use crate::health::supervise;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The part of the health that tells of adapters which panicked.
const TASK: &str = "adapter";

/// The adapters of one configuration, running.
#[derive(Clone, Debug)]
pub struct Adapters {
    context: Context,
    /// Ends whatever configuration there is.
    all: CancellationToken,
    endpoints: Arc<[Endpoint]>,
    /// Those that make no connections of `transport`, and what ends them before the others.
    standalone: Arc<[Standalone]>,
    standalone_stop: CancellationToken,
    /// Where requests to log in go, by platform.
    logins: Arc<[(String, mpsc::Sender<LoginRequest>)]>,
}

/// An adapter that makes no connections of `transport`.
#[derive(Debug)]
struct Standalone {
    service: Arc<dyn ServeStandalone>,
    settings: Arc<Settings>,
    entry: Option<ConfiguredEntry>,
}

/// Starts the configured adapters. They run on `tracker` until `all` is cancelled.
pub fn start(
    configs: Vec<AdapterConfig>,
    events: EventSink,
    registry: Registry,
    media: Arc<dyn ReadMedia>,
    all: CancellationToken,
    tracker: TaskTracker,
) -> Adapters {
    let none = none(events, registry, media, all, tracker);
    let context = &none.context;
    let with_entry =
        |config: AdapterConfig| (context.registry.add_configured(&config.settings), config);
    let configured: Vec<_> = configs.into_iter().map(with_entry).collect();
    let endpoints = endpoints(&configured, context).into();
    let is_configured = |adapter: &&Adapter| {
        configured.iter().any(|(_, config)| config.settings.kind.name == adapter.kind.name)
    };
    let others = ADAPTERS.into_iter().filter(|adapter| adapter.logs_in && !is_configured(adapter));
    let others: Vec<_> = others.filter_map(unconfigured).map(|config| (None, config)).collect();
    let configured = configured.into_iter().map(|(entry, config)| (Some(entry), config));
    let (mut logins, mut standalone) = (Vec::new(), Vec::new());
    for (entry, AdapterConfig { settings, service }) in configured.chain(others) {
        let context = context.clone();
        match (service, settings.transport.clone()) {
            (Service::Standalone(service), _) => {
                let requests = service.logins();
                logins.extend(requests.map(|requests| (settings.platform().to_owned(), requests)));
                standalone.push(Standalone { service, settings, entry });
            }
            (Service::Connections(service), Transport::Dial(url)) => {
                let Some(entry) = entry else { continue };
                let (tracker, stop) = (context.tracker.clone(), context.stop.clone());
                let dialled = Dialled { url, settings, service, entry, context };
                tracker.spawn(supervise(TASK, stop, move || keep_connected(dialled.clone())));
            }
            (Service::Connections(_), Transport::Accept(_)) => {}
        }
    }
    let (standalone, logins) = (standalone.into(), logins.into());
    let adapters = Adapters { endpoints, standalone, logins, ..none };
    adapters.run_standalone();
    adapters
}

/// No adapters, for as long as this server may not have any.
pub fn none(
    events: EventSink,
    registry: Registry,
    media: Arc<dyn ReadMedia>,
    all: CancellationToken,
    tracker: TaskTracker,
) -> Adapters {
    let context = Context::new(events, registry, media, all.child_token(), tracker);
    let standalone_stop = context.stop.child_token();
    let (endpoints, standalone, logins) = (Arc::default(), Arc::default(), Arc::default());
    Adapters { context, all, endpoints, standalone, standalone_stop, logins }
}

/// Every endpoint: those configured with a path, and the paths of each kind, which have the
/// settings of the first entry of the kind that names no path of its own.
fn endpoints(configured: &[(ConfiguredEntry, AdapterConfig)], context: &Context) -> Vec<Endpoint> {
    let endpoint = |path: &str, entry, settings: &Arc<Settings>, service: &Arc<_>| Endpoint {
        path: path.to_owned(),
        settings: Arc::clone(settings),
        service: Arc::<dyn ServeConnection>::clone(service),
        entry,
        context: context.clone(),
    };
    let mut endpoints = Vec::new();
    for (entry, AdapterConfig { settings, service }) in configured {
        if let (Service::Connections(service), Transport::Accept(Some(path))) =
            (service, &settings.transport)
        {
            endpoints.push(endpoint(path, Some(entry.clone()), settings, service));
        }
    }
    for adapter in ADAPTERS {
        let is_its = |config: &AdapterConfig| {
            config.settings.kind.name == adapter.kind.name
                && config.settings.transport == Transport::Accept(None)
        };
        let (entry, config) = match configured.iter().find(|(_, config)| is_its(config)) {
            Some((entry, config)) => (Some(entry.clone()), config.clone()),
            None => match unconfigured(adapter) {
                Some(config) => (None, config),
                None => continue,
            },
        };
        if let Service::Connections(service) = &config.service {
            let paths = adapter.kind.paths.iter();
            endpoints
                .extend(paths.map(|path| endpoint(path, entry.clone(), &config.settings, service)));
        }
    }
    endpoints
}

/// An adapter with nothing configured. Every kind can be; a test holds it.
fn unconfigured(adapter: &'static Adapter) -> Option<AdapterConfig> {
    let service = (adapter.configure)(OwnSettings::new()).ok()?;
    let mut settings = Settings::new(&adapter.kind);
    if let Service::Standalone(service) = &service {
        settings.time_to_live = service.time_to_live();
    }
    Some(AdapterConfig { settings: Arc::new(settings), service })
}

impl Adapters {
    /// Ends every connection, and starts another configuration; implementations dial in again.
    #[must_use = "it is the one in force from now on"]
    pub fn restart(&self, configs: Vec<AdapterConfig>) -> Self {
        let Context { events, registry, media, tracker, .. } = self.end();
        start(configs, events, registry, media, self.all.clone(), tracker)
    }

    /// Ends every connection, and starts none.
    #[must_use = "it is in force from now on"]
    pub fn pause(&self) -> Self {
        let Context { events, registry, media, tracker, .. } = self.end();
        none(events, registry, media, self.all.clone(), tracker)
    }

    /// Lets connections live, whose events wait to be stored, and ends everything that another server
    /// may not do at the same time.
    pub fn hold(&self) {
        self.standalone_stop.cancel();
    }

    /// Goes on after [`Self::hold`].
    #[must_use = "it is in force from now on"]
    pub fn resume(&self) -> Self {
        let resumed = Self { standalone_stop: self.context.stop.child_token(), ..self.clone() };
        resumed.run_standalone();
        resumed
    }

    fn run_standalone(&self) {
        for index in 0..self.standalone.len() {
            let (all, stop) = (self.standalone.clone(), self.standalone_stop.clone());
            let context = self.context.until(stop.clone());
            self.context.tracker.spawn(supervise(TASK, stop, move || {
                let Standalone { service, settings, entry } = &all[index];
                service.clone().run(settings.clone(), entry.clone(), context.clone())
            }));
        }
    }

    fn end(&self) -> Context {
        self.context.stop.cancel();
        self.context.registry.remove_configured();
        self.context.clone()
    }

    /// Where requests to log in to a platform go, if one can.
    pub fn login(&self, platform: &str) -> Option<mpsc::Sender<LoginRequest>> {
        let its = self.logins.iter().find(|(name, _)| name == platform);
        its.map(|(_, requests)| requests.clone())
    }

    /// The paths to name to an implementation that dials a wrong one: those that are configured, and
    /// the usual one of each kind.
    pub fn paths(&self) -> Vec<&str> {
        let is_usual =
            |path: &str| ADAPTERS.iter().any(|adapter| adapter.kind.paths.first() == Some(&path));
        let named = self.endpoints.iter().filter(|one| {
            is_usual(&one.path) || matches!(one.settings.transport, Transport::Accept(Some(_)))
        });
        named.map(|endpoint| &*endpoint.path).collect()
    }

    /// The endpoint at a path, if there is one.
    pub fn endpoint(&self, path: &str) -> Option<Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.path == path).cloned()
    }
}
