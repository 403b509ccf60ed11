//! `/ws/client`: a task for each session, which reads commands and writes frames.

mod commands;
mod run;
mod session;
mod writing;

use super::body::{Body, HttpResponse};
use super::error::{ErrorResponse, Result};
use super::lifetime::Lifetime;
use super::operation::Call;
use super::upgrade::check_upgrade;
use crate::health::watched;
pub use commands::refused;
use hyper::header::{HeaderName, HeaderValue};
use hyper_tungstenite::tungstenite::{self, protocol::WebSocketConfig};
use session::Session;
use uuid::Uuid;

/// The header with the ID of the session.
const SESSION_ID: HeaderName = HeaderName::from_static("x-session-id");

/// Bytes that are read from a socket at once. Small, because each idle session has such a buffer.
const READ_BUFFER: usize = 1 << 9;

/// Starts a session. It runs after the answer to the upgrade request.
pub fn open(call: Call<'_>) -> Result<HttpResponse> {
    let Call { context, connection, granted, mut request, .. } = call;
    check_upgrade(&request)?;
    let limits = &context.config.limits;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(limits.body_bytes))
        .max_frame_size(Some(limits.body_bytes));
    let (answer, socket) = hyper_tungstenite::upgrade(&mut request, Some(config))
        .map_err(|error| ErrorResponse::bad_request(format!("no WebSocket: {error}")))?;
    let place = context.sessions.acquire()?;
    let id = Uuid::new_v4();
    let server = context.clone();
    let lifetime = Lifetime::new(context.stop.clone(), granted.revoked);
    let (permit, tcp) = (connection.permit.clone(), connection.socket_of(&request));
    context.tasks.spawn(watched("sessions", async move {
        // `let` and not `match`, which would keep what the socket is moved out of while the session runs.
        let opened = socket.await;
        let begin = |socket| Session::new(id, server, granted.scope, lifetime, socket);
        let Some(mut session) = opened.map(begin).inspect_err(not_opened).ok() else { return };
        if let Some(tcp) = tcp {
            session.subscriber.write_to(tcp);
        }
        session.run().await;
        drop((place, permit));
    }));
    let mut answer = answer.map(|_| Body::default());
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        answer.headers_mut().insert(SESSION_ID, id);
    }
    Ok(answer)
}

fn not_opened(error: &tungstenite::Error) {
    tracing::debug!("a WebSocket did not come about: {error}");
}
