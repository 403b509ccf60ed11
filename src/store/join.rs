//! Puts a store into a cluster and takes it out, while no process has it open.

use super::commit::commit;
use super::error::Result;
use super::membership::{self, Membership};
use super::open::open;
use super::options::StoreOptions;
use redb::WriteTransaction;

/// Makes a store the store of a node, at a stream sequence of the cluster's log. No process may have it
/// open.
///
/// # Errors
///
/// The file is in use, or the disk refuses.
pub fn join(options: &StoreOptions, new: &Membership) -> Result<()> {
    change(options, |txn| membership::put(txn, new))
}

/// Makes the store of a node an independent store. No process may have it open.
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
