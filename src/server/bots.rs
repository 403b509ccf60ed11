//! Connections of bot frameworks, and the list of bots. The protocols are in the gateway.

use super::access::{AccessGrant, RefusalKind, shown};
use super::body::{Body, HttpResponse, JSON, json, whole};
use super::connection_facts::ConnectionFacts;
use super::context::{Incoming, ServerContext};
use super::error::{ErrorResponse, Result};
use super::form::keep_files;
use super::lifetime::Lifetime;
use super::limit::{ConnectionPermit, Permit};
use super::list::on_a_thread;
use super::operation::Call;
use super::peer::Peer;
use super::request::{check_media_type, read_up_to};
use super::upgrade::check_upgrade;
use crate::config::{RequiredScope, Secret};
use crate::gateway::{
    BotEndpoint, BotRefusals, BotSocket, DialInRequest, EventsOpening, Opening, TokenSource,
    small_socket_config, socket_config,
};
use crate::health::watched;
use crate::protocol::bots::Bots;
use crate::text::error_of_json;
use bytes::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::{HeaderMap, StatusCode, Uri};
use serde_json::value::RawValue;
use std::sync::Arc;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_util::sync::CancellationToken;

/// The most bytes of the body of a call: pictures are in it as base64.
const MAX_CALL_BYTES: usize = 16 << 20;

/// The media type of a form without files.
const FORM: &str = "application/x-www-form-urlencoded";

/// `GET /api/bots`
pub async fn list(call: Call<'_>) -> Result<HttpResponse> {
    let context = call.context.clone();
    let bots = on_a_thread(move || Ok(context.bots.load().bots())).await?;
    Ok(json(StatusCode::OK, &Bots { bots }))
}

/// Whether a path is one of bots, known or not.
pub fn is_of_a_bot(path: &str) -> bool {
    path.starts_with("/bots/")
}

/// Checks the access of a request at the path of a bot, and answers it. A refusal is logged with
/// its reason.
pub async fn answer(
    context: &Arc<ServerContext>,
    connection: &ConnectionFacts,
    path: &str,
    endpoint: BotEndpoint,
    request: Incoming,
) -> Result<HttpResponse> {
    let peer = connection.peer;
    let (uri, headers) = (request.uri(), request.headers());
    let shows_token = shown(headers, uri, true).is_some();
    let client = context.access.client_of(peer, headers);
    let own = endpoint.token().map(Secret::new);
    let refusals = endpoint.refusals();
    let is_upgrade = hyper_tungstenite::is_upgrade_request(&request);
    let granted = match endpoint.token_source(is_upgrade) {
        TokenSource::Head => check(context, peer, headers, uri, own.as_ref()),
        TokenSource::FirstFrame | TokenSource::Signature => Ok(AccessGrant::open()),
    };
    let answered = match granted {
        Ok(granted) => {
            let (context, path) = (context.clone(), path.to_owned());
            let asker = BotAsker { context, peer, own, path, refusals: refusals.clone() };
            open(asker, endpoint, granted, connection.permit.clone(), request).await
        }
        Err(why) => Err(why),
    };
    answered.inspect_err(|why| {
        // These tell of the platform: the program itself was heard.
        if matches!(why.status(), StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT) {
            return;
        }
        let refusal = RefusalKind::of(why.status(), shows_token);
        context.access.log_refused(client, path, refusal, why.text());
        // A single call that is wrong says nothing of the connection.
        let is_wrong_connection = is_upgrade && why.status().is_client_error();
        if is_wrong_connection || why.status() == StatusCode::UNAUTHORIZED {
            refusals.note(why.text());
        }
    })
}

/// Checks the token of a request: the bot's own, or else the server's.
fn check(
    context: &ServerContext,
    peer: Peer,
    headers: &HeaderMap,
    uri: &Uri,
    own: Option<&Secret>,
) -> Result<AccessGrant> {
    match own {
        Some(own) => context.access.check_own(peer, headers, uri, own),
        // A bot reads and sends, which a token of the scope `adapter` does not allow.
        None => context.access.check(peer, headers, uri, true, RequiredScope::Send),
    }
}

/// The facts of a request on which its access depends.
struct BotAsker {
    context: Arc<ServerContext>,
    peer: Peer,
    /// The bot's own token.
    own: Option<Secret>,
    path: String,
    refusals: BotRefusals,
}

