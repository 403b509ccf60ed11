//! Commits of transactions, and how durable they are.

use super::error::{Result, StoreError};
use redb::WriteTransaction;

/// Lets the commit return without a sync, because the log has the changes.
pub(super) fn follow_later(txn: &mut WriteTransaction) -> Result<()> {
    let set = txn.set_durability(redb::Durability::None);
    set.map_err(|error| StoreError::Write(error.to_string()))
}

pub(super) fn commit(txn: WriteTransaction) -> Result<()> {
    txn.commit().map_err(|error| StoreError::Write(error.to_string()))
}
