//! Sets of `seq`, kept in blocks: the index of all filters.
//!
//! Each state, platform and conversation has a row for each block of [`BLOCK`] messages in which it occurs.
//! A filter combines the rows of a block by `and` and `or`. A page is found by counting bits. A new message
//! sets one bit in a row that is usually cached. On disk a row is a bitmap, or a sorted list of positions
//! if that is shorter.

/// Messages in a block.
pub const BLOCK: u64 = 4096;

const WORDS: usize = (BLOCK / 64) as usize;
const BITMAP_BYTES: usize = WORDS * 8;

/// A set of places within one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places([u64; WORDS]);

impl Default for Places {
    fn default() -> Self {
        Self([0; WORDS])
    }
}

/// The block of a `seq`, and its position in the block.
pub fn locate(seq: u64) -> (u32, u16) {
    // Blocks are numbered with 32 bits, which is enough for 17 billion messages.
    ((seq / BLOCK) as u32, (seq % BLOCK) as u16)
}

/// The first `seq` of a block.
pub fn start_of(block: u32) -> u64 {
    u64::from(block) * BLOCK
}

impl Places {
    /// All positions below `end`.
    pub fn below(end: u16) -> Self {
        let mut places = Self::default();
        for (i, word) in places.0.iter_mut().enumerate() {
            let above = usize::from(end).saturating_sub(i * 64);
            *word = if above >= 64 { u64::MAX } else { (1 << above) - 1 };
        }
        places
    }

    /// The positions of a block before a `seq`.
    pub fn before(block: u32, end: u64) -> Self {
        match end.saturating_sub(start_of(block)) {
            past if past >= BLOCK => Self([u64::MAX; WORDS]),
            within => Self::below(within as u16),
        }
    }

    /// Whether a position is in the set.
    pub fn has(&self, place: u16) -> bool {
        self.0[usize::from(place) / 64] >> (place % 64) & 1 == 1
    }

    /// Adds or removes a position. Returns whether the set changed.
    pub fn set(&mut self, place: u16, on: bool) -> bool {
        let word = &mut self.0[usize::from(place) / 64];
        let before = *word;
        let bit = 1 << (place % 64);
        *word = if on { before | bit } else { before & !bit };
        *word != before
    }

    /// The number of positions in the set.
    pub fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|&word| word == 0)
    }

    /// Keeps the positions that are in both sets.
    pub fn intersect(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine &= theirs);
    }

    /// Adds the positions of the other set.
    pub fn union(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine |= theirs);
    }

    /// Removes the positions of the other set.
    pub fn take_out(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine &= !theirs);
    }

    /// The positions, the highest first.
    pub fn descending(&self) -> impl Iterator<Item = u16> + '_ {
        (0..WORDS).rev().flat_map(move |i| {
            let mut word = self.0[i];
            std::iter::from_fn(move || {
                let top = word.checked_ilog2()?;
                word &= !(1 << top);
                Some((i * 64) as u16 + top as u16)
            })
        })
    }

    /// The positions, the lowest first.
    pub fn ascending(&self) -> impl Iterator<Item = u16> + '_ {
        (0..WORDS).flat_map(move |i| {
            let mut word = self.0[i];
            std::iter::from_fn(move || {
                let low = (word != 0).then(|| word.trailing_zeros())?;
                word &= word - 1;
                Some((i * 64) as u16 + low as u16)
            })
        })
    }

    /// The row on disk: a list of little-endian positions, if that is shorter than the bitmap.
    pub fn encode(&self) -> Vec<u8> {
        let listed = self.count() as usize * 2;
        let mut row = Vec::with_capacity(listed.min(BITMAP_BYTES));
        if listed < BITMAP_BYTES {
            self.ascending().for_each(|place| row.extend_from_slice(&place.to_le_bytes()));
        } else {
            self.0.iter().for_each(|word| row.extend_from_slice(&word.to_le_bytes()));
        }
        row
    }

    /// Reads a row; `None` if it is damaged.
    pub fn decode(row: &[u8]) -> Option<Self> {
        let mut places = Self::default();
        if row.len() == BITMAP_BYTES {
            for (word, bytes) in places.0.iter_mut().zip(row.as_chunks().0) {
                *word = u64::from_le_bytes(*bytes);
            }
            return Some(places);
        }
        let (pairs, rest) = row.as_chunks();
        for &pair in pairs {
            let place = u16::from_le_bytes(pair);
            if u64::from(place) >= BLOCK || !places.set(place, true) {
                return None;
            }
        }
        (rest.is_empty() && row.len() < BITMAP_BYTES).then_some(places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn sets() -> impl Strategy<Value = BTreeSet<u16>> {
        prop_oneof![btree_set(0..BLOCK as u16, 0..20), btree_set(0..BLOCK as u16, 200..400)]
    }

    fn places(set: &BTreeSet<u16>) -> Places {
        let mut places = Places::default();
        for &place in set {
            assert!(places.set(place, true));
        }
        places
    }

    proptest! {
        #[test]
        fn it_is_a_set(a in sets(), b in sets(), end in 0..BLOCK as u16) {
            let (pa, pb) = (places(&a), places(&b));
            prop_assert_eq!(pa.ascending().collect::<BTreeSet<_>>(), a.clone());
            let mut down: Vec<_> = pa.descending().collect();
            down.reverse();
            prop_assert!(down.iter().eq(a.iter()));
            prop_assert_eq!(pa.count() as usize, a.len());
            let mut met = pa.clone();
            met.intersect(&pb);
            prop_assert_eq!(met, places(&(&a & &b)));
            let mut joined = pa.clone();
            joined.union(&pb);
            prop_assert_eq!(joined, places(&(&a | &b)));
            let mut rest = pa.clone();
            rest.take_out(&pb);
            prop_assert_eq!(rest, places(&(&a - &b)));
            let mut low = pa.clone();
            low.intersect(&Places::below(end));
            prop_assert_eq!(low, places(&a.range(..end).copied().collect()));
        }

        #[test]
        fn a_row_reads_back(a in sets()) {
            prop_assert_eq!(Places::decode(&places(&a).encode()), Some(places(&a)));
        }

        #[test]
        fn a_damaged_row_is_no_panic(row in vec(any::<u8>(), 0..600)) {
            let _ = Places::decode(&row);
        }
    }
}
