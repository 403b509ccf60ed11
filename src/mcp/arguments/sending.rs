//! Arguments of the tools that write.

use super::checks::{check_length, parse_id};
use crate::error::{Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;
use uuid::Uuid;

/// The longest wait for a sent message, in seconds.
const MAX_SEND_WAIT: u64 = 30;

/// Default wait for a sent message, in seconds.
const DEFAULT_SEND_WAIT: u64 = 10;

/// The most characters of a message to be sent.
const MAX_SENT_TEXT: usize = 20_000;

/// The most characters of an idempotency key.
const MAX_KEY: usize = 100;

/// Arguments of `send_message`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct SendMessage {
    /// Platform of the conversation, as `list_conversations` gives it.
    pub(in crate::mcp) platform: String,
    /// ID of the conversation, as `list_conversations` gives it.
    pub(in crate::mcp) conversation: String,
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
pub(in crate::mcp) struct Reply {
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

/// The content to be sent and its options, checked.
#[derive(Debug)]
pub(in crate::mcp) struct Sending {
    pub(in crate::mcp) text: String,
    pub(in crate::mcp) key: String,
    /// The longest wait.
    pub(in crate::mcp) limit: Duration,
}

impl SendMessage {
    pub(in crate::mcp) fn sending(self) -> Result<Sending> {
        Sending::new(self.text, self.idempotency_key, self.wait_seconds)
    }
}

impl Reply {
    pub(in crate::mcp) fn message(&self) -> Result<Uuid> {
        parse_id("message_id", &self.message_id)
    }

    pub(in crate::mcp) fn sending(self) -> Result<Sending> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_sent_is_bounded() {
        let sending = |text: &str, key: &str| {
            let id = Uuid::nil().to_string();
            let reply = json!({"message_id": id, "text": text, "idempotency_key": key});
            let sending = serde_json::from_value::<Reply>(reply).unwrap().sending();
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
}
