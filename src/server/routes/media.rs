//! Routes of media.

use super::route::{ADMIN, READ, Route, SEND};
use super::schema::{count, file_bytes, file_name, hash, id, metadata};
use crate::model::message::Message;
use crate::protocol::http::{
    MediaAddress, MediaList, MediaRemoved, UPLOAD_PART, UploadState, Uploaded,
};
use crate::server::media;
use crate::server::operation::{Credentials, Operation};
use hyper::{Method, StatusCode};
use serde_json::json;

pub(super) fn routes() -> [Route; 8] {
    [
        Route::new("/api/messages/{id}/media", [fetch_media()]),
        Route::new("/api/media", [list_media(), upload()]),
        Route::new("/api/media/{media}", [serve(), remove_media()]),
        Route::new("/api/media/{media}/thumbnail", [thumbnail()]),
        Route::new("/api/media/{media}/address", [address()]),
        Route::new("/api/uploads", [begin_upload(), upload_options()]),
        Route::new("/api/uploads/{id}", [upload_state(), append_upload(), remove_upload()]),
        Route::new(media::SIGNED, [serve_signed()]),
    ]
}

fn fetch_media() -> Operation {
    Operation::of(Method::POST, SEND, |call| Box::pin(media::fetch(call))).by_leader().described(
        |d| {
            d.named(
                "fetch_media",
                "Fetch what is not here of a message's pictures, sounds and files",
            )
            .path("id", &id(), "The message's ID")
            .answers::<Message>(StatusCode::OK, "The message; all its media are here")
            .error(404, "There is no such message")
            .error(409, "The message has none, or the platform tells no address of them")
            .error(502, "The platform's host refuses them, or sends something else")
            .error(507, "There is no room for more media")
        },
    )
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
    Operation::of(Method::DELETE, ADMIN, |call| Box::pin(media::remove(call)))
        .by_leader()
        .described(|d| {
            d.named("remove_media", "Remove a file, and take it out of the messages that have it")
                .path("media", &hash(), "Its SHA-256 in hex")
                .answers::<MediaRemoved>(StatusCode::OK, "It is gone")
                .error(404, "There is no such file")
                .error(409, "A message was made of it just now")
        })
}

fn address() -> Operation {
    Operation::get(READ, |call| Box::pin(media::address(call))).described(|d| {
        d.named("get_media_address", "An address of a file that holds for an hour without a token")
            .path("media", &hash(), "Its SHA-256 in hex")
            .answers::<MediaAddress>(StatusCode::OK, "The address; it ends with the server, too")
            .error(404, "There is no such file")
    })
}

fn begin_upload() -> Operation {
    Operation::of(Method::POST, SEND, |call| Box::pin(media::begin(call))).described(|d| {
        d.named("begin_upload", "Begin an upload that goes on after a break (tus 1.0)")
            .needs_header("Upload-Length", &file_bytes(), "Bytes of the file")
            .header("Upload-Metadata", &metadata(), "`filename` and `sha256`, each in base64")
            .answers::<UploadState>(StatusCode::CREATED, "Where it goes on; `Location` names it")
            .error(400, "The file is empty, or a header field is missing or wrong")
            .error(412, "`Tus-Resumable` is another version")
            .error(413, "The file is too large")
            .error(507, "There is no room for more media")
    })
}

fn upload_options() -> Operation {
    Operation::of(Method::OPTIONS, SEND, |call| {
        Box::pin(std::future::ready(Ok(media::options(&call))))
    })
    .described(|d| {
        d.named("upload_options", "Which version and extensions of tus are spoken")
            .answers_nothing("`Tus-Version`, `Tus-Extension` and `Tus-Max-Size` tell")
    })
}

fn upload_state() -> Operation {
    Operation::get(SEND, |call| Box::pin(media::state(call))).described(|d| {
        d.named("get_upload", "How far an upload is")
            .path("id", &id(), "The upload's ID")
            .answers::<UploadState>(StatusCode::OK, "Where it goes on, or the file that it became")
            .error(404, "There is no such upload, or not any more")
            .error(412, "`Tus-Resumable` is another version")
    })
}

fn append_upload() -> Operation {
    Operation::of(Method::PATCH, SEND, |call| Box::pin(media::append(call))).described(|d| {
        d.named("append_upload", "The next bytes of an upload")
            .path("id", &id(), "The upload's ID")
            .needs_header("Upload-Offset", &count(), "Where these bytes belong")
            .takes_text(UPLOAD_PART)
            .answers_nothing("They are here; `Upload-Offset` tells where it goes on")
            .error(404, "There is no such upload, or not any more")
            .error(409, "It goes on at another byte, which `Upload-Offset` tells")
            .error(412, "`Tus-Resumable` is another version")
            .error(422, "The file is not the one whose SHA-256 was told")
            .error(423, "Another request writes it")
            .error(507, "There is no room for more media")
    })
}

fn remove_upload() -> Operation {
    Operation::of(Method::DELETE, SEND, |call| Box::pin(media::give_up(call))).described(|d| {
        d.named("remove_upload", "Give an upload up; a file that it became stays")
            .path("id", &id(), "The upload's ID")
            .answers_nothing("It is gone")
            .error(404, "There is no such upload, or not any more")
            .error(412, "`Tus-Resumable` is another version")
            .error(423, "A request writes it")
    })
}
