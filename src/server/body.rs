//! Bodies of answers: whole, or a stream.

use crate::protocol::json_text::append_json;
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Frame, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;
use std::pin::Pin;
use std::task::{self, Poll};

/// Answer of a handler.
pub type HttpResponse = Response<Body>;

/// Reason why a body ended early.
pub type Broken = Box<dyn std::error::Error + Send + Sync>;

/// A body of an answer.
#[derive(Debug)]
pub enum Body {
    /// All bytes; empty once they were taken.
    Whole(Bytes),
    /// Pieces that are produced over time.
    Stream(UnsyncBoxBody<Bytes, Broken>),
}

impl Default for Body {
    fn default() -> Self {
        Self::Whole(Bytes::new())
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
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Stream(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Stream(body) => body.size_hint(),
        }
    }
}

/// The media type of all answers except the page's files.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Capacity for most answers, so that the buffer need not grow.
const USUAL_BYTES: usize = 512;

/// The media type of lines of JSON.
pub const LINES: &str = "application/x-ndjson";

/// An answer with a JSON body.
pub fn json<T: Serialize>(status: StatusCode, value: &T) -> HttpResponse {
    let mut body = Vec::with_capacity(USUAL_BYTES);
    // Our own types always serialise; if one did not, an empty body would do the least harm.
    if append_json(&mut body, value).is_err() {
        body.clear();
    }
    whole(status, JSON, body.into())
}

/// An answer with a whole body.
pub fn whole(status: StatusCode, media_type: HeaderValue, bytes: Bytes) -> HttpResponse {
    let mut answer = Response::new(Body::Whole(bytes));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, media_type);
    answer
}
