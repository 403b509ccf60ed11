//! The state of the attempts to send a message.

use crate::model::message::{Message, Status};

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
/// Older versions claimed without an owner, so a message in `Sending` has an attempt under way, too.
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
        let is_under_way = message.owner.is_some() || message.status == Status::Sending;
        match (is_under_way, message.is_uncertain) {
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

impl Message {
    /// Whether an attempt may have sent it, although that is not known yet.
    pub fn may_be_sent(&self) -> bool {
        AttemptState::of(self) != AttemptState::Settled
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
