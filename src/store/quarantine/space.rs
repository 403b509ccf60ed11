//! The space for events that are quarantined, bounded in number and bytes.

use crate::store::error::Result;
use crate::store::tables::{META, pack, unpack};
use crate::store::transaction::Transaction;
use crate::store::view::View;
use redb::{ReadableTable, ReadableTableMetadata};

/// The most events that are quarantined.
const MAX_EVENTS: u64 = 10_000;

/// The bytes of these events above which no other event is quarantined.
const MAX_BYTES: u64 = 256 << 20;

/// The row of `meta` with the bytes of all events that are quarantined.
pub(in crate::store) const BYTES_KEY: &str = "set aside bytes";

impl Transaction<'_> {
    /// Whether there is no space for another event.
    pub(in crate::store) fn has_no_room(&self) -> Result<bool> {
        let quarantine = self.quarantine.read()?;
        Ok(is_full(quarantine.len()?, bytes(&self.meta, quarantine)?))
    }

    /// Keeps the row of an event that could not be stored.
    pub(in crate::store) fn add_quarantined(&mut self, offset: u64, row: &[u8]) -> Result<()> {
        let before = bytes(&self.meta, self.quarantine.read()?)?;
        self.quarantine.write()?.insert(offset, row)?;
        self.note_bytes(before + row.len() as u64)
    }

    /// Removes an event that was quarantined.
    pub(in crate::store) fn release(&mut self, offset: u64) -> Result<()> {
        let before = bytes(&self.meta, self.quarantine.read()?)?;
        let removed = self.quarantine.write()?.remove(offset)?;
        let removed = removed.map_or(0, |row| row.value().len() as u64);
        self.note_bytes(before.saturating_sub(removed))
    }

    fn note_bytes(&mut self, bytes: u64) -> Result<()> {
        self.meta.insert(BYTES_KEY, &*pack(&[BYTES_KEY], &bytes)?)?;
        Ok(())
    }
}

impl View {
    /// Whether there is no space for another event that cannot be stored.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn quarantine_is_full(&self) -> Result<bool> {
        let quarantine = self.quarantine_table()?;
        Ok(is_full(quarantine.len()?, bytes(&self.txn.open_table(META)?, quarantine)?))
    }
}

fn is_full(events: u64, bytes: u64) -> bool {
    events >= MAX_EVENTS || bytes >= MAX_BYTES
}

/// The bytes of all events that are quarantined: as noted in `meta`, or counted if the note is missing or
/// damaged.
fn bytes(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
    quarantine: &impl ReadableTable<u64, &'static [u8]>,
) -> Result<u64> {
    let noted = meta.get(BYTES_KEY)?.map(|row| unpack("the row of", &[BYTES_KEY], row.value()));
    if let Some(Ok(bytes)) = noted {
        return Ok(bytes);
    }
    let lengths = quarantine.iter()?.map(|row| Ok(row?.1.value().len() as u64));
    lengths.sum::<Result<u64>>()
}
