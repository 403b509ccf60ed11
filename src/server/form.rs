//! Forms with files (RFC 7578), as bots upload them.

use super::context::{Incoming, ServerContext};
use super::error::{ErrorResponse, Result};
use super::media::on_thread;
use crate::gateway::UploadedFile;
use crate::media::{BlobRefused, Upload};
use futures_util::StreamExt;
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::header::CONTENT_TYPE;
use multer::{Constraints, Field, Multipart, SizeLimit};
use std::time::Duration;
use tokio::time::timeout;

/// Files of one form.
const MAX_FILES: usize = 100;

/// Bytes gathered before they go to the disk.
const PIECE: usize = 256 << 10;

/// How long a form may take as a whole.
const MAX_TIME: Duration = Duration::from_hours(1);

/// Keeps the files of a form.
pub async fn keep_files(context: &ServerContext, request: Incoming) -> Result<Vec<UploadedFile>> {
    let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = multer::parse_boundary(media_type.unwrap_or_default()).map_err(|_| {
        let text = "the body must be a form with files: `Content-Type: multipart/form-data`";
        ErrorResponse::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text)
    })?;
    let _permit = context.uploads.acquire()?;
    // All fields together; each file has the bounds of media beside.
    let limit =
        SizeLimit::new().whole_stream(context.blobs.bounds().max_bytes.saturating_add(1 << 20));
    let body = request.into_body().into_data_stream();
    let form = Multipart::with_constraints(body, boundary, Constraints::new().size_limit(limit));
    tokio::select! {
        kept = timeout(MAX_TIME, keep_all(context, form)) => kept.unwrap_or_else(|_| Err(too_slow())),
        () = context.stop.cancelled() => {
            Err(ErrorResponse::new(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping"))
        }
    }
}

async fn keep_all(context: &ServerContext, mut form: Multipart<'_>) -> Result<Vec<UploadedFile>> {
    let patience = Duration::from_secs(context.config.limits.body_seconds);
    let mut files: Vec<UploadedFile> = Vec::new();
    loop {
        let next = timeout(patience, form.next_field()).await.map_err(|_| too_slow())?;
        let Some(field) = next.map_err(|error| broken(&error))? else { return Ok(files) };
        if files.len() == MAX_FILES {
            let text = format!("the form has more than {MAX_FILES} files");
            return Err(ErrorResponse::bad_request(text));
        }
        let name = field.file_name().map(str::to_owned);
        // Some frameworks name all files the same, and take the links in their order.
        let own = field.name().unwrap_or("file").to_owned();
        let is_taken = files.iter().any(|file| file.field == own);
        let field_name = if is_taken { format!("{own}{}", files.len()) } else { own };
        let hash = keep(context, field, patience).await?;
        files.push(UploadedFile { field: field_name, name, hash });
    }
}

async fn keep(
    context: &ServerContext,
    mut field: Field<'_>,
    patience: Duration,
) -> Result<crate::media::Hash> {
    let blobs = context.blobs.clone();
    let mut upload = on_thread(move || Upload::begin(&blobs)).await??;
    let mut gathered = Vec::new();
    loop {
        let piece = timeout(patience, field.next()).await.map_err(|_| too_slow())?;
        let is_end = piece.is_none();
        let piece = piece.transpose().map_err(|error| broken(&error))?;
        gathered.extend_from_slice(&piece.unwrap_or_default());
        if gathered.len() >= PIECE || (is_end && !gathered.is_empty()) {
            let bytes = std::mem::take(&mut gathered);
            upload = on_thread(move || upload.write(&bytes).map(|()| upload)).await??;
        }
        if is_end {
            return Ok(on_thread(|| upload.finish()).await??.hash);
        }
    }
}

fn too_slow() -> ErrorResponse {
    ErrorResponse::new(StatusCode::REQUEST_TIMEOUT, "the form did not arrive in time")
}

fn broken(error: &multer::Error) -> ErrorResponse {
    match error {
        multer::Error::StreamSizeExceeded { limit } => {
            BlobRefused::TooLarge { max_bytes: *limit }.into()
        }
        error => ErrorResponse::bad_request(format!("the form cannot be read: {error}")),
    }
}
