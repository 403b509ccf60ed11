//! Messages that are sent in several parts, and the echoes of the parts.

use crate::account::{ACCOUNT, implementation, said, server_with, until_accounts, until_inbound};
use crate::framework::Framework;
use crate::onebot::{Peer, Reply, Script};
use crate::onebot11::{group_message, headers, own_message, willing};
use crate::server::{TestServer, eventually};
use serde_json::{Value, json};
use std::sync::Arc;

/// A message is given up at once where an attempt gets no answer.
const NO_RETRIES: &str =
    "[outbox]\nretries = 0\n\n[[adapter]]\nkind = 'onebot11'\nanswer_timeout = 0.05\n";

const PATIENT: &str = "[[adapter]]\nkind = 'onebot11'\nanswer_timeout = 30\n";

/// An implementation whose answers to what it is to send are given by the test.
pub async fn answering_by_hand(server: &TestServer) -> Peer {
    let willing = willing();
    let script: Script = Arc::new(move |action| match action["action"].as_str() {
        Some("send_group_msg") => Reply::Silent,
        Some("delete_msg") => Reply::ok(Value::Null),
        _ => willing(action),
    });
    implementation(server, script).await
}

/// The echo of the second part.
fn file_message(id: i64) -> Value {
    let mut echo = own_message(ACCOUNT, 77, id, "[file]");
    echo["message"] = json!([{"type": "file", "data": {"file": "a.pdf"}}]);
    echo
}

