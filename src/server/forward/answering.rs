//! Answers what other nodes pass on, as the leader.

use super::envelope::{PassedAnswer, PassedRequest, joined, split};
use super::request::{HOPS, PAUSE};
use crate::cluster::{Answerer, LeaderRequests};
use crate::server::body::Body;
use crate::server::error::ErrorResponse;
use crate::store::Store;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, RETRY_AFTER};
use hyper_util::rt::TokioIo;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::time::timeout;

/// Bytes of an answer beside its body.
const HEAD_BYTES: usize = 4096;

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
            let answered = answer_here(&socket, &message, room, limit).await;
            let (mut head, body) = match answered {
                Ok(answer) => answer,
                Err(error) => passed(ErrorResponse::unavailable(error, PAUSE)),
            };
            head.stream_seq = *store.stream_seqs().borrow();
            joined(&head, &body)
        })
    })
}

/// The answer to requests where too many are under way.
pub fn too_many_passed() -> Bytes {
    let text = "the leader answers too many requests of other nodes; nothing was stored";
    let (head, body) = passed(ErrorResponse::unavailable(text, PAUSE));
    joined(&head, &body)
}

/// Answers a request for as long as the node that asks waits, and at most for so long.
async fn answer_here(
    socket: &Path,
    message: &[u8],
    max_bytes: usize,
    limit: Duration,
) -> std::result::Result<(PassedAnswer, Bytes), String> {
    let (head, body): (PassedRequest, _) = split(message)
        .ok_or("the request of another node cannot be read; are all of one version?")?;
    let limit = limit.min(Duration::from_millis(head.patience_ms));
    let answered = timeout(limit, ask_server(socket, head, body, max_bytes)).await;
    answered.map_err(|_| "the leader took too long; whether it was done is unknown")?
}

/// Asks this server.
async fn ask_server(
    socket: &Path,
    head: PassedRequest,
    body: &[u8],
    max_bytes: usize,
) -> std::result::Result<(PassedAnswer, Bytes), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let stream = UnixStream::connect(socket).await.map_err(|error| text(&error))?;
    let opened = http1::handshake(TokioIo::new(stream)).await;
    let (mut requests, connection) = opened.map_err(|error| text(&error))?;
    tokio::spawn(async move { drop(connection.await) });
    let mut request = Request::builder().method(&*head.method).uri(head.path);
    request = request.header(HOST, "localhost").header(HOPS, "1");
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
        stream_seq: 0,
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
    let head = PassedAnswer { status, media_type, retry_after: Some("1".into()), stream_seq: 0 };
    match answer.body_mut() {
        Body::Whole(bytes) => (head, std::mem::take(bytes)),
        Body::Stream(_) => (head, Bytes::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_for_which_there_is_no_room_is_known_not_to_be_done() {
        let answer = too_many_passed();
        let (head, body): (PassedAnswer, _) = split(&answer).unwrap();
        assert_eq!((head.status, head.retry_after.as_deref()), (503, Some("1")));
        assert!(str::from_utf8(body).unwrap().contains("nothing was stored"));
    }

    #[tokio::test]
    async fn a_request_is_carried_out_for_no_longer_than_its_asker_waits() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        // A server that takes connections and never answers.
        let _server = tokio::net::UnixListener::bind(&socket).unwrap();
        let head = PassedRequest {
            method: "GET".into(),
            path: "/api/stats".into(),
            headers: Vec::new(),
            patience_ms: 1,
        };
        let limit = Duration::from_hours(1);
        let answer = answer_here(&socket, &joined(&head, b""), 1000, limit).await;
        assert!(answer.unwrap_err().contains("unknown"));
    }
}
