//! Figures: `cargo test --release --test cluster figures -- --ignored --nocapture`.
//!
//! One server alone, a bare stream and a cluster are measured in one run, on one machine, and told as a
//! table. `RECHAT_CLUSTER_FIGURES=10` measures with a tenth of the requests, messages and events.

#![allow(clippy::cast_precision_loss, reason = "no count is that large")]

use crate::nodes::Cluster;
use crate::server::{DEADLINE, TestServer, agent, eventually};
use async_nats::jetstream::{Context, stream};
use futures_util::StreamExt;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

/// Clients that make requests at one time, and watchers in all.
const CLIENTS: usize = 64;
const WATCHERS: usize = 300;

/// Clients that read at one time, and that make what watchers are told.
const READERS: usize = 12;
const MAKERS: usize = 8;

/// How much is measured.
struct Amounts {
    /// Requests that one client makes after each other.
    alone: usize,
    /// Requests of each of several clients.
    each: usize,
    /// Messages that each watcher is told.
    told: usize,
    /// Requests of each reader.
    reads: usize,
    /// Messages that a node misses.
    missed: usize,
}

impl Amounts {
    fn from_environment() -> Self {
        let percent = std::env::var("RECHAT_CLUSTER_FIGURES").ok();
        let percent = percent.and_then(|text| text.parse().ok()).unwrap_or(100);
        let part = |whole: usize| (whole * percent / 100).max(1);
        Self {
            alone: part(300),
            each: part(100),
            told: part(1000).next_multiple_of(MAKERS),
            reads: part(200),
            missed: part(100_000),
        }
    }
}

/// The figures, a line each.
struct Table {
    amounts: Amounts,
    lines: Vec<String>,
    /// The rate with one node, for those of more beside it.
    of_one: Option<f64>,
}

impl Table {
    /// Adds requests, each with how long it took, sorted.
    fn add_requests(&mut self, what: &str, began: Instant, took: &[Duration]) {
        let (count, all) = (took.len(), began.elapsed());
        let at = |percent: usize| took[(count - 1) * percent / 100].as_secs_f64() * 1000.0;
        let rate = count as f64 / all.as_secs_f64();
        let (half, most) = (at(50), at(99));
        self.add(&format!("| {what} | {count} | {rate:.0} | {half:.2} ms | {most:.2} ms | |"));
    }

    /// Adds a rate, with its proportion to the rate with one node where it is of several.
    fn add_rate(&mut self, what: &str, nodes: Option<usize>, count: usize, took: Duration) {
        let rate = count as f64 / took.as_secs_f64();
        if nodes == Some(1) {
            self.of_one = Some(rate);
        }
        let beside = nodes.zip(self.of_one).map(|(_, one)| format!("× {:.2}", rate / one));
        let beside = beside.unwrap_or_default();
        self.add(&format!("| {what} | {count} | {rate:.0} | | | {beside} |"));
    }

    /// Also shows it, for a run that does not come to its end.
    fn add(&mut self, line: &str) {
        println!("{line}");
        self.lines.push(line.to_owned());
    }

    fn show(&self) {
        println!("\n| what | how many | a second | p50 | p99 | beside one node |");
        println!("| --- | --- | --- | --- | --- | --- |");
        self.lines.iter().for_each(|line| println!("{line}"));
    }
}

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

fn measure_creates(table: &mut Table, what: &str, address: &str) {
    let Amounts { alone, each, .. } = table.amounts;
    make(address, 1, alone / 3, "warm");
    let began = Instant::now();
    let took = make(address, 1, alone, what);
    table.add_requests(&format!("creates {what}, one client"), began, &took);
    let began = Instant::now();
    let took = make(address, CLIENTS, each, what);
    table.add_requests(&format!("creates {what}, {CLIENTS} clients"), began, &took);
}

