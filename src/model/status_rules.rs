//! The pure rules for the status of a message: set by hand, claimed, and after an attempt. Times are Unix
//! seconds.

use crate::model::attempts::AttemptState;
use crate::model::message::{Direction, Message, Status};

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

    /// Whether it is the end of an attempt that is under way. A late answer is about an earlier one, and a
    /// message that waited too long may have an attempt whose process was killed.
    fn ends_attempt(&self) -> bool {
        match self {
            Self::Sent { .. } | Self::Retry { .. } | Self::NotAttempted | Self::Failed { .. } => {
                true
            }
            Self::RefusedLate { .. } | Self::Expired { .. } => false,
        }
    }
}

/// Sets a status by hand, as `PATCH` does: every move is allowed (contract, Part 2, item 4).
///
/// Sending again starts with a clean slate; a state that is set to itself is left alone. An attempt that
/// is under way goes on, and neither it nor an earlier one that is in doubt is forgotten.
pub fn set_status(mut message: Message, status: Status, at: u64) -> Option<Message> {
    if message.status == status {
        return None;
    }
    if status == Status::Pending {
        // A late answer to the attempt in doubt tells nothing of the next one.
        message.retry_count = u32::from(message.is_uncertain);
        message.is_uncertain &= AttemptState::of(&message).is_under_way();
        message.last_error = None;
    }
    let was = message.status;
    message.status = status;
    message.updated_at = at;
    forget_past(&mut message, was);
    Some(message)
}

/// Forgets the results of earlier attempts after a status was set by hand; `was` is the status before. The
/// parts of a message that was sent tell nothing of a later attempt. If only some parts were sent, their IDs
/// stay, and the next attempt sends the rest.
pub fn forget_past(message: &mut Message, was: Status) {
    if was == Status::Sent && message.owner.is_none() {
        message.parts.clear();
    }
    if message.status != Status::Pending {
        return;
    }
    message.recall = None;
    if message.direction == Direction::Outbound {
        message.reactions.clear();
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
    let has_been_tried = message.last_error.is_some() || message.may_be_sent();
    message.retry_count += u32::from(has_been_tried);
    // The process of an earlier claim has ended, and nothing tells any more how its attempt did.
    message.is_uncertain |= message.owner.take().is_some();
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
    // A status was set by hand during this attempt, or an earlier one is proved by now.
    let is_overruled = outcome.ends_attempt() && message.owner.take().is_some() && !is_open;
    if is_overruled {
        let is_proven = message.status == Status::Sent && message.external_id.is_some();
        message.is_uncertain |= outcome.is_uncertain() && !is_proven;
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
            if is_open || message.status == Status::Pending && !is_overruled =>
        {
            message.status = Status::Failed;
            message.last_error = Some(reason);
            message.is_uncertain |= is_uncertain;
        }
        Outcome::RefusedLate { reason, retryable }
            if AttemptState::of(&message) == AttemptState::InDoubt
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

/// Records an answer that came after the time limit of its attempt. After several attempts, it is that of an
/// earlier one, and the attempt that is under way goes on.
pub fn record_late(message: Message, outcome: Outcome, at: u64) -> Option<Message> {
    let under_way = message.owner.clone().filter(|_| message.retry_count > 0);
    let after = record_outcome(message, outcome, at)?;
    Some(Message { owner: under_way.or(after.owner), ..after })
}
