//! Bringing the media of a message here.

use super::blobs::Blobs;
use super::bounds::BlobRefused;
use super::content::{all_media, change_media, put_into};
use super::fetch::{FailureKind, FetchFailure, Fetcher};
use super::hash::Hash;
use super::sniff::FileType;
use super::upload::Upload;
use crate::adapter::{AccountHandle, ActionError, MediaOf, MediaSource, Registry};
use crate::clock::now;
use crate::metrics::METRICS;
use crate::model::content::{Content, Media, Segment};
use crate::model::inline::Inline;
use crate::model::message::{Message, MessageType};
use crate::store::{Answer, Command, Store};
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
    /// The accounts that are asked for what no address gives.
    pub registry: Registry,
}

/// A file that was fetched: its hash, its size in bytes, and what it is.
type KeptFile = (Hash, u64, FileType);

/// A picture, sound, video or file of a message that is not here.
#[derive(Clone, Debug, PartialEq)]
pub struct Missing {
    /// Its place among all media of the content.
    place: usize,
    /// Its place among those that its platform can be asked for.
    asked: Option<usize>,
    message_type: MessageType,
    /// As it is in the content.
    media: Media,
}

/// How fetching one that is missing ended.
type FetchOutcome = (Missing, Result<KeptFile, FetchFailure>);

impl Missing {
    /// Whether it may be there now: it was not tried yet, or failed for a passing reason.
    pub fn may_be_there(&self) -> bool {
        self.media.failure.as_ref().is_none_or(|failure| failure.retryable)
    }

    /// Whether it is still so in a content, however an attempt at it ended.
    fn is(&self, place: usize, media: &Media) -> bool {
        let without = |media: &Media| Media { failure: None, ..media.clone() };
        self.place == place && without(&self.media) == without(media)
    }
}

