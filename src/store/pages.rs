//! The pages of a store's file, read without redb: where a page is damaged, redb gives up the whole file.
//!
//! The format is version 3 of redb's, as its `docs/design.md` has it. Each page has a checksum, which its
//! parent keeps. A leaf page whose checksum is wrong is read all the same, because most rows have a
//! checksum of their own.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use twox_hash::XxHash3_128;

/// The version of the format.
const FORMAT: u8 = 3;

/// Bytes of the header that are used: 64 of the file, and two slots of 128.
const HEADER: usize = 320;

/// Bytes of a slot before its checksum.
const SLOT: usize = 112;

/// Levels of a tree, at most: a branch page has many children.
const MAX_DEPTH: usize = 24;

/// Bytes of a page, at most: more than any row has.
const MAX_PAGE_BYTES: u64 = 1 << 30;

/// A page that a parent names, with the checksum it should have.
#[derive(Clone, Copy, Debug)]
struct PageReference {
    number: u64,
    checksum: u128,
}

/// A table: its root, and how its rows are laid out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tree {
    root: Option<PageReference>,
    /// Rows that it should have.
    pub(super) rows: u64,
    key_bytes: Option<usize>,
    value_bytes: Option<usize>,
}

/// An entry of a tree, in the order of its keys.
pub(super) enum TreeEntry<'a> {
    Row {
        key: &'a [u8],
        value: &'a [u8],
        /// Whether the checksum of its page is right.
        is_page_whole: bool,
    },
    /// These bytes of the file are a damaged page.
    DamagedPage(Range<u64>),
}

/// A file of redb.
pub(super) struct DamagedFile {
    file: File,
    len: u64,
    page_bytes: u64,
    region_header: u64,
    region_bytes: u64,
    /// The root of the tree of tables: the newest commit, and the one before it.
    roots: [Option<PageReference>; 2],
}

