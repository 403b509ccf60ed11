//! Adapters and bots that connect to a node which does not lead.

use crate::nats::Nats;
use crate::nodes::Cluster;
use crate::onebot::Peer;
use crate::onebot11::{group_message, headers, willing};
use crate::server::{DEADLINE, agent, eventually};
use crate::socket::Client;
use serde_json::{Value, json};
use std::time::Instant;
use tokio::task::{block_in_place, spawn_blocking};
use tokio_tungstenite::tungstenite::Error;

const ACCOUNT: i64 = 10_001;

async fn cluster(more: &'static str) -> Cluster {
    spawn_blocking(move || Cluster::start_with(Nats::of(1), more, &[])).await.unwrap()
}

async fn dial(cluster: &Cluster, node: usize, account: &str) -> Result<Peer, Error> {
    let url = format!("ws://{}/onebot/v11/ws", cluster.nodes[node].address);
    Peer::dial(&url, &headers(account, "Universal"), willing()).await
}

/// Dials until a node leads that takes it.
async fn connected(cluster: &Cluster, node: usize, account: &str) -> Peer {
    let began = Instant::now();
    loop {
        match dial(cluster, node, account).await {
            Ok(peer) => return peer,
            Err(error) => assert!(began.elapsed() < DEADLINE, "never taken: {error}"),
        }
    }
}

/// The states of accounts, as a node tells them.
fn states(cluster: &Cluster, node: usize) -> Value {
    let (_, answer) = cluster.nodes[node].get("/api/platforms");
    let platforms = answer["platforms"].as_array().cloned().unwrap_or_default();
    platforms.iter().map(|one| json!([one["account"], one["state"]])).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: tests/run"]
async fn an_implementation_may_dial_any_node() {
    let mut cluster = cluster("").await;
    let (leader, follower) = block_in_place(|| (cluster.leader(), cluster.follower()));
    let other = 3 - leader - follower;
    let mut watcher = Client::connect(&cluster.nodes[other]).await;
    watcher.subscribe().await;
    let peer = connected(&cluster, follower, "10001").await;
    // Every node tells of it, and takes messages for it.
    let told = watcher.event("adapter_status").await;
    assert_eq!(told["status"], "Connected", "{told}");
    block_in_place(|| {
        for node in 0..3 {
            assert_eq!(states(&cluster, node), json!([["10001", "Connected"]]), "node {node}");
        }
    });
    // More than may be under way at one time, in both directions.
    let long = "long ".repeat(600_000);
    peer.push(&group_message(ACCOUNT, 1, 1, &long));
    peer.push(&group_message(ACCOUNT, 1, 2, "short"));
    let contents = block_in_place(|| cluster.agreed(2));
    assert!(contents[0].1 == "short" && contents[1].1 == long);
    let text = "answer ".repeat(100_000);
    let id = block_in_place(|| cluster.nodes[other].make_for(Some("qq"), "group_1", &text));
    let action = peer.action("send_group_msg").await;
    assert!(action["params"]["message"].to_string().contains(&text));
    block_in_place(|| cluster.nodes[other].until(&id, "Sent"));
    // Another account comes to the leader itself, and leaves again.
    let second = connected(&cluster, leader, "10002").await;
    let both = json!([["10001", "Connected"], ["10002", "Connected"]]);
    block_in_place(|| {
        eventually("both are connected", || (states(&cluster, other) == both).then_some(()));
    });
    second.drop_connection();
    // The connection ends with the leader, and comes to the next one by the same node.
    block_in_place(|| cluster.nodes[leader].kill());
    peer.ended().await;
    let peer = connected(&cluster, follower, "10001").await;
    peer.push(&group_message(ACCOUNT, 1, 3, "after"));
    block_in_place(|| {
        cluster.nodes[leader].start_again();
        assert_eq!(cluster.agreed(4)[0].1, "after");
    });
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: tests/run"]
async fn the_leader_checks_who_dials_another_node() {
    let more = "[[adapter]]\nkind = \"onebot11\"\npath = \"/own\"\ntoken = \"secret\"\n\
                [[bot]]\nname = \"helper\"\nkind = \"satori\"\ntoken = \"other\"\n";
    let cluster = cluster(more).await;
    let follower = block_in_place(|| cluster.follower());
    let address = cluster.nodes[follower].address.clone();
    let refused = |url: String, mut fields: Vec<(&'static str, &'static str)>| async move {
        fields.extend([("X-Self-ID", "10001"), ("X-Client-Role", "Universal")]);
        match Peer::dial(&url, &fields, willing()).await {
            Err(Error::Http(answer)) => answer.status().as_u16(),
            Ok(_) => 101,
            Err(error) => panic!("{error}"),
        }
    };
    let own = format!("ws://{address}/own");
    assert_eq!(refused(own.clone(), vec![]).await, 401);
    assert_eq!(refused(own.clone(), vec![("Authorization", "Bearer wrong")]).await, 401);
    assert_eq!(refused(own, vec![("Authorization", "Bearer secret")]).await, 101);
    assert_eq!(refused(format!("ws://{address}/nowhere"), vec![]).await, 404);
    let foreign = vec![("Origin", "http://elsewhere.example")];
    assert_eq!(refused(format!("ws://{address}/onebot/v11/ws"), foreign).await, 403);
    // Calls of a bot go to the leader, too, and as they would there.
    block_in_place(|| {
        let call = |token: &str| {
            let url = format!("http://{address}/bots/helper/satori/v1/login.get");
            let asked = agent().post(url).header("authorization", &format!("Bearer {token}"));
            asked.send_empty().unwrap().status().as_u16()
        };
        assert_eq!(call("wrong"), 401);
        assert_ne!(call("other"), 401);
    });
}

#[test]
#[ignore = "needs nats-server: tests/run"]
fn every_node_says_why_a_message_waits() {
    let mut cluster = Cluster::start_with(Nats::of(1), "", &[]);
    let (leader, follower) = (cluster.leader(), cluster.follower());
    let id = cluster.nodes[follower].make_for(Some("qq"), "group_1", "waits");
    let path = format!("/api/messages/{id}");
    let at_leader = cluster.nodes[leader].get(&path).1;
    let text = at_leader["waiting"].as_str().unwrap();
    assert!(text.contains("no adapter of qq is connected"), "{text}");
    for node in [follower, 3 - leader - follower] {
        let node = &cluster.nodes[node];
        assert_eq!(node.get(&path).1["waiting"], text);
        assert_eq!(node.get("/api/messages").1["messages"][0]["waiting"], text);
        let (_, list) = node.get("/api/conversations");
        assert_eq!(list["conversations"][0]["last_message"]["waiting"], text);
    }
    // Without a leader nobody knows, and that is told.
    cluster.nats.kill_all();
    eventually("the node tells that it cannot know", || {
        let (_, message) = cluster.nodes[follower].get(&path);
        (message["waiting_code"] == "no_leader").then_some(())
    });
}
