//! The files of a store. Space is allocated ahead of the written part.
//!
//! A sync is twice as fast if the blocks exist, because the file system then writes no metadata (measured:
//! 0.22 ms instead of 0.39 ms for 64 kB). So a write that makes the file longer also writes zeros after it.

use redb::backends::FileBackend;
use redb::{BackendError, DatabaseError, StorageBackend};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Bound;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes that are allocated ahead at once.
const ALLOCATION_BYTES: u64 = 4 << 20;

/// Zeros, for one write of the allocation.
static ZEROS: [u8; 1 << 16] = [0; 1 << 16];

/// Opens storage that replaces a file. Called each time a file is opened.
#[derive(Clone)]
pub struct StorageFactory(pub Arc<dyn Fn(StoreFileKind) -> Box<dyn StorageBackend> + Send + Sync>);

/// The files of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFileKind {
    /// The tables, in redb.
    Tables,
    /// The write-ahead log.
    Log,
}

impl fmt::Debug for StorageFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StorageFactory")
    }
}

impl StoreFileKind {
    /// Opens the log of a store for writing. Makes the file if there is none.
    pub(crate) fn make_log(
        storage: Option<&StorageFactory>,
        path: &Path,
    ) -> io::Result<PreallocatedFile> {
        if let Some(StorageFactory(open)) = storage {
            return Ok(PreallocatedFile::on(open(Self::Log)));
        }
        make_private(path)?;
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        PreallocatedFile::new(file).map_err(io::Error::other)
    }

    /// The bytes of a store's log; empty if there is none.
    pub(crate) fn read_log(storage: Option<&StorageFactory>, path: &Path) -> io::Result<Vec<u8>> {
        if let Some(StorageFactory(open)) = storage {
            let log = open(Self::Log);
            let mut bytes = vec![0; log.len()? as usize];
            log.read(0, &mut bytes)?;
            return Ok(bytes);
        }
        match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            read => read,
        }
    }
}

/// Drops the system's cached pages of a file. After a failed sync they may differ from the disk.
pub(crate) fn forget_cached(path: &Path) {
    if let Ok(file) = File::open(path) {
        // A system without this call reads the cached pages.
        let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    }
}

/// Makes an empty file that only its owner can read, and syncs its folder, so that a power cut does not
/// remove it.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    sync_folder_of(path)
}

/// Renames a file within its folder. The new name survives a power cut.
pub(crate) fn rename_durably(path: &Path, new: &Path) -> io::Result<()> {
    std::fs::rename(path, new)?;
    sync_folder_of(new)
}

/// The folder that a file lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Syncs the folder of a file, so that its names survive a power cut.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

/// A file as redb uses it.
#[derive(Debug)]
pub(crate) struct PreallocatedFile {
    file: Box<dyn StorageBackend>,
    /// The end of the bytes that redb may have written. Locked while writing, so that zeros never overwrite
    /// bytes of another thread. `None` until the first write, before which the file is not locked.
    written_to: Mutex<Option<u64>>,
}

impl PreallocatedFile {
    pub(crate) fn new(file: File) -> Result<Self, DatabaseError> {
        Ok(Self::on(Box::new(FileBackend::new(file)?)))
    }

    pub(crate) fn on(file: Box<dyn StorageBackend>) -> Self {
        Self { file, written_to: Mutex::new(None) }
    }

    fn written_to(&self) -> MutexGuard<'_, Option<u64>> {
        self.written_to.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `written_to`, or the length of the file if it is unknown: all of an existing file may have been
    /// written.
    fn known(&self, written_to: Option<u64>) -> io::Result<u64> {
        written_to.map_or_else(|| self.file.len(), Ok)
    }

    /// Writes zeros from `from` on, within the file; returns the new end of the written bytes.
    fn prepare(&self, from: u64) -> io::Result<u64> {
        let end = self.file.len()?.min(from + ALLOCATION_BYTES).max(from);
        let mut at = from;
        while at < end {
            let most = (end - at).min(ZEROS.len() as u64);
            self.file.write(at, &ZEROS[..most as usize])?;
            at += most;
        }
        Ok(end)
    }
}

impl StorageBackend for PreallocatedFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut written_to = self.written_to();
        let known = self.known(*written_to)?;
        self.file.set_len(len)?;
        *written_to = Some(len.min(known));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut written_to = self.written_to();
        let known = self.known(*written_to)?;
        self.file.write(offset, data)?;
        let end = offset + data.len() as u64;
        // Without space for the zeros, the data itself is written all the same.
        *written_to = Some(if end > known { self.prepare(end).unwrap_or(end) } else { known });
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
