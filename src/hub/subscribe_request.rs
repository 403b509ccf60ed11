//! Requests of clients to subscribe, and their outcomes.

use super::chunk::Batches;
use super::replay::TooManyReplays;
use super::resume::ResumePoint;
use crate::model::subscription::NameList;
use crate::protocol::event::EventKinds;
use crate::store;

/// A request to subscribe.
#[derive(Clone, Debug, Default)]
pub struct SubscribeRequest {
    /// The platforms that are asked for.
    pub platforms: NameList,
    /// The conversations that are asked for.
    pub conversations: NameList,
    /// The event or message after which the replay begins.
    pub since: ReplayStart,
    /// Kinds of events in addition to new messages. With a list, even an empty one, frames have
    /// cursors.
    pub events: Option<EventKinds>,
}

/// Beginning of a subscription.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplayStart {
    /// With new events.
    #[default]
    Now,
    /// With the message after this `seq`, and other events from now on.
    Message(u64),
    /// With everything after this position.
    Event(ResumePoint),
}

/// Result of a request that was granted.
#[derive(Debug)]
pub struct Subscribed {
    /// Frames that were sent to the mailbox before, and come before the answer.
    pub queued: Batches,
    /// The position before the first event that follows.
    pub resume: ResumePoint,
}

/// Reason why a request to subscribe is refused; nothing changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscribeRefused {
    /// More topics than a session may have.
    TooManyTopics {
        /// How many it may have.
        limit: usize,
    },
    /// The session went back too often before it had caught up.
    TooManyReplays,
    /// The cursor belongs to this store, but events after it are not kept any more.
    CursorTooOld,
    /// The cursor belongs to another store, or to an older copy.
    OtherStore,
    /// `since` is after the newest message, so this is another store or an older copy.
    BeyondHead {
        /// The newest message.
        head: u64,
    },
    /// The store cannot be read.
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
