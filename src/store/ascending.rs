//! Lists in ascending order of `seq`.

use super::damage::guarded;
use super::error::Result;
use super::postings::{locate, start_of};
use super::query::{AnyTerm, MessageFilter};
use super::tables::PostingKey;
use super::view::View;
use crate::model::message::Message;

impl View {
    /// The messages after a `seq` that match, the oldest first, at most `limit`; damaged ones are
    /// left out and logged.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn list_after(
        &self,
        filter: &MessageFilter,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Message>> {
        guarded(|| {
            if *filter == MessageFilter::default() {
                return self.readable_after(after)?.take(limit).collect();
            }
            let mut found = Vec::new();
            let Some(needed) = self.needed(filter)? else { return Ok(found) };
            let first = after.saturating_add(1);
            let mut next = (first <= self.head()).then(|| locate(first).0);
            while let Some(block) = next {
                let Some(block) = self.first_common_block(&needed, block)? else { break };
                for place in self.common(&needed, block)?.ascending() {
                    let seq = start_of(block) + u64::from(place);
                    if found.len() == limit {
                        return Ok(found);
                    }
                    if seq >= first {
                        found.extend(self.readable(seq)?);
                    }
                }
                next = block.checked_add(1);
            }
            Ok(found)
        })
    }

    /// The oldest block, not below `block`, where every need has at least one row.
    pub(super) fn first_common_block(
        &self,
        needed: &[AnyTerm],
        mut block: u32,
    ) -> Result<Option<u32>> {
        loop {
            let mut highest = block;
            for terms in needed {
                let mut oldest: Option<u32> = None;
                for &term in terms {
                    let found = self.first_block(term, highest)?;
                    oldest = oldest.into_iter().chain(found).min();
                }
                let Some(oldest) = oldest else { return Ok(None) };
                highest = oldest;
            }
            if highest == block {
                return Ok(Some(block));
            }
            block = highest;
        }
    }

    /// The oldest block, not below `block`, where a term has a row.
    fn first_block(&self, term: PostingKey, block: u32) -> Result<Option<u32>> {
        let mut rows = self.postings_table()?.range(term.row(block)..=term.row(u32::MAX))?;
        Ok(rows.next().transpose()?.map(|(key, _)| key.value() as u32))
    }
}
