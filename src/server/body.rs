//! Bodies: JSON read within its limits, JSON written in one piece, and streams.

use super::error::{self, Refusal};
use super::{Answer, Incoming};
use crate::config::Limits;
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Frame, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::pin::Pin;
use std::task::{self, Poll};
use std::time::Duration;
use tokio::time::timeout;

/// Why a body broke off.
pub type Broken = Box<dyn std::error::Error + Send + Sync>;

/// A body: whole, or a stream that goes on.
#[derive(Debug)]
#[allow(missing_docs)]
pub enum Body {
    Whole(Full<Bytes>),
    Stream(UnsyncBoxBody<Bytes, Broken>),
}

impl Default for Body {
    fn default() -> Self {
        Self::Whole(Full::default())
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match &mut *self {
            Self::Whole(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Self::Stream(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Stream(body) => body.size_hint(),
        }
    }
}

/// The media type of every answer but the page's files.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An answer with a JSON body.
pub fn json<T: Serialize>(status: StatusCode, value: &T) -> Answer {
    json_of_about(512, status, value)
}

/// An answer with a JSON body of about so many bytes, so that they need not be moved as it grows.
pub fn json_of_about<T: Serialize>(bytes: usize, status: StatusCode, value: &T) -> Answer {
    let mut body = Vec::with_capacity(bytes);
    // Our own types always serialise; were one not to, an empty body is the least harm.
    if serde_json::to_writer(&mut body, value).is_err() {
        body.clear();
    }
    whole(status, JSON, body.into())
}

/// An answer with a whole body.
pub fn whole(status: StatusCode, media_type: HeaderValue, bytes: Bytes) -> Answer {
    let mut answer = Response::new(Body::Whole(Full::new(bytes)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, media_type);
    answer
}

/// Reads a JSON body: as [`read_body`] does, and 400 with the field's name where it does not fit.
pub async fn read_json<T: DeserializeOwned>(
    request: Incoming,
    limits: &Limits,
) -> error::Result<T> {
    parse(&read_body(request, limits, "application/json").await?)
}

/// Reads a body: 415 where it says it is something else than `media_type`, 413 where it is too
/// large, 408 where it does not arrive in time.
pub async fn read_body(
    request: Incoming,
    limits: &Limits,
    media_type: &str,
) -> error::Result<Bytes> {
    check_media_type(request.headers().get(CONTENT_TYPE), media_type)?;
    let body = Limited::new(request.into_body(), limits.body_bytes).collect();
    match timeout(Duration::from_secs(limits.body_seconds), body).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let text = format!("the body is larger than {} bytes", limits.body_bytes);
            Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, text))
        }
        Ok(Err(error)) => Err(Refusal::bad(format!("the body broke off: {error}"))),
        Err(_) => {
            let text = format!("the body did not arrive within {} s", limits.body_seconds);
            Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, text))
        }
    }
}

/// Parses JSON; only where that fails is it read again, slower, to name the field.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> error::Result<T> {
    serde_json::from_slice(bytes).map_err(|_| {
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        match serde_path_to_error::deserialize::<_, T>(&mut reader) {
            Err(error) if names_field(error.path()) => {
                Refusal::bad(format!("`{}`: {}", error.path(), error.inner()))
            }
            Err(error) => Refusal::bad(format!("the body does not fit: {}", error.inner())),
            Ok(_) => Refusal::bad("the body goes on after its JSON value"),
        }
    })
}

/// Whether the place of an error is a field, and not the whole body or somewhere unreadable.
fn names_field(path: &serde_path_to_error::Path) -> bool {
    use serde_path_to_error::Segment;
    path.iter().any(|segment| !matches!(segment, Segment::Unknown))
}

fn check_media_type(given: Option<&HeaderValue>, wanted: &str) -> error::Result<()> {
    let essence = given.and_then(|value| value.to_str().ok()?.split(';').next());
    if essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(wanted)) {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        format!("the body must be JSON; send it with `Content-Type: {wanted}`"),
    ))
}
