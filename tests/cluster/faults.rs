//! Random requests to random nodes, while nodes and NATS servers are killed, stopped and started:
//! `RECHAT_CLUSTER_FAULTS=1000 RECHAT_CLUSTER_SEED=7 cargo test --test cluster faults`.

use crate::nodes::{Cluster, NAMES};
use crate::server::{agent, eventually};
use rustix::process::Signal;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Numbers that come the same for the same seed (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

/// Fate of a message that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Acknowledged,
    /// No answer, or one that says that it is unknown.
    Unknown,
}

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Asks random nodes for messages until it is told to end.
fn write(
    addresses: &Mutex<Vec<String>>,
    seed: u64,
    fates: &Mutex<BTreeMap<String, Fate>>,
    end: &AtomicBool,
) {
    let (mut random, mut number) = (Random(seed), 0);
    while !end.load(Ordering::Relaxed) {
        let content = format!("message {number} of {seed}");
        number += 1;
        let address = {
            let addresses = addresses.lock().unwrap();
            addresses[random.below(addresses.len())].clone()
        };
        let body = json!({"message_type": "Text", "content": content, "recipient": "group_1"});
        let request = ureq::http::Request::builder()
            .method("POST")
            .uri(format!("http://{address}/api/messages"))
            .header("content-type", "application/json")
            .body(body.to_string())
            .unwrap();
        let fate = match agent().run(request) {
            Ok(answer) if answer.status() == 201 => Fate::Acknowledged,
            _ => Fate::Unknown,
        };
        fates.lock().unwrap().insert(content, fate);
    }
}

#[test]
#[ignore = "needs nats-server: tests/run"]
fn faults_lose_nothing_and_double_nothing() {
    let faults = from_environment("RECHAT_CLUSTER_FAULTS", 8);
    let seed = from_environment("RECHAT_CLUSTER_SEED", 1).max(1);
    println!("seed {seed}, {faults} faults");
    let mut cluster = Cluster::start();
    cluster.make_message("the first");
    let addresses: Vec<_> = cluster.nodes.iter().map(|node| node.address.clone()).collect();
    let addresses = Arc::new(Mutex::new(addresses));
    let fates = Arc::new(Mutex::new(BTreeMap::new()));
    let end = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (1..=3)
        .map(|writer| {
            let (addresses, fates, end) = (addresses.clone(), fates.clone(), end.clone());
            std::thread::spawn(move || write(&addresses, seed * 1000 + writer, &fates, &end))
        })
        .collect();
    let acknowledged = || {
        let fates = fates.lock().unwrap();
        fates.values().filter(|fate| **fate == Fate::Acknowledged).count()
    };
    let mut random = Random(seed);
    for _ in 0..faults {
        let before = acknowledged();
        let (node, server) = (random.below(3), random.below(3));
        match random.below(4) {
            0 => {
                cluster.nodes[node].kill();
                cluster.nodes[node].start_again();
                addresses.lock().unwrap()[node] = cluster.nodes[node].address.clone();
            }
            1 => {
                cluster.nodes[node].signal(Signal::STOP);
                // Until its lease has ended, and another node leads.
                eventually("the others go on", || {
                    let status = cluster.status();
                    let nodes = status["nodes"].as_array()?;
                    let is_gone = nodes.iter().all(|one| one["node"] != NAMES[node]);
                    (is_gone && status["leader"].is_string()).then_some(())
                });
                cluster.nodes[node].signal(Signal::CONT);
            }
            2 => {
                cluster.nats.kill(server);
                cluster.nats.begin(server);
            }
            _ => {
                let leader = cluster.leader();
                cluster.nodes[leader].kill();
                cluster.nodes[leader].start_again();
                addresses.lock().unwrap()[leader] = cluster.nodes[leader].address.clone();
            }
        }
        eventually("messages are taken again", || (acknowledged() > before + 3).then_some(()));
    }
    end.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.join().unwrap();
    }
    let fates = fates.lock().unwrap();
    let contents = eventually("all nodes have the same", || {
        let first = cluster.contents(0);
        let is_same = (1..3).all(|node| cluster.contents(node) == first);
        let has_all = fates.iter().all(|(content, fate)| {
            *fate == Fate::Unknown || first.iter().any(|(_, found)| found == content)
        });
        (is_same && has_all).then_some(first)
    });
    for (content, fate) in &*fates {
        let times = contents.iter().filter(|(_, found)| found == content).count();
        assert!(times <= 1, "{content:?} is there {times} times ({fate:?})");
    }
    assert_eq!(
        contents.len(),
        1 + contents.iter().filter(|(_, content)| fates.contains_key(content)).count(),
        "nothing is there that nobody asked for"
    );
    println!("{} messages, {} of them acknowledged", contents.len(), acknowledged_in(&fates));
}

fn acknowledged_in(fates: &BTreeMap<String, Fate>) -> usize {
    fates.values().filter(|fate| **fate == Fate::Acknowledged).count()
}
