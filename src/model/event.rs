//! Events: what happened, decided and self-contained.
//!
//! Applying an event decides nothing, so the same events give the same state anywhere. Times are
//! Unix seconds. How an event is encoded is the log's business.

use crate::model::content::Content;
use crate::model::cursor::Epoch;
use crate::model::message::{Message, ReplyTo, Sender, Status};
use crate::model::notice::Notice;
use crate::model::platform_event::PlatformEvent;
use crate::model::reaction::Reaction;
use std::mem::replace;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields without a text are named as those of a message")]
pub enum Event {
    /// The store was opened for writing. This is the first event after the opening.
    Opened {
        epoch: Epoch,
        /// The epoch of the event before; 0 if there is none.
        previous: Epoch,
    },
    /// A message was made; it carries its `seq` and its ID.
    Created {
        message: Box<Message>,
        origin: Origin,
        /// Marks by which the message is recognized when it is reported again.
        marks: Vec<DedupeKey>,
    },
    /// A message changed.
    Changed {
        /// The `seq` of the message.
        seq: u64,
        cause: ChangeCause,
        /// The state after the change.
        state: Box<MessageState>,
        /// Marks by which the message is recognized when it is reported again.
        marks: Vec<DedupeKey>,
    },
    /// A platform and a conversation were chosen for a message.
    Routed { seq: u64, platform: String, conversation: String, at: u64 },
    /// An adapter of this kind was connected for the platform for the first time.
    PlatformSeen { platform: String, kind: String },
    /// A message that is known already was reported again.
    Recognized { seq: u64, marks: Vec<DedupeKey> },
    /// The content of a message was replaced: it was edited, or more of it became known.
    ContentSet {
        seq: u64,
        content: Content,
        /// The message was edited.
        is_edit: bool,
        at: u64,
    },
    /// More became known about the message that this one answers.
    ReplyFound { seq: u64, reply_to: Box<ReplyTo>, at: u64 },
    /// A message was recalled on its platform.
    Recalled {
        seq: u64,
        /// The person who recalled it, if the platform names them.
        by: Option<Sender>,
        /// The content is removed.
        hides: bool,
        at: u64,
    },
    /// The reactions to a message changed; these are all reactions after it.
    Reacted { seq: u64, reactions: Vec<Reaction>, at: u64 },
    /// A platform reported something that is not a message.
    Noticed {
        notice: Box<Notice>,
        /// For a request: the data that its adapter needs to answer it. Its ID is the event's offset.
        request: Option<String>,
    },
    /// A request of a platform was answered.
    RequestAnswered { id: u64, approved: bool, reason: String, at: u64 },
    /// A message was deleted.
    Deleted { seq: u64 },
    /// A conversation was named.
    ConversationNamed { platform: String, conversation: String, name: String },
    /// A conversation was read up to a message.
    ConversationRead {
        /// Empty if no platform was found yet.
        platform: String,
        conversation: String,
        /// The last message that was read.
        seq: u64,
    },
    /// A conversation was muted or pinned, or is no longer. These are the values after it.
    ConversationSet {
        /// Empty if no platform was found yet.
        platform: String,
        conversation: String,
        muted: bool,
        pinned: bool,
    },
    /// An event of a platform could not be stored. It is kept so that people can look at it.
    Quarantined { event: Box<PlatformEvent>, reason: String, at: u64 },
    /// An event that was quarantined is removed.
    Released {
        /// The offset at which it was quarantined.
        offset: u64,
    },
    /// Everything older than these bounds was forgotten.
    Forgotten(Box<RetentionBounds>),
    /// An adapter keeps a value over restarts.
    AdapterState(Box<AdapterState>),
    /// A platform sent this frame; it is kept for bots as it came.
    RawEvent(Box<RawEvent>),
    /// A message was recalled on its platform before it came in.
    RecalledEarly(Box<EarlyRecall>),
    /// Recalls whose messages did not come in time are removed.
    RecallsLapsed {
        /// Their hashes of account, conversation and ID.
        keys: Vec<u128>,
    },
    /// The next part of a message that is sent in several parts was sent.
    PartSent {
        seq: u64,
        /// The platform's own ID of the part; empty if the platform gave none.
        external_id: String,
        /// Marks by which the echo of the part is recognized.
        marks: Vec<DedupeKey>,
    },
    /// Idempotency keys are forgotten.
    KeysLapsed {
        /// When each was used, in Unix seconds, and its hash.
        keys: Vec<(u64, u128)>,
    },
}

