//! Checks whether a file is a store, and of which schema.

use super::refused::disk;
use crate::store::error::{Result, StoreError};
use crate::store::ids::IdPermutation;
use crate::store::tables::{MARK, META, SCHEMA, key_check};
use redb::{ReadTransaction, TableError};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The first bytes of every redb file.
const REDB_MAGIC: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";

/// Identity of a store.
pub(super) struct Identity {
    pub(super) schema: u32,
    pub(super) ids: IdPermutation,
}

/// Checks the mark and the schema; [`StoreError::Absent`] where the file has no tables at all.
pub(super) fn identify(txn: &ReadTransaction, path: &Path) -> Result<Identity> {
    let foreign = || {
        StoreError::Open(format!(
            "{} belongs to another program; it is left as it is\n  choose another file with --db",
            path.display()
        ))
    };
    let meta = match txn.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::TableDoesNotExist(_)) if txn.list_tables()?.next().is_none() => {
            return Err(StoreError::Absent);
        }
        Err(TableError::Storage(error)) => return Err(error.into()),
        Err(_) => return Err(foreign()),
    };
    if meta.get("application")?.is_none_or(|mark| mark.value() != MARK) {
        return Err(foreign());
    }
    let schema =
        meta.get("schema")?.and_then(|v| Some(u32::from_le_bytes(v.value().try_into().ok()?)));
    let key = meta.get("id key")?.and_then(|v| v.value().try_into().ok());
    let check = meta.get("id check")?.and_then(|v| v.value().try_into().ok());
    let is_whole = |schema, key| schema == 1 || check == Some(key_check(key));
    match (schema, key) {
        (Some(schema @ 1..=SCHEMA), Some(key)) if is_whole(schema, key) => {
            Ok(Identity { schema, ids: IdPermutation::new(key) })
        }
        (Some(newer), _) if newer > SCHEMA => Err(StoreError::Open(format!(
            "{} was written by a newer rechat (schema {newer}, this one knows {SCHEMA}); it is left as it is\n  \
             update rechat, or choose another file with --db",
            path.display()
        ))),
        _ => Err(StoreError::Open(format!(
            "{} is damaged: its `meta` table is incomplete\n  restore a backup",
            path.display()
        ))),
    }
}

/// Whether there is a file with content. A file without redb's first bytes is refused.
pub(super) fn has_content(path: &Path) -> Result<bool> {
    let mut head = Vec::new();
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(disk(path, "opened", &error)),
        Ok(file) => file
            .take(REDB_MAGIC.len() as u64)
            .read_to_end(&mut head)
            .map_err(|error| disk(path, "read", &error))?,
    };
    if !head.is_empty() && head != REDB_MAGIC {
        return Err(StoreError::Open(format!(
            "{} is no rechat store, or its first bytes are damaged; it is left as it is\n  choose another file with --db, restore a backup, or let `rechat check --repair` read what it can",
            path.display()
        )));
    }
    Ok(!head.is_empty())
}