/// Publishes to a stream that is kept three times, without rechat.
async fn publish(table: &mut Table, nats: Context) {
    let Amounts { alone, each, .. } = table.amounts;
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
    // The stream takes nothing before its three servers have a leader.
    let until = Instant::now() + DEADLINE;
    while let Err(error) = nats.publish("bare", "".into()).await.unwrap().await {
        assert!(Instant::now() < until, "the stream takes nothing: {error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for number in 0..alone / 3 {
        one(number).await;
    }
    for (at_once, count) in [(1, alone), (CLIENTS, CLIENTS * each)] {
        let began = Instant::now();
        let published = futures_util::stream::iter(0..count).map(one).buffer_unordered(at_once);
        let mut took: Vec<_> = published.collect().await;
        took.sort();
        let what = format!("bare publish of 300 bytes (R3), {at_once} at one time");
        table.add_requests(&what, began, &took);
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
fn measure_fan_out(
    table: &mut Table,
    runtime: &Runtime,
    (what, nodes): (&str, Option<usize>),
    addresses: &[&str],
    maker: &str,
) {
    let told = table.amounts.told;
    let (ready, mut all_ready) = tokio::sync::mpsc::channel(WATCHERS);
    let watchers: Vec<_> = (0..WATCHERS)
        .map(|watcher| addresses[watcher % addresses.len()].to_owned())
        .map(|address| runtime.spawn(watch(address, told, ready.clone())))
        .collect();
    runtime.block_on(async {
        for _ in 0..WATCHERS {
            all_ready.recv().await.unwrap();
        }
    });
    let began = Instant::now();
    make(maker, MAKERS, told / MAKERS, what);
    runtime.block_on(futures_util::future::join_all(watchers));
    let what = format!("deliveries to {WATCHERS} watchers at {what}");
    table.add_rate(&what, nodes, WATCHERS * told, began.elapsed());
}

/// Readers at some nodes.
fn measure_reads(table: &mut Table, (what, nodes): (&str, Option<usize>), addresses: &[&str]) {
    let each = table.amounts.reads;
    let began = Instant::now();
    std::thread::scope(|scope| {
        for client in 0..READERS {
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
    let what = format!("reads of 50 messages at {what}");
    table.add_rate(&what, nodes, READERS * each, began.elapsed());
}

/// Lets a node miss many messages, and reads how fast it has them.
fn measure_catching_up(table: &mut Table, cluster: &mut Cluster, follower: usize) {
    cluster.nodes[follower].kill();
    let leader = cluster.leader();
    let mut lines = String::new();
    for number in 0..table.amounts.missed {
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
    let events = usize::try_from(wanted - before).unwrap();
    table.add_rate("events that a node applies which was away", None, events, began.elapsed());
}

#[test]
#[ignore = "a measurement"]
fn figures_of_a_cluster() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (amounts, lines) = (Amounts::from_environment(), Vec::new());
    let mut table = Table { amounts, lines, of_one: None };
    {
        let alone = TestServer::start();
        let (at, address) = (("one server alone", None), &*alone.address);
        measure_creates(&mut table, "at one server alone", address);
        measure_fan_out(&mut table, &runtime, at, &[address], address);
        measure_reads(&mut table, at, &[address]);
    }
    let mut cluster = Cluster::start();
    runtime.block_on(async { publish(&mut table, cluster.nats.stranger().await).await });
    let (leader, follower) = (cluster.leader(), cluster.follower());
    let maker = cluster.nodes[leader].address.clone();
    measure_creates(&mut table, "at the leader of three nodes", &maker);
    let passing = &cluster.nodes[follower].address;
    measure_creates(&mut table, "at another node, which passes them on", passing);
    let of_nodes = |count: usize| -> Vec<_> {
        (0..count).map(|node| &*cluster.nodes[(leader + node) % 3].address).collect()
    };
    for count in 1..=3 {
        let at = (&*format!("{count} of three nodes"), Some(count));
        measure_fan_out(&mut table, &runtime, at, &of_nodes(count), &maker);
    }
    for count in 1..=3 {
        let at = (&*format!("{count} of three nodes"), Some(count));
        measure_reads(&mut table, at, &of_nodes(count));
    }
    measure_catching_up(&mut table, &mut cluster, follower);
    let mut took: Vec<_> = (0..5)
        .map(|_| {
            let leader = cluster.leader();
            cluster.nodes[leader].kill();
            let began = Instant::now();
            cluster.make_message(&format!("after {began:?}"));
            let took = began.elapsed().as_secs_f64();
            cluster.nodes[leader].start_again();
            took
        })
        .collect();
    took.sort_by(f64::total_cmp);
    let (least, half, most) = (took[0], took[2], took[4]);
    table.add(&format!(
        "| from the death of the leader to the next acknowledged message: {least:.1} to {most:.1} s | 5 | | {half:.1} s | | |"
    ));
    table.show();
}
