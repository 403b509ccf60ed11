//! The people of one conversation.

use super::scope::ConversationKey;
use crate::protocol::http::GroupMember;

/// Those who wrote in one conversation, the latest first, then its other members, as the server tells.
#[derive(Debug, Default)]
pub struct ConversationPeople {
    pub(super) of: Option<ConversationKey>,
    pub(super) known: Vec<GroupMember>,
    /// The server was asked, for as long as the conversation is open.
    pub(super) is_asked: bool,
}
