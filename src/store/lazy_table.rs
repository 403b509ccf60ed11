//! Tables that most batches and most readers do not need. Each is opened at its first use, because opening
//! one costs as much as reading several rows.

use super::error::{Result, StoreError};
use redb::{Key, ReadOnlyTable, ReadTransaction, Table, TableDefinition, Value, WriteTransaction};
use std::cell::OnceCell;
use std::sync::OnceLock;

/// A table of a write transaction, opened at its first use.
pub(super) struct LazyTable<'txn, K: Key + 'static, V: Value + 'static> {
    txn: &'txn WriteTransaction,
    definition: TableDefinition<'static, K, V>,
    opened: OnceCell<Table<'txn, K, V>>,
}

impl<'txn, K: Key + 'static, V: Value + 'static> LazyTable<'txn, K, V> {
    /// The table of a definition, not opened yet.
    pub(super) fn new(
        txn: &'txn WriteTransaction,
        definition: TableDefinition<'static, K, V>,
    ) -> Self {
        Self { txn, definition, opened: OnceCell::new() }
    }

    /// The table, for reading; made if it does not exist.
    pub(super) fn read(&self) -> Result<&Table<'txn, K, V>> {
        if let Some(table) = self.opened.get() {
            return Ok(table);
        }
        let table = self.txn.open_table(self.definition)?;
        Ok(self.opened.get_or_init(|| table))
    }

    /// The table, for writing; made if it does not exist.
    pub(super) fn write(&mut self) -> Result<&mut Table<'txn, K, V>> {
        self.read()?;
        // The line above has opened it.
        self.opened.get_mut().ok_or(StoreError::Absent)
    }
}

/// A table of a read transaction, once it was asked for.
pub(super) struct OpenedTable<K: Key + 'static, V: Value + 'static>(OnceLock<ReadOnlyTable<K, V>>);

impl<K: Key + 'static, V: Value + 'static> Default for OpenedTable<K, V> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<K: Key + 'static, V: Value + 'static> OpenedTable<K, V> {
    /// The table, opened in its transaction.
    pub(super) fn of(
        &self,
        txn: &ReadTransaction,
        definition: TableDefinition<'_, K, V>,
    ) -> Result<&ReadOnlyTable<K, V>> {
        if let Some(table) = self.0.get() {
            return Ok(table);
        }
        let table = txn.open_table(definition)?;
        Ok(self.0.get_or_init(|| table))
    }
}
