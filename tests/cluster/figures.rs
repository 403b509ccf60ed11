//! Figures: `cargo test --release --test cluster figures -- --ignored --nocapture`.

use crate::nodes::Cluster;
use crate::server::{agent, eventually};
use serde_json::json;
use std::time::{Duration, Instant};

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
    println!("{what}: {count} in {all:?}, p50 {:?}, p99 {:?}", at(50), at(99));
}

fn total(cluster: &Cluster, node: usize) -> u64 {
    let answer = cluster.nodes[node].try_ask("GET", "/api/stats", None);
    answer.map_or(0, |(_, stats)| stats["total"].as_u64().unwrap_or_default())
}

#[test]
#[ignore = "a measurement"]
fn figures_of_a_cluster() {
    let mut cluster = Cluster::start();
    let (leader, follower) = (cluster.leader(), cluster.follower());
    for (what, node) in [("at the leader", leader), ("at another node", follower)] {
        let address = cluster.nodes[node].address.clone();
        let began = Instant::now();
        let took = make(&address, 1, 300, what);
        tell(&format!("creates {what}, one client"), began, &took);
        let began = Instant::now();
        let took = make(&address, 64, 100, what);
        tell(&format!("creates {what}, 64 clients"), began, &took);
    }
    // A node that was away.
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
    let db = cluster.nodes[leader].home.db();
    let imported = cluster.nodes[leader].home.run(&[
        "import",
        file.to_str().unwrap(),
        "--db",
        db.to_str().unwrap(),
    ]);
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    let wanted = total(&cluster, leader);
    cluster.nodes[follower].start_again();
    let (began, before) = (Instant::now(), total(&cluster, follower));
    eventually("it has caught up", || (total(&cluster, follower) == wanted).then_some(()));
    let (events, took) = (wanted - before, began.elapsed());
    println!("catching up: {events} events in {took:?}");
    // A leader that dies.
    for _ in 0..5 {
        let leader = cluster.leader();
        cluster.nodes[leader].kill();
        let began = Instant::now();
        cluster.make_message(&format!("after {began:?}"));
        println!("a message was taken {:?} after the leader had died", began.elapsed());
        cluster.nodes[leader].start_again();
    }
}
