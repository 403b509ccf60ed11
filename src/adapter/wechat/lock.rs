//! One poller for each login of this user on this host: two would divide the messages among
//! themselves. The lock ends with the process, however that ends.

use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use rustix::fs::OFlags;
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(super) struct AccountLock {
    _file: File,
}

/// Takes the lock of a login, by its token; `Ok(None)` where another poller has it.
pub(super) fn take(token: &str) -> Result<Option<AccountLock>, String> {
    let path = path(token);
    let open = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(&path);
    let file = open.map_err(|error| format!("{}: {error}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(AccountLock { _file: file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(format!("{}: {error}", path.display())),
    }
}

fn path(token: &str) -> PathBuf {
    let folder = std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty());
    let folder = folder.map_or_else(std::env::temp_dir, PathBuf::from);
    let user = rustix::process::getuid().as_raw();
    folder.join(format!("rechat-wechat-{user}-{}.lock", HEXLOWER.encode(&Md5::digest(token))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_has_one_poller() {
        let token = uuid::Uuid::new_v4().to_string();
        let first = take(&token).unwrap().unwrap();
        assert!(take(&token).unwrap().is_none());
        drop(first);
        assert!(take(&token).unwrap().is_some());
        std::fs::remove_file(path(&token)).unwrap();
    }
}
