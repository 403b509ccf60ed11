//! Options for opening a store.

use super::ids::{EpochTag, IdPermutation};
use super::transaction::TransactionContext;
use crate::log::disk::StorageFactory;
use crate::log::{FileLog, SharedLog};
use crate::model::cursor::Epoch;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Access to a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// For reading. Several processes can do that while none writes. The file must exist.
    Read,
    /// For reading and writing. The file is made if there is none.
    Write,
}

/// Options for opening a store.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The file.
    pub path: PathBuf,
    /// Whether it is opened for reading only.
    pub access: Access,
    /// Bytes of the file kept in memory.
    pub cache_bytes: usize,
    /// The most commands that share a commit.
    pub batch: usize,
    /// The most commands in the queue of the writer. Callers with further commands wait for space.
    pub queue: usize,
    /// Free bytes of the disk below which nothing is written.
    pub reserve_bytes: u64,
    /// The size of the write-ahead log in bytes. A batch that does not fit is made durable by the tables.
    pub log_bytes: u64,
    /// Seconds for which events are kept, so that clients can resume.
    pub journal_seconds: u64,
    /// The most events that are kept.
    pub journal_events: u64,
    /// Whether a message that is taken back on its platform loses its content here.
    pub hides_recalled: bool,
    /// Whether a file that is damaged is made anew from what can be read of it.
    pub salvages: bool,
    /// How long to wait for another process that has the file.
    pub patience: Duration,
    /// How long callers wait for the answer to a commit that failed, while the file is opened again.
    pub doubt_timeout: Duration,
    /// The name that claims of this process have.
    pub owner: String,
    /// Gets the progress of the migration of an older store.
    pub migration: Option<MigrationProgress>,
    /// Storage instead of files, for tests of faults.
    pub storage: Option<StorageFactory>,
    /// The log of the cluster that the store belongs to; `None` for an independent store.
    pub shared_log: Option<SharedLogFactory>,
}

/// Opens the log of a cluster. Called each time the store is opened.
#[derive(Clone)]
pub struct SharedLogFactory(pub Arc<dyn Fn() -> Box<dyn SharedLog> + Send + Sync>);

impl fmt::Debug for SharedLogFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedLogFactory")
    }
}

/// Gets the progress of the migration of an older store.
#[derive(Clone)]
pub struct MigrationProgress(pub Arc<dyn Fn(MigrationStep<'_>) + Send + Sync>);

impl fmt::Debug for MigrationProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MigrationProgress")
    }
}

/// A step of the migration of an older store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationStep<'a> {
    /// It begins, for this file.
    Begins(&'a Path),
    /// A part of a file is copied.
    Copied {
        /// The number of bytes that are copied.
        bytes: u64,
        /// The size of the file in bytes.
        all: u64,
    },
    /// A part of the index was converted.
    Rewritten {
        /// The number of rows that are converted.
        rows: u64,
        /// The number of rows of the index.
        all: u64,
    },
    /// The store is up to date.
    Ends,
}

impl StoreOptions {
    /// The defaults for a file.
    pub fn new(path: impl Into<PathBuf>, access: Access) -> Self {
        Self {
            path: path.into(),
            access,
            cache_bytes: 128 << 20,
            batch: 1024,
            queue: 4096,
            reserve_bytes: 4 << 20,
            log_bytes: 8 << 20,
            journal_seconds: 7 * 24 * 60 * 60,
            journal_events: 1_000_000,
            hides_recalled: false,
            salvages: true,
            patience: Duration::from_secs(10),
            doubt_timeout: Duration::from_secs(1),
            owner: "main".into(),
            migration: None,
            storage: None,
            shared_log: None,
        }
    }

    /// Reports the progress of the migration.
    pub(super) fn tell(&self, step: MigrationStep<'_>) {
        if let Some(MigrationProgress(tell)) = &self.migration {
            tell(step);
        }
    }

    /// Whether a damaged file may be made anew. A node of a cluster gets a copy of another node instead.
    pub(super) fn may_salvage(&self) -> bool {
        self.salvages && self.storage.is_none() && self.shared_log.is_none()
    }

    /// The log of this store, which has a key.
    pub(super) fn log(&self, key: [u8; 16]) -> FileLog {
        FileLog::new(&self.path, self.storage.clone(), key, self.log_bytes)
    }

    /// Context of the transactions of this opening, which has a new epoch.
    pub(super) fn context(&self, ids: IdPermutation) -> TransactionContext {
        let epoch = mint();
        TransactionContext {
            last: None,
            ids,
            epoch,
            tag: EpochTag::of(epoch),
            owner: self.owner.clone(),
            journal_seconds: self.journal_seconds,
            journal_events: self.journal_events,
            hides_recalled: self.hides_recalled,
        }
    }
}

/// A new epoch, which no other opening of any store has.
pub(super) fn mint() -> Epoch {
    // Never 0, and neither is its tag: 0 stands for the time before epochs.
    Epoch::new(uuid::Uuid::new_v4().as_u64_pair().0 | 1)
}
