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
/// A folder, a device or a link is there, or a file that may not be replaced.
pub(super) fn check(path: &Path, may_replace: bool) -> Result<()> {
    let shown = path.display();
    if path.is_dir() {
        return Err(Error::failed(format!("{shown} is a folder")).hint("name a file in it"));
    }
    // A link is not followed: what is written takes its place.
    let there = path.symlink_metadata().ok().map(|there| there.file_type());
    if there.is_some_and(|there| !there.is_file()) {
        return Err(Error::failed(format!("{shown} is no regular file"))
            .hint("name another file; links and devices are not replaced"));
    }
    if there.is_some() && !may_replace {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_a_regular_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a"), folder.path().join("link"));
        symlink(&file, &link).unwrap();
        assert!(check(&file, false).is_ok());
        assert!(check(&link, false).is_err(), "it leads nowhere");
        std::fs::write(&file, "x").unwrap();
        assert!(check(&file, false).is_err());
        assert!(check(&file, true).is_ok());
        for other in [&link, Path::new("/dev/null"), folder.path()] {
            assert!(check(other, true).is_err(), "{}", other.display());
        }
    }
}
