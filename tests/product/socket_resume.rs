//! Resuming with `seq` and `since`: contract, Part 2, item 15.

use crate::server::TestServer;
use crate::socket::{Client, send_message};
use serde_json::{Value, json};

/// A client that writes `count` messages `<name> <number>`.
fn write(
    server: &TestServer,
    name: &'static str,
    count: usize,
) -> impl Future<Output = Vec<String>> + Send + use<> {
    let address = server.address.clone();
    async move {
        let writer = Client::connect_to(&address).await;
        let commands = (0..count).map(|i| send_message("qq", "group_1", &format!("{name} {i}")));
        writer.send_all(commands).await
    }
}

/// Reads messages until there are as many as were written, from `after` on: each once, in order,
/// without a gap.
async fn reads_all(client: &mut Client, after: u64, count: u64) {
    for seq in after + 1..=after + count {
        let message = client.message().await;
        assert_eq!(message["seq"], seq, "{message}");
    }
}

async fn nothing_more(client: &mut Client, server: &TestServer) {
    server.make("group_1", "the end");
    assert_eq!(client.until("the end").await, [] as [Value; 0]);
}

#[tokio::test]
async fn since_replays_what_was_missed_by_seq_and_by_id() {
    let server = TestServer::start();
    let ids: Vec<_> = (0..5).map(|i| server.make("group_1", &format!("m{i}"))).collect();
    for (since, expected) in [
        (json!(0), &["m0", "m1", "m2", "m3", "m4"][..]),
        (json!(3), &["m3", "m4"]),
        (json!("3"), &["m3", "m4"]),
        (json!(ids[2]), &["m3", "m4"]),
        (json!(5), &[]),
        (json!(ids[4]), &[]),
    ] {
        let mut client = Client::connect(&server).await;
        let command = json!({"type": "subscribe", "platforms": ["local"], "since": since});
        client.done(&command).await;
        assert_eq!(client.contents(expected.len()).await, expected, "{since}");
        server.make_for(Some("local"), "group_1", "live");
        assert_eq!(client.until("live").await, [] as [Value; 0], "{since}");
        // So that the next session has the same journal before it.
        let (_, page) = server.get("/api/messages?limit=1");
        let path = format!("/api/messages/{}", page["messages"][0]["id"].as_str().unwrap());
        assert_eq!(server.ask("DELETE", &path, None).0, 200);
    }
}

#[tokio::test]
async fn a_replay_heeds_what_the_session_wants() {
    let server = TestServer::start();
    for i in 0..4 {
        server.make_for(Some("qq"), "group_1", &format!("qq{i}"));
        server.make_for(Some("tg"), "group_1", &format!("tg{i}"));
    }
    let mut client = Client::connect(&server).await;
    client.done(&json!({"type": "subscribe", "platforms": ["qq"], "since": 4})).await;
    assert_eq!(client.contents(2).await, ["qq2", "qq3"]);
    client.done(&json!({"type": "subscribe", "platforms": ["tg"]})).await;
    nothing_more_of(&mut client, &server, "qq").await;
    client.done(&json!({"type": "subscribe", "platforms": ["tg"], "since": 6})).await;
    assert_eq!(client.contents(1).await, ["tg3"], "and nothing of qq again");
    nothing_more_of(&mut client, &server, "tg").await;
}

async fn nothing_more_of(client: &mut Client, server: &TestServer, platform: &str) {
    server.make_for(Some(platform), "group_1", "the end");
    assert_eq!(client.until("the end").await, [] as [Value; 0]);
}

#[tokio::test]
async fn since_an_unknown_message_is_an_error_and_subscribes_to_nothing() {
    let server = TestServer::start();
    let mut client = Client::connect(&server).await;
    let unknown = "6f0a0c1e-8f5c-4c8e-9a54-7b1e43a8a5b0";
    let text = client.fails(&json!({"type": "subscribe", "since": unknown})).await;
    assert!(text.contains("since") && text.contains(unknown), "{text}");
    server.make("group_1", "unseen");
    client.subscribe().await;
    nothing_more(&mut client, &server).await;
}

