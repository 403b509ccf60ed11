//! `/ws/client`: one task for each session, which reads commands and writes frames.

mod on_wake;
mod session;
mod writing;

use super::body::json;
use super::error::{Refusal, Result};
use super::{Answer, Body, Context, Incoming, Permit};
use crate::config::Scope;
use crate::protocol::http::ErrorBody;
use hyper::StatusCode;
use hyper::header::{CONNECTION, HeaderName, HeaderValue, UPGRADE};
use hyper_tungstenite::tungstenite::protocol::WebSocketConfig;
use session::Session;
pub use session::refused;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Tells the client its session.
const SESSION_ID: HeaderName = HeaderName::from_static("x-session-id");

/// Bytes read from a socket at a time; kept small, for every idle session has them.
const READ_BUFFER: usize = 1 << 10;

/// Turns the request into a session, which goes on after it was answered, until `revoked`.
pub fn open(
    context: &Arc<Context>,
    scope: Scope,
    revoked: CancellationToken,
    mut request: Incoming,
) -> Result<Answer> {
    if !hyper_tungstenite::is_upgrade_request(&request) {
        return Ok(upgrade_required());
    }
    let limits = &context.config.limits;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(limits.body_bytes))
        .max_frame_size(Some(limits.body_bytes));
    let (answer, socket) = hyper_tungstenite::upgrade(&mut request, Some(config))
        .map_err(|error| Refusal::bad(format!("no WebSocket: {error}")))?;
    let place = context.sessions.enter()?;
    let id = Uuid::new_v4();
    let session = context.clone();
    let permit = request.extensions().get::<Permit>().cloned();
    context.tasks.spawn(async move {
        match socket.await {
            Ok(socket) => Session::new(id, session, scope, socket).run(revoked).await,
            Err(error) => tracing::debug!("a WebSocket did not come about: {error}"),
        }
        drop((place, permit));
    });
    let mut answer = answer.map(Body::Whole);
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        answer.headers_mut().insert(SESSION_ID, id);
    }
    Ok(answer)
}

/// 426: there is only a WebSocket here.
pub fn upgrade_required() -> Answer {
    let text = "this is a WebSocket; connect with `ws://` and the version 13";
    let mut answer = json(StatusCode::UPGRADE_REQUIRED, &ErrorBody { error: text.into() });
    answer.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    answer
}
