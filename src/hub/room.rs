//! Bound on the bytes that replays hold, all sessions together.

use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that one permit of the semaphore stands for.
const UNIT: usize = 1 << 10;

/// Room for the frames of replays. Who finds none waits until others have been read.
#[derive(Debug)]
pub(super) struct Room {
    units: u32,
    free: Arc<Semaphore>,
}

/// Room that one step of a replay holds; given back once nobody holds its bytes.
#[derive(Debug)]
pub(super) struct Reserved(Option<OwnedSemaphorePermit>);

/// Bytes with the room that they take.
struct Held {
    bytes: Bytes,
    _reserved: Arc<Reserved>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Room {
    /// Room for so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        let units = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX).max(1);
        Self { units, free: Arc::new(Semaphore::new(units as usize)) }
    }

    /// Reserves so many bytes, or all there are where that is less; waits until they are free.
    pub(super) async fn reserve(&self, bytes: usize) -> Reserved {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).min(self.units);
        // The semaphore is never closed.
        Reserved(self.free.clone().acquire_many_owned(units).await.ok())
    }
}

impl Reserved {
    /// Gives back what is reserved beyond so many bytes.
    pub(super) fn shrink_to(&mut self, bytes: usize) {
        if let Some(permit) = &mut self.0 {
            let units = bytes.div_ceil(UNIT);
            drop(permit.split(permit.num_permits().saturating_sub(units)));
        }
    }

    /// The bytes, which hold the room until the last of them is gone.
    pub(super) fn hold(self: &Arc<Self>, bytes: Bytes) -> Bytes {
        Bytes::from_owner(Held { bytes, _reserved: self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn room_is_free_again_when_the_last_of_its_bytes_is_gone() {
        let room = Room::new(4 * UNIT);
        let mut first = room.reserve(4 * UNIT).now_or_never().unwrap();
        assert!(room.reserve(1).now_or_never().is_none());
        first.shrink_to(3 * UNIT);
        let first = Arc::new(first);
        let held = first.hold(Bytes::from(vec![0; 3 * UNIT]));
        drop(first);
        assert!(room.reserve(UNIT).now_or_never().is_some());
        let rest = held.slice(2..);
        drop(held);
        assert!(room.reserve(2 * UNIT).now_or_never().is_none());
        drop(rest);
        assert!(room.reserve(100 * UNIT).now_or_never().is_some(), "one alone is always let in");
    }
}
