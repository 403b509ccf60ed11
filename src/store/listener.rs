//! Listeners of commits.

use crate::model::change::Committed;
use crate::model::cursor::Cursor;
use std::sync::Arc;

/// The newest message and event of a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The newest `seq` that was ever given to a message; 0 before the first.
    pub seq: u64,
    /// The newest event.
    pub cursor: Cursor,
}

/// Gets each commit, in order, before the commands of the commit are answered. Called from the
/// writer's thread, so the methods must not wait.
pub trait Listener: Send {
    /// The store was opened with this head: at the start, and again after a fault. A commit that
    /// failed may be on disk nevertheless, without a call of `committed`.
    fn opened(&mut self, head: Head);

    /// These changes are on disk now.
    fn committed(&mut self, batch: Arc<Committed>);
}

/// A listener that ignores everything.
impl Listener for () {
    fn opened(&mut self, _: Head) {}

    fn committed(&mut self, _: Arc<Committed>) {}
}
