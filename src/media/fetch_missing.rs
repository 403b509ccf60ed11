//! Fetching the missing media of a message.

use super::blobs::Blobs;
use super::content::{all_media, change_media};
use super::failure::{FailureKind, FetchFailure};
use super::fetch::{Fetcher, on_thread};
use super::stored_file::StoredFile;
use super::upload::Upload;
use crate::adapter::{AccountHandle, ActionError, MediaOf, MediaSource, Registry};
use crate::clock::now;
use crate::metrics::METRICS;
use crate::model::content::{Content, Media, Segment};
use crate::model::inline::Inline;
use crate::model::message::{Message, MessageType};
use crate::store::{Answer, Command, Store};
use std::sync::Arc;

/// How often the new content is built again because the message changed in the meantime.
const MAX_ROUNDS: usize = 5;

/// Fetches media of messages, and notes the stored files in the messages.
#[derive(Clone)]
pub struct Completer {
    /// The store of the messages.
    pub store: Arc<Store>,
    /// The files that are kept here.
    pub blobs: Blobs,
    /// Fetches files from hosts.
    pub fetcher: Fetcher,
    /// The accounts, which are asked for media without a working address.
    pub registry: Registry,
}

/// A picture, sound, video or file of a message that is not stored here.
#[derive(Clone, Debug, PartialEq)]
pub struct MissingMedia {
    /// Its index among all media of the content.
    index: usize,
    /// Its index among the media that the platform can be asked for.
    asked: Option<usize>,
    message_type: MessageType,
    /// The medium in the content.
    media: Media,
}

/// Result of fetching one missing medium.
type FetchOutcome = (MissingMedia, Result<StoredFile, FetchFailure>);

impl MissingMedia {
    /// Whether another attempt makes sense: it was not tried yet, or failed for a temporary reason.
    pub fn may_be_there(&self) -> bool {
        self.media.failure.as_ref().is_none_or(|failure| failure.retryable)
    }

    /// Whether it is still missing in a content, whatever earlier attempts noted.
    fn is(&self, index: usize, media: &Media) -> bool {
        let without = |media: &Media| Media { failure: None, ..media.clone() };
        self.index == index && without(&self.media) == without(media)
    }
}

impl Completer {
    /// Fetches the missing media of a message. Each failure is noted in the message.
    ///
    /// # Errors
    ///
    /// One of them cannot be fetched: the address is not allowed, the host or platform refuses, or it is too
    /// large; `FetchFailure` says which. Or the message cannot be read or written.
    pub async fn fetch(&self, seq: u64) -> Result<(), FetchFailure> {
        let Some(message) = self.message(seq)? else { return Ok(()) };
        let missing = missing(&message, &MessageType::ALL);
        self.fetch_these(message, missing).await
    }

    /// Like [`Self::fetch`], for these types and only for media that make sense to try; at most
    /// `most`, from an index on. Also returns the index at which to continue, if there are more.
    pub async fn fetch_some(
        &self,
        seq: u64,
        types: &[MessageType],
        from: usize,
        most: usize,
    ) -> (Option<usize>, Result<(), FetchFailure>) {
        let message = match self.message(seq) {
            Ok(Some(message)) => message,
            Ok(None) => return (None, Ok(())),
            Err(failure) => return (None, Err(failure)),
        };
        let mut some = missing(&message, types);
        some.retain(|one| one.index >= from && one.may_be_there());
        let next = some.get(most).map(|one| one.index);
        some.truncate(most);
        (next, self.fetch_these(message, some).await)
    }

    async fn fetch_these(
        &self,
        message: Message,
        missing: Vec<MissingMedia>,
    ) -> Result<(), FetchFailure> {
        let mut outcomes: Vec<FetchOutcome> = Vec::with_capacity(missing.len());
        for one in missing {
            // The same address means the same file.
            let is_known = |(other, kept): &&FetchOutcome| {
                one.media.url.is_some() && other.media.url == one.media.url && kept.is_ok()
            };
            let kept = match outcomes.iter().find(is_known) {
                Some((_, kept)) => kept.clone(),
                None => self.fetch_one(&message, &one).await,
            };
            match &kept {
                Ok(_) => METRICS.media_fetched.inc(),
                Err(_) => METRICS.media_failures.inc(),
            };
            outcomes.push((one, kept));
        }
        self.note(message, &mut outcomes).await?;
        outcomes.into_iter().find_map(|(_, kept)| kept.err()).map_or(Ok(()), Err)
    }

    /// By its address, or else by asking the platform.
    async fn fetch_one(
        &self,
        message: &Message,
        one: &MissingMedia,
    ) -> Result<StoredFile, FetchFailure> {
        let by_address = match &one.media.url {
            Some(url) => match self.fetcher.fetch(url).await {
                Ok(upload) => self.keep(upload, one.message_type).await,
                Err(failure) => Err(failure),
            },
            None => Err(FetchFailure {
                reason: "the platform tells no address of it".into(),
                kind: FailureKind::Unsupported,
            }),
        };
        let (failure, index) = match (by_address, one.asked) {
            (Err(failure), Some(index))
                if !matches!(failure.kind, FailureKind::TooLarge | FailureKind::Here) =>
            {
                (failure, index)
            }
            (by_address, _) => return by_address,
        };
        match self.ask(message, index).await {
            Ok(source) => {
                let upload = self.fetcher.fetch_source(source).await?;
                self.keep(upload, one.message_type).await
            }
            // The platform has no other way.
            Err(ActionError::Unsupported) => Err(failure),
            Err(error) => {
                let reason = format!("{failure}; asked for it: {error}");
                let is_refusal = matches!(error, ActionError::Refused(_));
                Err(if failure.is_passing() || !is_refusal {
                    FetchFailure::passing(reason)
                } else {
                    FetchFailure::lasting(reason)
                })
            }
        }
    }

