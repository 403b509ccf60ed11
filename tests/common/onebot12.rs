//! An OneBot 12 implementation for tests: the events it pushes and the actions it knows, from the
//! specification (connect/, interface/).

#![allow(dead_code, reason = "each test binary uses a part of it")]

use super::onebot::{Reply, Script};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The headers of a reverse connection (connect/communication/websocket-reverse.md).
pub const HEADERS: [(&str, &str); 2] =
    [("Sec-WebSocket-Protocol", "12.test"), ("User-Agent", "OneBot/12 (test) Test/1.0")];

/// The first event of every connection (interface/meta/events.md).
pub fn connect() -> Value {
    json!({
        "id": "b6e65187", "time": 1_632_847_927.599_013, "type": "meta", "detail_type": "connect",
        "sub_type": "", "version": {"impl": "test", "version": "1", "onebot_version": "12"}
    })
}

/// The accounts: platform, ID, online.
pub fn status_update(bots: &[(&str, &str, bool)]) -> Value {
    let bot = |(platform, id, online): &(&str, &str, bool)| json!({"self": {"platform": platform, "user_id": id}, "online": online});
    let bots: Vec<_> = bots.iter().map(bot).collect();
    json!({
        "id": "b6e65188", "time": 1_632_847_927.599_013, "type": "meta",
        "detail_type": "status_update", "sub_type": "", "status": {"good": true, "bots": bots}
    })
}

pub fn heartbeat(interval: u64) -> Value {
    json!({
        "id": "b6e65189", "time": 1_632_847_927.599_013, "type": "meta",
        "detail_type": "heartbeat", "sub_type": "", "interval": interval
    })
}

/// A message to a group of the bot (interface/group/message-events.md).
pub fn group_message(bot: (&str, &str), group: &str, id: &str, text: &str) -> Value {
    json!({
        "id": format!("event-{id}"), "time": 1_632_847_927.599_013, "type": "message",
        "detail_type": "group", "sub_type": "",
        "self": {"platform": bot.0, "user_id": bot.1}, "message_id": id,
        "message": [{"type": "text", "data": {"text": text}}], "alt_message": text,
        "group_id": group, "user_id": "wxid_sender"
    })
}

/// An implementation that carries out every action.
pub fn willing() -> Script {
    let last_id = AtomicI64::new(0);
    Arc::new(move |action| match action["action"].as_str().unwrap() {
        "send_message" => {
            let id = format!("m{}", last_id.fetch_add(1, Ordering::Relaxed) + 1);
            Reply::ok(json!({"message_id": id, "time": 1_632_847_927.5}))
        }
        "upload_file" => Reply::ok(json!({"file_id": "file-1"})),
        "get_group_info" => Reply::ok(json!({"group_id": "g", "group_name": "Asked"})),
        "get_group_member_info" => Reply::ok(json!({
            "user_id": action["params"]["user_id"], "user_name": "Name", "user_displayname": "Card"
        })),
        _ => Reply::refused(10_002, "unsupported action"),
    })
}

/// The same implementation with another reply to one action.
pub fn willing_but(name: &'static str, reply: Reply) -> Script {
    let willing = willing();
    Arc::new(move |action| if action["action"] == name { reply.clone() } else { willing(action) })
}
