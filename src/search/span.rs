//! Sets of places within one span: as the store keeps them for a block, a span's worth of blocks.

use super::block::SPAN;
use crate::store::postings::{BLOCK, Places};

const BLOCKS: usize = (SPAN / BLOCK) as usize;

/// The number of the span that a `seq` is in.
pub fn span_of(seq: u64) -> u64 {
    seq / SPAN
}

/// The place of a `seq` in its span.
pub fn place_of(seq: u64) -> u16 {
    (seq % SPAN) as u16
}

/// A set of places.
#[derive(Clone, Debug, Default)]
pub struct PlaceSet([Places; BLOCKS]);

impl PlaceSet {
    /// Adds a place.
    pub fn add(&mut self, place: u16) {
        let (block, place) = (u64::from(place) / BLOCK, u64::from(place) % BLOCK);
        self.0[block as usize].set(place as u16, true);
    }

    /// Keeps what is in both.
    pub fn intersect(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| mine.intersect(theirs));
    }

    /// Keeps in each block that has any what is in the block's other set as well.
    pub fn intersect_blocks<E>(
        &mut self,
        span: u64,
        other: impl Fn(u32) -> Result<Places, E>,
    ) -> Result<(), E> {
        for (i, places) in self.0.iter_mut().enumerate() {
            if !places.is_empty() {
                places.intersect(&other(block_of(span, i))?);
            }
        }
        Ok(())
    }

    /// The places in each block of a span.
    pub fn of_blocks<E>(span: u64, other: impl Fn(u32) -> Result<Places, E>) -> Result<Self, E> {
        let mut set = Self::default();
        for (i, places) in set.0.iter_mut().enumerate() {
            *places = other(block_of(span, i))?;
        }
        Ok(set)
    }

    /// How many places are in it.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|places| u64::from(places.count())).sum()
    }

    /// The places from the highest down.
    pub fn descending(&self) -> impl Iterator<Item = u16> + '_ {
        let blocks = self.0.iter().enumerate().rev();
        blocks.flat_map(|(i, places)| places.descending().map(move |p| i as u16 * BLOCK as u16 + p))
    }
}

/// The store's number of a span's block. Both are numbered for as many messages.
fn block_of(span: u64, i: usize) -> u32 {
    (span * BLOCKS as u64) as u32 + i as u32
}
