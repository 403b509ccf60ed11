//! The write-ahead log of a store that is being opened: whether the tables need it, and where it is kept.

use super::database::builder;
use super::identify::{Identity, identify};
use super::refused::{disk, refused};
use crate::log::Log as _;
use crate::store::error::{Result, StoreError};
use crate::store::file::StoreFile;
use crate::store::ids::IdPermutation;
use crate::store::log_recovery::FoundLog;
use crate::store::options::StoreOptions;
use crate::store::overlay::Overlay;
use crate::store::tables::{META, counters, log_bytes};
use crate::store::transaction::TransactionContext;
use redb::{Database, ReadTransaction, ReadableDatabase};
use std::path::Path;

/// Whether the log has events that the tables lack.
pub(super) fn goes_beyond(
    options: &StoreOptions,
    ids: IdPermutation,
    txn: &ReadTransaction,
) -> Result<bool> {
    let offset = counters(&txn.open_table(META)?)?.offset;
    let contents = options.log(ids.key()).read(offset + 1)?;
    Ok(!contents.batches.is_empty() || !contents.damage.is_empty())
}

/// Applies the events of the write-ahead log that the tables lack.
pub(super) fn caught_up(
    options: &StoreOptions,
    database: Database,
    context: TransactionContext,
) -> Result<(StoreFile, FoundLog)> {
    let log = Box::new(options.log(context.ids.key()));
    let mut file = StoreFile { database, context, log, shared: None };
    let found = file.catch_up()?;
    Ok((file, found))
}

/// Logs why the write-ahead log is kept, and where.
pub(super) fn tell_kept(found: FoundLog, aside: &Path) {
    let aside = aside.display();
    match found {
        FoundLog::UsedUp => {}
        FoundLog::Damaged => tracing::error!(
            "recovered the readable part of the damaged write-ahead log; the file was moved to {aside}"
        ),
        FoundLog::PassedOver => tracing::error!(
            "some changes of the write-ahead log need damaged rows and were not applied; the file was moved to {aside}"
        ),
        FoundLog::Missing => tracing::error!(
            "the store was not closed, and its write-ahead log is gone or empty: the newest messages may be missing; {aside} is left as a mark of it"
        ),
        FoundLog::DoesNotFollow => tracing::error!(
            "the write-ahead log does not continue this store and was moved to {aside}; was an older copy of the store restored?"
        ),
        FoundLog::Foreign => tracing::error!(
            "the write-ahead log beside the store has no valid record of this store and was moved to {aside}; is it of another store, or damaged?"
        ),
    }
}

/// Damage of the write-ahead log after the events that the tables have, as text. Nothing is changed.
pub(in crate::store) fn damage_of_log(options: &StoreOptions) -> Result<Vec<String>> {
    let path = &options.path;
    let overlay = Overlay::over(path).map_err(|error| disk(path, "opened", &error))?;
    let database =
        builder(options).create_with_backend(overlay).map_err(|error| refused(path, &error))?;
    let txn = database.begin_read()?;
    let Identity { ids, .. } = identify(&txn, path)?;
    let meta = txn.open_table(META)?;
    let offset = match counters(&meta) {
        // The counters are counted again when the store is opened.
        Err(StoreError::Damaged(_)) => 0,
        counters => counters?.offset,
    };
    let mut contents = options.log(ids.key()).read(offset + 1)?;
    if contents.is_foreign {
        contents.damage.push("it has no whole record of this store".into());
    }
    if let Some(bytes) = log_bytes(&meta)?
        && (contents.bytes < bytes || contents.is_blank)
    {
        let found = if contents.is_blank { 0 } else { contents.bytes };
        contents.damage.push(format!("{found} of {bytes} bytes are there"));
    }
    Ok(contents.damage)
}