async fn open(
    asker: BotAsker,
    endpoint: BotEndpoint,
    granted: AccessGrant,
    permit: Option<Permit>,
    request: Incoming,
) -> Result<HttpResponse> {
    let query = request.uri().query().unwrap_or_default();
    let query: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let is_upgrade = hyper_tungstenite::is_upgrade_request(&request);
    let opening = endpoint.open(&DialInRequest {
        is_upgrade,
        method: request.method(),
        headers: request.headers(),
        query: &query,
    });
    let context = &asker.context;
    let failed = |(status, words)| ErrorResponse::new(status, words);
    match opening.map_err(failed)? {
        Opening::Socket(opening) => {
            let slot = context.dial_ins.acquire()?;
            upgrade(context, permit, request, socket_config(), |socket, end| async move {
                Box::pin(serve(granted, end, |end| opening.serve(socket, end))).await;
                drop(slot);
            })
        }
        Opening::Events(opening) => {
            let headers = request.headers().clone();
            let address = context.access.client_of(asker.peer, &headers);
            let slot = context.unidentified.acquire(address)?;
            let asker = BotAsker { context: context.clone(), ..asker };
            upgrade(context, permit, request, small_socket_config(), |socket, end| async move {
                Box::pin(asker.identify(opening, headers, socket, end, slot)).await;
            })
        }
        Opening::Action(action) => {
            let (body, pairs) = action_body(context, request, query).await?;
            let params = body.as_deref().map(serde_json::from_slice::<&RawValue>).transpose();
            let params = params.map_err(|error| {
                let why = error_of_json(&error);
                ErrorResponse::bad_request(format!("the body is not valid: {why}"))
            })?;
            let answer = action.carry_out(params, &pairs).await;
            Ok(whole(StatusCode::OK, JSON, answer.into()))
        }
        Opening::Call(call) => {
            let answer = if call.takes_files() {
                call.uploaded(&keep_files(context, request).await?)
            } else {
                let body = read_up_to(context, request, MAX_CALL_BYTES).await?;
                call.carry_out(&body).await.map_err(failed)?
            };
            Ok(whole(StatusCode::OK, JSON, answer.into()))
        }
        Opening::File(path) => {
            let mut answer = whole(StatusCode::TEMPORARY_REDIRECT, JSON, Bytes::new());
            let location = HeaderValue::try_from(format!("{}{path}", context.config.prefix));
            let location = location.map_err(|_| ErrorResponse::bad_request("no such link"))?;
            answer.headers_mut().insert(LOCATION, location);
            Ok(answer)
        }
    }
}

/// The parameters of an action: a JSON body, or the pairs of a form and of the query.
async fn action_body(
    context: &Arc<ServerContext>,
    request: Incoming,
    mut pairs: Vec<(String, String)>,
) -> Result<(Option<Bytes>, Vec<(String, String)>)> {
    let Some(media_type) = request.headers().get(CONTENT_TYPE) else { return Ok((None, pairs)) };
    let is_form = media_type.as_bytes().starts_with(FORM.as_bytes());
    if !is_form {
        check_media_type(Some(media_type), "application/json")?;
    }
    let body = read_up_to(context, request, MAX_CALL_BYTES).await?;
    if is_form {
        pairs.extend(form_urlencoded::parse(&body).into_owned());
        return Ok((None, pairs));
    }
    Ok((Some(body), pairs))
}

/// Turns the request into a WebSocket, and serves it until it ends or the server stops.
fn upgrade<F: Future<Output = ()> + Send>(
    context: &Arc<ServerContext>,
    permit: Option<Permit>,
    mut request: Incoming,
    config: WebSocketConfig,
    serve: impl FnOnce(BotSocket, CancellationToken) -> F + Send + 'static,
) -> Result<HttpResponse> {
    check_upgrade(&request)?;
    let (answer, socket) = hyper_tungstenite::upgrade(&mut request, Some(config))
        .map_err(|error| ErrorResponse::bad_request(format!("no WebSocket: {error}")))?;
    let end = context.stop.child_token();
    context.tasks.spawn(watched("bot connections", async move {
        match socket.await {
            Ok(socket) => serve(BotSocket::new(socket), end).await,
            Err(error) => tracing::debug!("the WebSocket handshake of a bot failed: {error}"),
        }
        drop(permit);
    }));
    Ok(answer.map(|_| Body::default()))
}

/// Serves a connection, which ends when its token is revoked.
async fn serve<F: Future<Output = ()>>(
    granted: AccessGrant,
    end: CancellationToken,
    serve: impl FnOnce(CancellationToken) -> F,
) {
    let lifetime = Lifetime::new(end.clone(), granted.revoked);
    let serving = async {
        serve(end.clone()).await;
        end.cancel();
    };
    let ending = async {
        lifetime.ended().await;
        end.cancel();
    };
    tokio::join!(serving, ending);
}

impl BotAsker {
    /// Serves a WebSocket once its first frame has a valid token. Until then it takes one of a few
    /// permits, so that programs without a token cannot block others.
    async fn identify(
        self,
        opening: EventsOpening,
        mut headers: HeaderMap,
        socket: BotSocket,
        end: CancellationToken,
        slot: ConnectionPermit,
    ) {
        let Self { context, peer, own, path, refusals } = self;
        let check = |token: Option<&str>| {
            if let Some(token) = token.filter(|token| !token.is_empty()) {
                let value = HeaderValue::try_from(format!("Bearer {token}"));
                let value = value.map_err(|_| "this token is not known here".to_owned())?;
                headers.insert(AUTHORIZATION, value);
            }
            let granted = check(&context, peer, &headers, &Uri::default(), own.as_ref());
            granted.map_err(|why| {
                let refusal = RefusalKind::of(why.status(), token.is_some());
                let client = context.access.client_of(peer, &headers);
                context.access.log_refused(client, &path, refusal, why.text());
                refusals.note(why.text());
                why.text().to_owned()
            })
        };
        let identified = end.run_until_cancelled(opening.identify(socket, check)).await;
        drop(slot);
        let Some(Some((identified, granted))) = identified else { return };
        match context.dial_ins.acquire() {
            Ok(_slot) => Box::pin(serve(granted, end, |end| identified.serve(end))).await,
            Err(why) => identified.refuse(why.text()).await,
        }
    }
}
