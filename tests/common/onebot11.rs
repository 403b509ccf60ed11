//! An OneBot 11 implementation for tests: the events it pushes and the actions it knows, from the
//! specification (event/, api/public.md, communication/).

#![allow(dead_code, reason = "each test binary uses a part of it")]

use super::onebot::{Reply, Script};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The headers of a reverse connection (communication/ws-reverse.md).
pub fn headers<'a>(account: &'a str, role: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("X-Self-ID", account), ("X-Client-Role", role)]
}

/// The first frame on a connection (event/meta.md).
pub fn lifecycle(account: i64) -> Value {
    json!({
        "time": 1_700_000_000, "self_id": account, "post_type": "meta_event",
        "meta_event_type": "lifecycle", "sub_type": "connect"
    })
}

pub fn heartbeat(account: i64, interval: u64, online: bool) -> Value {
    json!({
        "time": 1_700_000_000, "self_id": account, "post_type": "meta_event",
        "meta_event_type": "heartbeat", "interval": interval,
        "status": {"online": online, "good": online}
    })
}

/// A group message (event/message.md) with the group's name, as most implementations add it.
pub fn group_message(account: i64, group: i64, id: i64, text: &str) -> Value {
    let mut event = nameless_group_message(account, group, id, text);
    event["group_name"] = json!(format!("Group {group}"));
    event
}

/// A group message with only the fields of the specification.
pub fn nameless_group_message(account: i64, group: i64, id: i64, text: &str) -> Value {
    json!({
        "time": 1_700_000_000, "self_id": account, "post_type": "message",
        "message_type": "group", "sub_type": "normal", "message_id": id, "group_id": group,
        "user_id": 4242, "anonymous": null, "font": 0, "raw_message": text,
        "message": [{"type": "text", "data": {"text": text}}],
        "sender": {"user_id": 4242, "nickname": "Nick", "card": "Card", "role": "member"}
    })
}

pub fn private_message(account: i64, user: i64, id: i64, text: &str) -> Value {
    json!({
        "time": 1_700_000_000, "self_id": account, "post_type": "message",
        "message_type": "private", "sub_type": "friend", "message_id": id, "user_id": user,
        "font": 0, "raw_message": text, "message": [{"type": "text", "data": {"text": text}}],
        "sender": {"user_id": user, "nickname": "Nick", "sex": "unknown", "age": 0}
    })
}

/// The echo of a message that the account wrote, which several implementations push.
pub fn own_message(account: i64, group: i64, id: i64, text: &str) -> Value {
    let mut event = group_message(account, group, id, text);
    event["post_type"] = json!("message_sent");
    event["user_id"] = json!(account);
    event["sender"] = json!({"user_id": account, "nickname": "Me", "card": ""});
    event
}

/// The recall of a group message by its sender (event/notice.md).
pub fn recall(account: i64, group: i64, id: i64) -> Value {
    json!({
        "time": 1_700_000_000, "self_id": account, "post_type": "notice",
        "notice_type": "group_recall", "group_id": group, "user_id": 4242, "operator_id": 4242,
        "message_id": id,
    })
}

/// A person who joined a group (event/notice.md).
pub fn joined(account: i64, group: i64) -> Value {
    json!({
        "time": 1_700_000_000, "self_id": account, "post_type": "notice",
        "notice_type": "group_increase", "sub_type": "approve", "group_id": group,
        "user_id": 4243, "operator_id": 4242,
    })
}

/// An implementation that carries out every action: sends with growing IDs, and has no history.
pub fn willing() -> Script {
    let last_id = AtomicI64::new(100);
    Arc::new(move |action| match action["action"].as_str().unwrap() {
        "send_group_msg" | "send_private_msg" | "send_msg" => {
            Reply::ok(json!({"message_id": last_id.fetch_add(1, Ordering::Relaxed) + 1}))
        }
        "get_login_info" => Reply::ok(json!({"user_id": 10_001_000, "nickname": "Me"})),
        "get_group_info" => {
            let group = &action["params"]["group_id"];
            Reply::ok(json!({"group_id": group, "group_name": format!("Asked {group}")}))
        }
        _ => Reply::refused(1404, "no such action"),
    })
}

/// The same implementation with another reply to one action.
pub fn willing_but(name: &'static str, reply: Reply) -> Script {
    let willing = willing();
    Arc::new(move |action| if action["action"] == name { reply.clone() } else { willing(action) })
}
