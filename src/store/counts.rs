//! Counts messages by their postings. No message is read.

use super::damage::guarded;
use super::error::Result;
use super::postings::{Places, locate, start_of};
use super::query::MessageFilter;
use super::tables::PostingKey;
use super::view::View;
use crate::model::message::Status;
use crate::protocol::overview::Stats;
use std::collections::BTreeMap;

/// The messages that were written at a time or later.
struct SaidSince {
    /// Messages that are not late belong to it from this `seq` on.
    first: u64,
    /// The late messages among them, by block.
    late: BTreeMap<u32, Places>,
}

impl View {
    /// Counts the messages that match in each state; with `since` only those that were said at that
    /// time (Unix seconds) or later.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn stats_of(&self, filter: &MessageFilter, since: Option<u64>) -> Result<Stats> {
        if *filter == MessageFilter::default() && since.is_none() {
            return Ok(self.stats());
        }
        guarded(|| {
            let since = since.map(|time| self.since(filter, time)).transpose()?;
            let count = |status: Status| {
                let one = MessageFilter { statuses: vec![status], ..filter.clone() };
                if filter.lets_through(status) { self.count(&one, since.as_ref()) } else { Ok(0) }
            };
            let counts = Status::ALL.map(count);
            let [pending, sending, sent, failed, canceled] = counts;
            let mut stats = Stats {
                pending: pending?,
                sending: sending?,
                sent: sent?,
                failed: failed?,
                canceled: canceled?,
                total: 0,
            };
            let Stats { pending, sending, sent, failed, canceled, .. } = stats;
            stats.total = pending + sending + sent + failed + canceled;
            Ok(stats)
        })
    }

    fn since(&self, filter: &MessageFilter, time: u64) -> Result<SaidSince> {
        let mut late: BTreeMap<u32, Places> = BTreeMap::new();
        for seq in self.late_since(filter, time)? {
            let (block, place) = locate(seq?);
            late.entry(block).or_default().set(place, true);
        }
        Ok(SaidSince { first: self.end_of_regular((time, 0))?, late })
    }

    /// The number of messages that match.
    fn count(&self, filter: &MessageFilter, since: Option<&SaidSince>) -> Result<u64> {
        let Some(needed) = self.needed(filter)? else { return Ok(0) };
        let (mut count, mut block) = (0, locate(self.head()).0);
        let first = since.map_or(0, |since| since.first);
        while let Some(at) = self.last_common_block(&needed, block)? {
            if start_of(at + 1) <= first {
                break;
            }
            let mut places = self.common(&needed, at)?;
            if since.is_some()
                && let Some(late) = self.places(PostingKey::LATE, at)?
            {
                places.take_out(&late);
            }
            places.take_out(&Places::before(at, first));
            count += u64::from(places.count());
            let Some(next) = at.checked_sub(1) else { break };
            block = next;
        }
        for (&at, late) in since.iter().flat_map(|since| &since.late) {
            let mut places = self.common(&needed, at)?;
            places.intersect(late);
            count += u64::from(places.count());
        }
        Ok(count)
    }
}
