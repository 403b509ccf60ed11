//! Errors as HTTP answers: always JSON, always `{"error": "…"}`, with a `code` for programs unless
//! the contract fixes the whole body.

use super::body::{HttpResponse, json};
use crate::model::reason::Reason;
use crate::protocol::http::{ErrorBody, NOT_FOUND, code_of, is_literal};
use crate::store;
use hyper::StatusCode;
use hyper::header::{
    ALLOW, CONNECTION, HeaderName, HeaderValue, RETRY_AFTER, SEC_WEBSOCKET_VERSION, UPGRADE,
    WWW_AUTHENTICATE,
};
use std::time::Duration;

/// Error as the answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorResponse {
    status: StatusCode,
    body: ErrorBody,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The result of a handler.
pub type Result<T> = std::result::Result<T, ErrorResponse>;

impl ErrorResponse {
    /// An answer with this status; the text names the error and the right form.
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        let error = text.into();
        let code = (!is_literal(&error)).then(|| code_of(status.as_u16()).to_owned());
        let body = ErrorBody { error, code, detail: None };
        Self { status, body, headers: Vec::new() }
    }

    /// An answer that another node of the cluster gave.
    pub fn of_node(status: StatusCode, body: ErrorBody) -> Self {
        Self { status, body, headers: Vec::new() }
    }

    /// The HTTP status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The text for people.
    pub fn text(&self) -> &str {
        &self.body.error
    }

    /// The code for programs, if there is one.
    pub fn code(&self) -> Option<String> {
        self.body.code.clone()
    }

    /// 400.
    pub fn bad_request(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    /// 500: the server panicked, and whether it did what was asked is not known.
    pub fn panicked() -> Self {
        let text = "the server failed while it answered this; its log has the details";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, text)
    }

    /// 404 for a message; also for an ID that is not a UUID.
    pub fn no_message() -> Self {
        Self::new(StatusCode::NOT_FOUND, NOT_FOUND)
    }

    /// 405; `allowed` is the list of methods for `Allow`.
    pub fn method_not_allowed(allowed: &str) -> Self {
        let text = format!("this method is not allowed here; use {allowed}");
        let value = HeaderValue::from_str(allowed).unwrap_or(HeaderValue::from_static(""));
        Self::new(StatusCode::METHOD_NOT_ALLOWED, text).with(ALLOW, value)
    }

    /// 401.
    pub fn unauthorized(text: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, text)
            .with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 426: only a WebSocket of version 13 is served here (RFC 6455, section 4.2.2).
    pub fn upgrade_required() -> Self {
        let text = "this is a WebSocket; connect with `ws://` and the version 13";
        Self::new(StatusCode::UPGRADE_REQUIRED, text)
            .with(UPGRADE, HeaderValue::from_static("websocket"))
            .with(CONNECTION, HeaderValue::from_static("upgrade"))
            .with(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))
    }

    /// 429; the client may try again after `wait`.
    pub fn too_many_requests(text: impl Into<String>, wait: Duration) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, text).retry_after(wait)
    }

    /// 503; the client may try again after `wait`.
    pub fn unavailable(text: impl Into<String>, wait: Duration) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, text).retry_after(wait)
    }

    fn retry_after(self, wait: Duration) -> Self {
        self.with(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1))
    }

    /// Gives the error a more specific code than its status has, if there is one (contract, Part
    /// 3).
    pub fn named(mut self, code: Option<&'static str>) -> Self {
        if let Some(code) = code {
            self.body.code = Some(code.to_owned());
            let detail = Reason::of(&self.body.error).and_then(|reason| reason.detail);
            self.body.detail = detail.map(str::to_owned);
        }
        self
    }

    /// Adds a header field.
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The answer itself.
    pub fn into_answer(self) -> HttpResponse {
        let mut answer = json(self.status, &self.body);
        answer.headers_mut().extend(self.headers);
        answer
    }
}

/// After how long a node of a cluster that could not write is worth another try.
const NO_LEADER_WAIT: Duration = Duration::from_secs(1);

impl From<store::StoreError> for ErrorResponse {
    fn from(error: store::StoreError) -> Self {
        if let store::StoreError::Unavailable(text) | store::StoreError::Unknown(text) = error {
            return Self::unavailable(text, NO_LEADER_WAIT).named(Some("no_leader"));
        }
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}
