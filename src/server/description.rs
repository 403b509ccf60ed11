//! What the API is, for programs: OpenAPI at `/api/openapi.json`, derived from the types and the
//! handlers, and AsyncAPI at `/api/asyncapi.json` for the WebSocket.

use super::body::json;
use super::{Answer, messages, platforms};
use crate::protocol::http::{ErrorBody, Health};
use crate::store::Stats;
use hyper::StatusCode;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::{IntoResponses, Modify, OpenApi};

/// Every error is JSON, and these may come from anywhere.
#[derive(IntoResponses)]
#[allow(dead_code, reason = "only described")]
pub(super) enum Refusals {
    /// A token is needed, and the right one
    #[response(status = 401)]
    NoToken(ErrorBody),
    /// The token, or the page's origin, may not do this
    #[response(status = 403)]
    Forbidden(ErrorBody),
    /// The `Host` is not served here
    #[response(status = 421)]
    Misdirected(ErrorBody),
    /// Too many wrong tokens came from this address
    #[response(status = 429)]
    TooMany(ErrorBody),
    /// The head is too large
    #[response(status = 431)]
    HeadTooLarge(ErrorBody),
    /// The store could not be read or written
    #[response(status = 500)]
    Fault(ErrorBody),
    /// There is no room, or the disk does not answer in time
    #[response(status = 503)]
    Unavailable(ErrorBody),
}

/// What may be wrong with a body.
#[derive(IntoResponses)]
#[allow(dead_code, reason = "only described")]
pub(super) enum BodyRefusals {
    /// A field is missing, or wrong
    #[response(status = 400)]
    Wrong(ErrorBody),
    /// It did not arrive in time
    #[response(status = 408)]
    Late(ErrorBody),
    /// It is too large
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// It is not JSON
    #[response(status = 415)]
    NotJson(ErrorBody),
}

#[derive(OpenApi)]
#[openapi(
    info(title = "rechat", description = "The chats of many platforms in one durable place."),
    paths(
        messages::create,
        messages::list,
        messages::read,
        messages::set_status,
        messages::delete,
        messages::activity,
        platforms::platforms,
        platforms::conversations,
        stats,
        health
    ),
    modifiers(&Bearer)
)]
struct Description;

/// How a token is shown; a server without tokens asks for none.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
        let token = SecurityRequirement::new("token", Vec::<String>::new());
        openapi.security = Some(vec![SecurityRequirement::default(), token]);
    }
}

/// How many messages are in each state.
#[utoipa::path(get, path = "/api/stats", responses((status = 200, body = Stats), Refusals))]
#[allow(dead_code, reason = "only described; the router answers")]
fn stats() {}

/// Whether the server lives; asks for no token.
#[utoipa::path(
    get,
    path = "/api/health",
    responses((status = 200, body = Health<'static>), (status = 431, body = ErrorBody), (status = 421, body = ErrorBody)),
    security(())
)]
#[allow(dead_code, reason = "only described; the router answers")]
fn health() {}

/// `GET /api/openapi.json`
pub(super) fn openapi() -> Answer {
    json(StatusCode::OK, &Description::openapi())
}

/// `GET /api/asyncapi.json`
pub(super) fn asyncapi() -> Answer {
    json(StatusCode::OK, &crate::protocol::asyncapi::description())
}
