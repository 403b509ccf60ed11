//! Events and cursors: contract, item 29.

use crate::onebot::Peer;
use crate::onebot11;
use crate::server::TestServer;
use crate::socket::{Client, send_message};
use serde_json::{Value, json};

/// Kinds of events, and all together.
fn subscribe(events: &[&str]) -> Value {
    json!({"type": "subscribe", "events": events})
}

/// The kinds of frames that came, in order.
fn kinds(frames: &[Value]) -> Vec<&str> {
    frames.iter().map(|frame| frame["type"].as_str().unwrap()).collect()
}

async fn frames(client: &mut Client, count: usize) -> Vec<Value> {
    let mut frames = Vec::new();
    for _ in 0..count {
        frames.push(client.next().await);
    }
    frames
}

fn path(id: &str) -> String {
    format!("/api/messages/{id}")
}

fn cancel(server: &TestServer, id: &str) {
    let canceled = json!({"status": "Canceled"});
    assert_eq!(server.ask("PATCH", &path(id), Some(&canceled)).0, 200);
}

fn delete(server: &TestServer, id: &str) {
    assert_eq!(server.ask("DELETE", &path(id), None).0, 200);
}

#[tokio::test]
async fn a_session_that_asks_for_events_gets_cursors_and_another_one_does_not() {
    let server = TestServer::start();
    let mut plain = Client::connect(&server).await;
    let ack = plain.done(&json!({"type": "subscribe"})).await;
    assert!(ack.get("cursor").is_none(), "{ack}");
    let mut events = Client::connect(&server).await;
    let ack = events.done(&subscribe(&["message_status", "message_deleted"])).await;
    assert!(ack["cursor"].is_string() && ack["session_id"] == events.session, "{ack}");
    let id = server.make_for(Some("qq"), "group_1", "one");
    cancel(&server, &id);
    delete(&server, &id);
    let told = frames(&mut events, 3).await;
    assert_eq!(kinds(&told), ["new_message", "message_status", "message_deleted"]);
    assert!(told.iter().all(|frame| frame["cursor"].is_string()), "{told:?}");
    let data = json!({"id": id, "platform": "qq", "conversation": "group_1", "seq": 1});
    assert_eq!(told[2]["data"], data);
    server.make("group_1", "the end");
    let seen = plain.until("the end").await;
    assert_eq!(kinds(&seen), ["new_message"]);
    assert!(seen[0].get("cursor").is_none(), "{seen:?}");
}

#[tokio::test]
async fn a_cursor_brings_what_was_missed_in_order_and_once() {
    let mut server = TestServer::start();
    let mut client = Client::connect(&server).await;
    let wanted = ["message_status", "message_deleted"];
    let ack = client.done(&subscribe(&wanted)).await;
    let before = ack["cursor"].clone();
    let ids = ["a", "b", "c"].map(|content| server.make_for(Some("qq"), "group_1", content));
    let known = frames(&mut client, 3).await;
    drop(client);
    cancel(&server, &ids[0]);
    delete(&server, &ids[1]);
    assert_eq!(server.stop(), Some(0));
    server.start_again();
    let last = server.make_for(Some("qq"), "group_1", "d");
    let since_then =
        [("message_status", &ids[0]), ("message_deleted", &ids[1]), ("new_message", &last)];
    let since_ever =
        [&[("new_message", &ids[0]), ("new_message", &ids[2])], &since_then[..]].concat();
    let mut clients = Vec::new();
    for (cursor, expected) in [(&known[2]["cursor"], &since_then[..]), (&before, &since_ever)] {
        let mut client = Client::connect(&server).await;
        let mut command = subscribe(&wanted);
        command["cursor"] = cursor.clone();
        command["request_id"] = json!(7);
        let ack = client.done(&command).await;
        assert_eq!((&ack["cursor"], &ack["request_id"]), (cursor, &json!(7)));
        for (kind, id) in expected {
            let frame = client.next().await;
            assert_eq!((&frame["type"], &frame["data"]["id"]), (&json!(kind), &json!(id)));
        }
        clients.push(client);
    }
    server.make_for(Some("qq"), "group_1", "live");
    for client in &mut clients {
        assert_eq!(client.until("live").await, [] as [Value; 0]);
    }
}

