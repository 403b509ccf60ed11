//! Postings in memory: those of the newest messages, and of a segment until it is sealed.

use super::block::List;
use super::span::{PlaceSet, place_of, span_of};
use super::terms::{Term, Terms};
use std::collections::BTreeMap;

/// Bytes from which on it is sealed, however few messages it has.
const MAX_BYTES: usize = 24 << 20;

/// Bytes of a term with up to four places, in a tree whose nodes are two thirds full.
const TERM_BYTES: usize = 64;

/// Postings of messages that follow each other, all of one span.
#[derive(Debug)]
pub struct Builder {
    first: u64,
    /// The `seq` that follows.
    next: u64,
    lists: BTreeMap<Term, List>,
    bytes: usize,
}

impl Builder {
    /// Begins at a `seq`.
    pub fn new(first: u64) -> Self {
        Self { first, next: first, lists: BTreeMap::new(), bytes: 0 }
    }

    /// The first `seq` it tells of.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The first `seq` it no longer tells of.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Whether it is to be sealed: its span is at an end, or its memory.
    pub fn is_full(&self) -> bool {
        span_of(self.next) > span_of(self.first) || self.bytes >= MAX_BYTES
    }

    /// Adds a message, or what is new of one that it has; one that is gone has no terms.
    pub fn add(&mut self, seq: u64, terms: &[Term]) {
        let place = place_of(seq);
        for &term in terms {
            let list = self.lists.entry(term).or_default();
            match list.last() {
                None => self.bytes += TERM_BYTES,
                Some(_) => self.bytes += 2 * size_of::<u16>(),
            }
            if list.last().is_none_or(|&last| last < place) {
                list.push(place);
            } else if let Err(at) = list.binary_search(&place) {
                list.insert(at, place);
            }
        }
        self.next = self.next.max(seq + 1);
    }

    /// The places that have some of each of these terms.
    pub fn matching(&self, needed: &[Terms]) -> PlaceSet {
        let mut matching: Option<PlaceSet> = None;
        for terms in needed {
            let mut found = PlaceSet::default();
            let lists = self.lists.range(terms.clone());
            lists.flat_map(|(_, list)| list).for_each(|&place| found.add(place));
            match &mut matching {
                Some(matching) => matching.intersect(&found),
                None => matching = Some(found),
            }
        }
        matching.unwrap_or_default()
    }

    /// The terms in order, each with its places.
    pub fn lists(&self) -> impl Iterator<Item = (Term, &[u16])> {
        self.lists.iter().map(|(&term, list)| (term, &list[..]))
    }
}
