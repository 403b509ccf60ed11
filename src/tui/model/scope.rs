//! Scope of the stream: one conversation or all, of one platform or status, with a text in them.

use crate::client::HistoryQuery;
use crate::model::message::{Message, Status};
use crate::search::Search;
use serde::{Deserialize, Serialize};

/// A conversation's name among all: a platform (`local` where none is found yet) and its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConversationKey {
    pub platform: String,
    /// The ID on the platform, such as `group_123`.
    pub conversation: String,
}

impl ConversationKey {
    /// The conversation of a message.
    pub fn of(message: &Message) -> Self {
        Self {
            platform: message.platform_or_local().to_owned(),
            conversation: message.recipient.clone(),
        }
    }

    /// Whether a message belongs to it.
    pub fn has(&self, message: &Message) -> bool {
        self.conversation == message.recipient && self.platform == message.platform_or_local()
    }
}

/// The messages that the stream shows: those that match every field. `None` matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamScope {
    pub conversation: Option<ConversationKey>,
    pub platform: Option<String>,
    pub status: Option<Status>,
    /// The text that the message contains.
    pub query: Option<String>,
}

impl StreamScope {
    /// Whether a message is shown.
    pub fn has(&self, message: &Message) -> bool {
        self.conversation.as_ref().is_none_or(|key| key.has(message))
            && self.platform.as_ref().is_none_or(|name| name == message.platform_or_local())
            && self.status.is_none_or(|status| status == message.status)
            && self.query.as_ref().is_none_or(|query| contains(message, query))
    }

    /// The conversation, where all of it is shown.
    pub fn whole_conversation(&self) -> Option<&ConversationKey> {
        self.conversation.as_ref().filter(|_| self.status.is_none() && self.query.is_none())
    }

    /// Whether nothing but a conversation limits it.
    pub fn is_unfiltered(&self) -> bool {
        self.platform.is_none() && self.status.is_none() && self.query.is_none()
    }

    /// A page of it, one that ends before a place in the journal where that is given.
    pub fn page(&self, before: Option<String>, limit: usize) -> HistoryQuery {
        let key = self.conversation.as_ref();
        HistoryQuery {
            platform: key.map(|key| key.platform.clone()).or_else(|| self.platform.clone()),
            conversation: key.map(|key| key.conversation.clone()),
            status: self.status,
            query: self.query.clone(),
            by_time: key.is_some(),
            before,
            from: None,
            limit,
        }
    }
}

/// Whether a message has a text in it, as the server's search compares.
pub fn contains(message: &Message, text: &str) -> bool {
    Search::new(Some(text), None).is_none_or(|search| search.matches(message))
}
