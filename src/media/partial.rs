//! Uploads that go on after a break or a restart: their bytes so far, and a record of them.
//!
//! Both are files in the folder for uploads, `<id>.bytes` and `<id>.json`. The bytes that the record
//! counts are synced; what lies behind them is cut off when the upload goes on.

use super::blobs::{Blobs, entries};
use super::bounds::BlobRefused;
use super::hash::Hash;
use super::sniff::{HEAD_BYTES, sniff};
use crate::clock::now;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// Uploads at one time, and as many more that are whole and may be asked about.
pub const MAX_UPLOADS: usize = 64;

/// Seconds without a byte after which an upload is removed.
pub const MAX_AGE: u64 = 24 * 60 * 60;

/// Bytes that may be written before they are synced: so many a power cut costs at most.
const CHECKPOINT_BYTES: u64 = 8 << 20;

/// An upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partial {
    #[allow(missing_docs)]
    pub id: Uuid,
    /// The name of the file.
    pub name: Option<String>,
    /// Bytes of the whole file.
    pub length: u64,
    /// Bytes of it that are on disk.
    pub offset: u64,
    /// SHA-256 in hex that the file has to have, where the client told it.
    sha256: Option<String>,
    /// SHA-256 in hex, once it is kept as a blob.
    pub media: Option<String>,
    /// Media type by the bytes, once it is kept.
    pub mime: Option<String>,
    /// Unix seconds at which the last bytes came.
    at: u64,
}

impl Partial {
    /// Unix seconds after which it may be gone.
    pub fn expires_at(&self) -> u64 {
        self.at.saturating_add(MAX_AGE)
    }
}

/// Why an upload does not begin, or does not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploadProblem {
    /// The bytes are not kept.
    Refused(BlobRefused),
    /// There is no such upload, or not any more.
    NotFound,
    /// Another request writes it.
    Busy,
    /// It goes on at another byte.
    #[allow(missing_docs)]
    WrongOffset { offset: u64 },
    /// There are more bytes than were told when it began.
    #[allow(missing_docs)]
    TooLong { length: u64 },
    /// The file is not the one that was told when it began; the upload is removed.
    OtherBytes,
    /// There are as many as there may be.
    TooMany,
}

impl From<BlobRefused> for UploadProblem {
    fn from(refused: BlobRefused) -> Self {
        Self::Refused(refused)
    }
}

impl From<io::Error> for UploadProblem {
    fn from(error: io::Error) -> Self {
        Self::Refused(error.into())
    }
}

/// The uploads of a folder of blobs.
#[derive(Clone, Debug)]
pub struct Partials {
    blobs: Blobs,
    /// Those that a request writes.
    busy: Arc<Mutex<HashSet<Uuid>>>,
    /// Held while one begins, so that their number and sum hold.
    beginning: Arc<Mutex<()>>,
}

impl Partials {
    /// The uploads of a folder of blobs.
    pub fn new(blobs: Blobs) -> Self {
        Self { blobs, busy: Arc::default(), beginning: Arc::default() }
    }

