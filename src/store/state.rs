//! The state of the store that decisions read.

use super::dedupe_keys::Idempotency;
use super::error::{Result, StoreError};
use crate::model::event::RetentionBounds;
use crate::model::inbound::Inbound;
use crate::model::message::{Direction, Message, Recall, Status};
use crate::model::notice::{ContactRequest, Notice};
use crate::model::routing::StoreFacts;
use uuid::Uuid;

/// The marks of a conversation.
pub(super) struct ConversationSettings {
    /// Its newest message.
    pub(super) newest: u64,
    /// The last message that was read.
    pub(super) read: u64,
    pub(super) muted: bool,
    pub(super) pinned: bool,
}

/// A message that was deleted.
pub(super) struct DeletedMessage {
    pub(super) seq: u64,
    pub(super) platform: Option<String>,
    pub(super) conversation: String,
}

/// State that decisions read.
pub(super) trait StoreState: StoreFacts<Error = StoreError> {
    /// The `seq` and the ID of the next message.
    fn next(&self) -> (u64, Uuid);
    /// The owner of new claims.
    fn owner(&self) -> &str;
    fn by_id(&self, id: Uuid) -> Result<Option<Message>>;
    fn by_seq(&self, seq: u64) -> Result<Option<Message>>;
    /// The `seq` of a message whose ID this store, or the store that it is a copy of, made.
    fn given_place(&self, id: Uuid) -> Result<Option<u64>>;
    /// Whether an ID is from the time before epochs, when two copies of a store could give one ID to two
    /// messages.
    fn is_before_epochs(&self, id: Uuid) -> bool;
    /// Whether this notice is among the newest 1,000 events.
    fn has_noticed(&self, notice: &Notice) -> Result<bool>;
    /// The `seq` for an idempotency key, and whether its body was the same one.
    fn known_key(&self, key: &Idempotency) -> Result<Option<(u64, bool)>>;
    /// The `seq` of the message that the same event reported before.
    fn seen(&self, received: &Inbound) -> Result<Option<u64>>;
    /// The `seq` of the message with this sender and content that was reported with the key of another
    /// message.
    fn seen_collision(&self, received: &Inbound) -> Result<Option<u64>>;
    /// Whether a history has reported a message.
    fn is_in_history(&self, message: &Message) -> Result<bool>;
    /// Whether a history has reported a message under this platform ID.
    fn is_alias(&self, message: &Message, external_id: &str) -> Result<bool>;
    /// The `seq` of the message that was sent under the platform's ID, at about the event's time or `at`.
    fn sent_as(&self, received: &Inbound, at: u64) -> Result<Option<u64>>;
    /// The deleted message with this `seq` or ID, if its deletion is among the newest 20,000 events.
    fn deleted(&self, is_it: &dyn Fn(u64, Uuid) -> bool) -> Result<Option<DeletedMessage>>;
    /// The deleted message that an own message may be: it may have been sent under an unknown ID, has the
    /// same content and about the same time, and no other own message was taken for it. Returns its `seq`,
    /// and the time in whose period it was deleted.
    fn deleted_alike(&self, received: &Inbound, at: u64) -> Result<Option<(u64, u64)>>;
    /// The key by which a message that is deleted is known: its own, or the last one if there are too many
    /// messages like it.
    fn key_of_deleted(&self, message: &Message) -> Result<Option<(u64, u128)>>;
    /// Whether a message that was deleted at about this time may have been sent by an attempt before its
    /// last one.
    fn is_doubtful(&self, seq: u64, at: u64) -> Result<bool>;
    /// Outbound messages of a conversation in a state, the oldest first, at most `limit`.
    fn outbound(
        &self,
        platform: &str,
        conversation: &str,
        status: Status,
        limit: usize,
    ) -> Result<Vec<Message>>;
    /// The newest `limit` messages of one direction in a conversation that its platform may have, the newest
    /// first. Messages that wait are left out, as many as they are. So are those that failed or were canceled and
    /// were never sent, and those that did not change from `since` on, in Unix seconds; after 1,024 of these the
    /// search ends.
    fn recent(
        &self,
        platform: &str,
        conversation: &str,
        direction: Direction,
        since: u64,
        limit: usize,
    ) -> Result<Vec<Message>>;
    /// The message of a conversation with a platform's ID for this account, among its newest 5,000
    /// (fewer if they have more than 32 MiB).
    fn by_external(
        &self,
        account: &str,
        platform: &str,
        conversation: &str,
        external_id: &str,
    ) -> Result<Option<Message>>;
    /// The recall that came in before a message that was written at the time `said`; times are in Unix
    /// seconds.
    fn early_recall(&self, message: &Message, said: u64, now: u64) -> Result<Option<Recall>>;
    /// The keys of early recalls whose messages did not come in time.
    fn lapsed_recalls(&self) -> Result<Vec<u128>>;
    /// Whether one of your accounts has seen the conversation.
    fn is_seen_conversation(&self, platform: &str, conversation: &str) -> Result<bool>;
    /// The marks of a conversation that has messages.
    fn marks(&self, platform: &str, conversation: &str) -> Result<Option<ConversationSettings>>;
    /// Whether a conversation is known with another name or without one.
    fn has_other_name(&self, platform: &str, conversation: &str, name: &str) -> Result<bool>;
    /// Whether a recalled message loses its content.
    fn hides_recalled(&self) -> bool;
    /// The request of a platform with this ID.
    fn request(&self, id: u64) -> Result<Option<ContactRequest>>;
    /// Whether one of your accounts reported the same request before, among the newest 1,000.
    fn is_known_request(&self, notice: &Notice, data: &str) -> Result<bool>;
    /// Whether an event was quarantined at an offset.
    fn is_quarantined(&self, offset: u64) -> Result<bool>;
    /// Whether there is no space for another event that is quarantined.
    fn quarantine_is_full(&self) -> Result<bool>;
    /// Bounds up to which rows can be removed at a time in Unix seconds; `None` if there are none to
    /// remove.
    fn forgettable(&self, marks_before: u64, at: u64) -> Result<Option<RetentionBounds>>;
}
