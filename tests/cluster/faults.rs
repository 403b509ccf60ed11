//! Random requests to random nodes, while nodes and NATS servers are killed, stopped and started, and
//! links between them are cut:
//! `RECHAT_CLUSTER_FAULTS=1000 RECHAT_CLUSTER_SEED=7 cargo test --test cluster faults`.

use crate::nodes::{Cluster, NAMES};
use crate::platform::Platform;
use crate::server::{DEADLINE, agent, eventually};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

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
    /// The answer says that nothing was stored.
    Refused,
}

/// Faults that a cluster goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    KillNode,
    KillLeader,
    EndLeader,
    StopNode,
    StopLeader,
    CutNode,
    CutLeader,
    KillNats,
    StopNats,
    KillNatsAndLeader,
    KillAllNats,
}

const FAULTS: [Fault; 11] = [
    Fault::KillNode,
    Fault::KillLeader,
    Fault::EndLeader,
    Fault::StopNode,
    Fault::StopLeader,
    Fault::CutNode,
    Fault::CutLeader,
    Fault::KillNats,
    Fault::StopNats,
    Fault::KillNatsAndLeader,
    Fault::KillAllNats,
];

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The state that all threads of a run share.
struct Run {
    addresses: Mutex<Vec<String>>,
    fates: Mutex<BTreeMap<String, Fate>>,
    acknowledged: AtomicU64,
    /// No more messages are asked for.
    end: AtomicBool,
}

impl Run {
    fn address(&self, random: &mut Random) -> String {
        let addresses = self.addresses.lock().unwrap();
        addresses[random.below(addresses.len())].clone()
    }

    /// Asks random nodes for messages until it is told to end.
    fn write(&self, seed: u64) {
        let (mut random, mut number) = (Random(seed), 0);
        while !self.end.load(Ordering::Relaxed) {
            let content = format!("message {number} of {seed}");
            number += 1;
            let address = self.address(&mut random);
            let body = json!({"message_type": "Text", "content": content, "recipient": "group_1"});
            let request = ureq::http::Request::builder()
                .method("POST")
                .uri(format!("http://{address}/api/messages"))
                .header("content-type", "application/json")
                .body(body.to_string())
                .unwrap();
            let fate = match agent().run(request) {
                Ok(answer) if answer.status() == 201 => Fate::Acknowledged,
                Ok(mut answer) => {
                    let text = answer.body_mut().read_to_string().unwrap_or_default();
                    let is_refused = text.contains("nothing was stored");
                    if is_refused { Fate::Refused } else { Fate::Unknown }
                }
                Err(_) => Fate::Unknown,
            };
            if fate == Fate::Acknowledged {
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            self.fates.lock().unwrap().insert(content, fate);
        }
    }

    /// Watches by one cursor at random nodes, until it has seen as many messages as it is told in the
    /// end; gives all that it saw.
    fn watch(&self, seed: u64, wanted: &Mutex<Option<usize>>) -> Vec<String> {
        let (mut random, mut last, mut seen) = (Random(seed), None, Vec::new());
        let mut ends_by = None;
        loop {
            if let Some(wanted) = *wanted.lock().unwrap() {
                let by = *ends_by.get_or_insert_with(|| Instant::now() + DEADLINE);
                if seen.len() >= wanted || Instant::now() > by {
                    return seen;
                }
            }
            let address = self.address(&mut random);
            let events = 1 + random.below(30);
            watch_for_a_while(&address, events, &mut last, &mut seen);
        }
    }
}

/// Reads some events of a node, behind the last one that was seen.
fn watch_for_a_while(
    address: &str,
    events: usize,
    last: &mut Option<String>,
    seen: &mut Vec<String>,
) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(3)))
        .build()
        .into();
    let request = match last {
        Some(last) => {
            agent.get(format!("http://{address}/api/stream")).header("last-event-id", &*last)
        }
        None => agent.get(format!("http://{address}/api/stream?since=0")),
    };
    let Ok(answer) = request.call() else { return };
    if answer.status() != 200 {
        return;
    }
    let mut lines = BufReader::new(answer.into_body().into_reader());
    let (mut id, mut data, mut line) = (None, None, String::new());
    let mut left = events;
    while left > 0 {
        line.clear();
        // A line that breaks off belongs to an event that is read again.
        if !lines.read_line(&mut line).is_ok_and(|read| read > 0 && line.ends_with('\n')) {
            return;
        }
        match line.trim_end().split_once(": ") {
            Some(("id", text)) => id = Some(text.to_owned()),
            Some(("event", text)) => assert_ne!(text, "reset", "a cursor is not known"),
            Some(("data", text)) => data = serde_json::from_str::<Value>(text).ok(),
            _ if line.trim_end().is_empty() => {
                if let (Some(id), Some(data)) = (id.take(), data.take()) {
                    *last = Some(id);
                    let data = data.get("data").unwrap_or(&data);
                    seen.extend(data["content"].as_str().map(str::to_owned));
                    left -= 1;
                }
            }
            _ => {}
        }
    }
}

