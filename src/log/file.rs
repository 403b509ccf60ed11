//! The log in a file: it has the batches that were acknowledged before the tables were durable.
//!
//! A batch costs one write and one sync of a file whose blocks exist, instead of about a dozen pages of the
//! tables. The tables are written without a sync. Once they are durable, the file is written again from its
//! beginning. After a crash, the events that the tables lack are applied again. If the log cannot be
//! written, the tables are made durable instead.
//!
//! A record has its length (4 bytes), its checksum (8), the offset of its first event (8), and the payload;
//! numbers are little-endian. Offsets only grow, so records that an earlier round left in the file have
//! lower offsets. The checksum has a key of the store, so records of another store are not valid. A record
//! that cannot be read ends the log, as after an interrupted write. But if a valid record with a higher
//! offset follows, the unreadable one is damaged, and reading continues after it.

mod aside;
mod reading;

pub use aside::{kept_beside, path_beside};

use super::disk::{PreallocatedFile, StorageFactory, StoreFileKind, make_private, rename_durably};
use super::encoding::{HEAD, LogRecord};
use super::{Contents, Log, LogError, Result};
use crate::metrics::METRICS;
use crate::model::cursor::Epoch;
use aside::{link_aside, name_aside};
use redb::StorageBackend;
use std::io;
use std::path::{Path, PathBuf};

/// A log in a file, open for writing.
#[derive(Debug)]
pub struct FileLog {
    path: PathBuf,
    storage: Option<StorageFactory>,
    key: [u8; 16],
    /// The length of the file.
    max_bytes: u64,
    /// The file, once a record was written.
    file: Option<PreallocatedFile>,
    /// The position of the next record in the file.
    end: u64,
    /// The newest event in the log, and its epoch.
    newest: Option<(u64, Epoch)>,
    /// Whether the last record could not be written. This is logged once.
    is_refused: bool,
}

impl FileLog {
    /// The log of the store with this path and key.
    pub fn new(
        store: &Path,
        storage: Option<StorageFactory>,
        key: [u8; 16],
        max_bytes: u64,
    ) -> Self {
        Self {
            path: path_beside(store),
            storage,
            key,
            max_bytes,
            file: None,
            end: 0,
            newest: None,
            is_refused: false,
        }
    }

    fn seal(&self, first: u64, record: LogRecord) -> Vec<u8> {
        let mut bytes = record.bytes;
        let len = bytes.len() as u32;
        bytes[..4].copy_from_slice(&len.to_le_bytes());
        bytes[12..HEAD].copy_from_slice(&first.to_le_bytes());
        let checksum = self.checksum(&bytes[12..]);
        bytes[4..12].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = if let Some(file) = &mut self.file {
            file
        } else {
            let file = StoreFileKind::make_log(self.storage.as_ref(), &self.path)?;
            if file.len()? < self.max_bytes {
                file.set_len(self.max_bytes)?;
            }
            self.file.insert(file)
        };
        file.write(self.end, bytes)?;
        file.sync_data()?;
        self.end += bytes.len() as u64;
        Ok(())
    }
}

impl Log for FileLog {
    fn has_room(&self, record: &LogRecord) -> bool {
        self.end + record.bytes.len() as u64 <= self.max_bytes
    }

    fn append(&mut self, expected: u64, record: LogRecord) -> bool {
        if self.newest.is_some_and(|(newest, _)| newest + 1 != expected) {
            tracing::error!(expected, newest = ?self.newest, "the write-ahead log ends at another offset than the tables expect");
            return false;
        }
        let newest = Some((expected + record.count - 1, record.epoch));
        let bytes = self.seal(expected, record);
        let written = self.write(&bytes);
        match &written {
            Ok(()) => self.newest = newest,
            Err(error) => {
                METRICS.store_errors.inc();
                if !self.is_refused {
                    tracing::error!(
                        "{}: {error}; each batch goes into the tables at once meanwhile, which is slower",
                        self.path.display()
                    );
                }
                self.file = None;
            }
        }
        self.is_refused = written.is_err();
        !self.is_refused
    }

    fn begins(&self) -> Option<u64> {
        self.file.is_none().then_some(self.max_bytes)
    }

    fn read(&self, from: u64) -> Result<Contents> {
        let bytes = self.bytes()?;
        let mut contents = self.contents(from, &bytes)?;
        contents.bytes = bytes.len() as u64;
        contents.is_blank = bytes.iter().all(|byte| *byte == 0);
        Ok(contents)
    }

    fn head(&self) -> Option<u64> {
        self.newest.map(|(offset, _)| offset)
    }

    fn epoch(&self) -> Option<Epoch> {
        self.newest.map(|(_, epoch)| epoch)
    }

    fn clear(&mut self) {
        (self.end, self.newest) = (0, None);
    }

    fn link_aside(&self, why: &str) -> Option<PathBuf> {
        self.storage.is_none().then(|| link_aside(&self.path, why).ok()).flatten()
    }

    fn keep_aside(&self, why: &str) -> Result<PathBuf> {
        let aside = name_aside(&self.path, why);
        if self.storage.is_none() {
            // A rename, not a copy: a copy needs space, and a power cut could remove it.
            let kept = match rename_durably(&self.path, &aside) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => make_private(&aside),
                kept => kept,
            };
            kept.map_err(|error| {
                LogError(format!(
                    "{} cannot be renamed to {}: {error}\n  move it away by hand",
                    self.path.display(),
                    aside.display()
                ))
            })?;
        }
        Ok(aside)
    }

    fn remove(&mut self) {
        self.file = None;
        if self.storage.is_none() {
            // There is usually no file. If one remains, its offsets show that it is obsolete.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests;
