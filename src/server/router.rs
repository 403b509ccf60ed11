//! Which handler answers which path and method.

use super::body::json;
use super::error::{Refusal, Result};
use super::{
    Answer, Context, Incoming, Peer, access, assets, description, dial_in, messages, metrics,
    platforms, socket, stream, transfer,
};
use crate::config::{Need, Secret};
use crate::metrics::{METRICS, RequestLabels, RouteLabels};
use crate::protocol::http::Health;
use hyper::{Method, StatusCode};
use matchit::Match;
use prometheus_client::metrics::histogram::Histogram;
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// Everything that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    Page,
    PagePart,
    Messages,
    Message,
    Stats,
    Activity,
    Health,
    Platforms,
    Conversations,
    Stream,
    Socket,
    Metrics,
    Export,
    Import,
    Backup,
    OpenApi,
    AsyncApi,
}

impl Route {
    /// Every path there is, and its route.
    const ALL: [(&'static str, Self); 17] = [
        ("/", Self::Page),
        ("/page/{version}/{*file}", Self::PagePart),
        ("/api/messages", Self::Messages),
        ("/api/messages/{id}", Self::Message),
        ("/api/stats", Self::Stats),
        ("/api/activity", Self::Activity),
        ("/api/health", Self::Health),
        ("/api/platforms", Self::Platforms),
        ("/api/conversations", Self::Conversations),
        ("/api/stream", Self::Stream),
        ("/ws/client", Self::Socket),
        ("/api/export", Self::Export),
        ("/api/import", Self::Import),
        ("/api/backup", Self::Backup),
        ("/metrics", Self::Metrics),
        ("/api/openapi.json", Self::OpenApi),
        ("/api/asyncapi.json", Self::AsyncApi),
    ];
}

/// What requests are counted under whose path is none of those.
const OTHER: &str = "other";

/// The paths; made once.
pub struct Router {
    routes: matchit::Router<Known>,
    /// How long requests took whose path leads nowhere, or to an adapter.
    other_seconds: Histogram,
}

/// A route, and how long requests for it took: looked up with the path, and not again.
struct Known {
    route: Route,
    path: &'static str,
    seconds: Histogram,
}

impl Router {
    /// The table of paths.
    pub fn new() -> std::result::Result<Self, matchit::InsertError> {
        let seconds = |route| METRICS.request_seconds.get_or_create_owned(&RouteLabels { route });
        let mut routes = matchit::Router::new();
        for (path, route) in Route::ALL {
            routes.insert(path, Known { route, path, seconds: seconds(path) })?;
        }
        Ok(Self { routes, other_seconds: seconds(OTHER) })
    }

