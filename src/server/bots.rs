//! Bot frameworks that dial in, and the list of bots. The protocols are the gateway's.

use super::access::{Granted, Refusal, shown};
use super::body::{Body, HttpResponse, JSON, json, whole};
use super::context::{Incoming, ServerContext};
use super::error::{ErrorResponse, Result};
use super::lifetime::Lifetime;
use super::limit::Permit;
use super::operation::Call;
use super::peer::Peer;
use super::request::read_body;
use super::upgrade::check_upgrade;
use crate::config::{Need, Secret};
use crate::gateway::{
    BotEndpoint, BotSocket, DialInRequest, Opening, SocketOpening, socket_config,
};
use crate::protocol::bots::Bots;
use hyper::StatusCode;
use hyper::header::CONTENT_TYPE;
use serde_json::value::RawValue;
use std::sync::Arc;

/// `GET /api/bots`
pub fn list(call: &Call<'_>) -> HttpResponse {
    json(StatusCode::OK, &Bots { bots: call.context.bots.bots() })
}

/// Checks the access of a request at the path of a bot and answers it. Why one is refused is logged.
pub async fn answer(
    context: &Arc<ServerContext>,
    peer: Peer,
    path: &str,
    endpoint: BotEndpoint,
    request: Incoming,
) -> Result<HttpResponse> {
    let (uri, headers) = (request.uri(), request.headers());
    let shows_token = shown(headers, uri, true).is_some();
    let client = context.access.client_of(peer, headers);
    let granted = match endpoint.token().map(Secret::new) {
        Some(own) => context.access.check_own(peer, headers, uri, &own),
        None => context.access.check(peer, headers, uri, true, Need::Handshake),
    };
    let answered = match granted {
        Ok(granted) => open(context, endpoint, granted, request).await,
        Err(why) => Err(why),
    };
    answered.inspect_err(|why| {
        let refusal = Refusal::of(why.status(), shows_token);
        context.access.log_refused(client, path, refusal, why.text());
    })
}

async fn open(
    context: &Arc<ServerContext>,
    endpoint: BotEndpoint,
    granted: Granted,
    request: Incoming,
) -> Result<HttpResponse> {
    let query = request.uri().query().unwrap_or_default();
    let query: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let is_upgrade = hyper_tungstenite::is_upgrade_request(&request);
    let opening = endpoint.open(&DialInRequest { is_upgrade, query: &query });
    match opening.map_err(|(status, words)| ErrorResponse::new(status, words))? {
        Opening::Socket(opening) => upgrade(context, opening, granted, request),
        Opening::Action(action) => {
            let has_body = request.headers().contains_key(CONTENT_TYPE);
            let body = if has_body {
                Some(read_body(context, request, "application/json").await?)
            } else {
                None
            };
            let params = body.as_deref().map(serde_json::from_slice::<&RawValue>).transpose();
            let params = params.map_err(|error| {
                ErrorResponse::bad_request(format!("the body is no JSON: {error}"))
            })?;
            let answer = action.carry_out(params, &query).await;
            Ok(whole(StatusCode::OK, JSON, answer.into()))
        }
    }
}

/// Turns the request into a connection, which ends when the token that opened it is revoked.
fn upgrade(
    context: &Arc<ServerContext>,
    opening: SocketOpening,
    granted: Granted,
    mut request: Incoming,
) -> Result<HttpResponse> {
    check_upgrade(&request)?;
    let (answer, socket) = hyper_tungstenite::upgrade(&mut request, Some(socket_config()))
        .map_err(|error| ErrorResponse::bad_request(format!("no WebSocket: {error}")))?;
    let place = context.dial_ins.acquire()?;
    let end = context.stop.child_token();
    let lifetime = Lifetime::new(end.clone(), granted.revoked);
    let permit = request.extensions().get::<Permit>().cloned();
    context.tasks.spawn(async move {
        match socket.await {
            Ok(socket) => {
                let serve = opening.serve(BotSocket::new(socket), end.clone());
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
            Err(error) => tracing::debug!("a bot's connection did not come about: {error}"),
        }
        drop((place, permit));
    });
    Ok(answer.map(|_| Body::default()))
}
