//! Media of messages that clients make: bytes inside a message, and files that it names.

use crate::media::content::{self, MediaRefused};
use crate::model::content::Content;
use crate::model::message::{Draft, Message};
use crate::server::blocking::on_thread;
use crate::server::context::ServerContext;
use crate::server::error::{ErrorResponse, Result};

impl From<MediaRefused> for ErrorResponse {
    fn from(problem: MediaRefused) -> Self {
        match problem {
            MediaRefused::Unknown(_) => {
                Self::bad_request(problem.to_string()).named(Some("unknown_media"))
            }
            MediaRefused::Unreadable(_) => Self::bad_request(problem.to_string()),
            MediaRefused::Refused(refused) => refused.into(),
        }
    }
}

/// The draft with its bytes stored as media. Files that it names must exist, and are kept.
pub async fn keep(context: &ServerContext, draft: Draft) -> Result<Draft> {
    if !content::has_bytes(draft.content()) {
        return Ok(draft);
    }
    let kept = keep_content(context, draft.content().clone()).await?;
    Ok(draft.with_content(kept))
}

/// Like [`keep`], for content without a draft.
pub async fn keep_content(context: &ServerContext, content: Content) -> Result<Content> {
    if !content::has_bytes(&content) {
        return Ok(content);
    }
    let blobs = context.blobs.clone();
    Ok(on_thread(move || content::keep(&blobs, &content)).await??)
}

/// Keeps the existing media of imported messages from being removed.
pub async fn hold(context: &ServerContext, messages: &[Message]) -> Result<()> {
    let hashes: Vec<_> =
        messages.iter().flat_map(|message| content::hashes(&message.content)).collect();
    if hashes.is_empty() {
        return Ok(());
    }
    let blobs = context.blobs.clone();
    let held =
        on_thread(move || hashes.into_iter().try_for_each(|hash| blobs.hold(hash).map(drop)));
    held.await?.map_err(|error| crate::media::BlobRefused::from(error).into())
}
