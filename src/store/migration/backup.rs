//! The copy of an older store, which is kept until the store is converted.

use crate::log::disk;
use crate::log::file::path_beside;
use crate::store::error::{Result, StoreError};
use crate::store::options::{MigrationStep, StoreOptions};
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Bytes of a file that are copied together.
const COPIED_AT_ONCE: u64 = 16 << 20;

/// The copies of the files of a store.
pub(super) struct BackupFiles(Vec<PathBuf>);

impl BackupFiles {
    pub(super) fn make(options: &StoreOptions) -> Result<Self> {
        if options.storage.is_some() {
            return Ok(Self(Vec::new()));
        }
        let log = path_beside(&options.path);
        let mut copies = Vec::new();
        for file in [&options.path, &log] {
            if file.exists() {
                copies.push(copy(file, options)?);
            }
        }
        Ok(Self(copies))
    }

    /// Logs where the copies are, because they are not removed.
    pub(super) fn tell(&self) {
        for copy in &self.0 {
            tracing::error!("the store as it was before is kept in {}", copy.display());
        }
    }

    pub(super) fn remove(self) {
        for copy in self.0 {
            if let Err(error) = std::fs::remove_file(&copy) {
                tracing::warn!("{} can be removed by hand: {error}", copy.display());
            }
        }
    }
}

fn copy(file: &Path, options: &StoreOptions) -> Result<PathBuf> {
    let to = file.with_added_extension("before-0.3");
    tracing::info!("copying {} to {}", file.display(), to.display());
    let copied = disk::make_private(&to).and_then(|()| copy_in_parts(file, &to, options));
    copied.map_err(|error| {
        let _ = std::fs::remove_file(&to);
        StoreError::Open(format!(
            "{} cannot be copied to {} before it is brought up to date: {error}\n  free as much space as it has",
            file.display(),
            to.display()
        ))
    })?;
    Ok(to)
}

/// Copies a file, and reports the progress.
fn copy_in_parts(from: &Path, to: &Path, options: &StoreOptions) -> io::Result<()> {
    let from = File::open(from)?;
    let mut to = OpenOptions::new().write(true).truncate(true).open(to)?;
    let (all, mut bytes) = (from.metadata()?.len(), 0);
    loop {
        match io::copy(&mut (&from).take(COPIED_AT_ONCE), &mut to)? {
            0 => return Ok(()),
            copied => bytes += copied,
        }
        options.tell(MigrationStep::Copied { bytes, all });
    }
}
