//! Bodies of requests, read within their limits.

use super::context::{Incoming, ServerContext};
use super::error::{ErrorResponse, Result};
use super::limit::RETRY_AFTER;
use crate::protocol::json::{from_slice_lenient, repair};
use crate::text::error_of_json;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// The longest time for a body to arrive after the server was told to stop.
const STOP_BODY_TIMEOUT: Duration = Duration::from_millis(500);

/// Bytes of a refused body that are still read, and the time for it. Many clients read the answer
/// only after they have sent the whole body, and lose it if the connection is closed before.
const DISCARDED_BYTES: usize = 64 << 20;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(5);

/// Reads a JSON body like [`read_body`]; 400 with the field's name if it does not fit.
pub async fn read_json<T: DeserializeOwned>(
    context: &ServerContext,
    request: Incoming,
) -> Result<T> {
    parse(&read_body(context, request, "application/json").await?)
}

/// Reads a body.
///
/// # Errors
/// 415 where it says it is something else than `media_type`, 413 where it is too large, 408 where
/// it does not arrive in time, 503 where there is no memory for it or the server stops.
pub async fn read_body(
    context: &ServerContext,
    request: Incoming,
    media_type: &str,
) -> Result<Bytes> {
    check_media_type(request.headers().get(CONTENT_TYPE), media_type)?;
    read_up_to(context, request, context.config.limits.body_bytes).await
}

/// Reads a body of any media type like [`read_body`], with another limit in bytes.
pub async fn read_up_to(
    context: &ServerContext,
    request: Incoming,
    max_bytes: usize,
) -> Result<Bytes> {
    let limit = Duration::from_secs(context.config.limits.body_seconds);
    let stopping = async {
        context.stop.cancelled().await;
        sleep(STOP_BODY_TIMEOUT).await;
    };
    tokio::select! {
        // Most bodies came with the head.
        biased;
        read = timeout(limit, collect(context, request, max_bytes)) => read.unwrap_or_else(|_| {
            let text = format!("the body did not arrive within {} s", limit.as_secs());
            Err(ErrorResponse::new(StatusCode::REQUEST_TIMEOUT, text))
        }),
        () = stopping => {
            let text = "the server is stopping; the body did not arrive in time";
            Err(ErrorResponse::unavailable(text, RETRY_AFTER))
        }
    }
}

async fn collect(context: &ServerContext, request: Incoming, limit: usize) -> Result<Bytes> {
    let (mut body, mut collected, mut reservation) = (request.into_body(), BytesMut::new(), None);
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|error| ErrorResponse::bad_request(format!("the body broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if collected.len() + data.len() > limit {
            let text = format!("the body is larger than {limit} bytes");
            discard(context, &mut body).await;
            return Err(ErrorResponse::new(StatusCode::PAYLOAD_TOO_LARGE, text));
        }
        let more = context.memory.reserve_received(data.len())?;
        match &mut reservation {
            None => reservation = Some(more),
            Some(reservation) => reservation.merge(more),
        }
        collected.extend_from_slice(&data);
    }
    Ok(match reservation {
        Some(reservation) => reservation.hold(collected.freeze()),
        None => Bytes::new(),
    })
}

/// Reads the rest of a refused body.
pub async fn discard(context: &ServerContext, body: &mut hyper::body::Incoming) {
    let rest = async {
        let mut taken = 0;
        while taken < DISCARDED_BYTES
            && let Some(Ok(frame)) = body.frame().await
        {
            taken += frame.data_ref().map_or(0, Bytes::len);
        }
    };
    // It makes no difference to the answer whether the body came to its end.
    let _ = context.stop.run_until_cancelled(timeout(DISCARD_TIMEOUT, rest)).await;
}

/// Parses JSON leniently. Only if that fails, it is read again, more slowly, to find the name of
/// the field.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    // Serde would also accept the fields of an object as an array.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(ErrorResponse::bad_request("the body is not valid: it must be a JSON object"));
    }
    from_slice_lenient(bytes).map_err(|_| {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let begin = error.valid_up_to();
                let text = format!("the body is not valid: it is no UTF-8 from byte {begin} on");
                return ErrorResponse::bad_request(text);
            }
        };
        let repaired = repair(text);
        let mut reader = serde_json::Deserializer::from_str(&repaired);
        match serde_path_to_error::deserialize::<_, T>(&mut reader) {
            Err(error) if names_field(error.path()) => {
                let text = error_of_json(error.inner());
                ErrorResponse::bad_request(format!("`{}`: {text}", error.path()))
            }
            Err(error) => {
                let text = error_of_json(error.inner());
                ErrorResponse::bad_request(format!("the body is not valid: {text}"))
            }
            Ok(_) => ErrorResponse::bad_request("the body goes on after its JSON value"),
        }
    })
}

/// Whether the path of an error names a field, and not the whole body or an unreadable place.
fn names_field(path: &serde_path_to_error::Path) -> bool {
    use serde_path_to_error::Segment;
    path.iter().any(|segment| !matches!(segment, Segment::Unknown))
}

/// 415 if a body has another media type than `wanted`, or none.
pub fn check_media_type(given: Option<&HeaderValue>, wanted: &str) -> Result<()> {
    let essence = given.and_then(|value| value.to_str().ok()?.split(';').next());
    if essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(wanted)) {
        return Ok(());
    }
    let what =
        if wanted.contains("json") { "the body must be JSON; send it" } else { "send the body" };
    let text = format!("{what} with `Content-Type: {wanted}`");
    Err(ErrorResponse::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_cannot_be_read_is_told_with_what_is_wrong() {
        let refused = |body: &[u8]| match parse::<Vec<u8>>(body) {
            Err(why) => why.text().to_owned(),
            Ok(_) => panic!("it is taken"),
        };
        assert!(refused(b"[1]").contains("must be a JSON object"));
        assert!(refused(b"{\"content\": \"\xff\"}").contains("no UTF-8 from byte 13 on"));
        assert!(refused(b"{} {}").contains("the body is not valid"));
    }
}
