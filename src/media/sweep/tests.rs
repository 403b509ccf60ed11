//! Tests of the removal of blobs.

use super::*;
use crate::media::bounds::BlobBounds;
use crate::media::upload::Upload;
use crate::model::content::{Content, Media, Segment};
use crate::model::message::Draft;
use crate::model::routing::RoutingFacts;
use crate::store::{Access, StoreOptions};

async fn message_with(store: &Store, hash: Hash) -> Message {
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

fn opened() -> (tempfile::TempDir, Arc<Store>, Blobs) {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions::new(folder.path().join("a.redb"), Access::Write);
    let store = Arc::new(Store::open(&options, Box::new(())).unwrap());
    let blobs = Blobs::open(folder.path().join("media"), BlobBounds::NONE).unwrap();
    (folder, store, blobs)
}

#[tokio::test]
async fn only_what_no_message_has_is_removed_and_not_at_once() {
    let (_folder, store, blobs) = opened();
    let (used, _) = Upload::put(&blobs, b"used").unwrap();
    let (unused, _) = Upload::put(&blobs, b"unused").unwrap();
    let message = message_with(&store, used.hash).await;
    let mut damage = DamageTime::default();
    let mut sweep = |grace| remove_unused(&store, &blobs, grace, &mut damage, || true).unwrap();
    assert_eq!(sweep(GRACE), 0);
    assert_eq!(sweep(Duration::ZERO), 1);
    assert!(blobs.open_blob(used.hash).is_ok() && blobs.open_blob(unused.hash).is_err());
    store.write(Command::Delete { id: message.id }).await.unwrap();
    assert_eq!(sweep(Duration::ZERO), 1);
    assert_eq!(blobs.used().unwrap(), 0);
}

#[tokio::test]
async fn files_that_are_older_than_the_store_stay() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path().join("media"), BlobBounds::NONE).unwrap();
    let (older, _) = Upload::put(&blobs, b"of a store that was lost").unwrap();
    // Empty, as a full disk or an operator leaves it.
    std::fs::write(folder.path().join("a.redb"), b"").unwrap();
    let options = StoreOptions::new(folder.path().join("a.redb"), Access::Write);
    let store = Store::open(&options, Box::new(())).unwrap();
    let (unused, _) = Upload::put(&blobs, b"unused").unwrap();
    let mut damage = DamageTime::default();
    let removed = remove_unused(&store, &blobs, Duration::ZERO, &mut damage, || true).unwrap();
    assert_eq!(removed, 1);
    assert!(blobs.open_blob(older.hash).is_ok() && blobs.open_blob(unused.hash).is_err());
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

#[tokio::test]
async fn a_damaged_message_keeps_the_files_of_before_and_no_others() {
    let (folder, store, blobs) = opened();
    let (named, _) = Upload::put(&blobs, b"of the damaged message").unwrap();
    let damaged = message_with(&store, named.hash).await;
    message_with(&store, named.hash).await;
    store.close();
    {
        let database = redb::Database::open(folder.path().join("a.redb")).unwrap();
        let txn = database.begin_write().unwrap();
        let messages = redb::TableDefinition::<u64, &[u8]>::new("messages");
        txn.open_table(messages).unwrap().insert(damaged.seq, &b"\xff"[..]).unwrap();
        txn.commit().unwrap();
    }
    let options = StoreOptions::new(folder.path().join("a.redb"), Access::Write);
    let store = Store::open(&options, Box::new(())).unwrap();
    let second = store.view().unwrap().readable_after(0).unwrap().next().unwrap().unwrap();
    store.write(Command::Delete { id: second.id }).await.unwrap();
    let mut damage = DamageTime::default();
    let mut sweep = || remove_unused(&store, &blobs, Duration::ZERO, &mut damage, || true).unwrap();
    assert_eq!(sweep(), 0, "the damaged message may have it");
    let (unused, _) = Upload::put(&blobs, b"unused, and newer").unwrap();
    assert_eq!(sweep(), 1);
    assert!(blobs.open_blob(named.hash).is_ok() && blobs.open_blob(unused.hash).is_err());
}

#[tokio::test]
async fn files_stay_that_a_damaged_store_had_as_long_as_that_is_kept() {
    let (_folder, store, blobs) = opened();
    Upload::put(&blobs, b"of a message that was lost").unwrap();
    let kept = Some(SystemTime::now() + Duration::from_secs(1));
    let mut damage = DamageTime { kept, ..DamageTime::default() };
    let mut sweep = |kept| {
        damage.kept = kept;
        remove_unused(&store, &blobs, Duration::ZERO, &mut damage, || true).unwrap()
    };
    assert_eq!(sweep(kept), 0);
    assert_eq!(sweep(None), 1);
}
