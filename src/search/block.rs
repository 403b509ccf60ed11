//! The encoding of sealed postings: pages with terms in order, each with its positions.
//!
//! A page is a sequence of entries. An entry begins with the distance from the term before: a varint of
//! twice the distance, plus one if the term has several positions. Then comes the only position in two
//! bytes; or, as varints, the number of positions and the bytes of their list, and the list. A list has the
//! distances between positions in a Rice code. Its parameter follows from the number of positions, so the
//! size is close to the smallest possible.

use super::terms::{SearchTerm, Terms};
use smallvec::SmallVec;

/// Positions in one file.
pub const SPAN: u64 = 1 << 16;

/// Positions of a term, in order; most terms have one.
pub type List = SmallVec<[u16; 4]>;

/// Size at which a page is full; a look-up reads one page from its beginning.
const PAGE_BYTES: usize = 1 << 10;

/// The page cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged;

/// Appends an entry.
fn encode_entry(distance: u64, positions: &[u16], out: &mut Vec<u8>) {
    if let [only] = positions {
        put_varint(distance << 1, out);
        out.extend(only.to_le_bytes());
        return;
    }
    put_varint(distance << 1 | 1, out);
    let list = encode_list(positions);
    put_varint(positions.len() as u64, out);
    put_varint(list.len() as u64, out);
    out.extend(list);
}

/// The pages of terms in order, each with its first term.
pub fn encode<'a>(
    entries: impl Iterator<Item = (SearchTerm, &'a [u16])>,
) -> Vec<(SearchTerm, Vec<u8>)> {
    let mut pages: Vec<(SearchTerm, Vec<u8>)> = Vec::new();
    let mut last = 0;
    for (term, positions) in entries {
        match pages.last_mut() {
            Some((_, page)) if page.len() < PAGE_BYTES => {
                encode_entry(term - last, positions, page)
            }
            _ => {
                let mut page = Vec::with_capacity(PAGE_BYTES + 256);
                encode_entry(0, positions, &mut page);
                pages.push((term, page));
            }
        }
        last = term;
    }
    pages
}

/// Calls a function for each position of these terms in a page that begins with `first`.
pub fn read(
    first: SearchTerm,
    mut page: &[u8],
    terms: &Terms,
    mut each: impl FnMut(SearchTerm, u16),
) -> Result<(), Damaged> {
    let mut term = first;
    while !page.is_empty() {
        let head = take_varint(&mut page)?;
        term = term.checked_add(head >> 1).ok_or(Damaged)?;
        if term >= terms.end {
            return Ok(());
        }
        let is_wanted = terms.contains(&term);
        if head & 1 == 0 {
            let (position, rest) = page.split_first_chunk().ok_or(Damaged)?;
            page = rest;
            if is_wanted {
                each(term, u16::from_le_bytes(*position));
            }
            continue;
        }
        let count = take_varint(&mut page)?;
        let bytes = usize::try_from(take_varint(&mut page)?).map_err(|_| Damaged)?;
        let (list, rest) = page.split_at_checked(bytes).ok_or(Damaged)?;
        page = rest;
        if is_wanted {
            decode_list(count, list, |position| each(term, position))?;
        }
    }
    Ok(())
}

fn put_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Result<u64, Damaged> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(Damaged)?;
        *bytes = rest;
        number |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(Damaged)
}

/// The number of low bits of a distance for this many positions: the best for distances with the
/// mean `SPAN / count` (its logarithm, times ln 2).
fn rice_bits(count: u64) -> u32 {
    (SPAN * 11 / 16 / count.max(1)).max(1).ilog2()
}

/// The distances between positions, minus one: the upper part in unary, the lower part in binary.
fn encode_list(positions: &[u16]) -> Vec<u8> {
    let low_bits = rice_bits(positions.len() as u64);
    let mut bits = BitWriter::default();
    let mut next = 0;
    for &position in positions {
        let distance = u64::from(position) - next;
        next = u64::from(position) + 1;
        for _ in 0..distance >> low_bits {
            bits.put(1, 1);
        }
        bits.put(0, 1);
        bits.put(distance & ((1 << low_bits) - 1), low_bits);
    }
    bits.finish()
}

fn decode_list(count: u64, list: &[u8], mut each: impl FnMut(u16)) -> Result<(), Damaged> {
    if count > SPAN {
        return Err(Damaged);
    }
    let low_bits = rice_bits(count);
    let mut bits = BitReader { bytes: list, word: 0, held: 0 };
    let mut next = 0;
    for _ in 0..count {
        let high = bits.take_ones()?;
        let distance = high << low_bits | bits.take(low_bits)?;
        let position = u16::try_from(next + distance).map_err(|_| Damaged)?;
        next = u64::from(position) + 1;
        each(position);
    }
    Ok(())
}

