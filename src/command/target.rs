//! Files that commands write: nothing that is there is lost by mistake.

use crate::error::{Error, Result};
use std::fs::{File, TryLockError};
use std::io::Read;
use std::path::Path;

/// The first bytes of a store's file.
const STORE: &[u8] = b"redb";

/// Checks that a file can be written at `path`: nothing is there, or it `may_replace` that.
///
/// # Errors
///
/// A folder is there, or a file that may not be replaced.
pub(super) fn check(path: &Path, may_replace: bool) -> Result<()> {
    let shown = path.display();
    if path.is_dir() {
        return Err(Error::failed(format!("{shown} is a folder")).hint("name a file in it"));
    }
    if path.exists() && !may_replace {
        return Err(Error::failed(format!("{shown} is there already"))
            .hint("name another file, or let it be replaced with --force"));
    }
    Ok(())
}

/// Checks that what is to be replaced is no store.
///
/// # Errors
///
/// It is one.
pub(super) fn check_no_store(path: &Path) -> Result<()> {
    let mut begin = [0; STORE.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut begin));
    if read.is_ok() && begin == STORE {
        return Err(Error::failed(format!("{} is a store", path.display()))
            .hint("name another file; a store is not replaced by another kind of file"));
    }
    Ok(())
}

/// Checks that what is to be replaced is no store that this command or another program has open. To be
/// called while this command has its own open.
///
/// # Errors
///
/// It is one.
pub(super) fn check_not_open(path: &Path) -> Result<()> {
    let Ok(file) = File::open(path) else { return Ok(()) };
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        return Err(Error::failed(format!("{} is a store that is in use", path.display()))
            .hint("name another file"));
    }
    Ok(())
}
