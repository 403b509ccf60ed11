//! Pages of what was said before, as `GET /api/messages` gives them.

use crate::model::message::{Message, Status};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Which messages are wanted, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct HistoryQuery {
    pub platform: Option<String>,
    pub conversation: Option<String>,
    pub status: Option<Status>,
    /// Only messages with this text in them, where the server can look for it.
    pub query: Option<String>,
    /// By the time at which messages were said; else in the order in which they came.
    pub by_time: bool,
    /// Only messages older than this one: an ID or a `seq`.
    pub before: Option<String>,
    /// In place of `before`, the oldest one that is wanted, and those after it; and the `seq` of the
    /// newest one there is.
    pub from: Option<(Start, u64)>,
    pub limit: usize,
}

/// The first message of a page that goes forwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// This one, by its ID.
    Message(String),
    /// The first of so many inbound messages that were not read.
    Unread(u64),
}

/// A page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct HistoryPage {
    #[allow(missing_docs)]
    pub messages: Vec<Message>,
    /// How far a search looked that ended before the page was full: where to go on.
    #[serde(default, deserialize_with = "place")]
    pub searched_to: Option<String>,
    /// Of a page that goes forwards: there is none after it.
    #[serde(skip)]
    pub reaches_newest: bool,
}

impl HistoryQuery {
    /// As the query string of the request.
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

/// A place in the journal, a `seq` or an ID.
fn place<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Number(seq) => Some(seq.to_string()),
        Value::String(id) => Some(id),
        _ => None,
    })
}
