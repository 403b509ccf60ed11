//! Missed messages, from the history of a group.

use super::{dial, rechat};
use crate::onebot::{Peer, Reply};
use crate::onebot11::{group_message, own_message, willing};
use crate::rechat::Rechat;
use rechat::adapter::PlatformState;
use serde_json::{Value, json};
use std::sync::Arc;

#[tokio::test]
async fn what_was_missed_is_fetched_after_a_reconnect() {
    let mut rechat = rechat().await;
    rechat.conversations = vec!["private_5".into(), "group_77".into()];
    let script = willing();
    let history = Arc::new(move |action: &Value| match action["action"].as_str() {
        Some("get_group_msg_history") => Reply::ok(json!({"messages": [
            group_message(1, 77, 2, "second"), "garbage", group_message(1, 77, 1, "first"),
            own_message(1, 77, 3, "mine"),
        ]})),
        Some("get_friend_msg_history") => Reply::refused(1200, "no messages"),
        _ => script(action),
    });
    let peer = dial(&rechat, "1", history).await;
    let mut fetched = Vec::new();
    for _ in 0..3 {
        let message = rechat.message().await;
        fetched.push((message.external_id, message.own));
    }
    fetched.sort();
    assert_eq!(fetched, [("1".into(), false), ("2".into(), false), ("3".into(), true)]);
    let asked = peer.action("get_friend_msg_history").await;
    assert_eq!(asked["params"], json!({"user_id": 5, "count": 20}));
}

#[tokio::test]
async fn a_conversation_whose_history_does_not_come_takes_no_other_with_it() {
    let mut rechat = Rechat::start(&["kind = 'onebot11'\nanswer_timeout = 0.2".into()]).await;
    rechat.conversations = vec!["group_66".into(), "group_77".into()];
    let script = willing();
    let history = Arc::new(move |action: &Value| match action["action"].as_str() {
        Some("get_group_msg_history") if action["params"]["group_id"] == 66 => Reply::Silent,
        Some("get_group_msg_history") => {
            Reply::ok(json!({"messages": [group_message(1, 77, 1, "missed")]}))
        }
        _ => script(action),
    });
    let _peer = dial(&rechat, "1", history).await;
    assert_eq!(rechat.message().await.content.readable(), "missed");
}

/// An implementation whose history has as many messages as requested, of 200 bytes and more.
fn with_history(size: usize) -> crate::onebot::Script {
    let script = willing();
    Arc::new(move |action: &Value| {
        if action["action"] != "get_group_msg_history" {
            return script(action);
        }
        let count = action["params"]["count"].as_i64().unwrap();
        let message = |id| group_message(1, 77, id, &"x".repeat(size));
        Reply::ok(json!({"messages": (1..=count).map(message).collect::<Vec<_>>()}))
    })
}

fn counts_asked(peer: &Peer) -> Vec<i64> {
    let is_history = |action: &&Value| action["action"] == "get_group_msg_history";
    let actions = peer.actions();
    let asked = actions.iter().filter(is_history);
    asked.map(|action| action["params"]["count"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_history_that_is_too_large_is_asked_for_in_part() {
    let mut rechat = Rechat::start(&["kind = 'onebot11'\nmax_frame = 10000".into()]).await;
    rechat.conversations = vec!["group_77".into()];
    let peer = dial(&rechat, "1", with_history(400)).await;
    for id in 1..=5 {
        assert_eq!(rechat.message().await.external_id, id.to_string());
    }
    assert_eq!(counts_asked(&peer), [20, 10, 5]);
    peer.push(&group_message(1, 77, 9, "still connected"));
    assert_eq!(rechat.message().await.content.readable(), "still connected");
}

#[tokio::test]
async fn a_history_that_no_frame_holds_is_not_asked_for_for_ever() {
    let mut rechat = Rechat::start(&["kind = 'onebot11'\nmax_frame = 2000".into()]).await;
    rechat.conversations = vec!["group_77".into()];
    let mut asked = Vec::new();
    // Each message alone is far over the limit: the connection ends each time, until the history is
    // not requested any more.
    for _ in 0..5 {
        let peer = dial(&rechat, "1", with_history(10_000)).await;
        rechat.until("1", PlatformState::Connected).await;
        // Lets the core answer the request for its conversations.
        tokio::select! {
            _ = rechat.message() => panic!("nothing fits"),
            reason = async { while !peer.is_finished() { tokio::task::yield_now().await } } => reason,
        }
        asked.extend(counts_asked(&peer));
    }
    assert_eq!(asked, [20, 10, 5, 2, 1]);
    let peer = dial(&rechat, "1", with_history(10_000)).await;
    peer.push(&group_message(1, 77, 9, "at last"));
    assert_eq!(rechat.message().await.content.readable(), "at last");
    assert_eq!(counts_asked(&peer), [0; 0]);
}
