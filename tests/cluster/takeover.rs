//! Leaders, followers and NATS servers that die, one after the other.

use crate::nats::Nats;
use crate::nodes::{Cluster, NAMES};
use crate::server::{Home, TestServer, agent, eventually};
use crate::socket::{Client, in_time};
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::sync::Arc;

#[test]
#[ignore = "needs nats-server: tests/run"]
fn every_node_has_what_was_acknowledged_whoever_dies() {
    let mut cluster = Cluster::start();
    let mut made = Vec::new();
    let mut make = |cluster: &Cluster, count: usize| {
        for _ in 0..count {
            let content = format!("message {}", made.len());
            let id = cluster.make_message(&content);
            made.insert(0, (id, content));
        }
        made.clone()
    };
    let wanted = make(&cluster, 5);
    assert_eq!(cluster.agreed(5), wanted);
    // A leader.
    let leader = cluster.leader();
    cluster.nodes[leader].kill();
    let wanted = make(&cluster, 5);
    cluster.nodes[leader].start_again();
    assert_eq!(cluster.agreed(10), wanted);
    // A follower.
    let follower = cluster.follower();
    cluster.nodes[follower].kill();
    let wanted = make(&cluster, 5);
    cluster.nodes[follower].start_again();
    assert_eq!(cluster.agreed(15), wanted);
    // A leader that stops by itself, and each NATS server in turn.
    let leader = cluster.leader();
    assert_eq!(cluster.nodes[leader].stop(), Some(0));
    make(&cluster, 1);
    cluster.nodes[leader].start_again();
    for server in 0..3 {
        cluster.nats.kill(server);
        make(&cluster, 3);
        cluster.nats.begin(server);
        make(&cluster, 1);
    }
    let wanted = make(&cluster, 1);
    assert_eq!(cluster.agreed(29), wanted);
    for node in &cluster.nodes {
        eventually("the node is well", || {
            let (_, health) = node.get("/api/health");
            (health["status"] == "ok").then_some(())
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: tests/run"]
async fn whoever_leads_sends_what_any_node_was_given() {
    let more = "[[adapter]]\nkind = \"loopback\"\n";
    let mut cluster =
        tokio::task::spawn_blocking(move || Cluster::start_with(Nats::of(1), more, &[]))
            .await
            .unwrap();
    for round in 0..2 {
        let follower = tokio::task::block_in_place(|| cluster.follower());
        let node = &cluster.nodes[follower];
        let id = tokio::task::block_in_place(|| node.make_for(Some("loopback"), "room", "by HTTP"));
        tokio::task::block_in_place(|| node.until(&id, "Sent"));
        let mut client = Client::connect(node).await;
        for number in 0..5 {
            let data = json!({"platform": "loopback", "conversation": "room", "content": format!("{round} {number}")});
            client.say(&json!({"type": "send_message", "data": data})).await;
        }
        for _ in 0..5 {
            let ack = client.answer().await;
            assert_eq!(
                (&ack["type"], &ack["message_status"]),
                (&json!("ack"), &json!("Sent")),
                "{ack}"
            );
        }
        tokio::task::block_in_place(|| {
            let leader = cluster.leader();
            cluster.nodes[leader].kill();
            cluster.nodes[leader].start_again();
        });
    }
    let contents = tokio::task::block_in_place(|| cluster.agreed(12));
    let texts: Vec<_> = contents.iter().rev().map(|(_, text)| &**text).collect();
    let wanted = [
        "by HTTP", "0 0", "0 1", "0 2", "0 3", "0 4", "by HTTP", "1 0", "1 1", "1 2", "1 3", "1 4",
    ];
    assert_eq!(texts, wanted, "in the order in which they were said");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: tests/run"]
async fn a_node_that_is_gone_is_told_to_be_missing() {
    let start = || Cluster::start_with(Nats::of(1), "", &[]);
    let mut cluster = tokio::task::spawn_blocking(start).await.unwrap();
    let context = cluster.nats.stranger().await;
    in_time("all nodes have told that they are there", async {
        loop {
            if let Ok(bucket) = context.get_key_value("rechat-test-nodes").await
                && bucket.keys().await.unwrap().count().await == NAMES.len()
            {
                return;
            }
        }
    })
    .await;
    tokio::task::block_in_place(|| {
        let missing = |cluster: &Cluster| cluster.status()["missing"].as_array().cloned();
        assert_eq!(missing(&cluster), Some(vec![]));
        let follower = cluster.follower();
        cluster.nodes[follower].kill();
        let found = eventually("the node is told to be missing", || {
            missing(&cluster).filter(|missing| !missing.is_empty())
        });
        assert_eq!((found.len(), &found[0]["node"]), (1, &json!(NAMES[follower])), "{found:?}");
        assert!(found[0]["seen_at"].as_u64() > Some(1_700_000_000), "{found:?}");
        let listed = cluster.home.run(&["cluster", "status"]);
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        assert!(listed.contains("\tmissing since "), "{listed}");
        cluster.nodes[follower].start_again();
        eventually("no node is missing", || missing(&cluster).filter(Vec::is_empty));
    });
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: tests/run"]
async fn it_is_told_if_the_list_of_nodes_cannot_be_read() {
    let start = || Cluster::start_with(Nats::of(1), "", &[]);
    let cluster = tokio::task::spawn_blocking(start).await.unwrap();
    let context = cluster.nats.stranger().await;
    let bucket = in_time("there is a list of nodes", async {
        loop {
            if let Ok(bucket) = context.get_key_value("rechat-test-nodes").await {
                return bucket;
            }
        }
    })
    .await;
    bucket.put("ghost", "no report".into()).await.unwrap();
    let is_told = |status: &Value| {
        assert!(status.get("missing").is_none(), "{status}");
        let error = status["missing_error"].as_str().unwrap();
        assert!(error.starts_with("the list of nodes could not be read: `ghost`"), "{error}");
    };
    tokio::task::block_in_place(|| {
        is_told(&cluster.status());
        let listed = cluster.home.run(&["cluster", "status"]);
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        assert!(listed.contains("the list of nodes could not be read"), "{listed}");
    });
    // A cluster of an older version has none.
    context.delete_key_value("rechat-test-nodes").await.unwrap();
    assert_eq!(tokio::task::block_in_place(|| cluster.status())["missing"], json!([]));
}

#[test]
#[ignore = "needs nats-server: tests/run"]
fn a_log_whose_servers_have_no_majority_is_told_in_words() {
    let mut cluster = Cluster::start();
    cluster.make_message("before");
    cluster.nats.kill(0);
    cluster.nats.kill(1);
    eventually("the status tells why it is not known", || {
        let output = cluster.home.run(&["cluster", "status"]);
        let text = String::from_utf8_lossy(&output.stderr);
        (!output.status.success() && text.contains("more than half")).then_some(())
    });
    cluster.nats.begin(0);
    cluster.nats.begin(1);
    cluster.make_message("after");
    cluster.agreed(2);
}

#[test]
#[ignore = "needs nats-server: tests/run"]
fn without_nats_nodes_read_and_say_how_old_it_is() {
    let mut cluster = Cluster::start();
    let id = cluster.make_message("before");
    cluster.agreed(1);
    cluster.nats.kill_all();
    for node in &cluster.nodes {
        let refused = eventually("writes are refused", || {
            let body = json!({"message_type": "Text", "content": "x", "recipient": "group_1"});
            let request = ureq::http::Request::builder()
                .method("POST")
                .uri(node.url("/api/messages"))
                .header("content-type", "application/json")
                .body(body.to_string())
                .unwrap();
            let answer = agent().run(request).unwrap();
            (answer.status() == 503).then_some(answer)
        });
        assert!(refused.headers().contains_key("retry-after"), "{refused:?}");
        eventually("reads say how old they are", || {
            let answer = agent().get(node.url(&format!("/api/messages/{id}"))).call().unwrap();
            assert_eq!(answer.status(), 200);
            answer.headers().contains_key("age").then_some(())
        });
        eventually("the node tells why", || {
            let (_, health) = node.get("/api/health");
            let reason = health["reason"].as_str().unwrap_or_default();
            (health["status"] == "degraded" && reason.contains("NATS")).then_some(())
        });
    }
    cluster.nats.begin_all();
    cluster.make_message("after");
    let contents = cluster.agreed(2);
    assert_eq!(contents[0].1, "after");
    for node in &cluster.nodes {
        eventually("the node is well again", || {
            let (_, health) = node.get("/api/health");
            (health["status"] == "ok").then_some(())
        });
    }
}

#[test]
#[ignore = "needs nats-server: tests/run"]
fn a_store_goes_into_a_cluster_and_out_of_it() {
    let home = Arc::new(Home::new());
    let mut alone = TestServer::start_in(home.clone(), &[]);
    let id = alone.make("group_1", "from before");
    assert_eq!(alone.stop(), Some(0));
    let db = home.db().display().to_string();
    let mut cluster = Cluster::start_with(Nats::of(1), "", &["--from", &db]);
    cluster.make_message("in the cluster");
    let contents = cluster.agreed(2);
    assert_eq!(contents[1], (id, "from before".into()));
    // The store that was put in is still one of its own.
    let mut alone = TestServer::start_in(home, &[]);
    alone.make("group_1", "alone");
    assert_eq!(alone.stop(), Some(0));
    // A node's store is written by the log alone, until it leaves.
    let mut node = cluster.nodes.swap_remove(0);
    assert_eq!(node.stop(), Some(0));
    let db = node.home.db().display().to_string();
    let home = Home::new();
    let errors = home.fails(1, &["send", "--db", &db, "-r", "group_1", "--new", "x"]);
    assert!(errors.contains("rechat cluster leave"), "{errors}");
    // The cluster has more by now, which is told.
    cluster.make_message("without that node");
    let errors = node.home.fails(1, &["cluster", "leave"]);
    assert!(errors.contains("up to message") && errors.contains("--as-it-is"), "{errors}");
    node.home.ok(&["cluster", "leave", "--as-it-is"]);
    home.ok(&["send", "--db", &db, "-r", "group_1", "x"]);
    assert_eq!(home.ok(&["list", "--db", &db, "--json"]).lines().count(), 3);
    // And then it is no node any more.
    let errors = node.home.fails(1, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(errors.contains("of no cluster"), "{errors}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: tests/run"]
async fn a_watcher_that_moves_to_another_node_misses_nothing() {
    let cluster = tokio::task::spawn_blocking(Cluster::start).await.unwrap();
    let (mut cursor, mut seen) = (None, Vec::new());
    for round in 0..6 {
        let node = round % cluster.nodes.len();
        // Made while nobody watches, and while somebody does.
        tokio::task::block_in_place(|| cluster.make_message(&format!("{round} away")));
        let mut client = Client::connect(&cluster.nodes[node]).await;
        let subscribe = match &cursor {
            Some(cursor) => json!({"type": "subscribe", "cursor": cursor}),
            None => json!({"type": "subscribe", "events": ["message_status"], "since": 0}),
        };
        client.done(&subscribe).await;
        tokio::task::block_in_place(|| cluster.make_message(&format!("{round} live")));
        let last = format!("{round} live");
        loop {
            let event = client.next().await;
            if event["type"] != "new_message" {
                continue;
            }
            cursor = Some(event["cursor"].clone());
            let content = event["data"]["content"].as_str().unwrap().to_owned();
            seen.push(content.clone());
            if content == last {
                break;
            }
        }
    }
    let wanted: Vec<_> =
        (0..6).flat_map(|round| [format!("{round} away"), format!("{round} live")]).collect();
    assert_eq!(seen, wanted);
}
