//! Changes as values: everything that can happen to a message, and the pure rules for it.
//!
//! A [`Change`] is the effect of an event, for listeners. Times are Unix seconds.

use crate::model::content::Content;
use crate::model::cursor::Epoch;
use crate::model::message::{Direction, Message, ReplyTo, Sender, Status};
use crate::model::notice::Notice;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use uuid::Uuid;

/// The effect of a committed event, for listeners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The number of the event in the log.
    pub offset: u64,
    /// The change.
    pub effect: ChangeEffect,
}

/// The effect on a message or a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeEffect {
    /// A message was made. Its `seq` is larger than any before.
    Created(Message),
    /// A message that was deleted was imported, and has its `seq` again.
    PutBack(Message),
    /// An attempt began or ended, or the status was set by hand. This is the message after it.
    StatusChanged(Message),
    /// Something else of a message changed: it was routed, edited, recalled or reacted to. This is
    /// the message after it.
    Updated(Message),
    /// A message was deleted. This is the message before it.
    Deleted(Message),
    /// Something about a conversation changed: it was named, read, muted or pinned.
    ConversationChanged {
        /// The platform that reported the message.
        platform: String,
        /// The conversation, as the adapter addresses it.
        conversation: String,
    },
    /// A platform reported something that is not a message.
    Noticed(Box<Notice>),
}

impl ChangeEffect {
    /// The message after the change, or before its deletion.
    pub fn message(&self) -> Option<&Message> {
        match self {
            Self::Created(message)
            | Self::PutBack(message)
            | Self::StatusChanged(message)
            | Self::Updated(message)
            | Self::Deleted(message) => Some(message),
            Self::ConversationChanged { .. } | Self::Noticed(_) => None,
        }
    }
}

/// A batch of changes that is on disk, in the order of its events. Offsets grow; events without an
/// effect for listeners have no entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The epoch of all of them.
    pub epoch: Epoch,
    /// The changes, in the order of the log.
    pub changes: Vec<Change>,
}

/// A message that a platform reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbound {
    /// The platform that reported the message.
    pub platform: String,
    /// The own account that received or sent it.
    pub account: String,
    /// The conversation, as the adapter addresses it.
    pub conversation: String,
    /// Name of the conversation, if the platform gave one.
    pub conversation_name: Option<String>,
    /// The author.
    pub sender: Sender,
    /// The content.
    pub content: Content,
    /// The message that this one answers, with the fields that the platform gives.
    pub reply_to: Option<Box<ReplyTo>>,
    /// The platform's own ID of the message.
    pub external_id: String,
    /// Time at which it was written, according to the platform.
    pub time: u64,
    /// The account's owner wrote it.
    pub own: bool,
    /// It comes from a platform's history, whose time or ID may differ from those of the live
    /// event.
    pub from_history: bool,
    /// The entries of the same history that it could be confused with.
    pub alike: AlikeEntries,
    /// Seconds by which the clock that wrote `time` is ahead of ours; `None` if that is not known.
    pub clock_ahead: Option<i64>,
    /// The content as the platform wrote it, in its own format.
    pub original: Option<String>,
    /// Recognizes the message when it comes again under another ID, on platforms where that
    /// happens.
    pub fingerprint: Option<String>,
}

/// Entries of a history that have the sender and the content of one of them, and about its time. All of
/// them may come under new IDs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlikeEntries {
    /// The platform's IDs of those before it, in their order.
    pub before: Vec<String>,
    /// The IDs of those after it, in their order.
    pub after: Vec<String>,
    /// The time of the first entry of the history, in Unix seconds by the clock that wrote it.
    pub since: u64,
}

impl Inbound {
    /// The inbound event behind a stored message; `None` where the platform's ID is not known.
    pub fn of(message: &Message) -> Option<Self> {
        Some(Self {
            platform: message.platform.clone()?,
            account: message.account.clone()?,
            conversation: message.recipient.clone(),
            conversation_name: message.conversation_name.clone(),
            sender: message.sender.clone().unwrap_or_default(),
            content: message.content.clone(),
            reply_to: message.reply_to.clone(),
            external_id: message.external_id.clone()?,
            time: message.created_at,
            own: false,
            from_history: false,
            alike: AlikeEntries::default(),
            clock_ahead: None,
            original: message.original.clone(),
            fingerprint: None,
        })
    }