    /// Stores a fetched file.
    async fn keep(
        &self,
        upload: Upload,
        message_type: MessageType,
    ) -> Result<StoredFile, FetchFailure> {
        let mime = upload.kind().mime;
        // A host whose links have expired may send a web page that says so.
        if message_type == MessageType::Image && !mime.starts_with("image/") {
            let reason = format!("the host sent {mime} where a picture should be");
            return Err(FetchFailure::lasting(reason));
        }
        let blobs = self.blobs.clone();
        on_thread(move || Ok(StoredFile::of(&blobs, upload.finish()?.hash)?)).await
    }

    async fn ask(&self, message: &Message, index: usize) -> Result<MediaSource, ActionError> {
        let original = message.original.clone().ok_or(ActionError::Unsupported)?;
        let account = message.account.as_deref();
        let handle = self.registry.handle(message.platform_or_local(), account);
        let is_it =
            |handle: &AccountHandle| account.is_none() || handle.account.as_deref() == account;
        let handle = handle.filter(is_it).ok_or(ActionError::NotConnected)?;
        let conversation = message.recipient.clone();
        let external_id = message.external_id.clone().unwrap_or_default();
        handle.find_media(MediaOf { conversation, external_id, original, index }).await
    }

    /// Notes the stored files and the failures in a message. If the content changed in the
    /// meantime, the new content is built again.
    async fn note(
        &self,
        mut message: Message,
        outcomes: &mut [FetchOutcome],
    ) -> Result<(), FetchFailure> {
        let seq = message.seq;
        let passing = |error: &dyn std::fmt::Display| FetchFailure::passing(error.to_string());
        for _ in 0..MAX_ROUNDS {
            self.hold(outcomes).await?;
            let was = message.content;
            let content = with_outcomes(&was, outcomes, now());
            if content == was {
                return Ok(());
            }
            let command = Command::Complete { seq, was, content, at: now() };
            let written = self.store.write(command).await.map_err(|error| passing(&error))?;
            if written != Answer::Nothing {
                return Ok(());
            }
            match self.message(seq)? {
                Some(changed) => message = changed,
                None => return Ok(()),
            }
        }
        Err(FetchFailure::passing("the message changed too often meanwhile"))
    }

    /// Holds the stored files. A file that was removed in the meantime counts as not fetched.
    async fn hold(&self, outcomes: &mut [FetchOutcome]) -> Result<(), FetchFailure> {
        for (_, kept) in outcomes {
            let Ok(file) = kept else { continue };
            let (blobs, hash) = (self.blobs.clone(), file.hash);
            if !on_thread(move || Ok(blobs.hold(hash)?)).await? {
                *kept = Err(FetchFailure::passing("its file was removed when it had just come"));
            }
        }
        Ok(())
    }

    fn message(&self, seq: u64) -> Result<Option<Message>, FetchFailure> {
        let found = self.store.view().and_then(|view| view.by_seq(seq));
        found.map_err(|error| FetchFailure::passing(error.to_string()))
    }
}

/// The media of these types that are missing and can be fetched by an address or from the platform.
pub fn missing(message: &Message, types: &[MessageType]) -> Vec<MissingMedia> {
    let can_ask = message.original.is_some();
    let is_inside = insides(&message.content);
    let mut asked = 0;
    let mut found = Vec::new();
    for (index, (segment, is_inside)) in
        all_media(&message.content).into_iter().zip(is_inside).enumerate()
    {
        let this = (!is_inside).then_some(asked).filter(|_| can_ask);
        asked += usize::from(!is_inside);
        let Some((message_type, media)) = typed(segment) else { continue };
        let has_address = media.url.as_deref().is_some_and(|url| !Inline::is_in(url));
        let is_wanted = media.media.is_none() && types.contains(&message_type);
        if is_wanted && (has_address || this.is_some()) {
            found.push(MissingMedia { index, asked: this, message_type, media: media.clone() });
        }
    }
    found
}

/// For each of all media, whether it is inside a forward; platforms cannot be asked for those.
fn insides(content: &Content) -> Vec<bool> {
    let of = |segment: &Segment| match segment {
        Segment::Forward { .. } => {
            let inner = Content::of(vec![segment.clone()]);
            vec![true; all_media(&inner).len()]
        }
        segment => vec![false; usize::from(segment.media().is_some())],
    };
    content.segments().unwrap_or_default().iter().flat_map(of).collect()
}

/// Whether a content has any picture, audio, video or file.
pub fn has_media(content: &Content) -> bool {
    !all_media(content).is_empty()
}

/// Whether all media of a content are stored here.
pub fn is_complete(content: &Content) -> bool {
    let mut media = all_media(content).into_iter().filter_map(Segment::media);
    media.all(|media| media.media.is_some())
}

fn typed(segment: &Segment) -> Option<(MessageType, &Media)> {
    let message_type = match segment {
        Segment::Image(_) => MessageType::Image,
        Segment::Audio(_) => MessageType::Audio,
        Segment::Video(_) => MessageType::Video,
        Segment::File(_) => MessageType::File,
        _ => return None,
    };
    Some((message_type, segment.media()?))
}

fn with_outcomes(content: &Content, outcomes: &[FetchOutcome], at: u64) -> Content {
    let mut index = 0;
    change_media(content, &mut |media| {
        match outcomes.iter().find(|(one, _)| one.is(index, media)) {
            Some((_, Ok(kept))) => kept.put_into(media),
            Some((_, Err(failure))) => media.failure = Some(Box::new(failure.at(at))),
            None => {}
        }
        index += 1;
    })
}

#[cfg(test)]
mod tests;
