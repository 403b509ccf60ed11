//! Starting the adapters, and the doors at which implementations dial in.

use super::kind::{End, Run};
use super::registry::Seat;
use super::{EventSink, KINDS, Kind, Registry, Settings, Socket, Transport, dial, onebot11};
use crate::model::message::check_name;
use hyper::HeaderMap;
use std::sync::Arc;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What every connection needs, and dial-in connections are accepted with.
#[derive(Clone, Debug)]
pub struct Context {
    pub(super) core: EventSink,
    pub(super) registry: Registry,
    /// Ends this configuration's connections.
    pub(super) stop: CancellationToken,
    /// Ends whatever configuration there is.
    all: CancellationToken,
    pub(super) tracker: TaskTracker,
    /// What the connections of one OneBot 11 account share.
    pub(super) accounts: onebot11::Accounts,
    mounts: Arc<[Endpoint]>,
}

/// A path at which implementations of one kind dial in.
#[derive(Clone, Debug)]
pub struct Endpoint {
    path: String,
    settings: Arc<Settings>,
    seat: Option<Seat>,
}

impl Endpoint {
    /// The token wanted here in place of the server's own.
    pub fn token(&self) -> Option<&str> {
        self.settings.token.as_deref()
    }

    /// Whether what an implementation says of itself can be used; the error is for a 400.
    pub fn check(&self, dial_in: &Handshake) -> Result<(), String> {
        if let Some(platform) = dial_in.parameter("platform") {
            check_name("platform", platform)?;
        }
        dial_in.header("x-self-id").map_or(Ok(()), |account| check_name("X-Self-ID", account))
    }

    /// What to open the WebSocket with.
    pub fn config(&self) -> WebSocketConfig {
        super::config(self.settings.max_frame)
    }
}

/// What an implementation said when it dialled in.
#[derive(Clone, Debug, Default)]
pub struct Handshake {
    /// The path of the request.
    pub path: String,
    /// The query's pairs, decoded.
    pub query: Vec<(String, String)>,
    #[allow(missing_docs)]
    pub headers: HeaderMap,
}

impl Handshake {
    /// A header, where it is set to something.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let value = self.headers.get(name)?.to_str().ok()?.trim();
        (!value.is_empty()).then_some(value)
    }

    /// A query parameter, where it is set to something.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let (_, value) = self.query.iter().find(|(known, _)| known == name)?;
        (!value.is_empty()).then_some(value)
    }
}

/// One connection, as an adapter is given it.
pub(super) struct Connection {
    pub(super) socket: Socket,
    /// What the implementation said, unless we dialled it.
    pub(super) dial_in: Option<Handshake>,
    pub(super) settings: Arc<Settings>,
    pub(super) seat: Option<Seat>,
    pub(super) context: Context,
}

/// Starts what is configured. The adapters run on `tracker` until `all` ends; what comes back is for
/// the connections that dial in.
pub fn start(
    settings: Vec<Settings>,
    core: EventSink,
    registry: Registry,
    all: CancellationToken,
    tracker: TaskTracker,
) -> Context {
    let stop = all.child_token();
    let seated = |settings: Settings| (registry.seat(&settings), Arc::new(settings));
    let configured: Vec<_> = settings.into_iter().map(seated).collect();
    let mounts = mounts(&configured).into();
    let accounts = onebot11::Accounts::default();
    let context = Context { core, registry, stop, all, tracker, accounts, mounts };
    for (seat, settings) in configured {
        match (&settings.kind.run, &settings.way) {
            (Run::Alone(run), _) => {
                let work = run(settings, seat, context.clone());
                context.tracker.spawn(work);
            }
            (Run::Connection(_), Transport::Dial(url)) => {
                let work = dial::keep(url.clone(), settings.clone(), seat, context.clone());
                context.tracker.spawn(work);
            }
            (Run::Connection(_), Transport::Accept(_)) => {}
        }
    }
    context
}

/// Every path: those configured, and those of each kind, which follow the first entry of the kind
/// that names no path of its own.
fn mounts(configured: &[(Seat, Arc<Settings>)]) -> Vec<Endpoint> {
    let mut mounts = Vec::new();
    for (seat, settings) in configured {
        if let Transport::Accept(Some(path)) = &settings.way {
            let settings = Arc::clone(settings);
            mounts.push(Endpoint { path: path.clone(), settings, seat: Some(seat.clone()) });
        }
    }
    for kind in KINDS {
        let is_door = |settings: &Settings| {
            std::ptr::eq::<Kind>(settings.kind, kind) && settings.way == Transport::Accept(None)
        };
        let entry = configured.iter().find(|(_, settings)| is_door(settings));
        let settings = entry.map_or_else(|| Arc::new(Settings::new(kind)), |(_, s)| Arc::clone(s));
        let seat = entry.map(|(seat, _)| seat.clone());
        mounts.extend(kind.mounts.iter().map(|&path| Endpoint {
            path: path.to_owned(),
            settings: Arc::clone(&settings),
            seat: seat.clone(),
        }));
    }
    mounts
}

impl Context {
    /// Ends every connection, and starts what is configured now; implementations dial in again.
    #[must_use = "it is the one in force from now on"]
    pub fn restart(&self, settings: Vec<Settings>) -> Self {
        self.stop.cancel();
        self.registry.clear_seats();
        let (core, registry) = (self.core.clone(), self.registry.clone());
        start(settings, core, registry, self.all.clone(), self.tracker.clone())
    }

    /// The same for one connection, and the token that ends it.
    pub fn for_one_connection(&self) -> (Self, CancellationToken) {
        let stop = self.stop.child_token();
        (Self { stop: stop.clone(), ..self.clone() }, stop)
    }

    /// The mount at a path, if there is one.
    pub fn mount(&self, path: &str) -> Option<Endpoint> {
        self.mounts.iter().find(|mount| mount.path == path).cloned()
    }
}

/// Serves one connection that was dialled in at `mount`, until it ends.
///
/// The mount has checked what the implementation says, and the server its token.
pub async fn accept(mount: Endpoint, dial_in: Handshake, socket: Socket, context: Context) {
    let Endpoint { path, settings, seat } = mount;
    let Run::Connection(run) = &settings.kind.run else { return };
    let connection = Connection {
        socket,
        dial_in: Some(dial_in),
        settings: Arc::clone(&settings),
        seat,
        context,
    };
    let End { reason, .. } = run(connection).await;
    tracing::info!(kind = settings.kind.name, path, reason, "a connection ended");
}
