//! Sessions that are slow, misbehave or disconnect, and many of them: no session loses a message,
//! and none disturbs the others (contract, Part 2, item 15).

use crate::server::{Home, TestServer, eventually};
use crate::socket::{Client, in_time, send_message};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// Queues so short, and a cache so small, that what is kept for a slow session would show.
const SMALL: &str = "[limits]\nsession_frames = 16\nsession_bytes = 65536\n\
                     [store]\ncache_bytes = 2097152\n";

fn configured(text: &str) -> TestServer {
    let home = Home::new();
    home.configure(text);
    TestServer::start_in(Arc::new(home), &[])
}

/// The sockets that the server has open.
fn sockets(server: &TestServer) -> usize {
    let entries = std::fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap();
    let names = entries.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    names.filter(|name| name.to_string_lossy().starts_with("socket:")).count()
}

/// Writes messages of this size by two clients; waits until all are acknowledged.
async fn write(server: &TestServer, count: u64, size: usize) {
    let content = "x".repeat(size);
    let half = async |count: u64| {
        let commands = (0..count).map(|_| send_message("qq", "group_1", &content));
        Client::connect(server).await.send_all(commands).await
    };
    let (first, rest) = tokio::join!(half(count / 2), half(count - count / 2));
    assert_eq!(Ok(first.len() + rest.len()), count.try_into());
}

/// Reads messages with these places in the journal, each once and in order.
async fn read(client: &mut Client, from: u64, to: u64) {
    for seq in from..=to {
        let message = client.message().await;
        assert_eq!(message["seq"], seq);
    }
}

