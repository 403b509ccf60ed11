//! `POST /api/media`: a file comes in, bit by bit, onto the disk.

use super::{name_in, on_thread};
use crate::media::{BlobRefused, Upload};
use crate::protocol::http::Uploaded;
use crate::server::body::{HttpResponse, json};
use crate::server::context::ServerContext;
use crate::server::error::{ErrorResponse, Result};
use crate::server::limit::RETRY_AFTER;
use crate::server::operation::Call;
use crate::server::request::discard;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::{Body, Incoming};
use std::time::Duration;
use tokio::time::timeout;

/// Bytes gathered before they go to the disk.
pub(super) const PIECE: usize = 256 << 10;

/// How long an upload may take as a whole.
pub(super) const MAX_TIME: Duration = Duration::from_hours(1);

/// `POST /api/media`: keeps the body; the same bytes twice are one.
pub async fn upload(call: Call<'_>) -> Result<HttpResponse> {
    let context = call.context;
    let name = name_in(call.request.uri().query())?;
    let mut body = call.request.into_body();
    let received = tokio::select! {
        received = timeout(MAX_TIME, receive(context, &mut body)) => {
            received.unwrap_or_else(|_| Err(too_slow(MAX_TIME)))
        }
        () = context.stop.cancelled() => {
            let text = "the server is stopping; the file did not arrive in time";
            Err(ErrorResponse::unavailable(text, RETRY_AFTER))
        }
    };
    if received.is_err() {
        discard(context, &mut body).await;
    }
    let upload = received?;
    let mime = upload.kind().mime.to_owned();
    let stored = on_thread(|| upload.finish()).await??;
    let media = stored.hash.to_string();
    Ok(json(StatusCode::CREATED, &Uploaded { media, name, mime, size: stored.size }))
}

async fn receive(context: &ServerContext, body: &mut Incoming) -> Result<Upload> {
    let max_bytes = context.blobs.bounds().max_bytes;
    if body.size_hint().lower() > max_bytes {
        return Err(BlobRefused::TooLarge { max_bytes }.into());
    }
    let _permit = context.uploads.acquire()?;
    let blobs = context.blobs.clone();
    let mut upload = on_thread(move || Upload::begin(&blobs)).await??;
    let mut gathered = Vec::new();
    loop {
        let piece = next(context, body).await?;
        let is_end = piece.is_none();
        gathered.extend_from_slice(&piece.unwrap_or_default());
        if gathered.len() >= PIECE || (is_end && !gathered.is_empty()) {
            let bytes = std::mem::take(&mut gathered);
            upload = on_thread(move || upload.write(&bytes).map(|()| upload)).await??;
        }
        if is_end {
            return Ok(upload);
        }
    }
}

/// The next bytes of a body; `None` at its end.
pub(super) async fn next(context: &ServerContext, body: &mut Incoming) -> Result<Option<Bytes>> {
    let limit = Duration::from_secs(context.config.limits.body_seconds);
    loop {
        let frame = timeout(limit, body.frame()).await.map_err(|_| too_slow(limit))?;
        let Some(frame) = frame else { return Ok(None) };
        let broken = |error| ErrorResponse::bad_request(format!("the body broke off: {error}"));
        if let Ok(bytes) = frame.map_err(broken)?.into_data() {
            return Ok(Some(bytes));
        }
    }
}

pub(super) fn too_slow(limit: Duration) -> ErrorResponse {
    let text = format!("the file did not arrive within {} s", limit.as_secs());
    ErrorResponse::new(StatusCode::REQUEST_TIMEOUT, text)
}
