//! A blob while it is written.

use super::blobs::{Blobs, Stored};
use super::bounds::BlobRefused;
use super::hash::Hash;
use super::sniff::{FileType, HEAD_BYTES, sniff};
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// A blob whose bytes arrive piece by piece; removed if it is dropped before it is stored.
#[derive(Debug)]
pub struct Upload {
    blobs: Blobs,
    file: File,
    path: PathBuf,
    hasher: Sha256,
    size: u64,
    /// The first bytes, which show the type.
    head: Vec<u8>,
}

impl Upload {
    /// Begins a blob.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn begin(blobs: &Blobs) -> Result<Self, BlobRefused> {
        let path = blobs.uploads()?.join(uuid::Uuid::new_v4().to_string());
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let (blobs, hasher) = (blobs.clone(), Sha256::new());
        Ok(Self { blobs, file, path, hasher, size: 0, head: Vec::new() })
    }

    /// Stores bytes that are complete.
    ///
    /// # Errors
    ///
    /// There are no bytes, too many, or the disk refuses; [`BlobRefused`] says which.
    pub fn put(blobs: &Blobs, bytes: &[u8]) -> Result<(Stored, FileType), BlobRefused> {
        let mut upload = Self::begin(blobs)?;
        upload.write(bytes)?;
        let kind = upload.kind();
        Ok((upload.finish()?, kind))
    }

    /// Whether this number of bytes may be added.
    ///
    /// # Errors
    ///
    /// It would have too many.
    pub fn check_size(&self, more: u64) -> Result<(), BlobRefused> {
        let max_bytes = self.blobs.bounds().max_bytes;
        if self.size.saturating_add(more) > max_bytes {
            return Err(BlobRefused::TooLarge { max_bytes });
        }
        Ok(())
    }

    /// Adds bytes. The sum of all blobs is checked at the end.
    ///
    /// # Errors
    ///
    /// There are too many bytes, or the disk refuses.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), BlobRefused> {
        let more = bytes.len() as u64;
        self.check_size(more)?;
        self.blobs.check_disk(more, None)?;
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.size += more;
        let missing = HEAD_BYTES.saturating_sub(self.head.len());
        self.head.extend_from_slice(&bytes[..bytes.len().min(missing)]);
        Ok(())
    }

    /// Bytes so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// SHA-256 of the bytes so far.
    pub fn hash(&self) -> Hash {
        self.hasher.clone().into()
    }

    /// Its type, by its first bytes.
    pub fn kind(&self) -> FileType {
        sniff(&self.head)
    }

    /// Stores it; returns once it is on disk under its final name.
    ///
    /// # Errors
    ///
    /// There are no bytes, all blobs together would have too many, or the disk refuses.
    pub fn finish(self) -> Result<Stored, BlobRefused> {
        if self.size == 0 {
            return Err(BlobRefused::Empty);
        }
        self.file.sync_all()?;
        self.blobs.keep(&self.path, self.hash(), self.size, None)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // A stored blob was renamed before.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::super::blobs::entries;
    use super::super::bounds::BlobBounds;
    use super::*;
    use std::io::Read;
    use std::time::SystemTime;

    fn blobs_within(bounds: BlobBounds) -> (tempfile::TempDir, Blobs) {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path().join("a/media"), bounds).unwrap();
        (folder, blobs)
    }

    fn blobs() -> (tempfile::TempDir, Blobs) {
        blobs_within(BlobBounds::NONE)
    }

    fn uploads(blobs: &Blobs) -> usize {
        entries(&blobs.uploads().unwrap()).unwrap().len()
    }

    #[test]
    fn the_same_bytes_are_one_blob() {
        let (_folder, blobs) = blobs();
        assert_eq!(blobs.all().unwrap(), []);
        let (one, _) = Upload::put(&blobs, b"hello").unwrap();
        let name = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        assert_eq!((one.hash.to_string().as_str(), one.size), (name, 5));
        let (again, _) = Upload::put(&blobs, b"hello").unwrap();
        assert_eq!((again.hash, blobs.used().unwrap()), (one.hash, 5));
        assert_eq!(again.created, one.created);
        assert_eq!(blobs.all().unwrap(), [again]);
        let mut text = String::new();
        blobs.open_blob(one.hash).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
        assert!(blobs.is_whole(one.hash).unwrap());
        assert_eq!(uploads(&blobs), 0);
        assert!(blobs.remove(one.hash).unwrap());
        assert!(!blobs.remove(one.hash).unwrap());
        assert_eq!((blobs.all().unwrap(), blobs.used().unwrap()), (vec![], 0));
    }

    #[test]
    fn an_upload_that_breaks_off_leaves_nothing() {
        let (_folder, blobs) = blobs();
        let mut upload = Upload::begin(&blobs).unwrap();
        upload.write(b"half").unwrap();
        drop(upload);
        assert_eq!(Upload::begin(&blobs).unwrap().finish(), Err(BlobRefused::Empty));
        assert_eq!((blobs.all().unwrap(), blobs.used().unwrap(), uploads(&blobs)), (vec![], 0, 0));
    }

    #[test]
    fn size_and_sum_are_bounded() {
        let bounds = BlobBounds { max_bytes: 10, quota_bytes: 15, reserve_bytes: 0 };
        let (_folder, blobs) = blobs_within(bounds);
        assert_eq!(Upload::put(&blobs, &[0; 11]), Err(BlobRefused::TooLarge { max_bytes: 10 }));
        Upload::put(&blobs, &[1; 10]).unwrap();
        assert_eq!(Upload::put(&blobs, &[2; 6]), Err(BlobRefused::Full { quota_bytes: 15 }));
        assert_eq!(blobs.used().unwrap(), 10);
        // Bytes that are stored already need no space.
        Upload::put(&blobs, &[1; 10]).unwrap();
        let (kept, _) = Upload::put(&blobs, &[3; 5]).unwrap();
        assert_eq!(Blobs::open(blobs.root(), bounds).unwrap().used().unwrap(), 15);
        blobs.remove(kept.hash).unwrap();
        Upload::put(&blobs, &[4; 5]).unwrap();
        let reserve_bytes = u64::MAX;
        let (_folder, blobs) = blobs_within(BlobBounds { reserve_bytes, ..bounds });
        assert_eq!(Upload::put(&blobs, b"x"), Err(BlobRefused::DiskFull { reserve_bytes }));
        assert_eq!(uploads(&blobs), 0);
    }

    #[test]
    fn what_is_held_is_not_removed() {
        let (_folder, blobs) = blobs();
        let (kept, _) = Upload::put(&blobs, b"hello").unwrap();
        let old = SystemTime::UNIX_EPOCH;
        let path = blobs.path(kept.hash);
        OpenOptions::new().append(true).open(path).unwrap().set_modified(old).unwrap();
        let found = blobs.all().unwrap()[0];
        assert!(blobs.hold(found.hash).unwrap());
        assert!(!blobs.remove_unheld(&found).unwrap());
        assert!(blobs.remove_unheld(&blobs.all().unwrap()[0]).unwrap());
        assert!(!blobs.hold(found.hash).unwrap());
    }

    #[test]
    fn damage_is_found_and_mended_by_the_same_bytes() {
        let (_folder, blobs) = blobs();
        let (stored, _) = Upload::put(&blobs, b"hello").unwrap();
        fs::write(blobs.path(stored.hash), "hell").unwrap();
        assert!(!blobs.is_whole(stored.hash).unwrap());
        Upload::put(&blobs, b"hello").unwrap();
        assert!(blobs.is_whole(stored.hash).unwrap());
    }
}
