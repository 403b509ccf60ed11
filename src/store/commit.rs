//! Commits of transactions, and how durable they are.

use super::error::{Result, StoreError};
use redb::WriteTransaction;

/// The log has what a transaction changes, so the tables need not be durable yet.
pub(super) fn follow_later(txn: &mut WriteTransaction) -> Result<()> {
    let set = txn.set_durability(redb::Durability::None);
    set.map_err(|error| StoreError::Write(error.to_string()))
}

pub(super) fn commit(txn: WriteTransaction) -> Result<()> {
    txn.commit().map_err(|error| StoreError::Write(error.to_string()))
}
