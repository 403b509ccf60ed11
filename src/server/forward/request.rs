//! Requests that the leader is asked, until its answer is known.

use super::envelope::{PassedAnswer, PassedRequest, joined, split};
use crate::cluster::NotAnswered;
use crate::protocol::http::ErrorBody;
use crate::server::body::{HttpResponse, whole};
use crate::server::context::{Incoming, ServerContext};
use crate::server::error::{ErrorResponse, Result};
use crate::server::request::read_up_to;
use bytes::Bytes;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Method, StatusCode};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

/// The header by which a request that is asked again is known.
pub(super) const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The header of a request that another node passed on: it is not passed on once more.
pub(super) const HOPS: HeaderName = HeaderName::from_static("rechat-hops");

/// Headers of a request that the leader sees.
const PASSED_HEADERS: [HeaderName; 3] = [CONTENT_TYPE, ACCEPT, KEY];

/// Pause before a leader by now is asked.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// How long one node may take to answer a request that can be asked again, for another may lead by
/// then.
const ONE_ANSWER: Duration = Duration::from_secs(2);

/// How long a node is waited for that leads.
const LEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long this node may take to see what another one has done.
const SEEN_TIMEOUT: Duration = Duration::from_secs(5);

/// A request, as the leader is asked it.
pub struct LeaderRequest {
    pub(super) head: PassedRequest,
    body: Bytes,
    /// Asking it twice does no more than asking it once.
    is_repeatable: bool,
}

impl LeaderRequest {
    /// A request with a body of JSON, or without one.
    pub fn new(method: &Method, path: &str, body: Option<Bytes>) -> Self {
        let json = (CONTENT_TYPE.as_str().to_owned(), "application/json".to_owned());
        let headers = body.is_some().then_some(json).into_iter().collect();
        let (method, path) = (method.to_string(), path.to_owned());
        let head = PassedRequest { method, path, headers, patience_ms: 0 };
        Self::with(head, body.unwrap_or_default())
    }

    fn with(mut head: PassedRequest, body: Bytes) -> Self {
        let path = head.path.split('?').next();
        let makes_a_message = head.method == "POST" && path == Some("/api/messages");
        if makes_a_message && !head.headers.iter().any(|(name, _)| *name == KEY.as_str()) {
            head.headers.push((KEY.as_str().to_owned(), Uuid::new_v4().to_string()));
        }
        let is_repeatable = makes_a_message || head.method == "GET";
        Self { head, body, is_repeatable }
    }
}

impl LeaderRequest {
    fn makes_a_message(&self) -> bool {
        self.is_repeatable && self.head.method == "POST"
    }
}

/// Passes a request on, whose access was checked; gives the answer of the leader.
pub async fn pass_on(
    context: &Arc<ServerContext>,
    path: &str,
    request: Incoming,
) -> Result<HttpResponse> {
    if request.headers().contains_key(HOPS) {
        return Err(no_leader(false));
    }
    let path = match request.uri().query() {
        // The token was checked here, and is no business of others.
        Some(query) => format!("{path}?{}", without_token(query)),
        None => path.to_owned(),
    };
    let text = |name: &HeaderName| {
        let value = request.headers().get(name)?.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    };
    let headers = PASSED_HEADERS.iter().filter_map(text).collect();
    let method = request.method().to_string();
    let head = PassedRequest { method, path, headers, patience_ms: 0 };
    let body = read_up_to(context, request, context.config.limits.body_bytes).await?;
    ask(context, &LeaderRequest::with(head, body)).await
}

/// The answer of the leader, once its changes can be read here.
pub async fn ask(context: &ServerContext, request: &LeaderRequest) -> Result<HttpResponse> {
    let Some(cluster) = &context.cluster else { return Err(no_leader(false)) };
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
        let patience_ms = u64::try_from(one.as_millis()).unwrap_or(u64::MAX);
        let head = PassedRequest { patience_ms, ..request.head.clone() };
        let answer = cluster.requests.ask(joined(&head, &request.body), one).await;
        match answer {
            Ok(answer) => {
                let (head, body): (PassedAnswer, _) = split(&answer).ok_or_else(unreadable)?;
                let is_refused = head.status == StatusCode::SERVICE_UNAVAILABLE.as_u16();
                if is_refused && is_in_doubt && left <= PAUSE {
                    return Err(no_leader(true));
                }
                // A refusal speaks of this attempt alone: one before may have made the message, and
                // what it names (a file, a message that is answered) may be gone by now.
                if head.status >= 400 && !is_refused && is_in_doubt && request.makes_a_message() {
                    return Err(refused_in_doubt(body));
                }
                if !is_refused || !request.is_repeatable || left <= PAUSE {
                    let mut stream_seqs = context.store.stream_seqs();
                    let seen = stream_seqs.wait_for(|now| *now >= head.stream_seq);
                    // Where this node is far behind, the answer goes before.
                    let _ = timeout(SEEN_TIMEOUT, seen).await;
                    return Ok(as_answer(&head, body));
                }
                is_in_doubt = true;
            }
            Err(NotAnswered::TooLarge { limit }) => {
                let text = format!(
                    "the request is larger than the {limit} bytes that NATS takes (`max_payload`); send it to the leader"
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
                    "the leader of the cluster did not answer ({error}); whether it was done is unknown"
                );
                return Err(ErrorResponse::unavailable(text, PAUSE).named(Some("no_leader")));
            }
        }
        sleep(PAUSE).await;
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

fn without_token(query: &str) -> String {
    let kept = query.split('&').filter(|field| !field.starts_with("access_token="));
    kept.collect::<Vec<_>>().join("&")
}

pub(super) fn no_leader(is_in_doubt: bool) -> ErrorResponse {
    let text = if is_in_doubt {
        "the cluster has no leader at the moment; whether it was done before is unknown"
    } else {
        "the cluster has no leader at the moment; nothing was stored"
    };
    ErrorResponse::unavailable(text, Duration::from_secs(1)).named(Some("no_leader"))
}

/// The error of a request whose first attempt has no answer, and whose next one was refused.
fn refused_in_doubt(body: &[u8]) -> ErrorResponse {
    let error = serde_json::from_slice::<ErrorBody>(body);
    let why = error.map_or_else(|_| "it was refused".to_owned(), |error| error.error);
    let text = format!(
        "a first attempt had no answer, and the next was refused: {why}; whether the first was done is unknown"
    );
    ErrorResponse::unavailable(text, Duration::from_secs(1)).named(Some("no_leader"))
}

pub(super) fn unreadable_as(_: &serde_json::Error) -> ErrorResponse {
    unreadable()
}

pub(super) fn unreadable() -> ErrorResponse {
    let text = "the answer of the leader cannot be read; are all nodes of one version?";
    ErrorResponse::new(StatusCode::BAD_GATEWAY, text)
}

#[cfg(test)]
mod tests {
    use super::super::envelope::{joined, split};
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
        let request = LeaderRequest::new(&Method::POST, "/api/messages?a=1", Some(body.clone()));
        assert!(request.is_repeatable && request.head.headers.len() == 2);
        let request = LeaderRequest::new(&Method::POST, "/api/messages/x/recall", None);
        assert!(!request.is_repeatable && request.head.headers.is_empty());
    }

    #[test]
    fn tokens_stay_here() {
        assert_eq!(without_token("a=1&access_token=x&b=2"), "a=1&b=2");
    }
}
