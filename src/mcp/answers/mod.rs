//! Answers of the tools: messages, conversations and platforms in the form for models, within a
//! bound of size.

mod conversation;
mod message;
mod platform;
mod text;

pub(super) use conversation::{ConversationPage, ShownConversation};
pub(super) use message::{SentMessage, ShownMessage};
pub(super) use platform::ShownPlatforms;

use crate::mcp::context::SeenMessage;
use schemars::JsonSchema;
use serde::Serialize;

/// The most bytes of JSON for the messages of an answer.
const MAX_BYTES: usize = 100_000;

/// Messages of a conversation, the oldest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct MessagePage {
    pub(super) messages: Vec<ShownMessage>,
    /// Position for `before`: what was written earlier. Left out where nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<String>,
    /// Position for `after`: what was written later, or comes from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<String>,
    /// There are more messages after these.
    pub(super) more_after: bool,
}

/// Messages that were found, the newest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct FoundMessages {
    pub(super) messages: Vec<ShownMessage>,
    /// `cursor` for the next page; left out where everything was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

/// One message.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct OneMessage {
    pub(super) message: ShownMessage,
}

/// Messages that came, the oldest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct NewMessages {
    pub(super) messages: Vec<ShownMessage>,
    /// `since` for the next call: nothing is missed and nothing comes twice.
    pub(super) cursor: String,
    /// Nothing came in time.
    pub(super) timed_out: bool,
    /// Left out where a server runs. Without one nothing comes in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<&'static str>,
}

/// Takes messages one after the other up to this number of bytes; returns whether all were taken.
pub(super) fn fitting(messages: &[SeenMessage], share: usize) -> (Vec<ShownMessage>, bool) {
    let mut left = MAX_BYTES / share;
    let mut shown = Vec::new();
    for message in messages {
        let one = ShownMessage::listed(message);
        let bytes = serde_json::to_vec(&one).map_or(0, |json| json.len());
        // A single message is always taken.
        if bytes > left && !shown.is_empty() {
            return (shown, false);
        }
        left = left.saturating_sub(bytes);
        shown.push(one);
    }
    (shown, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::Content;

    #[test]
    fn an_answer_is_bounded_and_has_one_message_at_least() {
        let large = SeenMessage::of_content(Content::text("\u{1}".repeat(2000)));
        let bytes = serde_json::to_vec(&ShownMessage::listed(&large)).unwrap().len();
        let many = vec![large; 100];
        let (shown, is_all) = fitting(&many, 1);
        assert!(!is_all && shown.len() * bytes <= MAX_BYTES && shown.len() > 1);
        assert_eq!(fitting(&many[..2], MAX_BYTES).0.len(), 1);
        assert!(fitting(&[], 1).1);
    }
}
