//! Figures: `cargo test --release --test cluster figures -- --ignored --nocapture`.
//!
//! One server alone, a bare stream and a cluster are measured in one run, on one machine.

#![allow(clippy::cast_precision_loss, reason = "no count is that large")]

use crate::nodes::Cluster;
use crate::server::{TestServer, agent, eventually};
use async_nats::jetstream::{Context, stream};
use futures_util::StreamExt;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

/// Requests that one client makes after each other, and clients that make them at one time.
const ALONE: usize = 300;
const CLIENTS: usize = 64;
const EACH: usize = 100;

/// Watchers in all, and the messages that each is told.
const WATCHERS: usize = 300;
const TOLD: usize = 1000;

/// Makes messages at a node by several clients; gives how long each took, sorted.
fn make(address: &str, clients: usize, each: usize, text: &str) -> Vec<Duration> {
    let threads: Vec<_> = (0..clients)
        .map(|client| {
            let (address, text) = (address.to_owned(), text.to_owned());
            std::thread::spawn(move || {
                let agent = agent();
                let one = |number| {
                    let content = format!("{text} {client} {number}");
                    let body =
                        json!({"message_type": "Text", "content": content, "recipient": "group_1"});
                    let began = Instant::now();
                    let request = ureq::http::Request::builder()
                        .method("POST")
                        .uri(format!("http://{address}/api/messages"))
                        .header("content-type", "application/json")
                        .body(body.to_string())
                        .unwrap();
                    let mut answer = agent.run(request).unwrap();
                    assert_eq!(answer.status(), 201);
                    answer.body_mut().read_to_string().unwrap();
                    began.elapsed()
                };
                (0..each).map(one).collect::<Vec<_>>()
            })
        })
        .collect();
    let mut took: Vec<_> = threads.into_iter().flat_map(|one| one.join().unwrap()).collect();
    took.sort();
    took
}

fn tell(what: &str, began: Instant, took: &[Duration]) {
    let (count, all) = (took.len(), began.elapsed());
    let at = |percent: usize| took[(count - 1) * percent / 100];
    let rate = count as f64 / all.as_secs_f64();
    println!("{what}: {count} at {rate:.0} a second, p50 {:?}, p99 {:?}", at(50), at(99));
}

fn tell_creates(what: &str, address: &str) {
    make(address, 1, ALONE / 3, "warm");
    let began = Instant::now();
    let took = make(address, 1, ALONE, what);
    tell(&format!("creates {what}, one client"), began, &took);
    let began = Instant::now();
    let took = make(address, CLIENTS, EACH, what);
    tell(&format!("creates {what}, {CLIENTS} clients"), began, &took);
}

/// Publishes to a stream that is kept three times, without rechat.
async fn publish(nats: Context) {
    let config = stream::Config {
        name: "bare".into(),
        subjects: vec!["bare".into()],
        num_replicas: 3,
        ..stream::Config::default()
    };
    nats.create_stream(config).await.unwrap();
    let one = async |number: usize| {
        let began = Instant::now();
        let payload = format!("{number:0300}").into();
        nats.publish("bare", payload).await.unwrap().await.unwrap();
        began.elapsed()
    };
    for number in 0..ALONE / 3 {
        one(number).await;
    }
    for (at_once, count) in [(1, ALONE), (CLIENTS, CLIENTS * EACH)] {
        let began = Instant::now();
        let published = futures_util::stream::iter(0..count).map(one).buffer_unordered(at_once);
        let mut took: Vec<_> = published.collect().await;
        took.sort();
        tell(&format!("bare publish of 300 bytes, {at_once} at one time"), began, &took);
    }
}

fn total(server: &TestServer) -> u64 {
    let answer = server.try_ask("GET", "/api/stats", None);
    answer.map_or(0, |(_, stats)| stats["total"].as_u64().unwrap_or_default())
}

/// Reads a stream until so many messages have come.
async fn watch(address: String, messages: usize, ready: tokio::sync::mpsc::Sender<()>) {
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "GET /api/stream HTTP/1.1\r\nHost: {address}\r\nAccept: application/x-ndjson\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut buffer, mut before, mut seen) = (vec![0; 64 << 10], 0, 0);
    let mut ready = Some(ready);
    while seen < messages {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "the stream ended");
        // The head has come.
        if let Some(ready) = ready.take() {
            ready.send(()).await.unwrap();
        }
        for &byte in &buffer[..read] {
            // Lines of the head and of chunks end with both.
            seen += usize::from(byte == b'\n' && before != b'\r');
            before = byte;
        }
    }
}

