//! Tests of the removal of a file that somebody deletes.

use super::*;
use crate::media::bounds::BlobBounds;
use crate::media::upload::Upload;
use crate::model::content::{Content, Media, Segment};
use crate::model::message::Draft;
use crate::model::routing::RoutingFacts;
use crate::store::{Access, StoreOptions};

pub(in crate::media) async fn message_with(store: &Store, hash: Hash) -> Message {
    let media = Media { media: Some(hash.to_string()), ..Media::default() };
    let segments = vec![Segment::File(media)];
    let draft = Draft::of_segments(segments, "group_1".into(), None).unwrap();
    let facts = RoutingFacts::default();
    let command = Command::Create { draft, at: 1, idempotency: None, facts };
    match store.write(command).await.unwrap() {
        Answer::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

pub(in crate::media) fn opened() -> (tempfile::TempDir, Arc<Store>, Blobs) {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions::new(folder.path().join("a.redb"), Access::Write);
    let store = Arc::new(Store::open(&options, Box::new(())).unwrap());
    let blobs = Blobs::open(folder.path().join("media"), BlobBounds::NONE).unwrap();
    (folder, store, blobs)
}

#[tokio::test]
async fn who_removes_a_blob_takes_it_out_of_its_messages() {
    let (_folder, store, blobs) = opened();
    let (kept, _) = Upload::put(&blobs, b"used").unwrap();
    let message = message_with(&store, kept.hash).await;
    let set = |status| store.write(Command::SetStatus { id: message.id, status, at: 2 });
    for status in [Status::Pending, Status::Failed, Status::Canceled] {
        set(status).await.unwrap();
        let refused = remove(store.clone(), blobs.clone(), kept.hash).await.unwrap();
        assert_eq!(refused, Removal::Unsent { messages: 1 }, "{status:?}");
    }
    assert!(blobs.open_blob(kept.hash).is_ok());
    set(Status::Sent).await.unwrap();
    let removed = remove(store.clone(), blobs.clone(), kept.hash).await.unwrap();
    assert_eq!(removed, Removal::Removed { messages: 1 });
    let now = store.view().unwrap().by_id(message.id).unwrap().unwrap();
    assert_eq!(now.content, Content::of(vec![Segment::File(Media::default())]));
    let again = remove(store.clone(), blobs.clone(), kept.hash).await.unwrap();
    assert_eq!(again, Removal::NotFound);
}

#[tokio::test]
async fn a_file_is_taken_out_of_its_messages_page_by_page() {
    let (_folder, store, blobs) = opened();
    let (kept, _) = Upload::put(&blobs, b"used").unwrap();
    let message = message_with(&store, kept.hash).await;
    let set = Command::SetStatus { id: message.id, status: Status::Sent, at: 2 };
    store.write(set).await.unwrap();
    let mut message = store.view().unwrap().by_id(message.id).unwrap().unwrap();
    let copies = (0..2 * AT_ONCE).map(|_| {
        message.id = uuid::Uuid::new_v4();
        message.clone()
    });
    store.write(Command::Import { messages: copies.collect() }).await.unwrap();
    let pages = |mut position| {
        let mut lengths = Vec::new();
        while let Some(after) = position {
            let page = having(&store, kept.hash, after).unwrap();
            lengths.push(page.seqs.len());
            position = page.next;
        }
        lengths
    };
    assert_eq!(pages(Some(0)), [AT_ONCE, AT_ONCE, 1]);
    let removed = remove(store.clone(), blobs.clone(), kept.hash).await.unwrap();
    assert_eq!(removed, Removal::Removed { messages: 2 * AT_ONCE + 1 });
    assert_eq!(pages(Some(0)), [0, 0, 0]);
}

#[tokio::test]
async fn content_that_changed_meanwhile_is_not_overwritten() {
    let (_folder, store, blobs) = opened();
    let (kept, _) = Upload::put(&blobs, b"used").unwrap();
    let message = message_with(&store, kept.hash).await;
    let write = |was: Content, content: Content| {
        store.write(Command::Complete { seq: message.seq, was, content, at: 2 })
    };
    let edited = Content::text("edited");
    assert_eq!(write(message.content.clone(), edited.clone()).await.unwrap(), Answer::Noted);
    assert_eq!(write(message.content.clone(), "late".into()).await.unwrap(), Answer::Nothing);
    take_out(&store, message.clone(), |_| true).await.unwrap();
    let now = store.view().unwrap().by_seq(message.seq).unwrap().unwrap();
    assert_eq!(now.content, edited);
}
