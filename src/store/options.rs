//! How a store is opened.

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
    /// Reading only: several processes may, while none writes. Never makes a file.
    Read,
    /// Reading and writing; the file is made where there is none.
    Write,
}

/// How to open a store.
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
    /// The most commands that wait for the writer; more wait at their own place.
    pub queue: usize,
    /// Bytes the disk must have free for a write to be tried at all.
    pub reserve_bytes: u64,
    /// Bytes of the write-ahead log; what no longer fits is written straight to the tables.
    pub log_bytes: u64,
    /// Seconds for which events are kept, so that clients can go on where they stopped.
    pub journal_seconds: u64,
    /// The most events that are kept.
    pub journal_events: u64,
    /// Whether a message that is taken back on its platform loses its content here.
    pub hides_recalled: bool,
    /// Whether a file that is damaged is made anew from what can be read of it.
    pub salvages: bool,
    /// How long to wait for another process that has the file.
    pub patience: Duration,
    /// How long callers wait for a file that failed to be opened again, to hear what is stored.
    pub doubt_timeout: Duration,
    /// By which claims of this process are known from those of others.
    pub owner: String,
    /// Gets the progress of the migration of an older store.
    pub migration: Option<MigrationProgress>,
    /// Storage in place of files, for tests of faults.
    pub storage: Option<StorageFactory>,
    /// The log of the cluster that the store belongs to; `None` for a store of its own.
    pub shared_log: Option<SharedLogFactory>,
}

/// Gives the log of a cluster, each time the store is opened.
#[derive(Clone)]
pub struct SharedLogFactory(pub Arc<dyn Fn() -> Box<dyn SharedLog> + Send + Sync>);

impl fmt::Debug for SharedLogFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedLogFactory")
    }
}

/// Something that gets the progress of the migration of an older store.
#[derive(Clone)]
pub struct MigrationProgress(pub Arc<dyn Fn(MigrationStep<'_>) + Send + Sync>);

impl fmt::Debug for MigrationProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MigrationProgress")
    }
}

/// A step of bringing a store of an older version up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationStep<'a> {
    /// It begins; this is the store's file.
    Begins(&'a Path),
    /// A part of a file is copied.
    Copied {
        /// Bytes that are copied.
        bytes: u64,
        /// Bytes of the file.
        all: u64,
    },
    /// A part of the index has its new form.
    Rewritten {
        /// Rows that have it.
        rows: u64,
        /// Rows of the index.
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

    /// Tells how far a store of an older version is brought up to date.
    pub(super) fn tell(&self, step: MigrationStep<'_>) {
        if let Some(MigrationProgress(tell)) = &self.migration {
            tell(step);
        }
    }

    /// Whether a damaged file may be made anew; a node of a cluster takes a copy of another node.
    pub(super) fn may_salvage(&self) -> bool {
        self.salvages && self.storage.is_none() && self.shared_log.is_none()
    }

    /// The log of this store, which has a key.
    pub(super) fn log(&self, key: [u8; 16]) -> FileLog {
        FileLog::new(&self.path, self.storage.clone(), key, self.log_bytes)
    }

    /// Context of the transactions of a store opened so; its epoch is new.
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
    // Never 0, nor is its tag: they stand for the time before there were epochs.
    Epoch::new(uuid::Uuid::new_v4().as_u64_pair().0 | 1)
}
