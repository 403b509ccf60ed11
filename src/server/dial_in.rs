//! Implementations that dial in: the door is here, what is spoken behind it is the adapter's.

use super::error::{Refusal, Result};
use super::{Answer, Body, Context, Incoming, Permit, socket};
use crate::adapter::{Endpoint, Handshake, Socket};
use hyper::header::SEC_WEBSOCKET_PROTOCOL;
use std::sync::Arc;

/// Turns the request into a connection of the adapter that is mounted there.
pub fn open(context: &Arc<Context>, mount: Endpoint, mut request: Incoming) -> Result<Answer> {
    if !hyper_tungstenite::is_upgrade_request(&request) {
        return Ok(socket::upgrade_required());
    }
    let query = request.uri().query().unwrap_or_default();
    let dial_in = Handshake {
        path: request.uri().path().to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: request.headers().clone(),
    };
    mount.check(&dial_in).map_err(Refusal::bad)?;
    // Whoever offers protocols takes none of them as a refusal: the first one is as good as any.
    let offered = request.headers().get(SEC_WEBSOCKET_PROTOCOL);
    let first =
        offered.and_then(|offered| offered.to_str().ok()?.split(',').next()?.trim().parse().ok());
    let (answer, socket) = hyper_tungstenite::upgrade(&mut request, Some(mount.config()))
        .map_err(|error| Refusal::bad(format!("no WebSocket: {error}")))?;
    let place = context.dial_ins.enter()?;
    let permit = request.extensions().get::<Permit>().cloned();
    context.tasks.spawn(async move {
        match socket.await {
            Ok(socket) => mount.accept(dial_in, Socket::new(socket)).await,
            Err(error) => tracing::debug!("a dial-in did not come about: {error}"),
        }
        drop((place, permit));
    });
    let mut answer = answer.map(Body::Whole);
    if let Some(protocol) = first {
        answer.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    Ok(answer)
}
