//! Files of messages: each node has those of all.

use crate::nats::Nats;
use crate::nodes::{Cluster, NAMES};
use crate::server::{TestServer, agent, eventually};
use serde_json::{Value, json};

/// Bytes that come in several pieces, and no other test has.
fn bytes(mark: u8) -> Vec<u8> {
    (0..700_000_u32).map(|number| (number % 251) as u8 ^ mark).collect()
}

fn upload(node: &TestServer, bytes: &[u8]) -> String {
    let sent = agent().post(node.url("/api/media?name=a.bin")).send(bytes);
    let mut answer = sent.unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    assert_eq!(answer.status(), 201, "{text}");
    let answer: Value = serde_json::from_str(&text).unwrap();
    answer["media"].as_str().unwrap().to_owned()
}

/// A file as a node serves it; `None` where it has none.
fn served(node: &TestServer, path: &str) -> Option<Vec<u8>> {
    let mut answer = agent().get(node.url(path)).call().ok()?;
    let is_there = answer.status() == 200;
    let bytes = answer.body_mut().read_to_vec().ok()?;
    is_there.then_some(bytes)
}

/// Whether a node has a file on its own disk.
fn keeps(node: &TestServer, media: &str) -> bool {
    let mut folder = node.home.db().into_os_string();
    folder.push("-media");
    std::path::Path::new(&folder).join(&media[..2]).join(media).exists()
}

fn send(node: &TestServer, media: &str) -> String {
    let body = json!({
        "recipient": "group_1", "segments": [{"type": "file", "media": media, "name": "a.bin"}],
    });
    eventually("the message is taken", || {
        let (status, message) = node.try_ask("POST", "/api/messages", Some(&body)).ok()?;
        assert!(status == 201 || status == 503, "{message}");
        (status == 201).then(|| message["id"].as_str().unwrap().to_owned())
    })
}

#[test]
#[ignore = "needs nats-server: tests/run"]
fn a_file_of_any_node_is_at_all_of_them() {
    let mut cluster = Cluster::make(Nats::of(1), "", &[]);
    cluster.add(0);
    cluster.add(1);
    let (leader, follower) = (cluster.leader(), cluster.follower());
    // A file that a follower took is read at the leader, which needs it to send it.
    let bytes = bytes(1);
    let media = upload(&cluster.nodes[follower], &bytes);
    let path = format!("/api/media/{media}");
    assert_eq!(served(&cluster.nodes[leader], &path), Some(bytes.clone()));
    let id = send(&cluster.nodes[follower], &media);
    // A new node has the files of messages that came before it, also once the first two are gone.
    cluster.add(2);
    eventually("the new node has the file", || keeps(&cluster.nodes[2], &media).then_some(()));
    cluster.nodes[0].kill();
    cluster.nodes[1].kill();
    assert_eq!(served(&cluster.nodes[2], &path), Some(bytes.clone()));
    cluster.nodes[0].start_again();
    cluster.nodes[1].start_again();
    // An address that one node gives is good at the others.
    let (_, address) = cluster.nodes[0].get(&format!("{path}/address"));
    let address = format!("/{}", address["path"].as_str().unwrap());
    assert_eq!(served(&cluster.nodes[1], &address), Some(bytes));
    // Removed once, it is removed everywhere.
    eventually("the message is sent or given up", || {
        let body = json!({"status": "Sent"});
        let path = format!("/api/messages/{id}");
        let (status, _) = cluster.nodes[0].try_ask("PATCH", &path, Some(&body)).ok()?;
        (status == 200).then_some(())
    });
    for node in &cluster.nodes {
        eventually("the status is everywhere", || {
            let (_, message) = node.get(&format!("/api/messages/{id}"));
            (message["status"] == "Sent").then_some(())
        });
    }
    eventually("it is removed", || {
        let (status, _) = cluster.nodes[0].try_ask("DELETE", &path, None).ok()?;
        (status == 200 || status == 404).then_some(())
    });
    for (node, name) in cluster.nodes.iter().zip(NAMES) {
        eventually(&format!("node {name} has it no more"), || (!keeps(node, &media)).then_some(()));
        assert_eq!(served(node, &path), None);
    }
}

#[test]
#[ignore = "needs nats-server: tests/run"]
fn an_upload_in_parts_goes_to_any_node() {
    let cluster = Cluster::start_with(Nats::of(1), "", &[]);
    let (leader, follower) = (cluster.leader(), cluster.follower());
    let bytes = bytes(2);
    let node = &cluster.nodes[follower];
    let begun = agent()
        .post(node.url("/api/uploads"))
        .header("upload-length", &bytes.len().to_string())
        .send_empty()
        .unwrap();
    assert_eq!(begun.status(), 201);
    let place = begun.headers()["location"].to_str().unwrap().to_owned();
    for (offset, part) in [(0, &bytes[..300_000]), (300_000, &bytes[300_000..])] {
        let taken = agent()
            .patch(node.url(&format!("/api/{place}")))
            .header("content-type", "application/offset+octet-stream")
            .header("upload-offset", offset.to_string())
            .send(part)
            .unwrap();
        assert_eq!(taken.status(), 204);
    }
    let (_, state) = node.get(&format!("/api/{place}"));
    let media = state["media"].as_str().unwrap().to_owned();
    send(&cluster.nodes[leader], &media);
    for node in &cluster.nodes {
        eventually("each node keeps it", || keeps(node, &media).then_some(()));
    }
    let unknown = "0".repeat(64);
    assert_eq!(served(node, &format!("/api/media/{unknown}")), None);
}
