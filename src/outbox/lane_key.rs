//! Key of a lane.

use crate::model::message::Message;

/// A conversation as messages name it: the platform, if it is known, and the recipient.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct LaneKey {
    pub(super) platform: Option<String>,
    pub(super) recipient: String,
}

impl LaneKey {
    pub(super) fn of(message: &Message) -> Self {
        Self { platform: message.platform.clone(), recipient: message.recipient.clone() }
    }
}
