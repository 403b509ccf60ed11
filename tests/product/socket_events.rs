//! Events of adapters and messages, for the sessions that they concern: contract, Part 2,
//! items 11 and 16.

use crate::onebot::{Listener, Peer, Reply, Script};
use crate::onebot11;
use crate::server::{Home, TestServer};
use crate::socket::{Client, send_message};
use serde_json::{Value, json};
use std::sync::Arc;

/// The pair of a message that says: until here.
fn at_the_end() -> Value {
    json!({"type": "subscribe", "platforms": ["end"], "conversations": ["end"]})
}

async fn dial(server: &TestServer, account: &str) -> Peer {
    dial_as(server, account, onebot11::willing()).await
}

async fn dial_as(server: &TestServer, account: &str, script: Script) -> Peer {
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let headers = onebot11::headers(account, "Universal");
    Peer::dial(&url, &headers, script).await.unwrap()
}

/// Waits until the next change of an adapter's state, which has to be this.
async fn adapter_is(client: &mut Client, account: &str, state: &str) {
    let status = client.event("adapter_status").await;
    assert_eq!(status["platform"], "qq");
    assert_eq!(status["account"], account, "{status}");
    assert_eq!((&status["status"], &status["content"]), (&json!(state), &json!(state)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn adapters_that_come_and_go_are_told_to_whoever_watches_their_platform() {
    let server = TestServer::start();
    let mut watching = Vec::new();
    for (platforms, conversations) in [
        (json!([]), json!([])),
        (json!(["qq"]), json!([])),
        (json!(["qq"]), json!(["nowhere"])),
        (json!([]), json!(["nowhere"])),
        (json!(["qq", "*"]), json!(["a", "b"])),
    ] {
        let wanted = [
            json!({"type": "subscribe", "platforms": platforms, "conversations": conversations}),
            // An event that matches twice is told once.
            json!({"type": "subscribe", "platforms": ["qq"], "conversations": ["x", "y"]}),
        ];
        let mut client = Client::connect(&server).await;
        for command in &wanted {
            client.done(command).await;
        }
        watching.push(client);
    }
    let mut of_others = Client::connect(&server).await;
    of_others.done(&json!({"type": "subscribe", "platforms": ["wechat"]})).await;
    let mut gone = Client::connect(&server).await;
    gone.subscribe().await;
    gone.done(&json!({"type": "unsubscribe"})).await;
    let mut silent = Client::connect(&server).await;

    let first = dial(&server, "10001").await;
    for client in &mut watching {
        adapter_is(client, "10001", "Connected").await;
    }
    let second = dial(&server, "10002").await;
    for client in &mut watching {
        adapter_is(client, "10002", "Connected").await;
    }
    first.drop_connection();
    for client in &mut watching {
        adapter_is(client, "10001", "Disconnected").await;
    }
    second.drop_connection();
    for client in &mut watching {
        adapter_is(client, "10002", "Disconnected").await;
    }

    for client in watching.iter_mut().chain([&mut of_others, &mut gone, &mut silent]) {
        client.done(&at_the_end()).await;
    }
    server.make_for(Some("end"), "end", "the end");
    for client in watching.iter_mut().chain([&mut of_others, &mut gone, &mut silent]) {
        assert_eq!(client.until("the end").await, [] as [Value; 0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_implementation_that_is_dialled_again_is_told_step_by_step() {
    let listener = Listener::new(None).await;
    let home = Home::new();
    let url = listener.url();
    home.configure(&format!("[[adapter]]\nkind = 'onebot11'\nurl = '{url}'\nreconnect = 0.01"));
    let server = TestServer::start_in(Arc::new(home), &[]);
    let peer = listener.accept(onebot11::willing()).await;
    peer.push(&onebot11::lifecycle(10_001));
    let mut client = Client::connect(&server).await;
    client.subscribe().await;
    peer.drop_connection();
    // The beginning may have been told to this session or before it.
    while client.event("adapter_status").await["status"] != "Disconnected" {}
    adapter_is(&mut client, "10001", "Connecting").await;
    let again = listener.accept(onebot11::willing()).await;
    again.push(&onebot11::lifecycle(10_001));
    adapter_is(&mut client, "10001", "Connected").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_implementation_receives_is_pushed_with_its_sender() {
    let server = TestServer::start();
    let peer = dial(&server, "10001").await;
    let mut client = Client::connect(&server).await;
    client
        .done(&json!({"type": "subscribe", "platforms": ["qq"], "conversations": ["group_77"]}))
        .await;
    peer.push(&onebot11::group_message(10_001, 78, 1, "of another group"));
    peer.push(&onebot11::group_message(10_001, 77, 2, "hello"));
    let mut frames = Vec::new();
    while frames.iter().all(|frame: &Value| frame["type"] != "new_message") {
        frames.push(client.next().await);
    }
    let message = &frames.last().unwrap()["data"];
    assert_eq!(
        (&message["conversation"], &message["content"]),
        (&json!("group_77"), &json!("hello"))
    );
    assert_eq!(message["sender"], json!({"id": "4242", "name": "Card"}));
    assert_eq!(message["conversation_name"], "Group 77");
    assert_eq!(message["direction"], "Inbound");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_platform_does_not_take_is_an_error_with_the_id_of_the_stored_message() {
    let home = Home::new();
    home.configure("[outbox]\nack_seconds = 5");
    let server = TestServer::start_in(Arc::new(home), &[]);
    let willing = onebot11::willing();
    let script = Arc::new(move |action: &Value| match action["params"]["group_id"].as_u64() {
        Some(1) => Reply::refused(1400, "no such group"),
        Some(2) => Reply::Silent,
        _ => willing(action),
    });
    let _peer = dial_as(&server, "10001", script).await;
    let mut client = Client::connect(&server).await;
    for (conversation, state) in
        [("group_1", Some("Failed")), ("group_2", None), ("nobody", Some("Failed"))]
    {
        let mut command = send_message("qq", conversation, "hi");
        command["request_id"] = json!(conversation);
        let answer = client.ask(&command).await;
        assert_eq!(
            (&answer["type"], &answer["request_id"]),
            (&json!("error"), &json!(conversation))
        );
        assert!(answer["error"].as_str().is_some_and(|text| !text.is_empty()), "{answer}");
        let id = answer["message_id"].as_str().expect("the message is named");
        let (found, message) = server.get(&format!("/api/messages/{id}"));
        assert_eq!((found, &message["recipient"]), (200, &json!(conversation)));
        if let Some(state) = state {
            assert_eq!(message["status"], state, "{message}");
        }
    }
    let ack = client.send("qq", "group_3", "hi").await;
    assert_eq!(ack["message_status"], "Sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_waits_behind_another_is_no_silence_of_the_platform() {
    let home = Home::new();
    home.configure("[outbox]\nack_seconds = 1");
    let server = TestServer::start_in(Arc::new(home), &[]);
    let willing = onebot11::willing();
    let script = Arc::new(move |action: &Value| match &action["params"]["group_id"] {
        group if *group == json!(2) => Reply::Silent,
        _ => willing(action),
    });
    let _peer = dial_as(&server, "10001", script).await;
    let mut client = Client::connect(&server).await;
    let silent = client.ask(&send_message("qq", "group_2", "nobody answers this one")).await;
    assert!(silent["error"].as_str().unwrap().contains("did not answer within 1 s"), "{silent}");
    let waits = client.send("qq", "group_2", "and this one waits").await;
    assert_eq!(waits["message_status"], "Pending", "{waits}");
}

const STATUS: &str = "message_status";

#[tokio::test]
async fn changes_of_status_are_told_once_to_those_who_asked_and_by_their_pairs() {
    let server = TestServer::start();
    let mut asked = Client::connect(&server).await;
    asked.done(&json!({"type": "subscribe", "platforms": ["qq"], "events": [STATUS]})).await;
    asked.done(&json!({"type": "subscribe", "conversations": ["group_1"]})).await;
    let mut elsewhere = Client::connect(&server).await;
    elsewhere.done(&json!({"type": "subscribe", "platforms": ["tg"], "events": [STATUS]})).await;
    let mut plain = Client::connect(&server).await;
    plain.subscribe().await;

    let id = server.make_for(Some("qq"), "group_1", "x");
    assert_eq!(asked.message().await["id"], *id);
    for state in ["Canceled", "Failed"] {
        let path = format!("/api/messages/{id}");
        let (_, message) = server.ask("PATCH", &path, Some(&json!({"status": state})));
        let status = asked.event(STATUS).await;
        assert_eq!((&status["id"], &status["status"]), (&json!(id), &json!(state)));
        assert_eq!(status["retry_count"], message["retry_count"]);
        assert_eq!(status["updated_at"], message["updated_at"]);
    }
    for client in [&mut asked, &mut elsewhere] {
        client.done(&at_the_end()).await;
    }
    server.make_for(Some("end"), "end", "the end");
    assert_eq!(asked.until("the end").await, [] as [Value; 0], "nothing twice");
    assert_eq!(elsewhere.until("the end").await, [] as [Value; 0]);
    assert_eq!(plain.message().await["id"], *id);
    assert_eq!(plain.until("the end").await, [] as [Value; 0], "it did not ask");
}

#[tokio::test]
async fn unsubscribing_from_the_events_ends_them_and_keeps_the_pairs() {
    let server = TestServer::start();
    let mut client = Client::connect(&server).await;
    client.done(&json!({"type": "subscribe", "events": [STATUS]})).await;
    let id = server.make_for(Some("qq"), "group_1", "x");
    let path = format!("/api/messages/{id}");
    server.ask("PATCH", &path, Some(&json!({"status": "Failed"})));
    assert_eq!(client.message().await["id"], *id);
    assert_eq!(client.event(STATUS).await["status"], "Failed");
    client.done(&json!({"type": "unsubscribe", "events": [STATUS]})).await;
    server.ask("PATCH", &path, Some(&json!({"status": "Sent"})));
    server.make_for(Some("qq"), "group_1", "after");
    assert_eq!(client.until("after").await, [] as [Value; 0]);
    client.done(&json!({"type": "subscribe", "events": [STATUS]})).await;
    server.ask("PATCH", &path, Some(&json!({"status": "Canceled"})));
    assert_eq!(client.event(STATUS).await["status"], "Canceled");
}

#[tokio::test]
async fn a_message_that_is_sent_is_followed_to_its_end() {
    let server = TestServer::start_with(&["--loopback"]);
    let mut client = Client::connect(&server).await;
    let with_events = json!({"type": "subscribe", "platforms": ["loopback"], "events": [STATUS]});
    client.done(&with_events).await;
    let id = server.make_for(Some("loopback"), "group_1", "x");
    let mut states = Vec::new();
    while states.last().is_none_or(|state| state != "Sent") {
        let frame = client.next().await;
        if frame["type"] == STATUS {
            assert_eq!(frame["data"]["id"], *id);
            states.push(frame["data"]["status"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(states, ["Sending", "Sent"]);
}
