//! Uploads that a request writes, each of which no other may write meanwhile.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// All uploads that a request writes.
pub(super) type BusyUploads = Arc<Mutex<HashSet<Uuid>>>;

/// An upload that nobody else may write, until this is dropped.
#[derive(Debug)]
pub(super) struct Busy {
    id: Uuid,
    all: BusyUploads,
}

impl Busy {
    /// `None` where another request writes it.
    pub(super) fn of(id: Uuid, all: &BusyUploads) -> Option<Self> {
        let all = Arc::clone(all);
        let is_free = all.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        // Not `then_some`: what that drops would free it for the one who has it.
        is_free.then(|| Self { id, all })
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
