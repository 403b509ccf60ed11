//! Reading the events of platforms that could not be stored and were quarantined.

use super::row::{Quarantined, decode};
use crate::store::damage::{guarded, pass_over};
use crate::store::error::{Result, StoreError};
use crate::store::view::View;
use redb::ReadableTableMetadata;

/// The number and the bytes of events that are read together.
const AT_ONCE: usize = 64;
const BYTES_AT_ONCE: usize = 1 << 20;

impl View {
    /// Number of events that were quarantined because they could not be stored.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn quarantined(&self) -> Result<u64> {
        guarded(|| Ok(self.quarantine_table()?.len()?))
    }

    /// Events that were quarantined after an offset, the oldest first: at most `limit`, and no more once they
    /// have `max_bytes`. Damaged ones are left out and logged.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn quarantined_after(
        &self,
        after: u64,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<Quarantined>> {
        guarded(|| {
            let (mut found, mut bytes) = (Vec::new(), 0);
            for row in self.quarantine_table()?.range(after.saturating_add(1)..)? {
                if found.len() >= limit || bytes >= max_bytes {
                    break;
                }
                let (offset, row) = row?;
                let aside = decode(offset.value(), row.value());
                let Some(aside) = pass_over(aside.map(Some).map_err(StoreError::from))? else {
                    continue;
                };
                bytes += row.value().len();
                found.push(aside);
            }
            Ok(found)
        })
    }

    /// Calls `see` for every event that was quarantined, the oldest first. Damaged ones are left out and
    /// logged.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn each_quarantined(&self, mut see: impl FnMut(Quarantined)) -> Result<()> {
        let mut after = 0;
        loop {
            let some = self.quarantined_after(after, AT_ONCE, BYTES_AT_ONCE)?;
            let Some(last) = some.last() else { return Ok(()) };
            after = last.offset;
            some.into_iter().for_each(&mut see);
        }
    }
}
