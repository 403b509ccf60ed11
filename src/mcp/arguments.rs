//! Arguments of the tools, as models give them.

use crate::error::{Error, Result};
use crate::model::message::{MessageType, check_name};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

/// The most messages of an answer.
pub(super) const MAX_MESSAGES: usize = 100;

/// Messages of an answer unless the call says otherwise.
const DEFAULT_MESSAGES: usize = 30;

/// The most conversations of an answer.
pub(super) const MAX_CONVERSATIONS: usize = 100;

/// Seconds that `wait_for_messages` waits at most: clients give up after 60.
const MAX_WAIT: u64 = 50;

/// Seconds that `wait_for_messages` waits unless the call says otherwise.
const DEFAULT_WAIT: u64 = 30;

/// Seconds that a sent message is waited for at most.
const MAX_SEND_WAIT: u64 = 30;

/// Seconds that a sent message is waited for unless the call says otherwise.
const DEFAULT_SEND_WAIT: u64 = 10;

/// Characters of a message that is to be sent.
const MAX_SENT_TEXT: usize = 20_000;

/// Characters of a text that is looked for.
const MAX_SEARCH_TEXT: usize = 500;

/// Characters of an idempotency key.
const MAX_KEY: usize = 100;

/// Arguments of `list_conversations`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListConversations {
    /// Only conversations with this text in their name or ID, in any case.
    pub(super) text: Option<String>,
    /// Only conversations of this platform.
    pub(super) platform: Option<String>,
    /// Only conversations with unread messages.
    pub(super) unread: Option<bool>,
    /// At most so many: 30 unless given, no more than 100.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<usize>,
    /// `next` of the page before.
    pub(super) cursor: Option<String>,
}

/// Arguments of `read_messages`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadMessages {
    /// Platform of the conversation, as `list_conversations` gives it.
    pub(super) platform: String,
    /// ID of the conversation, as `list_conversations` gives it.
    pub(super) conversation: String,
    /// Messages around this one: the ID of a message.
    pub(super) around: Option<String>,
    /// Messages before this one: the ID of a message, or `before` of an earlier answer.
    pub(super) before: Option<String>,
    /// Messages after this one: the ID of a message, or `after` of an earlier answer.
    pub(super) after: Option<String>,
    /// At most so many: 30 unless given, no more than 100.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<usize>,
}

/// Arguments of `get_message`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GetMessage {
    /// ID of the message.
    id: String,
}

/// Arguments of `search_messages`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchMessages {
    /// Text in the content, the sender's name or a file's name, in any case.
    #[schemars(length(max = 500))]
    pub(super) text: Option<String>,
    /// Only messages of this platform.
    pub(super) platform: Option<String>,
    /// Only messages of this conversation; needs `platform`.
    pub(super) conversation: Option<String>,
    /// Only messages of this sender, by ID or by the name as it is shown.
    pub(super) sender: Option<String>,
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
    pub(super) cursor: Option<String>,
}

/// Arguments of `wait_for_messages`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WaitForMessages {
    /// Messages after this one: `cursor` of the answer before, or the ID of a message. Without it,
    /// messages that come from now on.
    pub(super) since: Option<String>,
    /// Only messages of this platform.
    pub(super) platform: Option<String>,
    /// Only messages of this conversation; needs `platform`.
    pub(super) conversation: Option<String>,
    /// Messages of the account itself as well.
    pub(super) include_own: Option<bool>,
    /// Seconds to wait at most: 30 unless given, no more than 50.
    #[schemars(range(min = 0, max = 50))]
    seconds: Option<u64>,
}

/// Arguments of `send_message`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SendMessage {
    /// Platform of the conversation, as `list_conversations` gives it.
    pub(super) platform: String,
    /// ID of the conversation, as `list_conversations` gives it.
    pub(super) conversation: String,
    /// The text, as it is to be sent.
    #[schemars(length(min = 1, max = 20000))]
    text: String,
    /// A word of your own for this message, such as a random UUID. A call with the same key and
    /// text sends nothing twice, so a call that failed can be made again with the same key.
    #[schemars(length(min = 1, max = 100))]
    idempotency_key: String,
    /// Seconds to wait until it is sent: 10 unless given, no more than 30.
    #[schemars(range(min = 0, max = 30))]
    wait_seconds: Option<u64>,
}

/// Arguments of `reply`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reply {
    /// ID of the message to answer.
    message_id: String,
    /// The text, as it is to be sent.
    #[schemars(length(min = 1, max = 20000))]
    text: String,
    /// A word of your own for this message, such as a random UUID. A call with the same key and
    /// text sends nothing twice, so a call that failed can be made again with the same key.
    #[schemars(length(min = 1, max = 100))]
    idempotency_key: String,
    /// Seconds to wait until it is sent: 10 unless given, no more than 30.
    #[schemars(range(min = 0, max = 30))]
    wait_seconds: Option<u64>,
}