/// A recall of a message that has not come in yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlyRecall {
    /// The platform that reported it.
    pub platform: String,
    /// The account that received it.
    pub account: String,
    /// The conversation, as the adapter addresses it.
    pub conversation: String,
    /// The platform's own ID of the message.
    pub external_id: String,
    /// The person who recalled it, if the platform names them.
    pub by: Option<Sender>,
    /// Unix seconds.
    pub at: u64,
}

/// An event of a platform as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawEvent {
    /// The platform that sent it.
    pub platform: String,
    /// The account that received it.
    pub account: String,
    /// The frame, unchanged.
    pub frame: String,
    /// The event before this one in the log has the same meaning, in rechat's own form.
    pub is_of_previous: bool,
    /// When it came in, in Unix seconds.
    pub at: u64,
    /// Frames that came in before this time, in Unix seconds, are removed.
    pub forget_before: u64,
}

/// A value that an adapter keeps over restarts, such as the cursor of a poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterState {
    /// The adapter's kind.
    pub adapter: String,
    /// The adapter's own name for the value; unique within the adapter.
    pub key: String,
    /// The value in the adapter's own encoding; `None` removes it.
    pub value: Option<Vec<u8>>,
}

/// Where a message comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A client asked for it to be sent.
    Made,
    /// A platform reported it.
    Received,
    /// It was imported from an export.
    Imported,
}

/// Cause of a change of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeCause {
    /// It was claimed for an attempt.
    Claimed,
    /// An attempt ended, or its echo proved the outcome.
    AttemptEnded,
    /// Its status was set by hand.
    StatusSet,
    /// The platform's ID became known; clients do not see that.
    Completed,
}

/// The fields of a message that change after it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageState {
    /// The status after the change.
    pub status: Status,
    /// Unix seconds of the change.
    pub updated_at: u64,
    /// Attempts after the first one; 0 after one attempt.
    pub retry_count: u32,
    /// The platform, once it is chosen.
    pub platform: Option<String>,
    /// The account that sends or sent it, once one does.
    pub account: Option<String>,
    /// The reason of the last failure, for people.
    pub last_error: Option<String>,
    /// The ID that the platform gave to the message.
    pub external_id: Option<String>,
    /// An attempt that has ended may have sent it: that has to be looked up before the next one.
    pub is_uncertain: bool,
    /// The message counts as sent, but no ID or echo has confirmed it yet.
    pub is_unconfirmed: bool,
    /// The process that claimed the message, until its attempt has ended.
    pub owner: Option<String>,
}

impl MessageState {
    /// The state of a message.
    pub fn of(message: &Message) -> Self {
        Self {
            status: message.status,
            updated_at: message.updated_at,
            retry_count: message.retry_count,
            platform: message.platform.clone(),
            account: message.account.clone(),
            last_error: message.last_error.clone(),
            external_id: message.external_id.clone(),
            is_uncertain: message.is_uncertain,
            is_unconfirmed: message.is_unconfirmed,
            owner: message.owner.clone(),
        }
    }

    /// Puts this state into a message, and gives the one that it had.
    #[must_use]
    pub fn put_into(self, message: &mut Message) -> Self {
        // Another account begins again with the first part.
        if message.account != self.account {
            message.parts.clear();
        }
        message.doubt = message.doubt_after(&self);
        Self {
            status: replace(&mut message.status, self.status),
            updated_at: replace(&mut message.updated_at, self.updated_at),
            retry_count: replace(&mut message.retry_count, self.retry_count),
            platform: replace(&mut message.platform, self.platform),
            account: replace(&mut message.account, self.account),
            last_error: replace(&mut message.last_error, self.last_error),
            external_id: replace(&mut message.external_id, self.external_id),
            is_uncertain: replace(&mut message.is_uncertain, self.is_uncertain),
            is_unconfirmed: replace(&mut message.is_unconfirmed, self.is_unconfirmed),
            owner: replace(&mut message.owner, self.owner),
        }
    }
}

/// Mark by which a message is recognized when it is reported again. Keys are hashes, with a time
/// before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DedupeKey {
    /// An event of a platform: its own time, and a hash of the account and the event.
    Seen(u64, u128),
    /// The platform's ID of a message that was sent: the hour, and the hash of the ID.
    Sent(u64, u128),
    /// An idempotency key: its hash, the hash of the body, and when it was used.
    Key(u128, u128, u64),
}

/// Bounds of what is removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetentionBounds {
    /// Marks of events that were seen before this time.
    pub seen_before: u64,
    /// Marks of messages that were sent before this hour.
    pub sent_before: u64,
    /// Events of the journal before this offset.
    pub journal_before: u64,
    /// Epochs that began before this offset.
    pub epochs_before: u64,
    /// Conversations without messages: platform (empty if none was found) and name.
    pub conversations: Vec<(String, String)>,
}
