//! Answers about a part that come during a later attempt, and parts with the ID of another one.

use crate::account::{ACCOUNT, ID, implementation, server_with};
use crate::onebot::{Peer, Reply, Script};
use crate::onebot11::{group_message, own_message};
use crate::parts::{answering_by_hand, make_two_parts, stored};
use crate::server::{TestServer, eventually};
use serde_json::{Value, json};
use std::sync::Arc;

/// An attempt without an answer ends soon, but not before an answer comes on a busy machine.
const HASTY: &str = "[outbox]\nfirst_pause_seconds = 0.01\nlongest_pause_seconds = 0.02\n\n\
     [[adapter]]\nkind = 'onebot11'\nanswer_timeout = 2\nhistory = 0\n";

fn answer(peer: &Peer, action: &Value, id: i64) {
    let data = json!({"message_id": id});
    peer.push(&json!({"status": "ok", "retcode": 0, "data": data, "echo": action["echo"]}));
}

fn refuse(peer: &Peer, action: &Value) {
    peer.push(&json!({"status": "failed", "retcode": 100, "data": null, "echo": action["echo"]}));
}

async fn send(peer: &Peer) -> Value {
    peer.action("send_group_msg").await
}

fn kind(action: &Value) -> &Value {
    &action["params"]["message"][0]["type"]
}

fn file_message(id: i64) -> Value {
    let mut own = own_message(ACCOUNT, 77, id, "");
    own["message"] = json!([{"type": "file", "data": {"file": "a.pdf"}}]);
    own
}

/// The messages of the group that count as the owner's, once there are so many messages.
fn owners(server: &TestServer, count: usize) -> usize {
    eventually("the messages are stored", || {
        let (_, page) = server.get("/api/messages?conversation=group_77");
        let messages = page["messages"].as_array().unwrap();
        let owners = messages.iter().filter(|one| one["sender"]["id"] == ID).count();
        (messages.len() == count).then_some(owners)
    })
}

async fn recalled(server: &TestServer, peer: &Peer, id: &str) -> [Value; 2] {
    let (status, answer) = server.ask("POST", &format!("/api/messages/{id}/recall"), None);
    assert_eq!(status, 200, "{answer}");
    let mut recalled = [Value::Null, Value::Null];
    for one in &mut recalled {
        *one = peer.action("delete_msg").await["params"]["message_id"].clone();
    }
    recalled
}

/// The end of a later attempt.
#[derive(Clone, Copy, Debug)]
enum Later {
    Refused,
    Unanswered,
    Answered,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_about_a_part_counts_during_a_later_attempt() {
    for later in [Later::Refused, Later::Unanswered, Later::Answered] {
        let server = server_with(HASTY);
        let peer = answering_by_hand(&server).await;
        let id = make_two_parts(&server);
        let first = send(&peer).await;
        let second = send(&peer).await;
        assert_eq!(kind(&second), "text", "{later:?}");
        answer(&peer, &first, 101);
        match later {
            Later::Refused => refuse(&peer, &second),
            Later::Unanswered => {}
            Later::Answered => answer(&peer, &second, 102),
        }
        let rest = send(&peer).await;
        assert_eq!(kind(&rest), "file", "{later:?}: the part is not sent again");
        for echo in [101, 102] {
            peer.push(&own_message(ACCOUNT, 77, echo, "see"));
        }
        answer(&peer, &rest, 103);
        server.until(&id, "Sent");
        // Of an attempt without an answer nothing tells whether 102 is its echo or was written by the owner.
        let others = usize::from(!matches!(later, Later::Answered));
        assert_eq!(owners(&server, 1 + others), others, "{later:?}");
        let kept = if matches!(later, Later::Answered) { 102 } else { 101 };
        assert_eq!(recalled(&server, &peer, &id).await, [103, kept], "{later:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_with_the_id_of_another_one_is_told_apart_by_what_it_says() {
    let server = server_with(&format!("{HASTY}on_unknown = 'fail'\n"));
    let peer = answering_by_hand(&server).await;
    let id = make_two_parts(&server);
    answer(&peer, &send(&peer).await, 101);
    assert_eq!(kind(&send(&peer).await), "file");
    server.until(&id, "Failed");
    peer.push(&own_message(ACCOUNT, 77, 101, "see"));
    assert_eq!(stored(&server, &peer).len(), 1);
    assert_eq!(server.get(&format!("/api/messages/{id}")).1["status"], "Failed");
    peer.push(&file_message(101));
    server.until(&id, "Sent");
    assert_eq!(stored(&server, &peer).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_with_the_id_of_another_one_is_found_in_a_history() {
    let script: Script = Arc::new(|action| match action["action"].as_str() {
        Some("send_group_msg") if kind(action) == "text" => Reply::ok(json!({"message_id": 101})),
        Some("send_group_msg") => Reply::Silent,
        Some("get_group_msg_history") => {
            let now = rechat::clock::now();
            let mut entries = [
                own_message(ACCOUNT, 77, 50, "earlier"),
                own_message(ACCOUNT, 77, 101, "see"),
                file_message(101),
            ];
            for (entry, ago) in entries.iter_mut().zip([3_600, 0, 0]) {
                entry["time"] = json!(now - ago);
            }
            Reply::ok(json!({"messages": entries}))
        }
        Some("get_login_info") => Reply::ok(json!({"user_id": ACCOUNT, "nickname": "Me"})),
        _ => Reply::refused(1404, "no such action"),
    });
    let server = server_with(&format!("{HASTY}on_unknown = 'fail'\n"));
    let peer = implementation(&server, script).await;
    let mut live = group_message(ACCOUNT, 66, 9, "a clock");
    live["time"] = json!(rechat::clock::now());
    peer.push(&live);
    eventually("the clock is known", || {
        let (_, page) = server.get("/api/messages?conversation=group_66");
        (page["messages"].as_array().unwrap().len() == 1).then_some(())
    });
    let id = make_two_parts(&server);
    server.until(&id, "Sent");
    let sends = peer.actions().iter().filter(|action| action["action"] == "send_group_msg").count();
    assert_eq!(sends, 2);
    assert_eq!(stored(&server, &peer).len(), 1);
}