#[tokio::test]
async fn a_cursor_that_cannot_be_honoured_subscribes_to_nothing() {
    let server = TestServer::start();
    server.make("group_1", "one");
    let mut client = Client::connect(&server).await;
    for (field, place) in [("cursor", json!("00000000000000aa-1")), ("since", json!(99))] {
        let mut command =
            json!({"type": "subscribe", "events": ["message_status"], "request_id": "r"});
        command[field] = place;
        let answer = client.ask(&command).await;
        assert_eq!((&answer["type"], &answer["code"]), (&json!("error"), &json!("cursor_gone")));
        assert_eq!(answer["request_id"], "r");
        assert!(answer["error"].as_str().unwrap().contains(field), "{answer}");
    }
    let answer = client.ask(&json!({"type": "subscribe", "cursor": "nonsense"})).await;
    assert!(answer["error"].as_str().unwrap().contains("`cursor`"), "{answer}");
    assert_eq!(answer["code"], "cursor_gone", "to its client a cursor is opaque");
    server.make("group_1", "unseen");
    client.subscribe().await;
    server.make("group_1", "the end");
    assert_eq!(client.until("the end").await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_conversation_is_told_as_it_is_listed_and_not_once_it_has_no_messages() {
    let server = TestServer::start();
    let mut client = Client::connect(&server).await;
    let wanted = subscribe(&["conversation_updated", "message_deleted"]);
    let before = client.done(&wanted).await["cursor"].clone();
    let gone = server.make("group_1", "x");
    let told = frames(&mut client, 2).await.remove(1);
    assert_eq!(told["type"], "conversation_updated", "{told}");
    // One that no platform has yet, too.
    assert_eq!(
        (&told["data"]["platform"], &told["data"]["last_seq"]),
        (&json!("local"), &json!(1))
    );
    delete(&server, &gone);
    let end = server.make("group_2", "y");
    let mut again = wanted.clone();
    again["cursor"] = before;
    let mut late = Client::connect(&server).await;
    late.done(&again).await;
    let told = frames(&mut late, 3).await;
    assert_eq!(kinds(&told), ["message_deleted", "new_message", "conversation_updated"]);
    assert_eq!(
        (&told[1]["data"]["id"], &told[2]["data"]["conversation"]),
        (&json!(end), &json!("group_2"))
    );
}

#[tokio::test]
async fn unsubscribing_events_ends_them_and_leaves_the_messages() {
    let server = TestServer::start();
    let mut client = Client::connect(&server).await;
    client.done(&subscribe(&["*"])).await;
    let id = server.make_for(Some("qq"), "group_1", "one");
    cancel(&server, &id);
    let events = ["message_status", "message_deleted", "conversation_updated"];
    client.done(&json!({"type": "unsubscribe", "events": events})).await;
    cancel(&server, &server.make_for(Some("qq"), "group_1", "two"));
    delete(&server, &id);
    server.make("group_1", "the end");
    let seen = client.until("the end").await;
    let mut seen = kinds(&seen);
    seen.retain(|kind| *kind != "conversation_updated");
    assert_eq!(seen, ["new_message", "message_status", "new_message"]);
}

#[tokio::test]
async fn asking_for_a_kind_with_an_older_cursor_brings_that_kind_alone_again() {
    let server = TestServer::start();
    let mut client = Client::connect(&server).await;
    let ack = client.done(&subscribe(&[])).await;
    let id = server.make_for(Some("qq"), "group_1", "one");
    cancel(&server, &id);
    assert_eq!(client.message().await["content"], "one");
    let command =
        json!({"type": "subscribe", "events": ["message_status"], "cursor": ack["cursor"]});
    client.done(&command).await;
    server.make("group_1", "the end");
    let seen = client.until("the end").await;
    assert_eq!(kinds(&seen), ["message_status"]);
}

#[tokio::test]
async fn since_and_events_together_replay_messages_and_then_everything() {
    let server = TestServer::start();
    let ids: Vec<_> =
        (0..4).map(|i| server.make_for(Some("qq"), "group_1", &format!("m{i}"))).collect();
    let mut client = Client::connect(&server).await;
    let command = json!({"type": "subscribe", "events": ["message_status"], "since": 1});
    client.done(&command).await;
    let first = client.next().await;
    assert_eq!(first["data"]["content"], "m1");
    drop(client);
    cancel(&server, &ids[0]);
    let mut client = Client::connect(&server).await;
    let command =
        json!({"type": "subscribe", "events": ["message_status"], "cursor": first["cursor"]});
    client.done(&command).await;
    server.make("group_1", "the end");
    let seen = client.until("the end").await;
    let seen: Vec<_> = seen.iter().map(|frame| &frame["data"]["id"]).collect();
    assert_eq!(
        seen,
        [&json!(ids[2]), &json!(ids[3]), &json!(ids[0])],
        "the rest of the replay first"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_whose_platform_is_found_later_is_told_to_be_updated() {
    let server = TestServer::start();
    let mut client = Client::connect(&server).await;
    client.done(&subscribe(&["message_updated"])).await;
    let id = server.make("group_1", "whose?");
    assert_eq!(client.message().await["platform"], "local");
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let headers = onebot11::headers("10001", "Universal");
    let _peer = Peer::dial(&url, &headers, onebot11::willing()).await.unwrap();
    loop {
        let frame = client.next().await;
        if frame["type"] == "message_updated" {
            let data = &frame["data"];
            assert_eq!(data["id"], *id);
            assert_eq!(
                (&data["platform"], &data["conversation"]),
                (&json!("qq"), &json!("group_1"))
            );
            assert_eq!(
                (&data["recipient"], &data["message_type"]),
                (&json!("group_1"), &json!("Text"))
            );
            return;
        }
    }
}

#[tokio::test]
async fn a_busy_conversation_is_told_once_a_second_and_at_last_as_it_is() {
    const COUNT: u64 = 400;
    let server = TestServer::start();
    let mut client = Client::connect(&server).await;
    client.done(&subscribe(&["conversation_updated"])).await;
    let started = std::time::Instant::now();
    let writer = Client::connect(&server).await;
    writer.send_all((0..COUNT).map(|i| send_message("qq", "group_1", &format!("{i}")))).await;
    let (mut updates, mut messages) = (0, 0);
    loop {
        let frame = client.next().await;
        if frame["type"] == "new_message" {
            messages += 1;
            continue;
        }
        updates += 1;
        assert_eq!(frame["data"]["conversation"], "group_1", "{frame}");
        if frame["data"]["last_seq"] == COUNT && messages == COUNT {
            break;
        }
    }
    let seconds = started.elapsed().as_secs();
    assert!((1..=seconds + 2).contains(&updates), "{updates} in {seconds} s");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_session_has_every_event_in_order() {
    const COUNT: usize = 1500;
    let home = crate::server::Home::new();
    home.configure("[limits]\nsession_frames = 16\nsession_bytes = 65536\n");
    let server = TestServer::start_in(std::sync::Arc::new(home), &[]);
    let mut slow = Client::connect_small(&server).await;
    slow.done(&subscribe(&["message_status", "message_deleted"])).await;
    let content = "x".repeat(2000);
    let writer = Client::connect(&server).await;
    let ids = writer.send_all((0..COUNT).map(|_| send_message("qq", "group_1", &content))).await;
    for id in ids.iter().step_by(50) {
        cancel(&server, id);
    }
    delete(&server, ids.last().unwrap());
    let mut last = String::new();
    let (mut seqs, mut canceled) = (Vec::new(), Vec::new());
    loop {
        let frame = slow.next().await;
        let cursor = frame["cursor"].as_str().unwrap().to_owned();
        let offset =
            |cursor: &str| u64::from_str_radix(cursor.rsplit('-').next().unwrap(), 16).unwrap();
        assert!(last.is_empty() || offset(&cursor) > offset(&last), "{last}, then {cursor}");
        last = cursor;
        match frame["type"].as_str().unwrap() {
            "new_message" => seqs.push(frame["data"]["seq"].as_u64().unwrap()),
            "message_status" => canceled.push(frame["data"]["id"].as_str().unwrap().to_owned()),
            "message_deleted" => break assert_eq!(frame["data"]["id"], *ids.last().unwrap()),
            other => panic!("{other}"),
        }
    }
    let whole = COUNT as u64;
    // The last one may have been deleted before it was its turn.
    assert!(
        seqs.iter().copied().eq(1..=whole) || seqs.iter().copied().eq(1..whole),
        "a gap or a double"
    );
    assert!(canceled.iter().eq(ids.iter().step_by(50)), "{canceled:?}");
}
