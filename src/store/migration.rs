//! Converts older stores. Tables of version 0.2 (schema 1) get checksums, and the commands of their
//! write-ahead log are carried out. Stores of schema 2 get read marks (everything counts as read), the
//! order of conversations, and late messages.
//!
//! All of it is one transaction, so a kill at any point leaves the store as it was. A copy of the old file
//! is kept beside it until the conversion has ended.

mod backup;
mod first_log;
mod first_rows;
mod first_schema;
mod second_schema;

use super::error::{Result, StoreError};
use super::options::{MigrationStep, StoreOptions};
use super::tables::{META, SCHEMA};
use super::transaction::TransactionContext;
use backup::BackupFiles;
use first_schema::{from_first, take_away};
use redb::Database;
use second_schema::from_second;

/// Brings the tables from an older schema to [`SCHEMA`].
pub(super) fn migrate(
    options: &StoreOptions,
    database: &Database,
    context: &TransactionContext,
    schema: u32,
) -> Result<()> {
    tracing::info!("bringing the store up to date");
    options.tell(MigrationStep::Begins(&options.path));
    let backup = BackupFiles::make(options)?;
    let mut txn = database.begin_write()?;
    // redb recommends it against a power cut during a large commit.
    txn.set_two_phase_commit(true);
    let old_log = if schema == 1 {
        Some(from_first(&txn, options, context)?)
    } else {
        from_second(&txn)?;
        None
    };
    let schema = SCHEMA.to_le_bytes();
    txn.open_table(META)?.insert("schema", schema.as_slice())?;
    txn.commit().map_err(|error| StoreError::Write(error.to_string()))?;
    let is_damaged = match old_log {
        Some((log, state)) => take_away(log, &state)?,
        None => false,
    };
    if is_damaged {
        backup.tell();
    } else {
        backup.remove();
    }
    options.tell(MigrationStep::Ends);
    tracing::info!("the store is up to date");
    Ok(())
}