/// The content to send and its options, checked.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) text: String,
    pub(super) key: String,
    /// How long it is waited for.
    pub(super) limit: Duration,
}

/// Reads the arguments of a call; the error names the field.
pub(super) fn parse<T: DeserializeOwned>(arguments: Option<JsonObject>) -> Result<T> {
    let arguments = Value::Object(arguments.unwrap_or_default());
    serde_path_to_error::deserialize(arguments).map_err(|error| {
        let path = error.path().to_string();
        let what = error.inner();
        Error::failed(match path.as_str() {
            "." => format!("the arguments do not fit: {what}"),
            path => format!("`{path}`: {what}"),
        })
    })
}

impl ListConversations {
    /// A page of all conversations.
    pub(super) fn page(cursor: Option<String>) -> Self {
        let limit = Some(MAX_CONVERSATIONS);
        Self { text: None, platform: None, unread: None, limit, cursor }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit.unwrap_or(DEFAULT_MESSAGES).clamp(1, MAX_CONVERSATIONS)
    }
}

/// A place in a conversation that was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AskedPlace<'a> {
    Around(Uuid),
    Before(Option<&'a str>),
    After(&'a str),
}

impl ReadMessages {
    pub(super) fn limit(&self) -> usize {
        messages(self.limit)
    }

    pub(super) fn place(&self) -> Result<AskedPlace<'_>> {
        match (&self.around, &self.before, &self.after) {
            (Some(id), None, None) => Ok(AskedPlace::Around(parse_id("around", id)?)),
            (None, before, None) => Ok(AskedPlace::Before(
                before.as_deref().map(|at| cursor("before", at)).transpose()?,
            )),
            (None, None, Some(after)) => Ok(AskedPlace::After(cursor("after", after)?)),
            _ => Err(Error::failed("give one of `around`, `before` and `after`")),
        }
    }
}

impl GetMessage {
    pub(super) fn id(&self) -> Result<Uuid> {
        parse_id("id", &self.id)
    }
}

impl SearchMessages {
    pub(super) fn limit(&self) -> usize {
        messages(self.limit)
    }

    pub(super) fn conditions(&self) -> Result<crate::search::Conditions> {
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
    pub(super) fn limit(&self) -> Duration {
        Duration::from_secs(self.seconds.unwrap_or(DEFAULT_WAIT).min(MAX_WAIT))
    }
}

impl SendMessage {
    pub(super) fn sending(self) -> Result<Sending> {
        Sending::new(self.text, self.idempotency_key, self.wait_seconds)
    }
}

impl Reply {
    pub(super) fn message(&self) -> Result<Uuid> {
        parse_id("message_id", &self.message_id)
    }

    pub(super) fn sending(self) -> Result<Sending> {
        Sending::new(self.text, self.idempotency_key, self.wait_seconds)
    }
}

impl Sending {
    fn new(text: String, key: String, seconds: Option<u64>) -> Result<Self> {
        check_length("text", &text, MAX_SENT_TEXT)?;
        if text.trim().is_empty() {
            return Err(Error::failed("`text` is empty"));
        }
        let is_key = (1..=MAX_KEY).contains(&key.len());
        if !is_key || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            let text = "`idempotency_key` must be 1 to 100 characters of ASCII without spaces";
            return Err(Error::failed(text));
        }
        let seconds = seconds.unwrap_or(DEFAULT_SEND_WAIT).min(MAX_SEND_WAIT);
        Ok(Self { text, key, limit: Duration::from_secs(seconds) })
    }
}

fn messages(limit: Option<usize>) -> usize {
    limit.unwrap_or(DEFAULT_MESSAGES).clamp(1, MAX_MESSAGES)
}

fn check_length(field: &str, text: &str, most: usize) -> Result<()> {
    // Bytes first: they are counted at once.
    if text.len() > most && text.chars().count() > most {
        return Err(Error::failed(format!("`{field}` has more than {most} characters")));
    }
    Ok(())
}

fn parse_id(field: &str, text: &str) -> Result<Uuid> {
    text.parse().map_err(|_| Error::failed(format!("`{field}` must be the ID of a message")))
}

/// A place in the history: the ID of a message, or a number where there was no message yet.
pub(super) fn cursor<'a>(field: &str, text: &'a str) -> Result<&'a str> {
    let is_place = text.parse::<Uuid>().is_ok() || text.parse::<u64>().is_ok();
    is_place.then_some(text).ok_or_else(|| {
        Error::failed(format!("`{field}` must be the ID of a message, or what an answer gave"))
    })
}

