//! Arguments of the tools that read.

use super::checks::{check_length, parse_id, parse_position, time};
use crate::error::{Error, Result};
use crate::mcp::position::GivenCursor;
use crate::model::message::{MessageType, check_name};
use jiff::Zoned;
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;
use uuid::Uuid;

/// The most messages of an answer.
const MAX_MESSAGES: usize = 100;

/// Default number of messages in an answer.
const DEFAULT_MESSAGES: usize = 30;

/// The most conversations of an answer.
const MAX_CONVERSATIONS: usize = 100;

/// The longest wait of `wait_for_messages` in seconds: clients give up after 60.
const MAX_WAIT: u64 = 50;

/// Default wait of `wait_for_messages` in seconds.
const DEFAULT_WAIT: u64 = 30;

/// The most characters of a searched text.
const MAX_SEARCH_TEXT: usize = 500;

/// Arguments of `list_conversations`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct ListConversations {
    /// Only conversations with this text in their name or ID, in any case.
    pub(in crate::mcp) text: Option<String>,
    /// Only conversations of this platform.
    pub(in crate::mcp) platform: Option<String>,
    /// Only conversations with unread messages.
    pub(in crate::mcp) unread: Option<bool>,
    /// At most so many: 30 unless given, no more than 100.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Arguments of `read_messages`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct ReadMessages {
    /// Platform of the conversation, as `list_conversations` gives it.
    pub(in crate::mcp) platform: String,
    /// ID of the conversation, as `list_conversations` gives it.
    pub(in crate::mcp) conversation: String,
    /// Messages around this one: the ID of a message.
    pub(in crate::mcp) around: Option<String>,
    /// Messages before this one: the ID of a message, or `before` of an earlier answer.
    pub(in crate::mcp) before: Option<String>,
    /// Messages after this one: the ID of a message, or `after` of an earlier answer.
    pub(in crate::mcp) after: Option<String>,
    /// At most so many: 30 unless given, no more than 100.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<usize>,
}

/// Arguments of `get_message`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct GetMessage {
    /// ID of the message.
    id: String,
}

/// Arguments of `search_messages`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct SearchMessages {
    /// Text in the content, the sender's name or a file's name, in any case.
    #[schemars(length(max = 500))]
    pub(in crate::mcp) text: Option<String>,
    /// Only messages of this platform.
    pub(in crate::mcp) platform: Option<String>,
    /// Only messages of this conversation; needs `platform`.
    pub(in crate::mcp) conversation: Option<String>,
    /// Only messages of this sender, by ID or by the name as it is shown.
    pub(in crate::mcp) sender: Option<String>,
    /// Only messages of this type: Text, Image, File, Video or Audio.
    #[serde(rename = "type")]
    message_type: Option<String>,
    /// Only messages of this time or later, such as 2026-11-20 or 2026-11-20T14:30:00+08:00.
    since: Option<String>,
    /// Only messages before this time.
    until: Option<String>,
    /// At most so many: 30 unless given, no more than 100.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Arguments of `wait_for_messages`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct WaitForMessages {
    /// Messages after this one: `cursor` of the answer before, or the ID of a message. Without it,
    /// messages that come from now on.
    since: Option<String>,
    /// Only messages of this platform.
    pub(in crate::mcp) platform: Option<String>,
    /// Only messages of this conversation; needs `platform`.
    pub(in crate::mcp) conversation: Option<String>,
    /// Messages of the account itself as well.
    pub(in crate::mcp) include_own: Option<bool>,
    /// Seconds to wait at most: 30 unless given, no more than 50.
    #[schemars(range(min = 0, max = 50))]
    seconds: Option<u64>,
}

impl ListConversations {
    /// The arguments for a page of all conversations.
    pub(in crate::mcp) fn page(cursor: Option<String>) -> Self {
        let limit = Some(MAX_CONVERSATIONS);
        Self { text: None, platform: None, unread: None, limit, cursor }
    }

    pub(in crate::mcp) fn limit(&self) -> usize {
        self.limit.unwrap_or(DEFAULT_MESSAGES).clamp(1, MAX_CONVERSATIONS)
    }

    pub(in crate::mcp) fn position(&self) -> Result<Option<GivenCursor>> {
        self.cursor.as_deref().map(|at| parse_position("cursor", at)).transpose()
    }
}