/// A session of its own task that reads as fast as it can.
fn reader(mut client: Client, from: u64, to: u64) -> JoinHandle<Client> {
    tokio::spawn(async move {
        read(&mut client, from, to).await;
        client
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspended_client_costs_no_memory_and_has_everything_when_it_reads_on() {
    const WARM: u64 = 4000;
    const ALL: u64 = WARM + 20_000;
    /// An unbounded queue would hold 20 MB and more.
    const BOUND: u64 = 8 * MIB;
    let server = configured(SMALL);
    let mut suspended = Client::connect_small(&server).await;
    suspended.subscribe().await;
    let mut fast = Client::connect(&server).await;
    fast.subscribe().await;
    let reading = reader(fast, 1, WARM);
    write(&server, WARM, 1000).await;
    let fast = reading.await.unwrap();
    let before = server.memory();

    let reading = reader(fast, WARM + 1, ALL);
    write(&server, ALL - WARM, 1000).await;
    let mut fast = reading.await.expect("the fast client has everything meanwhile");
    let grown = server.memory().saturating_sub(before);
    assert!(grown < BOUND, "the server grew by {} KiB", grown / KIB);

    read(&mut suspended, 1, ALL).await;
    server.make("group_1", "the end");
    assert_eq!(suspended.until("the end").await, [] as [Value; 0]);
    assert_eq!(fast.until("the end").await, [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_pauses_gets_whole_frames_in_order() {
    const EACH: u64 = 400;
    let server = configured("");
    let mut client = Client::connect_small(&server).await;
    client.subscribe().await;
    for from in [1, EACH + 1, 2 * EACH + 1] {
        write(&server, EACH, 2000).await;
        read(&mut client, from, from + EACH - 1).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_suspended_and_cut_off_goes_on_where_it_was() {
    const ALL: u64 = 6000;
    let server = configured(SMALL);
    let mut suspended = Client::connect_small(&server).await;
    suspended.subscribe().await;
    let mut fast = Client::connect(&server).await;
    fast.subscribe().await;
    let reading = reader(fast, 1, ALL);
    write(&server, ALL / 2, 2000).await;
    read(&mut suspended, 1, 700).await;
    drop(suspended);
    let (mut again, ()) =
        tokio::join!(Client::connect_small(&server), write(&server, ALL / 2, 2000));
    again.subscribe_since(700).await;
    read(&mut again, 701, ALL).await;
    reading.await.expect("the fast client never noticed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_never_reads_is_closed_and_hurts_nobody() {
    let server =
        configured(&SMALL.replace("[limits]", "[limits]\nping_seconds = 1\nidle_seconds = 8"));
    let mut fast = Client::connect(&server).await;
    fast.subscribe().await;
    let before = sockets(&server);
    let mut rude = Vec::new();
    for _ in 0..5 {
        let mut client = Client::connect_small(&server).await;
        client.subscribe().await;
        rude.push(client);
    }
    assert_eq!(sockets(&server), before + 5);
    let reading = reader(fast, 1, 4000);
    write(&server, 4000, 4000).await;
    let fast = reading.await.unwrap();
    // It goes on being heard of, for it would be closed, too, otherwise.
    let alive = reader(fast, 4001, 4001);
    eventually("those who never read are closed", || (sockets(&server) <= before).then_some(()));
    server.make("group_1", "still here");
    alive.await.unwrap();
}

/// A session of raw bytes, after the handshake and one subscription.
async fn raw_session(server: &TestServer) -> TcpStream {
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    let request = format!(
        "GET /ws/client HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.address
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(in_time("the handshake", stream.read_u8()).await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    // Masked with zeros.
    let command = br#"{"type":"subscribe"}"#;
    let mut frame = vec![0x81, 0x80 | u8::try_from(command.len()).unwrap(), 0, 0, 0, 0];
    frame.extend_from_slice(command);
    stream.write_all(&frame).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_open_connection_is_closed_and_an_idle_one_that_answers_pings_stays() {
    let server = configured("[limits]\nping_seconds = 1\nidle_seconds = 8\n");
    let mut idle = Client::connect(&server).await;
    idle.subscribe().await;
    let idle = tokio::spawn(async move {
        idle.pings(5).await;
        idle
    });
    // Everything is taken and nothing answered, as by a machine that has lost its program.
    let mut half_open = raw_session(&server).await;
    let mut bytes = Vec::new();
    in_time("the server closes it", half_open.read_to_end(&mut bytes)).await.unwrap();
    assert!(bytes.windows(2).any(|frame| frame == [0x89, 0x00]), "it was asked by pings");
    let policy = |frame: &[u8]| frame[0] == 0x88 && frame[2..] == 1008_u16.to_be_bytes();
    assert!(bytes.windows(4).any(policy), "a close frame says why: {bytes:?}");
    let mut idle = idle.await.unwrap();
    server.make("group_1", "still here");
    assert_eq!(idle.message().await["content"], "still here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_messages_reach_five_hundred_sessions_once_and_in_order() {
    const SESSIONS: usize = 500;
    const MESSAGES: u64 = 1000;
    let server = TestServer::start();
    let mut readers = Vec::new();
    for _ in 0..SESSIONS {
        let mut client = Client::connect(&server).await;
        client.subscribe().await;
        readers.push(reader(client, 1, MESSAGES));
    }
    write(&server, MESSAGES, 20).await;
    let mut clients = Vec::new();
    for reader in readers {
        clients.push(reader.await.unwrap());
    }
    server.make("group_1", "the end");
    for client in &mut clients {
        assert_eq!(client.until("the end").await, [] as [Value; 0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_connects_and_disconnects_leave_nothing_behind() {
    const ROUNDS: usize = 40;
    const BOUND: u64 = 8 * MIB;
    // A connection that kept its place would soon leave none for others.
    let server = configured("[limits]\nconnections = 200\n");
    let before = sockets(&server);
    let mut memory_then = 0;
    for round in 0..ROUNDS {
        let mut clients = Vec::new();
        for i in 0..50 {
            let mut client = Client::connect(&server).await;
            match i % 3 {
                0 => client.subscribe().await,
                1 => drop(
                    client
                        .done(&json!({"type": "subscribe", "events": ["message_status"],
                    "platforms": ["qq", format!("p{round}")], "conversations": [format!("c{i}")]}))
                        .await,
                ),
                _ => {}
            }
            clients.push(client);
        }
        server.make("group_1", "x");
        for (i, client) in clients.into_iter().enumerate() {
            // One half takes its leave, the other is cut off, some with a message unread.
            if i % 2 == 0 { client.leave().await } else { drop(client) }
        }
        eventually("their sockets are closed", || (sockets(&server) <= before + 60).then_some(()));
        if round == ROUNDS / 4 {
            memory_then = server.memory();
        }
    }
    eventually("every socket is closed", || (sockets(&server) <= before + 1).then_some(()));
    let grown = server.memory().saturating_sub(memory_then);
    assert!(grown < BOUND, "the server grew by {} KiB", grown / KIB);
    let mut client = Client::connect(&server).await;
    client.subscribe().await;
    server.make("group_1", "still here");
    assert_eq!(client.message().await["content"], "still here");
}
