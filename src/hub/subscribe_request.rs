//! Requests of clients to subscribe, and their outcomes.

use super::mailbox::Batches;
use super::replay::TooManyReplays;
use super::resume::ResumePoint;
use crate::model::subscription::NameList;
use crate::protocol::event::EventKinds;
use crate::store;

/// A request to subscribe.
#[derive(Clone, Debug, Default)]
pub struct SubscribeRequest {
    #[allow(missing_docs)]
    pub platforms: NameList,
    #[allow(missing_docs)]
    pub conversations: NameList,
    #[allow(missing_docs)]
    pub since: ReplayStart,
    /// Kinds beside new messages. With a list, even an empty one, frames show cursors.
    pub events: Option<EventKinds>,
}

/// Where a subscription begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplayStart {
    /// With what comes from now on.
    #[default]
    Now,
    /// With the message after this `seq`, and other events from now on.
    Message(u64),
    /// With everything after this place.
    Event(ResumePoint),
}

/// A request that was granted.
#[derive(Debug)]
pub struct Subscribed {
    /// Frames that were handed out before, and go before the answer.
    pub queued: Batches,
    /// Where the events begin that follow.
    pub resume: ResumePoint,
}

/// Why a request to subscribe is not granted; nothing is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscribeRefused {
    /// More topics than a session may have.
    TooManyTopics {
        /// How many it may have.
        limit: usize,
    },
    /// It went back in time too often before it had caught up.
    TooManyReplays,
    /// The cursor is one of this store, but events after it are not kept any more.
    CursorTooOld,
    /// The cursor is of another store, or of an older copy of it.
    OtherStore,
    /// `since` lies beyond the newest message: the store is another, or an older copy of it.
    BeyondHead {
        /// The newest message.
        head: u64,
    },
    #[allow(missing_docs)]
    Store(store::StoreError),
}

impl From<TooManyReplays> for SubscribeRefused {
    fn from(_: TooManyReplays) -> Self {
        Self::TooManyReplays
    }
}

impl From<store::StoreError> for SubscribeRefused {
    fn from(error: store::StoreError) -> Self {
        Self::Store(error)
    }
}
