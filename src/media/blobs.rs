//! Blobs: files named by their SHA-256, as `<root>/ab/<hash>`.
//!
//! A blob is written under a temporary name, synced and renamed, so that a name is either whole or
//! not there. The same bytes twice are one blob. Size, sum and free disk are bounded.

use super::hash::Hash;
use super::sniff::{FileType, HEAD_BYTES, sniff};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// Folder below the root for blobs that are being written.
const UPLOADS: &str = "uploads";

/// Bytes that are read at a time.
const BUFFER: usize = 256 << 10;

/// Bounds of what is kept, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobBounds {
    /// The largest blob.
    pub max_bytes: u64,
    /// All blobs together; 0 sets no bound.
    pub quota_bytes: u64,
    /// Bytes of the disk that blobs leave free, for messages.
    pub reserve_bytes: u64,
}

impl BlobBounds {
    /// No bounds at all, for reading and checking.
    pub const NONE: Self = Self { max_bytes: u64::MAX, quota_bytes: 0, reserve_bytes: 0 };
}

/// Why bytes are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlobRefused {
    /// There are none.
    Empty,
    /// There are more than `max_bytes`.
    #[allow(missing_docs)]
    TooLarge { max_bytes: u64 },
    /// All blobs together would have more than `quota_bytes`.
    #[allow(missing_docs)]
    Full { quota_bytes: u64 },
    /// The disk would have less than `reserve_bytes` free.
    #[allow(missing_docs)]
    DiskFull { reserve_bytes: u64 },
    /// The disk failed.
    Disk(String),
}

impl fmt::Display for BlobRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the file is empty"),
            Self::TooLarge { max_bytes } => {
                write!(f, "the file has more than {max_bytes} bytes (`media.max_bytes`)")
            }
            Self::Full { quota_bytes } => write!(
                f,
                "media take up all of their {quota_bytes} bytes (`media.quota_bytes`); raise it, or remove \
                 some with `rechat media --remove`"
            ),
            Self::DiskFull { reserve_bytes } => write!(
                f,
                "the disk has less than {reserve_bytes} bytes free (`media.reserve_bytes`)"
            ),
            Self::Disk(error) => write!(f, "the file cannot be written: {error}"),
        }
    }
}

impl From<io::Error> for BlobRefused {
    fn from(error: io::Error) -> Self {
        Self::Disk(error.to_string())
    }
}

/// A blob that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    #[allow(missing_docs)]
    pub hash: Hash,
    /// Bytes.
    pub size: u64,
    /// When it was written, or last named by somebody who makes a message of it.
    pub modified: SystemTime,
}

/// The folder of blobs.
#[derive(Clone, Debug)]
pub struct Blobs {
    root: PathBuf,
    bounds: BlobBounds,
    /// Bytes of all blobs, with those that are being written.
    used: Arc<AtomicU64>,
    /// Held while a blob gets its name, is named anew or removed.
    names: Arc<Mutex<()>>,
}

/// The folder of the blobs that belong to a store.
pub fn folder_beside(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push("-media");
    name.into()
}

impl Blobs {
    /// The blobs below a folder, which is made with the first blob.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn open(root: impl Into<PathBuf>, bounds: BlobBounds) -> io::Result<Self> {
        let (used, names) = (Arc::default(), Arc::default());
        let blobs = Self { root: root.into(), bounds, used, names };
        let bytes = blobs.all()?.iter().map(|stored| stored.size).sum();
        blobs.used.store(bytes, Ordering::Relaxed);
        Ok(blobs)
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Bounds of what is kept.
    pub fn bounds(&self) -> BlobBounds {
        self.bounds
    }

    /// Bytes of all blobs.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Begins a blob, whose bytes come bit by bit.
    ///
    /// # Errors
    ///
    /// It is too large, there is no room for it, or the disk refuses; `BlobRefused` says which.
    pub fn begin(&self) -> Result<Upload, BlobRefused> {
        let folder = self.root.join(UPLOADS);
        make_folder(&folder)?;
        let path = folder.join(uuid::Uuid::new_v4().to_string());
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let hasher = Sha256::new();
        Ok(Upload {
            blobs: self.clone(),
            file,
            path,
            hasher,
            size: 0,
            counted: 0,
            head: Vec::new(),
        })
    }

