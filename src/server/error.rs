//! Errors as HTTP answers: always JSON, always `{"error": "…"}`.

use super::Answer;
use super::body::json;
use crate::protocol::http::{ErrorBody, NOT_FOUND};
use crate::store;
use hyper::StatusCode;
use hyper::header::{ALLOW, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use std::time::Duration;

/// Why a request is not answered as it wished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    text: String,
    header: Option<(HeaderName, HeaderValue)>,
}

/// What a handler gives.
pub type Result<T> = std::result::Result<T, Refusal>;

impl Refusal {
    /// An answer with this status; the text names what is wrong and what would be right.
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), header: None }
    }

    /// 400.
    pub fn bad(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    /// 404 for a message; also for an ID that is no UUID.
    pub fn no_message() -> Self {
        Self::new(StatusCode::NOT_FOUND, NOT_FOUND)
    }

    /// 405; `allowed` are the methods that would do.
    pub fn method(allowed: &'static str) -> Self {
        let mut refusal = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("this method is not allowed here; use {allowed}"),
        );
        refusal.header = Some((ALLOW, HeaderValue::from_static(allowed)));
        refusal
    }

    /// 401.
    pub fn no_token(text: impl Into<String>) -> Self {
        let mut refusal = Self::new(StatusCode::UNAUTHORIZED, text);
        refusal.header = Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        refusal
    }

    /// 429; worth another try after `wait`.
    pub fn too_many(text: impl Into<String>, wait: Duration) -> Self {
        let mut refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, text);
        let seconds = wait.as_secs() + 1;
        refusal.header = Some((RETRY_AFTER, HeaderValue::from(seconds)));
        refusal
    }

    /// The answer itself.
    pub fn into_answer(self) -> Answer {
        let mut answer = json(self.status, &ErrorBody { error: self.text });
        if let Some((name, value)) = self.header {
            answer.headers_mut().insert(name, value);
        }
        answer
    }
}

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}
