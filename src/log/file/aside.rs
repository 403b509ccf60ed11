//! Logs that were kept beside the store because they are damaged or belong to another store.

use crate::clock::now;
use crate::log::disk::{folder_of, make_private, sync_folder_of};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Path of the log: next to the store's file, after following symbolic links.
pub fn path_beside(store: &Path) -> PathBuf {
    let store = std::fs::canonicalize(store).unwrap_or_else(|_| store.to_owned());
    let mut name = store.into_os_string();
    name.push("-wal");
    name.into()
}

/// The reasons for keeping a log beside the store, as words of the file's name.
const KEPT_AS: [&str; 5] = ["damaged", "does-not-follow", "foreign", "missing", "passed-over"];

/// Logs of a store that were damaged or did not belong to it, and are kept beside it.
pub fn kept_beside(store: &Path) -> Vec<PathBuf> {
    let log = path_beside(store);
    let (Some(folder), Some(name)) = (log.parent(), log.file_name()) else { return Vec::new() };
    let folder = if folder == Path::new("") { Path::new(".") } else { folder };
    let is_kept = |path: &PathBuf| {
        let end = path.file_name().and_then(|found| {
            found.to_str()?.strip_prefix(name.to_str()?)?.strip_prefix('.')?.split_once('.')
        });
        end.is_some_and(|(why, at)| KEPT_AS.contains(&why) && at.parse::<u64>().is_ok())
    };
    let all = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path());
    let mut kept: Vec<_> = all.filter(is_kept).collect();
    kept.sort_unstable();
    kept
}

/// A free name for a log that is kept.
pub(super) fn name_aside(path: &Path, why: &str) -> PathBuf {
    let first = path.with_added_extension(format!("{why}.{}", now()));
    let others = (1..).map(|n: u64| first.with_added_extension(n.to_string()));
    let mut names = std::iter::once(first.clone()).chain(others);
    names.find(|name| !name.exists()).unwrap_or(first)
}

/// Gives a log a second name in its folder, once; makes an empty file where there is no log.
pub(super) fn link_aside(path: &Path, why: &str) -> io::Result<PathBuf> {
    let aside = name_aside(path, why);
    let inode = match path.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return make_private(&aside).map(|()| aside);
        }
        found => found?.ino(),
    };
    for entry in std::fs::read_dir(folder_of(path))?.flatten() {
        if Some(&*entry.file_name()) != path.file_name() && entry.metadata()?.ino() == inode {
            return Ok(entry.path());
        }
    }
    std::fs::hard_link(path, &aside)?;
    sync_folder_of(&aside)?;
    Ok(aside)
}
