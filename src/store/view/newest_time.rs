//! The time of the newest messages. It shows whether the clock may have been set while no server ran.

use super::View;
use crate::store::error::Result;

/// The number of newest messages that are compared: the clock may have been wrong for a few of them, too.
const NEWEST: usize = 100;

impl View {
    /// The latest `created_at` of the newest 100 messages, in Unix seconds; 0 if there are none.
    /// `updated_at` does not count, because the start changes messages.
    ///
    /// # Errors
    ///
    /// The store cannot be read; `StoreError` says why.
    pub fn newest_time(&self) -> Result<u64> {
        let mut newest = 0;
        for message in self.readable_before(self.head() + 1)?.take(NEWEST) {
            newest = newest.max(message?.created_at);
        }
        Ok(newest)
    }
}
