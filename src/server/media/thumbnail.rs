//! `GET /api/media/{media}/thumbnail`: a small version of a picture.

use super::hash_of;
use super::serve::{CACHING, POLICY, open, set};
use crate::media::thumbnail::thumbnail;
use crate::server::assets::is_known;
use crate::server::blocking::on_thread_with;
use crate::server::body::{Body, HttpResponse, whole};
use crate::server::error::{ErrorResponse, Result};
use crate::server::operation::Call;
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, HeaderValue};
use hyper::{Response, StatusCode};
use tokio::sync::Semaphore;

/// Thumbnails that are made at the same time; further ones wait.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// `GET /api/media/{media}/thumbnail`
pub async fn small(call: Call<'_>) -> Result<HttpResponse> {
    let hash = hash_of(call.parameters.get("media").unwrap_or_default())?;
    let etag = format!("\"{hash}-small\"");
    let (file, _, _) = open(call.context, hash).await?;
    let mut answer = if is_known(call.request.headers(), &etag) {
        let mut answer = Response::new(Body::default());
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        answer
    } else {
        let permit = AT_ONCE.acquire().await;
        let made = on_thread_with(permit, move || thumbnail(file)).await?;
        let webp = made.map_err(|why| {
            let text = format!("no small picture can be made of it: {why}");
            ErrorResponse::new(StatusCode::CONFLICT, text).named(Some("unsupported"))
        })?;
        whole(StatusCode::OK, HeaderValue::from_static("image/webp"), webp.into())
    };
    set(&mut answer, ETAG, &etag);
    set(&mut answer, CACHE_CONTROL, CACHING);
    set(&mut answer, CONTENT_SECURITY_POLICY, POLICY);
    Ok(answer)
}
