//! Routes of media.

use super::route::{ADMIN, READ, Route, SEND};
use super::schema::{count, file_name, hash, id};
use crate::model::message::Message;
use crate::protocol::http::{MediaList, MediaRemoved, Uploaded};
use crate::server::media;
use crate::server::operation::{Credentials, Operation};
use hyper::{Method, StatusCode};
use serde_json::json;

pub(super) fn routes() -> [Route; 5] {
    [
        Route::new("/api/messages/{id}/media", [fetch_media()]),
        Route::new("/api/media", [list_media(), upload()]),
        Route::new("/api/media/{media}", [serve(), remove_media()]),
        Route::new("/api/media/{media}/thumbnail", [thumbnail()]),
        Route::new(media::SIGNED, [serve_signed()]),
    ]
}

fn fetch_media() -> Operation {
    Operation::of(Method::POST, SEND, |call| Box::pin(media::fetch(call))).described(|d| {
        d.named("fetch_media", "Fetch what is not here of a message's pictures, sounds and files")
            .path("id", &id(), "The message's ID")
            .answers::<Message>(StatusCode::OK, "The message; all its media are here")
            .error(404, "There is no such message")
            .error(409, "The message has none, or the platform tells no address of them")
            .error(502, "The platform's host refuses them, or sends something else")
            .error(507, "There is no room for more media")
    })
}

fn list_media() -> Operation {
    Operation::get(READ, |call| Box::pin(media::list(call))).described(|d| {
        d.named("list_media", "The media that are kept, the newest first")
            .query("limit", &count(), "At most so many: 100, and no more than 1000")
            .answers::<MediaList>(StatusCode::OK, "The newest media, and how much there is in all")
            .error(400, "`limit` is no number")
    })
}

fn upload() -> Operation {
    Operation::of(Method::POST, SEND, |call| Box::pin(media::upload(call))).described(|d| {
        d.named("upload_media", "Keep a file, which segments then name by its `media`")
            .query("name", &file_name(), "The file's name")
            .takes_text("application/octet-stream")
            .answers::<Uploaded>(StatusCode::CREATED, "The file is kept; the same bytes are one")
            .error(400, "The file is empty, or `name` is no name")
            .error(507, "There is no room for more media")
    })
}

fn serve() -> Operation {
    Operation::get(READ, |call| Box::pin(media::serve(call))).described(|d| {
        d.named("get_media", "A file, or a part of it by `Range`")
            .path("media", &hash(), "Its SHA-256 in hex")
            .query("name", &file_name(), "The name to save it under")
            .answers_text(&["*/*"], "The file")
            .error(400, "`name` is no name")
            .error(404, "There is no such file")
            .error(416, "`Range` begins behind the end of the file")
    })
}

fn thumbnail() -> Operation {
    Operation::get(READ, |call| Box::pin(media::small(call))).described(|d| {
        d.named("get_thumbnail", "A picture, at most 320 pixels wide and high")
            .path("media", &hash(), "Its SHA-256 in hex")
            .answers_text(&["image/webp"], "The small picture")
            .error(404, "There is no such file")
            .error(409, "It is no picture that can be read, or too large a one")
    })
}

fn serve_signed() -> Operation {
    Operation::get(Credentials::Open, |call| Box::pin(media::serve_signed(call))).described(|d| {
        d.named("get_signed_media", "A file, by an address that was given to an implementation")
            .path("media", &hash(), "Its SHA-256 in hex")
            .query("until", &count(), "Unix seconds until which the address holds")
            .query("sig", &json!({"type": "string"}), "The signature")
            .answers_text(&["*/*"], "The file")
            .error(403, "The address does not hold, or not any more")
            .error(404, "There is no such file")
            .error(416, "`Range` begins behind the end of the file")
    })
}

fn remove_media() -> Operation {
    Operation::of(Method::DELETE, ADMIN, |call| Box::pin(media::remove(call))).described(|d| {
        d.named("remove_media", "Remove a file, and take it out of the messages that have it")
            .path("media", &hash(), "Its SHA-256 in hex")
            .answers::<MediaRemoved>(StatusCode::OK, "It is gone")
            .error(404, "There is no such file")
            .error(409, "A message was made of it just now")
    })
}
