//! Events that came to a leader which could not store them any more.

use crate::nodes::{Cluster, NAMES};
use crate::onebot::Peer;
use crate::onebot11::{group_message, headers, willing};
use crate::server::{DEADLINE, eventually};
use std::time::Instant;
use tokio::task::{block_in_place, spawn_blocking};

const ACCOUNT: i64 = 10_001;

/// Connects to a node, once that leads.
async fn connected(cluster: &Cluster, node: usize) -> Peer {
    let url = format!("ws://{}/onebot/v11/ws", cluster.nodes[node].address);
    let began = Instant::now();
    loop {
        match Peer::dial(&url, &headers("10001", "Universal"), willing()).await {
            Ok(peer) => return peer,
            Err(error) => assert!(began.elapsed() < DEADLINE, "never taken: {error}"),
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: tests/run"]
async fn events_of_a_leader_that_was_cut_off_go_to_the_next_one() {
    let cluster = spawn_blocking(Cluster::start_linked).await.unwrap();
    let leader = block_in_place(|| cluster.leader());
    let peer = connected(&cluster, leader).await;
    peer.push(&group_message(ACCOUNT, 1, 1, "before"));
    block_in_place(|| cluster.agreed(1));
    cluster.links[leader].cut();
    for number in 2..=4 {
        peer.push(&group_message(ACCOUNT, 1, number, &format!("held {number}")));
    }
    let next = block_in_place(|| {
        eventually("another node leads", || {
            let status = cluster.status();
            let leader = status["leader"].as_str().filter(|name| *name != NAMES[leader])?;
            NAMES.iter().position(|name| *name == leader)
        })
    });
    // The platform tells one of them to the next leader, too.
    let again = connected(&cluster, next).await;
    again.push(&group_message(ACCOUNT, 1, 3, "held 3"));
    cluster.links[leader].heal();
    let mut contents = block_in_place(|| cluster.agreed(4));
    contents.sort_by(|(_, one), (_, other)| one.cmp(other));
    let texts: Vec<_> = contents.iter().map(|(_, text)| &**text).collect();
    assert_eq!(texts, ["before", "held 2", "held 3", "held 4"]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: tests/run"]
async fn without_nats_adapters_stay_connected_and_lose_nothing() {
    let mut cluster = spawn_blocking(Cluster::start).await.unwrap();
    let leader = block_in_place(|| cluster.leader());
    let peer = connected(&cluster, leader).await;
    peer.push(&group_message(ACCOUNT, 1, 1, "before"));
    block_in_place(|| {
        cluster.agreed(1);
        cluster.nats.kill_all();
        eventually("no node leads", || {
            let (_, metrics) = cluster.nodes[leader].get("/metrics");
            let metrics = metrics.as_str()?;
            metrics.lines().any(|line| line == "rechat_cluster_leading 0").then_some(())
        });
    });
    for number in 2..=4 {
        peer.push(&group_message(ACCOUNT, 1, number, &format!("meanwhile {number}")));
    }
    // Another implementation comes to the node that led, and is taken.
    let url = format!("ws://{}/onebot/v11/ws", cluster.nodes[leader].address);
    let other = Peer::dial(&url, &headers("10002", "Universal"), willing()).await.unwrap();
    other.push(&group_message(ACCOUNT + 1, 2, 5, "meanwhile 5"));
    assert!(!peer.is_finished(), "the connection lives");
    block_in_place(|| {
        cluster.nats.begin_all();
        let contents = cluster.agreed(5);
        let mut texts: Vec<_> = contents.iter().map(|(_, text)| &**text).collect();
        texts.sort_unstable();
        let wanted = ["before", "meanwhile 2", "meanwhile 3", "meanwhile 4", "meanwhile 5"];
        assert_eq!(texts, wanted);
    });
}
