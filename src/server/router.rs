//! Finds the operation for a request, checks its access, and calls it.

use super::access::{self, OriginTarget, RefusalKind};
use super::body::{Body, HttpResponse};
use super::connection_facts::ConnectionFacts;
use super::context::{Incoming, ServerContext};
use super::error::{ErrorResponse, Result};
use super::operation::{Call, Credentials, ExecutedAt, OpenApi, Operation};
use super::peer::Peer;
use super::routes::{Route, routes};
use super::{bots, dial_in, forward, media, openapi};
use crate::cluster::ClusterHandle;
use crate::config::RequiredScope;
use crate::gateway::BotEndpoint;
use crate::health::watched;
use crate::metrics::{METRICS, RequestLabels, RouteLabels};
use bytes::Bytes;
use hyper::header::{
    AGE, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderName, HeaderValue, ORIGIN,
    TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{StatusCode, Version};
use matchit::Match;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::{Duration, Instant};

/// The route under which requests with an unknown path are counted.
const OTHER: &str = "other";

/// After how long a node that does not lead is worth another try.
const ELSEWHERE_WAIT: Duration = Duration::from_secs(2);

/// The most fields of a request's head; hyper itself takes up to 100.
const MAX_FIELDS: usize = 64;

/// Fields that decide about a request, and that it has once at most.
const SINGLE_FIELDS: [(HeaderName, &str); 8] = [
    (HOST, "Host"),
    (ORIGIN, "Origin"),
    (AUTHORIZATION, "Authorization"),
    (CONTENT_TYPE, "Content-Type"),
    (TRANSFER_ENCODING, "Transfer-Encoding"),
    (HeaderName::from_static("idempotency-key"), "Idempotency-Key"),
    (HeaderName::from_static("last-event-id"), "Last-Event-ID"),
    (HeaderName::from_static("sec-fetch-site"), "Sec-Fetch-Site"),
];

/// Headers of every answer except the page's own files, unless the answer sets them.
const API_HEADERS: [(HeaderName, HeaderValue); 3] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// The routes by path; made once.
pub struct Router {
    routes: matchit::Router<KnownRoute>,
    /// Durations of requests with an unknown path, or with that of an adapter.
    other_seconds: Histogram,
    openapi: OpenApi,
}

/// A route, and what is measured of its requests.
struct KnownRoute {
    route: Route,
    allowed: String,
    seconds: Histogram,
    /// The numbers of answers with status 200 and 201, once there is one: to look them up takes a lock.
    successes: [OnceLock<Counter>; 2],
}

impl KnownRoute {
    /// Counts an answer with this status.
    fn count(&self, code: u16) {
        let labels = RequestLabels { route: self.route.path, code };
        let usual = code.checked_sub(StatusCode::OK.as_u16());
        match usual.and_then(|place| self.successes.get(usize::from(place))) {
            Some(counter) => {
                counter.get_or_init(|| METRICS.requests.get_or_create_owned(&labels)).inc()
            }
            None => METRICS.requests.get_or_create(&labels).inc(),
        };
    }
}

/// Makes the description of the API, which takes a large part of a start, so it is made at its
/// first request. A metric is made for each answer, because a series that appears with its first
/// error shows no increase to alert on.
fn describe(prefix: &str) -> Bytes {
    let table = routes();
    for route in &table {
        for description in route.operations.iter().filter_map(Operation::describe) {
            for code in description.statuses() {
                drop(METRICS.requests.get_or_create(&RequestLabels { route: route.path, code }));
            }
        }
    }
    let operations = table
        .iter()
        .flat_map(|route| route.operations.iter().map(|operation| (route.path, operation)));
    openapi::document(operations, prefix).to_string().into()
}

type MatchedRoute<'a> = Match<'a, 'a, &'a KnownRoute>;

/// A request, and the route for its path.
struct RoutedRequest<'a> {
    context: &'a Arc<ServerContext>,
    connection: &'a ConnectionFacts,
    request: Incoming,
    path: &'a str,
    found: Option<MatchedRoute<'a>>,
}

impl Router {
    /// The table of routes; `prefix` is the path below which a proxy serves rechat.
    pub fn new(prefix: &str) -> std::result::Result<Self, matchit::InsertError> {
        let seconds = |route| METRICS.request_seconds.get_or_create_owned(&RouteLabels { route });
        let mut known = matchit::Router::new();
        for route in routes() {
            let path = route.path;
            let allowed = route.allowed();
            let (seconds, successes) = (seconds(path), Default::default());
            known.insert(path, KnownRoute { route, allowed, seconds, successes })?;
        }
        let prefix = prefix.to_owned();
        let openapi = LazyLock::new(Box::new(move || describe(&prefix)) as Box<_>);
        Ok(Self { routes: known, other_seconds: seconds(OTHER), openapi })
    }

