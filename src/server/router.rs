//! Which handler answers which path and method.

use super::body::json;
use super::error::{Refusal, Result};
use super::{
    Answer, Context, Incoming, Peer, assets, auth, dial_in, messages, platforms, socket, stream,
};
use crate::api::Health;
use crate::config::Secret;
use hyper::{HeaderMap, Method, StatusCode};
use matchit::Match;
use std::sync::Arc;

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
}

/// The paths; made once.
pub struct Router {
    routes: matchit::Router<Route>,
}

impl Router {
    /// The table of paths.
    pub fn new() -> std::result::Result<Self, matchit::InsertError> {
        let mut routes = matchit::Router::new();
        routes.insert("/", Route::Page)?;
        routes.insert("/page/{version}/{*file}", Route::PagePart)?;
        routes.insert("/api/messages", Route::Messages)?;
        routes.insert("/api/messages/{id}", Route::Message)?;
        routes.insert("/api/stats", Route::Stats)?;
        routes.insert("/api/activity", Route::Activity)?;
        routes.insert("/api/health", Route::Health)?;
        routes.insert("/api/platforms", Route::Platforms)?;
        routes.insert("/api/conversations", Route::Conversations)?;
        routes.insert("/api/stream", Route::Stream)?;
        routes.insert("/ws/client", Route::Socket)?;
        Ok(Self { routes })
    }

    /// Answers a request, whatever it is.
    pub async fn answer(&self, context: &Arc<Context>, peer: Peer, request: Incoming) -> Answer {
        self.route(context, peer, request).await.unwrap_or_else(Refusal::into_answer)
    }

    async fn route(&self, context: &Arc<Context>, peer: Peer, request: Incoming) -> Result<Answer> {
        check_head(&request, context.config.limits.head_bytes)?;
        auth::check_origin(peer, request.uri(), request.headers(), &context.config)?;
        let path = request.uri().path().to_owned();
        let found = self.routes.at(&path);
        let (method, uri, headers) = (request.method(), request.uri(), request.headers());
        if let Some(answer) =
            found.as_ref().ok().and_then(|found| open_to_all(found, method, headers))
        {
            return answer;
        }
        let token = context.config.token.as_ref();
        if let Some(mount) = context.adapters.mount(&path) {
            let own = mount.token().map(Secret::new);
            auth::check_token(peer, headers, uri, own.as_ref().or(token), true)?;
            return dial_in::open(context, mount, request);
        }
        let in_query =
            found.as_ref().is_ok_and(|found| matches!(found.value, Route::Stream | Route::Socket));
        auth::check_token(peer, headers, uri, token, in_query)?;
        let found = found.map_err(|_| {
            let text = format!("there is nothing at {path}; the API begins at /api/");
            Refusal::new(StatusCode::NOT_FOUND, text)
        })?;
        let id = found.params.get("id").unwrap_or_default();
        match (*found.value, request.method()) {
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
            (Route::Conversations, &Method::GET | &Method::HEAD) => {
                platforms::conversations(context)
            }
            (Route::Stream, &Method::GET) => stream::open(context, &request),
            (Route::Socket, &Method::GET) => socket::open(context, request),
            (Route::Stats | Route::Activity | Route::Platforms | Route::Conversations, _) => {
                Err(Refusal::method("GET, HEAD"))
            }
            (Route::Stream | Route::Socket, _) => Err(Refusal::method("GET")),
            (Route::Page | Route::PagePart | Route::Health, _) => Err(Refusal::method("GET, HEAD")),
        }
    }
}

/// What is answered without a token: the page's own files, and whether the server is well.
fn open_to_all(
    found: &Match<'_, '_, &Route>,
    method: &Method,
    headers: &HeaderMap,
) -> Option<Result<Answer>> {
    let parameter = |name| found.params.get(name).unwrap_or_default();
    match found.value {
        Route::Health => Some(health(method)),
        Route::Page => Some(assets::index(method, headers)),
        Route::PagePart => {
            Some(assets::part(parameter("version"), parameter("file"), method, headers))
        }
        _ => None,
    }
}

/// The most fields of a request's head.
const HEADERS: usize = 100;

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
