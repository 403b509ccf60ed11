//! Blobs: files named by their SHA-256, as `<root>/ab/<hash>`.
//!
//! A blob is written under a temporary name, synced and renamed, so that a file with its final name is
//! always complete. The same bytes make only one blob. Size, sum and free disk space are bounded, and
//! unfinished uploads count with their whole length.

use super::bounds::{BlobBounds, BlobRefused};
use super::hash::Hash;
use super::reservations::Reservations;
use super::sniff::{FileType, HEAD_BYTES, sniff};
use bytes::Bytes;
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use uuid::Uuid;

/// Folder below the root for unfinished blobs.
pub(super) const UPLOADS: &str = "uploads";

/// A stored blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    #[allow(missing_docs)]
    pub hash: Hash,
    /// Bytes.
    pub size: u64,
    /// When it was stored.
    pub created: SystemTime,
    /// When it was stored, or last used for a message.
    pub modified: SystemTime,
}

/// The folder of blobs.
#[derive(Clone, Debug)]
pub struct Blobs {
    root: PathBuf,
    bounds: BlobBounds,
    /// Held while a blob is renamed, touched or removed.
    used: Arc<Mutex<UsedBytes>>,
    reservations: Reservations,
    /// Asked for what is not kept here.
    peers: Option<Arc<dyn MediaPeers>>,
}

/// Other servers that keep files of the same messages.
pub trait MediaPeers: fmt::Debug + Send + Sync {
    /// Has a file brought here, and waits for it, not for long; whether it is here then. Blocks the
    /// thread.
    fn bring(&self, hash: Hash) -> bool;
}

/// Bytes of all blobs; `None` if they are not counted: before the first request for the sum, and
/// after a change that failed.
type UsedBytes = Option<u64>;

/// The folder of the blobs that belong to a store.
pub fn folder_beside(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push("-media");
    name.into()
}