/// Makes a message of two parts, `see` and a file.
pub fn make_two_parts(server: &TestServer) -> String {
    let (status, made) =
        server.post(&json!({"platform": "qq", "recipient": "group_77", "segments": [
            {"type": "text", "text": "see"},
            {"type": "file", "name": "a.pdf", "url": "https://example.com/a.pdf"},
        ]}));
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

fn answer(peer: &Peer, action: &Value, data: &Value) {
    peer.push(&json!({"status": "ok", "retcode": 0, "data": data, "echo": action["echo"]}));
}

/// The contents of all messages of the group, once the server has taken what the peer pushed before.
pub fn stored(server: &TestServer, peer: &Peer) -> Vec<Value> {
    peer.push(&group_message(ACCOUNT, 999, 1, "a mark"));
    let contents = |conversation: &str| -> Vec<Value> {
        let (_, page) = server.get(&format!("/api/messages?conversation={conversation}"));
        page["messages"].as_array().unwrap().iter().map(|one| one["content"].clone()).collect()
    };
    eventually("the mark is stored", || (!contents("group_999").is_empty()).then_some(()));
    contents("group_77")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_echo_of_a_part_whose_message_was_given_up_is_kept_with_the_message() {
    let server = server_with(NO_RETRIES);
    let peer = answering_by_hand(&server).await;
    let id = make_two_parts(&server);
    peer.action("send_group_msg").await;
    server.until(&id, "Failed");
    peer.push(&own_message(ACCOUNT, 77, 55, "see"));
    assert_eq!(stored(&server, &peer).len(), 1, "it is that part");
    // Another one that says the same is the owner's.
    peer.push(&own_message(ACCOUNT, 77, 56, "see"));
    eventually("it is stored", || {
        let (_, page) = server.get("/api/messages?conversation=group_77");
        (page["messages"].as_array().unwrap().len() == 2).then_some(())
    });
    let path = format!("/api/messages/{id}");
    server.ask("PATCH", &path, Some(&json!({"status": "Pending"})));
    let rest = peer.action("send_group_msg").await;
    assert_eq!(rest["params"]["message"][0]["type"], "file", "the first part is not sent again");
    server.until(&id, "Failed");
    peer.push(&file_message(57));
    server.until(&id, "Sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_id_of_a_part_that_only_its_echo_tells_is_enough_for_a_recall() {
    let server = server_with(PATIENT);
    let peer = answering_by_hand(&server).await;
    let id = make_two_parts(&server);
    let first = peer.action("send_group_msg").await;
    answer(&peer, &first, &json!({"message_id": 101}));
    let second = peer.action("send_group_msg").await;
    peer.push(&file_message(102));
    answer(&peer, &second, &Value::Null);
    server.until(&id, "Sent");
    let (status, answer) = server.ask("POST", &format!("/api/messages/{id}/recall"), None);
    assert_eq!(status, 200, "{answer}");
    for external_id in [102, 101] {
        assert_eq!(peer.action("delete_msg").await["params"]["message_id"], external_id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bots_are_told_the_echoes_of_parts() {
    let framework = Framework::new().await;
    let bot = format!("[[bot]]\nname = 'bot'\nkind = 'onebot11'\nurl = '{}'\n", framework.url());
    let server = server_with(&format!("{PATIENT}{bot}"));
    let peer = answering_by_hand(&server).await;
    let mut bot = framework.accept().await;
    until_accounts(&server, "bot", &["qq/10001000"]);
    let id = make_two_parts(&server);
    let first = peer.action("send_group_msg").await;
    // The owner says the same; which one is the part is known by the answer.
    peer.push(&own_message(ACCOUNT, 77, 901, "see"));
    peer.push(&own_message(ACCOUNT, 77, 101, "see"));
    answer(&peer, &first, &json!({"message_id": 101}));
    let second = peer.action("send_group_msg").await;
    answer(&peer, &second, &json!({"message_id": 102}));
    server.until(&id, "Sent");
    peer.push(&file_message(102));
    let mut told: Vec<_> = Vec::new();
    for _ in 0..3 {
        told.push(bot.event().await["message_id"].as_i64().unwrap());
    }
    told.sort_unstable();
    assert_eq!(told, [101, 102, 901]);
    assert_eq!(stored(&server, &peer).len(), 2, "the message, and what the owner said");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_sent_anew_goes_out_with_all_its_parts() {
    let server = server_with("");
    let peer = implementation(&server, willing()).await;
    let id = make_two_parts(&server);
    server.until(&id, "Sent");
    let path = format!("/api/messages/{id}");
    for status in ["Canceled", "Pending"] {
        assert_eq!(server.ask("PATCH", &path, Some(&json!({"status": status}))).0, 200);
    }
    server.until(&id, "Sent");
    let is_send = |action: &&Value| action["action"] == "send_group_msg";
    assert_eq!(peer.actions().iter().filter(is_send).count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_echo_of_another_message_that_says_the_same_proves_no_part() {
    let server = server_with(NO_RETRIES);
    let peer = answering_by_hand(&server).await;
    let in_parts = make_two_parts(&server);
    peer.action("send_group_msg").await;
    server.until(&in_parts, "Failed");
    let whole = server.make_for(Some("qq"), "group_77", "see");
    peer.action("send_group_msg").await;
    peer.push(&own_message(ACCOUNT, 77, 55, "see"));
    server.until(&whole, "Sent");
    assert_eq!(stored(&server, &peer).len(), 2, "it is no message of its own");
    let path = format!("/api/messages/{in_parts}");
    server.ask("PATCH", &path, Some(&json!({"status": "Pending"})));
    let again = peer.action("send_group_msg").await;
    assert_eq!(again["params"]["message"][0]["type"], "text", "the first part is still in doubt");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_set_to_sent_by_hand_after_a_part_goes_out_anew_with_all_its_parts() {
    let server = server_with(NO_RETRIES);
    let peer = answering_by_hand(&server).await;
    let id = make_two_parts(&server);
    let first = peer.action("send_group_msg").await;
    answer(&peer, &first, &json!({"message_id": 101}));
    peer.action("send_group_msg").await;
    server.until(&id, "Failed");
    let path = format!("/api/messages/{id}");
    for status in ["Sent", "Pending"] {
        assert_eq!(server.ask("PATCH", &path, Some(&json!({"status": status}))).0, 200);
    }
    let again = peer.action("send_group_msg").await;
    assert_eq!(again["params"]["message"][0]["type"], "text", "the first part is sent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_sends_all_parts_and_recalls_its_own() {
    // The first account gets no time to come back.
    let pauses = "[outbox]\nfirst_pause_seconds = 0.01\nlongest_pause_seconds = 0.02\n";
    let server = server_with(&format!("{pauses}{PATIENT}"));
    let first = answering_by_hand(&server).await;
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let willing = willing();
    let script: Script = Arc::new(move |action| match action["action"].as_str() {
        Some("send_group_msg") => Reply::Silent,
        Some("delete_msg") => Reply::ok(Value::Null),
        _ => willing(action),
    });
    let other = Peer::dial(&url, &headers("2", "Universal"), script).await.unwrap();
    first.push(&said(1, "to the first account"));
    until_inbound(&server, 1);
    let id = make_two_parts(&server);
    let action = first.action("send_group_msg").await;
    answer(&first, &action, &json!({"message_id": 101}));
    first.action("send_group_msg").await;
    first.drop_connection();
    for (kind, external_id) in [("text", 7), ("file", 8)] {
        let action = other.action("send_group_msg").await;
        assert_eq!(action["params"]["message"][0]["type"], kind, "the other one has sent none");
        answer(&other, &action, &json!({"message_id": external_id}));
    }
    let message = server.until(&id, "Sent");
    assert_eq!(message["account"], "2", "{message}");
    let (status, answer) = server.ask("POST", &format!("/api/messages/{id}/recall"), None);
    assert_eq!(status, 200, "{answer}");
    for external_id in [8, 7] {
        assert_eq!(other.action("delete_msg").await["params"]["message_id"], external_id);
    }
}
