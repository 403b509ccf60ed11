//! An hour of a busy group: it comes in, is stored, exported and imported, and sent to another
//! account; the content is the same after each step.

use crate::onebot::{Peer, Reply, Script};
use crate::onebot11::headers;
use crate::server::{TestServer, eventually};
use crate::socket::Client;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

fn hour() -> Value {
    serde_json::from_str(include_str!("../fixtures/onebot11/lively_hour.json")).unwrap()
}

async fn dial(server: &TestServer, account: &str, platform: &str) -> Peer {
    let url = format!("ws://{}/onebot/v11/ws?platform={platform}", server.address);
    Peer::dial(&url, &headers(account, "Universal"), sends_everything()).await.unwrap()
}

/// An implementation that takes messages and forwards, and knows nobody's name.
fn sends_everything() -> Script {
    let last_id = AtomicI64::new(500);
    Arc::new(move |action| match action["action"].as_str().unwrap() {
        "send_group_msg" | "send_group_forward_msg" => {
            Reply::ok(json!({"message_id": last_id.fetch_add(1, Ordering::Relaxed) + 1}))
        }
        _ => Reply::refused(1404, "no such action"),
    })
}

/// The inbound messages of a platform, the oldest first.
fn messages(server: &TestServer, platform: &str) -> Vec<Value> {
    let path = format!("/api/messages?direction=Inbound&platform={platform}&limit=200");
    let mut messages = server.get(&path).1["messages"].as_array().unwrap().clone();
    messages.reverse();
    messages
}

/// Removes failures of fetching, because it depends on the time whether a host was asked already.
fn without_failures(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("failure");
            fields.values_mut().for_each(without_failures);
        }
        Value::Array(items) => items.iter_mut().for_each(without_failures),
        _ => {}
    }
}

/// The messages of the fixture; a reply names the message that it answers.
fn said(messages: &[Value]) -> Vec<Value> {
    let by_id: HashMap<_, _> = messages.iter().map(|message| (&message["id"], message)).collect();
    let said = |message: &Value| {
        let mut said = json!({"sender": message["sender"]["name"], "content": message["content"]});
        for field in ["segments", "reactions"] {
            if let Some(value) = message.get(field) {
                said[field] = value.clone();
            }
        }
        without_failures(&mut said);
        if let Some(reply_to) = message.get("reply_to") {
            let known = by_id.contains_key(&reply_to["id"]);
            assert!(known, "an answer knows its message: {message}");
            said["answers"] = json!([reply_to["content"], reply_to["sender"]["name"]]);
        }
        if let Some(by) = message.get("recalled_by") {
            said["recalled_by"] = by["name"].clone();
        }
        said
    };
    messages.iter().map(said).collect()
}

/// The part of a message that another platform can show.
fn gist(message: &Value) -> Value {
    fn segment(segment: &Value) -> Value {
        let mut gist = segment.clone();
        let fields = gist.as_object_mut().unwrap();
        for lost in ["size", "me", "failure"] {
            fields.remove(lost);
        }
        match segment["type"].as_str().unwrap() {
            "image" => drop(fields.remove("name")),
            "forward" => {
                fields.remove("id");
                let items = segment["items"].as_array().unwrap().iter();
                let items =
                    items.map(|item| json!([item["sender"]["name"], all(&item["segments"])]));
                gist["items"] = items.collect();
            }
            _ => {}
        }
        gist
    }
    fn all(segments: &Value) -> Value {
        segments.as_array().unwrap().iter().map(segment).collect()
    }
    let segments = message.get("segments").map(all);
    json!([message["content"], segments, message["reply_to"]["content"]])
}

/// The frame that another account would get for a sent message.
fn told(action: &Value, id: i64, account: &str) -> Value {
    let params = &action["params"];
    let message = match action["action"].as_str().unwrap() {
        "send_group_msg" => params["message"].clone(),
        _ => json!([{"type": "forward", "data": {"id": "f9", "content": params["messages"]}}]),
    };
    json!({
        "time": 1_700_001_000, "self_id": account, "post_type": "message", "message_type": "group",
        "message_id": id, "group_id": params["group_id"], "user_id": 2, "message": message,
        "sender": {"user_id": 2, "nickname": "Bridge", "card": ""}
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lively_hour_says_the_same_at_every_step() {
    let (server, hour) = (TestServer::start(), hour());
    let peer = dial(&server, "1", "qq").await;
    let mut client = Client::connect(&server).await;
    client.done(&json!({"type": "subscribe", "events": ["notice"]})).await;
    for frame in hour["frames"].as_array().unwrap() {
        peer.push(frame);
    }
    let joined = loop {
        let told = client.next().await;
        if told["type"] == "notice" {
            break told["data"].clone();
        }
    };
    assert_eq!(
        (&joined["kind"], &joined["conversation"]),
        (&json!("member_joined"), &json!("group_77"))
    );
    assert_eq!(
        (&joined["user"]["id"], &joined["operator"]["name"]),
        (&json!("7070"), &json!("Ann"))
    );
    let expected = hour["said"].as_array().unwrap();
    let came = eventually("everything came in", || {
        let came = messages(&server, "qq");
        let is_all = came.len() == expected.len() && came[1]["reactions"][0]["count"] == 2;
        is_all.then_some(came)
    });
    assert_eq!(&said(&came), expected);

    let file = server.home.path("hour.jsonl");
    let path = file.to_str().unwrap();
    server.home.ok(&["export", path]);
    let other = TestServer::start();
    other.home.ok(&["import", path]);
    assert_eq!(&said(&messages(&other, "qq")), expected, "exported and imported");

    let (second, third) = (dial(&server, "2", "qq2").await, dial(&server, "3", "qq3").await);
    let mut sent: HashMap<String, String> = HashMap::new();
    let passed_on: Vec<&Value> =
        came.iter().filter(|one| one.get("recalled_at").is_none()).collect();
    for message in &passed_on {
        let mut body = json!({"platform": "qq2", "recipient": "group_9"});
        if let Some(segments) = message.get("segments") {
            body["segments"] = segments.clone();
        } else {
            body["message_type"] = json!("Text");
            body["content"] = message["content"].clone();
        }
        if let Some(target) = message["reply_to"]["id"].as_str() {
            body["reply_to"] = json!(sent[target]);
        }
        let (status, made) = server.post(&body);
        assert_eq!(status, 201, "{made}");
        let id = made["id"].as_str().unwrap();
        server.until(id, "Sent");
        sent.insert(message["id"].as_str().unwrap().to_owned(), id.to_owned());
    }
    let actions = second.actions();
    let actions: Vec<_> = actions
        .iter()
        .filter(|action| action["action"].as_str().unwrap().starts_with("send_group"))
        .collect();
    assert_eq!(actions.len(), passed_on.len());
    for (id, action) in (501..).zip(actions) {
        third.push(&told(action, id, "3"));
    }
    let again = eventually("everything came in again", || {
        let again = messages(&server, "qq3");
        (again.len() == passed_on.len()).then_some(again)
    });
    let gists: Vec<_> = again.iter().map(gist).collect();
    assert_eq!(gists, passed_on.into_iter().map(gist).collect::<Vec<_>>(), "sent on");
}
