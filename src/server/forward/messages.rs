//! Messages that the leader is asked to make, and its adapters.

use super::request::{KEY, LeaderRequest, ask, unreadable, unreadable_as};
use crate::model::message::Message;
use crate::protocol::http::{ErrorBody, NewMessage, Platforms};
use crate::protocol::platform::{AdapterStatus, PlatformState};
use crate::server::body::Body;
use crate::server::context::ServerContext;
use crate::server::error::{ErrorResponse, Result};
use hyper::{Method, StatusCode};
use uuid::Uuid;

/// Has the leader make a message; gives it as it can be read here.
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
        return Err(ErrorResponse::of_node(status, error));
    }
    let made: Message = serde_json::from_slice(&body).map_err(|error| unreadable_as(&error))?;
    Ok(context.store.view()?.by_id(made.id)?.unwrap_or(made))
}

/// The adapters of the leader.
pub async fn adapters(context: &ServerContext) -> Result<Vec<AdapterStatus>> {
    let request = LeaderRequest::new(&Method::GET, "/api/platforms", None);
    let answer = ask(context, &request).await?;
    let status = answer.status();
    let Body::Whole(body) = answer.into_body() else { return Err(unreadable()) };
    if status != StatusCode::OK {
        let error: ErrorBody = serde_json::from_slice(&body).map_err(|_| unreadable())?;
        return Err(ErrorResponse::of_node(status, error));
    }
    let all: Platforms = serde_json::from_slice(&body).map_err(|error| unreadable_as(&error))?;
    Ok(all.platforms)
}

/// Whether an adapter of a platform is connected to the leader.
pub async fn has_adapter(context: &ServerContext, platform: &str) -> bool {
    adapters(context).await.is_ok_and(|all| {
        let mut all = all.iter();
        all.any(|one| one.platform == platform && one.state == PlatformState::Connected)
    })
}
