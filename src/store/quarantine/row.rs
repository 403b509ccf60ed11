//! An event of a platform that could not be stored and was quarantined, and its row.

use crate::log::decode_event;
use crate::log::record::Unreadable;
use crate::model::event::Event;
use crate::model::platform_event::PlatformEvent;
use crate::store::tables::without_checksum;

/// An event of a platform that could not be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// The offset, by which it is named.
    pub offset: u64,
    /// When it was quarantined, in Unix seconds.
    pub at: u64,
    /// Why it could not be stored.
    pub reason: String,
    /// The event.
    pub event: PlatformEvent,
}

/// Reads a row.
pub(in crate::store) fn decode(
    offset: u64,
    row: &[u8],
) -> std::result::Result<Quarantined, Unreadable> {
    match without_checksum(offset, row).and_then(decode_event) {
        Some(Event::Quarantined { event, reason, at }) => {
            Ok(Quarantined { offset, at, reason, event: *event })
        }
        _ => Err(Unreadable::new(format!("what was quarantined at {offset} is damaged"))),
    }
}
