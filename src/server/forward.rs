//! Requests that only the node that leads a cluster can carry out: the others pass them on to it, and
//! its answer back. A client need not know which node leads.
//!
//! A request that makes a message goes with an `Idempotency-Key`, the client's or a new one, so that
//! it can be asked again where an answer does not come: it makes one message.

use super::body::{Body, HttpResponse, whole};
use super::context::{Incoming, ServerContext};
use super::error::{ErrorResponse, Result};
use super::request::read_up_to;
use crate::cluster::{Answerer, LeaderRequests, NotAnswered};
use crate::model::message::Message;
use crate::protocol::http::{ErrorBody, NewMessage, Platforms};
use crate::protocol::platform::PlatformState;
use crate::store::Store;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

/// The header by which a request that is asked again is known.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Headers of a request that the node that leads sees.
const PASSED_ON: [HeaderName; 3] = [CONTENT_TYPE, ACCEPT, KEY];

/// Pause before a node that leads by now is asked.
const PAUSE: Duration = Duration::from_millis(100);

/// How long one node may take to answer a request that can be asked again, for another may lead by
/// then.
const ONE_ANSWER: Duration = Duration::from_secs(2);

/// How long a node is waited for that leads.
const LEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long this node may take to see what another one has done.
const SEEN_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes of an answer beside its body.
const HEAD_BYTES: usize = 4096;

/// A request on its way to the node that leads; its body follows.
#[derive(Debug, Serialize, Deserialize)]
struct PassedRequest {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
}

/// Its answer; the body follows.
#[derive(Debug, Serialize, Deserialize)]
struct PassedAnswer {
    status: u16,
    media_type: Option<String>,
    retry_after: Option<String>,
    /// The place of the log that the node which answered had reached.
    place: u64,
}

/// A request, as the node that leads is asked it.
pub struct LeaderRequest {
    head: PassedRequest,
    body: Bytes,
    /// Asking it twice does no more than asking it once.
    is_repeatable: bool,
}

impl LeaderRequest {
    /// A request with a body of JSON, or without one.
    pub fn new(method: &Method, path: &str, body: Option<Bytes>) -> Self {
        let json = (CONTENT_TYPE.as_str().to_owned(), "application/json".to_owned());
        let headers = body.is_some().then_some(json).into_iter().collect();
        let head = PassedRequest { method: method.to_string(), path: path.to_owned(), headers };
        Self::with(head, body.unwrap_or_default())
    }

    fn with(mut head: PassedRequest, body: Bytes) -> Self {
        let makes_a_message = head.method == "POST" && head.path == "/api/messages";
        if makes_a_message && !head.headers.iter().any(|(name, _)| *name == KEY.as_str()) {
            head.headers.push((KEY.as_str().to_owned(), Uuid::new_v4().to_string()));
        }
        let is_repeatable = makes_a_message || head.method == "GET";
        Self { head, body, is_repeatable }
    }
}

/// Passes a request on, whose access was checked; gives the answer of the node that leads.
pub async fn pass_on(
    context: &Arc<ServerContext>,
    path: &str,
    request: Incoming,
) -> Result<HttpResponse> {
    let path = match request.uri().query() {
        // The token was checked here, and is no business of others.
        Some(query) => format!("{path}?{}", without_token(query)),
        None => path.to_owned(),
    };
    let text = |name: &HeaderName| {
        let value = request.headers().get(name)?.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    };
    let headers = PASSED_ON.iter().filter_map(text).collect();
    let head = PassedRequest { method: request.method().to_string(), path, headers };
    let body = read_up_to(context, request, context.config.limits.body_bytes).await?;
    ask(context, &LeaderRequest::with(head, body)).await
}