    /// Answers a request of any kind.
    pub async fn answer(
        &self,
        context: &Arc<ServerContext>,
        connection: &ConnectionFacts,
        request: Incoming,
    ) -> HttpResponse {
        let began = Instant::now();
        let method = request.method().clone();
        let path = below_prefix(&context.config.prefix, request.uri().path()).to_owned();
        let found = self.routes.at(&path).ok();
        let route = found.as_ref().map(|found| found.value);
        let is_page = found.as_ref().is_some_and(is_page);
        let routed = RoutedRequest { context, connection, request, path: &path, found };
        // Boxed, because this future is moved several times before and while it runs.
        let answer = watched("requests", Box::pin(self.dispatch(routed))).await;
        let answer = answer.unwrap_or_else(|| Err(ErrorResponse::panicked()));
        let mut answer = answer.unwrap_or_else(ErrorResponse::into_answer);
        if !is_page {
            for (name, value) in API_HEADERS {
                answer.headers_mut().entry(name).or_insert(value);
            }
        }
        // How old may be what a node tells that is cut off from its cluster (RFC 9111, section 5.1).
        if let Some(age) = context.cluster.as_ref().and_then(|it| it.state.age()) {
            answer.headers_mut().insert(AGE, age.as_secs().into());
        }
        let (code, took) = (answer.status().as_u16(), began.elapsed());
        self.count(route, code, took);
        tracing::debug!(%method, path, code, ?took, "answered");
        answer
    }

    /// Counts a request, and how long it took.
    fn count(&self, route: Option<&KnownRoute>, code: u16, took: Duration) {
        let seconds = if let Some(known) = route {
            known.count(code);
            &known.seconds
        } else {
            METRICS.requests.get_or_create(&RequestLabels { route: OTHER, code }).inc();
            &self.other_seconds
        };
        seconds.observe(took.as_secs_f64());
    }

    async fn dispatch(&self, routed: RoutedRequest<'_>) -> Result<HttpResponse> {
        let RoutedRequest { context, connection, path, ref request, ref found } = routed;
        let peer = connection.peer;
        check_head(request, context.config.limits.head_bytes)?;
        let endpoint = context.adapters.load().endpoint(path);
        let bot = context.bots.load().endpoint(path);
        let is_lost = endpoint.is_none()
            && bot.is_none()
            && found.as_ref().is_none_or(is_page)
            && hyper_tungstenite::is_upgrade_request(request);
        // Adapters and bots belong to the leader, which checks who connects.
        if let Some(cluster) = context.cluster.as_ref().filter(|_| context.follows())
            && (is_lost || (bot.is_none() && bots::is_of_a_bot(path)))
        {
            return Box::pin(forward::relay(context, cluster, connection, path, routed.request))
                .await;
        }
        let target = match found {
            _ if bot.as_ref().is_some_and(|bot| is_open_to_pages(context, bot, request)) => {
                OriginTarget::Api
            }
            _ if endpoint.is_some() || bot.is_some() || is_lost => OriginTarget::Adapter,
            Some(found) if found.value.route.path == media::SIGNED => OriginTarget::Adapter,
            Some(found) if is_page(found) => OriginTarget::Page,
            _ => OriginTarget::Api,
        };
        access::check_origin(peer, request.uri(), request.headers(), &context.config, target)?;
        if is_lost {
            return Err(refuse_lost(context, peer, path, request));
        }
        if let Some(endpoint) = endpoint {
            return dial_in::answer(context, connection, path, endpoint, routed.request);
        }
        if let Some(bot) = bot {
            // Boxed, because the future of every request would be as large.
            return Box::pin(bots::answer(context, connection, path, bot, routed.request)).await;
        }
        self.operate(routed).await
    }

    /// Answers a request to the API or for a file of the page.
    async fn operate(&self, routed: RoutedRequest<'_>) -> Result<HttpResponse> {
        let RoutedRequest { context, connection, request, path, found } = routed;
        let peer = connection.peer;
        let operation = found.as_ref().and_then(|found| {
            let mut operations = found.value.route.operations.iter();
            operations.find(|operation| operation.takes(request.method()))
        });
        let (headers, uri) = (request.headers(), request.uri());
        let granted = match needed(operation, found.as_ref()) {
            Credentials::Open => access::AccessGrant::open(),
            Credentials::Token(need) => context.access.check(peer, headers, uri, false, need)?,
            Credentials::TokenInQuery(need) => {
                context.access.check(peer, headers, uri, true, need)?
            }
        };
        let Some(found) = found else {
            let text = format!("there is nothing at {path}; the API begins at /api/");
            return Err(ErrorResponse::new(StatusCode::NOT_FOUND, text));
        };
        let operation =
            operation.ok_or_else(|| ErrorResponse::method_not_allowed(&found.value.allowed))?;
        match (operation.executed_at, &context.cluster) {
            (ExecutedAt::ByLeader, Some(_)) if context.follows() => {
                return Box::pin(forward::pass_on(context, path, request)).await;
            }
            (ExecutedAt::AtLeader, Some(cluster)) if context.follows() => {
                return Err(elsewhere(cluster));
            }
            _ => {}
        }
        let parameters = found.params;
        let call =
            Call { context, connection, granted, request, parameters, openapi: &self.openapi };
        let answer = (operation.handler)(call).await?;
        match operation.access {
            // The page's files are in memory once, for all clients.
            Credentials::Open => Ok(answer),
            Credentials::Token(_) | Credentials::TokenInQuery(_) => hold(context, answer),
        }
    }
}

