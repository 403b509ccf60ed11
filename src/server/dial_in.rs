//! Connections that implementations of platforms open: the handshake is here, the protocol is in the adapter.

use super::access::{AccessGrant, RefusalKind, shown};
use super::body::{Body, HttpResponse};
use super::connection_facts::ConnectionFacts;
use super::context::{Incoming, ServerContext};
use super::error::{ErrorResponse, Result};
use super::lifetime::Lifetime;
use super::limit::Permit;
use super::upgrade::check_upgrade;
use crate::adapter::{Endpoint, Handshake, Socket};
use crate::config::{RequiredScope, Secret};
use crate::health::watched;
use hyper::header::SEC_WEBSOCKET_PROTOCOL;
use std::sync::Arc;

/// Checks the access of a request at an adapter's path and opens its connection. A refusal is
/// logged with its reason.
pub fn answer(
    context: &Arc<ServerContext>,
    connection: &ConnectionFacts,
    path: &str,
    endpoint: Endpoint,
    request: Incoming,
) -> Result<HttpResponse> {
    let peer = connection.peer;
    let (uri, headers) = (request.uri(), request.headers());
    let shows_token = shown(headers, uri, true).is_some();
    let client = context.access.client_of(peer, headers);
    let granted = match endpoint.token().map(Secret::new) {
        Some(own) => context.access.check_own(peer, headers, uri, &own),
        None => context.access.check(peer, headers, uri, true, RequiredScope::Handshake),
    };
    let opened = granted
        .and_then(|granted| open(context, endpoint, granted, connection.permit.clone(), request));
    opened.inspect_err(|why| {
        let refusal = RefusalKind::of(why.status(), shows_token);
        context.access.log_refused(client, path, refusal, why.text());
    })
}

/// Turns the request into a connection of the endpoint's adapter, which ends when its token is
/// revoked.
fn open(
    context: &Arc<ServerContext>,
    endpoint: Endpoint,
    granted: AccessGrant,
    permit: Option<Permit>,
    mut request: Incoming,
) -> Result<HttpResponse> {
    check_upgrade(&request)?;
    let query = request.uri().query().unwrap_or_default();
    let handshake = Handshake {
        path: request.uri().path().to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: request.headers().clone(),
    };
    endpoint.check(&handshake).map_err(ErrorResponse::bad_request)?;
    // A client that offers protocols takes an answer without one as an error, so the first is
    // chosen.
    let offered = request.headers().get(SEC_WEBSOCKET_PROTOCOL);
    let first =
        offered.and_then(|offered| offered.to_str().ok()?.split(',').next()?.trim().parse().ok());
    let (answer, socket) = hyper_tungstenite::upgrade(&mut request, Some(endpoint.config()))
        .map_err(|error| ErrorResponse::bad_request(format!("no WebSocket: {error}")))?;
    let slot = context.dial_ins.acquire()?;
    let (endpoint, end) = endpoint.for_one_connection();
    let lifetime = Lifetime::new(end.clone(), granted.revoked);
    context.tasks.spawn(watched("dial-ins", async move {
        match socket.await {
            Ok(socket) => {
                let serve = endpoint.accept(handshake, Socket::new(socket));
                let ending = async {
                    lifetime.ended().await;
                    end.cancel();
                };
                tokio::join!(
                    async {
                        serve.await;
                        end.cancel();
                    },
                    ending
                );
            }
            Err(error) => tracing::debug!("a dial-in did not come about: {error}"),
        }
        drop((slot, permit));
    }));
    let mut answer = answer.map(|_| Body::default());
    if let Some(protocol) = first {
        answer.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    Ok(answer)
}
