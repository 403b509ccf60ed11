//! Messages without an answer in time, whose outcome a history does not tell in a form that is known.

use crate::account::{ACCOUNT, ID, implementation, server_with};
use crate::onebot::{Peer, Reply, Script};
use crate::onebot11::{group_message, own_message};
use crate::parts::{answering_by_hand, make_two_parts, stored};
use crate::server::{TestServer, eventually};
use serde_json::{Value, json};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

/// An attempt without an answer ends soon, but not before an answer comes on a busy machine.
const HASTY: &str = "[outbox]\nfirst_pause_seconds = 0.01\nlongest_pause_seconds = 0.02\n\n\
     [[adapter]]\nkind = 'onebot11'\nanswer_timeout = 2\nhistory = 0\non_unknown = 'fail'\n";

/// The author of messages of others.
const AUTHOR: i64 = 4_242;

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
    let image = json!({"type": "image", "data": {"file": "x.png", "url": "http://127.0.0.1:9/1"}});
    let at = json!({"type": "at", "data": {"qq": "7", "name": "Bob"}});
    let words = |words: &str| json!({"type": "text", "text": words});
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
        (
            json!([words("ok"), {"type": "emoji", "id": "14"}]),
            json!([text("ok")[0], image]),
            "Failed",
        ),
        (
            json!([words("https://example.com/x")]),
            json!([{"type": "share", "data": {"title": "T", "url": "https://example.com/x"}}]),
            "Failed",
        ),
        (json!([words("hello world this")]), text("hello world"), "Failed"),
        (json!([words("@Bob hi")]), json!([at, text(" hi")[0]]), "Failed"),
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

/// It may be ours in another form. `resend` risks a double then.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_owner_writes_during_a_doubt_leaves_the_outcome_unknown() {
    for (on_unknown, status, attempts) in [("fail", "Failed", 1), ("resend", "Sent", 2)] {
        let server = server_with(&HASTY.replace("'fail'", &format!("'{on_unknown}'")));
        let history =
            Arc::new(Mutex::new(vec![at(own_message(ACCOUNT, 77, 50, "earlier"), 3_600)]));
        let script: Script = Arc::new(move |action| {
            let mut history = history.lock().unwrap();
            match action["action"].as_str() {
                Some("send_group_msg") if history.len() == 1 => {
                    history.push(at(own_message(ACCOUNT, 77, 51, "of the owner"), 0));
                    Reply::Silent
                }
                Some("send_group_msg") => Reply::ok(json!({"message_id": 101})),
                Some("get_group_msg_history") => Reply::ok(json!({"messages": *history})),
                _ => Reply::refused(1404, "no such action"),
            }
        });
        let peer = implementation(&server, script).await;
        tell_clock(&server, &peer);
        let id = make(&server, &json!([{"type": "text", "text": "ours"}]));
        let message = server.until(&id, status);
        assert_eq!(sends(&peer), attempts, "{message}");
    }
}

/// Other messages of ours, which were answered, and what the owner wrote before are known by their IDs.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_sent_again_if_all_others_of_the_history_are_known() {
    let server = server_with(HASTY);
    let owners = at(own_message(ACCOUNT, 77, 60, "of the owner"), 0);
    let history = Arc::new(Mutex::new(vec![
        at(own_message(ACCOUNT, 77, 50, "earlier"), 3_600),
        owners.clone(),
    ]));
    let is_lost = AtomicBool::new(false);
    let script: Script = Arc::new(move |action| {
        let mut history = history.lock().unwrap();
        let text = action["params"]["message"][0]["data"]["text"].as_str().unwrap_or_default();
        match action["action"].as_str() {
            Some("send_group_msg") if text == "lost" && !is_lost.swap(true, Relaxed) => {
                Reply::Silent
            }
            Some("send_group_msg") => {
                let id = 100 + i64::try_from(history.len()).unwrap();
                history.push(at(own_message(ACCOUNT, 77, id, text), 0));
                Reply::ok(json!({"message_id": id}))
            }
            Some("get_group_msg_history") => Reply::ok(json!({"messages": *history})),
            _ => Reply::refused(1404, "no such action"),
        }
    });
    let peer = implementation(&server, script).await;
    tell_clock(&server, &peer);
    peer.push(&owners);
    stored(&server, &peer);
    let came = rechat::clock::now();
    eventually("a later second", || (rechat::clock::now() > came).then_some(()));
    server.until(&make(&server, &json!([{"type": "text", "text": "answered"}])), "Sent");
    server.until(&make(&server, &json!([{"type": "text", "text": "lost"}])), "Sent");
    assert_eq!(sends(&peer), 3);
}