/// Requested part of a conversation.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::mcp) enum AskedPart {
    Latest,
    Around(Uuid),
    Before(GivenCursor),
    After(GivenCursor),
}

impl ReadMessages {
    pub(in crate::mcp) fn limit(&self) -> usize {
        messages(self.limit)
    }

    pub(in crate::mcp) fn part(&self) -> Result<AskedPart> {
        match (&self.around, &self.before, &self.after) {
            (None, None, None) => Ok(AskedPart::Latest),
            (Some(id), None, None) => Ok(AskedPart::Around(parse_id("around", id)?)),
            (None, Some(at), None) => Ok(AskedPart::Before(parse_position("before", at)?)),
            (None, None, Some(at)) => Ok(AskedPart::After(parse_position("after", at)?)),
            _ => Err(Error::failed("give one of `around`, `before` and `after`")),
        }
    }
}

impl GetMessage {
    pub(in crate::mcp) fn id(&self) -> Result<Uuid> {
        parse_id("id", &self.id)
    }
}

impl SearchMessages {
    pub(in crate::mcp) fn limit(&self) -> usize {
        messages(self.limit)
    }

    pub(in crate::mcp) fn position(&self) -> Result<Option<GivenCursor>> {
        self.cursor.as_deref().map(|at| parse_position("cursor", at)).transpose()
    }

    pub(in crate::mcp) fn conditions(&self) -> Result<crate::search::Conditions> {
        if let Some(text) = &self.text {
            check_length("text", text, MAX_SEARCH_TEXT)?;
        }
        if let Some(sender) = &self.sender {
            check_name("sender", sender).map_err(Error::failed)?;
        }
        let message_type = self.message_type.as_deref().map(str::parse::<MessageType>).transpose();
        let time = |field, text: &Option<String>| {
            text.as_deref().map(|text| time(field, text, &Zoned::now())).transpose()
        };
        Ok(crate::search::Conditions {
            text: self.text.clone(),
            message_type: message_type
                .map_err(|_| Error::failed("`type` must be Text, Image, File, Video or Audio"))?,
            sender: self.sender.clone(),
            since: time("since", &self.since)?,
            until: time("until", &self.until)?,
        })
    }
}

impl WaitForMessages {
    pub(in crate::mcp) fn limit(&self) -> Duration {
        Duration::from_secs(self.seconds.unwrap_or(DEFAULT_WAIT).min(MAX_WAIT))
    }

    pub(in crate::mcp) fn position(&self) -> Result<Option<GivenCursor>> {
        let given = self.since.as_deref().map(|at| parse_position("since", at)).transpose()?;
        if given.as_ref().is_some_and(|given| given.named.is_none()) {
            let text = "`since` must be the ID of a message, or `cursor` of an answer";
            return Err(Error::failed(text));
        }
        Ok(given)
    }
}

fn messages(limit: Option<usize>) -> usize {
    limit.unwrap_or(DEFAULT_MESSAGES).clamp(1, MAX_MESSAGES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read<T: serde::de::DeserializeOwned>(arguments: &Value) -> T {
        serde_json::from_value(arguments.clone()).unwrap()
    }

    #[test]
    fn one_part_is_asked_for_at_a_time() {
        let id = Uuid::from_u128(7).to_string();
        let part = |more: Value| {
            let mut arguments = json!({"platform": "qq", "conversation": "c"});
            arguments.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            let read = read::<ReadMessages>(&arguments);
            read.part().map(|part| format!("{part:?}")).map_err(|error| error.to_string())
        };
        assert_eq!(part(json!({})).unwrap(), "Latest");
        assert!(part(json!({"around": id})).unwrap().starts_with("Around("));
        assert!(part(json!({"after": "0"})).unwrap().starts_with("After("));
        assert!(part(json!({"after": "x"})).unwrap_err().contains("`after`"));
        assert!(part(json!({"around": "5"})).unwrap_err().contains("`around`"));
        assert!(part(json!({"after": id, "before": id})).unwrap_err().contains("give one of"));
    }

    #[test]
    fn numbers_that_are_too_large_are_the_largest_allowed() {
        let many: ListConversations = read(&json!({"limit": 100_000}));
        assert_eq!(many.limit(), MAX_CONVERSATIONS);
        let long: WaitForMessages = read(&json!({"seconds": 86_400}));
        assert_eq!(long.limit(), Duration::from_secs(MAX_WAIT));
    }
}
