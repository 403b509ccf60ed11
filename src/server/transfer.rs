//! `GET /api/export` and `POST /api/import`: messages as lines of JSON; and `POST /api/backup`: a
//! copy of the store.

use super::body::{Body, Broken, HttpResponse, LINES, json};
use super::error::{ErrorResponse, Result};
use super::lifetime::Lifetime;
use super::media;
use super::messages::write;
use super::operation::Call;
use super::peer::Peer;
use super::query::Query;
use super::request::{read_body, read_json};
use crate::health;
use crate::media::copy::copy_all;
use crate::media::folder_beside;
use crate::protocol::http::{Backup, BackupDone, Imported, TransferRecord};
use crate::protocol::json::from_slice_lenient;
use crate::store::{self, Command, MessageFilter, View};
use crate::text::error_of_line;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::SendTimeoutError;

/// Bytes of lines in one piece.
const PIECE_BYTES: usize = 64 << 10;

/// Pieces that wait for a slow reader.
const PIECES: usize = 4;

/// `GET /api/export`: every message that matches, the oldest first, in the state of one commit.
pub fn export(call: &Call<'_>) -> Result<HttpResponse> {
    let context = call.context;
    let view = context.store.view()?;
    let query = call.request.uri().query().unwrap_or_default();
    let filter = Query::parse(query, &view)?.filter;
    let permit = context.exports.acquire()?;
    let (sender, read) = mpsc::channel(PIECES);
    let patience = Duration::from_secs(context.config.limits.idle_seconds);
    let pieces = Pieces { sender, patience, runtime: Handle::current() };
    let writing = health::blocking("transfer", move || {
        let written = write_lines(&view, &filter, &pieces);
        if let Err(error) = &written {
            tracing::error!("an export ended early: {error}");
        }
        drop(permit);
        written
    });
    let lifetime = Lifetime::new(context.stop.clone(), call.granted.revoked.clone());
    let state = (read, writing, lifetime);
    let frames = stream::try_unfold(state, |(mut read, writing, lifetime)| async {
        let piece = lifetime.run(read.recv()).await;
        let piece = piece.map_err(|ended| format!("the export ended early: {ended:?}"))?;
        if let Some(piece) = piece {
            return Ok::<_, Broken>(Some((Frame::data(piece), (read, writing, lifetime))));
        }
        let written = writing.await?;
        // Earlier pieces are sent while the body waits.
        tokio::task::yield_now().await;
        // If the export is incomplete, the body ends with an error, so that the reader notices.
        Ok(written.map(|()| None)?)
    });
    let body = StreamBody::new(frames);
    let mut answer = Response::new(Body::Stream(body.boxed_unsync()));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(LINES));
    Ok(answer)
}

/// The pieces of an export, on their way to the reader.
struct Pieces {
    sender: mpsc::Sender<Bytes>,
    /// The longest time in which the reader may read nothing; meanwhile the export holds a read
    /// transaction.
    patience: Duration,
    runtime: Handle,
}

impl Pieces {
    /// Sends a piece; `false` if the reader has disconnected.
    fn send(&self, piece: Vec<u8>) -> store::Result<bool> {
        let sent = self.sender.send_timeout(piece.into(), self.patience);
        match self.runtime.block_on(sent) {
            Ok(()) => Ok(true),
            Err(SendTimeoutError::Closed(_)) => Ok(false),
            Err(SendTimeoutError::Timeout(_)) => {
                let seconds = self.patience.as_secs();
                Err(store::StoreError::Read(format!("its reader took nothing for {seconds} s")))
            }
        }
    }
}

/// Writes every message that can be read; the error names the first damaged one.
fn write_lines(view: &Arc<View>, filter: &MessageFilter, pieces: &Pieces) -> store::Result<()> {
    let mut lines = Vec::with_capacity(PIECE_BYTES + 4096);
    let mut damage = Ok(());
    for message in view.after(0)? {
        let message = match message {
            Err(error @ store::StoreError::Damaged(_)) => {
                damage = damage.and(Err(error));
                continue;
            }
            message => message?,
        };
        if !filter.matches(&message) {
            if pieces.sender.is_closed() {
                return Ok(());
            }
            continue;
        }
        // Our own types always serialise, and writing into a vector cannot fail.
        let _ = serde_json::to_writer(&mut lines, &TransferRecord::from(message));
        let _ = lines.write_all(b"\n");
        if lines.len() >= PIECE_BYTES {
            let piece = std::mem::replace(&mut lines, Vec::with_capacity(PIECE_BYTES + 4096));
            if !pieces.send(piece)? {
                return Ok(());
            }
        }
    }
    pieces.send(lines)?;
    damage
}

/// `POST /api/import`: stores a batch of lines in one commit. Messages that are known already do
/// not change, so a batch may be sent again.
pub async fn import(call: Call<'_>) -> Result<HttpResponse> {
    let body = read_body(call.context, call.request, LINES).await?;
    let mut messages = Vec::new();
    for (number, line) in (1..).zip(body.split(|&byte| byte == b'\n')) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let record: TransferRecord = from_slice_lenient(line).map_err(|error| {
            ErrorResponse::bad_request(format!("line {number}: {}", error_of_line(&error)))
        })?;
        let message = record.into_message();
        messages.push(
            message.map_err(|why| ErrorResponse::bad_request(format!("line {number}: {why}")))?,
        );
    }
    media::hold(call.context, &messages).await?;
    match write(call.context, Command::Import { messages }).await? {
        store::Answer::Imported { new, known } => {
            Ok(json(StatusCode::OK, &Imported { imported: new, known }))
        }
        _ => Err(store::StoreError::Absent.into()),
    }
}

/// `POST /api/backup`: writes a copy of the store into a new file of this host. Only over the Unix
/// socket: a client that may use it may read the store anyway, and remote clients must not write
/// files here.
pub async fn backup(call: Call<'_>) -> Result<HttpResponse> {
    if call.connection.peer != Peer::Unix {
        let text = "a backup is made on the server's own host: `rechat backup FILE`";
        return Err(ErrorResponse::new(StatusCode::FORBIDDEN, text));
    }
    let Backup { file } = read_json(call.context, call.request).await?;
    let (view, blobs) = (call.context.store.view()?, call.context.blobs.clone());
    let copied = health::blocking("transfer", move || {
        view.copy_to(&file)?;
        Ok::<_, ErrorResponse>(copy_all(&blobs, &folder_beside(&file))?)
    });
    copied.await.map_err(|error| store::StoreError::Read(error.to_string()))??;
    Ok(json(StatusCode::OK, &BackupDone { done: true }))
}