/// Bits, the lowest of each byte first.
#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    word: u64,
    held: u32,
}

impl BitWriter {
    /// Appends fewer than 32 bits.
    fn put(&mut self, bits: u64, count: u32) {
        self.word |= bits << self.held;
        self.held += count;
        while self.held >= 8 {
            self.bytes.push(self.word as u8);
            self.word >>= 8;
            self.held -= 8;
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.held > 0 {
            self.bytes.push(self.word as u8);
        }
        self.bytes
    }
}

struct BitReader<'a> {
    bytes: &'a [u8],
    word: u64,
    held: u32,
}

impl BitReader<'_> {
    fn fill(&mut self) {
        while self.held <= 56
            && let Some((&byte, rest)) = self.bytes.split_first()
        {
            self.word |= u64::from(byte) << self.held;
            self.held += 8;
            self.bytes = rest;
        }
    }

    /// Reads fewer than 32 bits.
    fn take(&mut self, count: u32) -> Result<u64, Damaged> {
        self.fill();
        self.held = self.held.checked_sub(count).ok_or(Damaged)?;
        let bits = self.word & ((1 << count) - 1);
        self.word >>= count;
        Ok(bits)
    }

    /// Reads ones and the zero after them; returns the number of ones.
    fn take_ones(&mut self) -> Result<u64, Damaged> {
        let mut ones = 0;
        loop {
            self.fill();
            let run = self.word.trailing_ones();
            if run < self.held {
                self.word >>= run;
                self.word >>= 1;
                self.held -= run + 1;
                return Ok(ones + u64::from(run));
            }
            if self.held == 0 {
                return Err(Damaged);
            }
            ones += u64::from(self.held);
            (self.word, self.held) = (0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_map, btree_set, vec};
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    type Postings = BTreeMap<SearchTerm, BTreeSet<u16>>;

    fn postings() -> impl Strategy<Value = Postings> {
        let positions = prop_oneof![
            btree_set(any::<u16>(), 1..2),
            btree_set(any::<u16>(), 2..40),
            btree_set(0..300u16, 100..200),
            btree_set(65_000..=u16::MAX, 100..200),
        ];
        btree_map(
            prop_oneof![0..500u64, any::<u64>().prop_map(|term| term >> 12)],
            positions,
            0..60,
        )
    }

    fn pages(postings: &Postings) -> Vec<(SearchTerm, Vec<u8>)> {
        let lists: Vec<(SearchTerm, Vec<u16>)> = postings
            .iter()
            .map(|(&term, positions)| (term, positions.iter().copied().collect()))
            .collect();
        encode(lists.iter().map(|(term, positions)| (*term, &positions[..])))
    }

    fn read_all(pages: &[(SearchTerm, Vec<u8>)], terms: &Terms) -> Postings {
        let mut found = Postings::new();
        for (first, page) in pages {
            let each = |term, position| {
                assert!(found.entry(term).or_default().insert(position));
            };
            read(*first, page, terms, each).unwrap();
        }
        found
    }

    proptest! {
        #[test]
        fn pages_read_back(postings in postings(), start in 0..500u64, end in 0..600u64) {
            let pages = pages(&postings);
            prop_assert_eq!(&read_all(&pages, &(0..u64::MAX)), &postings);
            let some: Postings =
                postings.iter().filter(|(t, _)| (start..end).contains(t)).map(|(&t, p)| (t, p.clone())).collect();
            prop_assert_eq!(read_all(&pages, &(start..end)), some);
        }

        #[test]
        fn a_damaged_page_is_an_error_and_no_panic(page in vec(any::<u8>(), 0..300), first in any::<u64>()) {
            let _ = read(first, &page, &(0..u64::MAX), |_, _| {});
        }
    }

    #[test]
    fn every_position_of_a_file_fits_and_costs_a_bit_each() {
        let all: Vec<u16> = (0..=u16::MAX).collect();
        let list = encode_list(&all);
        assert_eq!(list.len(), 8192);
        let mut read_back = Vec::new();
        decode_list(SPAN, &list, |position| read_back.push(position)).unwrap();
        assert_eq!(read_back, all);
    }

    #[test]
    fn a_list_is_near_the_least_that_is_possible() {
        // A thousand positions of 65,536 have 7.4 bits of information each.
        let some: Vec<u16> = (0..1000u64).map(|i| (i * 65 + (i * i) % 64) as u16).collect();
        assert!(encode_list(&some).len() * 8 < 8 * 1000, "{}", encode_list(&some).len());
    }
}
