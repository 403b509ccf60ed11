//! The encoding of events in the log: one variant for each kind and version, in postcard.
//!
//! Variants are only added at the end and never changed; `tests/fixtures/store/events.hex` verifies
//! this.

mod decode;
mod encode;
mod parts;
#[cfg(test)]
pub(super) mod tests;
mod wire;

use super::{Batch, Result};
use crate::model::cursor::Epoch;
use crate::model::event::Event;
use decode::take_event;
use encode::encode_to;

/// The version of a record's payload: this byte, the epoch and the time (8 bytes each), the events.
const VERSION: u8 = 2;

/// Bytes before a record's payload: length, checksum, offset.
pub(in crate::log) const HEAD: usize = 4 + 8 + 8;

/// Bytes before a payload's events.
const PREFIX: usize = 1 + 8 + 8;

/// A batch for the log, built event by event.
#[derive(Debug)]
pub struct LogRecord {
    pub(in crate::log) bytes: Vec<u8>,
    /// The number of its events.
    pub(in crate::log) count: u64,
    pub(in crate::log) epoch: Epoch,
}

impl LogRecord {
    /// An empty batch of an epoch, committed at `at` (Unix seconds).
    pub fn new(epoch: Epoch, at: u64) -> Self {
        let mut bytes = vec![0; HEAD];
        bytes.push(VERSION);
        bytes.extend(epoch.number().to_le_bytes());
        bytes.extend(at.to_le_bytes());
        Self { bytes, count: 0, epoch }
    }

    /// Its approximate size in bytes.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The batch, as if it was read from the log.
    #[cfg(test)]
    pub(crate) fn into_batch(self, first: u64) -> Batch {
        decode_payload(first, self.payload()).unwrap().unwrap()
    }

    /// The batch without the head of a record in a file.
    pub(in crate::log) fn payload(&self) -> &[u8] {
        self.bytes.get(HEAD..).unwrap_or_default()
    }

    /// Adds an event. `row` is the encoding of a new message, if it was made before.
    ///
    /// # Errors
    ///
    /// The event is too large for a record.
    pub fn push(&mut self, event: &Event, row: Option<&[u8]>) -> Result<()> {
        self.bytes = encode_to(event, row, std::mem::take(&mut self.bytes))?;
        self.count += 1;
        Ok(())
    }
}

/// The batch in a payload. `Ok(None)` for a payload of version 0.2, which has commands; the tables have
/// them already.
pub(in crate::log) fn decode_payload(
    first: u64,
    payload: &[u8],
) -> std::result::Result<Option<Batch>, ()> {
    match payload.first() {
        Some(1) => return Ok(None),
        Some(&VERSION) => {}
        _ => return Err(()),
    }
    let (prefix, mut rest) = payload.split_at_checked(PREFIX).ok_or(())?;
    let number = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).map_err(|_| ());
    let (epoch, at) = (Epoch::new(number(&prefix[1..9])?), number(&prefix[9..])?);
    let mut events = Vec::new();
    while !rest.is_empty() {
        let (event, behind) = take_event(rest).ok_or(())?;
        events.push(event);
        rest = behind;
    }
    Ok(Some(Batch { epoch, first, at, events }))
}

/// The encoding of one event.
pub(crate) fn encode_event(event: &Event) -> Result<Vec<u8>> {
    encode_to(event, None, Vec::new())
}

/// The event that [`encode_event`] wrote.
pub(crate) fn decode_event(bytes: &[u8]) -> Option<Event> {
    take_event(bytes).filter(|(_, rest)| rest.is_empty()).map(|(event, _)| event)
}