    /// Answers a request, whatever it is.
    pub async fn answer(&self, context: &Arc<Context>, peer: Peer, request: Incoming) -> Answer {
        let began = Instant::now();
        let method = request.method().clone();
        let path = below_prefix(&context.config.prefix, request.uri().path()).to_owned();
        let found = self.routes.at(&path).ok();
        let (route, seconds) = match &found {
            Some(found) => (found.value.path, &found.value.seconds),
            None => (OTHER, &self.other_seconds),
        };
        let answer = route_to(context, peer, request, &path, found.as_ref()).await;
        let answer = answer.unwrap_or_else(Refusal::into_answer);
        let (code, took) = (answer.status().as_u16(), began.elapsed());
        METRICS.requests.get_or_create(&RequestLabels { route, code }).inc();
        seconds.observe(took.as_secs_f64());
        tracing::debug!(%method, path, code, ?took, "answered");
        answer
    }
}

async fn route_to(
    context: &Arc<Context>,
    peer: Peer,
    request: Incoming,
    path: &str,
    found: Option<&Match<'_, '_, &Known>>,
) -> Result<Answer> {
    check_head(&request, context.config.limits.head_bytes)?;
    let mount = context.adapters.load().mount(path);
    let (uri, headers) = (request.uri(), request.headers());
    access::check_origin(peer, uri, headers, &context.config, mount.is_some())?;
    if let Some(mount) = mount {
        match mount.token().map(Secret::new) {
            Some(own) => context.access.check_own(peer, headers, uri, &own)?,
            None => drop(context.access.check(peer, headers, uri, true, Need::Handshake)?),
        }
        return dial_in::open(context, mount, request);
    }
    if let Some(answer) = found.and_then(|found| open_to_all(found, &request)) {
        return answer;
    }
    let route = found.map(|found| found.value.route);
    let in_query = matches!(route, Some(Route::Stream | Route::Socket));
    let need = need(route, request.method());
    let scope = context.access.check(peer, headers, uri, in_query, need)?;
    let found = found.ok_or_else(|| {
        let text = format!("there is nothing at {path}; the API begins at /api/");
        Refusal::new(StatusCode::NOT_FOUND, text)
    })?;
    let id = found.params.get("id").unwrap_or_default();
    match (found.value.route, request.method()) {
        (Route::Messages, &Method::POST) => messages::create(context, request).await,
        (Route::Messages, &Method::GET | &Method::HEAD) => {
            messages::list(context, request.uri().query().unwrap_or_default()).await
        }
        (Route::Messages, _) => Err(Refusal::method("GET, HEAD, POST")),
        (Route::Message, &Method::GET | &Method::HEAD) => messages::read(context, id),
        (Route::Message, &Method::PATCH) => messages::set_status(context, id, request).await,
        (Route::Message, &Method::DELETE) => messages::delete(context, id).await,
        (Route::Message, _) => Err(Refusal::method("GET, HEAD, PATCH, DELETE")),
        (Route::Stats, &Method::GET | &Method::HEAD) => {
            Ok(json(StatusCode::OK, &context.store.view()?.stats()))
        }
        (Route::Activity, &Method::GET | &Method::HEAD) => {
            messages::activity(context, request.uri().query().unwrap_or_default())
        }
        (Route::Platforms, &Method::GET | &Method::HEAD) => Ok(platforms::platforms(context)),
        (Route::Conversations, &Method::GET | &Method::HEAD) => platforms::conversations(context),
        (Route::Metrics, &Method::GET | &Method::HEAD) => metrics::scrape(context),
        (Route::Export, &Method::GET) => {
            transfer::export(context, request.uri().query().unwrap_or_default())
        }
        (Route::Import, &Method::POST) => transfer::import(context, request).await,
        (Route::Backup, &Method::POST) => transfer::backup(context, peer, request).await,
        (Route::Import | Route::Backup, _) => Err(Refusal::method("POST")),
        (Route::OpenApi, &Method::GET | &Method::HEAD) => Ok(description::openapi()),
        (Route::AsyncApi, &Method::GET | &Method::HEAD) => Ok(description::asyncapi()),
        (Route::Stream, &Method::GET) => {
            stream::open(context, CancellationToken::new(), request).await
        }
        (Route::Socket, &Method::GET) => {
            socket::open(context, scope, CancellationToken::new(), request)
        }
        (
            Route::Stats
            | Route::Activity
            | Route::Health
            | Route::Page
            | Route::PagePart
            | Route::Platforms
            | Route::Conversations
            | Route::Metrics
            | Route::OpenApi
            | Route::AsyncApi,
            _,
        ) => Err(Refusal::method("GET, HEAD")),
        (Route::Stream | Route::Socket | Route::Export, _) => Err(Refusal::method("GET")),
    }
}

/// The path behind the prefix under which a reverse proxy shows us, if it was left there.
fn below_prefix<'a>(prefix: &str, path: &'a str) -> &'a str {
    match path.strip_prefix(prefix) {
        Some(rest) if rest.starts_with('/') => rest,
        Some("") => "/",
        _ => path,
    }
}

/// What is answered without a token: the page's own files, and whether the server is well.
fn open_to_all(found: &Match<'_, '_, &Known>, request: &Incoming) -> Option<Result<Answer>> {
    let parameter = |name| found.params.get(name).unwrap_or_default();
    match found.value.route {
        Route::Health => Some(health(request.method())),
        Route::Page => Some(assets::index(request)),
        Route::PagePart => Some(assets::part(parameter("version"), parameter("file"), request)),
        _ => None,
    }
}

/// What a request is about to do. Whoever may look may open a WebSocket, where each command is
/// looked at by itself.
fn need(route: Option<Route>, method: &Method) -> Need {
    match (route, method) {
        (Some(Route::Messages), &Method::POST) | (Some(Route::Message), &Method::PATCH) => {
            Need::Send
        }
        (Some(Route::Message), &Method::DELETE) | (Some(Route::Import | Route::Backup), _) => {
            Need::Admin
        }
        _ => Need::Read,
    }
}

/// The most fields of a request's head; hyper itself makes room for 100.
const HEADERS: usize = 64;

fn check_head(request: &Incoming, limit: usize) -> Result<()> {
    let fields = request.headers();
    let bytes: usize = fields.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if bytes + request.uri().path().len() <= limit && fields.len() <= HEADERS {
        return Ok(());
    }
    let text = format!("the request's head has more than {limit} bytes or {HEADERS} fields");
    Err(Refusal::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, text))
}

/// Touches neither the store nor a lock: it answers while the disk is busy.
fn health(method: &Method) -> Result<Answer> {
    match *method {
        Method::GET | Method::HEAD => Ok(json(StatusCode::OK, &Health { status: "ok" })),
        _ => Err(Refusal::method("GET, HEAD")),
    }
}
