//! Bringing the media of a message here.

use super::blobs::{Blobs, Refused};
use super::content::{all_media, change_media, put_into};
use super::fetch::{Failure, Fetcher};
use super::hash::Hash;
use super::sniff::Kind;
use crate::clock::now;
use crate::metrics::METRICS;
use crate::model::content::{Content, Segment};
use crate::model::inline::Inline;
use crate::model::message::{Message, MessageType};
use crate::store::{Answer, Command, Store};
use std::collections::HashMap;
use std::sync::Arc;

/// How often content is put together anew because it changed meanwhile.
const MAX_ROUNDS: usize = 5;

/// Fetches media of messages, and notes in the messages that they are here.
#[derive(Clone)]
pub struct Completer {
    #[allow(missing_docs)]
    pub store: Arc<Store>,
    #[allow(missing_docs)]
    pub blobs: Blobs,
    #[allow(missing_docs)]
    pub fetcher: Fetcher,
}

/// Media that were fetched, by their addresses.
type Fetched = HashMap<String, (Hash, u64, Kind)>;

impl Completer {
    /// Fetches the media of a message that are not here, of these types. Whether there were any.
    pub async fn fetch(&self, seq: u64, types: &[MessageType]) -> Result<bool, Failure> {
        let Some(message) = self.message(seq)? else { return Ok(false) };
        let mut found = Fetched::new();
        let mut failed = None;
        let wanted = wanted(&message.content, types);
        for (url, is_image) in &wanted {
            match self.fetch_one(url, *is_image).await {
                Ok(kept) => {
                    METRICS.media_fetched.inc();
                    found.insert(url.clone(), kept);
                }
                Err(failure) => {
                    METRICS.media_failures.inc();
                    failed = Some(failure);
                }
            }
        }
        if !found.is_empty() {
            self.put(seq, message, &found).await?;
        }
        failed.map_or(Ok(!wanted.is_empty()), Err)
    }

    async fn fetch_one(&self, url: &str, is_image: bool) -> Result<(Hash, u64, Kind), Failure> {
        let upload = self.fetcher.fetch(url).await?;
        let kind = upload.kind();
        // A host whose links have expired sends a page that says so.
        if is_image && !kind.mime.starts_with("image/") {
            let reason = format!("the host sent {} where a picture should be", kind.mime);
            return Err(Failure::lasting(reason));
        }
        let finished = tokio::task::spawn_blocking(|| upload.finish()).await;
        let stored = finished.unwrap_or_else(|error| Err(Refused::Disk(error.to_string())))?;
        Ok((stored.hash, stored.size, kind))
    }

    /// Notes in a message what is here now. Content that changed meanwhile is put together anew.
    async fn put(&self, seq: u64, mut message: Message, found: &Fetched) -> Result<(), Failure> {
        for _ in 0..MAX_ROUNDS {
            for (hash, ..) in found.values() {
                // Were it removed meanwhile, the next attempt would fetch it again.
                self.blobs.hold(*hash).map_err(|error| Failure::passing(error.to_string()))?;
            }
            let was = message.content;
            let content = with_fetched(&was, found);
            let command = Command::Complete { seq, was, content, at: now() };
            if self
                .store
                .write(command)
                .await
                .map_err(|error| Failure::passing(error.to_string()))?
                != Answer::Nothing
            {
                return Ok(());
            }
            match self.message(seq)? {
                Some(changed) => message = changed,
                None => return Ok(()),
            }
        }
        Err(Failure::passing("the message changed too often meanwhile"))
    }

    fn message(&self, seq: u64) -> Result<Option<Message>, Failure> {
        let found = self.store.view().and_then(|view| view.by_seq(seq));
        found.map_err(|error| Failure::passing(error.to_string()))
    }
}

/// The addresses of media of these types that are not here, each once, and whether it is a picture.
pub fn wanted(content: &Content, types: &[MessageType]) -> Vec<(String, bool)> {
    let mut urls: Vec<(String, bool)> = Vec::new();
    for segment in all_media(content) {
        let Some((message_type, url)) = missing(segment) else { continue };
        if types.contains(&message_type) && urls.iter().all(|(known, _)| known != url) {
            urls.push((url.to_owned(), message_type == MessageType::Image));
        }
    }
    urls
}

/// Whether a content has any picture, audio, video or file.
pub fn has_media(content: &Content) -> bool {
    !all_media(content).is_empty()
}

/// Whether all pictures, sounds, videos and files of a content are here.
pub fn is_complete(content: &Content) -> bool {
    let mut media = all_media(content).into_iter().filter_map(Segment::media);
    media.all(|media| media.media.is_some())
}

/// The type and the address of a segment's media that is not here.
fn missing(segment: &Segment) -> Option<(MessageType, &str)> {
    let message_type = match segment {
        Segment::Image(_) => MessageType::Image,
        Segment::Audio(_) => MessageType::Audio,
        Segment::Video(_) => MessageType::Video,
        Segment::File(_) => MessageType::File,
        _ => return None,
    };
    let media = segment.media().filter(|media| media.media.is_none())?;
    let url = media.url.as_deref().filter(|url| !Inline::is_in(url))?;
    Some((message_type, url))
}

fn with_fetched(content: &Content, fetched: &Fetched) -> Content {
    change_media(content, &mut |media| {
        let found = media.url.as_ref().and_then(|url| fetched.get(url));
        if let Some((hash, size, kind)) = found.filter(|_| media.media.is_none()) {
            put_into(media, *hash, *size, *kind);
        }
    })
}
