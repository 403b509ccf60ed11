//! `/api/uploads`: uploads in parts that can be continued after a broken connection, with the
//! protocol tus 1.0 (<https://tus.io/protocols/resumable-upload>, with creation, expiration and
//! termination).

use super::checked_name;
use super::received::{PIECE_BYTES, UploadPermit};
use super::slow_transfer::SlowTransferLimit;
use super::upload::next;
use crate::media::Hash;
use crate::media::partial::{MAX_UPLOADS, Partial, PartialWriting, UploadProblem};
use crate::protocol::http::{
    TUS_RESUMABLE, TUS_VERSION, UPLOAD_LENGTH, UPLOAD_METADATA, UPLOAD_OFFSET, UPLOAD_PART,
    UploadState,
};
use crate::server::blocking::{on_thread, on_thread_with};
use crate::server::body::{Body, HttpResponse, json};
use crate::server::context::ServerContext;
use crate::server::error::{ErrorResponse, Result};
use crate::server::limit::RETRY_AFTER;
use crate::server::operation::Call;
use crate::server::request::{check_media_type, discard};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use hyper::{Response, StatusCode};
use std::sync::Arc;
use uuid::Uuid;

/// The supported versions and extensions, and the largest file.
const TUS_VERSIONS: HeaderName = HeaderName::from_static("tus-version");
const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
const EXTENSIONS: HeaderValue = HeaderValue::from_static("creation,expiration,termination");

/// Time after which an upload may be removed (tus 1.0, expiration).
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");

impl From<UploadProblem> for ErrorResponse {
    fn from(problem: UploadProblem) -> Self {
        let (status, text, code) = match problem {
            UploadProblem::Refused(refused) => return refused.into(),
            UploadProblem::NotFound => {
                (StatusCode::NOT_FOUND, "there is no such upload here".to_owned(), "no_upload")
            }
            UploadProblem::Busy => {
                let text = "another request is writing this upload; ask for its offset with HEAD and continue there";
                (StatusCode::LOCKED, text.to_owned(), "busy")
            }
            UploadProblem::WrongOffset { offset } => {
                let text = format!("the upload goes on at `Upload-Offset: {offset}`");
                return Self::new(StatusCode::CONFLICT, text)
                    .named(Some("wrong_offset"))
                    .with(UPLOAD_OFFSET, offset.into());
            }
            UploadProblem::TooLong { length } => {
                let text = format!("the upload has more than the declared {length} bytes");
                (StatusCode::PAYLOAD_TOO_LARGE, text, "too_large")
            }
            UploadProblem::OtherBytes => {
                let text = "the file is not the one whose SHA-256 was told; begin anew";
                (StatusCode::UNPROCESSABLE_ENTITY, text.to_owned(), "other_bytes")
            }
            UploadProblem::TooMany => {
                let text = format!(
                    "{MAX_UPLOADS} uploads are unfinished; finish or delete one, or try again later"
                );
                return Self::too_many_requests(text, RETRY_AFTER);
            }
        };
        Self::new(status, text).named(Some(code))
    }
}

/// `OPTIONS /api/uploads`: the supported versions and extensions.
pub fn options(call: &Call<'_>) -> HttpResponse {
    let mut answer = empty(StatusCode::NO_CONTENT);
    let headers = answer.headers_mut();
    headers.insert(TUS_VERSIONS, TUS_VERSION);
    headers.insert(TUS_EXTENSION, EXTENSIONS);
    headers.insert(TUS_MAX_SIZE, call.context.blobs.bounds().max_bytes.into());
    answer
}

/// `POST /api/uploads`: begins an upload, or finds an unfinished one of the same file.
pub async fn begin(call: Call<'_>) -> Result<HttpResponse> {
    let headers = call.request.headers();
    check_version(headers)?;
    let length = number(headers, &UPLOAD_LENGTH)?;
    let (name, sha256) = metadata(headers)?;
    let partials = call.context.partials.clone();
    let partial = on_thread(move || partials.begin(length, name, sha256)).await??;
    let mut answer = json(StatusCode::CREATED, &state_of(&partial));
    put_state(&mut answer, &partial);
    // Relative to the path of the request, because a proxy may serve rechat below a prefix.
    let place = HeaderValue::from_str(&format!("uploads/{}", partial.id));
    answer.headers_mut().extend(place.ok().map(|place| (LOCATION, place)));
    Ok(answer)
}

/// `GET /api/uploads/{id}`, and `HEAD`: the state of an upload.
pub async fn state(call: Call<'_>) -> Result<HttpResponse> {
    check_version(call.request.headers())?;
    let (id, partials) = (id_of(&call)?, call.context.partials.clone());
    let found = on_thread(move || partials.find(id)).await?.map_err(UploadProblem::from)?;
    let partial = found.ok_or(UploadProblem::NotFound)?;
    let mut answer = json(StatusCode::OK, &state_of(&partial));
    put_state(&mut answer, &partial);
    Ok(answer)
}

/// `PATCH /api/uploads/{id}`: the next bytes. Bytes that arrived are kept, even if the request
/// fails.
pub async fn append(call: Call<'_>) -> Result<HttpResponse> {
    let context = call.context;
    let id = id_of(&call)?;
    let headers = call.request.headers();
    check_version(headers)?;
    check_media_type(headers.get(CONTENT_TYPE), UPLOAD_PART)?;
    let offset = number(headers, &UPLOAD_OFFSET)?;
    let mut body = call.request.into_body();
    let received = receive(context, id, offset, &mut body).await;
    if received.is_err() {
        discard(context, &mut body).await;
    }
    let partial = received?;
    let mut answer = empty(StatusCode::NO_CONTENT);
    put_state(&mut answer, &partial);
    Ok(answer)
}

