//! `POST /api/media`: stores an uploaded file.

use super::name_in;
use super::received::ReceivedFile;
use super::slow_transfer::SlowTransferLimit;
use crate::media::BlobRefused;
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
use std::sync::Arc;

/// `POST /api/media`: stores the body; the same bytes are stored only once.
pub async fn upload(call: Call<'_>) -> Result<HttpResponse> {
    let context = call.context;
    let name = name_in(call.request.uri().query())?;
    let mut body = call.request.into_body();
    let received = tokio::select! {
        received = receive(context, &mut body) => received,
        () = context.stop.cancelled() => {
            let text = "the server is stopping; the file did not arrive in time";
            Err(ErrorResponse::unavailable(text, RETRY_AFTER))
        }
    };
    if received.is_err() {
        discard(context, &mut body).await;
    }
    let (stored, kind) = received?.finish().await?;
    let (media, mime) = (stored.hash.to_string(), kind.mime.to_owned());
    Ok(json(StatusCode::CREATED, &Uploaded { media, name, mime, size: stored.size }))
}

async fn receive(context: &ServerContext, body: &mut Incoming) -> Result<ReceivedFile> {
    let max_bytes = context.blobs.bounds().max_bytes;
    if body.size_hint().lower() > max_bytes {
        return Err(BlobRefused::TooLarge { max_bytes }.into());
    }
    let permit = Arc::new(context.uploads.acquire()?);
    let mut file = ReceivedFile::begin(context, permit).await?;
    let mut pace = SlowTransferLimit::new(context);
    while let Some(bytes) = next(&mut pace, body).await? {
        file = file.add(&bytes).await?;
    }
    Ok(file)
}

/// The next bytes of a body; `None` at its end.
pub(super) async fn next(
    pace: &mut SlowTransferLimit,
    body: &mut Incoming,
) -> Result<Option<Bytes>> {
    loop {
        let Some(frame) = pace.wait(body.frame()).await? else { return Ok(None) };
        let broken = |error| ErrorResponse::bad_request(format!("the body broke off: {error}"));
        if let Ok(bytes) = frame.map_err(broken)?.into_data() {
            pace.count(bytes.len());
            return Ok(Some(bytes));
        }
    }
}
