//! `GET /api/media/{media}/address`: an address that works without a token, because browsers send
//! none when they load pictures and videos.

use super::{hash_of, no_media};
use crate::clock::now;
use crate::media::BlobRefused;
use crate::protocol::http::MediaAddress;
use crate::server::blocking::on_thread;
use crate::server::body::{HttpResponse, json};
use crate::server::error::Result;
use crate::server::operation::Call;
use hyper::StatusCode;

/// `GET /api/media/{media}/address`
pub async fn address(call: Call<'_>) -> Result<HttpResponse> {
    let hash = hash_of(call.parameters.get("media").unwrap_or_default())?;
    let blobs = call.context.blobs.clone();
    let found = on_thread(move || blobs.find(hash)).await?.map_err(BlobRefused::from)?;
    found.ok_or_else(no_media)?;
    let (until, signature) = call.context.signer.signature_at(hash, now());
    // Relative, because a proxy may serve rechat below a prefix.
    let path = format!("media/{hash}?until={until}&sig={signature}");
    Ok(json(StatusCode::OK, &MediaAddress { path, until }))
}
