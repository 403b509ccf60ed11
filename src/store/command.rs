//! Commands, and their answers.

use super::dedupe_keys::Idempotency;
use super::error::Result;
use crate::model::content::Content;
use crate::model::event::AdapterState;
use crate::model::inbound::Inbound;
use crate::model::message::{Draft, Message, ReplyTo, Sender, Status};
use crate::model::notice::Notice;
use crate::model::platform_event::{MessageTarget, PlatformEvent};
use crate::model::reaction::ReactionChange;
use crate::model::routing::RoutingFacts;
use crate::model::status_rules::Outcome;
use uuid::Uuid;

/// A command to the store. Times are Unix seconds. It carries every time it needs, so that the same
/// commands in the same order always come to the same events.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "`at` is the time of the command; other fields are named as those of a message"
)]
pub enum Command {
    /// Make an outbound message, and route it.
    Create {
        draft: Draft,
        at: u64,
        /// `None` where the maker sent no key.
        idempotency: Option<Idempotency>,
        /// The facts by which it is routed, as they were when it was made.
        facts: RoutingFacts,
    },
    /// Set the status by hand.
    SetStatus { id: Uuid, status: Status, at: u64 },
    /// Set the status of a message that is in one of these states; else the answer is
    /// [`Answer::OtherStatus`].
    SetStatusOf { id: Uuid, from: Vec<Status>, status: Status, at: u64 },
    /// Delete a message.
    Delete { id: Uuid },
    /// Keep a message of a platform, once. A message of the account's owner may be the echo of an
    /// attempt that is under way; with `can_wait`, the answer is [`Answer::Later`] until that ends.
    Receive { received: Box<Inbound>, at: u64, can_wait: bool },
    /// Note that a platform took a message back.
    Recall {
        target: MessageTarget,
        /// The person who took it back; `None` where the platform does not say.
        by: Option<Sender>,
        at: u64,
    },
    /// Set the content of a message anew, as the platform or the account itself did. One that
    /// `is_repeated` may come late, and does not replace a newer edit.
    Edit { target: MessageTarget, content: Content, at: u64, is_repeated: bool },
    /// Update the content of a message: a file was stored, or a forward was opened. If the content no
    /// longer equals `was`, nothing changes and the answer is [`Answer::Nothing`].
    Complete { seq: u64, was: Content, content: Content, at: u64 },
    /// Note the name of a person whom a message mentions.
    NameMention { target: MessageTarget, user: String, name: String, at: u64 },
    /// Note what became known of the message that a message answers.
    FindReply { target: MessageTarget, reply_to: Box<ReplyTo>, at: u64 },
    /// Change the reactions to a message.
    React { target: MessageTarget, change: ReactionChange, at: u64 },
    /// Set the content of a message that was not sent yet; refused with [`Answer::NotWaiting`] once
    /// an attempt is under way, or it or a part of it was sent.
    EditWaiting { id: Uuid, content: Content, at: u64 },
    /// Note that a part of a message was sent, where it goes out as several parts: the first has index 0.
    /// A part that is noted already is not noted again.
    NotePart {
        id: Uuid,
        index: usize,
        /// The ID of the part on the platform; `None` where the platform told none.
        external_id: Option<String>,
        at: u64,
    },
    /// Keep a notice of a platform. One that `is_repeated` may be there already, and is not kept again
    /// then.
    Notice {
        notice: Box<Notice>,
        /// The data that the adapter needs to answer a request; `None` for other notices.
        request: Option<String>,
        is_repeated: bool,
    },
    /// Note how a request was answered.
    AnswerRequest { id: u64, approved: bool, reason: String, at: u64 },
    /// Note that an adapter of this kind was connected for the platform.
    SeePlatform { platform: String, kind: String },
    /// Note a conversation's name.
    Name { platform: String, conversation: String, name: String },
    /// Mark a conversation as read or unread, mute or pin it. A field that is `None` changes nothing.
    SetConversation {
        /// Empty for a conversation of messages without a platform.
        platform: String,
        conversation: String,
        /// The `seq` of the last message that was read; a larger one than the newest means the
        /// newest. By this the mark never moves back.
        read_to: Option<u64>,
        /// The `seq` of the first message that counts as unread again; the mark moves back to the
        /// one before, where it is beyond.
        unread_from: Option<u64>,
        muted: Option<bool>,
        pinned: Option<bool>,
    },
    /// Route messages again, each by the facts that hold now.
    Route { messages: Vec<(u64, RoutingFacts)>, at: u64 },
    /// Claim messages for sending by an account: those that still wait and can be read. The claim
    /// ends before the second message whose outcome is uncertain, because each of them is looked up first.
    Claim {
        seqs: Vec<u64>,
        /// The account that sends them.
        account: Option<String>,
        at: u64,
    },
    /// Record how an attempt ended.
    RecordOutcome { seq: u64, outcome: Outcome, at: u64 },
    /// Record the outcome of an attempt that became known after the attempt was given up.
    RecordLate { id: Uuid, outcome: Outcome, at: u64 },
    /// Import messages. One whose ID is known already stays as it is.
    Import { messages: Vec<Message> },
    /// Set an event of a platform aside that cannot be stored, with the reason.
    Quarantine { event: Box<PlatformEvent>, reason: String, at: u64 },
    /// Remove the event that was quarantined at this offset.
    Release { offset: u64 },
    /// Delete some rows that are older than their limit: events, empty conversations, recalls whose message
    /// never arrived, deduplication keys, and idempotency keys. The answer is [`Answer::Nothing`] once there
    /// are none left.
    Trim {
        /// Marks of deduplication from before this time are deleted.
        marks_before: u64,
        /// The idempotency keys to delete, each with the time at which it was used.
        lapsed_keys: Vec<(u64, u128)>,
        at: u64,
    },
    /// Keep data that an adapter needs after a restart.
    KeepState { state: Box<AdapterState> },
    /// Keep an event of a platform as it came, and carry out the command that it means, where it means
    /// one. The event of a message that is known already is not kept again.
    StoreRawEvent {
        platform: String,
        account: String,
        frame: String,
        meaning: Option<Box<Command>>,
        at: u64,
        /// Frames that came in before this time are deleted.
        forget_before: u64,
    },
    /// Give up a message that waits and has not gone out: set it to `Canceled` for this reason; else the
    /// answer is [`Answer::NotWaiting`].
    Withdraw { id: Uuid, reason: String, at: u64 },
    /// Carry out commands in one commit: all of them are on disk, or none. An event among them that
    /// cannot be stored is quarantined in the same commit.
    Together(Vec<Command>),
    /// Carry out commands in one commit, in this order. If the write fails, none of them is stored. One
    /// that needs a damaged row is refused alone, as if it had come by itself.
    InOrder(Vec<Command>),
}

/// Answer to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The message as it now is.
    Message(Message),
    /// The idempotency key made this message before, with the same body.
    Repeated(Message),
    /// The idempotency key was used with another body.
    KeyTaken,
    /// The messages that were claimed.
    Claimed(Vec<Message>),
    /// The messages were imported.
    Imported {
        /// The number of messages that were new.
        new: u64,
        /// The number of messages that were there already.
        known: u64,
    },
    /// It was noted.
    Noted,
    /// The event was not quarantined, because the limit of such events is reached.
    NoRoom,
    /// There was nothing to do.
    Nothing,
    /// It was deleted.
    Deleted,
    /// There is no such message, or no such conversation.
    NotFound,
    /// The message does not wait any more.
    NotWaiting,
    /// The message is in this state, in which the command does not apply.
    OtherStatus(Message),
    /// The message that the draft answers is not there.
    NoReplyTarget,
    /// Ask again once the attempts that are under way in the conversation have ended.
    Later,
    /// The answer to each command; an error where one needs a damaged row.
    Together(Vec<Result<Self>>),
}
