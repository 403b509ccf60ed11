//! The sets that few messages are in, beside those of their state, platform and conversation.

use super::conversation::is_mention;
use super::tables::PostingKey;
use crate::model::message::Message;

/// Each of these sets, and whether a message is in it.
pub(super) fn marked_terms(message: &Message) -> [(PostingKey, bool); 2] {
    [
        (PostingKey::MENTIONS, is_mention(message)),
        (PostingKey::OVERRULED, message.is_overruled_claim()),
    ]
}
