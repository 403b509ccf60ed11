//! The state of the attempts to send a message.

use crate::model::doubt::Doubt;
use crate::model::event::MessageState;
use crate::model::message::{Direction, Message, Status};

/// The state of the attempts to send a message. The message keeps it in two fields: it has an `owner` from
/// the claim to the end of the attempt, whatever status people set in between and whatever late answers tell of
/// earlier attempts, and `is_uncertain` is about attempts that have ended.
///
/// | `owner` | `is_uncertain` | state |
/// |---|---|---|
/// | none | no | [`Self::Settled`] |
/// | none | yes | [`Self::InDoubt`] |
/// | one | no | [`Self::UnderWay`] |
/// | one | yes | [`Self::UnderWayAfterDoubt`] |
///
/// The status tells nothing of this: somebody may have set it to `Sending`, and then no attempt is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptState {
    /// The outcome of each attempt is known.
    Settled,
    /// An attempt that has ended may have sent the message.
    InDoubt,
    /// An attempt is under way, or its process was killed; no other one is in doubt.
    UnderWay,
    /// As before, and an earlier attempt may have sent the message.
    UnderWayAfterDoubt,
}

impl AttemptState {
    /// The state of a message.
    pub fn of(message: &Message) -> Self {
        match (message.owner.is_some(), message.is_uncertain) {
            (false, false) => Self::Settled,
            (false, true) => Self::InDoubt,
            (true, false) => Self::UnderWay,
            (true, true) => Self::UnderWayAfterDoubt,
        }
    }

    /// Whether an attempt is under way, or was when its process was killed.
    pub fn is_under_way(self) -> bool {
        matches!(self, Self::UnderWay | Self::UnderWayAfterDoubt)
    }
}

/// The owner of claims of the first version, which did not keep it.
pub const UNKNOWN_OWNER: &str = "";

impl Message {
    /// Whether somebody set its status since it was claimed, and the attempt has not ended.
    pub fn is_overruled_claim(&self) -> bool {
        self.owner.is_some() && self.status != Status::Sending
    }

    /// Whether its platform may have it: it came from there, or was sent there, or may have been.
    pub fn may_be_on_platform(&self) -> bool {
        self.direction == Direction::Inbound
            || self.status == Status::Sent
            || self.external_id.is_some()
            || self.may_be_sent()
    }

    /// Whether an attempt may have sent it, although that is not known yet.
    pub fn may_be_sent(&self) -> bool {
        AttemptState::of(self) != AttemptState::Settled
    }

    /// The doubt about this message in its next state; `None` if it is in no doubt then. A claim whose status
    /// somebody sets gets one, too, so that the time of the claim stays known.
    pub(super) fn doubt_after(&self, next: &MessageState) -> Option<Box<Doubt>> {
        let is_overruled = next.owner.is_some() && next.status != Status::Sending;
        let is_kept = next.owner.is_some() && self.doubt.is_some();
        if !next.is_uncertain && !is_overruled && !is_kept {
            return None;
        }
        let since = self.claimed_at().unwrap_or_default();
        let mut doubt = match &self.doubt {
            // That of earlier attempts has ended.
            Some(doubt) if !self.is_uncertain || next.is_uncertain => doubt.clone(),
            _ => Box::new(Doubt { since, ..Doubt::default() }),
        };
        let last = self.account.as_deref().filter(|_| self.may_be_sent());
        doubt.last_attempt_is_by(next.account.as_deref(), last);
        Some(doubt)
    }

    /// When the attempt that is under way was claimed, in Unix seconds, if no earlier one is in doubt.
    fn claimed_at(&self) -> Option<u64> {
        let is_claim = self.owner.is_some() && self.status == Status::Sending;
        (is_claim && !self.is_uncertain).then_some(self.updated_at)
    }

    /// The time from which on an attempt may have sent it, in Unix seconds.
    pub fn may_be_sent_since(&self) -> u64 {
        let doubted = self.doubt.as_ref().map(|doubt| doubt.since).filter(|since| *since > 0);
        doubted.or_else(|| self.claimed_at()).unwrap_or(self.created_at)
    }

    /// Whether an attempt by this account may have sent it.
    pub fn may_be_sent_by(&self, account: &str) -> bool {
        !self.is_of_other(account)
            || match &self.doubt {
                Some(doubt) => doubt.other_accounts.iter().any(|other| other == account),
                // Older versions did not note it.
                None => self.is_uncertain,
            }
    }

    /// Whether its status is final unless somebody asks for another attempt. An attempt that is under way goes
    /// on if the status is set by hand.
    pub fn is_over(&self) -> bool {
        self.status.has_ended() && !AttemptState::of(self).is_under_way()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::Content;
    use uuid::Uuid;

    #[test]
    fn a_message_whose_status_was_set_by_hand_is_over_once_its_attempt_has_ended() {
        let mut message = Message::new(1, Uuid::nil(), Content::text("x"), "group_1".into(), 1);
        for status in [Status::Sent, Status::Failed, Status::Canceled] {
            message.status = status;
            message.owner = Some("main".into());
            assert!(!message.is_over(), "{status}");
            message.owner = None;
            assert!(message.is_over(), "{status}");
        }
        message.status = Status::Pending;
        assert!(!message.is_over());
    }
}
