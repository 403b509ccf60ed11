//! Limits, and the answers to clients beyond them.

use crate::onebot::Peer;
use crate::onebot11::{headers, willing};
use crate::server::{DEADLINE, Home, TestServer, eventually};
use crate::socket::Client;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Error;

fn limited(limits: &str) -> TestServer {
    let home = Arc::new(Home::new());
    home.configure(&format!("[limits]\n{limits}"));
    TestServer::start_in(home, &[])
}

fn refusal<T>(answer: Result<T, Error>) -> (u16, String) {
    let Err(Error::Http(answer)) = answer else { panic!("it was let in") };
    let text = String::from_utf8(answer.body().clone().unwrap()).unwrap();
    (answer.status().as_u16(), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_and_streams_share_their_room() {
    let server = limited("sessions = 2\n");
    let first = Client::connect(&server).await;
    let _second = Client::connect(&server).await;
    let url = format!("ws://{}/ws/client", server.address);
    let (status, text) = refusal(connect_async(&url).await);
    assert!(status == 503 && text.contains("limits.sessions"), "{status} {text}");
    assert_eq!(server.get("/api/stream").0, 503);
    first.leave().await;
    eventually("there is room again", || {
        let stream = TcpStream::connect(&server.address).unwrap();
        let head = ask(stream, "GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
        head.starts_with("HTTP/1.1 200").then_some(())
    });
}

/// Sends a request, and gives what comes first.
fn ask(mut stream: TcpStream, request: &str) -> String {
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut piece = [0; 4096];
    let n = stream.read(&mut piece).unwrap_or(0);
    String::from_utf8_lossy(&piece[..n]).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_so_many_implementations_dial_in() {
    let server = limited("adapters = 1\n");
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let _first = Peer::dial(&url, &headers("1", "Universal"), willing()).await.unwrap();
    let second = Peer::dial(&url, &headers("2", "Universal"), willing()).await;
    let (status, text) = refusal(second.map(drop));
    assert!(status == 503 && text.contains("limits.adapters"), "{status} {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_commands_too_fast_is_told_so_and_lives() {
    let server = limited("session_commands = 5\n");
    let mut client = Client::connect(&server).await;
    let mut refused = None;
    for i in 0..1000 {
        let answer = client.ask(&json!({"type": "subscribe", "request_id": i})).await;
        assert_eq!(answer["request_id"], i);
        if answer["type"] == "error" {
            refused = answer["error"].as_str().map(str::to_owned);
            break;
        }
    }
    assert!(refused.unwrap().contains("5 commands a second"));
    let mut again = json!({"type": "error"});
    while again["type"] == "error" {
        again = client.ask(&json!({"type": "subscribe"})).await;
    }
}

#[test]
fn an_idle_attacker_takes_no_more_than_his_share_and_never_the_unix_socket() {
    let server = limited("connections_per_address = 20\nhead_seconds = 300\n");
    let taken: Vec<_> = (0..20).map(|_| TcpStream::connect(&server.address).unwrap()).collect();
    let request = "GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let one_more = || ask(TcpStream::connect(&server.address).unwrap(), request);
    eventually("there is no more room for that address", || one_more().is_empty().then_some(()));
    eventually("the log tells of it", || {
        server.log().contains("connections_per_address").then_some(())
    });
    let stats: serde_json::Value =
        serde_json::from_str(&server.home.ok(&["stats", "--json"])).unwrap();
    assert_eq!(stats["total"], 0, "the Unix socket answers");
    drop(taken);
    eventually("there is room again", || one_more().contains("200 OK").then_some(()));
}

/// A client that asks for a page, reads its first bytes, and then nothing more.
fn unread_page(server: &TestServer) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(b"GET /api/messages?limit=200 HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut head = [0; 15];
    stream.read_exact(&mut head).unwrap();
    (stream, String::from_utf8(head.to_vec()).unwrap())
}

#[test]
fn large_pages_that_nobody_reads_take_up_little() {
    let server = limited("");
    let long = "x".repeat(1_000_000);
    for _ in 0..60 {
        server.make("group_1", &long);
    }
    let before = server.memory();
    let clients: Vec<_> = (0..20).map(|_| unread_page(&server)).collect();
    assert!(clients.iter().all(|(_, head)| head == "HTTP/1.1 200 OK"));
    let grown = server.memory().saturating_sub(before) >> 20;
    // All of it would be 1,200 MiB.
    assert!(grown < 300, "{grown} MiB");
    let (_, page) = server.get("/api/messages?limit=9");
    let contents = page["messages"].as_array().unwrap();
    assert_eq!(contents.len(), 9, "a page in pieces is whole");
    assert!(contents.iter().all(|message| message["content"] == long));
    assert_eq!((&page["offset"], &page["limit"]), (&json!(0), &json!(9)));
}

#[test]
fn bodies_share_a_limit_of_memory_and_small_answers_go_on() {
    let server = limited("memory_bytes = 4194304\n");
    let long = "x".repeat(1_000_000);
    for _ in 0..20 {
        server.make("group_1", &long);
    }
    let mut held = Vec::new();
    let refused = (0..100).any(|_| {
        let (stream, head) = unread_page(&server);
        held.push(stream);
        head.starts_with("HTTP/1.1 503")
    });
    assert!(refused, "the limit is never reached");
    let mut last = held.pop().unwrap();
    let mut rest = [0; 2048];
    let length = last.read(&mut rest).unwrap();
    let text = String::from_utf8_lossy(&rest[..length]).into_owned();
    assert!(text.contains("retry-after:") && text.contains("limits.memory_bytes"), "{text}");
    assert_eq!(server.get("/api/stats").0, 200);
    drop(held);
    eventually("there is memory again", || {
        unread_page(&server).1.starts_with("HTTP/1.1 200").then_some(())
    });
}

#[test]
fn a_head_that_does_not_come_is_not_waited_for() {
    let server = limited("head_seconds = 1\n");
    for begun in ["", "P", "GET /api/health HT", "GET /api/health HTTP/1.1\r\nHost: x\r\n"] {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(begun.as_bytes()).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
    }
}

#[test]
fn nor_is_the_head_of_a_later_request() {
    let server = limited("head_seconds = 1\n");
    for begun in ["", "GET /api/health HT"] {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        assert!(stream.read(&mut [0; 64]).unwrap() > 0, "the first is answered");
        stream.write_all(begun.as_bytes()).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
    }
}

#[test]
fn a_stream_that_nobody_reads_ends() {
    let server = limited("idle_seconds = 1\nsession_bytes = 4096\nsessions = 1\n");
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.write_all(b"GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let text = "x".repeat(100_000);
    for _ in 0..200 {
        server.make("group_1", &text);
    }
    eventually("its place is free", || {
        let another = TcpStream::connect(&server.address).unwrap();
        let head = ask(another, "GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
        head.starts_with("HTTP/1.1 200").then_some(())
    });
    drop(stream);
}

#[test]
fn an_export_that_nobody_reads_makes_room_for_others() {
    let server = limited("exports = 1\nidle_seconds = 5\n");
    let long = "x".repeat(200_000);
    // More than the system keeps for a connection.
    for _ in 0..60 {
        server.make("group_1", &long);
    }
    let mut first = TcpStream::connect(&server.address).unwrap();
    first.write_all(b"GET /api/export HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    assert!(first.read(&mut [0; 64]).unwrap() > 0, "it has begun");
    let export = "GET /api/export HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let second = ask(TcpStream::connect(&server.address).unwrap(), export);
    assert!(second.starts_with("HTTP/1.1 503") && second.contains("limits.exports"), "{second}");
    eventually("there is room again", || {
        let again = ask(TcpStream::connect(&server.address).unwrap(), export);
        again.starts_with("HTTP/1.1 200").then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn replays_share_their_memory_and_clients_that_read_nothing_keep_no_other_from_reading() {
    let server = limited("memory_bytes = 2097152\n");
    for i in 0..60 {
        server.make_for(Some("nowhere"), "group_1", &format!("{i} {}", "x".repeat(100_000)));
    }
    let mut stalled = Vec::new();
    for _ in 0..4 {
        let mut client = Client::connect_small(&server).await;
        client.say(&json!({"type": "subscribe", "since": 0})).await;
        stalled.push(client);
    }
    let reading = (0..6).map(async |_| {
        let mut client = Client::connect(&server).await;
        client.subscribe_since(0).await;
        client.contents(60).await
    });
    for contents in futures_util::future::join_all(reading).await {
        for (i, content) in contents.iter().enumerate() {
            assert!(content.starts_with(&format!("{i} ")), "{}", &content[..20]);
        }
    }
}

#[test]
fn readers_of_conversations_who_are_slow_hold_a_piece_each_and_no_whole_list() {
    const CONVERSATIONS: usize = 40;
    let home = Home::new();
    home.configure("[limits]\nmemory_bytes = 8388608\n");
    let server = TestServer::start_in(Arc::new(home), &[]);
    let long = "x".repeat(200 << 10);
    for n in 0..CONVERSATIONS {
        server.make_for(Some("qq"), &format!("group_{n}"), &long);
    }
    // Twice as much as all answers may hold, and nobody reads it.
    let path = "/api/conversations?limit=200";
    let mut slow = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", server.address);
        stream.write_all(head.as_bytes()).unwrap();
        let mut first = [0];
        stream.read_exact(&mut first).unwrap();
        slow.push(stream);
    }
    let (status, all) = server.get(path);
    assert_eq!(status, 200, "{all}");
    let all = all["conversations"].as_array().unwrap();
    assert_eq!(all.len(), CONVERSATIONS);
    let names: std::collections::HashSet<_> =
        all.iter().map(|one| one["conversation"].as_str().unwrap()).collect();
    assert_eq!(names.len(), CONVERSATIONS, "each once");
    assert!(all.is_sorted_by_key(|one| std::cmp::Reverse(one["last_seq"].as_u64())));
}
