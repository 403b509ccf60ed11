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

/// Gets each commit, in order, before its commands are answered. The writer's thread calls it, so the
/// methods must not block.
pub trait Listener: Send {
    /// The store was opened, at the start or after a fault, and this is its newest message and event. A
    /// commit that failed may be stored nevertheless, without a call of `committed`.
    fn opened(&mut self, head: Head);

    /// A commit with these changes is durable.
    fn committed(&mut self, batch: Arc<Committed>);
}

/// A listener that ignores everything.
impl Listener for () {
    fn opened(&mut self, _: Head) {}

    fn committed(&mut self, _: Arc<Committed>) {}
}
