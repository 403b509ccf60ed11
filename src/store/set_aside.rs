//! Events of platforms that could not be stored, and were set aside.

use super::damage::guarded;
use super::error::{Result, StoreError};
use super::tables::without_checksum;
use super::view::View;
use crate::log::decode_event;
use crate::model::change::Inbound;
use crate::model::event::Event;
use redb::{ReadableTable, ReadableTableMetadata};

/// An event of a platform that could not be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// The offset, which names it.
    pub offset: u64,
    /// When it was set aside, in Unix seconds.
    pub at: u64,
    #[allow(missing_docs)]
    pub reason: String,
    #[allow(missing_docs)]
    pub inbound: Inbound,
}

impl View {
    /// Number of events that were set aside because they could not be stored.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn set_aside(&self) -> Result<u64> {
        guarded(|| Ok(self.quarantine_table()?.len()?))
    }

    /// Events that could not be stored and were set aside, the oldest first.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn quarantine(&self) -> Result<Vec<SetAside>> {
        guarded(|| self.quarantine_readable())
    }

    fn quarantine_readable(&self) -> Result<Vec<SetAside>> {
        let mut found = Vec::new();
        for row in self.quarantine_table()?.iter()? {
            let (offset, bytes) = row?;
            let offset = offset.value();
            match without_checksum(offset, bytes.value()).and_then(decode_event) {
                Some(Event::SetAside { inbound, reason, at }) => {
                    found.push(SetAside { offset, at, reason, inbound: *inbound });
                }
                _ => {
                    return Err(StoreError::Damaged(format!(
                        "what was set aside at {offset} is damaged"
                    )));
                }
            }
        }
        Ok(found)
    }
}
