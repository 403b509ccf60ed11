//! Pages of trees: leaves with rows, and branches.

use super::numbers::{u32_at, u64_at, u128_at};
use std::ops::Range;

/// A reference to a page, with the checksum that the page must have.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageReference {
    pub(super) number: u64,
    pub(super) checksum: u128,
}

/// A table: its root, and the layout of its rows.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Tree {
    pub(super) root: Option<PageReference>,
    /// The number of rows that it must have.
    pub(in crate::store) rows: u64,
    key_bytes: Option<usize>,
    value_bytes: Option<usize>,
}

/// The table that a row in the list of tables describes; `None` if it is not a table with one value for
/// each key.
pub(super) fn table(row: &[u8]) -> Option<Tree> {
    // The row has a type (1 byte), the number of rows, and the root: whether there is one, its page,
    // checksum and number of rows.
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
pub(super) enum TreePage {
    Leaf { keys: Vec<Range<usize>>, values: Vec<Range<usize>> },
    Branch { children: Vec<PageReference>, end: usize },
}

impl Tree {
    /// A tree of texts and rows, such as that of the tables.
    pub(super) fn of_tables(root: Option<PageReference>) -> Self {
        Self { root, rows: 0, key_bytes: None, value_bytes: None }
    }
}

impl TreePage {
    pub(super) fn parse(bytes: &[u8], tree: &Tree) -> Option<Self> {
        let count = usize::from(u16::from_le_bytes(*bytes.get(2..)?.first_chunk()?));
        match bytes.first()? {
            1 => Some(Self::leaf(bytes, count, tree)),
            2 => Self::branch(bytes, count, tree),
            _ => None,
        }
    }

    /// The layout after the head: the ends of the keys and of the values, if their length is not fixed;
    /// then all keys, then all values.
    fn leaf(bytes: &[u8], count: usize, tree: &Tree) -> Self {
        let key_ends = 4;
        let value_ends = key_ends + if tree.key_bytes.is_none() { 4 * count } else { 0 };
        let begin = value_ends + if tree.value_bytes.is_none() { 4 * count } else { 0 };
        let keys = spans(bytes, count, begin, key_ends, tree.key_bytes);
        let begin = keys.last().map_or(begin, |key| key.end);
        let values = spans(bytes, count, begin, value_ends, tree.value_bytes);
        Self::Leaf { keys, values }
    }

    /// The layout after the head: the checksums of the children, their numbers, the ends of the keys if
    /// their length is not fixed, and the keys.
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
    pub(super) fn end(&self) -> Option<usize> {
        match self {
            Self::Leaf { values, .. } => values.last().map(|value| value.end),
            Self::Branch { end, .. } => Some(*end),
        }
    }
}

/// Positions of consecutive values, of a fixed length or with a list of their ends.
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