/// A time in Unix seconds; one without an offset is in the time zone of this host.
fn time(field: &str, text: &str, now: &Zoned) -> Result<u64> {
    let zone: &TimeZone = now.time_zone();
    let at = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| Some(text.parse::<DateTime>().ok()?.to_zoned(zone.clone()).ok()?.timestamp()))
        .or_else(|| Some(text.parse::<Date>().ok()?.to_zoned(zone.clone()).ok()?.timestamp()));
    let seconds = at.and_then(|at| u64::try_from(at.as_second()).ok());
    seconds.or_else(|| text.parse().ok()).ok_or_else(|| {
        Error::failed(format!(
            "`{field}` must be a time such as 2026-11-20 or 2026-11-20T14:30:00+08:00"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read<T: DeserializeOwned>(arguments: &Value) -> Result<T> {
        parse(arguments.as_object().cloned())
    }

    #[test]
    fn a_wrong_argument_is_named() {
        for (arguments, named) in [
            (json!({"platform": "qq"}), "conversation"),
            (json!({"platform": 1, "conversation": "c"}), "`platform`"),
            (json!({"platform": "qq", "conversation": "c", "path": "/etc"}), "`path`"),
            (json!({"platform": "qq", "conversation": "c", "limit": -1}), "`limit`"),
        ] {
            let error = read::<ReadMessages>(&arguments).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
        let sent = json!({"platform": "qq", "conversation": "c", "text": "x"});
        assert!(read::<SendMessage>(&sent).unwrap_err().to_string().contains("idempotency_key"));
    }

    #[test]
    fn one_place_is_asked_for_at_a_time() {
        let id = Uuid::from_u128(7).to_string();
        let place = |more: Value| {
            let mut arguments = json!({"platform": "qq", "conversation": "c"});
            arguments.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            let read = read::<ReadMessages>(&arguments).unwrap();
            read.place().map(|place| format!("{place:?}")).map_err(|error| error.to_string())
        };
        assert_eq!(place(json!({})).unwrap(), "Before(None)");
        assert!(place(json!({"around": id})).unwrap().starts_with("Around("));
        assert_eq!(place(json!({"after": "0"})).unwrap(), "After(\"0\")");
        assert!(place(json!({"after": "x"})).unwrap_err().contains("`after`"));
        assert!(place(json!({"around": "5"})).unwrap_err().contains("`around`"));
        assert!(place(json!({"after": id, "before": id})).unwrap_err().contains("give one of"));
    }

    #[test]
    fn what_is_sent_is_bounded() {
        let sending = |text: &str, key: &str| {
            let id = Uuid::nil().to_string();
            let reply = json!({"message_id": id, "text": text, "idempotency_key": key});
            let sending = read::<Reply>(&reply).unwrap().sending();
            sending.map(drop).map_err(|error| error.to_string())
        };
        assert_eq!(sending("hello", "k-1"), Ok(()));
        assert_eq!(sending(&"字".repeat(MAX_SENT_TEXT), "k"), Ok(()));
        for (text, key, named) in [
            (" ", "k", "`text`"),
            (&*"x".repeat(MAX_SENT_TEXT + 1), "k", "`text`"),
            ("x", "", "`idempotency_key`"),
            ("x", "a b", "`idempotency_key`"),
            ("x", "密", "`idempotency_key`"),
            ("x", &*"k".repeat(MAX_KEY + 1), "`idempotency_key`"),
        ] {
            let error = sending(text, key).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn numbers_that_are_too_large_are_the_largest_allowed() {
        let many: ListConversations = read(&json!({"limit": 100_000})).unwrap();
        assert_eq!(many.limit(), MAX_CONVERSATIONS);
        let long: WaitForMessages = read(&json!({"seconds": 86_400})).unwrap();
        assert_eq!(long.limit(), Duration::from_secs(MAX_WAIT));
    }

    #[test]
    fn times_are_read_with_an_offset_or_in_the_zone_of_the_host() {
        let east = TimeZone::fixed(jiff::tz::offset(8));
        let now = Timestamp::UNIX_EPOCH.to_zoned(east);
        let at = |text: &str| time("since", text, &now).map_err(|error| error.to_string());
        assert_eq!(at("1970-01-02T00:00:00Z"), Ok(86_400));
        assert_eq!(at("1970-01-02T08:00:00"), Ok(86_400));
        assert_eq!(at("1970-01-02"), Ok(86_400 - 8 * 3600));
        assert_eq!(at("1700000000"), Ok(1_700_000_000));
        assert!(at("soon").unwrap_err().contains("`since`"));
        assert!(at("1960-01-01").is_err());
    }
}
