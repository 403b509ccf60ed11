//! The pages of a store's file, read without redb: if one page is damaged, redb refuses the whole file.
//!
//! The format is version 3 of redb, as its `docs/design.md` describes it. The parent of a page has its
//! checksum. A leaf page with a wrong checksum is read nevertheless, because most rows have their own
//! checksums.

mod header;
mod numbers;
mod tree_page;

use header::{FileHeader, HEADER, PageLayout};
use memchr::memmem;
use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
pub(super) use tree_page::Tree;
use tree_page::{PageReference, TreePage, table};
use twox_hash::XxHash3_128;

/// The most levels of a tree.
const MAX_DEPTH: usize = 24;

/// The most bytes of a page. No row is that large.
const MAX_PAGE_BYTES: u64 = 1 << 30;

/// An entry of a tree, in the order of its keys.
pub(super) enum TreeEntry<'a> {
    Row {
        key: &'a [u8],
        value: &'a [u8],
        /// Whether the checksum of its page is right.
        is_page_whole: bool,
    },
    /// A damaged page, by its position in the file.
    DamagedPage(Range<u64>),
}

/// A file of redb.
pub(super) struct DamagedFile {
    file: File,
    len: u64,
    layout: PageLayout,
    /// The root of the tree of tables: the newest commit, and the one before it.
    roots: [Option<PageReference>; 2],
    /// Whether the header is as it should be.
    pub(super) is_header_whole: bool,
}

impl DamagedFile {
    /// Reads the header. If it is damaged, the usual layout is taken. `None` if the file is too short for a
    /// header.
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
        match file.read_exact_at(&mut header, 0) {
            Err(error) if is_lost_sector(&error) => header.fill(0),
            read => read?,
        }
        let FileHeader { layout, roots, is_whole } = FileHeader::parse(&header);
        let layout = layout.unwrap_or(PageLayout::USUAL);
        let mut file = Self { file, len, layout, roots, is_header_whole: is_whole };
        if layout != PageLayout::USUAL && !file.has_whole_root()? {
            file.layout = PageLayout::USUAL;
            file.is_header_whole &= !file.has_whole_root()?;
        }
        Ok(Some(file))
    }

    /// Whether there is a whole page where the layout puts a root.
    fn has_whole_root(&self) -> io::Result<bool> {
        for root in self.roots.into_iter().flatten() {
            let bytes = self.read(&self.layout.place(root.number))?;
            if bytes.is_some_and(|bytes| {
                let page = TreePage::parse(&bytes, &Tree::of_tables(None));
                is_whole(&bytes, page.as_ref(), root.checksum)
            }) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Lists of tables anywhere in the file that have this table, for a file whose header is damaged: that
    /// of the newest commit, and of some earlier ones.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub(super) fn lists_of_tables(&self, name: &str) -> io::Result<Vec<BTreeMap<String, Tree>>> {
        let (page, finder) = (self.layout.page_bytes, memmem::Finder::new(name));
        let mut lists = Vec::new();
        for start in (page..self.len).step_by(page as usize) {
            let Some(bytes) = self.read(&(start..start + page))? else { continue };
            if finder.find(&bytes).is_none() {
                continue;
            }
            let Some(TreePage::Leaf { keys, values }) =
                TreePage::parse(&bytes, &Tree::of_tables(None))
            else {
                continue;
            };
            let mut list = BTreeMap::new();
            for (key, value) in keys.into_iter().zip(values) {
                let key = bytes.get(key).and_then(|key| std::str::from_utf8(key).ok());
                let tree = bytes.get(value).and_then(table);
                list.extend(key.zip(tree).map(|(key, tree)| (key.to_owned(), tree)));
            }
            if list.contains_key(name) {
                lists.push(list);
            }
        }
        Ok(lists)
    }

    /// The tables of the commit with fewer damaged pages, or of the newest one if both have as many; and
    /// the number of damaged pages above the tables.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub(super) fn tables(&self) -> io::Result<(BTreeMap<String, Tree>, usize)> {
        let mut best: Option<(BTreeMap<String, Tree>, usize, usize)> = None;
        for root in self.roots.into_iter().flatten() {
            let (tables, above) = self.tables_below(root)?;
            let damaged = above + self.damaged_below(&tables)?;
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

    /// The number of damaged pages of tables.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub(super) fn damaged_below(&self, tables: &BTreeMap<String, Tree>) -> io::Result<usize> {
        let mut damaged = 0;
        for table in tables.values() {
            self.each(table, &mut |found| {
                damaged += usize::from(matches!(found, TreeEntry::DamagedPage(_)));
            })?;
        }
        Ok(damaged)
    }

    fn tables_below(&self, root: PageReference) -> io::Result<(BTreeMap<String, Tree>, usize)> {
        let tree = Tree::of_tables(Some(root));
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

    /// Calls `see` for each entry of a tree.
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
        let place = self.layout.place(reference.number);
        let bytes =
            if depth > 0 && visited.insert(place.start) { self.read(&place)? } else { None };
        let Some(bytes) = bytes else {
            see(TreeEntry::DamagedPage(place));
            return Ok(());
        };
        let page = TreePage::parse(&bytes, tree);
        let is_page_whole = is_whole(&bytes, page.as_ref(), reference.checksum);
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

    /// The bytes of a page; `None` if it is outside the file.
    fn read(&self, place: &Range<u64>) -> io::Result<Option<Vec<u8>>> {
        if place.start >= self.len || place.end - place.start > MAX_PAGE_BYTES {
            return Ok(None);
        }
        let end = place.end.min(self.len);
        let mut bytes = vec![0; (end - place.start) as usize];
        match self.file.read_exact_at(&mut bytes, place.start) {
            Err(error) if is_lost_sector(&error) => Ok(None),
            read => read.map(|()| Some(bytes)),
        }
    }
}

/// Whether the checksum of a page is right.
fn is_whole(bytes: &[u8], page: Option<&TreePage>, checksum: u128) -> bool {
    let end = page.and_then(TreePage::end);
    let hash = end.and_then(|end| bytes.get(..end)).map(XxHash3_128::oneshot);
    hash == Some(checksum)
}

/// Whether an error means that the disk cannot read a sector.
fn is_lost_sector(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}