impl Completer {
    /// Fetches the media of a message that are not here, of these types. Whether there were any.
    /// Each that fails has its failure in the message from then on.
    ///
    /// # Errors
    ///
    /// One of them cannot be fetched: the address is not allowed, the host or platform refuses, or it is too
    /// large; `FetchFailure` says which. Or the message cannot be read or written.
    pub async fn fetch(&self, seq: u64, types: &[MessageType]) -> Result<bool, FetchFailure> {
        let Some(message) = self.message(seq)? else { return Ok(false) };
        let missing = missing(&message, types);
        let mut outcomes: Vec<FetchOutcome> = Vec::with_capacity(missing.len());
        for one in missing {
            // The same address twice is the same file.
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
        self.note(seq, message, &outcomes).await?;
        let were_any = !outcomes.is_empty();
        let failed = outcomes.into_iter().find_map(|(_, kept)| kept.err());
        failed.map_or(Ok(were_any), Err)
    }

    /// By its address, else by asking the platform.
    async fn fetch_one(&self, message: &Message, one: &Missing) -> Result<KeptFile, FetchFailure> {
        let by_address = match &one.media.url {
            Some(url) => match self.fetcher.fetch(url).await {
                Ok(upload) => keep(upload, one.message_type).await,
                Err(failure) => Err(failure),
            },
            None => Err(FetchFailure {
                reason: "the platform tells no address of it".into(),
                kind: FailureKind::Unsupported,
            }),
        };
        let (failure, place) = match (by_address, one.asked) {
            (Err(failure), Some(place))
                if !matches!(failure.kind, FailureKind::TooLarge | FailureKind::Here) =>
            {
                (failure, place)
            }
            (by_address, _) => return by_address,
        };
        match self.ask(message, place).await {
            Ok(source) => {
                let upload = self.fetcher.fetch_source(source).await?;
                keep(upload, one.message_type).await
            }
            // The platform knows no better.
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

    async fn ask(&self, message: &Message, place: usize) -> Result<MediaSource, ActionError> {
        let original = message.original.clone().ok_or(ActionError::Unsupported)?;
        let account = message.account.as_deref();
        let handle = self.registry.handle(message.platform_or_local(), account);
        let is_it =
            |handle: &AccountHandle| account.is_none() || handle.account.as_deref() == account;
        let handle = handle.filter(is_it).ok_or(ActionError::NotConnected)?;
        let conversation = message.recipient.clone();
        let external_id = message.external_id.clone().unwrap_or_default();
        handle.find_media(MediaOf { conversation, external_id, original, place }).await
    }

    /// Notes in a message what is here now, and why the rest is not. Content that changed meanwhile
    /// is put together anew.
    async fn note(
        &self,
        seq: u64,
        mut message: Message,
        outcomes: &[FetchOutcome],
    ) -> Result<(), FetchFailure> {
        let passing = |error: &dyn std::fmt::Display| FetchFailure::passing(error.to_string());
        for _ in 0..MAX_ROUNDS {
            for (hash, ..) in outcomes.iter().filter_map(|(_, kept)| kept.as_ref().ok()) {
                // Were it removed meanwhile, the next attempt would fetch it again.
                self.blobs.hold(*hash).map_err(|error| passing(&error))?;
            }
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

    fn message(&self, seq: u64) -> Result<Option<Message>, FetchFailure> {
        let found = self.store.view().and_then(|view| view.by_seq(seq));
        found.map_err(|error| FetchFailure::passing(error.to_string()))
    }
}

/// Keeps a file that was fetched.
async fn keep(upload: Upload, message_type: MessageType) -> Result<KeptFile, FetchFailure> {
    let kind = upload.kind();
    // A host whose links have expired sends a page that says so.
    if message_type == MessageType::Image && !kind.mime.starts_with("image/") {
        let reason = format!("the host sent {} where a picture should be", kind.mime);
        return Err(FetchFailure::lasting(reason));
    }
    let finished = tokio::task::spawn_blocking(|| upload.finish()).await;
    let stored = finished.unwrap_or_else(|error| Err(BlobRefused::Disk(error.to_string())))?;
    Ok((stored.hash, stored.size, kind))
}

/// The media of these types that are not here and that an address gives, or the platform.
pub fn missing(message: &Message, types: &[MessageType]) -> Vec<Missing> {
    let can_ask = message.original.is_some();
    let is_inside = insides(&message.content);
    let mut asked = 0;
    let mut found = Vec::new();
    for (place, (segment, is_inside)) in
        all_media(&message.content).into_iter().zip(is_inside).enumerate()
    {
        let this = (!is_inside).then_some(asked).filter(|_| can_ask);
        asked += usize::from(!is_inside);
        let Some((message_type, media)) = typed(segment) else { continue };
        let has_address = media.url.as_deref().is_some_and(|url| !Inline::is_in(url));
        let is_wanted = media.media.is_none() && types.contains(&message_type);
        if is_wanted && (has_address || this.is_some()) {
            found.push(Missing { place, asked: this, message_type, media: media.clone() });
        }
    }
    found
}

/// Whether each of all media of a content is inside a forward, which platforms are not asked about.
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

/// Whether all pictures, sounds, videos and files of a content are here.
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
    let mut place = 0;
    change_media(content, &mut |media| {
        match outcomes.iter().find(|(one, _)| one.is(place, media)) {
            Some((_, Ok((hash, size, kind)))) => put_into(media, *hash, *size, *kind),
            Some((_, Err(failure))) => media.failure = Some(Box::new(failure.at(at))),
            None => {}
        }
        place += 1;
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::{ForwardItem, MediaFailure};
    use crate::model::message::Sender;

    fn image(url: Option<&str>) -> Segment {
        Segment::Image(Media { url: url.map(str::to_owned), ..Media::default() })
    }

    #[test]
    fn what_is_missing_is_found_by_address_or_by_asking() {
        let inside = ForwardItem {
            sender: Sender::default(),
            created_at: 0,
            segments: vec![image(None), image(Some("https://x/1"))],
        };
        let forward = Segment::Forward { title: None, items: vec![inside], id: None };
        let here = Media { media: Some("ab".into()), ..Media::default() };
        let content = Content::of(vec![forward, image(None), Segment::Image(here), image(None)]);
        let mut message = Message::new(1, uuid::Uuid::nil(), content, "group_1".into(), 1);
        let places = |message: &Message| -> Vec<_> {
            missing(message, &[MessageType::Image])
                .iter()
                .map(|one| (one.place, one.asked))
                .collect()
        };
        assert_eq!(places(&message), [(1, None)]);
        message.original = Some("[]".into());
        assert_eq!(places(&message), [(1, None), (2, Some(0)), (4, Some(2))]);
        let kind = FileType { mime: "image/png", size: None };
        let found: Vec<_> = missing(&message, &[MessageType::Image])
            .into_iter()
            .skip(2)
            .map(|one| (one, Ok((Hash([1; 32]), 5, kind))))
            .collect();
        let now = with_outcomes(&message.content, &found, 9);
        let here: Vec<_> = all_media(&now)
            .into_iter()
            .map(|segment| segment.media().unwrap().media.is_some())
            .collect();
        assert_eq!(here, [false, false, false, true, true]);
    }

    #[test]
    fn a_failure_is_noted_until_another_attempt_ends_better() {
        let content = Content::of(vec![image(Some("https://x/1")), image(Some("https://x/2"))]);
        let message = Message::new(1, uuid::Uuid::nil(), content, "group_1".into(), 1);
        let ended = |message: &Message, kept: Result<KeptFile, FetchFailure>| {
            let first = missing(message, &[MessageType::Image]).swap_remove(0);
            with_outcomes(&message.content, &[(first, kept)], 9)
        };
        let failures = |content: &Content| -> Vec<_> {
            let media = all_media(content).into_iter().filter_map(Segment::media);
            media.map(|media| media.failure.as_deref().cloned()).collect()
        };
        let failed = |reason: &str, retryable| {
            Some(MediaFailure { reason: reason.into(), retryable, at: 9 })
        };
        let content = ended(&message, Err(FetchFailure::passing("busy")));
        assert_eq!(failures(&content), [failed("busy", true), None]);
        let again = Message { content, ..message.clone() };
        assert!(missing(&again, &[MessageType::Image]).iter().all(Missing::may_be_there));
        let content = ended(&again, Err(FetchFailure::lasting("x".repeat(9_999))));
        assert_eq!(failures(&content)[0].as_ref().unwrap().reason.chars().count(), 300);
        let again = Message { content, ..message.clone() };
        assert!(!missing(&again, &[MessageType::Image])[0].may_be_there());
        let kind = FileType { mime: "image/png", size: None };
        // The attempt began before the failure of another one was noted.
        let first = missing(&message, &[MessageType::Image]).swap_remove(0);
        let content = with_outcomes(&again.content, &[(first, Ok((Hash([1; 32]), 5, kind)))], 9);
        assert_eq!(failures(&content), [None, None]);
        assert!(all_media(&content)[0].media().unwrap().media.is_some());
    }
}
