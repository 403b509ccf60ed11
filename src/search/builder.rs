//! Postings in memory: those of the newest messages, and of a file until it is sealed.

use super::block::List;
use super::span::{BitSet, position_of, span_of};
use super::terms::{SearchTerm, Terms, join, split};
use foldhash::fast::RandomState;
use std::collections::HashMap;

/// Size at which it is sealed, even if it has few messages.
const MAX_BYTES: usize = 24 << 20;

/// Bytes of a term with up to four positions, in a table that is two thirds full.
const TERM_BYTES: usize = 64;

/// A table by one part of a term.
type TermTable<T> = HashMap<u32, T, RandomState>;

/// Postings of consecutive messages, all in one span.
#[derive(Debug)]
pub struct Builder {
    first: u64,
    /// The next `seq`.
    next: u64,
    /// By the first character of a term, then by the rest.
    lists: TermTable<TermTable<List>>,
    bytes: usize,
}

impl Builder {
    /// Begins at a `seq`.
    pub fn new(first: u64) -> Self {
        Self { first, next: first, lists: TermTable::default(), bytes: 0 }
    }

    /// The first `seq` that it contains.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The first `seq` after it.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Whether it has to be sealed: its span or its memory is full.
    pub fn is_full(&self) -> bool {
        span_of(self.next) > span_of(self.first) || self.bytes >= MAX_BYTES
    }

    /// Adds a message, or more terms of a message that it has; a deleted message has no terms.
    pub fn add(&mut self, seq: u64, terms: &[SearchTerm]) {
        let position = position_of(seq);
        for &term in terms {
            let (first, rest) = split(term);
            let list = self.lists.entry(first).or_default().entry(rest).or_default();
            match list.last() {
                Some(&last) if last == position => continue,
                Some(&last) if last > position => match list.binary_search(&position) {
                    Ok(_) => continue,
                    Err(at) => list.insert(at, position),
                },
                _ => list.push(position),
            }
            self.bytes += if list.len() == 1 { TERM_BYTES } else { 2 * size_of::<u16>() };
        }
        self.next = self.next.max(seq + 1);
    }

    /// Notes that there are no more messages before a `seq`.
    pub fn reach(&mut self, next: u64) {
        self.next = self.next.max(next);
    }

    /// The positions that have at least one of each of these terms.
    pub fn matching(&self, needed: &[Terms]) -> BitSet {
        let mut matching: Option<BitSet> = None;
        for terms in needed {
            let mut found = BitSet::default();
            self.lists_of(terms, |list| list.iter().for_each(|&position| found.add(position)));
            match &mut matching {
                Some(matching) => matching.intersect(&found),
                None => matching = Some(found),
            }
        }
        matching.unwrap_or_default()
    }

    /// Calls `each` for the list of each of these terms that exists.
    fn lists_of<'b>(&'b self, terms: &Terms, mut each: impl FnMut(&'b List)) {
        let (from, _) = split(terms.start);
        let (to, _) = split(terms.end.saturating_sub(1));
        for (first, table) in (from..=to).filter_map(|first| Some((first, self.lists.get(&first)?)))
        {
            if terms.end - terms.start == 1 {
                table.get(&split(terms.start).1).into_iter().for_each(&mut each);
            } else {
                let lists = table.iter().filter(|(rest, _)| terms.contains(&join(first, **rest)));
                lists.for_each(|(_, list)| each(list));
            }
        }
    }

    /// The terms in order, each with its positions.
    pub fn lists(&self) -> impl Iterator<Item = (SearchTerm, &[u16])> {
        let mut tables: Vec<_> = self.lists.iter().collect();
        tables.sort_unstable_by_key(|(first, _)| **first);
        tables.into_iter().flat_map(|(&first, table)| {
            let mut lists: Vec<_> = table.iter().collect();
            lists.sort_unstable_by_key(|(rest, _)| **rest);
            lists.into_iter().map(move |(&rest, list)| (join(first, rest), &list[..]))
        })
    }
}