/// The credentials that a request needs. A client without a token does not learn which paths and
/// methods exist.
fn needed(operation: Option<&Operation>, found: Option<&MatchedRoute<'_>>) -> Credentials {
    match (operation, found) {
        (Some(operation), _) => operation.access,
        (None, Some(found)) if is_open(found) => Credentials::Open,
        (None, Some(found)) if is_for_agents(found) => Credentials::Token(RequiredScope::Mcp),
        (None, _) => Credentials::Token(RequiredScope::Read),
    }
}

/// Whether a bot's endpoint takes plain requests without a token: then a page of another site that
/// uses DNS rebinding could send them.
fn is_open_to_pages(context: &ServerContext, bot: &BotEndpoint, request: &Incoming) -> bool {
    bot.token().is_none()
        && context.access.is_open()
        && !hyper_tungstenite::is_upgrade_request(request)
}

/// Logs a WebSocket handshake at a path without a WebSocket, and gives the answer.
fn refuse_lost(
    context: &ServerContext,
    peer: Peer,
    path: &str,
    request: &Incoming,
) -> ErrorResponse {
    let client = context.access.client_of(peer, request.headers());
    let error = no_websocket(path, &context.adapters.load().paths());
    context.access.log_refused(client, path, RefusalKind::WrongPath, error.text());
    error
}

/// The answer of a node that does not lead to something that only the leader itself can take.
fn elsewhere(cluster: &ClusterHandle) -> ErrorResponse {
    let leader = cluster.state.leader();
    let leader = leader.map_or_else(|| "no node".into(), |name| format!("the node `{name}`"));
    let text = format!("this goes to the leader of the cluster: {leader}, now");
    ErrorResponse::unavailable(text, ELSEWHERE_WAIT).named(Some("no_leader"))
}

/// The answer to a WebSocket handshake at a path without a WebSocket, for example by an implementation
/// with a wrong address.
fn no_websocket(path: &str, endpoints: &[&str]) -> ErrorResponse {
    let text = format!(
        "there is no WebSocket at {path}; an implementation connects to {}, a client to /ws/client",
        endpoints.join(" or ")
    );
    ErrorResponse::new(StatusCode::NOT_FOUND, text)
}

/// Counts the bytes of a whole answer as held in memory until they are written.
fn hold(context: &ServerContext, mut answer: HttpResponse) -> Result<HttpResponse> {
    if let Body::Whole(bytes) = answer.body_mut()
        && !bytes.is_empty()
    {
        *bytes = context.memory.reserve(bytes.len())?.hold(std::mem::take(bytes));
    }
    Ok(answer)
}

fn is_open(found: &MatchedRoute<'_>) -> bool {
    found.value.route.operations.iter().all(|operation| operation.access == Credentials::Open)
}

/// Whether a token for agents is enough for all methods of the path: then 405 names the methods.
fn is_for_agents(found: &MatchedRoute<'_>) -> bool {
    let mut operations = found.value.route.operations.iter();
    operations.all(|operation| operation.access == Credentials::Token(RequiredScope::Mcp))
}

/// Whether this is one of the page's own files.
fn is_page(found: &MatchedRoute<'_>) -> bool {
    is_open(found) && found.value.route.operations.iter().all(|o| o.description.is_none())
}

/// The path behind the prefix under which a reverse proxy shows us, if it was left there.
fn below_prefix<'a>(prefix: &str, path: &'a str) -> &'a str {
    match path.strip_prefix(prefix) {
        Some(rest) if rest.starts_with('/') => rest,
        Some("") => "/",
        _ => path,
    }
}

fn check_head(request: &Incoming, limit: usize) -> Result<()> {
    let fields = request.headers();
    let bytes: usize = fields.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    // A check of one of them, here or before us, may not hold for another (RFC 9110, section 5.3).
    let has_repeated = fields.len() > fields.keys_len();
    for (name, shown) in SINGLE_FIELDS.iter().filter(|_| has_repeated) {
        if fields.get_all(name).iter().nth(1).is_some() {
            let text = format!("the request has more than one `{shown}`");
            return Err(ErrorResponse::bad_request(text));
        }
    }
    // RFC 9112, section 3.2.
    if request.version() == Version::HTTP_11 && !fields.contains_key(HOST) {
        return Err(ErrorResponse::bad_request("the request has no `Host`, which HTTP/1.1 needs"));
    }
    if bytes + request.uri().path().len() <= limit && fields.len() <= MAX_FIELDS {
        return Ok(());
    }
    let text = format!("the request's head has more than {limit} bytes or {MAX_FIELDS} fields");
    Err(ErrorResponse::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, text))
}
