//! Limit of the bytes of all replays together.

use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Bytes for each permit of the semaphore.
const PERMIT_BYTES: usize = 1 << 10;

/// The longest time that a replay waits for memory. After that it continues in small pieces that
/// are not counted, so that clients that read nothing cannot block others.
const REPLAY_SLOT_TIMEOUT: Duration = Duration::from_millis(50);

/// Memory for the frames of replays.
#[derive(Debug)]
pub(super) struct ReplayMemory {
    units: u32,
    free: Arc<Semaphore>,
}

/// Memory of one step of a replay; released when the last of its bytes is dropped.
#[derive(Debug)]
pub(super) struct Reserved(OwnedSemaphorePermit);

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
    /// Memory of this number of bytes.
    pub(super) fn new(bytes: usize) -> Self {
        let units = u32::try_from(bytes / PERMIT_BYTES).unwrap_or(u32::MAX).max(1);
        Self { units, free: Arc::new(Semaphore::new(units as usize)) }
    }

    /// Reserves this number of bytes, or all if there are fewer; `None` if other replays use them.
    pub(super) async fn reserve(&self, bytes: usize) -> Option<Reserved> {
        let units = u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX).min(self.units);
        let free = self.free.clone().acquire_many_owned(units);
        timeout(REPLAY_SLOT_TIMEOUT, free).await.ok()?.ok().map(Reserved)
    }
}

impl Reserved {
    /// Releases the bytes beyond this number.
    pub(super) fn shrink_to(&mut self, bytes: usize) {
        let units = bytes.div_ceil(PERMIT_BYTES);
        drop(self.0.split(self.0.num_permits().saturating_sub(units)));
    }

    /// The bytes; they keep the reservation until the last of them is dropped.
    pub(super) fn hold(self: &Arc<Self>, bytes: Bytes) -> Bytes {
        Bytes::from_owner(ReservedBytes { bytes, _reserved: self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn memory_is_free_again_when_the_last_of_its_bytes_is_gone() {
        let memory = ReplayMemory::new(4 * PERMIT_BYTES);
        let mut first = memory.reserve(4 * PERMIT_BYTES).await.unwrap();
        assert!(memory.reserve(1).await.is_none());
        first.shrink_to(3 * PERMIT_BYTES);
        let first = Arc::new(first);
        let held = first.hold(Bytes::from(vec![0; 3 * PERMIT_BYTES]));
        drop(first);
        assert!(memory.reserve(PERMIT_BYTES).await.is_some());
        let rest = held.slice(2..);
        drop(held);
        assert!(memory.reserve(2 * PERMIT_BYTES).await.is_none());
        drop(rest);
        assert!(memory.reserve(100 * PERMIT_BYTES).await.is_some(), "one alone is always let in");
    }
}
