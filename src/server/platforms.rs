//! `GET /api/platforms` and `GET /api/conversations`: what is connected, and what is known.

use super::body::json;
use super::error::Result;
use super::{Answer, Context};
use crate::api::{Conversations, Platforms};
use hyper::StatusCode;

/// Every adapter, and how it is connected.
pub fn platforms(context: &Context) -> Answer {
    json(StatusCode::OK, &Platforms { platforms: context.registry.platforms() })
}

/// Every conversation that has messages, the latest first.
pub fn conversations(context: &Context) -> Result<Answer> {
    let conversations = context.store.view()?.conversations()?;
    Ok(json(StatusCode::OK, &Conversations { conversations }))
}