impl Blobs {
    /// The blobs below a folder, which is created with the first blob. They are counted when their
    /// sum is first needed.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub fn open(root: impl Into<PathBuf>, bounds: BlobBounds) -> io::Result<Self> {
        let (used, reservations) = (Arc::default(), Reservations::default());
        let blobs = Self { root: root.into(), bounds, used, reservations, peers: None };
        entries(&blobs.root)?;
        Ok(blobs)
    }

    /// The same blobs; who opens, finds or holds one that is not here has it brought from other servers.
    #[must_use]
    pub fn with_peers(self, peers: Arc<dyn MediaPeers>) -> Self {
        Self { peers: Some(peers), ..self }
    }

    /// Looks for a blob, and again where it is not here and another server has it.
    fn or_brought<T>(&self, hash: Hash, look: impl Fn() -> io::Result<T>) -> io::Result<T> {
        match (look(), &self.peers) {
            (Err(error), Some(peers)) if error.kind() == io::ErrorKind::NotFound => {
                if peers.bring(hash) { look() } else { Err(error) }
            }
            (found, _) => found,
        }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The bounds of blobs.
    pub fn bounds(&self) -> BlobBounds {
        self.bounds
    }

    /// Bytes of all blobs.
    ///
    /// # Errors
    ///
    /// They are not counted yet, and the folder cannot be read.
    pub fn used(&self) -> io::Result<u64> {
        self.counted(&mut self.lock())
    }

    /// Like [`Self::used`], but counts the files again, because other programs may have changed
    /// them.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub fn count_anew(&self) -> io::Result<u64> {
        let mut used = self.lock();
        *used = None;
        self.counted(&mut used)
    }

    fn counted(&self, used: &mut UsedBytes) -> io::Result<u64> {
        if let Some(bytes) = *used {
            return Ok(bytes);
        }
        let bytes = self.all()?.iter().map(|stored| stored.size).sum();
        *used = Some(bytes);
        Ok(bytes)
    }

    /// Whether this number of bytes may be added, next to the unfinished uploads.
    ///
    /// # Errors
    ///
    /// All of them together would have more than they may, or they cannot be counted.
    pub fn check_quota(&self, bytes: u64) -> Result<(), BlobRefused> {
        self.check_room(&mut self.lock(), bytes, None)
    }

    /// Reserves space for an upload of this size until it is complete or removed.
    ///
    /// # Errors
    ///
    /// There is no room, or the disk refuses.
    pub(super) fn reserve(&self, upload: Uuid, bytes: u64) -> Result<(), BlobRefused> {
        let mut used = self.lock();
        self.check_room(&mut used, bytes, Some(upload))?;
        self.check_disk(bytes, Some(upload))?;
        self.reservations.set(upload, bytes, 0);
        Ok(())
    }

    /// The space of unfinished uploads.
    pub(super) fn reservations(&self) -> &Reservations {
        &self.reservations
    }

    /// Whether the quota has space for this number of bytes, which belong to `upload` if it is
    /// given.
    fn check_room(
        &self,
        used: &mut UsedBytes,
        bytes: u64,
        upload: Option<Uuid>,
    ) -> Result<(), BlobRefused> {
        let quota_bytes = self.bounds.quota_bytes;
        if quota_bytes == 0 {
            return Ok(());
        }
        let taken = self.counted(used)?.saturating_add(self.reservations.bytes(upload));
        if taken.saturating_add(bytes) > quota_bytes {
            return Err(BlobRefused::Full { quota_bytes });
        }
        Ok(())
    }

    /// Whether the disk has space for this number of bytes, and enough stays free: the reserve, and
    /// the space that other unfinished uploads need.
    pub(super) fn check_disk(&self, bytes: u64, upload: Option<Uuid>) -> Result<(), BlobRefused> {
        let reserve_bytes = self.bounds.reserve_bytes;
        if reserve_bytes == 0 || bytes == 0 {
            return Ok(());
        }
        let about = rustix::fs::statvfs(&self.root).map_err(io::Error::from)?;
        let free = about.f_bavail.saturating_mul(about.f_frsize);
        let spoken_for = reserve_bytes.saturating_add(self.reservations.missing(upload));
        if free < spoken_for.saturating_add(bytes) {
            return Err(BlobRefused::DiskFull { reserve_bytes });
        }
        Ok(())
    }

    /// The folder for unfinished blobs; created if it does not exist.
    pub(super) fn uploads(&self) -> io::Result<PathBuf> {
        let folder = self.root.join(UPLOADS);
        make_folder(&folder)?;
        Ok(folder)
    }

    /// Stores a complete and synced file as a blob: the file is renamed, and takes the space that
    /// was reserved for its `upload`. If the bytes are stored already, they need no space: the file
    /// stays where it is, and its blob is held.
    pub(super) fn keep(
        &self,
        file: &Path,
        hash: Hash,
        size: u64,
        upload: Option<Uuid>,
    ) -> Result<Stored, BlobRefused> {
        let place = self.path(hash);
        let folder = place.parent().unwrap_or(&self.root);
        make_folder(folder)?;
        let is_known = self.is_whole(hash).unwrap_or(false);
        // Another upload of the same bytes waits here, and then finds the blob.
        let mut used = self.lock();
        let is_there = place.exists();
        if !(is_known && is_there) {
            if !is_there {
                self.check_room(&mut used, size, upload)?;
            }
            let before = used.take();
            fs::rename(file, &place)?;
            // A damaged file may have had another size than was counted.
            *used = before.filter(|_| !is_there).map(|bytes| bytes.saturating_add(size));
        }
        // Also for bytes that were stored before, because their writer may have failed at this
        // sync.
        File::open(folder)?.sync_all()?;
        OpenOptions::new().append(true).open(&place)?.set_modified(SystemTime::now())?;
        let stored = stored(hash, &place.metadata()?)?;
        if let Some(upload) = upload {
            self.reservations.release(upload);
        }
        Ok(stored)
    }

    /// Opens a blob for reading; `NotFound` if it is not stored.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn open_blob(&self, hash: Hash) -> io::Result<File> {
        self.or_brought(hash, || self.open_kept(hash))
    }

    /// As [`Self::open_blob`], of what is here alone.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn open_kept(&self, hash: Hash) -> io::Result<File> {
        File::open(self.path(hash))
    }

    /// The bytes of a blob; `None` if it is not stored.
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

    /// A blob's size and type; `NotFound` if it is not stored.
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

    /// Keeps a blob from being removed until a message with it is stored, and long after; false if
    /// it is not stored.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn hold(&self, hash: Hash) -> io::Result<bool> {
        let held = self.or_brought(hash, || {
            let _used = self.lock();
            let file = OpenOptions::new().append(true).open(self.path(hash))?;
            file.set_modified(SystemTime::now())
        });
        is_there(held)
    }

    /// Removes a blob; returns whether it existed.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn remove(&self, hash: Hash) -> io::Result<bool> {
        self.remove_named(&mut self.lock(), hash)
    }

    /// Removes a blob unless it was held since it was found; returns whether it is gone.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn remove_unheld(&self, found: &Stored) -> io::Result<bool> {
        let mut used = self.lock();
        let now = match self.path(found.hash).metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            about => about?.modified()?,
        };
        if now != found.modified {
            return Ok(false);
        }
        self.remove_named(&mut used, found.hash)
    }

    fn remove_named(&self, used: &mut UsedBytes, hash: Hash) -> io::Result<bool> {
        let path = self.path(hash);
        let size = match path.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            about => about?.len(),
        };
        let before = used.take();
        fs::remove_file(path)?;
        // If less was counted, another program changed the file.
        *used = before.and_then(|bytes| bytes.checked_sub(size));
        Ok(true)
    }

    /// Every blob, in no order. Files with other names are ignored.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub fn all(&self) -> io::Result<Vec<Stored>> {
        let mut found = Vec::new();
        for folder in entries(&self.root)? {
            if folder.file_name().is_none_or(|name| name.len() != 2) {
                continue;
            }
            for file in entries(&folder)? {
                let hash = file.file_name().and_then(|name| name.to_str()?.parse().ok());
                let (Some(hash), Ok(about)) = (hash, file.metadata()) else { continue };
                if about.is_file() {
                    found.push(stored(hash, &about)?);
                }
            }
        }
        Ok(found)
    }

    /// A blob; `None` if it is not stored.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub fn find(&self, hash: Hash) -> io::Result<Option<Stored>> {
        match self.or_brought(hash, || self.path(hash).metadata()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            about => stored(hash, &about?).map(Some),
        }
    }

    /// As [`Self::find`], of what is here alone.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub fn find_kept(&self, hash: Hash) -> io::Result<Option<Stored>> {
        match self.path(hash).metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            about => stored(hash, &about?).map(Some),
        }
    }

    /// Whether a blob is here.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub fn is_kept(&self, hash: Hash) -> io::Result<bool> {
        is_there(self.path(hash).metadata())
    }

    /// Reads a blob and compares its hash with its name; false if it is damaged.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn is_whole(&self, hash: Hash) -> io::Result<bool> {
        Ok(Hash::of(&mut self.open_kept(hash)?)? == hash)
    }

    /// Path of a blob's file.
    pub(super) fn path(&self, hash: Hash) -> PathBuf {
        let name = hash.to_string();
        self.root.join(&name[..2]).join(name)
    }

    fn lock(&self) -> MutexGuard<'_, UsedBytes> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether something was found; an error where that cannot be said.
fn is_there<T>(found: io::Result<T>) -> io::Result<bool> {
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        found => found.map(|_| true),
    }
}

fn stored(hash: Hash, about: &fs::Metadata) -> io::Result<Stored> {
    let modified = about.modified()?;
    // Some file systems do not store when a file was made.
    let created = about.created().unwrap_or(modified);
    Ok(Stored { hash, size: about.len(), created, modified })
}

/// Creates a folder and its parents, and syncs them so that they survive a power cut.
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

/// The paths in a folder; none if the folder does not exist.
pub(super) fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
        Ok(read) => read.map(|entry| Ok(entry?.path())).collect(),
    }
}

#[cfg(test)]
mod tests;
