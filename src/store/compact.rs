//! Makes the file of a store smaller while no process has it open.

use super::error::{Result, StoreError};
use super::open::open;
use super::options::StoreOptions;

/// Makes the file of a store as small as possible. No process may have it open.
///
/// # Errors
///
/// The file is in use, or the disk refuses.
pub fn compact(options: &StoreOptions) -> Result<()> {
    let Some(mut file) = open(options)?.into_writable() else { return Ok(()) };
    while file.database.compact().map_err(|error| StoreError::Write(error.to_string()))? {}
    file.close()
}
