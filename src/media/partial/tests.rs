//! Uploads that continue after kills, and with wrong bytes.

use super::*;
use crate::media::blobs::entries;
use crate::media::bounds::BlobBounds;
use crate::media::upload::Upload;
use std::fs;

fn partials(bounds: BlobBounds) -> (tempfile::TempDir, Partials) {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path().join("media"), bounds).unwrap();
    (folder, Partials::of(blobs).unwrap())
}

/// The same folder after a kill.
fn killed(partials: &Partials) -> Partials {
    let Partials { blobs, .. } = partials;
    Partials::of(Blobs::open(blobs.root(), blobs.bounds()).unwrap()).unwrap()
}

fn hash(bytes: &[u8]) -> Hash {
    Hash::of(&mut &bytes[..]).unwrap()
}

fn files(partials: &Partials) -> usize {
    entries(&partials.blobs.uploads().unwrap()).unwrap().len()
}

fn add(partials: &Partials, id: Uuid, offset: u64, bytes: &[u8]) -> Result<Partial, UploadProblem> {
    let mut writing = partials.open(id, offset)?;
    writing.write(bytes)?;
    writing.finish()
}

#[test]
fn an_upload_goes_on_after_a_kill_where_its_bytes_were_synced() {
    let (_folder, mut partials) = partials(BlobBounds::NONE);
    let id = partials.begin(10, Some("a.txt".into()), None).unwrap().id;
    assert_eq!(add(&partials, id, 0, b"hello").unwrap().offset, 5);
    // These are written and not synced when the process is killed.
    let mut writing = partials.open(id, 5).unwrap();
    writing.write(b"XX").unwrap();
    std::mem::forget(writing);
    partials = killed(&partials);
    assert_eq!(partials.find(id).unwrap().unwrap().offset, 5);
    assert_eq!(add(&partials, id, 7, b"").unwrap_err(), UploadProblem::WrongOffset { offset: 5 });
    let done = add(&partials, id, 5, b"world").unwrap();
    assert_eq!(
        (done.media.as_deref(), done.mime.as_deref()),
        (Some(&*hash(b"helloworld").to_string()), Some("text/plain"),)
    );
    assert!(partials.blobs.is_whole(hash(b"helloworld")).unwrap());
    // A client that did not get the answer asks again.
    assert_eq!(killed(&partials).find(id).unwrap(), Some(done));
    assert_eq!(files(&partials), 1);
}

#[test]
fn a_kill_between_the_record_and_the_blob_loses_nothing() {
    let (_folder, partials) = partials(BlobBounds::NONE);
    let id = partials.begin(5, None, None).unwrap().id;
    let whole = add(&partials, id, 0, b"hell").unwrap();
    let media = Some(hash(b"hello").to_string());
    fs::write(partials.folder.bytes_of(id).unwrap(), b"hello").unwrap();
    partials.folder.write(&Partial { media, offset: 5, ..whole }).unwrap();
    let partials = killed(&partials);
    let found = partials.find(id).unwrap().unwrap();
    assert_eq!((found.offset, &found.media), (5, &None));
    let done = add(&partials, id, 5, b"").unwrap();
    assert_eq!(done.media, Some(hash(b"hello").to_string()));
}

#[test]
fn other_bytes_than_those_that_were_told_are_not_kept() {
    let (_folder, partials) = partials(BlobBounds::NONE);
    let id = partials.begin(5, None, Some(hash(b"hello"))).unwrap().id;
    add(&partials, id, 0, b"he").unwrap();
    // The same file continues, another one begins anew.
    let same = partials.begin(5, None, Some(hash(b"hello"))).unwrap();
    assert_eq!((same.id, same.offset), (id, 2));
    assert_ne!(partials.begin(5, None, Some(hash(b"other"))).unwrap().id, id);
    assert_ne!(partials.begin(5, None, None).unwrap().id, id);
    assert_eq!(add(&partials, id, 2, b"LLO").unwrap_err(), UploadProblem::OtherBytes);
    assert_eq!(add(&partials, id, 0, b"").unwrap_err(), UploadProblem::NotFound);
    assert_eq!(partials.blobs.all().unwrap(), []);
}

