//! The database of a store: opens it with its cache, and repairs it if it was not closed.

use crate::log::disk::{PreallocatedFile, StorageFactory, StoreFileKind};
use crate::store::damage::guarded;
use crate::store::error::StoreError;
use crate::store::options::StoreOptions;
use redb::{Builder, Database, DatabaseError};
use std::fs::OpenOptions;
use std::time::Instant;

pub(super) fn builder(options: &StoreOptions) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(options.cache_bytes);
    builder
}

pub(super) fn database(options: &StoreOptions) -> std::result::Result<Database, DatabaseError> {
    let path = &options.path;
    let began = Instant::now();
    let file = if let Some(StorageFactory(open)) = &options.storage {
        PreallocatedFile::on(open(StoreFileKind::Tables))
    } else {
        let file = OpenOptions::new().read(true).write(true).open(path);
        PreallocatedFile::new(file.map_err(redb::StorageError::Io)?)?
    };
    builder(options)
        .set_repair_callback(move |repair| {
            let percent = (repair.progress() * 100.0).round();
            tracing::info!(
                percent,
                seconds = began.elapsed().as_secs(),
                "repairing a store that was not closed"
            );
        })
        .create_with_backend(file)
}

/// Whether a file cannot be opened because pages of it are damaged.
pub(super) fn is_damage(error: &DatabaseError) -> bool {
    matches!(error, DatabaseError::Storage(redb::StorageError::Corrupted(_)))
}

/// Opens a file. redb panics if a page has an unknown form; here that counts as damage.
pub(super) fn guarded_open<T>(
    open: impl FnOnce() -> std::result::Result<T, DatabaseError>,
) -> std::result::Result<T, DatabaseError> {
    let opened = guarded(|| Ok(open()));
    let damage = |error: StoreError| redb::StorageError::Corrupted(error.to_string()).into();
    opened.map_err(damage).flatten()
}
