//! The part of the state that lasts from one start of the client to the next.

use super::compose::Mention;
use super::scope::ConversationKey;
use crate::model::message::Message;
use serde::{Deserialize, Serialize};

/// The conversation that was open, and unfinished texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SavedState {
    /// The conversation that was open; none where it was all of them.
    pub open: Option<ConversationKey>,
    /// Unfinished texts, in the order of their conversations.
    pub drafts: Vec<SavedDraft>,
}

/// An unfinished text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedDraft {
    /// The conversation for which it was written.
    #[serde(flatten)]
    pub to: ConversationKey,
    /// The text.
    pub text: String,
    /// People whom the text mentions.
    #[serde(default)]
    pub mentions: Vec<Mention>,
    /// The message that it answers.
    #[serde(default)]
    pub answers: Option<Box<Message>>,
}
