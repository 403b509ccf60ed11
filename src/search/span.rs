//! Sets of positions within one span, in the form of the store's bitmaps for all blocks of the
//! span.

use super::block::SPAN;
use crate::store::postings::{BLOCK, Places};

const BLOCKS: usize = (SPAN / BLOCK) as usize;

/// The number of the span with a `seq`.
pub fn span_of(seq: u64) -> u64 {
    seq / SPAN
}

/// The position of a `seq` in its span.
pub fn position_of(seq: u64) -> u16 {
    (seq % SPAN) as u16
}

/// A set of positions.
#[derive(Clone, Debug, Default)]
pub struct BitSet([Places; BLOCKS]);

impl BitSet {
    /// Adds a position.
    pub fn add(&mut self, position: u16) {
        let (block, position) = (u64::from(position) / BLOCK, u64::from(position) % BLOCK);
        self.0[block as usize].set(position as u16, true);
    }

    /// Keeps the positions that both sets have.
    pub fn intersect(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| mine.intersect(theirs));
    }

    /// For each block that is not empty, keeps the positions that the block's other set also has.
    pub fn intersect_blocks<E>(
        &mut self,
        span: u64,
        other: impl Fn(u32) -> Result<Places, E>,
    ) -> Result<(), E> {
        for (i, positions) in self.0.iter_mut().enumerate() {
            if !positions.is_empty() {
                positions.intersect(&other(block_of(span, i))?);
            }
        }
        Ok(())
    }

    /// The positions in each block of a span.
    pub fn of_blocks<E>(span: u64, other: impl Fn(u32) -> Result<Places, E>) -> Result<Self, E> {
        let mut set = Self::default();
        for (i, positions) in set.0.iter_mut().enumerate() {
            *positions = other(block_of(span, i))?;
        }
        Ok(set)
    }

    /// Number of positions.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|positions| u64::from(positions.count())).sum()
    }

    /// The positions in descending order.
    pub fn descending(&self) -> impl Iterator<Item = u16> + '_ {
        let blocks = self.0.iter().enumerate().rev();
        blocks.flat_map(|(i, positions)| {
            positions.descending().map(move |p| i as u16 * BLOCK as u16 + p)
        })
    }
}

/// The store's number of a span's block. Spans and blocks both begin at `seq` 0.
fn block_of(span: u64, i: usize) -> u32 {
    (span * BLOCKS as u64) as u32 + i as u32
}
