//! Changes that somebody makes to NATS by hand, and configurations that are wrong.

use crate::nats::Nats;
use crate::nodes::Cluster;
use crate::server::{Home, TestServer, agent, eventually};
use crate::socket::Client;
use async_nats::jetstream::stream;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{block_in_place, spawn_blocking};

/// The stream, and those of the buckets.
const LOG: &str = "rechat-test-log";
const LEASES: &str = "KV_rechat-test-leases";
const SNAPSHOTS: &str = "OBJ_rechat-test-snapshots";

async fn cluster_of(nats: impl FnOnce() -> Nats + Send + 'static) -> Cluster {
    spawn_blocking(|| Cluster::start_with(nats(), "", &[])).await.unwrap()
}

/// Waits until a node's health tells something.
fn tells(node: &TestServer, text: &str) {
    eventually(&format!("the health tells {text:?}"), || {
        let (_, health) = node.get("/api/health");
        health["reason"].as_str().is_some_and(|reason| reason.contains(text)).then_some(())
    });
}

fn is_well(node: &TestServer) {
    eventually("the node is well", || {
        let (_, health) = node.get("/api/health");
        (health["status"] == "ok").then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: tests/run"]
async fn a_message_of_a_stranger_in_the_log_is_passed_over() {
    let mut cluster = cluster_of(|| Nats::of(1)).await;
    block_in_place(|| cluster.make_message("before"));
    let stranger = cluster.nats.stranger().await;
    for text in
        ["", "hello", "\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}"]
    {
        let sent = stranger.publish("rechat-test.log", text.into()).await.unwrap();
        sent.await.unwrap();
    }
    block_in_place(|| {
        cluster.make_message("after");
        cluster.agreed(2);
        // Also for who reads the log from the beginning.
        let follower = cluster.follower();
        cluster.nodes[follower].kill();
        std::fs::remove_file(cluster.nodes[follower].home.db()).unwrap();
        cluster.nodes[follower].start_again();
        cluster.agreed(2);
        cluster.nodes.iter().for_each(is_well);
    });
    // And nothing of ours can be taken out by hand.
    let log = stranger.get_stream(LOG).await.unwrap();
    assert!(log.delete_message(1).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: tests/run"]
async fn buckets_that_are_deleted_are_made_again() {
    let mut cluster = cluster_of(|| Nats::of(1)).await;
    block_in_place(|| cluster.make_message("before"));
    let stranger = cluster.nats.stranger().await;
    stranger.delete_stream(LEASES).await.unwrap();
    stranger.delete_stream(SNAPSHOTS).await.unwrap();
    block_in_place(|| {
        cluster.make_message("after");
        // A new node takes a snapshot.
        let follower = cluster.follower();
        cluster.nodes[follower].kill();
        std::fs::remove_file(cluster.nodes[follower].home.db()).unwrap();
        eventually("there is a snapshot", || cluster.status()["snapshot"].is_u64().then_some(()));
        cluster.nodes[follower].start_again();
        cluster.agreed(2);
    });
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: tests/run"]
async fn a_lease_that_does_not_lapse_is_taken_from_a_leader_that_died() {
    let mut cluster = cluster_of(|| Nats::of(1)).await;
    block_in_place(|| cluster.make_message("before"));
    // As by clocks of NATS that were set back.
    let stranger = cluster.nats.stranger().await;
    let mut leases = stranger.get_stream(LEASES).await.unwrap();
    let config = leases.info().await.unwrap().config.clone();
    let config = stream::Config { max_age: Duration::from_hours(1), ..config };
    stranger.update_stream(config).await.unwrap();
    block_in_place(|| {
        let leader = cluster.leader();
        cluster.nodes[leader].kill();
        cluster.make_message("after");
        cluster.nodes[leader].start_again();
        cluster.agreed(2);
    });
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: tests/run"]
async fn a_log_that_takes_nothing_more_is_told_of_and_all_goes_on_afterwards() {
    let cluster = cluster_of(|| Nats::of(1)).await;
    block_in_place(|| cluster.make_message("before"));
    let stranger = cluster.nats.stranger().await;
    let mut log = stranger.get_stream(LOG).await.unwrap();
    let config = log.info().await.unwrap().config.clone();
    let full = stream::Config { max_bytes: 1, ..config.clone() };
    stranger.update_stream(full).await.unwrap();
    block_in_place(|| {
        let body = json!({"message_type": "Text", "content": "x", "recipient": "group_1"});
        let (status, error) = cluster.nodes[cluster.leader()].post(&body);
        let text = error["error"].as_str().unwrap();
        assert!(status == 503 && text.contains("nothing was stored"), "{error}");
        eventually("a node tells why", || {
            let is_told = |node: &TestServer| {
                let (_, health) = node.get("/api/health");
                let reason = health["reason"].as_str().unwrap_or_default();
                reason.contains("NATS takes nothing more") && reason.contains("maximum bytes")
            };
            cluster.nodes.iter().any(is_told).then_some(())
        });
    });
    stranger.update_stream(config).await.unwrap();
    block_in_place(|| {
        cluster.make_message("after");
        cluster.nodes.iter().for_each(is_well);
        let contents = cluster.contents(0);
        assert_eq!(contents[0].1, "after");
    });
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: tests/run"]
async fn batches_are_of_any_size_and_requests_as_large_as_nats_takes() {
    let cluster = cluster_of(|| Nats::with(1, "max_payload: 64KB")).await;
    block_in_place(|| {
        let (leader, follower) = (cluster.leader(), cluster.follower());
        let content = "x".repeat(500_000);
        let body = json!({"message_type": "Text", "content": content, "recipient": "group_1"});
        let (status, error) = cluster.nodes[follower].post(&body);
        assert_eq!(status, 413, "{error}");
        assert!(error["error"].as_str().unwrap().contains("max_payload"), "{error}");
        // A request that was passed on once is not passed on again.
        let passed = agent()
            .post(cluster.nodes[follower].url("/api/messages"))
            .header("rechat-hops", "1")
            .send_json(json!({"message_type": "Text", "content": "x", "recipient": "group_1"}));
        assert_eq!(passed.unwrap().status(), 503);
        let (status, _) = cluster.nodes[leader].post(&body);
        assert_eq!(status, 201);
        let contents = cluster.agreed(1);
        assert_eq!(contents[0].1, content);
    });
}

#[test]
#[ignore = "needs nats-server: tests/run"]
fn two_nodes_with_one_name_are_told_of() {
    let mut cluster = Cluster::make(Nats::of(1), "", &[]);
    cluster.add_named("a");
    cluster.add_named("a");
    for node in &cluster.nodes {
        tells(node, "another node is named `a` too");
    }
    cluster.nodes[1].kill();
    is_well(&cluster.nodes[0]);
    cluster.make_message("all the same");
}

#[test]
#[ignore = "needs nats-server: tests/run"]
fn a_store_of_another_cluster_stays_where_it_is() {
    let mut one = Cluster::make(Nats::of(1), "", &[]);
    one.add(0);
    let id = one.make_message("of one");
    let mut other = Cluster::make(Nats::of(1), "", &[]);
    other.add(0);
    other.make_message("of the other");
    one.nodes[0].stop();
    one.nodes[0].home.configure(&other.configuration("b"));
    one.nodes[0].start_again();
    tells(&one.nodes[0], "this store is of the cluster");
    let (status, _) = one.nodes[0].get(&format!("/api/messages/{id}"));
    assert_eq!(status, 200);
    // It does not count as a node of the other.
    eventually("the other has one node", || {
        let status = other.status();
        (status["nodes"].as_array()?.len() == 1).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: tests/run"]
async fn what_one_node_told_of_is_known_at_the_others() {
    let cluster = cluster_of(|| Nats::of(1)).await;
    block_in_place(|| cluster.leader());
    for round in 0..12 {
        let (here, there) = (&cluster.nodes[round % 3], &cluster.nodes[(round + 1) % 3]);
        let id = block_in_place(|| here.make("group_1", &format!("{round}")));
        let (status, _) = block_in_place(|| there.get(&format!("/api/messages/{id}")));
        assert_eq!(status, 200, "round {round}");
        let mut client = Client::connect(there).await;
        client.done(&json!({"type": "subscribe", "since": id})).await;
        let (status, page) = block_in_place(|| there.get(&format!("/api/messages?before={id}")));
        assert_eq!(status, 200, "{page}");
    }
}

#[test]
#[ignore = "needs nats-server: tests/run"]
fn a_node_waits_for_nats_that_comes_later() {
    let mut cluster = Cluster::make(Nats::of(1), "", &[]);
    cluster.add(0);
    cluster.make_message("before");
    cluster.nodes[0].stop();
    cluster.nats.kill_all();
    cluster.nodes[0].start_again();
    assert_eq!(cluster.contents(0).len(), 1);
    tells(&cluster.nodes[0], "NATS cannot be reached");
    cluster.nats.begin_all();
    cluster.make_message("after");
    is_well(&cluster.nodes[0]);
}

#[test]
#[ignore = "needs nats-server: tests/run"]
fn a_name_of_a_cluster_that_was_never_made_is_told_of() {
    let nats = Nats::of(1);
    let home = Arc::new(Home::new());
    let urls = nats.urls();
    home.configure(&format!("[cluster]\nnats = {urls}\nname = \"none\"\nnode = \"a\"\n"));
    let errors = home.fails(1, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(errors.contains("rechat cluster init"), "{errors}");
}

#[test]
#[ignore = "needs nats-server: tests/run"]
fn a_node_whose_disk_is_full_leaves_the_lead_to_others() {
    let mut cluster = Cluster::make(Nats::of(1), "", &[]);
    let home = Arc::new(Home::new());
    home.configure(&cluster.configuration("a"));
    let full = [("RECHAT_STORE__RESERVE_BYTES", Path::new("4611686018427387904"))];
    cluster.nodes.push(TestServer::start_among(home, &[], &full));
    eventually("the node tells of its disk", || {
        let (_, health) = cluster.nodes[0].get("/api/health");
        health["reason"].as_str()?.contains("the disk is full").then_some(())
    });
    cluster.add(1);
    cluster.make_message("taken");
    assert_ne!(cluster.leader(), 0);
}
