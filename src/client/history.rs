//! Pages of older messages, as `GET /api/messages` returns them.

use crate::model::message::{Message, Status};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Conditions of the wanted messages, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryQuery {
    /// The platform of the messages.
    pub platform: Option<String>,
    /// Their conversation.
    pub conversation: Option<String>,
    /// Their status.
    pub status: Option<Status>,
    /// Only messages with this text, if the server can search for it.
    pub query: Option<String>,
    /// In the order of `created_at`; else in the order of `seq`.
    pub by_time: bool,
    /// Only messages older than this one: an ID or a `seq`.
    pub before: Option<String>,
    /// Instead of `before`: the oldest wanted message, for a page that goes forwards; and the `seq`
    /// of the newest message.
    pub from: Option<(PageStart, u64)>,
    /// The most messages.
    pub limit: usize,
}

/// The first message of a page in forward direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageStart {
    /// This one, by its ID.
    Message(String),
    /// The first of this number of unread inbound messages.
    Unread(u64),
}

/// A page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct HistoryPage {
    /// The messages, the newest first.
    pub messages: Vec<Message>,
    /// Where to continue, if a search ended before the page was full.
    #[serde(default, deserialize_with = "position")]
    pub searched_to: Option<String>,
    /// For a page in forward direction: there is no later message.
    #[serde(skip)]
    pub reaches_newest: bool,
}

impl HistoryQuery {
    /// The query string of the request.
    pub(super) fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", &self.limit.to_string());
        let named = [
            ("platform", self.platform.as_deref()),
            ("conversation", self.conversation.as_deref()),
            ("status", self.status.map(Status::as_str)),
            ("q", self.query.as_deref()),
            ("order", self.by_time.then_some("time")),
            ("before", self.before.as_deref()),
        ];
        query.extend_pairs(named.iter().filter_map(|&(name, value)| Some((name, value?))));
        query.finish()
    }
}

/// A position: a `seq` or an ID.
fn position<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Number(seq) => Some(seq.to_string()),
        Value::String(id) => Some(id),
        _ => None,
    })
}
