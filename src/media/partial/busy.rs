//! Uploads that a request is writing; no other request may write them at the same time.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// All uploads that a request is writing.
pub(super) type BusyUploads = Arc<Mutex<HashSet<Uuid>>>;

/// An upload that no other request may write until this is dropped.
#[derive(Debug)]
pub(super) struct Busy {
    id: Uuid,
    all: BusyUploads,
}

impl Busy {
    /// `None` if another request is writing it.
    pub(super) fn of(id: Uuid, all: &BusyUploads) -> Option<Self> {
        let all = Arc::clone(all);
        let is_free = all.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        // Not `then_some`: its argument would be dropped, and would free the upload of the other
        // request.
        is_free.then(|| Self { id, all })
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
