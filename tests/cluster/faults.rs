//! Random requests to random nodes, while nodes and NATS servers are killed, stopped and started, and
//! links between them are cut:
//! `RECHAT_CLUSTER_FAULTS=1000 RECHAT_CLUSTER_SEED=7 cargo test --test cluster faults`. With
//! `RECHAT_CLUSTER_MINUTES` it ends after this time, if there were fewer faults by then.

use crate::agreement::check_stores;
use crate::model::{Random, Run};
use crate::nodes::{Cluster, NAMES};
use crate::platform::Platform;
use crate::server::DEADLINE;
use crate::watchers::{self, THE_END, Way};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

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

/// Waits as [`crate::server::eventually`] does, and longer: with three nodes and three NATS servers on a
/// machine that has much other work, NATS itself may need minutes to find a leader.
fn sooner_or_later<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < 10 * DEADLINE, "never came about: {what}");
        std::thread::sleep(Duration::from_millis(20));
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
        sooner_or_later("the others go on", || {
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
            | Fault::KillNatsAndLeader => sooner_or_later("a node leads", || {
                (0..NAMES.len()).find(|node| self.cluster.leads(*node))
            }),
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
        sooner_or_later("messages are taken again", || {
            (self.run.acknowledged.load(Ordering::Relaxed) > before + 3).then_some(())
        });
    }
}

#[test]
#[ignore = "needs nats-server: tests/run"]
fn faults_lose_nothing_and_double_nothing() {
    let faults = from_environment("RECHAT_CLUSTER_FAULTS", 11);
    let seed = from_environment("RECHAT_CLUSTER_SEED", 1).max(1);
    let minutes = Duration::from_mins(from_environment("RECHAT_CLUSTER_MINUTES", 24 * 60));
    println!("seed {seed}, {faults} faults, or {minutes:?}");
    let platform = Platform::start();
    let cluster = Cluster::start_linked_with(&platform.configuration());
    cluster.make_message("the first");
    let addresses: Vec<_> = cluster.nodes.iter().map(|node| node.address.clone()).collect();
    let cursor = watchers::cursor_at(&addresses[cluster.leader()]);
    let run = Arc::new(Run::new(addresses, platform));
    let writers: Vec<_> = (1..=3)
        .map(|number| {
            let run = run.clone();
            std::thread::spawn(move || run.write(seed * 1000 + number))
        })
        .collect();
    let watchers: Vec<_> = [Way::Stream, Way::WebSocket, Way::Stream, Way::WebSocket]
        .into_iter()
        .zip(4..)
        .map(|(way, number)| {
            let (run, cursor) = (run.clone(), cursor.clone());
            std::thread::spawn(move || run.watch(seed * 1000 + number, way, &cursor))
        })
        .collect();
    let mut victim = Victim { cluster, run: &run };
    let (mut random, mut counts) = (Random(seed), BTreeMap::new());
    let began = Instant::now();
    for number in 0..usize::try_from(faults).unwrap() {
        if began.elapsed() > minutes {
            break;
        }
        // Each kind in turn, for runs that are short.
        let kind = if number < FAULTS.len() { number } else { random.below(FAULTS.len()) };
        let before = run.acknowledged.load(Ordering::Relaxed);
        *counts.entry(FAULTS[kind]).or_insert(0) += 1;
        println!("fault {number}: {:?}, after {before} messages", FAULTS[kind]);
        victim.take(FAULTS[kind], &mut random);
        victim.takes_messages(before);
        let ended = writers.iter().any(std::thread::JoinHandle::is_finished);
        assert!(!ended, "a writer met what may not be");
    }
    run.end.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.join().unwrap();
    }
    let mut cluster = victim.cluster;
    until_nothing_is_sent(&cluster);
    cluster.make_message(THE_END);
    let messages = sooner_or_later("all nodes have the same", || {
        let first = settled(cluster.messages(0));
        let is_same = (1..3).all(|node| settled(cluster.messages(node)) == first);
        let has_all = first.iter().any(|message| message["content"] == THE_END);
        (is_same && has_all).then_some(first)
    });
    run.check(&messages);
    let (mut seen, mut places) = (0, BTreeMap::new());
    for watcher in watchers {
        let events = watcher.join().unwrap();
        watchers::check(&events, &messages, &mut places);
        seen += events.len();
    }
    let sent = sent_as_often_as_told(&messages, &run.platform);
    for node in &mut cluster.nodes {
        assert_eq!(node.stop(), Some(0));
    }
    let (events, epochs) = check_stores(&cluster);
    let written =
        messages.iter().filter(|one| one["content"].as_str().unwrap().starts_with("written "));
    println!(
        "{} messages, {sent} of them sent, {} of {} that people wrote; {events} events in {epochs} epochs, {seen} seen by four watchers; {:?}; {counts:?}",
        messages.len(),
        written.count(),
        run.platform.written(),
        run.fates(),
    );
}

/// Messages without what each node says of its own.
fn settled(mut messages: Vec<Value>) -> Vec<Value> {
    for message in &mut messages {
        let fields = message.as_object_mut().unwrap();
        fields.retain(|name, _| name != "waiting" && name != "waiting_code");
    }
    messages
}

/// Waits until nothing more is to be sent.
fn until_nothing_is_sent(cluster: &Cluster) {
    // There may be very many: as long as they become fewer, all is well.
    let mut left = usize::MAX;
    while left > 0 {
        left = sooner_or_later("more is sent or given up", || {
            let messages = cluster.messages(0);
            let is_open = |one: &&Value| {
                one["platform"] != "paper"
                    && (one["status"] == "Pending" || one["status"] == "Sending")
            };
            let open = messages.iter().filter(is_open).count();
            (!messages.is_empty() && open < left).then_some(open)
        });
    }
}

/// Checks that the platform got no message more often than `retry_count` says; gives how many were sent.
fn sent_as_often_as_told(messages: &[Value], platform: &Platform) -> usize {
    let counts = platform.counts();
    let own =
        messages.iter().filter(|one| one["direction"].is_null() && one["platform"] != "paper");
    let mut sent = 0;
    for message in own {
        let times = counts.get(message["content"].as_str().unwrap()).copied().unwrap_or_default();
        let retries = message["retry_count"].as_u64().unwrap();
        assert!(times as u64 <= 1 + retries, "the platform got it {times} times: {message}");
        assert!(times > 0 || message["status"] != "Sent", "the platform never got it: {message}");
        sent += usize::from(message["status"] == "Sent");
    }
    sent
}
