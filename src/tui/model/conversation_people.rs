//! The people who wrote in one conversation.

use super::scope::ConversationKey;
use crate::model::message::Sender;

/// Those who wrote in one conversation, the latest first, as the server's messages tell.
#[derive(Debug, Default)]
pub struct ConversationPeople {
    pub(super) of: Option<ConversationKey>,
    pub(super) known: Vec<Sender>,
    /// The server was asked, for as long as the conversation is open.
    pub(super) is_asked: bool,
}
