//! Golden frames: an implementation pushes each frame, and it must be read as its file says, or
//! skipped.

use crate::onebot::Peer;
use crate::rechat::Rechat;
use crate::{onebot11, onebot12};
use rechat::adapter::{AdapterEvent, Inbound};
use rechat::model::reaction::ReactionChange;
use serde_json::{Value, json};
use std::path::Path;

/// The fixtures of a folder, with their names, in order.
fn fixtures(folder: &str) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let read = |file: &Path| {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        (name, serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap())
    };
    files.iter().map(|file| read(file)).collect()
}

/// A message in the form of a fixture. An ID that rechat made is compared only by its beginning.
fn told(message: &Inbound, expected: &Value) -> Value {
    let mark = expected["id"].as_str().filter(|mark| mark.ends_with('-'));
    let is_mark = mark.is_some_and(|mark| message.external_id.starts_with(mark));
    let mut told = json!({
        "conversation": message.conversation,
        "conversation_name": message.conversation_name,
        "sender": [message.sender.id, message.sender.name],
        "type": message.content.message_type().as_str(),
        "content": message.content.readable(),
        "id": if is_mark { mark.unwrap() } else { &message.external_id },
        "time": message.time,
        "own": message.own,
        "has_original": message.original.is_some(),
    });
    if expected.get("segments").is_some() {
        told["segments"] = serde_json::to_value(message.content.to_segments()).unwrap();
    }
    if let Some(reply_to) = &message.reply_to {
        told["reply_to"] = serde_json::to_value(reply_to).unwrap();
    }
    told
}

fn push(peer: &Peer, frame: &Value) {
    match frame.as_str() {
        Some(text) => peer.push_text(text),
        None => peer.push(frame),
    }
}

async fn valid_are_read(mut rechat: Rechat, peer: Peer, version: &str) {
    let mut wrong = Vec::new();
    for (name, fixture) in fixtures(&format!("{version}/valid")) {
        push(&peer, &fixture["frame"]);
        let message = rechat.message().await;
        let told = told(&message, &fixture["expect"]);
        if told != fixture["expect"] {
            wrong.push(format!("{name}\n  read     {told}\n  expected {}", fixture["expect"]));
        }
        // A frame that is not valid JSON is written as a text.
        if let (Some(original), Some(written)) = (message.original, fixture["frame"].get("message"))
        {
            let original: Value = serde_json::from_str(&original).unwrap();
            assert_eq!(&original, written, "{version} {name}");
        }
    }
    assert!(wrong.is_empty(), "{version}: {}", wrong.join("\n"));
}

async fn invalid_are_skipped(mut rechat: Rechat, peer: Peer, version: &str, sound: &Value) {
    for (name, fixture) in fixtures(&format!("{version}/invalid")) {
        push(&peer, &fixture["frame"]);
        push(&peer, sound);
        assert_eq!(rechat.message().await.content.readable(), "sound", "{version} {name}");
    }
}

/// An event in the form of a fixture.
fn told_event(event: &AdapterEvent) -> Value {
    match event {
        AdapterEvent::Recalled { message, by, at } => {
            json!({"recalled": [message.conversation, message.external_id, by, at]})
        }
        AdapterEvent::Edited { message, content, at } => {
            json!({"edited": [message.conversation, message.external_id, content.readable(), at]})
        }
        AdapterEvent::Reacted { message, change, .. } => {
            let change = match change {
                ReactionChange::Set { emoji, user, mine, on } => {
                    json!({"emoji": emoji, "user": user, "mine": mine, "on": on})
                }
                ReactionChange::Counted { emoji, count } => {
                    json!({"emoji": emoji, "count": count})
                }
            };
            json!({"reacted": [message.conversation, message.external_id, change]})
        }
        AdapterEvent::Noticed { notice, request } => {
            let mut told = json!({ "noticed": notice });
            if let Some(request) = request {
                told["request"] = json!([format!("{:?}", request.kind), request.flag]);
            }
            told
        }
        other => panic!("an unexpected event: {other:?}"),
    }
}

/// Each notice is read as its file says. A message before it gives the name of a person, and one
/// after it shows that there are no further events.
async fn notices_are_read(mut rechat: Rechat, peer: Peer, version: &str, sound: &Value) {
    peer.push(sound);
    rechat.message().await;
    let mut wrong = Vec::new();
    for (name, fixture) in fixtures(&format!("{version}/notices")) {
        push(&peer, &fixture["frame"]);
        push(&peer, sound);
        rechat.message().await;
        let names = std::mem::take(&mut rechat.names).into_iter();
        let names = names.map(|(conversation, name)| json!({"named": [conversation, name]}));
        let told = std::mem::take(&mut rechat.told);
        let told: Vec<Value> = names.chain(told.iter().map(told_event)).collect();
        if json!(told) != fixture["expect"] {
            wrong.push(format!("{name}\n  read     {told:?}\n  expected {}", fixture["expect"]));
        }
    }
    assert!(wrong.is_empty(), "{version}: {}", wrong.join("\n"));
}

/// No peer answers here, so requests for names must change nothing.
async fn v11(rechat: &Rechat) -> Peer {
    let headers = onebot11::headers("1", "Universal");
    let silent = std::sync::Arc::new(|_: &Value| crate::onebot::Reply::Silent);
    Peer::dial(&rechat.url("/onebot/v11/ws"), &headers, silent).await.unwrap()
}

async fn v12(rechat: &Rechat) -> Peer {
    let silent = std::sync::Arc::new(|_: &Value| crate::onebot::Reply::Silent);
    Peer::dial(&rechat.url("/onebot/v12/ws"), &onebot12::HEADERS, silent).await.unwrap()
}

#[tokio::test]
async fn valid_frames_of_onebot_11_are_read() {
    let rechat = Rechat::start(&[]).await;
    let peer = v11(&rechat).await;
    valid_are_read(rechat, peer, "onebot11").await;
}

#[tokio::test]
async fn invalid_frames_of_onebot_11_are_skipped() {
    let rechat = Rechat::start(&[]).await;
    let peer = v11(&rechat).await;
    let sound = onebot11::group_message(1, 77, 1, "sound");
    invalid_are_skipped(rechat, peer, "onebot11", &sound).await;
}

#[tokio::test]
async fn notices_of_onebot_11_are_read() {
    let rechat = Rechat::start(&[]).await;
    let peer = v11(&rechat).await;
    let sound = onebot11::group_message(1, 77, 1, "sound");
    notices_are_read(rechat, peer, "onebot11", &sound).await;
}

#[tokio::test]
async fn notices_of_onebot_12_are_read() {
    let rechat = Rechat::start(&[]).await;
    let peer = v12(&rechat).await;
    let sound = onebot12::group_message(("wechat", "wxid_me"), "g", "m1", "sound");
    notices_are_read(rechat, peer, "onebot12", &sound).await;
}

#[tokio::test]
async fn valid_frames_of_onebot_12_are_read() {
    let rechat = Rechat::start(&[]).await;
    let peer = v12(&rechat).await;
    valid_are_read(rechat, peer, "onebot12").await;
}

#[tokio::test]
async fn invalid_frames_of_onebot_12_are_skipped() {
    let rechat = Rechat::start(&[]).await;
    let peer = v12(&rechat).await;
    let sound = onebot12::group_message(("wechat", "wxid_me"), "g", "m1", "sound");
    invalid_are_skipped(rechat, peer, "onebot12", &sound).await;
}