    /// Keeps bytes that are all here.
    ///
    /// # Errors
    ///
    /// It is too large, there is no room for it, or the disk refuses; `BlobRefused` says which.
    pub fn put(&self, bytes: &[u8]) -> Result<(Stored, FileType), BlobRefused> {
        let mut upload = self.begin()?;
        upload.write(bytes)?;
        let kind = upload.kind();
        Ok((upload.finish()?, kind))
    }

    /// Opens a blob for reading; `NotFound` where it is not kept.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn open_blob(&self, hash: Hash) -> io::Result<File> {
        File::open(self.path(hash))
    }

    /// The bytes of a blob; `None` where it is not kept.
    ///
    /// # Errors
    /// It has more than `most` bytes, or cannot be read.
    pub fn read(&self, hash: Hash, most: u64) -> io::Result<Option<Bytes>> {
        let file = match self.open_blob(hash) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if file.metadata()?.len() > most {
            return Err(io::Error::other(format!("it has more than {most} bytes")));
        }
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes)?;
        Ok(Some(bytes.into()))
    }

    /// A blob's size and kind; `NotFound` where it is not kept.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn describe(&self, hash: Hash) -> io::Result<(u64, FileType)> {
        let file = self.open_blob(hash)?;
        let size = file.metadata()?.len();
        let mut head = Vec::new();
        file.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
        Ok((size, sniff(&head)))
    }

    /// Keeps a blob from being removed until a message that has it is stored, and long after; false
    /// where it is not kept.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn hold(&self, hash: Hash) -> io::Result<bool> {
        let _names = self.lock();
        match OpenOptions::new().append(true).open(self.path(hash)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
            Ok(file) => file.set_modified(SystemTime::now()).map(|()| true),
        }
    }

    /// Removes a blob, and says whether it was there.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn remove(&self, hash: Hash) -> io::Result<bool> {
        let _names = self.lock();
        self.remove_named(hash)
    }

    /// Removes a blob that nobody has held since it was found; says whether it is gone.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn remove_unheld(&self, found: &Stored) -> io::Result<bool> {
        let _names = self.lock();
        let now = match self.path(found.hash).metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            about => about?.modified()?,
        };
        if now != found.modified {
            return Ok(false);
        }
        self.remove_named(found.hash)
    }

    fn remove_named(&self, hash: Hash) -> io::Result<bool> {
        let path = self.path(hash);
        let size = match path.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            about => about?.len(),
        };
        fs::remove_file(path)?;
        self.release(size);
        Ok(true)
    }

    /// Every blob with its size, in no order. Files of other names are passed over.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn all(&self) -> io::Result<Vec<Stored>> {
        let mut found = Vec::new();
        for folder in entries(&self.root)? {
            if folder.file_name().is_none_or(|name| name.len() != 2) {
                continue;
            }
            for file in entries(&folder)? {
                let hash = file.file_name().and_then(|name| name.to_str()?.parse().ok());
                let (Some(hash), Ok(about)) = (hash, file.metadata()) else { continue };
                found.push(Stored { hash, size: about.len(), modified: about.modified()? });
            }
        }
        Ok(found)
    }

    /// Removes what uploads left that a kill broke off. Nobody else may be writing.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn remove_broken_uploads(&self) -> io::Result<()> {
        entries(&self.root.join(UPLOADS))?.into_iter().try_for_each(fs::remove_file)
    }

    /// Reads a blob and compares it with its name; false where it is damaged.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn is_whole(&self, hash: Hash) -> io::Result<bool> {
        let mut hasher = Sha256::new();
        let mut file = self.open_blob(hash)?;
        let mut buffer = vec![0; BUFFER];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(hasher.finalize().as_slice() == hash.0),
                read => hasher.update(&buffer[..read]),
            }
        }
    }

    /// Copies every blob into another folder; what is there already stays.
    ///
    /// # Errors
    ///
    /// It is too large, there is no room for it, or the disk refuses; `BlobRefused` says which.
    pub fn copy_to(&self, root: &Path) -> Result<u64, BlobRefused> {
        let target = Self::open(root, BlobBounds::NONE)?;
        let mut copied = 0;
        for Stored { hash, size, .. } in self.all()? {
            if target.path(hash).metadata().is_ok_and(|about| about.len() == size) {
                continue;
            }
            let mut upload = target.begin()?;
            // It may be removed meanwhile.
            if !self.copy_blob(hash, &mut upload)? {
                continue;
            }
            upload.finish()?;
            copied += 1;
        }
        Ok(copied)
    }

    /// Copies a blob's bytes; false where it is not kept.
    ///
    /// # Errors
    ///
    /// It is too large, there is no room for it, or the disk refuses; `BlobRefused` says which.
    pub fn copy_blob(&self, hash: Hash, to: &mut Upload) -> Result<bool, BlobRefused> {
        let mut file = match self.open_blob(hash) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            file => file?,
        };
        let mut buffer = vec![0; BUFFER];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(true),
                read => to.write(&buffer[..read])?,
            }
        }
    }

    /// Path of a blob's file.
    fn path(&self, hash: Hash) -> PathBuf {
        let name = hash.to_string();
        self.root.join(&name[..2]).join(name)
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts bytes that are to be written, where they fit.
    fn take(&self, bytes: u64) -> Result<(), BlobRefused> {
        let BlobBounds { quota_bytes, reserve_bytes, .. } = self.bounds;
        let used = self.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let refused = if quota_bytes > 0 && used > quota_bytes {
            Some(BlobRefused::Full { quota_bytes })
        } else if reserve_bytes > 0 && self.free()? < reserve_bytes.saturating_add(bytes) {
            Some(BlobRefused::DiskFull { reserve_bytes })
        } else {
            None
        };
        match refused {
            Some(refused) => {
                self.release(bytes);
                Err(refused)
            }
            None => Ok(()),
        }
    }

    fn release(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes of the disk that are free.
    fn free(&self) -> io::Result<u64> {
        let disk = rustix::fs::statvfs(&self.root)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
}

/// A blob that is being written; dropped before [`Upload::finish`], nothing stays of it.
#[derive(Debug)]
pub struct Upload {
    blobs: Blobs,
    file: File,
    path: PathBuf,
    hasher: Sha256,
    size: u64,
    /// Bytes of it that count as used.
    counted: u64,
    /// The first bytes, which tell what it is.
    head: Vec<u8>,
}

impl Upload {
    /// Adds bytes.
    ///
    /// # Errors
    ///
    /// It is too large, there is no room for it, or the disk refuses; `BlobRefused` says which.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), BlobRefused> {
        let max_bytes = self.blobs.bounds.max_bytes;
        let more = bytes.len() as u64;
        if self.size.saturating_add(more) > max_bytes {
            return Err(BlobRefused::TooLarge { max_bytes });
        }
        self.blobs.take(more)?;
        self.counted += more;
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

    /// Its type, by its first bytes.
    pub fn kind(&self) -> FileType {
        sniff(&self.head)
    }

    /// Keeps it; returns once it is on disk under its own name.
    ///
    /// # Errors
    ///
    /// It is too large, there is no room for it, or the disk refuses; `BlobRefused` says which.
    pub fn finish(mut self) -> Result<Stored, BlobRefused> {
        if self.size == 0 {
            return Err(BlobRefused::Empty);
        }
        self.file.sync_all()?;
        let hash = Hash(std::mem::take(&mut self.hasher).finalize().into());
        let place = self.blobs.path(hash);
        let folder = place.parent().unwrap_or(&self.blobs.root);
        make_folder(folder)?;
        // Another upload of the same bytes waits, and finds it there.
        let names = Arc::clone(&self.blobs.names);
        let _names = names.lock().unwrap_or_else(PoisonError::into_inner);
        let modified = SystemTime::now();
        self.file.set_modified(modified)?;
        let before = place.metadata().map_or(0, |about| about.len());
        fs::rename(&self.path, &place)?;
        File::open(folder)?.sync_all()?;
        self.counted = before;
        // As the file system rounds it.
        let modified = place.metadata()?.modified()?;
        Ok(Stored { hash, size: self.size, modified })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // Renamed already where it is kept.
        let _ = fs::remove_file(&self.path);
        self.blobs.release(self.counted);
    }
}

/// Makes a folder and those above it, and sees to it that each outlives a power cut.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        make_folder(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

/// The paths in a folder; none where there is no folder.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
        Ok(read) => read.map(|entry| Ok(entry?.path())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blobs_within(bounds: BlobBounds) -> (tempfile::TempDir, Blobs) {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path().join("a/media"), bounds).unwrap();
        (folder, blobs)
    }

    fn blobs() -> (tempfile::TempDir, Blobs) {
        blobs_within(BlobBounds::NONE)
    }

    fn uploads(blobs: &Blobs) -> usize {
        entries(&blobs.root.join(UPLOADS)).unwrap().len()
    }

    #[test]
    fn the_same_bytes_are_one_blob() {
        let (_folder, blobs) = blobs();
        assert_eq!(blobs.all().unwrap(), []);
        let (one, _) = blobs.put(b"hello").unwrap();
        let name = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        assert_eq!((one.hash.to_string().as_str(), one.size), (name, 5));
        let (again, _) = blobs.put(b"hello").unwrap();
        assert_eq!((again.hash, blobs.used()), (one.hash, 5));
        assert_eq!(blobs.all().unwrap(), [again]);
        let mut text = String::new();
        blobs.open_blob(one.hash).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
        assert!(blobs.is_whole(one.hash).unwrap());
        assert_eq!(uploads(&blobs), 0);
        assert!(blobs.remove(one.hash).unwrap());
        assert!(!blobs.remove(one.hash).unwrap());
        assert_eq!((blobs.all().unwrap(), blobs.used()), (vec![], 0));
    }

    #[test]
    fn an_upload_that_breaks_off_leaves_nothing() {
        let (_folder, blobs) = blobs();
        let mut upload = blobs.begin().unwrap();
        upload.write(b"half").unwrap();
        drop(upload);
        assert_eq!(blobs.begin().unwrap().finish(), Err(BlobRefused::Empty));
        assert_eq!((blobs.all().unwrap(), blobs.used(), uploads(&blobs)), (vec![], 0, 0));
        // A process that was killed removes nothing itself.
        std::mem::forget(blobs.begin().unwrap());
        assert_eq!(uploads(&blobs), 1);
        blobs.remove_broken_uploads().unwrap();
        assert_eq!(uploads(&blobs), 0);
    }

    #[test]
    fn size_and_sum_are_bounded() {
        let bounds = BlobBounds { max_bytes: 10, quota_bytes: 15, reserve_bytes: 0 };
        let (_folder, blobs) = blobs_within(bounds);
        assert_eq!(blobs.put(&[0; 11]), Err(BlobRefused::TooLarge { max_bytes: 10 }));
        blobs.put(&[1; 10]).unwrap();
        assert_eq!(blobs.put(&[2; 6]), Err(BlobRefused::Full { quota_bytes: 15 }));
        assert_eq!(blobs.used(), 10);
        let (kept, _) = blobs.put(&[3; 5]).unwrap();
        assert_eq!(Blobs::open(blobs.root(), bounds).unwrap().used(), 15);
        blobs.remove(kept.hash).unwrap();
        blobs.put(&[4; 5]).unwrap();
        let reserve_bytes = u64::MAX;
        let (_folder, blobs) = blobs_within(BlobBounds { reserve_bytes, ..bounds });
        assert_eq!(blobs.put(b"x"), Err(BlobRefused::DiskFull { reserve_bytes }));
        assert_eq!(uploads(&blobs), 0);
    }

    #[test]
    fn what_is_held_is_not_removed() {
        let (_folder, blobs) = blobs();
        let (kept, _) = blobs.put(b"hello").unwrap();
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
        let (stored, _) = blobs.put(b"hello").unwrap();
        fs::write(blobs.path(stored.hash), "hell").unwrap();
        assert!(!blobs.is_whole(stored.hash).unwrap());
        blobs.put(b"hello").unwrap();
        assert!(blobs.is_whole(stored.hash).unwrap());
    }

    #[test]
    fn a_copy_has_every_blob() {
        let (folder, blobs) = blobs();
        blobs.put(b"a").unwrap();
        blobs.put(b"b").unwrap();
        let to = folder.path().join("copy");
        assert_eq!(blobs.copy_to(&to).unwrap(), 2);
        assert_eq!(blobs.copy_to(&to).unwrap(), 0);
        let mut hashes = Blobs::open(&to, BlobBounds::NONE).unwrap().all().unwrap();
        let mut originals = blobs.all().unwrap();
        hashes.sort_by_key(|stored| stored.hash);
        originals.sort_by_key(|stored| stored.hash);
        let names = |all: &[Stored]| all.iter().map(|stored| stored.hash).collect::<Vec<_>>();
        assert_eq!(names(&hashes), names(&originals));
    }
}