/// A cluster under a run.
struct Victim<'a> {
    cluster: Cluster,
    run: &'a Run,
}

impl Victim<'_> {
    fn begin(&mut self, node: usize) {
        self.cluster.nodes[node].start_again();
        let address = self.cluster.nodes[node].address.clone();
        self.run.addresses.lock().unwrap()[node] = address;
    }

    /// Waits until a node is not among those that live any more, and another one leads.
    fn go_on_without(&self, node: usize) {
        eventually("the others go on", || {
            let status = self.cluster.status();
            let nodes = status["nodes"].as_array()?;
            let is_gone = nodes.iter().all(|one| one["node"] != NAMES[node]);
            let leads = status["leader"].as_str().is_some_and(|leader| leader != NAMES[node]);
            (is_gone && leads).then_some(())
        });
    }

    fn take(&mut self, fault: Fault, random: &mut Random) {
        let (node, server) = (random.below(3), random.below(3));
        let node = match fault {
            Fault::KillLeader
            | Fault::EndLeader
            | Fault::StopLeader
            | Fault::CutLeader
            | Fault::KillNatsAndLeader => self.cluster.leader(),
            _ => node,
        };
        match fault {
            Fault::KillNode | Fault::KillLeader => {
                self.cluster.nodes[node].kill();
                self.begin(node);
            }
            Fault::EndLeader => {
                self.cluster.nodes[node].stop();
                self.begin(node);
            }
            Fault::StopNode | Fault::StopLeader => {
                self.cluster.nodes[node].signal(Signal::STOP);
                self.go_on_without(node);
                self.cluster.nodes[node].signal(Signal::CONT);
            }
            Fault::CutNode | Fault::CutLeader => {
                self.cluster.links[node].cut();
                self.go_on_without(node);
                self.cluster.links[node].heal();
            }
            Fault::KillNats => {
                self.cluster.nats.kill(server);
                self.cluster.nats.begin(server);
            }
            Fault::StopNats => {
                let before = self.run.acknowledged.load(Ordering::Relaxed);
                self.cluster.nats.signal(server, Signal::STOP);
                self.takes_messages(before);
                self.cluster.nats.signal(server, Signal::CONT);
            }
            Fault::KillNatsAndLeader => {
                self.cluster.nats.kill(server);
                self.cluster.nodes[node].kill();
                self.cluster.nats.begin(server);
                self.begin(node);
            }
            Fault::KillAllNats => {
                self.cluster.nats.kill_all();
                self.cluster.nats.begin_all();
            }
        }
    }

    fn takes_messages(&self, before: u64) {
        eventually("messages are taken again", || {
            (self.run.acknowledged.load(Ordering::Relaxed) > before + 3).then_some(())
        });
    }
}

