//! Forms with files (RFC 7578), as bots upload them.

use super::context::{Incoming, ServerContext};
use super::error::{ErrorResponse, Result};
use super::media::{ReceivedFile, SlowTransferLimit};
use crate::gateway::UploadedFile;
use crate::media::BlobRefused;
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::header::CONTENT_TYPE;
use multer::{Constraints, Multipart, SizeLimit};
use std::collections::HashSet;
use std::sync::Arc;

/// Files of one form.
const MAX_FILES: usize = 100;

/// Stores the files of a form.
pub async fn keep_files(context: &ServerContext, request: Incoming) -> Result<Vec<UploadedFile>> {
    let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = multer::parse_boundary(media_type.unwrap_or_default()).map_err(|_| {
        let text = "the body must be a form with files: `Content-Type: multipart/form-data`";
        ErrorResponse::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text)
    })?;
    // The limit of all fields together; each file also has the limits of media.
    let limit =
        SizeLimit::new().whole_stream(context.blobs.bounds().max_bytes.saturating_add(1 << 20));
    let body = request.into_body().into_data_stream();
    let form = Multipart::with_constraints(body, boundary, Constraints::new().size_limit(limit));
    tokio::select! {
        kept = keep_all(context, form) => kept,
        () = context.stop.cancelled() => {
            Err(ErrorResponse::new(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping"))
        }
    }
}

async fn keep_all(context: &ServerContext, mut form: Multipart<'_>) -> Result<Vec<UploadedFile>> {
    let permit = Arc::new(context.uploads.acquire()?);
    let mut pace = SlowTransferLimit::new(context);
    let (mut fields, mut files) = (Vec::new(), Vec::new());
    loop {
        let next = pace.wait(form.next_field()).await?;
        let Some(mut field) = next.map_err(|error| broken(&error))? else { break };
        if files.len() == MAX_FILES {
            let text = format!("the form has more than {MAX_FILES} files");
            return Err(ErrorResponse::bad_request(text));
        }
        let name = field.file_name().map(str::to_owned);
        fields.push(field.name().unwrap_or("file").to_owned());
        let mut file = ReceivedFile::begin(context, permit.clone()).await?;
        while let Some(bytes) = pace.wait(field.chunk()).await?.map_err(|error| broken(&error))? {
            pace.count(bytes.len());
            file = file.add(&bytes).await?;
        }
        let (stored, _) = file.finish().await?;
        files.push((name, stored.hash));
    }
    let named = names_of(&fields).into_iter().zip(files);
    Ok(named.map(|(field, (name, hash))| UploadedFile { field, name, hash }).collect())
}

/// A unique name for each field: its own, or one with a number. Some frameworks give all files the
/// same name, and use the links in their order.
fn names_of(fields: &[String]) -> Vec<String> {
    let mut taken: HashSet<String> = fields.iter().cloned().collect();
    let mut seen: HashSet<&String> = HashSet::new();
    let mut names = Vec::new();
    for own in fields {
        let mut name = own.clone();
        if !seen.insert(own) {
            let mut numbered = (1_u32..).map(|number| format!("{own}{number}"));
            // There is always a further number.
            name = numbered.find(|name| !taken.contains(name)).unwrap_or_default();
            taken.insert(name.clone());
        }
        names.push(name);
    }
    names
}

fn broken(error: &multer::Error) -> ErrorResponse {
    match error {
        multer::Error::StreamSizeExceeded { limit } => {
            BlobRefused::TooLarge { max_bytes: *limit }.into()
        }
        error => ErrorResponse::bad_request(format!("the form cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_of_a_form_has_a_name_of_its_own() {
        let names = |fields: &[&str]| {
            let fields: Vec<_> = fields.iter().map(|&field| field.to_owned()).collect();
            names_of(&fields)
        };
        assert_eq!(names(&["file", "file2", "file"]), ["file", "file2", "file1"]);
        assert_eq!(names(&["file", "file", "file1"]), ["file", "file2", "file1"]);
        let same = names(&["file"; 12]);
        assert_eq!((&*same[1], &*same[11]), ("file1", "file11"));
        assert_eq!(same.iter().collect::<HashSet<_>>().len(), 12);
    }
}
