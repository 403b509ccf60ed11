//! Putting a store into a cluster, and taking it out, while nobody has it open.

use super::commit::commit;
use super::error::Result;
use super::membership::{self, Membership};
use super::open::open;
use super::options::StoreOptions;
use redb::WriteTransaction;

/// Makes a store that nobody has open the store of a node, at a stream sequence of the cluster's log.
///
/// # Errors
///
/// The file is in use, or the disk refuses.
pub fn join(options: &StoreOptions, new: &Membership) -> Result<()> {
    change(options, |txn| membership::put(txn, new))
}

/// Makes the store of a node an independent store, while nobody has it open.
///
/// # Errors
///
/// The file is in use, or the disk refuses.
pub fn leave(options: &StoreOptions) -> Result<()> {
    change(options, membership::remove)
}

fn change(
    options: &StoreOptions,
    change: impl FnOnce(&WriteTransaction) -> Result<()>,
) -> Result<()> {
    let Some(file) = open(options)?.into_writable() else { return Ok(()) };
    let txn = file.database.begin_write()?;
    change(&txn)?;
    commit(txn)?;
    file.close()
}
