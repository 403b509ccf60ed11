//! Blobs: files named by their SHA-256, as `<root>/ab/<hash>`.
//!
//! A blob is written under a temporary name, synced and renamed, so that a file with its final name is
//! always complete. The same bytes make only one blob. Size, sum and free disk space are bounded, and
//! unfinished uploads count with their whole length.

mod finding;
mod folder;
mod space;

pub(super) use folder::entries;

use super::bounds::{BlobBounds, BlobRefused};
use super::hash::Hash;
use super::reservations::Reservations;
use folder::make_folder;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use uuid::Uuid;

/// Folder below the root for unfinished blobs.
pub(super) const UPLOADS: &str = "uploads";

/// A stored blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The SHA-256 of its bytes, which is its name.
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

/// Bytes of all blobs; `None` if they are not counted: before the first request for the sum, and
/// after a change that failed.
type UsedBytes = Option<u64>;

/// Other servers that keep files of the same messages.
pub trait MediaPeers: fmt::Debug + Send + Sync {
    /// Has a file brought here, and waits for it, not for long; whether it is here then. Blocks the
    /// thread.
    fn bring(&self, hash: Hash) -> bool;
}

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

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The bounds of blobs.
    pub fn bounds(&self) -> BlobBounds {
        self.bounds
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
        let path = self.path(hash);
        let folder = path.parent().unwrap_or(&self.root);
        make_folder(folder)?;
        let is_known = self.is_whole(hash).unwrap_or(false);
        // Another upload of the same bytes waits here, and then finds the blob.
        let mut used = self.lock();
        let is_there = path.exists();
        if !(is_known && is_there) {
            if !is_there {
                self.check_room(&mut used, size, upload)?;
            }
            let before = used.take();
            fs::rename(file, &path)?;
            // A damaged file may have had another size than was counted.
            *used = before.filter(|_| !is_there).map(|bytes| bytes.saturating_add(size));
        }
        // Also for bytes that were stored before, because their writer may have failed at this
        // sync.
        File::open(folder)?.sync_all()?;
        OpenOptions::new().append(true).open(&path)?.set_modified(SystemTime::now())?;
        let stored = stored(hash, &path.metadata()?)?;
        if let Some(upload) = upload {
            self.reservations.release(upload);
        }
        Ok(stored)
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

    /// Path of a blob's file.
    pub(super) fn path(&self, hash: Hash) -> PathBuf {
        let name = hash.to_string();
        self.root.join(&name[..2]).join(name)
    }

    fn lock(&self) -> MutexGuard<'_, UsedBytes> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether something was found; an error if that cannot be said.
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

#[cfg(test)]
mod tests;
