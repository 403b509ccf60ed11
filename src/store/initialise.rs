//! The tables of a new store.

use super::commit::commit;
use super::error::{Result, StoreError};
use super::ids::IdPermutation;
use super::options::{Access, StoreOptions};
use super::tables::{MADE_AT, MARK, META, OVERRULED_LISTED, SCHEMA, key_check};
use super::transaction::Transaction;
use crate::clock::now;
use redb::Database;
use std::time::{SystemTime, UNIX_EPOCH};

/// Marks a new file as a store of rechat and makes every table, so that readers find them.
pub(super) fn initialise(database: &Database) -> Result<IdPermutation> {
    let key = uuid::Uuid::new_v4().into_bytes();
    let ids = IdPermutation::new(key);
    let failed = |error: &dyn std::fmt::Display| {
        StoreError::Open(format!("the new store could not be written: {error}"))
    };
    let txn = database.begin_write()?;
    {
        let mut meta = txn.open_table(META)?;
        meta.insert("application", MARK)?;
        meta.insert("schema", SCHEMA.to_le_bytes().as_slice())?;
        meta.insert("id key", key.as_slice())?;
        meta.insert("id check", key_check(key).as_slice())?;
        meta.insert(OVERRULED_LISTED, 0_u64.to_le_bytes().as_slice())?;
    }
    let context = StoreOptions::new("", Access::Write).context(ids);
    let state = Transaction::open(&txn, &context, now())?;
    state.make_tables()?;
    state.finish()?;
    txn.commit().map_err(|error| failed(&error))?;
    Ok(ids)
}

/// Notes when the store was made. Files of messages that are older belong to another store.
pub(super) fn mark_made(database: &Database) -> Result<()> {
    let made = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let txn = database.begin_write()?;
    let nanoseconds = u64::try_from(made.as_nanos()).unwrap_or(u64::MAX).to_le_bytes();
    txn.open_table(META)?.insert(MADE_AT, nanoseconds.as_slice())?;
    commit(txn)
}
