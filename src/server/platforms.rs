//! `GET /api/platforms` and `GET /api/conversations`: what is connected, and what is known.

use super::body::json;
use super::description::Refusals;
use super::error::Result;
use super::{Answer, Context};
use crate::protocol::http::{Conversations, Platforms};
use hyper::StatusCode;

/// Every adapter, and how it is connected.
#[utoipa::path(
    get,
    path = "/api/platforms",
    responses((status = 200, body = Platforms), Refusals)
)]
pub fn platforms(context: &Context) -> Answer {
    json(StatusCode::OK, &Platforms { platforms: context.registry.platforms() })
}

/// Every conversation that has messages, the latest first.
#[utoipa::path(
    get,
    path = "/api/conversations",
    responses((status = 200, body = Conversations), Refusals)
)]
pub fn conversations(context: &Context) -> Result<Answer> {
    let conversations = context.store.view()?.conversations()?;
    Ok(json(StatusCode::OK, &Conversations { conversations }))
}