    /// The stored message for this event. A message that the owner wrote elsewhere is outbound and
    /// `Sent`. `created_at` is the platform's time, unless that time is impossible.
    pub fn into_message(self, seq: u64, id: Uuid, at: u64) -> Message {
        let is_possible = (1..=at).contains(&self.time);
        let created_at = if is_possible { self.time } else { at };
        Message {
            status: Status::Sent,
            updated_at: at,
            platform: Some(self.platform),
            direction: if self.own { Direction::Outbound } else { Direction::Inbound },
            conversation_name: self.conversation_name,
            sender: Some(self.sender),
            account: Some(self.account),
            reply_to: self.reply_to,
            external_id: Some(self.external_id),
            original: self.original,
            ..Message::new(seq, id, self.content, self.conversation, created_at)
        }
    }

    /// Whether it may be the echo of a message that is being sent, or of one whose outcome is
    /// unknown; `at` is the time of receipt.
    pub fn echoes(&self, message: &Message, at: u64) -> bool {
        let written = self.may_be_written(at);
        let is_open = match message.status {
            Status::Sending => true,
            _ => message.is_uncertain && *written.start() <= message.updated_at + ECHO_LATE,
        };
        // After several attempts, another account may have sent it.
        let may_be_its = message.retry_count > 0 || !message.is_of_other(&self.account);
        self.own
            && message.direction == Direction::Outbound
            && is_open
            && may_be_its
            && written.end().saturating_add(CLOCKS_APART) >= message.created_at
            && self.content.is_told_of(&message.content)
    }

    /// Whether it gives the platform's ID of an own message that was confirmed without one.
    pub fn completes(&self, message: &Message, at: u64) -> bool {
        let written = self.may_be_written(at);
        self.own
            && message.direction == Direction::Outbound
            && message.status == Status::Sent
            && message.external_id.is_none()
            && message.account.as_ref() == Some(&self.account)
            && self.says_it_in_the_same_words(message)
            && written.end().saturating_add(CLOCKS_APART) >= message.created_at
            && *written.start() <= message.updated_at + ECHO_LATE
    }

    fn says_it_in_the_same_words(&self, message: &Message) -> bool {
        message.content.message_type() == self.content.message_type()
            && message.content.readable().trim() == self.content.readable().trim()
    }

    /// The time at which it was written, by our clock, if that clock is known which wrote `time`.
    pub fn written(&self) -> Option<u64> {
        let ahead = self.clock_ahead?;
        Some(self.time.saturating_add_signed(ahead.saturating_neg()))
    }

    /// The earliest and the latest time at which it may have been written, by our clock. A live event
    /// counts as written when it came, `at`, whatever the platform's clock says.
    pub fn may_be_written(&self, at: u64) -> RangeInclusive<u64> {
        if !self.from_history {
            return at..=at;
        }
        match self.written() {
            Some(written) => written..=written,
            None => {
                self.time.saturating_sub(MAX_CLOCKS_APART)
                    ..=self.time.saturating_add(MAX_CLOCKS_APART)
            }
        }
    }
}

/// Seconds by which a platform's clock may be behind ours, beyond what is known of it.
pub const CLOCKS_APART: u64 = 60;

/// Seconds by which a clock may be wrong. A larger difference is no clock's, but that of an old message.
pub const MAX_CLOCKS_APART: u64 = 24 * 60 * 60;

/// Seconds by which the time in a history may differ from that of the live event, if the ID differs too.
pub const HISTORY_APART: u64 = 5 * 60;

/// Seconds after an attempt within which its echo is expected.
pub const ECHO_LATE: u64 = 10 * 60;

/// How an attempt to send ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The platform accepted it.
    Sent {
        /// The account that sent it.
        account: Option<String>,
        /// The platform's own ID of it.
        external_id: Option<String>,
        /// The platform accepted it without a proof of delivery.
        is_unconfirmed: bool,
    },
    /// The message waits for another attempt.
    Retry {
        /// Why the attempt failed.
        reason: String,
        /// It may have been sent nevertheless.
        is_uncertain: bool,
    },
    /// No attempt was made.
    NotAttempted,
    /// The message is given up.
    Failed {
        /// Why.
        reason: String,
        /// It may have been sent nevertheless.
        is_uncertain: bool,
    },
    /// The platform refused it after the time limit of its attempt. If that was the only attempt, it is
    /// certain now that the message was not sent.
    RefusedLate {
        /// Why.
        reason: String,
        /// Another attempt may succeed.
        retryable: bool,
    },
    /// The message waited too long. It is given up, unless it changed in the meantime.
    Expired {
        /// Why.
        reason: String,
        /// Time of its last change, as known when its age was checked.
        since: u64,
    },
}

