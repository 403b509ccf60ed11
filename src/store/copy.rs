//! Copying a store while it is in use.

use super::commit::{commit, follow_later};
use super::conversation::ConversationRow;
use super::error::{Result, StoreError};
use super::journal;
use super::membership;
use super::quarantine;
use super::sealed::{SealedTable, epoch_of, key_of, mark_key};
use super::tables::{
    ADAPTER_STATE, CONVERSATIONS, EARLY_RECALLS, EPOCHS, FOREIGN_IDS, JOURNAL, KEYS, KEYS_BY_AGE,
    LATE, LOG_BYTES, MESSAGES, META, NEWEST, PLATFORMS, POSTINGS, QUARANTINE, RAW_EVENTS, REQUESTS,
    SEEN, SENT, platform_term, unpack, unpack_places, unpack_request,
};
use crate::log::disk::make_private;
use crate::log::record::{self, Unreadable};
use redb::{Database, Key, ReadTransaction, ReadableTable, TableDefinition, TableError, Value};
use std::path::Path;

/// The most rows in one transaction of the copy. It limits the memory that the copy needs.
const ROWS_AT_ONCE: usize = 50_000;

/// The purpose of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CopyKind {
    /// An independent store, without data that may be secret or is only for bots.
    Backup,
    /// The store of another node of the same cluster: everything.
    Node,
}

/// Writes the content of a commit into a new file. A damaged row ends it, so that the copy does not replace
/// a better one.
pub(super) fn copy(txn: &ReadTransaction, to: &Path, kind: CopyKind) -> Result<()> {
    let failed = |error: &dyn std::fmt::Display| {
        StoreError::Write(format!("the copy {} cannot be written: {error}", to.display()))
    };
    make_private(to).map_err(|error| failed(&error))?;
    let database = Database::create(to).map_err(|error| failed(&error))?;
    let copied = (|| {
        copy_checked(txn, &database, MESSAGES, |seq, row| record::decode(seq, row).map(drop))?;
        copy_checked(txn, &database, FOREIGN_IDS, |id, row| {
            SealedTable::ForeignIds.seq([id], row).map(drop)
        })?;
        copy_checked(txn, &database, POSTINGS, |key, row| unpack_places(key, row).map(drop))?;
        let meta = txn.open_table(META)?;
        let platforms = txn.open_table(PLATFORMS)?;
        copy_checked(txn, &database, PLATFORMS, |name, _| {
            let term = platform_term(&platforms, &meta, name);
            term.map(drop).map_err(|error| Unreadable::new(error.to_string()))
        })?;
        copy_checked(txn, &database, CONVERSATIONS, |(platform, name), row| {
            unpack::<ConversationRow>("the conversation", &[platform, name], row).map(drop)
        })?;
        copy_table(txn, &database, NEWEST)?;
        copy_table(txn, &database, LATE)?;
        copy_checked(txn, &database, KEYS, |key, row| key_of(key, row).map(drop))?;
        copy_table(txn, &database, KEYS_BY_AGE)?;
        for (table, sealed) in [(SEEN, SealedTable::Seen), (SENT, SealedTable::Sent)] {
            let check = |key, row| sealed.seq(mark_key(key), row).map(drop);
            copy_checked(txn, &database, table, check)?;
        }
        copy_checked(txn, &database, JOURNAL, |first, row| journal::decode(first, row).map(drop))?;
        copy_checked(txn, &database, EPOCHS, |offset, row| epoch_of(offset, row).map(drop))?;
        copy_checked(txn, &database, QUARANTINE, |at, row| quarantine::decode(at, row).map(drop))?;
        copy_checked(txn, &database, REQUESTS, |id, row| unpack_request(id, row).map(drop))?;
        if kind == CopyKind::Node {
            copy_table(txn, &database, EARLY_RECALLS)?;
            copy_table(txn, &database, ADAPTER_STATE)?;
            copy_table(txn, &database, RAW_EVENTS)?;
        }
        // The last table: a file without it is no store, should the copy be interrupted.
        copy_table(txn, &database, META)?;
        let last = database.begin_write()?;
        if kind == CopyKind::Backup {
            membership::remove(&last)?;
        }
        // The copy has no log.
        last.open_table(META)?.remove(LOG_BYTES)?;
        commit(last)
    })();
    copied.map_err(|error| failed(&error))?;
    database.close().map_err(|error| failed(&error))
}

fn copy_table<K: Key + 'static, V: Value + 'static>(
    from: &ReadTransaction,
    to: &Database,
    table: TableDefinition<'static, K, V>,
) -> Result<()> {
    copy_checked(from, to, table, |_, _| Ok(()))
}

fn copy_checked<K: Key + 'static, V: Value + 'static>(
    from: &ReadTransaction,
    to: &Database,
    table: TableDefinition<'static, K, V>,
    check: impl Fn(K::SelfType<'_>, V::SelfType<'_>) -> std::result::Result<(), Unreadable>,
) -> Result<()> {
    let source = match from.open_table(table) {
        // Stores of older versions lack some tables.
        Err(TableError::TableDoesNotExist(_)) => return Ok(()),
        source => source?,
    };
    let mut rows = source.iter()?.peekable();
    loop {
        let mut txn = to.begin_write()?;
        follow_later(&mut txn)?;
        {
            let mut target = txn.open_table(table)?;
            for row in rows.by_ref().take(ROWS_AT_ONCE) {
                let (key, value) = row?;
                check(key.value(), value.value())?;
                target.insert(key.value(), value.value())?;
            }
        }
        commit(txn)?;
        if rows.peek().is_none() {
            return Ok(());
        }
    }
}
