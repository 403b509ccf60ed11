//! The process is killed at random moments: what was acknowledged is there, and agrees.

use crate::server::TestServer;
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

/// Kills unless `RECHAT_CRASH_ROUNDS` says otherwise.
const ROUNDS: usize = 10;

/// Writers at a time.
const WRITERS: u64 = 6;

/// What the server has acknowledged: the message as it answered, or `None` for deleted.
#[derive(Default)]
struct Acknowledged {
    messages: HashMap<String, Option<Value>>,
    /// Changes whose answer never came: they may have happened or not.
    open: HashSet<String>,
}

/// Makes, cancels and deletes messages until the server is gone.
fn write(
    server: &TestServer,
    seed: u64,
    acknowledged: &Mutex<Acknowledged>,
    written: &std::sync::atomic::AtomicUsize,
) {
    use std::sync::atomic::Ordering::Relaxed;
    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed.to_le_bytes().repeat(4));
    let mut mine: Vec<String> = Vec::new();
    loop {
        let number = random.next_u32();
        let chosen = (!mine.is_empty()).then(|| number as usize % mine.len());
        let answer = match (number % 10, chosen) {
            (0..=5, _) | (_, None) => {
                let body = json!({
                    "message_type": "Text", "content": "x".repeat(number as usize % 2000 + 1),
                    "recipient": format!("group_{}", number % 5), "platform": "nowhere",
                });
                server.try_ask("POST", "/api/messages", Some(&body)).map(|(_, made)| {
                    let id = made["id"].as_str().unwrap().to_owned();
                    mine.push(id.clone());
                    (id, Some(made))
                })
            }
            (6..=8, Some(place)) => {
                let id = mine[place].clone();
                acknowledged.lock().unwrap().open.insert(id.clone());
                let body = json!({"status": "Canceled"});
                let answer = server.try_ask("PATCH", &format!("/api/messages/{id}"), Some(&body));
                answer.map(|(_, changed)| (id, Some(changed)))
            }
            (_, Some(place)) => {
                let id = mine.swap_remove(place);
                acknowledged.lock().unwrap().open.insert(id.clone());
                server.try_ask("DELETE", &format!("/api/messages/{id}"), None).map(|_| (id, None))
            }
        };
        let Ok((id, message)) = answer else { return };
        let mut acknowledged = acknowledged.lock().unwrap();
        acknowledged.open.remove(&id);
        acknowledged.messages.insert(id, message);
        written.fetch_add(1, Relaxed);
    }
}

#[test]
fn what_was_acknowledged_survives_every_kill() {
    let rounds =
        std::env::var("RECHAT_CRASH_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let mut server = TestServer::start();
    let acknowledged = Mutex::new(Acknowledged::default());
    for round in 0..rounds {
        let written = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let seed = round as u64 * WRITERS + writer;
                let (server, acknowledged, written) = (&server, &acknowledged, &written);
                scope.spawn(move || write(server, seed, acknowledged, written));
            }
            // Another number of answers in each round, so that the moment is another too.
            let enough = 20 + round * 37 % 300;
            crate::server::eventually("enough is written", || {
                (written.load(std::sync::atomic::Ordering::Relaxed) >= enough).then_some(())
            });
            server.signal(rustix::process::Signal::KILL);
        });
        server.kill();
        let found = server.home.run(&["check"]);
        let text = String::from_utf8_lossy(&found.stdout).into_owned();
        assert!(found.status.success(), "round {round}: {text}");
        server.start_again();
    }
    let Acknowledged { messages, open } = acknowledged.into_inner().unwrap();
    for (id, message) in messages.iter().filter(|(id, _)| !open.contains(*id)) {
        let (status, found) = server.get(&format!("/api/messages/{id}"));
        match message {
            Some(message) => assert_eq!((status, &found), (200, message)),
            None => assert_eq!(status, 404, "{id} was deleted"),
        }
    }
    counts_agree(&server);
}

/// The counts that are kept are those that listing everything gives.
fn counts_agree(server: &TestServer) {
    let (_, stats) = server.get("/api/stats");
    let mut counted: HashMap<String, u64> = HashMap::new();
    let (mut ids, mut before) = (HashSet::new(), String::new());
    loop {
        let (_, page) = server.get(&format!("/api/messages?limit=200{before}"));
        let page = page["messages"].as_array().unwrap().clone();
        for message in &page {
            let status = message["status"].as_str().unwrap().to_lowercase();
            *counted.entry(status).or_default() += 1;
            assert!(ids.insert(message["id"].clone()), "an ID is there twice");
        }
        let Some(last) = page.last() else { break };
        before = format!("&before={}", last["id"].as_str().unwrap());
    }
    for state in ["pending", "sending", "sent", "failed", "canceled"] {
        assert_eq!(stats[state], counted.get(state).copied().unwrap_or_default(), "{state}");
    }
    assert_eq!(stats["total"], ids.len());
}