    /// Begins an upload of `length` bytes. One of the same file that was broken off goes on, and a
    /// file that is here already is whole at once; both only where its SHA-256 is told.
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
        let _beginning = lock(&self.beginning);
        self.blobs.uploads()?;
        let known = self.all()?;
        let told = sha256.map(|hash| hash.to_string());
        let is_same = |one: &&Partial| one.length == length && one.sha256 == told;
        if let Some(same) = known.iter().filter(|_| told.is_some()).find(is_same) {
            return Ok(Partial { name, ..same.clone() });
        }
        let mut partial = Partial {
            id: Uuid::new_v4(),
            name,
            length,
            offset: 0,
            sha256: told,
            media: None,
            mime: None,
            at: now(),
        };
        let (done, going): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|one| one.media.is_some());
        if let Some(hash) = sha256
            && self.blobs.hold(hash)?
        {
            let (size, kind) = self.blobs.describe(hash)?;
            if size == length {
                self.make_room(done)?;
                (partial.media, partial.offset) = (partial.sha256.clone(), length);
                partial.mime = Some(kind.mime.to_owned());
                self.write_record(&partial)?;
                return Ok(partial);
            }
        }
        if going.len() >= MAX_UPLOADS {
            return Err(UploadProblem::TooMany);
        }
        let others: u64 = going.iter().map(|one| one.length).sum();
        self.blobs.check_quota(others.saturating_add(length))?;
        self.blobs.check_disk(length)?;
        let mut new = OpenOptions::new();
        new.write(true).create_new(true).mode(0o600).open(self.bytes_of(partial.id)?)?;
        self.write_record(&partial)?;
        Ok(partial)
    }

    /// How far an upload is; `None` where there is none.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn find(&self, id: Uuid) -> io::Result<Option<Partial>> {
        let record = match fs::read(self.record_of(id)?) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            record => record?,
        };
        let Ok(mut partial) = serde_json::from_slice::<Partial>(&record) else {
            return self.forget(id).map(|()| None);
        };
        if let Some(hash) = partial.media.as_deref().and_then(|media| media.parse().ok())
            && self.blobs.hold(hash)?
        {
            return Ok(Some(partial));
        }
        // Without its bytes it was kept, and its blob was removed since.
        let Ok(about) = self.bytes_of(id)?.metadata() else {
            return self.forget(id).map(|()| None);
        };
        partial.media = None;
        partial.offset = partial.offset.min(about.len());
        Ok(Some(partial))
    }

    /// Opens an upload to go on at a byte. Nobody else can until it is dropped.
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
        let file = if partial.media.is_some() {
            None
        } else {
            let mut file = OpenOptions::new().read(true).write(true).open(self.bytes_of(id)?)?;
            file.set_len(offset)?;
            file.seek(SeekFrom::Start(offset))?;
            Some(file)
        };
        Ok(PartialWriting { partials: self.clone(), partial, file, size: offset, _busy: busy })
    }

    /// Gives an upload up; a file that is kept stays.
    ///
    /// # Errors
    ///
    /// There is none, a request writes it, or the disk refuses.
    pub fn remove(&self, id: Uuid) -> Result<(), UploadProblem> {
        let _busy = Busy::of(id, &self.busy).ok_or(UploadProblem::Busy)?;
        self.find(id)?.ok_or(UploadProblem::NotFound)?;
        Ok(self.forget(id)?)
    }

    /// Removes those that nobody went on with for long; gives how many.
    ///
    /// # Errors
    ///
    /// The disk refuses; what was removed until then stays removed.
    pub fn remove_old(&self) -> io::Result<usize> {
        let _beginning = lock(&self.beginning);
        let before = self.ids()?.len();
        Ok(before - self.all()?.len())
    }

    /// Removes what a kill left of uploads that cannot go on. Nobody else may be writing.
    ///
    /// # Errors
    ///
    /// The disk refuses; what was removed until then stays removed.
    pub fn remove_broken(&self) -> io::Result<()> {
        let ids: HashSet<_> = self.all()?.into_iter().map(|partial| partial.id).collect();
        for path in entries(&self.blobs.root().join(super::blobs::UPLOADS))? {
            let is_part = path.extension().is_some_and(|kind| kind == "json" || kind == "bytes");
            if !(is_part && id_in(&path).is_some_and(|id| ids.contains(&id))) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// All but those that are too old, which are removed.
    fn all(&self) -> io::Result<Vec<Partial>> {
        let mut all = Vec::new();
        for id in self.ids()? {
            let Some(partial) = self.find(id)? else { continue };
            let is_old = partial.expires_at() < now();
            match Busy::of(id, &self.busy).filter(|_| is_old) {
                Some(_busy) => self.forget(id)?,
                None => all.push(partial),
            }
        }
        Ok(all)
    }

    fn ids(&self) -> io::Result<Vec<Uuid>> {
        let files = entries(&self.blobs.root().join(super::blobs::UPLOADS))?;
        let records = files.iter().filter(|path| path.extension().is_some_and(|it| it == "json"));
        Ok(records.filter_map(|path| id_in(path)).collect())
    }

    /// Forgets the oldest of those that are whole, so that one more may be.
    fn make_room(&self, mut done: Vec<Partial>) -> io::Result<()> {
        done.sort_by_key(|one| one.at);
        let surplus = (done.len() + 1).saturating_sub(MAX_UPLOADS);
        done.iter().take(surplus).try_for_each(|one| self.forget(one.id))
    }

    fn forget(&self, id: Uuid) -> io::Result<()> {
        for path in [self.record_of(id)?, self.bytes_of(id)?] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes a record anew; it is either the old one or the new one, whatever happens.
    fn write_record(&self, partial: &Partial) -> io::Result<()> {
        let path = self.record_of(partial.id)?;
        let new = path.with_extension("new");
        let mut file = OpenOptions::new();
        let mut file = file.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(&serde_json::to_vec(partial)?)?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        File::open(self.blobs.uploads()?)?.sync_all()
    }

    fn record_of(&self, id: Uuid) -> io::Result<PathBuf> {
        Ok(self.blobs.uploads()?.join(format!("{id}.json")))
    }

    fn bytes_of(&self, id: Uuid) -> io::Result<PathBuf> {
        Ok(self.blobs.uploads()?.join(format!("{id}.bytes")))
    }
}

fn id_in(path: &Path) -> Option<Uuid> {
    path.file_stem()?.to_str()?.parse().ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An upload that nobody else may write meanwhile.
#[derive(Debug)]
struct Busy {
    id: Uuid,
    all: Arc<Mutex<HashSet<Uuid>>>,
}

impl Busy {
    fn of(id: Uuid, all: &Arc<Mutex<HashSet<Uuid>>>) -> Option<Self> {
        let all = Arc::clone(all);
        let is_free = lock(&all).insert(id);
        // Not `then_some`: what that drops would free it for the one who has it.
        is_free.then(|| Self { id, all })
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        lock(&self.all).remove(&self.id);
    }
}

/// An upload that goes on.
#[derive(Debug)]
pub struct PartialWriting {
    partials: Partials,
    partial: Partial,
    /// Its bytes so far; none where it is kept already.
    file: Option<File>,
    /// Bytes that are written, of which `partial.offset` are synced.
    size: u64,
    _busy: Busy,
}

impl PartialWriting {
    /// Adds bytes.
    ///
    /// # Errors
    ///
    /// There are more bytes than were told, or the disk refuses.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), UploadProblem> {
        let (more, length) = (bytes.len() as u64, self.partial.length);
        if self.size.saturating_add(more) > length {
            return Err(UploadProblem::TooLong { length });
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        self.partials.blobs.check_disk(more)?;
        file.write_all(bytes)?;
        self.size += more;
        if self.size - self.partial.offset >= CHECKPOINT_BYTES {
            self.checkpoint()?;
        }
        Ok(())
    }

    /// Has what was written outlive a power cut.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn checkpoint(&mut self) -> Result<(), UploadProblem> {
        if let Some(file) = &self.file
            && self.size > self.partial.offset
        {
            file.sync_data()?;
            (self.partial.offset, self.partial.at) = (self.size, now());
            self.partials.write_record(&self.partial)?;
        }
        Ok(())
    }

    /// Ends this part of it. A file that is whole is kept from now on.
    ///
    /// # Errors
    ///
    /// The file is not the one that was told, there is no room for it, or the disk refuses.
    pub fn finish(mut self) -> Result<Partial, UploadProblem> {
        self.checkpoint()?;
        let Some(mut file) = self.file.take().filter(|_| self.size == self.partial.length) else {
            return Ok(self.partial);
        };
        let Self { partials, mut partial, .. } = self;
        let mut head = Vec::new();
        file.rewind()?;
        (&file).take(HEAD_BYTES as u64).read_to_end(&mut head)?;
        file.rewind()?;
        let hash = Hash::of(&mut file)?;
        if partial.sha256.as_ref().is_some_and(|told| *told != hash.to_string()) {
            partials.forget(partial.id)?;
            return Err(UploadProblem::OtherBytes);
        }
        // Before the bytes move: without this the upload would be lost if a kill came between.
        partial.media = Some(hash.to_string());
        partial.mime = Some(sniff(&head).mime.to_owned());
        partials.write_record(&partial)?;
        let bytes = partials.bytes_of(partial.id)?;
        partials.blobs.keep(&bytes, hash, partial.length)?;
        match fs::remove_file(bytes) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(partial),
        }
    }
}

#[cfg(test)]
mod tests;
