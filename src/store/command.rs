//! Commands, and their answers.

use super::dedupe_keys::Idempotency;
use super::error::Result;
use crate::model::change::{Inbound, Outcome};
use crate::model::content::Content;
use crate::model::event::AdapterState;
use crate::model::message::{Draft, Message, ReplyTo, Sender, Status};
use crate::model::notice::Notice;
use crate::model::platform_event::{MessageTarget, PlatformEvent};
use crate::model::reaction::ReactionChange;
use crate::model::routing::RoutingFacts;
use uuid::Uuid;

/// A command to the store. Times are Unix seconds. It carries every time it needs, so that the same
/// commands in the same order always come to the same events.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Command {
    /// Make an outbound message, routed by the facts that hold now.
    Create { draft: Draft, at: u64, idempotency: Option<Idempotency>, facts: RoutingFacts },
    /// Set the status by hand.
    SetStatus { id: Uuid, status: Status, at: u64 },
    /// Set the status of a message that is in one of these states; else the answer is
    /// [`Answer::OtherStatus`].
    SetStatusOf { id: Uuid, from: Vec<Status>, status: Status, at: u64 },
    /// Delete it.
    Delete { id: Uuid },
    /// Keep a message of a platform, once. A message of the account's owner may be the echo of an
    /// attempt that is under way; with `can_wait`, the answer is [`Answer::Later`] until that ends.
    Receive { received: Box<Inbound>, at: u64, can_wait: bool },
    /// Note that a platform took a message back.
    Recall { target: MessageTarget, by: Option<Sender>, at: u64 },
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
    /// Note that a part has gone of a message that goes out as several: the first has index 0. One that is
    /// noted already is not noted again.
    NotePart { id: Uuid, index: usize, external_id: Option<String>, at: u64 },
    /// Keep a notice of a platform; with what its adapter needs to answer it, where it is a request. One
    /// that `is_repeated` may be there already, and is not kept again then.
    Notice { notice: Box<Notice>, request: Option<String>, is_repeated: bool },
    /// Note how a request was answered.
    AnswerRequest { id: u64, approved: bool, reason: String, at: u64 },
    /// Note that an adapter of this kind was connected for the platform.
    SeePlatform { platform: String, kind: String },
    /// Note a conversation's name.
    Name { platform: String, conversation: String, name: String },
    /// Mark a conversation as read or unread, mute or pin it; what is `None` stays as it is.
    SetConversation {
        /// Empty where none was found yet.
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
    /// ends before the second message whose outcome is uncertain, which must be looked up first.
    Claim { seqs: Vec<u64>, account: Option<String>, at: u64 },
    /// Record how an attempt ended.
    RecordOutcome { seq: u64, outcome: Outcome, at: u64 },
    /// Record how an attempt ended that was given up, by the message's ID.
    RecordLate { id: Uuid, outcome: Outcome, at: u64 },
    /// Take in messages that were exported; what is known already stays as it is.
    Import { messages: Vec<Message> },
    /// Set an event of a platform aside that cannot be stored, with the reason.
    SetAside { event: Box<PlatformEvent>, reason: String, at: u64 },
    /// Remove the event that was set aside at this offset.
    Release { offset: u64 },
    /// Delete what is older than its limit: events, empty conversations, recalls whose message never
    /// arrived, deduplication keys, and these idempotency keys, each with the time at which it was used.
    /// Deletes a part at a time. `at` is the present time in Unix seconds.
    Trim { marks_before: u64, lapsed_keys: Vec<(u64, u128)>, at: u64 },
    /// Keep something for an adapter.
    KeepState { state: Box<AdapterState> },
    /// Keep an event of a platform as it came, and carry out its meaning, where it has one. The event
    /// of a message that is known already is not kept again.
    StoreRawEvent {
        platform: String,
        account: String,
        frame: String,
        meaning: Option<Box<Command>>,
        at: u64,
        /// Frames that came in before this time are forgotten.
        forget_before: u64,
    },
    /// Give up a message that waits and has not gone out: set it to `Canceled` for this reason; else the
    /// answer is [`Answer::NotWaiting`].
    Withdraw { id: Uuid, reason: String, at: u64 },
    /// Carry out commands in one commit: all of them are on disk, or none. An event among them that
    /// cannot be stored is set aside in the same commit.
    Together(Vec<Command>),
    /// Carry out commands in one commit, in this order: where the disk refuses, none of them is there
    /// before another. One that meets something damaged is refused alone, as if it had come by itself.
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
    /// These were claimed.
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
    /// So many events are set aside that there is no room for another: it was not kept.
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
    OtherStatus(Status),
    /// The message that the draft answers is not there.
    NoReplyTarget,
    /// Ask again once the attempts that are under way in the conversation have ended.
    Later,
    /// The answer to each command; an error where one met something damaged.
    Together(Vec<Result<Self>>),
}
