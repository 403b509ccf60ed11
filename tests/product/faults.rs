//! Implementations and clients that misbehave: the worst result is a line in the log.

use crate::onebot::{Peer, Script};
use crate::onebot11::{group_message, headers, willing};
use crate::onebot12;
use crate::server::{DEADLINE, Home, TestServer, eventually};
use crate::socket::Client;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, client_async};
use tokio_util::sync::CancellationToken;

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
    /// All inbound frames would be three times as much; what a busy machine holds at once is half
    /// of it.
    const BOUND: u64 = 16 * MIB;
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

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
fn memory_is_returned_while_nothing_happens() {
    let server = configured("[store]\ncache_bytes = 2097152\n");
    let before = server.memory();
    let body =
        json!({"message_type": "Text", "content": "x".repeat(900_000), "recipient": "group_1"});
    std::thread::scope(|clients| {
        for _ in 0..24 {
            clients.spawn(|| {
                for _ in 0..4 {
                    assert_eq!(server.post(&body).0, 201);
                }
                assert_eq!(server.get("/api/messages?limit=10").0, 200);
            });
        }
    });
    eventually("free memory is returned", || (server.memory() < before + 24 * MIB).then_some(()));
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
    // More than four times `max_frame` is not even read.
    peer.push_text(&"x".repeat(5 << 20));
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
    server.tells("skipped a frame count=");
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
    // All together are more than the system keeps of what is not read; a larger one may take longer.
    let long = "x".repeat(120_000);
    let given_up: Vec<_> =
        (0..80).map(|n| server.make_for(Some("qq"), &format!("group_{}", n + 1), &long)).collect();
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
    home.ok(&["send", "-r", "group_1", "-p", "nowhere", "--new", "x"]);
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
    const CONNECTIONS: usize = 10_000;
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

#[test]
fn a_client_that_is_stopped_is_let_go_and_has_everything_when_it_goes_on() {
    let server =
        configured("[limits]\nidle_seconds = 5\nsession_bytes = 4096\nsession_frames = 4\n");
    let heard = server.home.path("heard");
    let mut command = server.home.command(&["list", "--follow", "--json"]);
    command.stdout(std::fs::File::create(&heard).unwrap()).stderr(Stdio::null());
    let before = server.descriptors();
    let mut follower = command.spawn().unwrap();
    let pid = Pid::from_raw(follower.id().try_into().unwrap()).unwrap();
    // The IDs of the lines it has written whole.
    let heard = || {
        let text = std::fs::read_to_string(&heard).unwrap();
        let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let ids = whole.map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone());
        ids.map(|id| id.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    eventually("it follows", || {
        server.make("group_1", "to begin with");
        (!heard().is_empty()).then_some(())
    });
    kill_process(pid, Signal::STOP).unwrap();
    // More than the system keeps for it.
    let long = "x".repeat(100_000);
    let ids: Vec<_> = (0..100).map(|_| server.make("group_1", &long)).collect();
    eventually("its stream is closed", || (server.descriptors() <= before + 1).then_some(()));
    kill_process(pid, Signal::CONT).unwrap();
    let last = server.make("group_1", "the end");
    let heard =
        eventually("it has the last one", || Some(heard()).filter(|ids| ids.contains(&last)));
    for id in ids {
        assert_eq!(heard.iter().filter(|one| **one == id).count(), 1, "each once");
    }
    let all = server.get("/api/stats").1["total"].as_u64().unwrap();
    assert!(heard.len() as u64 <= all);
    follower.kill().unwrap();
    follower.wait().unwrap();
}

/// A line to the server that can be interrupted silently: both ends stay open, and nothing passes.
async fn line(server: &TestServer) -> (String, CancellationToken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (here, there) = (listener.local_addr().unwrap().to_string(), server.address.clone());
    let cut = CancellationToken::new();
    let is_cut = cut.clone();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = tokio::net::TcpStream::connect(&there).await.unwrap();
            let (near, far) = (near.into_split(), far.into_split());
            tokio::spawn(carry(near.0, far.1, is_cut.clone()));
            tokio::spawn(carry(far.0, near.1, is_cut.clone()));
        }
    });
    (here, cut)
}

async fn carry(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    cut: CancellationToken,
) {
    let mut bytes = vec![0; 4096];
    loop {
        tokio::select! {
            biased;
            () = cut.cancelled() => return std::future::pending().await,
            read = from.read(&mut bytes) => match read {
                Ok(count @ 1..) => to.write_all(&bytes[..count]).await.unwrap(),
                _ => return drop(to.shutdown().await),
            },
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_cut_without_a_word_is_noticed() {
    let server = configured("[limits]\nping_seconds = 1\nidle_seconds = 8\n");
    let before = server.descriptors();
    let (address, cut) = line(&server).await;
    let mut far = Client::connect_to(&address).await;
    far.subscribe().await;
    server.make("group_1", "before");
    assert_eq!(far.message().await["content"], "before");
    cut.cancel();
    server.make("group_1", "into nowhere");
    eventually("the session is closed", || (server.descriptors() <= before).then_some(()));
    let (address, _whole) = line(&server).await;
    let mut again = Client::connect_to(&address).await;
    again.subscribe_since(1).await;
    assert_eq!(again.message().await["content"], "into nowhere");
}
