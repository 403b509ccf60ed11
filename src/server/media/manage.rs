//! The list of media, removing them, and fetching those of a message.

use super::{hash_of, no_media};
use crate::media::failure::FailureKind;
use crate::media::fetch_missing::{has_media, is_complete};
use crate::media::list::newest;
use crate::media::removal::{self, Removal, unsent};
use crate::protocol::http::MediaRemoved;
use crate::server::blocking::on_thread_with;
use crate::server::body::{HttpResponse, json};
use crate::server::error::{ErrorResponse, Result};
use crate::server::limit::RETRY_AFTER;
use crate::server::operation::Call;
use hyper::StatusCode;
use std::io;
use tokio::sync::Semaphore;

/// Default number of media in a list.
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;

/// Lists that are made at the same time, because each reads all files; further ones wait.
static LISTS: Semaphore = Semaphore::const_new(2);

fn cannot_read(error: &io::Error) -> ErrorResponse {
    let text = format!("the folder of media cannot be read: {error}");
    ErrorResponse::new(StatusCode::INTERNAL_SERVER_ERROR, text)
}

/// `GET /api/media`: the newest files, and the totals.
pub async fn list(call: Call<'_>) -> Result<HttpResponse> {
    let query = call.request.uri().query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let limit = match pairs.find(|(name, _)| name == "limit") {
        None => DEFAULT_LIMIT,
        Some((_, text)) => text
            .parse::<usize>()
            .map_err(|_| ErrorResponse::bad_request("`limit` must be a number from 0 on"))?,
    };
    let (store, blobs) = (call.context.store.clone(), call.context.blobs.clone());
    let permit = LISTS.acquire().await;
    let listed = on_thread_with(permit, move || newest(&store, &blobs, limit.min(MAX_LIMIT)));
    let list = listed.await?.map_err(|error| cannot_read(&error))?;
    Ok(json(StatusCode::OK, &list))
}

/// `DELETE /api/media/{media}`: removes a file, and takes it out of its messages.
pub async fn remove(call: Call<'_>) -> Result<HttpResponse> {
    let hash = hash_of(call.parameters.get("media").unwrap_or_default())?;
    let (store, blobs) = (call.context.store.clone(), call.context.blobs.clone());
    match removal::remove(store, blobs, hash).await {
        Ok(Removal::Removed { messages }) => {
            if let Some(cluster) = &call.context.cluster {
                cluster.media.forget(hash).await;
            }
            let messages = messages as u64;
            Ok(json(StatusCode::OK, &MediaRemoved { deleted: true, messages }))
        }
        Ok(Removal::NotFound) => Err(no_media()),
        Ok(Removal::Unsent { messages }) => {
            let text = unsent(messages);
            Err(ErrorResponse::new(StatusCode::CONFLICT, text).named(Some("in_use")))
        }
        Ok(Removal::InUse) => {
            let text = "another message was made of it just now; remove it again";
            Err(ErrorResponse::new(StatusCode::CONFLICT, text).named(Some("in_use")))
        }
        Err(fault) => Err(ErrorResponse::new(StatusCode::INTERNAL_SERVER_ERROR, fault.to_string())),
    }
}

fn stopping() -> ErrorResponse {
    ErrorResponse::unavailable("the server is stopping", RETRY_AFTER)
}

/// `POST /api/messages/{id}/media`: fetches the media of a message that are not stored yet.
pub async fn fetch(call: Call<'_>) -> Result<HttpResponse> {
    let context = call.context;
    let id = call.parameters.get("id").unwrap_or_default().parse();
    let id = id.map_err(|_| ErrorResponse::no_message())?;
    let message = context.store.view()?.by_id(id)?.ok_or_else(ErrorResponse::no_message)?;
    if !has_media(&message.content) {
        let text = "the message has no picture, audio, video or file";
        return Err(ErrorResponse::new(StatusCode::CONFLICT, text).named(Some("unsupported")));
    }
    let permit = tokio::select! {
        permit = context.fetches.clone().acquire_owned() => permit,
        () = context.stop.cancelled() => return Err(stopping()),
    };
    let (completer, stop) = (context.completer.clone(), context.stop.clone());
    // The download goes on and keeps its permit if the client disconnects.
    let fetching = context.tasks.spawn(async move {
        let _permit = permit;
        stop.run_until_cancelled(completer.fetch(message.seq)).await
    });
    let fetched = fetching.await.map_err(|error| {
        ErrorResponse::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    })?;
    if let Err(failure) = fetched.ok_or_else(stopping)? {
        let (status, code) = match failure.kind {
            FailureKind::Here => (StatusCode::INSUFFICIENT_STORAGE, "media_full"),
            FailureKind::Unsupported => (StatusCode::CONFLICT, "unsupported"),
            FailureKind::Lasting | FailureKind::Passing | FailureKind::TooLarge => {
                (StatusCode::BAD_GATEWAY, "not_fetched")
            }
        };
        return Err(ErrorResponse::new(status, failure.to_string()).named(Some(code)));
    }
    let now = context.store.view()?.by_seq(message.seq)?.ok_or_else(ErrorResponse::no_message)?;
    if !is_complete(&now.content) {
        let text = "the platform tells no address of it";
        return Err(ErrorResponse::new(StatusCode::CONFLICT, text).named(Some("unsupported")));
    }
    Ok(json(StatusCode::OK, &now))
}