/// The answer of the node that leads, once its changes can be read here.
pub async fn ask(context: &ServerContext, request: &LeaderRequest) -> Result<HttpResponse> {
    let Some(cluster) = &context.cluster else { return Err(no_leader(false)) };
    let message = joined(&request.head, &request.body);
    let limit = Duration::from_secs(context.config.limits.answer_seconds);
    let until = Instant::now() + limit.min(LEADER_TIMEOUT);
    // An attempt before may have done it.
    let mut is_in_doubt = false;
    loop {
        if !cluster.requests.is_connected() {
            return Err(no_leader(is_in_doubt));
        }
        let left = until.saturating_duration_since(Instant::now());
        let one = if request.is_repeatable { left.min(ONE_ANSWER) } else { limit };
        let answer = cluster.requests.ask(message.clone(), one).await;
        match answer {
            Ok(answer) => {
                let (head, body): (PassedAnswer, _) = split(&answer).ok_or_else(unreadable)?;
                let is_refused = head.status == StatusCode::SERVICE_UNAVAILABLE.as_u16();
                if is_refused && is_in_doubt && left <= PAUSE {
                    return Err(no_leader(true));
                }
                if !is_refused || !request.is_repeatable || left <= PAUSE {
                    let mut places = context.store.places();
                    let seen = places.wait_for(|place| *place >= head.place);
                    // Where this node is far behind, the answer goes before.
                    let _ = timeout(SEEN_TIMEOUT, seen).await;
                    return Ok(as_answer(&head, body));
                }
                is_in_doubt = true;
            }
            Err(NotAnswered::TooLarge { limit }) => {
                let text = format!(
                    "the request is larger than the {limit} bytes that NATS takes (`max_payload`); send it to the node that leads"
                );
                return Err(ErrorResponse::new(StatusCode::PAYLOAD_TOO_LARGE, text));
            }
            Err(NotAnswered::NoLeader) if left > PAUSE => {}
            Err(NotAnswered::NoLeader) => return Err(no_leader(is_in_doubt)),
            Err(NotAnswered::Unknown(_)) if request.is_repeatable && left > PAUSE => {
                is_in_doubt = true;
            }
            Err(NotAnswered::Unknown(error)) => {
                let text = format!(
                    "the node that leads the cluster did not answer ({error}); whether it was done is unknown"
                );
                return Err(ErrorResponse::unavailable(text, PAUSE).named(Some("no_leader")));
            }
        }
        sleep(PAUSE).await;
    }
}

/// Has the node that leads make a message; gives it as it can be read here.
pub async fn make(context: &ServerContext, message: &NewMessage) -> Result<Message> {
    make_once(context, message, &Uuid::new_v4().to_string()).await
}

/// The same with an idempotency key of the client.
pub async fn make_once(
    context: &ServerContext,
    message: &NewMessage,
    key: &str,
) -> Result<Message> {
    let body = serde_json::to_vec(message).map_err(|error| unreadable_as(&error))?;
    let mut request = LeaderRequest::new(&Method::POST, "/api/messages", Some(body.into()));
    request.head.headers.retain(|(name, _)| *name != KEY.as_str());
    request.head.headers.push((KEY.as_str().to_owned(), key.to_owned()));
    let answer = ask(context, &request).await?;
    let status = answer.status();
    let Body::Whole(body) = answer.into_body() else { return Err(unreadable()) };
    if status != StatusCode::CREATED {
        let error: ErrorBody = serde_json::from_slice(&body).map_err(|_| unreadable())?;
        return Err(ErrorResponse::told(status, error));
    }
    let made: Message = serde_json::from_slice(&body).map_err(|error| unreadable_as(&error))?;
    Ok(context.store.view()?.by_id(made.id)?.unwrap_or(made))
}

/// Whether an adapter of a platform is connected to the node that leads.
pub async fn has_adapter(context: &ServerContext, platform: &str) -> bool {
    let request = LeaderRequest::new(&Method::GET, "/api/platforms", None);
    let Ok(answer) = ask(context, &request).await else { return false };
    let Body::Whole(body) = answer.into_body() else { return false };
    serde_json::from_slice::<Platforms>(&body).is_ok_and(|all| {
        let mut adapters = all.platforms.iter();
        adapters.any(|one| one.platform == platform && one.state == PlatformState::Connected)
    })
}

/// Answers what other nodes pass on, over this server's own socket, whose access they have checked; an
/// answer may take as long as `limit`.
pub fn answerer(
    socket: PathBuf,
    store: Arc<Store>,
    requests: LeaderRequests,
    limit: Duration,
) -> Answerer {
    Arc::new(move |message| {
        let (socket, store) = (socket.clone(), store.clone());
        let room = requests.max_bytes().saturating_sub(HEAD_BYTES);
        Box::pin(async move {
            let answered = timeout(limit, answer_here(&socket, &message, room)).await;
            let (mut head, body) = match answered {
                Ok(Ok(answer)) => answer,
                Ok(Err(error)) => passed(ErrorResponse::unavailable(error, PAUSE)),
                Err(_) => {
                    let text = "the node that leads took too long; whether it was done is unknown";
                    passed(ErrorResponse::unavailable(text, PAUSE))
                }
            };
            head.place = *store.places().borrow();
            joined(&head, &body)
        })
    })
}

