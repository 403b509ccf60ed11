//! Makes a new store from the rows of a damaged file that can be read.
//!
//! The file is read page by page. Whole rows are copied; the index and the order of conversations are built
//! again from the messages. The new file replaces the damaged one, which is kept beside it. Then the
//! write-ahead log is applied, as at any opening.

mod carry_over;
mod kept;
mod newest_tables;
mod rebuild;

use super::error::{Result, StoreError};
use super::ids::IdPermutation;
use super::initialise::initialise;
use super::options::StoreOptions;
use super::pages::{DamagedFile, TreeEntry};
use super::tables::MESSAGES;
use crate::clock::now;
use crate::log::disk::{make_private, rename_durably, sync_folder_of};
use crate::log::record;
use carry_over::{Carrier, RowState, whole};
pub use kept::{damaged_at, kept_stores};
use newest_tables::{FoundTables, find_tables};
use redb::backends::FileBackend;
use redb::{Database, StorageBackend as _};
use std::fs::OpenOptions;
use std::ops::{Bound, Range};
use std::path::{Path, PathBuf};

/// The result of a salvage.
#[derive(Debug, Default)]
pub struct Salvaged {
    /// The damaged file, which is kept.
    pub kept: PathBuf,
    /// Messages that could be read.
    pub messages: u64,
    /// The data that could not be read: a line for each table, and for each place.
    pub lost: Vec<String>,
}

impl Salvaged {
    /// Logs the result.
    pub(super) fn tell(&self) {
        for lost in &self.lost {
            tracing::error!("lost: {lost}");
        }
        let (messages, kept) = (self.messages, self.kept.display());
        tracing::error!(
            messages,
            "the store's file was damaged and is made anew from what could be read; the damaged file is kept in {kept}"
        );
    }
}

/// Makes a new store from the rows of a file that can be read. If no message can be read, nothing is
/// changed.
///
/// # Errors
///
/// Another process has the file, it is no store of this version, nothing can be read, or the disk refuses.
pub fn salvage(options: &StoreOptions) -> Result<Salvaged> {
    let path = std::fs::canonicalize(&options.path).unwrap_or_else(|_| options.path.clone());
    let failed = |error: &dyn std::fmt::Display| {
        StoreError::Open(format!(
            "{} is damaged and cannot be made anew: {error}\n  restore a backup, or choose another file with --db",
            path.display()
        ))
    };
    let file = OpenOptions::new().read(true).write(true).open(&path);
    let file = file.map_err(|error| failed(&error))?;
    // Locks the file, so that no other process opens it meanwhile.
    let lock = FileBackend::new(file).map_err(|error| failed(&error))?;
    if !lock.try_lock_range(Bound::Unbounded, Bound::Unbounded).map_err(|error| failed(&error))? {
        return Err(StoreError::InUse(format!("{} is in use by another process", path.display())));
    }
    let pages = DamagedFile::open(&path).map_err(|error| failed(&error))?;
    let pages = pages.ok_or_else(|| failed(&"it is too short"))?;
    let new = path.with_added_extension(format!("salvage-{}", uuid::Uuid::new_v4().simple()));
    let salvaged = carry_over(&pages, &new)
        .map_err(|error| failed(&error))
        .and_then(|salvaged| put_in_place(&path, &new, salvaged).map_err(|error| failed(&error)));
    if salvaged.is_err() {
        let _ = std::fs::remove_file(&new);
    }
    salvaged
}

/// Damaged pages of a store's file, as text: a line for each, and for each table the number of rows that it
/// lacks. Nothing is changed. Empty if the file cannot be read page by page.
pub(super) fn damaged_pages(path: &Path) -> Vec<String> {
    let Ok(Some(pages)) = DamagedFile::open(path) else { return Vec::new() };
    let Ok(FoundTables { tables, damage: mut told }) = find_tables(&pages) else {
        return Vec::new();
    };
    for (name, tree) in &tables {
        let (mut rows, mut damaged) = (0, Vec::new());
        let seen = pages.each(tree, &mut |found| match found {
            TreeEntry::DamagedPage(place) => damaged.push(place),
            TreeEntry::Row { .. } => rows += 1,
        });
        if let Err(error) = seen {
            told.push(format!("the table `{name}` could not be read to the end: {error}"));
        }
        for Range { start, end } in damaged {
            told.push(format!("bytes {start} to {end} of the file are damaged: table `{name}`"));
        }
        if rows != tree.rows {
            told.push(format!("the table `{name}` has {rows} of {} rows", tree.rows));
        }
    }
    told
}

/// Replaces the damaged file, which gets another name. There is a file at the path at any time.
fn put_in_place(path: &Path, new: &Path, salvaged: Salvaged) -> std::io::Result<Salvaged> {
    let mut kept = path.with_added_extension(format!("damaged.{}", now()));
    while kept.exists() {
        kept = path.with_added_extension(format!("damaged.{}", now() + 1));
    }
    if std::fs::hard_link(path, &kept).is_err() {
        // Some file systems have no hard links.
        rename_durably(path, &kept)?;
    }
    sync_folder_of(&kept)?;
    rename_durably(new, path)?;
    Ok(Salvaged { kept, ..salvaged })
}

/// Copies everything that can be read into a new file.
fn carry_over(pages: &DamagedFile, new: &Path) -> Result<Salvaged> {
    let read = |error: std::io::Error| StoreError::Read(error.to_string());
    let FoundTables { tables, damage } = find_tables(pages).map_err(read)?;
    if tables.is_empty() {
        return Err(StoreError::Read("no table of a store is found in it".into()));
    }
    make_private(new).map_err(|error| StoreError::Write(error.to_string()))?;
    let target = Database::create(new).map_err(|error| StoreError::Write(error.to_string()))?;
    let ids = initialise(&target)?;
    let mut carrier = Carrier { pages, tables, target, lost: damage, places: 0 };
    let key = carrier.meta()?;
    let messages = carrier.rows(MESSAGES, "messages", |seq, row| match row.first() {
        Some(1) => RowState::Unsealed,
        _ => whole(&record::decode(seq, row)),
    })?;
    if messages == 0 {
        return Err(StoreError::Read("no message can be read".into()));
    }
    carrier.others()?;
    let Carrier { target, lost, .. } = carrier;
    // Without the key of the old file, its IDs count as IDs that were not made here.
    let ids = key.map_or(ids, IdPermutation::new);
    rebuild::rebuild(&target, ids)?;
    target.close().map_err(|error| StoreError::Write(error.to_string()))?;
    Ok(Salvaged { kept: PathBuf::new(), messages, lost })
}
