//! The row of a raw event that is kept for bots.

use super::error::Result;
use super::tables::{with_checksum, without_checksum};
use crate::log::record::Unreadable;
use crate::model::event::RawEvent;
use serde::{Deserialize, Serialize};

/// A raw event as its row encodes it; a change of the encoding is a new version.
#[derive(Serialize, Deserialize)]
pub(super) struct RawEventRow<'a> {
    version: u8,
    pub(super) at: u64,
    pub(super) is_of_previous: bool,
    pub(super) platform: &'a str,
    pub(super) account: &'a str,
    pub(super) frame: &'a str,
}

const VERSION: u8 = 1;

/// The row of a raw event that was kept at an offset.
pub(super) fn encode(offset: u64, event: &RawEvent) -> Result<Vec<u8>> {
    let row = RawEventRow {
        version: VERSION,
        at: event.at,
        is_of_previous: event.is_of_previous,
        platform: &event.platform,
        account: &event.account,
        frame: &event.frame,
    };
    let bytes = postcard::to_stdvec(&row).map_err(|error| Unreadable::new(error.to_string()))?;
    Ok(with_checksum(offset, &bytes))
}

/// When a raw event came in, in Unix seconds; `None` if its row is damaged.
pub(super) fn time_of(offset: u64, bytes: &[u8]) -> Option<u64> {
    decode(offset, bytes).map(|row| row.at)
}

/// Reads a row; `None` if it is damaged.
pub(super) fn decode(offset: u64, bytes: &[u8]) -> Option<RawEventRow<'_>> {
    let row: RawEventRow<'_> = postcard::from_bytes(without_checksum(offset, bytes)?).ok()?;
    (row.version == VERSION).then_some(row)
}
