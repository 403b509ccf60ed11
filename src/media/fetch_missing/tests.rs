//! Missing media, and the results of fetching in a message.

use super::*;
use crate::media::bounds::BlobBounds;
use crate::media::sniff::FileType;
use crate::media::{Allowed, Hash};
use crate::model::content::{ForwardItem, MediaFailure};
use crate::model::message::{Draft, Sender};
use crate::model::routing::RoutingFacts;
use crate::store::{Access, StoreOptions};
use std::time::Duration;

fn image(url: Option<&str>) -> Segment {
    Segment::Image(Media { url: url.map(str::to_owned), ..Media::default() })
}

fn kept() -> StoredFile {
    let kind = FileType { mime: "image/png", size: None };
    StoredFile { hash: Hash([1; 32]), size: 5, kind, duration: None }
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
    let indexes = |message: &Message| -> Vec<_> {
        missing(message, &[MessageType::Image]).iter().map(|one| (one.index, one.asked)).collect()
    };
    assert_eq!(indexes(&message), [(1, None)]);
    message.original = Some("[]".into());
    assert_eq!(indexes(&message), [(1, None), (2, Some(0)), (4, Some(2))]);
    let found: Vec<_> = missing(&message, &[MessageType::Image])
        .into_iter()
        .skip(2)
        .map(|one| (one, Ok(kept())))
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
    let ended = |message: &Message, kept: Result<StoredFile, FetchFailure>| {
        let first = missing(message, &[MessageType::Image]).swap_remove(0);
        with_outcomes(&message.content, &[(first, kept)], 9)
    };
    let failures = |content: &Content| -> Vec<_> {
        let media = all_media(content).into_iter().filter_map(Segment::media);
        media.map(|media| media.failure.as_deref().cloned()).collect()
    };
    let failed =
        |reason: &str, retryable| Some(MediaFailure { reason: reason.into(), retryable, at: 9 });
    let content = ended(&message, Err(FetchFailure::passing("busy")));
    assert_eq!(failures(&content), [failed("busy", true), None]);
    let again = Message { content, ..message.clone() };
    assert!(missing(&again, &[MessageType::Image]).iter().all(MissingMedia::may_be_there));
    let content = ended(&again, Err(FetchFailure::lasting("x".repeat(9_999))));
    assert_eq!(failures(&content)[0].as_ref().unwrap().reason.chars().count(), 300);
    let again = Message { content, ..message.clone() };
    assert!(!missing(&again, &[MessageType::Image])[0].may_be_there());
    // The attempt began before the failure of another one was noted.
    let first = missing(&message, &[MessageType::Image]).swap_remove(0);
    let content = with_outcomes(&again.content, &[(first, Ok(kept()))], 9);
    assert_eq!(failures(&content), [None, None]);
    assert!(all_media(&content)[0].media().unwrap().media.is_some());
}
#[tokio::test]
async fn a_file_that_is_removed_before_its_message_tells_of_it_is_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions::new(folder.path().join("a.redb"), Access::Write);
    let store = Arc::new(Store::open(&options, Box::new(())).unwrap());
    let blobs = Blobs::open(folder.path().join("media"), BlobBounds::NONE).unwrap();
    let fetcher = Fetcher::new(Allowed::default(), blobs.clone(), Duration::from_mins(1));
    let completer = Completer {
        store: store.clone(),
        blobs: blobs.clone(),
        fetcher,
        registry: Registry::new(),
    };
    let segments = vec![image(Some("https://x/1"))];
    let draft = Draft::of_segments(segments, "group_1".into(), None).unwrap();
    let facts = RoutingFacts::default();
    let command = Command::Create { draft, at: 1, idempotency: None, facts };
    let Answer::Message(message) = store.write(command).await.unwrap() else { panic!("not made") };
    let (stored, _) = Upload::put(&blobs, b"picture").unwrap();
    let one = missing(&message, &[MessageType::Image]).swap_remove(0);
    let mut outcomes = vec![(one, Ok(StoredFile::of(&blobs, stored.hash).unwrap()))];
    assert!(blobs.remove(stored.hash).unwrap());
    completer.note(message.clone(), &mut outcomes).await.unwrap();
    assert!(outcomes[0].1.is_err(), "whoever asked is told");
    let now = store.view().unwrap().by_seq(message.seq).unwrap().unwrap();
    assert_eq!(all_media(&now.content)[0].media().unwrap().media, None);
    assert!(missing(&now, &[MessageType::Image])[0].may_be_there());
}
