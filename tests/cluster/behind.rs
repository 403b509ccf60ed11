//! Nodes that fall behind, and a log that has no more room.

use crate::nats::Nats;
use crate::nodes::{Cluster, NAMES};
use crate::server::{Home, TestServer, eventually};
use async_nats::jetstream::stream;
use rustix::process::Signal;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use tokio::task::{block_in_place, spawn_blocking};

const LOG: &str = "rechat-test-log";

/// Nodes that make a snapshot after so many messages.
fn start(snapshot_every: &str) -> Cluster {
    let mut cluster = Cluster::make(Nats::of(1), "", &[]);
    for name in NAMES {
        let home = Arc::new(Home::new());
        home.configure(&cluster.configuration(name));
        let every = [("RECHAT_CLUSTER__SNAPSHOT_EVERY", Path::new(snapshot_every))];
        cluster.nodes.push(TestServer::start_among(home, &[], &every));
    }
    cluster
}

/// The address at which a server serves since it began again.
fn last_address(node: &TestServer) -> String {
    let log = node.log();
    let (_, rest) = log.rsplit_once("serving address=").unwrap();
    rest.split_whitespace().next().unwrap().to_owned()
}

/// Waits until all nodes have the same messages, also those that began again; gives them.
fn agreed_again(cluster: &mut Cluster, count: usize) -> Vec<(String, String)> {
    eventually("all nodes have the same", || {
        cluster.nodes.iter_mut().for_each(|node| node.address = last_address(node));
        let first = cluster.contents(0);
        let is_same = (1..3).all(|node| cluster.contents(node) == first);
        (first.len() == count && is_same).then_some(first)
    })
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: tests/run"]
async fn a_node_that_the_log_did_not_wait_for_takes_a_snapshot_while_it_runs() {
    let mut cluster = spawn_blocking(|| start("20")).await.unwrap();
    let follower = block_in_place(|| {
        cluster.make_message("before");
        cluster.agreed(1);
        let follower = cluster.follower();
        cluster.nodes[follower].signal(Signal::STOP);
        // Messages that NATS has sent it already do not count.
        cluster.nats.kill(0);
        cluster.nats.begin(0);
        for number in 0..30 {
            cluster.make_message(&format!("meanwhile {number}"));
        }
        follower
    });
    let snapshot = block_in_place(|| {
        eventually("a snapshot is made", || {
            cluster.status()["snapshot"].as_u64().filter(|at| *at > 20)
        })
    });
    let log = cluster.nats.stranger().await.get_stream(LOG).await.unwrap();
    log.purge().sequence(snapshot + 1).await.unwrap();
    block_in_place(|| {
        let node = &mut cluster.nodes[follower];
        node.signal(Signal::CONT);
        node.tells("this server begins again");
        // The other one may have missed something, too, while NATS was started again.
        agreed_again(&mut cluster, 31);
        cluster.make_message("after");
        cluster.agreed(32);
        let old = cluster.nodes[follower].home.db();
        let aside = std::fs::read_dir(old.parent().unwrap()).unwrap().flatten();
        let is_aside = |name: String| name.contains(".behind.");
        let found = aside.filter(|file| is_aside(file.file_name().into_string().unwrap()));
        assert_eq!(found.count(), 1, "the old store is kept");
    });
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: tests/run"]
async fn a_log_that_is_full_makes_room_by_itself() {
    let mut cluster = spawn_blocking(|| start("1000000")).await.unwrap();
    block_in_place(|| cluster.make_message("before"));
    let stranger = cluster.nats.stranger().await;
    let mut log = stranger.get_stream(LOG).await.unwrap();
    let config = log.info().await.unwrap().config.clone();
    stranger.update_stream(stream::Config { max_bytes: 200_000, ..config }).await.unwrap();
    block_in_place(|| {
        // More than twice as much as there is room for.
        let words = "x".repeat(10_000);
        for number in 0..50 {
            let content = format!("{number} {words}");
            let body = json!({"message_type": "Text", "content": content, "recipient": "group_1"});
            let key = format!("key {number}");
            eventually("it is stored", || {
                cluster.nodes.iter_mut().for_each(|node| node.address = last_address(node));
                (0..3).find_map(|node| cluster.try_make(node, &body, &key))
            });
        }
        // A node that was some messages behind began again with a snapshot.
        let contents = agreed_again(&mut cluster, 51);
        assert_eq!(contents[50].1, "before");
    });
}