async fn answer_here(
    socket: &Path,
    message: &[u8],
    max_bytes: usize,
) -> std::result::Result<(PassedAnswer, Bytes), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let (head, body): (PassedRequest, _) = split(message)
        .ok_or("the request of another node cannot be read; are all of one version?")?;
    let stream = UnixStream::connect(socket).await.map_err(|error| text(&error))?;
    let opened = http1::handshake(TokioIo::new(stream)).await;
    let (mut requests, connection) = opened.map_err(|error| text(&error))?;
    tokio::spawn(async move { drop(connection.await) });
    let mut request = Request::builder().method(&*head.method).uri(head.path);
    request = request.header(HOST, "localhost");
    for (name, value) in head.headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::<Bytes>::from(Bytes::copy_from_slice(body)));
    let request = request.map_err(|error| text(&error))?;
    let answer = requests.send_request(request).await.map_err(|error| text(&error))?;
    let field = |name: HeaderName| {
        let value = answer.headers().get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let head = PassedAnswer {
        status: answer.status().as_u16(),
        media_type: field(CONTENT_TYPE),
        retry_after: field(RETRY_AFTER),
        place: 0,
    };
    let body = Limited::new(answer.into_body(), max_bytes).collect().await;
    let body = body.map_err(|_| "the answer is larger than NATS takes (`max_payload`)")?;
    Ok((head, body.to_bytes()))
}

/// An error as it is passed back.
fn passed(error: ErrorResponse) -> (PassedAnswer, Bytes) {
    let mut answer = error.into_answer();
    let status = answer.status().as_u16();
    let media_type = Some("application/json".to_owned());
    let head = PassedAnswer { status, media_type, retry_after: Some("1".into()), place: 0 };
    match answer.body_mut() {
        Body::Whole(bytes) => (head, std::mem::take(bytes)),
        Body::Stream(_) => (head, Bytes::new()),
    }
}

fn as_answer(head: &PassedAnswer, body: &[u8]) -> HttpResponse {
    let value = |text: &Option<String>| HeaderValue::from_str(text.as_deref()?).ok();
    let status = StatusCode::from_u16(head.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let media_type =
        value(&head.media_type).unwrap_or(HeaderValue::from_static("application/json"));
    let mut answer = whole(status, media_type, Bytes::copy_from_slice(body));
    if let Some(wait) = value(&head.retry_after) {
        answer.headers_mut().insert(RETRY_AFTER, wait);
    }
    answer
}

/// A head in JSON on a line, and a body.
fn joined<T: Serialize>(head: &T, body: &[u8]) -> Bytes {
    // Texts and numbers always serialise.
    let mut bytes = serde_json::to_vec(head).unwrap_or_default();
    bytes.push(b'\n');
    bytes.extend(body);
    bytes.into()
}

fn split<'a, T: Deserialize<'a>>(message: &'a [u8]) -> Option<(T, &'a [u8])> {
    let end = message.iter().position(|byte| *byte == b'\n')?;
    let (head, body) = message.split_at(end);
    Some((serde_json::from_slice(head).ok()?, &body[1..]))
}

fn without_token(query: &str) -> String {
    let kept = query.split('&').filter(|field| !field.starts_with("access_token="));
    kept.collect::<Vec<_>>().join("&")
}

fn no_leader(is_in_doubt: bool) -> ErrorResponse {
    let text = if is_in_doubt {
        "no node leads the cluster at the moment; whether it was done before is unknown"
    } else {
        "no node leads the cluster at the moment; nothing was stored"
    };
    ErrorResponse::unavailable(text, Duration::from_secs(1)).named(Some("no_leader"))
}

fn unreadable_as(_: &serde_json::Error) -> ErrorResponse {
    unreadable()
}

fn unreadable() -> ErrorResponse {
    let text = "the answer of the node that leads cannot be read; are all nodes of one version?";
    ErrorResponse::new(StatusCode::BAD_GATEWAY, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_comes_out_as_it_went_in_and_one_that_makes_a_message_has_a_key() {
        let body = Bytes::from_static(b"{\"a\":\n1}");
        let request = LeaderRequest::new(&Method::POST, "/api/messages", Some(body.clone()));
        assert!(request.is_repeatable);
        let message = joined(&request.head, &request.body);
        let (head, found): (PassedRequest, _) = split(&message).unwrap();
        assert_eq!(
            (head.method.as_str(), head.path.as_str(), found),
            ("POST", "/api/messages", &body[..])
        );
        assert!(
            head.headers.iter().any(|(name, value)| name == "idempotency-key" && !value.is_empty())
        );
        let request = LeaderRequest::new(&Method::POST, "/api/messages/x/recall", None);
        assert!(!request.is_repeatable && request.head.headers.is_empty());
    }

    #[test]
    fn tokens_stay_here() {
        assert_eq!(without_token("a=1&access_token=x&b=2"), "a=1&b=2");
    }
}
