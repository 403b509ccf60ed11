//! Forwards that a platform tells by their ID alone, opened when somebody asks.

use crate::onebot::{Peer, Reply, Script};
use crate::onebot11::{group_message, headers, willing};
use crate::server::{TestServer, eventually};
use serde_json::{Value, json};
use std::sync::Arc;

/// Knows one forward, `outer`, which has another one in it.
fn knows_a_forward() -> Script {
    let willing = willing();
    Arc::new(move |action| {
        if action["action"] != "get_forward_msg" {
            return willing(action);
        }
        match action["params"]["id"].as_str().unwrap() {
            "outer" => Reply::ok(json!({"messages": [
                {"sender": {"user_id": 5, "nickname": "Lin"}, "time": 1_700_000_000,
                 "message": [{"type": "text", "data": {"text": "one"}}]},
                {"sender": {"user_id": 6, "nickname": "Bo"}, "time": 1_700_000_001,
                 "message": [{"type": "forward", "data": {"id": "inner"}}]},
            ]})),
            _ => Reply::ok(json!({"messages": []})),
        }
    })
}

/// The ID of the message that came last, once there are so many.
fn newest(server: &TestServer, count: usize) -> String {
    eventually("it has come", || {
        let (_, page) = server.get("/api/messages");
        let messages = page["messages"].as_array().unwrap();
        (messages.len() == count).then(|| messages[0]["id"].as_str().unwrap().to_owned())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forward_is_opened_on_its_platform() {
    let server = TestServer::start();
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let peer =
        Peer::dial(&url, &headers("10001000", "Universal"), knows_a_forward()).await.unwrap();
    let mut event = group_message(10_001_000, 7, 1, "");
    event["message"] = json!([{"type": "forward", "data": {"id": "outer"}}]);
    peer.push(&event);
    let forward = newest(&server, 1);
    let open = |id: &str, query: &str| server.get(&format!("/api/messages/{id}/forward{query}"));
    let (status, opened) = open(&forward, "");
    assert_eq!(status, 200, "{opened}");
    let items = opened["items"].as_array().unwrap();
    assert_eq!(items[0]["sender"]["name"], "Lin");
    assert_eq!(items[0]["segments"], json!([{"type": "text", "text": "one"}]));
    assert_eq!(items[1]["segments"][0]["id"], "inner");
    // A forward that the platform no longer has is refused, in its words.
    let (status, refused) = open(&forward, "?forward=inner");
    assert_eq!((status, &refused["code"]), (502, &json!("refused")), "{refused}");
    assert_eq!(peer.action("get_forward_msg").await["params"]["id"], "outer");
    assert_eq!(peer.action("get_forward_msg").await["params"]["id"], "inner");
    assert_eq!(open(&forward, "?forward=").0, 400);

    peer.push(&group_message(10_001_000, 7, 2, "no forward"));
    let plain = newest(&server, 2);
    let (status, none) = open(&plain, "");
    assert_eq!((status, &none["code"]), (404, &json!("no_forward")), "{none}");
    assert_eq!(open("00000000-0000-4000-8000-000000000000", "").0, 404);

    peer.drop_connection();
    eventually("it is away", || {
        let (status, away) = open(&forward, "");
        (status == 503 && away["code"] == "not_connected").then_some(())
    });
}

#[test]
fn what_is_stored_of_a_forward_is_given_without_its_platform() {
    let server = TestServer::start();
    let item = |text: &str| {
        json!({"sender": {"id": "5", "name": "Lin"}, "created_at": 1_700_000_000,
               "segments": [{"type": "text", "text": text}]})
    };
    let inner = json!({"type": "forward", "id": "inner", "items": [item("deep")]});
    let mut holder = item("");
    holder["segments"] = json!([inner]);
    let outer = json!({"type": "forward", "id": "outer", "items": [item("first"), holder]});
    let body = json!({"platform": "nowhere", "recipient": "group_1", "segments": [outer]});
    let (status, made) = server.post(&body);
    assert_eq!(status, 201, "{made}");
    let path = format!("/api/messages/{}/forward", made["id"].as_str().unwrap());
    let texts = |query: &str| -> Vec<Value> {
        let (status, opened) = server.get(&format!("{path}{query}"));
        assert_eq!(status, 200, "{opened}");
        opened["items"].as_array().unwrap().iter().map(|item| item["segments"][0].clone()).collect()
    };
    assert_eq!(texts("")[0]["text"], "first");
    assert_eq!(texts("?forward=inner"), [json!({"type": "text", "text": "deep"})]);
}
