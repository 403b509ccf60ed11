//! Copying a store while it is in use, and making its file smaller while it is not.

use super::file::make_private;
use super::tables::{
    CONVERSATIONS, EPOCHS, FOREIGN_IDS, JOURNAL, KEYS, KEYS_BY_AGE, MESSAGES, META, PLATFORMS,
    POSTINGS, SEEN, SENT,
};
use super::{Error, Options, Result, open};
use redb::{Database, Durability, Key, ReadTransaction, ReadableTable, TableDefinition, Value};
use std::path::Path;

/// Rows that share a transaction of the copy, so that it needs little memory.
const ROWS_AT_ONCE: usize = 50_000;

/// Writes everything that a commit holds into a new file.
pub(super) fn copy(txn: &ReadTransaction, to: &Path) -> Result<()> {
    let failed = |error: &dyn std::fmt::Display| {
        Error::Write(format!("the copy {} cannot be written: {error}", to.display()))
    };
    make_private(to).map_err(|error| failed(&error))?;
    let database = Database::create(to).map_err(|error| failed(&error))?;
    let copied = (|| {
        copy_table(txn, &database, MESSAGES)?;
        copy_table(txn, &database, FOREIGN_IDS)?;
        copy_table(txn, &database, POSTINGS)?;
        copy_table(txn, &database, PLATFORMS)?;
        copy_table(txn, &database, CONVERSATIONS)?;
        copy_table(txn, &database, KEYS)?;
        copy_table(txn, &database, KEYS_BY_AGE)?;
        copy_table(txn, &database, SEEN)?;
        copy_table(txn, &database, SENT)?;
        copy_table(txn, &database, JOURNAL)?;
        copy_table(txn, &database, EPOCHS)?;
        // Last: a file without it is no store, should the copy break off.
        copy_table(txn, &database, META)?;
        let last = database.begin_write()?;
        last.commit().map_err(|error| Error::Write(error.to_string()))
    })();
    copied.map_err(|error| failed(&error))?;
    database.close().map_err(|error| failed(&error))
}

fn copy_table<K: Key + 'static, V: Value + 'static>(
    from: &ReadTransaction,
    to: &Database,
    table: TableDefinition<'static, K, V>,
) -> Result<()> {
    let source = from.open_table(table)?;
    let mut rows = source.iter()?.peekable();
    loop {
        let mut txn = to.begin_write()?;
        txn.set_durability(Durability::None).map_err(|error| Error::Write(error.to_string()))?;
        {
            let mut target = txn.open_table(table)?;
            for row in rows.by_ref().take(ROWS_AT_ONCE) {
                let (key, value) = row?;
                target.insert(key.value(), value.value())?;
            }
        }
        txn.commit().map_err(|error| Error::Write(error.to_string()))?;
        if rows.peek().is_none() {
            return Ok(());
        }
    }
}

/// Makes the file of a store that nobody has open as small as it can be.
pub fn compact(options: &Options) -> Result<()> {
    let Some(mut file) = open::open(options)?.into_writable() else { return Ok(()) };
    while file.database.compact().map_err(|error| Error::Write(error.to_string()))? {}
    file.close()
}