#[tokio::test]
async fn a_message_that_was_deleted_is_still_a_place_to_go_on_from() {
    let server = TestServer::start();
    let ids = ["a", "b", "c", "d"].map(|content| server.make("group_1", content));
    for id in [&ids[1], &ids[2]] {
        assert_eq!(server.ask("DELETE", &format!("/api/messages/{id}"), None).0, 200);
    }
    let mut client = Client::connect(&server).await;
    client.subscribe_since(ids[1].as_str()).await;
    assert_eq!(client.contents(1).await, ["d"]);
    nothing_more(&mut client, &server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resuming_during_heavy_writing_brings_every_message_once_and_in_order() {
    const EACH: usize = 1500;
    let server = TestServer::start();
    let writers = ["a", "b", "c"].map(|name| tokio::spawn(write(&server, name, EACH)));
    let total = 3 * EACH as u64;
    // Cut off and connected again all the while, until everything has come.
    let mut seq = 0;
    let mut step = 1;
    while seq < total {
        let mut client = Client::connect(&server).await;
        client.subscribe_since(seq).await;
        let count = step.min(total - seq);
        reads_all(&mut client, seq, count).await;
        seq += count;
        step = step * 2 % 700 + 1;
        drop(client);
    }
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    let mut client = Client::connect(&server).await;
    client.subscribe_since(0).await;
    let mut replayed = Vec::new();
    let mut of_each = std::collections::HashMap::new();
    for _ in 0..total {
        let message = client.message().await;
        replayed.push(message["id"].as_str().unwrap().to_owned());
        let content = message["content"].as_str().unwrap();
        let (name, number) = content.split_once(' ').unwrap();
        let next = of_each.entry(name.to_owned()).or_insert(0);
        assert_eq!(
            number.parse::<usize>().unwrap(),
            *next,
            "one writer's messages keep their order"
        );
        *next += 1;
    }
    nothing_more(&mut client, &server).await;
    acknowledged.sort();
    replayed.sort();
    assert!(acknowledged == replayed, "what was acknowledged is what was replayed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn going_back_on_a_live_session_brings_nothing_twice() {
    const COUNT: usize = 3000;
    let server = TestServer::start();
    for i in 0..50 {
        server.make_for(Some("qq"), "group_1", &format!("early {i}"));
    }
    let mut client = Client::connect(&server).await;
    client.done(&json!({"type": "subscribe", "since": 40})).await;
    let writer = tokio::spawn(write(&server, "w", COUNT));
    let mut times = std::collections::BTreeMap::new();
    let mut total = 50 + COUNT - 40;
    // After every hundred messages some are asked for again, and older ones, too.
    for since in [40, 45, 30, 30, 35, 10] {
        for _ in 0..100 {
            *times.entry(client.message().await["seq"].as_u64().unwrap()).or_insert(0) += 1;
            total -= 1;
        }
        let answer = client.ask(&json!({"type": "subscribe", "since": since})).await;
        assert_eq!(answer["type"], "ack", "{answer}");
    }
    total += 30;
    for _ in 0..total {
        *times.entry(client.message().await["seq"].as_u64().unwrap()).or_insert(0) += 1;
    }
    writer.await.unwrap();
    nothing_more(&mut client, &server).await;
    assert!(times.values().all(|&count| count == 1), "{times:?}");
    let expected: Vec<u64> = (11..=50 + COUNT as u64).collect();
    assert!(times.into_keys().eq(expected), "a gap");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_replayed_after_the_server_was_killed() {
    let mut server = TestServer::start();
    let mut acknowledged = write(&server, "w", 500).await;
    let mut client = Client::connect(&server).await;
    client.subscribe_since(0).await;
    reads_all(&mut client, 0, 200).await;
    server.kill();
    server.start_again();
    let mut client = Client::connect(&server).await;
    client.subscribe_since(200).await;
    reads_all(&mut client, 200, 300).await;
    let mut whole = Client::connect(&server).await;
    whole.subscribe_since(0).await;
    let mut replayed = Vec::new();
    for _ in 0..500 {
        replayed.push(whole.message().await["id"].as_str().unwrap().to_owned());
    }
    nothing_more(&mut client, &server).await;
    acknowledged.sort();
    replayed.sort();
    assert!(acknowledged == replayed, "what was acknowledged is what was replayed");
}

#[tokio::test]
async fn seq_grows_and_is_never_used_again() {
    let mut server = TestServer::start();
    let delete = |server: &TestServer, id: &str| {
        assert_eq!(server.ask("DELETE", &format!("/api/messages/{id}"), None).0, 200);
    };
    let mut last = 0;
    for round in 0..3 {
        let mut client = Client::connect(&server).await;
        client.subscribe().await;
        let ids = ["a", "b"].map(|content| server.make("group_1", content));
        for id in &ids {
            let message = client.message().await;
            let seq = message["seq"].as_u64().unwrap();
            assert!(message["id"] == **id && seq > last, "{message} after {last}");
            last = seq;
        }
        ids.iter().rev().for_each(|id| delete(&server, id));
        if round == 0 {
            server.kill();
        } else {
            assert_eq!(server.stop(), Some(0));
        }
        server.start_again();
    }
    assert_eq!(server.get("/api/stats").1["total"], 0);
    // The former head stays a valid cursor.
    let mut client = Client::connect(&server).await;
    client.subscribe_since(last).await;
    nothing_more(&mut client, &server).await;
}