/// Watchers at some nodes, and messages at one.
fn tell_fan_out(runtime: &Runtime, what: &str, addresses: &[&str], maker: &str) {
    let (ready, mut all_ready) = tokio::sync::mpsc::channel(WATCHERS);
    let watchers: Vec<_> = (0..WATCHERS)
        .map(|watcher| addresses[watcher % addresses.len()].to_owned())
        .map(|address| runtime.spawn(watch(address, TOLD, ready.clone())))
        .collect();
    runtime.block_on(async {
        for _ in 0..WATCHERS {
            all_ready.recv().await.unwrap();
        }
    });
    let began = Instant::now();
    make(maker, 8, TOLD / 8, what);
    runtime.block_on(futures_util::future::join_all(watchers));
    let rate = (WATCHERS * TOLD) as f64 / began.elapsed().as_secs_f64();
    println!("fan-out to {WATCHERS} watchers at {what}: {rate:.0} deliveries a second");
}

/// Readers at some nodes.
fn tell_reads(what: &str, addresses: &[&str]) {
    let (clients, each) = (12, 200);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for client in 0..clients {
            let url =
                format!("http://{}/api/messages?limit=50", addresses[client % addresses.len()]);
            scope.spawn(move || {
                let agent = agent();
                for _ in 0..each {
                    let mut answer = agent.get(&url).call().unwrap();
                    assert_eq!(answer.status(), 200);
                    answer.body_mut().read_to_string().unwrap();
                }
            });
        }
    });
    let rate = (clients * each) as f64 / began.elapsed().as_secs_f64();
    println!("reads of 50 messages at {what}: {rate:.0} a second");
}

/// Lets a node miss many messages, and reads how fast it has them.
fn tell_catching_up(cluster: &mut Cluster, follower: usize) {
    cluster.nodes[follower].kill();
    let leader = cluster.leader();
    let mut lines = String::new();
    for number in 0..100_000 {
        let message = json!({
            "id": uuid::Uuid::new_v4(), "message_type": "Text", "content": format!("imported {number}"),
            "recipient": "group_1", "status": "Sent", "created_at": 1_700_000_000,
            "updated_at": 1_700_000_000, "retry_count": 0,
        });
        lines.push_str(&message.to_string());
        lines.push('\n');
    }
    let file = cluster.home.path("messages.jsonl");
    std::fs::write(&file, lines).unwrap();
    let home = &cluster.nodes[leader].home;
    home.ok(&["import", file.to_str().unwrap(), "--db", home.db().to_str().unwrap()]);
    let wanted = total(&cluster.nodes[leader]);
    cluster.nodes[follower].start_again();
    let (began, before) = (Instant::now(), total(&cluster.nodes[follower]));
    eventually("it has caught up", || (total(&cluster.nodes[follower]) == wanted).then_some(()));
    let (events, took) = (wanted - before, began.elapsed());
    let rate = events as f64 / took.as_secs_f64();
    println!("catching up: {events} events in {took:?}, {rate:.0} a second");
}

#[test]
#[ignore = "a measurement"]
fn figures_of_a_cluster() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    {
        let alone = TestServer::start();
        tell_creates("at one server alone", &alone.address);
        tell_fan_out(&runtime, "one server alone", &[&alone.address], &alone.address);
        tell_reads("one server alone", &[&alone.address]);
    }
    let mut cluster = Cluster::start();
    runtime.block_on(async { publish(cluster.nats.stranger().await).await });
    let (leader, follower) = (cluster.leader(), cluster.follower());
    tell_creates("at the leader of three nodes", &cluster.nodes[leader].address);
    tell_creates("at another node, which passes them on", &cluster.nodes[follower].address);
    for count in 1..=3 {
        let nodes = (0..3).map(|node| &*cluster.nodes[(leader + node) % 3].address);
        let addresses: Vec<_> = nodes.take(count).collect();
        let what = format!("{count} of three nodes");
        tell_fan_out(&runtime, &what, &addresses, &cluster.nodes[leader].address);
        tell_reads(&what, &addresses);
    }
    tell_catching_up(&mut cluster, follower);
    let mut took: Vec<_> = (0..5)
        .map(|_| {
            let leader = cluster.leader();
            cluster.nodes[leader].kill();
            let began = Instant::now();
            cluster.make_message(&format!("after {began:?}"));
            let took = began.elapsed();
            cluster.nodes[leader].start_again();
            took
        })
        .collect();
    took.sort();
    println!("a message is taken after the leader was killed: {took:?}");
}
