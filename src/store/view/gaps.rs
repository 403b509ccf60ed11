//! Gaps between the times of messages. They show where the clock may have been set while no server ran.

use super::View;
use crate::clock::Gap;
use crate::store::damage::guarded;
use crate::store::error::Result;
use crate::store::tables::PostingKey;

/// Seconds up to which a gap is never reported.
const SHORT: u64 = 60;

/// A gap is reported if it is longer than the time since it, divided by this.
const GAP_DIVISOR: u64 = 10;

impl View {
    /// The gaps between messages up to a time in Unix seconds, the newest first: those that are longer than
    /// a minute, and than a tenth of the time since. So a few hundred messages are read, however many there
    /// are.
    ///
    /// # Errors
    ///
    /// The store cannot be read; `StoreError` says why.
    pub fn gaps(&self, until: u64) -> Result<Vec<Gap>> {
        guarded(|| {
            let (mut gaps, mut end) = (Vec::new(), until);
            while let Some(begin) = self.newest_before(end)? {
                let longest_ignored = SHORT.max((until - end) / GAP_DIVISOR);
                if end - begin > longest_ignored {
                    gaps.push(Gap { begin, end });
                }
                // No gap inside this window is longer than `longest_ignored`.
                let earlier = self.oldest_since(begin.saturating_sub(longest_ignored))?;
                end = earlier.map_or(begin, |earlier| earlier.min(begin));
            }
            Ok(gaps)
        })
    }

    /// The latest `created_at` before a time.
    fn newest_before(&self, time: u64) -> Result<Option<u64>> {
        let regular = self.regular_in(0, self.end_of_regular((time, 0))?)?;
        let late = PostingKey::LATE.0;
        let late = self.late_table()?.range((late, 0, 0)..(late, time, 0))?.next_back();
        let late = late.transpose()?.map(|(key, _)| key.value().1);
        Ok(regular.map(|message| message.created_at).max(late))
    }

    /// The earliest `created_at` at a time or later.
    fn oldest_since(&self, time: u64) -> Result<Option<u64>> {
        let regular = self.readable(self.end_of_regular((time, 0))?)?;
        let late = PostingKey::LATE.0;
        let late = self.late_table()?.range((late, time, 0)..=(late, u64::MAX, u64::MAX))?.next();
        let late = late.transpose()?.map(|(key, _)| key.value().1);
        Ok(regular.map(|message| message.created_at).into_iter().chain(late).min())
    }
}
