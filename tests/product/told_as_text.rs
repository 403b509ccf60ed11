//! Messages that go out in another form than they were made in, and get no answer: each is recognized.

use crate::account::{ACCOUNT, implementation, server_with};
use crate::onebot::{Peer, Reply, Script};
use crate::onebot11::{group_message, own_message};
use crate::server::{TestServer, eventually};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

/// An attempt without an answer ends soon, but not before an answer comes on a busy machine.
const HASTY: &str = "[outbox]\nfirst_pause_seconds = 0.01\nlongest_pause_seconds = 0.02\n\n\
     [[adapter]]\nkind = 'onebot11'\nanswer_timeout = 2\n";

/// The group in which somebody said something that is answered elsewhere.
const ELSEWHERE: i64 = 50;

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A number that may be a text.
fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

/// Each in a group of its own, so that all wait at the same time.
fn cases() -> Vec<(i64, Value)> {
    let sticker = |id: Value| json!({"type": "emoji", "id": id, "name": "x", "url": "https://example.com/b.png"});
    let cases = [
        json!([{"type": "text", "text": "hello"}]),
        json!([{"type": "text", "text": "hi "}, {"type": "emoji", "name": "😀"}]),
        json!([{"type": "location", "latitude": 1.5, "longitude": 2.0, "title": "T"}]),
        json!([{"type": "card", "title": "T", "url": "https://x.y"}]),
        json!([{"type": "other", "name": "dice", "text": "6"}]),
        json!([sticker(json!("14")), sticker(Value::Null)]),
    ];
    (100..).zip(cases).collect()
}

/// A platform that keeps what is sent in its history, and does not answer the first message to a group of
/// [`cases`].
#[derive(Clone, Default)]
struct Platform {
    history: Arc<Mutex<Vec<Value>>>,
    /// Without it, the history cannot be asked for.
    has_history: bool,
}

impl Platform {
    fn script(&self) -> Script {
        let platform = self.clone();
        Arc::new(move |action| {
            let group = &action["params"]["group_id"];
            match action["action"].as_str() {
                Some("send_group_msg") => platform.send(group, &action["params"]["message"]),
                Some("get_group_msg_history") if platform.has_history => {
                    let history = platform.history.lock().unwrap();
                    let of_group = |told: &&Value| number(&told["group_id"]) == number(group);
                    let told: Vec<_> = history.iter().filter(of_group).collect();
                    Reply::ok(json!({ "messages": told }))
                }
                Some("get_login_info") => Reply::ok(json!({"user_id": ACCOUNT, "nickname": "Me"})),
                _ => Reply::refused(1404, "no such action"),
            }
        })
    }

    fn send(&self, group: &Value, message: &Value) -> Reply {
        let group = number(group);
        let mut history = self.history.lock().unwrap();
        let id = 1_001 + i64::try_from(history.len()).unwrap();
        let is_first = !history.iter().any(|told| told["group_id"] == group);
        let mut echo = own_message(ACCOUNT, group, id, "");
        echo["message"] = message.clone();
        echo["time"] = json!(now());
        history.push(echo);
        if group >= 100 && is_first { Reply::Silent } else { Reply::ok(json!({"message_id": id})) }
    }
}

/// Makes the messages, one of which answers a message of another group, and gives their IDs.
fn make_all(server: &TestServer, peer: &Peer) -> Vec<String> {
    let mut said = group_message(ACCOUNT, ELSEWHERE, 9, "elsewhere");
    said["time"] = json!(now());
    peer.push(&said);
    let answered = eventually("it came", || {
        let (_, page) = server.get(&format!("/api/messages?conversation=group_{ELSEWHERE}"));
        page["messages"][0]["id"].as_str().map(str::to_owned)
    });
    let mut bodies: Vec<_> = cases()
        .into_iter()
        .map(|(group, segments)| {
            json!({"platform": "qq", "recipient": format!("group_{group}"), "segments": segments})
        })
        .collect();
    let answer = json!([{"type": "text", "text": "yes"}]);
    bodies.push(json!({"platform": "qq", "recipient": "group_99100", "segments": answer, "reply_to": answered}));
    let make = |body: &Value| {
        let (status, made) = server.post(body);
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().unwrap().to_owned()
    };
    bodies.iter().map(make).collect()
}

/// Asserts that each was sent once, and that the echo of none is stored as another message.
fn assert_once(server: &TestServer, platform: &Platform, ids: &[String]) {
    for id in ids {
        server.until(id, "Sent");
    }
    let history = platform.history.lock().unwrap().clone();
    let sent = history.iter().filter(|told| told["group_id"].as_i64() >= Some(100)).count();
    assert_eq!(sent, ids.len(), "{history:#?}");
    let (_, page) = server.get("/api/messages?limit=200&direction=Outbound");
    let stored: Vec<_> =
        page["messages"].as_array().unwrap().iter().map(|one| &one["content"]).collect();
    assert_eq!(stored.len(), ids.len(), "{stored:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_out_as_text_is_found_in_a_history() {
    let platform = Platform { has_history: true, ..Platform::default() };
    let server = server_with(&format!("{HASTY}history = 0\n"));
    let peer = implementation(&server, platform.script()).await;
    let ids = make_all(&server, &peer);
    assert_once(&server, &platform, &ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_out_as_text_is_known_by_its_echo() {
    let platform = Platform::default();
    let server = server_with(&HASTY.replace("0.01", "3600").replace("0.02", "3600"));
    let peer = implementation(&server, platform.script()).await;
    let ids = make_all(&server, &peer);
    for id in &ids {
        eventually("the attempt has no answer", || {
            server.get(&format!("/api/messages/{id}")).1.get("last_error").map(drop)
        });
    }
    for echo in platform.history.lock().unwrap().iter() {
        peer.push(echo);
    }
    assert_once(&server, &platform, &ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_out_as_text_before_a_kill_is_known_after_it() {
    let platform = Platform { has_history: true, ..Platform::default() };
    let mut server = server_with(&HASTY.replace("timeout = 2", "timeout = 30"));
    let before = implementation(&server, platform.script()).await;
    let ids = make_all(&server, &before);
    eventually("all were sent", || {
        (platform.history.lock().unwrap().len() == ids.len()).then_some(())
    });
    server.kill();
    server.start_again();
    let _after = implementation(&server, platform.script()).await;
    assert_once(&server, &platform, &ids);
}
