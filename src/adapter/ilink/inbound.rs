//! A message as the interface tells it.

use super::address::conversation;
use super::json::{count, id, list, number, text};
use crate::model::change::Inbound;
use crate::model::message::{MessageType, Sender};
use md5::{Digest, Md5};
use serde_json::Value;

/// The type of a message that a bot sent: an echo.
const FROM_BOT: i64 = 2;

/// A message, and what came with it.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) message: Inbound,
    /// The token to answer it with.
    pub(super) context_token: Option<String>,
    /// When it was written, in Unix milliseconds; 0 where that is not told.
    pub(super) written_ms: u64,
}

/// Reads a message; `None` for the echo of one of the bot's own.
pub(super) fn read(value: &Value, platform: &str, account: &str) -> Option<Received> {
    if number(value, "message_type") == Some(FROM_BOT) {
        return None;
    }
    let sender = text(value, "from_user_id").unwrap_or("unknown");
    let written_ms = count(value, "create_time_ms").unwrap_or(0);
    let mut content = String::new();
    for item in list(value, "item_list") {
        content.push_str(item.get("text_item").and_then(|item| text(item, "text")).unwrap_or(""));
    }
    let fingerprint = fingerprint(value, sender, written_ms);
    Some(Received {
        message: Inbound {
            platform: platform.to_owned(),
            account: account.to_owned(),
            conversation: conversation(sender),
            conversation_name: None,
            sender: Sender { id: sender.to_owned(), name: String::new() },
            message_type: MessageType::Text,
            content,
            external_id: id(value, "message_id").unwrap_or_else(|| fingerprint.clone()),
            time: written_ms / 1000,
            own: false,
            from_history: false,
            original: None,
            fingerprint: Some(fingerprint),
        },
        context_token: text(value, "context_token").map(str::to_owned),
        written_ms,
    })
}

/// By which a message is known when it comes again under another ID.
fn fingerprint(value: &Value, sender: &str, written_ms: u64) -> String {
    let mut hash = Md5::new();
    for part in [sender, &written_ms.to_string(), &value["item_list"].to_string()] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    super::crypto::hex(&hash.finalize())
}