impl DamagedFile {
    /// Reads the header; `None` where it is none of this format.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        let mut header = [0; HEADER];
        if len < HEADER as u64 {
            return Ok(None);
        }
        file.read_exact_at(&mut header, 0)?;
        let page_bytes = u64::from(u32_at(&header, 12).unwrap_or(0));
        let region_header = u64::from(u32_at(&header, 16).unwrap_or(0)) * page_bytes;
        let region_pages = u64::from(u32_at(&header, 20).unwrap_or(0));
        if !page_bytes.is_power_of_two() || page_bytes < 512 || region_pages == 0 {
            return Ok(None);
        }
        let slots = [&header[64..192], &header[192..320]].map(root_of_slot);
        let [first, second] = slots;
        // The lowest bit of the byte behind the magic number names the newest commit.
        let roots = if header[9] & 1 == 0 { [first, second] } else { [second, first] };
        let region_bytes = region_header + region_pages * page_bytes;
        Ok(Some(Self { file, len, page_bytes, region_header, region_bytes, roots }))
    }

    /// The tables of the commit that has fewer damaged pages, which is the newest one if both have as
    /// many; and the number of damaged pages above the tables.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub(super) fn tables(&self) -> io::Result<(BTreeMap<String, Tree>, usize)> {
        let mut best: Option<(BTreeMap<String, Tree>, usize, usize)> = None;
        for root in self.roots.into_iter().flatten() {
            let (tables, above) = self.tables_below(root)?;
            let mut damaged = above;
            for table in tables.values() {
                self.each(table, &mut |found| {
                    damaged += usize::from(matches!(found, TreeEntry::DamagedPage(_)));
                })?;
            }
            let is_better = |(known, _, least): &(BTreeMap<_, _>, usize, usize)| {
                (tables.len(), *least) > (known.len(), damaged)
            };
            if best.as_ref().is_none_or(is_better) {
                best = Some((tables, above, damaged));
            }
            if damaged == 0 {
                break;
            }
        }
        Ok(best.map(|(tables, above, _)| (tables, above)).unwrap_or_default())
    }

    fn tables_below(&self, root: PageReference) -> io::Result<(BTreeMap<String, Tree>, usize)> {
        let tree = Tree { root: Some(root), rows: 0, key_bytes: None, value_bytes: None };
        let (mut tables, mut damaged) = (BTreeMap::new(), 0);
        self.each(&tree, &mut |found| match found {
            TreeEntry::DamagedPage(_) => damaged += 1,
            TreeEntry::Row { key, value, .. } => {
                let name = std::str::from_utf8(key).ok();
                tables.extend(name.zip(table(value)).map(|(name, tree)| (name.to_owned(), tree)));
            }
        })?;
        Ok((tables, damaged))
    }

    /// Shows everything in a tree.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub(super) fn each(&self, tree: &Tree, see: &mut dyn FnMut(TreeEntry<'_>)) -> io::Result<()> {
        let Some(root) = tree.root else { return Ok(()) };
        self.walk(tree, root, MAX_DEPTH, &mut HashSet::new(), see)
    }

    fn walk(
        &self,
        tree: &Tree,
        reference: PageReference,
        depth: usize,
        visited: &mut HashSet<u64>,
        see: &mut dyn FnMut(TreeEntry<'_>),
    ) -> io::Result<()> {
        let place = self.place(reference.number);
        let bytes =
            if depth > 0 && visited.insert(place.start) { self.read(&place)? } else { None };
        let Some(bytes) = bytes else {
            see(TreeEntry::DamagedPage(place));
            return Ok(());
        };
        let page = TreePage::parse(&bytes, tree);
        let end = page.as_ref().and_then(TreePage::end);
        let hash = end.and_then(|end| bytes.get(..end)).map(XxHash3_128::oneshot);
        let is_page_whole = hash == Some(reference.checksum);
        if !is_page_whole {
            see(TreeEntry::DamagedPage(place));
        }
        match page {
            None => {}
            Some(TreePage::Leaf { keys, values }) => {
                for (key, value) in keys.into_iter().zip(values) {
                    if let (Some(key), Some(value)) = (bytes.get(key), bytes.get(value)) {
                        see(TreeEntry::Row { key, value, is_page_whole });
                    }
                }
            }
            Some(TreePage::Branch { children, .. }) => {
                for child in children {
                    self.walk(tree, child, depth - 1, visited, see)?;
                }
            }
        }
        Ok(())
    }

    /// The bytes of the file that a page is: bits 0 to 19 of its number are its index, 20 to 39 its
    /// region, 59 to 63 its order; a page of order n has as many bytes as 2^n of order 0.
    fn place(&self, number: u64) -> Range<u64> {
        let order = number >> 59;
        let index = number & (0xF_FFFF >> order.min(20));
        let region = number >> 20 & 0xF_FFFF;
        let bytes = self.page_bytes << order;
        // The header of the file takes a page.
        let start =
            self.page_bytes + region * self.region_bytes + self.region_header + index * bytes;
        start..start + bytes
    }

    /// The bytes of a page; `None` where it lies beyond the file.
    fn read(&self, place: &Range<u64>) -> io::Result<Option<Vec<u8>>> {
        if place.start >= self.len || place.end - place.start > MAX_PAGE_BYTES {
            return Ok(None);
        }
        let end = place.end.min(self.len);
        let mut bytes = vec![0; (end - place.start) as usize];
        match self.file.read_exact_at(&mut bytes, place.start) {
            // A sector that the disk cannot read any more.
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {
                Ok(None)
            }
            read => read.map(|()| Some(bytes)),
        }
    }
}

/// The root in a slot; `None` if the slot is damaged or has none.
fn root_of_slot(slot: &[u8]) -> Option<PageReference> {
    let is_whole = u128_at(slot, SLOT)? == XxHash3_128::oneshot(&slot[..SLOT]);
    let has_root = slot[0] == FORMAT && slot[1] != 0;
    let root = PageReference { number: u64_at(slot, 8)?, checksum: u128_at(slot, 16)? };
    (is_whole && has_root).then_some(root)
}

