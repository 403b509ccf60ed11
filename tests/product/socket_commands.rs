//! Commands on the WebSocket, and their answers: contract, Part 1, and Part 2, items
//! 9, 12 and 14.

use crate::server::TestServer;
use crate::socket::{Client, send_message};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn nothing_comes_before_the_first_command() {
    let server = TestServer::start();
    let mut client = Client::connect(&server).await;
    server.make("group_1", "early");
    let answer = client.ask(&json!({"type": "subscribe", "platforms": ["qq"]})).await;
    assert_eq!(answer["status"], "subscribed", "the answer is the first frame: {answer}");
    server.make_for(Some("qq"), "group_1", "late");
    assert_eq!(client.until("late").await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_session_is_told_its_id_with_the_upgrade_and_with_each_ack() {
    let server = TestServer::start();
    let mut client = Client::connect(&server).await;
    let mut other = Client::connect(&server).await;
    let id: uuid::Uuid = client.session.parse().unwrap();
    for _ in 0..2 {
        let expected = json!({"type": "ack", "status": "subscribed", "session_id": id.to_string()});
        assert_eq!(client.ask(&json!({"type": "subscribe"})).await, expected);
    }
    let expected = json!({"type": "ack", "status": "unsubscribed"});
    assert_eq!(client.ask(&json!({"type": "unsubscribe"})).await, expected);
    let ack = other.ask(&json!({"type": "subscribe"})).await;
    assert_eq!(ack["session_id"], other.session);
    assert_ne!(client.session, other.session);
}

#[tokio::test]
async fn a_request_id_comes_back_as_it_was() {
    let server = TestServer::start();
    let mut client = Client::connect(&server).await;
    let commands = [
        (json!({"type": "subscribe"}), "ack"),
        (json!({"type": "unsubscribe"}), "ack"),
        (send_message("qq", "group_1", "x"), "ack"),
        (json!({"type": "send_message"}), "error"),
        (json!({"type": "subscribe", "platforms": 5}), "error"),
        (json!({"type": "dance"}), "error"),
        (json!({}), "error"),
    ];
    for (mut command, kind) in commands {
        for id in [json!("r-1"), json!(""), json!(7), json!(-1), json!(1.5), json!(u64::MAX)] {
            command["request_id"] = id.clone();
            let answer = client.ask(&command).await;
            assert_eq!((&answer["type"], &answer["request_id"]), (&json!(kind), &id), "{command}");
        }
        command.as_object_mut().unwrap().remove("request_id");
        assert!(client.ask(&command).await.get("request_id").is_none());
    }
    for odd in [json!(true), json!([1]), json!({"a": 1})] {
        let text = client.fails(&json!({"type": "subscribe", "request_id": odd})).await;
        assert!(text.contains("request_id"), "{text}");
    }
}

#[tokio::test]
async fn every_error_names_the_field_and_the_connection_survives_it() {
    let server = TestServer::start();
    let mut client = Client::connect(&server).await;
    assert_eq!(client.fails(&json!({"type": "send_message"})).await, "Missing data field");
    let data = |field: &str, value: Value| {
        let mut command = send_message("qq", "group_1", "x");
        match value {
            Value::Null => drop(command["data"].as_object_mut().unwrap().remove(field)),
            value => command["data"][field] = value,
        }
        command
    };
    let long = "x".repeat(100_000);
    let mut wrong = vec![
        (json!({"type": "send_message", "data": "x"}), "data"),
        (data("message_type", json!(5)), "message_type"),
        (data("message_type", json!("text")), "Text, Image, File, Video, or Audio"),
        (data("platform", json!(long)), "platform"),
        (data("conversation", json!(long)), "conversation"),
        (json!([]), "type"),
        (json!(null), "type"),
        (json!({}), "type"),
        (json!({"type": 5}), "type"),
        (json!({"type": "dance"}), "type"),
        (json!({"type": "Subscribe"}), "type"),
        (json!({"type": "subscribe", "since": -1}), "since"),
        (json!({"type": "subscribe", "since": 1.5}), "since"),
        (json!({"type": "subscribe", "since": "yesterday"}), "since"),
        (json!({"type": "subscribe", "since": []}), "since"),
        (json!({"type": "subscribe", "events": "message_status"}), "events"),
        (json!({"type": "subscribe", "events": ["weather"]}), "events"),
        (json!({"type": "unsubscribe", "events": [5]}), "events"),
    ];
    for field in ["platform", "conversation", "content"] {
        for value in [json!(null), json!(""), json!(5), json!([]), json!({})] {
            wrong.push((data(field, value), field));
        }
    }
    for kind in ["subscribe", "unsubscribe"] {
        for field in ["platforms", "conversations"] {
            for value in [json!("qq"), json!(5), json!([5]), json!([""]), json!({})] {
                wrong.push((json!({"type": kind, field: value}), field));
            }
        }
    }
    for (command, named) in wrong {
        let text = client.fails(&command).await;
        assert!(text.contains(named), "{command:.200}: {text}");
    }
    let (_, stats) = server.get("/api/stats");
    assert_eq!(stats["total"], 0, "nothing of it was stored");
    client.subscribe().await;
    server.make("group_1", "still here");
    assert_eq!(client.message().await["content"], "still here");
}

#[tokio::test]
async fn frames_that_are_no_json_or_no_text_are_answered_and_survived() {
    let server = TestServer::start();
    let mut client = Client::connect(&server).await;
    let garbage = [
        Message::text("hello"),
        Message::text(""),
        Message::text("{\"type\":\"subscribe\""),
        Message::text("{\"type\":\"subscribe\"} {}"),
        Message::text("\u{0}\u{1f9d1}"),
        Message::text("[".repeat(10_000)),
        Message::binary(b"{\"type\":\"subscribe\"}".to_vec()),
        Message::binary(vec![0xff; 1000]),
        Message::binary(Vec::new()),
    ];
    for frame in garbage {
        let is_binary = frame.is_binary();
        client.say_frame(frame).await;
        let answer = client.answer().await;
        assert_eq!(answer["type"], "error");
        let text = answer["error"].as_str().unwrap();
        assert!(text.contains(if is_binary { "binary" } else { "JSON" }), "{text}");
    }
    client.say_frame(Message::Ping(b"there?".to_vec().into())).await;
    client.subscribe().await;
}

#[tokio::test]
async fn a_frame_over_a_mebibyte_closes_the_connection_with_1009() {
    let server = TestServer::start();
    let mut largest = Client::connect(&server).await;
    let envelope = send_message("qq", "group_1", "").to_string().len();
    let content = "x".repeat((1 << 20) - envelope);
    largest.send("qq", "group_1", &content).await;
    for size in [(1 << 20) + 1, 5 << 20] {
        let mut client = Client::connect(&server).await;
        client.say_frame(Message::text(" ".repeat(size))).await;
        assert_eq!(client.closed().await.expect("a close frame").0, 1009);
    }
    largest.subscribe().await;
}

#[tokio::test]
async fn a_plain_get_is_told_to_upgrade() {
    let server = TestServer::start();
    let mut answer = crate::server::agent().get(server.url("/ws/client")).call().unwrap();
    assert_eq!(answer.status(), 426);
    assert_eq!(answer.headers()["upgrade"], "websocket");
    assert_eq!(answer.headers()["content-type"], "application/json");
    let error: Value = answer.body_mut().read_json().unwrap();
    assert!(error["error"].as_str().unwrap().contains("WebSocket"), "{error}");
}

#[tokio::test]
async fn a_sent_message_is_acknowledged_with_its_id_and_state() {
    let server = TestServer::start_with(&["--loopback"]);
    let mut client = Client::connect(&server).await;
    let ack = client.send("qq", "group_1", "waits").await;
    let id = ack["message_id"].as_str().unwrap();
    let expected =
        json!({"type": "ack", "status": "sent", "message_id": id, "message_status": "Pending"});
    assert_eq!(ack, expected);
    let (status, message) = server.get(&format!("/api/messages/{id}"));
    assert_eq!(status, 200);
    assert_eq!((&message["status"], &message["message_type"]), (&json!("Pending"), &json!("Text")));
    assert_eq!((&message["platform"], &message["recipient"]), (&json!("qq"), &json!("group_1")));

    let ack = client.send("loopback", "group_1", "goes").await;
    let id = ack["message_id"].as_str().unwrap();
    let expected =
        json!({"type": "ack", "status": "sent", "message_id": id, "message_status": "Sent"});
    assert_eq!(ack, expected);
    assert_eq!(server.get(&format!("/api/messages/{id}")).1["status"], "Sent");
}

#[tokio::test]
async fn each_type_of_message_can_be_sent_and_text_is_the_default() {
    let server = TestServer::start();
    let mut client = Client::connect(&server).await;
    client.subscribe().await;
    for kind in [None, Some("Text"), Some("Image"), Some("File"), Some("Video"), Some("Audio")] {
        let mut command = send_message("qq", "group_1", "https://x/y");
        if let Some(kind) = kind {
            command["data"]["message_type"] = json!(kind);
        }
        let ack = client.done(&command).await;
        let message = client.message().await;
        assert_eq!(message["id"], ack["message_id"]);
        assert_eq!(message["message_type"], kind.unwrap_or("Text"));
    }
}

#[tokio::test]
async fn own_messages_come_back_to_who_is_subscribed_to_them() {
    let server = TestServer::start();
    let mut client = Client::connect(&server).await;
    client.send("qq", "group_1", "before").await;
    client.done(&json!({"type": "subscribe", "conversations": ["group_1"]})).await;
    client.send("qq", "group_2", "elsewhere").await;
    let ack = client.send("qq", "group_1", "mine").await;
    let message = client.message().await;
    assert_eq!(message["id"], ack["message_id"]);
    let expected = json!({
        "id": ack["message_id"], "platform": "qq", "conversation": "group_1", "content": "mine",
        "message_type": "Text", "created_at": message["created_at"], "seq": message["seq"],
    });
    assert_eq!(message, expected, "Part 1's fields and `seq`, no more");
    assert!(message["created_at"].is_u64() && message["seq"].is_u64());
}

#[tokio::test]
async fn a_farewell_is_answered() {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;
    let server = TestServer::start();
    let url = format!("ws://{}/ws/client", server.address);
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    socket.send(Message::Close(None)).await.unwrap();
    let answer = socket.next().await;
    assert!(matches!(answer, Some(Ok(Message::Close(_)))), "{answer:?}");
}
