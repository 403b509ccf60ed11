//! `/api/login/{platform}`: login to a platform with a QR code, and logout (contract, item 36).

use super::body::{HttpResponse, json};
use super::error::{ErrorResponse, Result};
use super::operation::Call;
use super::request::read_json;
use crate::adapter::{LoginError, LoginRequest};
use crate::protocol::login::{LoggedOut, LoginDigits};
use hyper::StatusCode;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// The longest time for an answer, because a platform may be slow to give a code.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(3);

/// `POST /api/login/{platform}`
pub async fn begin(call: Call<'_>) -> Result<HttpResponse> {
    let status = ask(&call, |answer| LoginRequest::Begin { answer }).await?;
    Ok(json(StatusCode::CREATED, &status))
}

/// `GET /api/login/{platform}/{id}`
pub async fn look(call: Call<'_>) -> Result<HttpResponse> {
    let id = parameter(&call, "id");
    let status = ask(&call, |answer| LoginRequest::Look { id, answer }).await?;
    Ok(json(StatusCode::OK, &status))
}

/// `POST /api/login/{platform}/{id}`
pub async fn digits(call: Call<'_>) -> Result<HttpResponse> {
    let (requests, id) = (requests(&call)?, parameter(&call, "id"));
    let body: LoginDigits = read_json(call.context, call.request).await?;
    let digits = body.digits.trim().to_owned();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ErrorResponse::bad_request("`digits` must be the digits that the phone shows"));
    }
    let request = |answer| LoginRequest::Digits { id, digits, answer };
    Ok(json(StatusCode::OK, &ask_by(requests, request).await?))
}

/// `DELETE /api/login/{platform}`
pub async fn log_out(call: Call<'_>) -> Result<HttpResponse> {
    let query = call.request.uri().query().unwrap_or_default();
    let named = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "account");
    let account = named.map(|(_, account)| account.into_owned());
    let account = ask(&call, |answer| LoginRequest::LogOut { account, answer }).await?;
    Ok(json(StatusCode::OK, &LoggedOut { account }))
}

fn parameter(call: &Call<'_>, name: &str) -> String {
    let escaped = call.parameters.get(name).unwrap_or_default();
    percent_encoding::percent_decode_str(escaped).decode_utf8_lossy().into_owned()
}

fn requests(call: &Call<'_>) -> Result<mpsc::Sender<LoginRequest>> {
    let platform = parameter(call, "platform");
    call.context.adapters.load().login(&platform).ok_or_else(|| {
        let text = format!(
            "no adapter here logs in to `{platform}`: log in with the implementation that connects to rechat"
        );
        ErrorResponse::new(StatusCode::CONFLICT, text).named(Some("unsupported"))
    })
}

async fn ask<T>(
    call: &Call<'_>,
    request: impl FnOnce(oneshot::Sender<std::result::Result<T, LoginError>>) -> LoginRequest,
) -> Result<T> {
    ask_by(requests(call)?, request).await
}

async fn ask_by<T>(
    requests: mpsc::Sender<LoginRequest>,
    request: impl FnOnce(oneshot::Sender<std::result::Result<T, LoginError>>) -> LoginRequest,
) -> Result<T> {
    let (answer, answered) = oneshot::channel();
    let exchange = async {
        requests.send(request(answer)).await.ok()?;
        answered.await.ok()
    };
    match timeout(ANSWER_TIMEOUT, exchange).await {
        Ok(Some(Ok(answer))) => Ok(answer),
        Ok(Some(Err(error))) => Err(refused(error)),
        Ok(None) | Err(_) => {
            Err(ErrorResponse::unavailable("the adapter does not answer", Duration::from_secs(1)))
        }
    }
}

fn refused(error: LoginError) -> ErrorResponse {
    let (status, text, code) = match error {
        LoginError::Unknown(text) => (StatusCode::NOT_FOUND, text, "not_found"),
        LoginError::Conflict(text) => (StatusCode::CONFLICT, text, "conflict"),
        LoginError::Failed(text) => (StatusCode::BAD_GATEWAY, text, "login_failed"),
    };
    ErrorResponse::new(status, text).named(Some(code))
}