#[test]
#[ignore = "needs nats-server: tests/run"]
fn faults_lose_nothing_and_double_nothing() {
    let faults = from_environment("RECHAT_CLUSTER_FAULTS", 11);
    let seed = from_environment("RECHAT_CLUSTER_SEED", 1).max(1);
    println!("seed {seed}, {faults} faults");
    let platform = Platform::start();
    let cluster = Cluster::start_linked_with(&platform.configuration());
    cluster.make_message("the first");
    let addresses = cluster.nodes.iter().map(|node| node.address.clone()).collect();
    let run = Arc::new(Run {
        addresses: Mutex::new(addresses),
        fates: Mutex::default(),
        acknowledged: AtomicU64::new(0),
        end: AtomicBool::new(false),
    });
    let writers: Vec<_> = (1..=3)
        .map(|writer| {
            let run = run.clone();
            std::thread::spawn(move || run.write(seed * 1000 + writer))
        })
        .collect();
    let wanted = Arc::new(Mutex::new(None));
    let watchers: Vec<_> = (4..=5)
        .map(|watcher| {
            let (run, wanted) = (run.clone(), wanted.clone());
            std::thread::spawn(move || run.watch(seed * 1000 + watcher, &wanted))
        })
        .collect();
    let mut victim = Victim { cluster, run: &run };
    let (mut random, mut counts) = (Random(seed), BTreeMap::new());
    for number in 0..usize::try_from(faults).unwrap() {
        // Each kind in turn, for runs that are short.
        let kind = if number < FAULTS.len() { number } else { random.below(FAULTS.len()) };
        let before = run.acknowledged.load(Ordering::Relaxed);
        *counts.entry(FAULTS[kind]).or_insert(0) += 1;
        println!("fault {number}: {:?}, after {before} messages", FAULTS[kind]);
        victim.take(FAULTS[kind], &mut random);
        victim.takes_messages(before);
    }
    run.end.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.join().unwrap();
    }
    let cluster = victim.cluster;
    let fates = run.fates.lock().unwrap();
    let contents = eventually("all nodes have the same", || {
        let first = cluster.contents(0);
        let is_same = (1..3).all(|node| cluster.contents(node) == first);
        let has_all = fates.iter().all(|(content, fate)| {
            *fate != Fate::Acknowledged || first.iter().any(|(_, found)| found == content)
        });
        (is_same && has_all).then_some(first)
    });
    *wanted.lock().unwrap() = Some(contents.len());
    let mut times = BTreeMap::<&str, usize>::new();
    for (_, content) in &contents {
        *times.entry(content).or_default() += 1;
    }
    for (content, fate) in &*fates {
        let times = times.get(&**content).copied().unwrap_or_default();
        let most = usize::from(*fate != Fate::Refused);
        assert!(times <= most, "{content:?} is there {times} times ({fate:?})");
    }
    let asked = contents.iter().filter(|(_, content)| fates.contains_key(content)).count();
    assert_eq!(contents.len(), 1 + asked, "nothing is there that nobody asked for");
    let in_order: Vec<_> = contents.iter().rev().map(|(_, content)| content.clone()).collect();
    for watcher in watchers {
        let seen = watcher.join().unwrap();
        let differs =
            (0..in_order.len().max(seen.len())).find(|at| in_order.get(*at) != seen.get(*at));
        assert_eq!(
            differs,
            None,
            "a watcher saw {} of {}, not alike from there",
            seen.len(),
            in_order.len()
        );
    }
    let sent = sent_as_often_as_told(&cluster, &platform);
    let of = |wanted: Fate| fates.values().filter(|fate| **fate == wanted).count();
    println!(
        "{} messages, {sent} of them sent, {} acknowledged, {} unknown, {} refused; {counts:?}",
        contents.len(),
        of(Fate::Acknowledged),
        of(Fate::Unknown),
        of(Fate::Refused)
    );
}

/// Waits until nothing more is to be sent, and checks that the platform got no message more often than
/// `retry_count` says; gives how many were sent.
fn sent_as_often_as_told(cluster: &Cluster, platform: &Platform) -> usize {
    // There may be very many: as long as they become fewer, all is well.
    let (mut left, mut messages) = (usize::MAX, Vec::new());
    while left > 0 {
        (left, messages) = eventually("more is sent or given up", || {
            let messages = cluster.messages(0);
            let is_open = |one: &&Value| one["status"] == "Pending" || one["status"] == "Sending";
            let open = messages.iter().filter(is_open).count();
            (!messages.is_empty() && open < left).then_some((open, messages))
        });
    }
    let counts = platform.counts();
    for message in &messages {
        let times = counts.get(message["content"].as_str().unwrap()).copied().unwrap_or_default();
        let retries = message["retry_count"].as_u64().unwrap();
        assert!(times as u64 <= 1 + retries, "the platform got it {times} times: {message}");
        assert!(times > 0 || message["status"] != "Sent", "the platform never got it: {message}");
    }
    messages.iter().filter(|message| message["status"] == "Sent").count()
}
