//! Space for unfinished uploads, which no other file may take.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// The space of each upload; shared by everything that stores files in the folder.
#[derive(Clone, Debug, Default)]
pub(super) struct Reservations(Arc<Mutex<HashMap<Uuid, ReservedRoom>>>);

/// Bytes of an upload.
#[derive(Clone, Copy, Debug)]
struct ReservedRoom {
    length: u64,
    /// Bytes of it that are on disk.
    written: u64,
}

impl Reservations {
    /// Reserves space for an upload of `length` bytes, of which `written` are on disk.
    pub(super) fn set(&self, id: Uuid, length: u64, written: u64) {
        self.lock().insert(id, ReservedRoom { length, written });
    }

    /// Releases the space of an upload, if it has any.
    pub(super) fn release(&self, id: Uuid) {
        self.lock().remove(&id);
    }

    /// Bytes of all uploads except one.
    pub(super) fn bytes(&self, but: Option<Uuid>) -> u64 {
        self.sum(but, |reserved| reserved.length)
    }

    /// Like [`Self::bytes`], without the bytes that are on disk.
    pub(super) fn missing(&self, but: Option<Uuid>) -> u64 {
        self.sum(but, |reserved| reserved.length.saturating_sub(reserved.written))
    }

    fn sum(&self, but: Option<Uuid>, bytes: impl Fn(&ReservedRoom) -> u64) -> u64 {
        let all = self.lock();
        let others = all.iter().filter(|(id, _)| Some(**id) != but);
        others.fold(0, |sum, (_, reserved)| sum.saturating_add(bytes(reserved)))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, ReservedRoom>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
