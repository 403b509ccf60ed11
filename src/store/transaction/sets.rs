//! The sets of messages (postings), with the changes of this batch.

use super::Transaction;
use crate::model::message::{Direction, Status};
use crate::store::damage::pass_over;
use crate::store::error::Result;
use crate::store::postings::{Places, start_of};
use crate::store::tables::{PostingKey, unpack_places};
use redb::ReadableTable;
use std::collections::BTreeSet;

impl Transaction<'_> {
    /// The blocks that may have messages of a term, the newest first, with the changes of this batch.
    pub(super) fn newest_blocks(
        &self,
        term: PostingKey,
    ) -> Result<impl Iterator<Item = Result<u32>>> {
        let rows = term.row(0)..=term.row(u32::MAX);
        let mut loaded = self.rows.range(rows.clone()).rev().map(|(row, _)| *row).peekable();
        let mut known = self.postings.range(rows)?.rev();
        let mut next_known = move || known.next().transpose().map(|row| Some(row?.0.value()));
        let mut newest_known = next_known()?;
        Ok(std::iter::from_fn(move || {
            let newest = loaded.peek().copied().max(newest_known)?;
            loaded.next_if_eq(&newest);
            if newest_known == Some(newest) {
                match next_known() {
                    Ok(next) => newest_known = next,
                    Err(error) => return Some(Err(error.into())),
                }
            }
            Some(Ok(newest as u32))
        }))
    }

    /// The blocks that may have messages of a term, with the changes of this batch.
    pub(super) fn blocks(&self, term: PostingKey) -> Result<BTreeSet<u32>> {
        let rows = term.row(0)..=term.row(u32::MAX);
        let loaded = self.rows.range(rows.clone()).map(|(row, _)| Ok(*row as u32));
        let known = self.postings.range(rows)?.map(|entry| Ok(entry?.0.value() as u32));
        loaded.chain(known).collect()
    }

    /// The newest message of a term; 0 if none is known.
    pub(in crate::store) fn newest_of(&self, term: PostingKey) -> Result<u64> {
        for block in self.blocks(term)?.into_iter().rev() {
            let places = pass_over(self.places(term.row(block)).map(Some))?.unwrap_or_default();
            if let Some(place) = places.descending().next() {
                return Ok(start_of(block) + u64::from(place));
            }
        }
        Ok(0)
    }

    /// A set, with the changes of this batch.
    pub(super) fn places(&self, row: u64) -> Result<Places> {
        if let Some(known) = self.rows.get(&row) {
            return Ok(known.value.clone());
        }
        match self.postings.get(row)? {
            Some(bytes) => Ok(unpack_places(row, bytes.value())?),
            None => Ok(Places::default()),
        }
    }

    /// The positions of a block that have outbound messages.
    pub(super) fn outbound_places(&self, block: u32) -> Result<Places> {
        let mut places = Places::default();
        for status in Status::ALL {
            let state = PostingKey::of_state(Direction::Outbound, status);
            places.union(&self.places(state.row(block))?);
        }
        Ok(places)
    }
}
