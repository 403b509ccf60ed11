//! Uploads that can be continued after a broken connection or a restart: their bytes so far, and a
//! record.
//!
//! Both are files in the folder for uploads. The bytes that the record counts are synced; bytes
//! after them are cut off when the upload continues.

mod busy;
mod folder;
mod problem;
mod writing;

pub use folder::{MAX_AGE, MAX_UPLOADS, Partial};
pub use problem::UploadProblem;
pub use writing::PartialWriting;

use super::blobs::Blobs;
use super::bounds::BlobRefused;
use super::hash::Hash;
use crate::clock::now;
use busy::{Busy, BusyUploads};
use folder::UploadFolder;
use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// The unfinished uploads of a folder of blobs.
#[derive(Clone, Debug)]
pub struct Partials {
    blobs: Blobs,
    folder: UploadFolder,
    busy: BusyUploads,
    /// Held while an upload begins, so that the limits of their number and sum hold.
    beginning: Arc<Mutex<()>>,
}

impl Partials {
    /// The uploads of a folder of blobs to which no other process writes. Space is reserved for
    /// unfinished ones, and uploads that cannot be continued are removed.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn of(blobs: Blobs) -> io::Result<Self> {
        let folder = UploadFolder { blobs: blobs.clone() };
        let partials = Self { blobs, folder, busy: Arc::default(), beginning: Arc::default() };
        let all = partials.all()?;
        for one in all.iter().filter(|one| one.media.is_none()) {
            partials.blobs.reservations().set(one.id, one.length, one.offset);
        }
        let ids: HashSet<_> = all.into_iter().map(|one| one.id).collect();
        partials.folder.remove_others(|id| ids.contains(&id))?;
        Ok(partials)
    }

    /// Begins an upload of `length` bytes. If its SHA-256 is given, an unfinished upload of the
    /// same file is continued, and a stored file is complete at once.
    ///
    /// # Errors
    ///
    /// The file is empty or too large, there is no room for it, there are too many, or the disk refuses.
    pub fn begin(
        &self,
        length: u64,
        name: Option<String>,
        sha256: Option<Hash>,
    ) -> Result<Partial, UploadProblem> {
        let max_bytes = self.blobs.bounds().max_bytes;
        match length {
            0 => return Err(BlobRefused::Empty.into()),
            length if length > max_bytes => return Err(BlobRefused::TooLarge { max_bytes }.into()),
            _ => {}
        }
        let _beginning = self.lock();
        let known = self.all()?;
        let partial = Partial::new(length, name, sha256);
        let is_same = |one: &&Partial| one.length == length && one.sha256 == partial.sha256;
        if let Some(same) = known.iter().filter(|_| sha256.is_some()).find(is_same) {
            return Ok(Partial { name: partial.name, ..same.clone() });
        }
        if let Some(mime) = sha256.map(|hash| self.kept(hash, length)).transpose()?.flatten() {
            let (media, offset) = (partial.sha256.clone(), length);
            let whole = Partial { media, offset, mime: Some(mime.to_owned()), ..partial };
            self.folder.write(&whole)?;
            self.folder.forget_whole(whole.id)?;
            return Ok(whole);
        }
        if known.iter().filter(|one| one.media.is_none()).count() >= MAX_UPLOADS {
            return Err(UploadProblem::TooMany);
        }
        // Before the free space is checked, because the folder has to exist.
        self.blobs.uploads()?;
        self.blobs.reserve(partial.id, length)?;
        self.folder.create(&partial)?;
        Ok(partial)
    }

    /// The type of a stored file of this length, which is held from now on.
    fn kept(&self, hash: Hash, length: u64) -> io::Result<Option<&'static str>> {
        if !self.blobs.hold(hash)? {
            return Ok(None);
        }
        let (size, kind) = self.blobs.describe(hash)?;
        Ok((size == length).then_some(kind.mime))
    }

    /// The state of an upload; `None` if there is none.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn find(&self, id: Uuid) -> io::Result<Option<Partial>> {
        self.folder.find(id)
    }

    /// Opens an upload to continue at a byte. No other request can write it until this is dropped.
    ///
    /// # Errors
    ///
    /// There is none, another request writes it, it goes on at another byte, or the disk refuses.
    pub fn open(&self, id: Uuid, offset: u64) -> Result<PartialWriting, UploadProblem> {
        let busy = Busy::of(id, &self.busy).ok_or(UploadProblem::Busy)?;
        let partial = self.find(id)?.ok_or(UploadProblem::NotFound)?;
        if partial.offset != offset {
            return Err(UploadProblem::WrongOffset { offset: partial.offset });
        }
        Ok(PartialWriting::new(self.folder.clone(), partial, busy)?)
    }

    /// Removes an upload; a stored file stays.
    ///
    /// # Errors
    ///
    /// There is none, a request writes it, or the disk refuses.
    pub fn remove(&self, id: Uuid) -> Result<(), UploadProblem> {
        let _busy = Busy::of(id, &self.busy).ok_or(UploadProblem::Busy)?;
        self.find(id)?.ok_or(UploadProblem::NotFound)?;
        Ok(self.folder.remove(id)?)
    }

    /// Removes uploads that were not continued for long; returns their number.
    ///
    /// # Errors
    ///
    /// The disk refuses; what was removed until then stays removed.
    pub fn remove_old(&self) -> io::Result<usize> {
        let _beginning = self.lock();
        let before = self.folder.ids()?.len();
        Ok(before - self.all()?.len())
    }

    /// All uploads except those that are too old, which are removed.
    fn all(&self) -> io::Result<Vec<Partial>> {
        let mut all = Vec::new();
        for id in self.folder.ids()? {
            let Some(partial) = self.find(id)? else { continue };
            let is_old = partial.expires_at() < now();
            match Busy::of(id, &self.busy).filter(|_| is_old) {
                Some(_busy) => self.folder.remove(id)?,
                None => all.push(partial),
            }
        }
        Ok(all)
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.beginning.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