impl Outcome {
    /// Whether the message may have been sent nevertheless.
    fn is_uncertain(&self) -> bool {
        matches!(
            self,
            Self::Retry { is_uncertain: true, .. } | Self::Failed { is_uncertain: true, .. }
        )
    }
}

/// Sets a status by hand, as `PATCH` does: every move is allowed (contract, Part 2, item 4).
///
/// Sending again starts with a clean slate; a state that is set to itself is left alone. An attempt that
/// is under way goes on: until it ends, it is in doubt whether the message was sent.
pub fn set_status(mut message: Message, status: Status, at: u64) -> Option<Message> {
    if message.status == status {
        return None;
    }
    if message.status == Status::Sending && message.owner.is_some() {
        // The end of the attempt decides, unless an earlier one is in doubt, too.
        message.owner = message.owner.filter(|_| !message.is_uncertain);
        message.is_uncertain = status != Status::Sent;
    } else if status == Status::Pending && message.owner.is_none() {
        message.is_uncertain = false;
    }
    if status == Status::Pending {
        message.retry_count = 0;
        message.last_error = None;
        let was = message.status;
        forget_past(&mut message, was);
    }
    message.status = status;
    message.updated_at = at;
    Some(message)
}

/// Forgets the results of earlier attempts, because the message is sent anew; `was` is the status
/// before. If only some parts were sent, their IDs stay, and the next attempt sends the rest.
pub fn forget_past(message: &mut Message, was: Status) {
    message.recall = None;
    if message.direction == Direction::Outbound {
        message.reactions.clear();
    }
    if was == Status::Sent {
        message.parts.clear();
    }
}

/// Whether a message can get this platform and this conversation: it waits, and does not have them
/// yet.
pub fn can_route(message: &Message, platform: &str, conversation: &str) -> bool {
    let waits = message.status == Status::Pending && message.direction == Direction::Outbound;
    let is_routed =
        message.platform.as_deref() == Some(platform) && message.recipient == conversation;
    waits && !is_routed
}

/// Claims a message for an attempt by an account; `None` if it does not wait any more.
pub fn claim(mut message: Message, account: Option<&str>, at: u64) -> Option<Message> {
    if message.status != Status::Pending || message.direction == Direction::Inbound {
        return None;
    }
    if message.last_error.is_some() {
        message.retry_count += 1;
    }
    message.status = Status::Sending;
    if account.is_some() && message.account.as_deref() != account {
        message.parts.clear();
    }
    message.account = account.map(str::to_owned).or(message.account);
    message.updated_at = at;
    Some(message)
}

/// Records how an attempt ended. Facts are stronger than requests: a message that was sent is
/// `Sent`, even if somebody canceled it in the meantime. A failure does not overwrite a status that
/// was set by hand. Only a proof ends the doubt about an earlier attempt; a later failure does not.
pub fn record_outcome(mut message: Message, outcome: Outcome, at: u64) -> Option<Message> {
    let is_open = message.status == Status::Sending;
    // A status was set by hand during this attempt.
    let is_overruled = message.owner.take().is_some() && !is_open;
    if is_overruled && !outcome.is_uncertain() {
        message.is_uncertain = false;
    }
    match outcome {
        Outcome::Sent { account, external_id, is_unconfirmed } => {
            message.status = Status::Sent;
            message.account = account.or(message.account);
            message.external_id = external_id.or(message.external_id);
            message.last_error = None;
            message.is_uncertain = false;
            message.is_unconfirmed = is_unconfirmed;
        }
        Outcome::Retry { reason, is_uncertain } if is_open => {
            message.status = Status::Pending;
            message.last_error = Some(reason);
            message.is_uncertain |= is_uncertain;
        }
        Outcome::NotAttempted if is_open => message.status = Status::Pending,
        Outcome::Failed { reason, is_uncertain }
            if is_open || message.status == Status::Pending =>
        {
            message.status = Status::Failed;
            message.last_error = Some(reason);
            message.is_uncertain |= is_uncertain;
        }
        Outcome::RefusedLate { reason, retryable }
            if message.is_uncertain
                && message.retry_count == 0
                && matches!(message.status, Status::Pending | Status::Failed) =>
        {
            message.is_uncertain = false;
            message.last_error = Some(reason);
            if !retryable {
                message.status = Status::Failed;
            }
        }
        Outcome::Expired { reason, since }
            if message.status == Status::Pending && message.updated_at == since =>
        {
            message.status = Status::Failed;
            message.last_error = Some(reason);
        }
        _ if is_overruled => return Some(message),
        _ => return None,
    }
    message.updated_at = at;
    Some(message)
}
