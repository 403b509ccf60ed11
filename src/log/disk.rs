//! The files of a store, with the space ahead of what is written allocated.
//!
//! A sync is twice as fast if the blocks exist already, for then the file system writes no data of
//! its own (measured: 0.22 ms against 0.39 ms for 64 kB). So a write that makes the file longer also
//! writes zeros ahead of it.

use redb::backends::FileBackend;
use redb::{BackendError, DatabaseError, StorageBackend};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Bound;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Length that is allocated ahead at once.
const STRETCH: u64 = 4 << 20;

/// Zeros, as many as are written at once.
static ZEROS: [u8; 1 << 16] = [0; 1 << 16];

/// Makes storage that replaces files; called each time a file is opened.
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
    /// Opens the log of a store for writing, making it if there is none.
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

/// Drops the system's cached pages of a file: after a failed sync they may differ from the disk.
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

/// Gives a file another name in its folder, which a power cut does not undo.
pub(crate) fn rename_durably(path: &Path, new: &Path) -> io::Result<()> {
    std::fs::rename(path, new)?;
    sync_folder_of(new)
}

/// The folder that a file lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the names in a file's folder last over a power cut.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

/// A file as redb uses it.
#[derive(Debug)]
pub(crate) struct PreallocatedFile {
    file: Box<dyn StorageBackend>,
    /// Bytes after this offset were never written by redb. Locked while writing, so that zeros
    /// never overwrite bytes that another thread has just written. Unknown until the first write,
    /// before which the file is not locked.
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

    /// All of an existing file may have been written.
    fn known(&self, written_to: Option<u64>) -> io::Result<u64> {
        written_to.map_or_else(|| self.file.len(), Ok)
    }

    /// Writes zeros from `from` on, within the file; returns the new end of the written bytes.
    fn prepare(&self, from: u64) -> io::Result<u64> {
        let end = self.file.len()?.min(from + STRETCH).max(from);
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
        // If there is no space for the zeros, it does no harm: the data itself is written.
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