#[test]
fn a_file_that_is_here_is_whole_at_once_also_where_there_is_no_room() {
    let bounds = BlobBounds { quota_bytes: 5, ..BlobBounds::NONE };
    let (_folder, partials) = partials(bounds);
    let id = partials.begin(5, None, None).unwrap().id;
    add(&partials, id, 0, b"hello").unwrap();
    let again = partials.begin(5, None, Some(hash(b"hello"))).unwrap();
    assert_eq!((again.offset, again.media), (5, Some(hash(b"hello").to_string())));
    let full = UploadProblem::Refused(BlobRefused::Full { quota_bytes: 5 });
    assert_eq!(partials.begin(5, None, Some(hash(b"other"))).unwrap_err(), full);
}

#[test]
fn number_sum_length_and_age_are_bounded() {
    let bounds = BlobBounds { max_bytes: 10, quota_bytes: 700, reserve_bytes: 0 };
    let (_folder, partials) = partials(bounds);
    let too_large = UploadProblem::Refused(BlobRefused::TooLarge { max_bytes: 10 });
    assert_eq!(partials.begin(11, None, None).unwrap_err(), too_large);
    assert_eq!(
        partials.begin(0, None, None).unwrap_err(),
        UploadProblem::Refused(BlobRefused::Empty)
    );
    let id = partials.begin(10, None, None).unwrap().id;
    assert_eq!(add(&partials, id, 0, &[0; 11]).unwrap_err(), UploadProblem::TooLong { length: 10 });
    for _ in 1..MAX_UPLOADS {
        partials.begin(10, None, None).unwrap();
    }
    assert_eq!(partials.begin(10, None, None).unwrap_err(), UploadProblem::TooMany);
    let old = partials.find(id).unwrap().unwrap();
    partials.folder.write(&Partial { at: 1, ..old.clone() }).unwrap();
    let writing = partials.open(id, 0).unwrap();
    assert_eq!(partials.remove_old().unwrap(), 0, "it goes on just now");
    assert_eq!(partials.remove(id).unwrap_err(), UploadProblem::Busy);
    assert_eq!(partials.open(id, 0).unwrap_err(), UploadProblem::Busy);
    drop(writing);
    assert_eq!(partials.remove_old().unwrap(), 1);
    assert_eq!(partials.find(id).unwrap(), None);
    partials.begin(10, None, None).unwrap();
    let (_folder, partials) = self::partials(BlobBounds { quota_bytes: 15, ..bounds });
    partials.begin(10, None, None).unwrap();
    let full = UploadProblem::Refused(BlobRefused::Full { quota_bytes: 15 });
    assert_eq!(partials.begin(10, None, None).unwrap_err(), full);
}

#[test]
fn what_cannot_go_on_is_removed_at_the_start() {
    let (_folder, partials) = partials(BlobBounds::NONE);
    let id = partials.begin(5, None, None).unwrap().id;
    let folder = partials.blobs.uploads().unwrap();
    let stranger = Uuid::new_v4();
    for name in ["0", &format!("{stranger}.bytes"), &format!("{id}.new"), "x.json"] {
        fs::write(folder.join(name), "half").unwrap();
    }
    fs::write(folder.join(format!("{stranger}.json")), "{").unwrap();
    let partials = killed(&partials);
    assert_eq!(files(&partials), 2);
    partials.remove(id).unwrap();
    assert_eq!(files(&partials), 0);
}

#[test]
fn an_upload_that_cannot_begin_leaves_nothing() {
    let (_folder, partials) = partials(BlobBounds::NONE);
    let partial = Partial::new(5, None, None);
    // A non-empty folder has the name of its record.
    let record = partials.blobs.uploads().unwrap().join(format!("{}.json", partial.id));
    fs::create_dir_all(record.join("x")).unwrap();
    assert!(partials.folder.create(&partial).is_err());
    fs::remove_dir_all(record).unwrap();
    assert_eq!(files(&partials), 0);
}

