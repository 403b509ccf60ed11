//! Actions on messages that were sent, and answers to requests of platforms (contract, items 23 and
//! 25 to 28).

use super::body::{HttpResponse, json};
use super::error::{ErrorResponse, Result};
use super::messages::id_of;
use super::operation::Call;
use super::request::read_json;
use crate::actions::ActionFailure;
use crate::adapter::ActionError;
use crate::model::reaction::check_emoji;
use crate::protocol::http::{OpenedForward, Request, RequestAnswer, Requests};
use hyper::StatusCode;

/// The most requests in one answer.
const MAX_REQUESTS: usize = 200;

/// The most bytes of a forward's platform ID; some platforms make long ones.
const MAX_FORWARD_ID_BYTES: usize = 1024;

impl From<ActionFailure> for ErrorResponse {
    fn from(error: ActionFailure) -> Self {
        let status = match &error {
            ActionFailure::NotFound => return Self::no_message(),
            ActionFailure::NoForward => StatusCode::NOT_FOUND,
            ActionFailure::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
            ActionFailure::NotSent
            | ActionFailure::InDoubt
            | ActionFailure::InFlight
            | ActionFailure::SentAgain
            | ActionFailure::Platform(ActionError::Unsupported) => StatusCode::CONFLICT,
            ActionFailure::Platform(ActionError::Refused(_)) => StatusCode::BAD_GATEWAY,
            ActionFailure::Platform(ActionError::Unknown(_)) => StatusCode::GATEWAY_TIMEOUT,
            ActionFailure::Platform(ActionError::NotConnected) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string()).named(error.code())
    }
}

/// `POST /api/messages/{id}/recall`
pub async fn recall(call: Call<'_>) -> Result<HttpResponse> {
    let message = call.context.actions.recall(id_of(&call)?).await?;
    Ok(json(StatusCode::OK, &message))
}

/// `PUT` and `DELETE /api/messages/{id}/reactions/{emoji}`
pub async fn react(call: Call<'_>, on: bool) -> Result<HttpResponse> {
    let emoji = call.parameters.get("emoji").unwrap_or_default();
    let emoji = percent_encoding::percent_decode_str(emoji).decode_utf8_lossy().into_owned();
    check_emoji(&emoji).map_err(ErrorResponse::bad_request)?;
    let message = call.context.actions.react(id_of(&call)?, emoji, on).await?;
    Ok(json(StatusCode::OK, &message))
}

/// `GET /api/messages/{id}/forward`
pub async fn open_forward(call: Call<'_>) -> Result<HttpResponse> {
    let query = call.request.uri().query().unwrap_or_default();
    let mut fields = form_urlencoded::parse(query.as_bytes());
    let wanted = fields.find(|(name, _)| name == "forward").map(|(_, id)| id.into_owned());
    let is_none = |id: &String| id.is_empty() || id.len() > MAX_FORWARD_ID_BYTES;
    if wanted.as_ref().is_some_and(is_none) {
        let text = format!("`forward` is an ID of at most {MAX_FORWARD_ID_BYTES} bytes");
        return Err(ErrorResponse::bad_request(text));
    }
    let items = call.context.actions.open_forward(id_of(&call)?, wanted).await?;
    Ok(json(StatusCode::OK, &OpenedForward { items }))
}

/// `GET /api/requests`
pub fn requests(call: &Call<'_>) -> Result<HttpResponse> {
    let all = call.context.store.view()?.requests(MAX_REQUESTS)?;
    let requests = all.into_iter().filter_map(Request::of).collect();
    Ok(json(StatusCode::OK, &Requests { requests }))
}

/// `POST /api/requests/{id}`
pub async fn answer_request(call: Call<'_>) -> Result<HttpResponse> {
    let id = call.parameters.get("id").and_then(|id| id.parse().ok());
    let not_found = || {
        let text = "there is no such request that waits for an answer";
        ErrorResponse::new(StatusCode::NOT_FOUND, text).named(Some("not_found"))
    };
    let id: u64 = id.ok_or_else(not_found)?;
    let context = call.context;
    let RequestAnswer { approve, reason } = read_json(context, call.request).await?;
    match context.actions.answer_request(id, approve, reason.unwrap_or_default()).await {
        Ok(request) => Ok(json(StatusCode::OK, &Request::of(request))),
        Err(ActionFailure::NotFound) => Err(not_found()),
        Err(error) => Err(error.into()),
    }
}
