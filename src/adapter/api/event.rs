//! Reports of adapters to the core.

use super::message::Outbound;
use crate::model::content::Content;
use crate::model::event::AdapterState;
use crate::model::inbound::Inbound;
use crate::model::message::{ReplyTo, Sender};
use crate::model::notice::Notice;
use crate::model::reaction::ReactionChange;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use tokio::sync::oneshot;
use uuid::Uuid;

/// The result of noting that a part was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartNoted {
    /// It is on disk.
    Stored,
    /// There is no such message any more.
    MessageDeleted,
}

/// A report of an adapter to the core.
#[derive(Debug)]
pub enum AdapterEvent {
    /// A message came in.
    Message(Box<Inbound>),
    /// A platform sent this frame.
    RawEvent {
        /// The platform.
        platform: String,
        /// The account that was told.
        account: String,
        /// The frame as it came.
        frame: String,
        /// Its meaning in rechat's own form, where it has one.
        meaning: Option<Box<AdapterEvent>>,
    },
    /// Messages, and what the adapter is to remember with them: all in one commit, or nothing.
    Batch {
        /// The oldest first.
        messages: Vec<Inbound>,
        /// Values that replace those of the same key.
        state: Vec<AdapterState>,
        /// Signals that it is on disk.
        stored: oneshot::Sender<()>,
    },
    /// A question: what does this adapter remember? Dropped unanswered while the store is away.
    Remembered {
        /// The adapter's kind.
        adapter: &'static str,
        /// Values by the adapter's names.
        answer: oneshot::Sender<Vec<(String, Vec<u8>)>>,
    },
    /// A message was taken back on its platform.
    Recalled {
        /// The message that is meant.
        message: MessageRef,
        /// The person who took it back, where the platform tells.
        by: Option<Sender>,
        /// Unix seconds.
        at: u64,
    },
    /// A message was edited on its platform.
    Edited {
        /// The message that is meant.
        message: MessageRef,
        /// The content after the edit.
        content: Content,
        /// Unix seconds.
        at: u64,
    },
    /// The reactions to a message changed.
    Reacted {
        /// The message that is meant.
        message: MessageRef,
        /// The change to its reactions.
        change: ReactionChange,
        /// Unix seconds.
        at: u64,
    },
    /// Something happened that is not a message.
    Noticed {
        /// The notice, in the form of the core.
        notice: Box<Notice>,
        /// The data for answering it, if it is a request.
        request: Option<PlatformRequest>,
    },
    /// The name of a person became known whom a message mentions.
    MentionNamed {
        /// The message that is meant.
        message: MessageRef,
        /// The platform's ID of the person.
        user: String,
        /// The name, as people see it.
        name: String,
    },
    /// More became known of the message that a message answers.
    ReplyFound {
        /// The message that is the answer.
        message: MessageRef,
        /// The message that is answered, with all that is known of it now.
        reply_to: Box<ReplyTo>,
    },
    /// A platform confirmed a message after the time limit of the attempt.
    ConfirmedLate {
        /// The message, by its ID in rechat.
        message: Uuid,
        /// The account it left by.
        account: Option<String>,
        /// The platform's own ID of the message.
        external_id: Option<String>,
        /// The platform took it, and that is no proof that it was sent.
        is_unconfirmed: bool,
    },
    /// A platform refused a message after the time limit of the attempt.
    RefusedLate {
        /// The message, by its ID in rechat.
        message: Uuid,
        /// The platform's reason, for people.
        reason: String,
        /// Another attempt may succeed.
        retryable: bool,
    },
    /// The next part has gone of a message that goes out as several.
    PartSent {
        /// The message, by its ID in rechat.
        message: Uuid,
        /// The number of parts that went before it.
        index: usize,
        /// The platform's own ID of the part.
        external_id: Option<String>,
        /// Gets the result; dropped if it could not be stored here.
        noted: oneshot::Sender<PartNoted>,
    },
    /// A conversation's name became known.
    Named {
        /// The platform.
        platform: String,
        /// The conversation, as the adapter addresses it.
        conversation: String,
        /// The name, as people see it.
        name: String,
    },
    /// A question: which messages were sent last by this account in a conversation? Asked so that the
    /// times of a history can be understood. Dropped unanswered while the store is away.
    SentMessages {
        /// The conversation that is meant.
        of: AccountConversation,
        /// The platform's ID of each, and when it was sent, in Unix seconds.
        answer: oneshot::Sender<Vec<(String, u64)>>,
    },
    /// A question: which own messages of a conversation are stored? Asked so that no known message of a history
    /// counts as a part that may have been sent. Dropped unanswered while the store is away.
    OwnMessages {
        /// The conversation that is meant.
        of: AccountConversation,
        /// The platform's IDs of the newest ones and of their parts.
        answer: oneshot::Sender<HashSet<String>>,
    },
    /// A question: which messages may this account have sent to a conversation, although that is not known? Asked
    /// before an own message counts as one of the owner. Dropped unanswered while the store is away.
    DoubtfulMessages {
        /// The conversation that is meant.
        of: AccountConversation,
        /// The messages, each as it was sent.
        answer: oneshot::Sender<Vec<Outbound>>,
    },
    /// A question: which conversations does this account have? Asked after a reconnect, to fetch
    /// what was missed. Dropped unanswered while the store is away.
    Conversations {
        /// The platform.
        platform: String,
        /// The account that asks.
        account: String,
        /// The most conversations, the newest first.
        limit: usize,
        /// Gets the conversations, as the adapter addresses them.
        answer: oneshot::Sender<Vec<String>>,
    },
}

/// A conversation of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountConversation {
    /// The platform of the account.
    pub platform: String,
    /// The platform's ID of the account.
    pub account: String,
    /// The conversation, as the adapter addresses it.
    pub conversation: String,
}

/// A message by its platform's own ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRef {
    /// The account that tells of it; an ID may mean another message to another account.
    pub account: String,
    /// The platform.
    pub platform: String,
    /// The conversation, as the adapter addresses it.
    pub conversation: String,
    /// The platform's own ID.
    pub external_id: String,
}

/// A friend or join request as the platform names it, to be answered later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformRequest {
    /// The kind of the request.
    pub kind: RequestKind,
    /// The platform's mark of it.
    pub flag: String,
}

/// Kind of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestKind {
    /// A person wants to be a friend of the account.
    Friend,
    /// A person wants to join a group.
    Join,
    /// The account is invited to a group.
    Invitation,
}
