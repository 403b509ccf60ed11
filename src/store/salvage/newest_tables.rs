//! Finds the tables of the newest commit whose rows can be read, also if the header of the file is damaged.

use crate::store::pages::{DamagedFile, Tree, TreeEntry};
use crate::store::tables::{Counters, MESSAGES, META, unpack};
use redb::TableHandle as _;
use std::collections::BTreeMap;
use std::io;

/// The tables, and the damage above them, as text.
#[derive(Default)]
pub(super) struct FoundTables {
    pub(super) tables: BTreeMap<String, Tree>,
    pub(super) damage: Vec<String>,
}

/// Finds the tables by the header. If the header is damaged, searches the whole file for lists of tables.
/// Empty if no list is one of a store.
///
/// # Errors
///
/// The disk refuses.
pub(super) fn find_tables(pages: &DamagedFile) -> io::Result<FoundTables> {
    let (tables, damaged_above) = pages.tables()?;
    let mut found = FoundTables { tables, damage: Vec::new() };
    if damaged_above > 0 {
        found.damage.push(format!("{damaged_above} pages with the list of tables are damaged"));
    }
    let is_known = pages.is_header_whole && found.tables.contains_key(MESSAGES.name());
    if is_known {
        return Ok(found);
    }
    let mut lists = pages.lists_of_tables(MESSAGES.name())?;
    let Some(newest) = lists.iter().map(|list| offset_of(pages, list)).max() else {
        return Ok(found);
    };
    lists.retain(|list| offset_of(pages, list) == newest);
    let mut least: Option<(usize, BTreeMap<String, Tree>)> = None;
    for list in lists {
        let damaged = pages.damaged_below(&list)?;
        if least.as_ref().is_none_or(|(least, _)| damaged < *least) {
            least = Some((damaged, list));
        }
    }
    found.tables = least.map(|(_, list)| list).unwrap_or_default();
    found.damage.push(
        "the first page of the file is damaged, which names the newest commit; it was looked for in the whole file".into(),
    );
    Ok(found)
}

/// The offset of the newest event in a list of tables; 0 if it cannot be read, or the page belongs to a
/// later commit.
fn offset_of(pages: &DamagedFile, list: &BTreeMap<String, Tree>) -> u64 {
    let mut offset = 0;
    let Some(meta) = list.get(META.name()) else { return offset };
    let read = pages.each(meta, &mut |found| {
        if let TreeEntry::Row { key: b"counters", value, is_page_whole: true } = found
            && let Ok(counters) = unpack::<Counters>("", &["counters"], value)
        {
            offset = counters.offset;
        }
    });
    read.map_or(0, |()| offset)
}
