//! Messages without an answer in time, whose outcome a history does not tell in a form that is known.

use crate::account::{ACCOUNT, ID, implementation, server_with};
use crate::onebot::{Peer, Reply, Script};
use crate::onebot11::{group_message, own_message};
use crate::parts::{answering_by_hand, make_two_parts, stored};
use crate::server::{TestServer, eventually};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

/// An attempt without an answer ends soon, but not before an answer comes on a busy machine.
const HASTY: &str = "[outbox]\nfirst_pause_seconds = 0.01\nlongest_pause_seconds = 0.02\n\n\
     [[adapter]]\nkind = 'onebot11'\nanswer_timeout = 2\nhistory = 0\non_unknown = 'fail'\n";

fn at(mut event: Value, ago: u64) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    event["time"] = json!(now - ago);
    event
}

/// An implementation that answers no message, and tells each in its history as `told`, after an older one.
fn telling(told: &Value) -> Script {
    let history = Arc::new(Mutex::new(vec![at(own_message(ACCOUNT, 77, 50, "earlier"), 3_600)]));
    let told = told.clone();
    Arc::new(move |action| {
        let mut history = history.lock().unwrap();
        match action["action"].as_str() {
            Some("send_group_msg") => {
                let id = 100 + i64::try_from(history.len()).unwrap();
                let mut own = own_message(ACCOUNT, 77, id, "");
                own["message"] = told.clone();
                history.push(at(own, 0));
                Reply::Silent
            }
            Some("get_group_msg_history") => Reply::ok(json!({"messages": *history})),
            Some("get_login_info") => Reply::ok(json!({"user_id": ACCOUNT, "nickname": "Me"})),
            _ => Reply::refused(1404, "no such action"),
        }
    })
}

/// Lets the server learn the clock of the platform.
fn tell_clock(server: &TestServer, peer: &Peer) {
    peer.push(&at(group_message(ACCOUNT, 66, 9, "a clock"), 0));
    eventually("it came", || {
        let (_, page) = server.get("/api/messages?conversation=group_66");
        (page["messages"].as_array().unwrap().len() == 1).then_some(())
    });
}

fn make(server: &TestServer, segments: &Value) -> String {
    let body = json!({"platform": "qq", "recipient": "group_77", "segments": segments});
    let (status, made) = server.post(&body);
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

fn sends(peer: &Peer) -> usize {
    peer.actions().iter().filter(|action| action["action"] == "send_group_msg").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_ours_in_an_unknown_form_is_not_sent_again() {
    let text = |words: &str| json!([{"type": "text", "data": {"text": words}}]);
    let file = json!([{"type": "file", "data": {"file": "a(1).pdf"}}]);
    for (segments, told, status) in [
        (json!([{"type": "text", "text": "a\r\nb"}]), text("a\nb"), "Sent"),
        (
            json!([{"type": "mention", "user": "7", "name": "Bob"}, {"type": "text", "text": " hi"}]),
            text("@Robert hi"),
            "Failed",
        ),
        (
            json!([{"type": "file", "name": "a.pdf", "url": "https://example.com/1"}]),
            file,
            "Failed",
        ),
    ] {
        let server = server_with(HASTY);
        let peer = implementation(&server, telling(&told)).await;
        tell_clock(&server, &peer);
        let message = server.until(&make(&server, &segments), status);
        assert_eq!(sends(&peer), 1, "{message}");
        if status == "Failed" {
            assert_eq!(message["last_error"], "outcome unknown");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_upload_is_still_running_is_not_sent_again() {
    let server = server_with(HASTY);
    let peer = answering_by_hand(&server).await;
    let id = make_two_parts(&server);
    let answer = |action: &Value, id: i64| {
        let data = json!({"message_id": id});
        peer.push(&json!({"status": "ok", "retcode": 0, "data": data, "echo": action["echo"]}));
    };
    answer(&peer.action("send_group_msg").await, 101);
    let upload = peer.action("send_group_msg").await;
    let message = server.until(&id, "Failed");
    assert_eq!(message["last_error"], "outcome unknown");
    answer(&upload, 102);
    server.until(&id, "Sent");
    assert_eq!(sends(&peer), 2);
    let (status, answer) = server.ask("POST", &format!("/api/messages/{id}/recall"), None);
    assert_eq!(status, 200, "{answer}");
    for part in [102, 101] {
        assert_eq!(peer.action("delete_msg").await["params"]["message_id"], part);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_the_owner_is_stored_that_came_before_ours_was_sent() {
    let patient = HASTY.replace("timeout = 2", "timeout = 30");
    let server = server_with(&patient);
    let script: Script = Arc::new(|action| match action["action"].as_str() {
        Some("get_forward_msg") => Reply::Silent,
        Some("send_group_msg") => Reply::ok(json!({"message_id": 101})),
        Some("send_group_forward_msg") => Reply::ok(json!({"message_id": 102})),
        Some("get_login_info") => Reply::ok(json!({"user_id": ACCOUNT, "nickname": "Me"})),
        _ => Reply::refused(1404, "no such action"),
    });
    let peer = implementation(&server, script).await;
    let segments = json!([{"type": "text", "text": "see"}, {"type": "forward", "id": "abc"}]);
    let id = make(&server, &segments);
    let opening = peer.action("get_forward_msg").await;
    // Ours is claimed, and not sent before its forward is open.
    peer.push(&own_message(ACCOUNT, 77, 901, "see"));
    stored(&server, &peer);
    let inside = json!([{"type": "text", "data": {"text": "inside"}}]);
    let node = json!({"user_id": 5, "nickname": "N", "content": inside});
    let opened = json!({"messages": [{"type": "node", "data": node}]});
    peer.push(&json!({"status": "ok", "retcode": 0, "data": opened, "echo": opening["echo"]}));
    server.until(&id, "Sent");
    eventually("the owner's message is stored", || {
        let (_, page) = server.get("/api/messages?conversation=group_77");
        let messages = page["messages"].as_array().unwrap();
        messages.iter().find(|one| one["sender"]["id"] == ID).map(drop)
    });
    assert_eq!(sends(&peer), 1);
}