#[test]
fn no_other_file_takes_the_room_of_an_upload_that_is_not_whole() {
    let full = BlobRefused::Full { quota_bytes: 10 };
    let put = |partials: &Partials, bytes: &[u8]| Upload::put(&partials.blobs, bytes).map(drop);
    let (_folder, partials) = partials(BlobBounds { quota_bytes: 10, ..BlobBounds::NONE });
    let id = partials.begin(6, None, None).unwrap().id;
    add(&partials, id, 0, b"hel").unwrap();
    assert_eq!(put(&partials, b"other"), Err(full.clone()));
    assert_eq!(partials.blobs.check_quota(5), Err(full.clone()), "a file that is to be fetched");
    put(&partials, b"four").unwrap();
    // Also after a kill.
    let partials = killed(&partials);
    assert_eq!(put(&partials, b"x"), Err(full.clone()));
    let done = add(&partials, id, 3, b"lo!").unwrap();
    assert!(done.media.is_some(), "its own room is no hindrance");
    assert_eq!(partials.blobs.used().unwrap(), 10);
    // A finished file is counted once; one that is removed or refused is not counted.
    partials.blobs.remove(hash(b"hello!")).unwrap();
    let id = partials.begin(6, None, Some(hash(b"hello!"))).unwrap().id;
    assert_eq!(add(&partials, id, 0, b"HELLO!").unwrap_err(), UploadProblem::OtherBytes);
    let id = partials.begin(6, None, None).unwrap().id;
    partials.remove(id).unwrap();
    put(&partials, b"123456").unwrap();
}

#[test]
fn the_disk_is_kept_free_for_what_is_still_to_come_of_an_upload() {
    let (_folder, partials) = partials(BlobBounds { reserve_bytes: 1, ..BlobBounds::NONE });
    let Partials { blobs, .. } = &partials;
    let id = partials.begin(6, None, None).unwrap().id;
    add(&partials, id, 0, b"hel").unwrap();
    // As if there were an upload that is too large for any disk.
    let other = Uuid::new_v4();
    blobs.reservations().set(other, u64::MAX / 2, u64::MAX / 2);
    Upload::put(blobs, b"other").unwrap();
    blobs.reservations().set(other, u64::MAX / 2, 0);
    let full = BlobRefused::DiskFull { reserve_bytes: 1 };
    assert_eq!(Upload::put(blobs, b"another"), Err(full.clone()));
    let refused = UploadProblem::Refused(full);
    assert_eq!(add(&partials, id, 3, b"lo!").unwrap_err(), refused);
    assert_eq!(partials.begin(1, None, None).unwrap_err(), refused);
}

#[test]
fn the_oldest_uploads_that_are_whole_are_forgotten_and_their_files_are_not() {
    let (_folder, partials) = partials(BlobBounds::NONE);
    let whole = |n: usize| {
        let bytes = n.to_string();
        let id = partials.begin(bytes.len() as u64, None, None).unwrap().id;
        add(&partials, id, 0, bytes.as_bytes()).unwrap()
    };
    let first = whole(0);
    partials.folder.write(&Partial { at: first.at - 100, ..first.clone() }).unwrap();
    let ids: Vec<_> = (1..MAX_UPLOADS).map(|n| whole(n).id).collect();
    assert_eq!(partials.folder.ids().unwrap().len(), MAX_UPLOADS);
    let last = whole(MAX_UPLOADS).id;
    assert_eq!(partials.folder.ids().unwrap().len(), MAX_UPLOADS);
    assert_eq!(partials.find(first.id).unwrap(), None);
    for id in ids.into_iter().chain([last]) {
        assert!(partials.find(id).unwrap().is_some());
    }
    assert_eq!(partials.blobs.all().unwrap().len(), MAX_UPLOADS + 1);
}
