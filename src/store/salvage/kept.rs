//! Damaged files that are kept beside a store.

use crate::log::file::kept_beside;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Damaged stores that are kept beside a store.
pub fn kept_stores(store: &Path) -> Vec<PathBuf> {
    let store = std::fs::canonicalize(store).unwrap_or_else(|_| store.to_owned());
    let (Some(folder), Some(name)) = (store.parent(), store.file_name()) else { return Vec::new() };
    let is_kept = |path: &PathBuf| {
        let end = path.file_name().and_then(|found| {
            found.to_str()?.strip_prefix(name.to_str()?)?.strip_prefix(".damaged.")
        });
        end.is_some_and(|at| at.parse::<u64>().is_ok())
    };
    let all = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path());
    let mut kept: Vec<_> = all.filter(is_kept).collect();
    kept.sort_unstable();
    kept
}

/// When the newest damaged log or store was moved away that is kept beside a store; `None` if there is
/// none. Lost messages may have named files from before that time.
pub fn damaged_at(store: &Path) -> Option<SystemTime> {
    let mut kept = kept_stores(store);
    kept.extend(kept_beside(store));
    let at = |path: &PathBuf| path.extension()?.to_str()?.parse().ok();
    kept.iter().filter_map(at).max().map(|at| UNIX_EPOCH + Duration::from_secs(at))
}
