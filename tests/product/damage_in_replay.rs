//! A damaged message in the store: sessions that come to it continue after it.

use crate::server::{Home, TestServer, agent};
use crate::socket::Client;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};

/// Flips the last bit of a message's record.
fn damage(home: &Home, seq: u64) {
    let messages = redb::TableDefinition::<u64, &[u8]>::new("messages");
    let database = redb::Database::open(home.db()).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut table = transaction.open_table(messages).unwrap();
        let mut bytes = redb::ReadableTable::get(&table, seq).unwrap().unwrap().value().to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        table.insert(seq, bytes.as_slice()).unwrap();
    }
    transaction.commit().unwrap();
}

fn content(event: &Value) -> &str {
    event["data"]["content"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_on_past_a_damaged_message_gets_the_others_and_goes_on_live() {
    let mut server = TestServer::start();
    let mut client = Client::connect(&server).await;
    let events = json!({"type": "subscribe", "events": ["message_status", "message_updated"]});
    let begin = client.done(&events).await["cursor"].clone();
    for n in 1..=4 {
        server.make_for(Some("qq"), "group_1", &format!("m{n}"));
    }
    client.leave().await;
    assert_eq!(server.stop(), Some(0));
    // In the midst, and the last one.
    damage(&server.home, 2);
    damage(&server.home, 4);
    server.start_again();

    let mut by_cursor = events.clone();
    by_cursor["cursor"] = begin;
    let mut sessions = Vec::new();
    for command in [json!({"type": "subscribe", "since": 0}), by_cursor] {
        let mut session = Client::connect(&server).await;
        session.done(&command).await;
        assert_eq!(session.contents(2).await, ["m1", "m3"], "{command}");
        sessions.push(session);
    }
    let stream = agent().get(server.url("/api/stream?since=0"));
    let stream = stream.header("accept", "application/x-ndjson").call().unwrap();
    let mut lines = BufReader::new(stream.into_body().into_reader()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!([content(&next()), content(&next())], ["m1", "m3"]);

    server.make_for(Some("qq"), "group_1", "live");
    for session in &mut sessions {
        assert_eq!(session.contents(1).await, ["live"]);
    }
    assert_eq!(content(&next()), "live");
    server.tells("message 4 is damaged; it is left out");
    let log = server.log();
    for seq in [2, 4] {
        let told = log.matches(&format!("message {seq} is damaged; it is left out")).count();
        assert_eq!(told, 1, "once, however many come past it: {log}");
    }
    assert_eq!(server.get("/api/health").1["status"], "degraded");
}
