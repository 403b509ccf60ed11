//! Part 1's table of HTTP, row by row.

use crate::server::{DEADLINE, TestServer};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

fn fields(value: &Value) -> Vec<&str> {
    let mut names: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_message_is_made_with_exactly_the_eight_fields() {
    let server = TestServer::start();
    let body =
        json!({"message_type": "Image", "content": "https://x/y.png", "recipient": "group_1"});
    let (status, made) = server.post(&body);
    assert_eq!(status, 201);
    let eight = [
        "content",
        "created_at",
        "id",
        "message_type",
        "recipient",
        "retry_count",
        "status",
        "updated_at",
    ];
    assert_eq!(fields(&made), eight);
    assert_eq!(made["status"], "Pending");
    assert_eq!(made["retry_count"], 0);
    assert_eq!(made["message_type"], "Image");
    let id: uuid::Uuid = made["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(id.get_version_num(), 4);
    let (status, mut read) = server.get(&format!("/api/messages/{id}"));
    assert_eq!(status, 200);
    let waiting = read.as_object_mut().unwrap().remove("waiting").unwrap();
    assert_eq!(read.as_object_mut().unwrap().remove("waiting_code").unwrap(), "no_platform");
    assert!(waiting.as_str().unwrap().contains("`platform`"), "{waiting}");
    let segments = read.as_object_mut().unwrap().remove("segments").unwrap();
    assert_eq!(segments, json!([{"type": "image", "url": made["content"]}]));
    assert_eq!(read, made);
}

#[test]
fn the_literals_of_the_document_are_answered() {
    let server = TestServer::start();
    let (status, error) =
        server.post(&json!({"message_type": "text", "content": "x", "recipient": "y"}));
    assert_eq!(status, 400);
    assert_eq!(
        error,
        json!({"error": "Invalid message type. Use Text, Image, File, Video, or Audio"})
    );
    let id = server.make("group_1", "hello");
    let path = format!("/api/messages/{id}");
    let (status, error) = server.ask("PATCH", &path, Some(&json!({"status": "canceled"})));
    assert_eq!(status, 400);
    let text = "Invalid status. Use Pending, Sending, Sent, Failed, or Canceled";
    assert_eq!(error, json!({"error": text}));
    let (status, changed) = server.ask("PATCH", &path, Some(&json!({"status": "Canceled"})));
    assert_eq!((status, &changed["status"]), (200, &json!("Canceled")));
    assert_eq!(server.ask("DELETE", &path, None), (200, json!({"deleted": true})));
    let gone = (404, json!({"error": "Message not found"}));
    assert_eq!(server.get(&path), gone);
    assert_eq!(server.ask("DELETE", &path, None), gone);
    assert_eq!(server.ask("PATCH", &path, Some(&json!({"status": "Sent"}))), gone);
    assert_eq!(server.get("/api/messages/no-uuid"), gone);
    assert_eq!(server.get("/api/health"), (200, json!({"status": "ok"})));
    let none = json!({"pending":0,"sending":0,"sent":0,"failed":0,"canceled":0,"total":0});
    assert_eq!(server.get("/api/stats"), (200, none));
}

#[test]
fn every_move_between_the_five_states_is_allowed() {
    let server = TestServer::start();
    let states = ["Pending", "Sending", "Sent", "Failed", "Canceled"];
    let path = format!("/api/messages/{}", server.make_for(Some("nowhere"), "group_1", "x"));
    for from in states {
        for to in states {
            for wanted in [from, to] {
                let (status, message) =
                    server.ask("PATCH", &path, Some(&json!({"status": wanted})));
                assert_eq!((status, &message["status"]), (200, &json!(wanted)), "{from} to {to}");
            }
        }
    }
}

#[test]
fn a_status_is_set_only_from_the_states_that_are_named() {
    let server = TestServer::start();
    let path = format!("/api/messages/{}", server.make_for(Some("nowhere"), "group_1", "x"));
    let change = |body: Value| server.ask("PATCH", &path, Some(&body));
    let again = json!({"status": "Pending", "if_status": ["Failed", "Canceled"]});
    let (status, refused) = change(again.clone());
    assert_eq!((status, &refused["code"]), (409, &json!("other_status")), "{refused}");
    assert_eq!(change(json!({"status": "Failed", "if_status": ["Pending"]})).0, 200);
    assert_eq!(change(again).1["status"], "Pending");
    assert_eq!(change(json!({"status": "Failed", "if_status": ["pending"]})).0, 400);
    assert_eq!(change(json!({"status": "Failed", "if_status": []})).0, 409);
    assert_eq!(server.get(&path).1["status"], "Pending");
}

#[test]
fn pages_go_from_the_newest() {
    let server = TestServer::start();
    let ids: Vec<_> = (0..7).map(|i| server.make("group_1", &format!("m{i}"))).collect();
    let page = |path: &str| {
        let (status, page) = server.get(path);
        assert_eq!(status, 200, "{page}");
        let found = page["messages"].as_array().unwrap();
        let contents: Vec<_> =
            found.iter().map(|m| m["content"].as_str().unwrap().to_owned()).collect();
        (contents.join(" "), page["offset"].clone(), page["limit"].clone())
    };
    assert_eq!(page("/api/messages"), ("m6 m5 m4 m3 m2 m1 m0".into(), json!(0), json!(50)));
    assert_eq!(page("/api/messages?limit=2"), ("m6 m5".into(), json!(0), json!(2)));
    assert_eq!(page("/api/messages?limit=2&offset=3"), ("m3 m2".into(), json!(3), json!(2)));
    assert_eq!(page("/api/messages?limit=0"), (String::new(), json!(0), json!(0)));
    assert_eq!(page("/api/messages?limit=999").2, json!(200));
    assert_eq!(page(&format!("/api/messages?before={}&limit=2", ids[4])).0, "m3 m2");
    assert_eq!(page("/api/messages?before=3").0, "m1 m0");
    server.ask("PATCH", &format!("/api/messages/{}", ids[1]), Some(&json!({"status": "Failed"})));
    assert_eq!(page("/api/messages?status=Failed").0, "m1");
    assert_eq!(page("/api/messages?status=Pending&limit=1&offset=5").0, "m0");
    assert_eq!(page("/api/messages?conversation=group_1&platform=local&limit=1").0, "m6");
    assert_eq!(page("/api/messages?conversation=group_2").0, "");
    assert_eq!(page("/api/messages?direction=Inbound").0, "");
}

#[test]
fn what_cannot_be_read_is_a_400_that_names_it() {
    let server = TestServer::start();
    let unknown = "/api/messages?before=6f0a0c1e-8f5c-4c8e-9a54-7b1e43a8a5b0";
    for (path, named) in [
        ("/api/messages?limit=x", "limit"),
        ("/api/messages?limit=-1", "limit"),
        ("/api/messages?offset=1.5", "offset"),
        ("/api/messages?status=sent", "status"),
        ("/api/messages?direction=in", "direction"),
        (unknown, "before"),
    ] {
        let (status, error) = server.get(path);
        let text = error["error"].as_str().unwrap();
        assert!(status == 400 && text.contains(named), "{path}: {status} {text}");
    }
    for (body, named) in [
        (json!({"content": "x", "recipient": "y"}), "message_type"),
        (json!({"message_type": "Text", "recipient": "y"}), "content"),
        (json!({"message_type": "Text", "content": "x"}), "recipient"),
        (json!({"message_type": "Text", "content": "", "recipient": "y"}), "content"),
        (json!({"message_type": "Text", "content": "x", "recipient": ""}), "recipient"),
        (json!({"message_type": "Text", "content": 5, "recipient": "y"}), "content"),
        (
            json!({"message_type": "Text", "content": "x", "recipient": "y", "platform": 1}),
            "platform",
        ),
    ] {
        let (status, error) = server.post(&body);
        let text = error["error"].as_str().unwrap();
        assert!(status == 400 && text.contains(named), "{body}: {status} {text}");
    }
}

#[test]
fn an_idempotency_key_makes_a_message_once() {
    let mut server = TestServer::start();
    let post = |server: &TestServer, content: &str| {
        let mut answer = crate::server::agent()
            .post(server.url("/api/messages"))
            .header("idempotency-key", "k1")
            .send_json(json!({"message_type": "Text", "content": content, "recipient": "group_1"}))
            .unwrap();
        (answer.status().as_u16(), answer.body_mut().read_json::<Value>().unwrap())
    };
    let first = post(&server, "once");
    assert_eq!(first.0, 201);
    assert_eq!(post(&server, "once"), first);
    assert_eq!(post(&server, "other").0, 409);
    server.kill();
    server.start_again();
    assert_eq!(post(&server, "once"), first);
    assert_eq!(server.get("/api/stats").1["total"], 1);
}

/// The bytes that come after a request whose client then sends nothing more.
fn half_closed(server: &TestServer, request: &str) -> String {
    let mut client = TcpStream::connect(&server.address).unwrap();
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    client.write_all(request.as_bytes()).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_client_that_has_closed_its_side_gets_its_answer() {
    let server = TestServer::start();
    let content = "x".repeat(4_000);
    for _ in 0..100 {
        server.make_for(Some("qq"), "group_1", &content);
    }
    let host = &server.address;
    for version in ["1.0", "1.1"] {
        let get = |path: &str| {
            half_closed(&server, &format!("GET {path} HTTP/{version}\r\nHost: {host}\r\n\r\n"))
        };
        let stats = get("/api/stats");
        assert!(stats.contains(" 200 ") && stats.contains("\"total\":"), "{stats}");
        // It goes out in several pieces.
        let list = get("/api/messages?limit=100");
        assert!(list.contains(" 200 ") && list.contains("\"limit\":100}"), "it is whole");
        let body = json!({"message_type": "Text", "content": "hi", "recipient": "group_2"});
        let (body, length) = (body.to_string(), body.to_string().len());
        let head = format!("POST /api/messages HTTP/{version}\r\nHost: {host}\r\n");
        let head = format!("{head}Content-Type: application/json\r\nContent-Length: {length}\r\n");
        let made = half_closed(&server, &format!("{head}\r\n{body}"));
        assert!(made.contains(" 201 ") && made.contains("\"content\":\"hi\""), "{made}");
    }
    let stream = half_closed(&server, &format!("GET /api/stream HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    assert!(stream.contains(" 200 "), "a stream without an end ends there: {stream}");
}
