//! A sealed file of postings that is written once, read page by page, and never changed.
//!
//! A file has pages, then a directory of the pages, then the offset of the directory. Each page and the
//! directory have a checksum. The name of the file is the range of its messages.

use super::block::{self, Damaged};
use super::builder::Builder;
use super::span::BitSet;
use super::terms::{SearchTerm, Terms};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The format of the file, at its end. A file with another format is built anew.
const MARK: &[u8; 8] = b"rcsrch03";

/// The offset of the directory (8 bytes), its checksum (4), and the mark (8).
const TRAILER_BYTES: u64 = 20;

/// With so few positions left, reading the messages is faster than further look-ups.
const MIN_POSITIONS: u64 = 8;

/// More bytes than any page has.
const MAX_PAGE_BYTES: u32 = 64 << 10;

/// The first and the last message of a file, including deleted ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    /// The `seq` of the first one.
    pub first: u64,
    /// The `seq` of the last one.
    pub last: u64,
}

/// An entry of the directory.
#[derive(Debug, Serialize, Deserialize)]
struct PageEntry {
    first: SearchTerm,
    offset: u64,
    bytes: u32,
    checksum: u32,
}

/// An open index file.
#[derive(Debug)]
pub struct IndexFile {
    range: Range,
    path: PathBuf,
    file: File,
    bytes: u64,
    pages: Vec<PageEntry>,
}

/// Reason why an index file is unusable.
#[derive(Debug)]
pub enum IndexFileError {
    /// The disk failed.
    Io(io::Error),
    /// The bytes differ from the written ones.
    Damaged,
}

impl fmt::Display for IndexFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Damaged => f.write_str("it is damaged, or of another version"),
        }
    }
}

impl From<io::Error> for IndexFileError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Damaged> for IndexFileError {
    fn from(_: Damaged) -> Self {
        Self::Damaged
    }
}

impl Range {
    /// Reads a file's name; `None` if it is not the name of an index file.
    pub fn of_name(name: &str) -> Option<Self> {
        let (first, last) = name.split_once('-')?;
        let number = |hex| u64::from_str_radix(hex, 16).ok();
        let range = Self { first: number(first)?, last: number(last)? };
        (range.name() == name && range.first <= range.last).then_some(range)
    }

    fn name(self) -> String {
        format!("{:010x}-{:010x}", self.first, self.last)
    }
}

/// Whether this is the name of an index file, or of one that was not written to its end.
pub fn is_name(name: &str) -> bool {
    Range::of_name(name.strip_suffix(".part").unwrap_or(name)).is_some()
}

impl IndexFile {
    /// Writes a file, which appears only when it is complete and synced.
    pub fn write(folder: &Path, builder: &Builder) -> io::Result<Self> {
        let range = Range { first: builder.first(), last: builder.next() - 1 };
        let mut content = Vec::new();
        let mut pages = Vec::new();
        for (first, page) in block::encode(builder.lists()) {
            pages.push(PageEntry {
                first,
                offset: content.len() as u64,
                bytes: page.len() as u32,
                checksum: crc32fast::hash(&page),
            });
            content.extend(page);
        }
        let start = content.len() as u64;
        let directory = postcard::to_stdvec(&pages).map_err(io::Error::other)?;
        content.extend(&directory);
        content.extend(start.to_le_bytes());
        content.extend(crc32fast::hash(&directory).to_le_bytes());
        content.extend(MARK);
        let path = folder.join(range.name());
        write_whole(&path, &content)?;
        Ok(Self { range, file: File::open(&path)?, path, bytes: content.len() as u64, pages })
    }

    /// Opens the file of a range.
    pub fn open(folder: &Path, range: Range) -> Result<Self, IndexFileError> {
        let path = folder.join(range.name());
        let file = File::open(&path)?;
        let bytes = file.metadata()?.len();
        let directory_end = bytes.checked_sub(TRAILER_BYTES).ok_or(IndexFileError::Damaged)?;
        let mut trailer = [0; TRAILER_BYTES as usize];
        file.read_exact_at(&mut trailer, directory_end)?;
        let (start, rest) = trailer.split_first_chunk().ok_or(IndexFileError::Damaged)?;
        let (checksum, mark) = rest.split_first_chunk().ok_or(IndexFileError::Damaged)?;
        let length =
            directory_end.checked_sub(u64::from_le_bytes(*start)).ok_or(IndexFileError::Damaged)?;
        if mark != MARK {
            return Err(IndexFileError::Damaged);
        }
        let mut directory = vec![0; usize::try_from(length).map_err(|_| IndexFileError::Damaged)?];
        file.read_exact_at(&mut directory, u64::from_le_bytes(*start))?;
        if crc32fast::hash(&directory) != u32::from_le_bytes(*checksum) {
            return Err(IndexFileError::Damaged);
        }
        let pages = postcard::from_bytes(&directory).map_err(|_| IndexFileError::Damaged)?;
        Ok(Self { range, path, file, bytes, pages })
    }

    /// The range of its messages.
    pub fn range(&self) -> Range {
        self.range
    }

    /// The size of its file.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The path of its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The positions that have at least one of each of these terms, among the `known` ones if they
    /// are given. If few are left, the result may contain further positions.
    pub fn matching(
        &self,
        needed: &[Terms],
        known: Option<BitSet>,
    ) -> Result<BitSet, IndexFileError> {
        let mut matching = known;
        for terms in needed {
            if matching.as_ref().is_some_and(|matching| matching.count() <= MIN_POSITIONS) {
                break;
            }
            let mut found = BitSet::default();
            self.read(terms, |_, position| found.add(position))?;
            match &mut matching {
                Some(matching) => matching.intersect(&found),
                None => matching = Some(found),
            }
        }
        Ok(matching.unwrap_or_default())
    }

    /// Calls a function for each position of these terms.
    pub fn read(
        &self,
        terms: &Terms,
        mut each: impl FnMut(SearchTerm, u16),
    ) -> Result<(), IndexFileError> {
        let behind = self.pages.partition_point(|page| page.first <= terms.start);
        let mut buffer = Vec::new();
        for entry in &self.pages[behind.saturating_sub(1)..] {
            if entry.first >= terms.end {
                break;
            }
            if entry.bytes > MAX_PAGE_BYTES {
                return Err(IndexFileError::Damaged);
            }
            buffer.resize(entry.bytes as usize, 0);
            self.file.read_exact_at(&mut buffer, entry.offset)?;
            if crc32fast::hash(&buffer) != entry.checksum {
                return Err(IndexFileError::Damaged);
            }
            block::read(entry.first, &buffer, terms, &mut each)?;
        }
        Ok(())
    }
}

/// Writes a file so that it is complete and on disk, or does not exist.
pub fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let part = path.with_added_extension("part");
    let file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    let written = (|| {
        (&file).write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&part, path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    written
}
