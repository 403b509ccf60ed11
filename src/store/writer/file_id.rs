//! Which file lies at a path.

use crate::store::options::StoreOptions;
use std::os::unix::fs::MetadataExt;

/// A file, whatever its name: its device and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId(u64, u64);

impl FileId {
    /// The file at the store's path; `None` if there is none, or it is no file of a disk.
    pub(super) fn of(options: &StoreOptions) -> Option<Self> {
        if options.storage.is_some() {
            return None;
        }
        let found = std::fs::metadata(&options.path).ok()?;
        Some(Self(found.dev(), found.ino()))
    }
}