/// The table that a row of the tree of tables describes; `None` where it is no table of one value a
/// key.
fn table(row: &[u8]) -> Option<Tree> {
    // A byte of type, the rows, and the root: whether there is one, its page, checksum and rows.
    let number = u64_at(row, 10)?;
    let root = PageReference { number, checksum: u128_at(row, 18)? };
    let width = |at: usize| -> Option<Option<usize>> {
        let bytes = u32_at(row, at + 1)? as usize;
        Some((*row.get(at)? != 0).then_some(bytes))
    };
    let is_normal = *row.first()? == 3;
    let tree = Tree {
        root: (*row.get(9)? != 0).then_some(root),
        rows: u64_at(row, 1)?,
        key_bytes: width(42)?,
        value_bytes: width(47)?,
    };
    is_normal.then_some(tree)
}

/// A page, as far as its bytes can be understood.
enum TreePage {
    Leaf { keys: Vec<Range<usize>>, values: Vec<Range<usize>> },
    Branch { children: Vec<PageReference>, end: usize },
}

impl TreePage {
    fn parse(bytes: &[u8], tree: &Tree) -> Option<Self> {
        let count = usize::from(u16::from_le_bytes(*bytes.get(2..)?.first_chunk()?));
        match bytes.first()? {
            1 => Some(Self::leaf(bytes, count, tree)),
            2 => Self::branch(bytes, count, tree),
            _ => None,
        }
    }

    /// After the head come the ends of the keys and of the values where these have no fixed length, then
    /// all keys, then all values.
    fn leaf(bytes: &[u8], count: usize, tree: &Tree) -> Self {
        let key_ends = 4;
        let value_ends = key_ends + if tree.key_bytes.is_none() { 4 * count } else { 0 };
        let begin = value_ends + if tree.value_bytes.is_none() { 4 * count } else { 0 };
        let keys = spans(bytes, count, begin, key_ends, tree.key_bytes);
        let begin = keys.last().map_or(begin, |key| key.end);
        let values = spans(bytes, count, begin, value_ends, tree.value_bytes);
        Self::Leaf { keys, values }
    }

    /// After the head come the checksums of the children, their numbers, the ends of the keys where these
    /// have no fixed length, and the keys.
    fn branch(bytes: &[u8], count: usize, tree: &Tree) -> Option<Self> {
        let numbers = 8 + 16 * (count + 1);
        let key_ends = numbers + 8 * (count + 1);
        let begin = key_ends + if tree.key_bytes.is_none() { 4 * count } else { 0 };
        let end = spans(bytes, count, begin, key_ends, tree.key_bytes).last()?.end;
        let child = |place: usize| {
            let checksum = u128_at(bytes, 8 + 16 * place)?;
            Some(PageReference { number: u64_at(bytes, numbers + 8 * place)?, checksum })
        };
        Some(Self::Branch { children: (0..=count).map_while(child).collect(), end })
    }

    /// The end of the bytes that the checksum of the page covers.
    fn end(&self) -> Option<usize> {
        match self {
            Self::Leaf { values, .. } => values.last().map(|value| value.end),
            Self::Branch { end, .. } => Some(*end),
        }
    }
}

/// Positions of values that lie one behind the other, of a fixed length or with a list of their ends.
fn spans(
    bytes: &[u8],
    count: usize,
    begin: usize,
    ends: usize,
    fixed: Option<usize>,
) -> Vec<Range<usize>> {
    let mut start = begin;
    let span = |place: usize| {
        let end = match fixed {
            Some(len) => start + len,
            None => u32_at(bytes, ends + 4 * place)? as usize,
        };
        Some(std::mem::replace(&mut start, end)..end)
    };
    (0..count).map_while(span).collect()
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u128_at(bytes: &[u8], at: usize) -> Option<u128> {
    Some(u128::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
