//! What the rest of the program is told of commits.

use crate::model::change::Committed;
use crate::model::cursor::Cursor;
use std::sync::Arc;

/// Where a store stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The newest `seq` that was ever given to a message; 0 before the first.
    pub seq: u64,
    /// The newest event.
    pub cursor: Cursor,
}

/// Told of each commit, in order, before those who asked for it are answered. Called from the
/// writer's thread, so neither method waits for anything.
pub trait Listener: Send {
    /// The store is open, and stands there: at the start, and again after a fault. A commit that
    /// failed may have come to be all the same, without having been told of.
    fn opened(&mut self, head: Head);

    /// These changes are on disk now.
    fn committed(&mut self, batch: Arc<Committed>);
}

/// Nobody listens.
impl Listener for () {
    fn opened(&mut self, _: Head) {}

    fn committed(&mut self, _: Arc<Committed>) {}
}
