//! `GET /api/media/{media}`: serves a file so that a browser runs no code in it.

use super::range::{ByteRange, wanted};
use super::{hash_of, name_in, no_media};
use crate::clock::now;
use crate::health;
use crate::media::Hash;
use crate::media::sniff::{FileType, is_inline, served};
use crate::server::assets::is_known;
use crate::server::blocking::on_thread;
use crate::server::body::{Body, Broken, HttpResponse};
use crate::server::context::ServerContext;
use crate::server::error::{ErrorResponse, Result};
use crate::server::lifetime::Lifetime;
use crate::server::operation::Call;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_RANGE,
    RANGE,
};
use hyper::{Method, Response, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Bytes that are read and sent at a time.
const PIECE_BYTES: u64 = 64 << 10;

/// A browser that shows a file directly runs nothing in it and loads nothing for it.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; \
    media-src 'self'; sandbox; frame-ancestors 'none'";

/// The bytes never change, and only this client may cache them.
pub(super) const CACHING: &str = "private, max-age=31536000, immutable";

/// Characters of a name that are not encoded (RFC 8187, section 3.2.1).
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');

/// The path at which implementations of platforms fetch files with a signature.
pub const SIGNED: &str = "/media/{media}";

/// `GET /api/media/{media}`
pub async fn serve(call: Call<'_>) -> Result<HttpResponse> {
    let hash = hash_of(call.parameters.get("media").unwrap_or_default())?;
    file(call, hash).await
}

/// `GET /media/{media}?until=&sig=`
pub async fn serve_signed(call: Call<'_>) -> Result<HttpResponse> {
    let hash = hash_of(call.parameters.get("media").unwrap_or_default())?;
    let query = call.request.uri().query().unwrap_or_default();
    let value = |wanted: &str| {
        let mut fields = form_urlencoded::parse(query.as_bytes());
        fields.find(|(name, _)| name == wanted).map(|(_, value)| value)
    };
    let until = value("until").and_then(|until| until.parse().ok()).unwrap_or_default();
    if !call.context.signer.holds(hash, until, &value("sig").unwrap_or_default(), now()) {
        let text = "this address is not valid, or it has expired";
        return Err(ErrorResponse::new(StatusCode::FORBIDDEN, text));
    }
    file(call, hash).await
}

async fn file(call: Call<'_>, hash: Hash) -> Result<HttpResponse> {
    let name = name_in(call.request.uri().query())?;
    let etag = format!("\"{hash}\"");
    let headers = call.request.headers();
    let (file, size, kind) = open(call.context, hash).await?;
    let mut answer = Response::new(Body::default());
    set(&mut answer, ETAG, &etag);
    set(&mut answer, CACHE_CONTROL, CACHING);
    set(&mut answer, CONTENT_SECURITY_POLICY, POLICY);
    if is_known(headers, &etag) {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(answer);
    }
    let part = match wanted(range_of(headers, &etag), size) {
        ByteRange::All => 0..size,
        ByteRange::Part(part) => {
            *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
            let range = format!("bytes {}-{}/{size}", part.start, part.end - 1);
            set(&mut answer, CONTENT_RANGE, &range);
            part
        }
        ByteRange::Nothing => {
            let text = format!("`Range` begins behind the end of the file, which has {size} bytes");
            let error = ErrorResponse::new(StatusCode::RANGE_NOT_SATISFIABLE, text);
            let mut answer = error.into_answer();
            set(&mut answer, CONTENT_RANGE, &format!("bytes */{size}"));
            return Ok(answer);
        }
    };
    set(&mut answer, CONTENT_TYPE, served(kind.mime));
    set(&mut answer, CONTENT_DISPOSITION, &disposition(kind, name.as_deref()));
    set(&mut answer, ACCEPT_RANGES, "bytes");
    set(&mut answer, CONTENT_LENGTH, &(part.end - part.start).to_string());
    if call.request.method() != Method::HEAD {
        let lifetime = Lifetime::new(call.context.stop.clone(), call.granted.revoked.clone());
        *answer.body_mut() = body(call.context.clone(), file, part, lifetime);
    }
    Ok(answer)
}

pub(super) async fn open(context: &ServerContext, hash: Hash) -> Result<(File, u64, FileType)> {
    let blobs = context.blobs.clone();
    let opened = on_thread(move || {
        let (size, kind) = blobs.describe(hash)?;
        Ok((blobs.open_blob(hash)?, size, kind))
    });
    opened.await?.map_err(|error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => no_media(),
        _ => ErrorResponse::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("the file cannot be read: {error}"),
        ),
    })
}

/// The `Range` of a request, unless `If-Range` names other bytes (RFC 9110, section 13.1.5).
fn range_of<'a>(headers: &'a HeaderMap, etag: &str) -> Option<&'a str> {
    let is_other = headers.get(IF_RANGE).is_some_and(|known| known != etag);
    let range = headers.get(RANGE).filter(|_| !is_other)?;
    range.to_str().ok()
}

/// Whether a browser shows or saves the file, and its name (RFC 6266).
fn disposition(kind: FileType, name: Option<&str>) -> String {
    let place = if is_inline(kind.mime) { "inline" } else { "attachment" };
    match name {
        Some(name) => format!("{place}; filename*=UTF-8''{}", utf8_percent_encode(name, NAME)),
        None => place.to_owned(),
    }
}

pub(super) fn set(answer: &mut HttpResponse, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

/// A file that is being sent.
struct FileStream {
    context: Arc<ServerContext>,
    file: File,
    left: Range<u64>,
    lifetime: Lifetime,
}

fn body(context: Arc<ServerContext>, file: File, part: Range<u64>, lifetime: Lifetime) -> Body {
    let sending = FileStream { context, file, left: part, lifetime };
    let frames = stream::try_unfold(sending, |sending| async {
        if sending.left.is_empty() {
            return Ok::<_, Broken>(None);
        }
        let lifetime = sending.lifetime.clone();
        let next = lifetime.run(sending.next()).await;
        let (piece, rest) = next.map_err(|ended| format!("it ended early: {ended:?}"))??;
        Ok(Some((Frame::data(piece), rest)))
    });
    Body::Stream(StreamBody::new(frames).boxed_unsync())
}

impl FileStream {
    /// The next piece, once there is memory for it.
    async fn next(mut self) -> std::result::Result<(Bytes, Self), Broken> {
        let length = PIECE_BYTES.min(self.left.end - self.left.start) as usize;
        let limit = Duration::from_secs(self.context.config.limits.answer_seconds);
        let reservation = self.context.memory.reserve_within(limit, length).await;
        let reservation = reservation.ok_or("there is no memory for the rest of the file")?;
        let read = health::blocking("reading of media", move || {
            let mut bytes = vec![0; length];
            self.file.seek(SeekFrom::Start(self.left.start))?;
            self.file.read_exact(&mut bytes)?;
            self.left.start += length as u64;
            Ok::<_, io::Error>((reservation.hold(bytes), self))
        });
        Ok(read.await??)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_so_that_nothing_of_it_is_read_as_a_header() {
        let kind = FileType { mime: "application/pdf", size: None };
        let name = disposition(kind, Some("季\"; x=\r\n.pdf"));
        assert_eq!(name, "attachment; filename*=UTF-8''%E5%AD%A3%22%3B%20x%3D%0D%0A.pdf");
        let kind = FileType { mime: "image/png", size: None };
        assert_eq!(disposition(kind, None), "inline");
    }
}
