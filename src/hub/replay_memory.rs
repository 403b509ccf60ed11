//! Bound on the bytes that replays hold, all sessions together.

use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that one permit of the semaphore stands for.
const UNIT: usize = 1 << 10;

/// Memory for the frames of replays. A replay that finds none free waits until others have been read.
#[derive(Debug)]
pub(super) struct ReplayMemory {
    units: u32,
    free: Arc<Semaphore>,
}

/// Memory that one step of a replay holds; free again once the last of its bytes is dropped.
#[derive(Debug)]
pub(super) struct Reserved(Option<OwnedSemaphorePermit>);

/// Bytes with the reservation that they hold.
struct ReservedBytes {
    bytes: Bytes,
    _reserved: Arc<Reserved>,
}

impl AsRef<[u8]> for ReservedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl ReplayMemory {
    /// Memory of so many bytes.
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

    /// The bytes, which hold the reservation until the last of them is dropped.
    pub(super) fn hold(self: &Arc<Self>, bytes: Bytes) -> Bytes {
        Bytes::from_owner(ReservedBytes { bytes, _reserved: self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn memory_is_free_again_when_the_last_of_its_bytes_is_gone() {
        let memory = ReplayMemory::new(4 * UNIT);
        let mut first = memory.reserve(4 * UNIT).now_or_never().unwrap();
        assert!(memory.reserve(1).now_or_never().is_none());
        first.shrink_to(3 * UNIT);
        let first = Arc::new(first);
        let held = first.hold(Bytes::from(vec![0; 3 * UNIT]));
        drop(first);
        assert!(memory.reserve(UNIT).now_or_never().is_some());
        let rest = held.slice(2..);
        drop(held);
        assert!(memory.reserve(2 * UNIT).now_or_never().is_none());
        drop(rest);
        assert!(memory.reserve(100 * UNIT).now_or_never().is_some(), "one alone is always let in");
    }
}
