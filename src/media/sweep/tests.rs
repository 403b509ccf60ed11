//! Tests of the removal of files that no message has.

use super::*;
use crate::media::bounds::BlobBounds;
use crate::media::removal::tests::{message_with, opened};
use crate::media::upload::Upload;
use crate::store::{Access, Command, StoreOptions};

#[tokio::test]
async fn only_what_no_message_has_is_removed_and_not_at_once() {
    let (_folder, store, blobs) = opened();
    let (used, _) = Upload::put(&blobs, b"used").unwrap();
    let (unused, _) = Upload::put(&blobs, b"unused").unwrap();
    let message = message_with(&store, used.hash).await;
    let mut damage = DamageTime::default();
    let mut sweep = |grace| remove_unused(&store, &blobs, grace, &mut damage, || true).unwrap();
    assert_eq!(sweep(GRACE_PERIOD), 0);
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
