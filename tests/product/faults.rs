//! Implementations and clients that misbehave: the worst of it is a line in the log.

use crate::onebot::{Peer, Script};
use crate::onebot11::{group_message, headers, willing};
use crate::onebot12;
use crate::server::{DEADLINE, Home, TestServer, eventually};
use serde_json::json;
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use tokio::net::TcpSocket;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, client_async};

const MIB: u64 = 1 << 20;

fn configured(text: &str) -> TestServer {
    let home = Arc::new(Home::new());
    home.configure(text);
    TestServer::start_in(home, &[])
}

async fn dial(server: &TestServer, account: &str, script: Script) -> Peer {
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    Peer::dial(&url, &headers(account, "Universal"), script).await.unwrap()
}

/// The upgrade that begins a connection, as plain text.
fn upgrade(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         X-Self-ID: 1\r\nX-Client-Role: Universal\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

fn connect(server: &TestServer) -> TcpStream {
    let stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

fn inbound(server: &TestServer) -> u64 {
    server.get("/api/stats").1["sent"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adapter_that_floods_costs_no_memory_and_stops_nobody() {
    const FLOOD: u16 = 50_000;
    /// All that comes in would be six times as much.
    const BOUND: u64 = 8 * MIB;
    let server = configured("[store]\ncache_bytes = 2097152\n");
    let flooding = dial(&server, "1", willing()).await;
    let url = format!("ws://{}/onebot/v12/ws", server.address);
    let calm = Peer::dial(&url, &onebot12::HEADERS, onebot12::willing()).await.unwrap();
    calm.push(&onebot12::status_update(&[("wechat", "me", true)]));
    let text = "x".repeat(400);
    let push = |numbers: std::ops::Range<u16>| {
        for n in numbers {
            let group = i64::from(n % 7) + 1;
            flooding.push(&group_message(1, group, i64::from(n) + 1, &format!("{n} {text}")));
        }
    };
    push(0..2000);
    eventually("it is warm", || (inbound(&server) == 2000).then_some(()));
    let (before, mut most, mut answered) = (server.memory(), 0, 0);
    push(2000..FLOOD);
    eventually("all of it is stored", || {
        let id = server.make_for(Some("wechat"), "group_g", "meanwhile");
        server.until(&id, "Sent");
        answered += 1;
        most = most.max(server.memory());
        (inbound(&server) == u64::from(FLOOD) + answered).then_some(())
    });
    assert!(answered > 10, "nobody else was answered");
    let grown = most.saturating_sub(before);
    assert!(grown < BOUND, "the server grew by {} KiB", grown >> 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adapter_that_sends_garbage_is_skipped_over() {
    let server = configured("[[adapter]]\nkind = 'onebot11'\nmax_frame = 1048576\n");
    let peer = dial(&server, "1", willing()).await;
    let other = dial(&server, "2", willing()).await;
    let deep = "[".repeat(200_000);
    let event = group_message(1, 77, 1, "nested").to_string();
    let nested = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let deep_event = event.replace("{\"text\":", &format!("{{\"more\":{nested},\"text\":"));
    assert!(deep_event.contains(&nested));
    let garbage = [
        "",
        "{",
        "null",
        "[]",
        "\u{0}",
        "1e999",
        "{\"post_type\":\"message\"}",
        &deep,
        &deep_event,
    ];
    for frame in garbage {
        peer.push_text(frame);
        peer.push_text(&deep.replace('[', "{\"a\":"));
        peer.push_bytes(frame.as_bytes());
        peer.push_bytes(&[0xff, 0xfe, 0, 1]);
    }
    peer.push(&group_message(1, 77, 2, "sound"));
    eventually("what is sound is stored", || {
        let (_, page) = server.get("/api/messages?conversation=group_77");
        let newest = page["messages"].as_array().unwrap().first().cloned();
        newest.filter(|message| message["content"] == "sound")
    });
    peer.push_text(&"x".repeat(2 << 20));
    peer.ended().await;
    for bytes in [&[0xff; 4096][..], &[0; 4096], b"GET / HTTP/1.1\r\n\r\n"] {
        let mut stream = connect(&server);
        stream.write_all(upgrade("/onebot/v11/ws").as_bytes()).unwrap();
        stream.write_all(bytes).unwrap();
        // It is ended, whether in words or not.
        let _ = stream.read_to_end(&mut Vec::new());
    }
    other.push(&group_message(2, 78, 1, "from the other"));
    let id = eventually("the other one is heard", || {
        let (_, page) = server.get("/api/messages?conversation=group_78");
        page["messages"].as_array().unwrap().first().cloned()
    });
    assert_eq!(id["account"], "2");
    server.until(&server.make("group_78", "x"), "Sent");
    assert!(server.log().contains("skipped a frame that cannot be read"));
}

/// An implementation that never reads anything.
async fn frozen(server: &TestServer) -> WebSocketStream<tokio::net::TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 << 10).unwrap();
    let stream = socket.connect(server.address.parse().unwrap()).await.unwrap();
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("X-Self-ID", HeaderValue::from_static("1"));
    request.headers_mut().insert("X-Client-Role", HeaderValue::from_static("Universal"));
    client_async(request, stream).await.unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adapter_that_is_frozen_holds_up_nobody_not_even_the_end() {
    let mut server = configured(
        "[outbox]\nfirst_pause_seconds = 0.01\nlongest_pause_seconds = 0.02\nretries = 2\n\
         [[adapter]]\nkind = 'onebot11'\nanswer_timeout = 0.1\n",
    );
    let _frozen = frozen(&server).await;
    let url = format!("ws://{}/onebot/v12/ws", server.address);
    let other = Peer::dial(&url, &onebot12::HEADERS, onebot12::willing()).await.unwrap();
    other.push(&onebot12::status_update(&[("wechat", "me", true)]));
    // More than the system keeps of what is not read.
    let long = "x".repeat(900_000);
    let given_up: Vec<_> =
        (0..10).map(|n| server.make_for(Some("qq"), &format!("group_{}", n + 1), &long)).collect();
    for id in given_up {
        let failed = server.until(&id, "Failed");
        assert_eq!(failed["retry_count"], 2);
        let why = failed["last_error"].as_str().unwrap();
        assert!(why.contains("no answer within") || why.contains("does not read"), "{why}");
        server.until(&server.make_for(Some("wechat"), "group_g", "x"), "Sent");
    }
    let under_way = server.make_for(Some("qq"), "group_1", &long);
    assert_eq!(server.stop(), Some(0));
    let kept: serde_json::Value =
        serde_json::from_str(&server.home.ok(&["get", &under_way, "--json"])).unwrap();
    assert_ne!(kept["status"], "Sent", "nobody took it");
}

#[test]
fn a_store_that_another_process_holds_is_left_alone() {
    let home = Home::new();
    home.ok(&["send", "-r", "group_1", "-p", "nowhere", "x"]);
    let held = redb::Database::open(home.db()).unwrap();
    for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["list"], &["check"]] {
        let errors = home.fails(1, arguments);
        assert!(errors.contains("in use by another process"), "{errors}");
        assert!(errors.contains("rechat.redb"), "it says which: {errors}");
    }
    drop(held);
    let server = TestServer::start_in(Arc::new(home), &[]);
    assert_eq!(server.get("/api/stats").1["pending"], 1);
}

#[test]
fn connections_that_come_and_go_leave_nothing_behind() {
    const CONNECTIONS: usize = 2000;
    const AT_A_TIME: usize = 40;
    let server = TestServer::start();
    let (ws, adapter) = (upgrade("/ws/client"), upgrade("/onebot/v11/ws"));
    let begun = [
        "",
        "GET /api/mess",
        "POST /api/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{",
        "GET /api/messages HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n",
        &ws,
        &adapter,
    ];
    server.make("group_1", "x");
    let before = server.descriptors();
    let mut open = VecDeque::new();
    for n in 0..CONNECTIONS {
        let mut stream = connect(&server);
        stream.write_all(begun[n % begun.len()].as_bytes()).unwrap();
        // Some wait for the beginning of an answer.
        if n % begun.len() > 2 && n % 2 == 0 {
            assert!(stream.read(&mut [0; 64]).unwrap() > 0);
        }
        open.push_back(stream);
        if open.len() > AT_A_TIME {
            open.pop_front();
        }
    }
    assert_eq!(server.get("/api/health"), (200, json!({"status": "ok"})));
    drop(open);
    eventually("no descriptor is left behind", || (server.descriptors() <= before).then_some(()));
}