/// `DELETE /api/uploads/{id}`: removes an upload.
pub async fn give_up(call: Call<'_>) -> Result<HttpResponse> {
    check_version(call.request.headers())?;
    let (id, partials) = (id_of(&call)?, call.context.partials.clone());
    on_thread(move || partials.remove(id)).await??;
    Ok(empty(StatusCode::NO_CONTENT))
}

async fn receive(
    context: &ServerContext,
    id: Uuid,
    offset: u64,
    body: &mut Incoming,
) -> Result<Partial> {
    let permit: UploadPermit = Arc::new(context.uploads.acquire()?);
    let partials = context.partials.clone();
    let opened = on_thread_with(permit.clone(), move || partials.open(id, offset));
    let mut writing = opened.await??;
    let mut pace = SlowTransferLimit::new(context);
    let mut gathered = Vec::new();
    loop {
        let piece = tokio::select! {
            piece = next(&mut pace, body) => piece,
            () = context.stop.cancelled() => {
                let text = "the server is stopping; go on with the upload afterwards";
                Err(ErrorResponse::unavailable(text, RETRY_AFTER))
            }
        };
        let (is_end, broken) = match piece {
            Ok(Some(bytes)) => {
                gathered.extend_from_slice(&bytes);
                (false, None)
            }
            Ok(None) => (true, None),
            Err(error) => (true, Some(error)),
        };
        if is_end || gathered.len() >= PIECE_BYTES {
            let bytes = std::mem::take(&mut gathered);
            writing = write(&permit, writing, bytes, is_end).await?;
        }
        match broken {
            Some(error) => return Err(error),
            None if is_end => return Ok(on_thread_with(permit, || writing.finish()).await??),
            None => {}
        }
    }
}

/// Writes bytes; after the last ones it syncs, so that they survive a power cut.
async fn write(
    permit: &UploadPermit,
    mut writing: PartialWriting,
    bytes: Vec<u8>,
    are_last: bool,
) -> Result<PartialWriting> {
    let written = on_thread_with(permit.clone(), move || {
        let written = writing.write(&bytes);
        if written.is_err() || are_last {
            writing.checkpoint()?;
        }
        written.map(|()| writing)
    });
    Ok(written.await??)
}

fn id_of(call: &Call<'_>) -> Result<Uuid> {
    let id = call.parameters.get("id").unwrap_or_default().parse();
    id.map_err(|_| UploadProblem::NotFound.into())
}

/// If the client names a version, it must be the supported one (tus 1.0, `Tus-Resumable`).
fn check_version(headers: &HeaderMap) -> Result<()> {
    if headers.get(&TUS_RESUMABLE).is_none_or(|version| version == TUS_VERSION) {
        return Ok(());
    }
    let text = "`Tus-Resumable` must be 1.0.0, the only version that is spoken here";
    Err(ErrorResponse::new(StatusCode::PRECONDITION_FAILED, text).with(TUS_VERSIONS, TUS_VERSION))
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<u64> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    let is_number =
        |value: &&str| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let number = value.filter(is_number).and_then(|value| value.parse().ok());
    number.ok_or_else(|| {
        ErrorResponse::bad_request(format!("the header `{name}` must be a number of bytes"))
    })
}

/// The name and the SHA-256 of the file from `Upload-Metadata` (tus 1.0, creation): pairs of a key
/// and a value in base64. Other keys and invalid names are ignored.
fn metadata(headers: &HeaderMap) -> Result<(Option<String>, Option<Hash>)> {
    let wrong = |text: &str| ErrorResponse::bad_request(format!("`Upload-Metadata`: {text}"));
    let (mut name, mut sha256) = (None, None);
    let value = headers.get(&UPLOAD_METADATA).map(HeaderValue::to_str).transpose();
    let value = value.map_err(|_| wrong("it is no ASCII"))?.unwrap_or_default();
    for pair in value.split(',') {
        let (key, value) = pair.trim().split_once(' ').unwrap_or((pair.trim(), ""));
        let decoded = || {
            let bytes = STANDARD.decode(value.trim()).ok();
            let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            text.ok_or_else(|| wrong(&format!("the value of `{key}` is no text in base64")))
        };
        match key {
            "filename" => name = decoded().and_then(|name| checked_name(&name)).ok(),
            "sha256" => sha256 = Some(decoded()?.parse().map_err(|why: String| wrong(&why))?),
            _ => {}
        }
    }
    Ok((name, sha256))
}

fn state_of(partial: &Partial) -> UploadState {
    let Partial { id, name, length, offset, media, mime, .. } = partial.clone();
    UploadState { id, name, length, offset, media, mime, expires_at: partial.expires_at() }
}

fn empty(status: StatusCode) -> HttpResponse {
    let mut answer = Response::new(Body::default());
    *answer.status_mut() = status;
    answer.headers_mut().insert(TUS_RESUMABLE, TUS_VERSION);
    answer
}

fn put_state(answer: &mut HttpResponse, partial: &Partial) {
    let headers = answer.headers_mut();
    headers.insert(TUS_RESUMABLE, TUS_VERSION);
    headers.insert(UPLOAD_OFFSET, partial.offset.into());
    headers.insert(UPLOAD_LENGTH, partial.length.into());
    let until = i64::try_from(partial.expires_at()).ok();
    let until = until.and_then(|until| jiff::Timestamp::from_second(until).ok());
    let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
    let until = until.and_then(|until| printer.timestamp_to_rfc9110_string(&until).ok());
    if let Some(until) = until.and_then(|until| until.parse().ok()) {
        headers.insert(UPLOAD_EXPIRES, until);
    }
}
