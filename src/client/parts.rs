//! Uploads of files in parts, so that a broken connection costs at most one part (tus 1.0).
//!
//! The server finds an upload that was broken off by the file's SHA-256, so that another process can
//! go on with it, and nothing has to be remembered here.

use super::body::FileBody;
use super::connection::ClientConnection;
use super::opening::NotOpened;
use crate::error::{Error, Result};
use crate::media::Hash;
use crate::protocol::http::{
    TUS_RESUMABLE, TUS_VERSION, UPLOAD_LENGTH, UPLOAD_METADATA, UPLOAD_OFFSET, UPLOAD_PART,
    UploadState, Uploaded,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::Either;
use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::sleep;
use uuid::Uuid;

/// Size of a part, and size from which a file is uploaded in parts.
pub(super) const PART_BYTES: u64 = 8 << 20;

/// Pauses before further attempts of a part; after a part that arrived they begin again.
const PAUSES: [Duration; 6] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
];

/// A file that is uploaded in parts.
struct FileParts {
    file: File,
    length: u64,
    told: Arc<Mutex<UploadProgress>>,
}

/// Progress of an upload, and a function that is called with it. Bytes that are sent twice count
/// once.
struct UploadProgress {
    furthest: u64,
    told: Box<dyn FnMut(u64) + Send>,
}

impl UploadProgress {
    fn reach(&mut self, position: u64) {
        if position > self.furthest {
            (self.told)(position - self.furthest);
            self.furthest = position;
        }
    }
}

/// Uploads a large file, over new connections after broken ones.
pub(super) async fn upload(
    connection: &mut ClientConnection,
    name: Option<&str>,
    file: FileBody,
) -> Result<Uploaded> {
    let hashed = tokio::task::spawn_blocking(move || {
        let (mut file, length, told) = file.into_parts();
        let start = file.stream_position()?;
        let hash = Hash::of(&mut file)?;
        let told = Arc::new(Mutex::new(UploadProgress { furthest: 0, told }));
        Ok::<_, std::io::Error>((FileParts { file, length, told }, start, hash))
    });
    let hashed = hashed.await.map_err(|error| Error::failed(error.to_string()))?;
    let (mut parts, start, hash) = hashed.map_err(|error| cannot_read(&error))?;
    let mut state = begin(connection, name, parts.length, hash).await?;
    let mut failures = 0;
    loop {
        parts.reached(state.offset);
        if let (Some(media), Some(mime)) = (state.media, state.mime) {
            let name = name.map(str::to_owned);
            return Ok(Uploaded { media, name, mime, size: state.length });
        }
        let body = parts.next(start, state.offset).map_err(|error| cannot_read(&error))?;
        let before = state.offset;
        let sent = send(connection, state.id, before, body).await;
        let asked = match sent {
            Ok(()) => ask(connection, state.id).await,
            Err(NotOpened::Refused(error)) => return Err(error),
            Err(NotOpened::Away(error)) => Err(error),
        };
        state = match asked {
            Ok(state) => state,
            Err(error) => go_on(connection, state.id, error, &mut failures).await?,
        };
        if state.offset > before {
            failures = 0;
        }
    }
}

/// Reconnects after a broken connection, and requests the state of the upload. After too many
/// without a new byte, the error is that of the last one.
async fn go_on(
    connection: &mut ClientConnection,
    id: Uuid,
    mut error: Error,
    failures: &mut usize,
) -> Result<UploadState> {
    loop {
        let Some(pause) = PAUSES.get(*failures) else { return Err(error) };
        *failures += 1;
        sleep(*pause).await;
        match connection.reconnected().await {
            Ok(again) => *connection = again,
            Err(away) => {
                error = away;
                continue;
            }
        }
        match ask(connection, id).await {
            Ok(state) => return Ok(state),
            Err(still) => error = still,
        }
    }
}

async fn begin(
    connection: &mut ClientConnection,
    name: Option<&str>,
    length: u64,
    hash: Hash,
) -> Result<UploadState> {
    let mut request = connection.request(Method::POST, "/api/uploads", None::<&()>)?;
    let headers = request.headers_mut();
    headers.insert(TUS_RESUMABLE, TUS_VERSION);
    headers.insert(UPLOAD_LENGTH, length.into());
    let name = name.map(|name| format!("filename {},", STANDARD.encode(name)));
    let metadata =
        format!("{}sha256 {}", name.unwrap_or_default(), STANDARD.encode(hash.to_string()));
    let metadata = metadata.parse().map_err(|_| Error::failed("the name cannot be written"))?;
    headers.insert(UPLOAD_METADATA, metadata);
    connection.upload(request).await
}

async fn send(
    connection: &mut ClientConnection,
    id: Uuid,
    offset: u64,
    body: FileBody,
) -> std::result::Result<(), NotOpened> {
    let request = connection.request(Method::PATCH, &path_of(id), None::<&()>);
    let mut request = request.map_err(NotOpened::Refused)?;
    let headers = request.headers_mut();
    headers.insert(TUS_RESUMABLE, TUS_VERSION);
    headers.insert(UPLOAD_OFFSET, offset.into());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(UPLOAD_PART));
    *request.body_mut() = Either::Right(body);
    connection.part(request).await
}

async fn ask(connection: &mut ClientConnection, id: Uuid) -> Result<UploadState> {
    let state = connection.ask(connection.request(Method::GET, &path_of(id), None::<&()>)?);
    state.await?.ok_or_else(|| Error::failed("the server does not know the upload any more"))
}

fn path_of(id: Uuid) -> String {
    format!("/api/uploads/{id}")
}

impl FileParts {
    /// The part from `offset` on, of a file that begins at `start`.
    fn next(&mut self, start: u64, offset: u64) -> std::io::Result<FileBody> {
        self.file.seek(SeekFrom::Start(start + offset))?;
        let (told, mut position) = (Arc::clone(&self.told), offset);
        let length = PART_BYTES.min(self.length.saturating_sub(offset));
        Ok(FileBody::new(self.file.try_clone()?, length, move |read| {
            position += read;
            told.lock().unwrap_or_else(PoisonError::into_inner).reach(position);
        }))
    }

    fn reached(&self, position: u64) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).reach(position);
    }
}

fn cannot_read(error: &std::io::Error) -> Error {
    Error::failed(format!("the file cannot be read: {error}"))
}