/// Some implementations mention the author of the message that is answered.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_known_behind_a_mention_that_the_implementation_adds() {
    for has_history in [true, false] {
        let mention = |user: i64| json!({"type": "at", "data": {"qq": user.to_string()}});
        let told = |user: i64| {
            let reply = json!({"type": "reply", "data": {"id": "9"}});
            json!([reply, mention(user), {"type": "text", "data": {"text": " yes"}}])
        };
        let server = server_with(HASTY);
        let telling = telling(&told(AUTHOR));
        let script: Script = Arc::new(move |action| match action["action"].as_str() {
            Some("get_group_msg_history") if !has_history => Reply::refused(1404, "no such action"),
            _ => telling(action),
        });
        let peer = implementation(&server, script).await;
        tell_clock(&server, &peer);
        peer.push(&at(group_message(ACCOUNT, 77, 9, "really?"), 0));
        let answered = eventually("it came", || {
            let (_, page) = server.get("/api/messages?conversation=group_77");
            page["messages"][0]["id"].as_str().map(str::to_owned)
        });
        let (status, made) = server.post(&json!({
            "platform": "qq", "recipient": "group_77", "reply_to": answered,
            "segments": [{"type": "text", "text": "yes"}],
        }));
        assert_eq!(status, 201, "{made}");
        let id = made["id"].as_str().unwrap();
        if !has_history {
            server.until(id, "Failed");
            let mut echo = own_message(ACCOUNT, 77, 101, "");
            for (user, count) in [(AUTHOR + 1, 3), (AUTHOR, 3)] {
                echo["message"] = told(user);
                echo["message_id"] = json!(user);
                peer.push(&echo);
                eventually("it is stored, or known", || {
                    (stored(&server, &peer).len() == count).then_some(())
                });
            }
        }
        server.until(id, "Sent");
        assert_eq!(sends(&peer), 1);
    }
}

/// It has no ID to be known by.
#[tokio::test(flavor = "multi_thread")]
async fn the_echo_of_a_message_that_was_answered_without_an_id_is_known_in_each_form() {
    let mention = json!({"type": "mention", "user": "7", "name": "Bob"});
    let sticker = json!({"type": "emoji", "id": "x", "url": "https://example.com/s.png"});
    let place = json!({"type": "location", "latitude": 1.5, "longitude": 2.0, "title": "T"});
    for other in [json!({"type": "emoji", "id": "smile", "name": "smile"}), sticker, place] {
        let server = server_with(HASTY);
        let script: Script = Arc::new(|action| match action["action"].as_str() {
            Some("send_group_msg") => Reply::ok(Value::Null),
            _ => Reply::refused(1404, "no such action"),
        });
        let peer = implementation(&server, script).await;
        let id = make(&server, &json!([mention, {"type": "text", "text": " hi"}, other]));
        server.until(&id, "Sent");
        let sent = peer.action("send_group_msg").await;
        let mut echo = own_message(ACCOUNT, 77, 101, "");
        echo["message"] = sent["params"]["message"].clone();
        peer.push(&echo);
        assert_eq!(stored(&server, &peer).len(), 1, "{echo}");
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
