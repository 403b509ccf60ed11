//! Errors of files that cannot be opened.

use crate::store::error::StoreError;
use redb::DatabaseError;
use std::io;
use std::path::Path;

pub(super) fn disk(path: &Path, verb: &str, error: &io::Error) -> StoreError {
    let advice = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "give this user the right to it, or choose another file with --db"
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "its file system is read-only; choose another file with --db"
        }
        io::ErrorKind::StorageFull => "free some space on that disk",
        _ => "choose another file with --db",
    };
    StoreError::Open(format!("{} cannot be {verb}: {error}\n  {advice}", path.display()))
}

pub(super) fn refused(path: &Path, error: &DatabaseError) -> StoreError {
    match error {
        DatabaseError::DatabaseAlreadyOpen => StoreError::InUse(format!(
            "{} is in use by another process that does not answer as a rechat server\n  \
             end it (`fuser {0}` names it), or choose another file with --db",
            path.display()
        )),
        DatabaseError::UpgradeRequired(_) => StoreError::Open(format!(
            "{} cannot be read: {error}\n  restore it from a backup, or choose another file with --db",
            path.display()
        )),
        DatabaseError::Storage(redb::StorageError::Corrupted(_)) => StoreError::Open(format!(
            "{} cannot be read: {error}\n  restore a backup, make the store anew from what can be read with `rechat check --repair`, or choose another file with --db",
            path.display()
        )),
        DatabaseError::Storage(redb::StorageError::Io(error)) => disk(path, "opened", error),
        _ => StoreError::Open(format!("{} cannot be opened: {error}", path.display())),
    }
}
