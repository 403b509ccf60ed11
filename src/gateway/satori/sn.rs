//! `sn` of events (protocol/events.md, "会话恢复"): the offset in the log, with a check of the epoch,
//! so that the `sn` of another copy of the store is not accepted.

use crate::model::cursor::{Cursor, Epoch};
use crate::store::{Result, View};

/// Bits of the check. With them numbers stay below 2^53 for 2^41 events.
const CHECK_BITS: u32 = 12;

/// The `sn` of the event at a cursor; it grows with the offset.
pub(super) fn of(cursor: Cursor) -> u64 {
    cursor.offset << CHECK_BITS | check(cursor.epoch)
}

/// The offset of an `sn`; `None` if it does not belong to this store, or if the events after it are
/// not kept any more.
pub(super) fn offset(view: &View, sn: u64) -> Result<Option<u64>> {
    let offset = sn >> CHECK_BITS;
    if offset == 0 || offset > view.cursor().offset {
        return Ok(None);
    }
    let cursor = view.cursor_at(offset)?;
    if of(cursor) == sn { view.offset_of(cursor) } else { Ok(None) }
}

fn check(epoch: Epoch) -> u64 {
    // All bits of the number are used.
    let number = epoch.number();
    (number ^ number >> 12 ^ number >> 24 ^ number >> 36 ^ number >> 48 ^ number >> 60)
        & ((1 << CHECK_BITS) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::saved_state;
    use crate::store::{Access, Store, StoreOptions};

    #[tokio::test]
    async fn an_sn_holds_for_its_own_store_alone() {
        let cursor = |epoch, offset| Cursor { epoch: Epoch::new(epoch), offset };
        assert!(of(cursor(u64::MAX, 5)) < of(cursor(0, 6)));
        assert!(of(cursor(1, 1 << 40)) < 1 << 53);
        assert_ne!(of(cursor(1, 5)), of(cursor(1 << 63, 5)));
        let folder = tempfile::tempdir().unwrap();
        let options = StoreOptions::new(folder.path().join("s"), Access::Write);
        let store = Store::open(&options, Box::new(())).unwrap();
        saved_state::keep(&store, "a".into(), Some(vec![1])).await.unwrap();
        let view = store.view().unwrap();
        let head = view.cursor();
        let own = of(head);
        assert_eq!(offset(&view, own), Ok(Some(head.offset)));
        for other in [0, 1, own + 1, own ^ 1, own + (1 << CHECK_BITS), u64::MAX] {
            assert_eq!(offset(&view, other), Ok(None), "{other}");
        }
    }
}
