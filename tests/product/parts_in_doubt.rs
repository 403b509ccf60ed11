//! Messages that are sent in several parts, one of which got no answer.

use crate::account::{ACCOUNT, ID, implementation, server_with};
use crate::onebot::{Peer, Reply, Script};
use crate::onebot11::{group_message, headers, own_message};
use crate::parts::{answering_by_hand, make_two_parts, stored};
use crate::server::{TestServer, eventually};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

/// An attempt without an answer ends soon, but not before an answer comes on a busy machine. No history is fetched
/// but to look for a message.
const HASTY: &str = "[outbox]\nfirst_pause_seconds = 0.01\nlongest_pause_seconds = 0.02\n\n\
     [[adapter]]\nkind = 'onebot11'\nanswer_timeout = 2\nhistory = 0\n";

/// The fate of an attempt that gets no answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    SentUnanswered,
    NotSent,
}

/// A platform that keeps what is sent in its history.
#[derive(Clone, Default)]
struct Platform {
    history: Arc<Mutex<Vec<Value>>>,
    /// Each is for the next attempt that begins with a segment of this type.
    fates: Arc<Mutex<Vec<(&'static str, Fate)>>>,
}

impl Platform {
    fn with_fate(kind: &'static str, fate: Fate) -> Self {
        let platform = Self::default();
        platform.fates.lock().unwrap().push((kind, fate));
        platform
    }

    fn script(&self) -> Script {
        let platform = self.clone();
        Arc::new(move |action| match action["action"].as_str() {
            Some("send_group_msg") => platform.send(&action["params"]["message"]),
            Some("get_group_msg_history") => {
                Reply::ok(json!({"messages": *platform.history.lock().unwrap()}))
            }
            Some("delete_msg") => Reply::ok(Value::Null),
            Some("get_login_info") => Reply::ok(json!({"user_id": ACCOUNT, "nickname": "Me"})),
            _ => Reply::refused(1404, "no such action"),
        })
    }

    fn send(&self, message: &Value) -> Reply {
        let mut fates = self.fates.lock().unwrap();
        let its = fates.iter().position(|(kind, _)| message[0]["type"] == *kind);
        let fate = its.map(|place| fates.remove(place).1);
        if fate == Some(Fate::NotSent) {
            return Reply::Silent;
        }
        let mut history = self.history.lock().unwrap();
        let id = 101 + i64::try_from(history.len()).unwrap();
        history.push(own(id, 0, message.clone()));
        if fate.is_some() { Reply::Silent } else { Reply::ok(json!({"message_id": id})) }
    }
}

/// An own message that was sent so many seconds ago.
fn own(id: i64, ago: u64, message: Value) -> Value {
    let mut own = own_message(ACCOUNT, 77, id, "");
    own["message"] = message;
    at(own, ago)
}

fn at(mut event: Value, ago: u64) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    event["time"] = json!(now - ago);
    event
}

fn text(words: &str) -> Value {
    json!([{"type": "text", "data": {"text": words}}])
}

fn file(name: &str) -> Value {
    json!([{"type": "file", "data": {"file": name}}])
}

/// Lets the server learn the clock of the platform.
fn tell_clock(server: &TestServer, peer: &Peer) {
    peer.push(&at(group_message(ACCOUNT, 66, 9, "a clock"), 0));
    eventually("it came", || {
        let (_, page) = server.get("/api/messages?conversation=group_66");
        (page["messages"].as_array().unwrap().len() == 1).then_some(())
    });
}

/// The types of the first segments that were sent, one of each message.
fn sent(peers: &[&Peer]) -> Vec<Value> {
    let actions = peers.iter().flat_map(|peer| peer.actions());
    let sends = actions.filter(|action| action["action"] == "send_group_msg");
    sends.map(|action| action["params"]["message"][0]["type"].clone()).collect()
}

/// The IDs of the messages that a recall takes back.
async fn recalled(server: &TestServer, peer: &Peer, id: &str, count: usize) -> Vec<Value> {
    let (status, answer) = server.ask("POST", &format!("/api/messages/{id}/recall"), None);
    assert_eq!(status, 200, "{answer}");
    let mut recalled = Vec::new();
    for _ in 0..count {
        recalled.push(peer.action("delete_msg").await["params"]["message_id"].clone());
    }
    recalled
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_part_that_a_history_shows_proves_only_itself() {
    let platform = Platform::with_fate("text", Fate::SentUnanswered);
    let server = server_with(&format!("{HASTY}on_unknown = 'fail'\n"));
    let peer = implementation(&server, platform.script()).await;
    tell_clock(&server, &peer);
    let id = make_two_parts(&server);
    server.until(&id, "Sent");
    assert_eq!(sent(&[&peer]), ["text", "file"]);
    assert_eq!(stored(&server, &peer).len(), 1);
    assert_eq!(recalled(&server, &peer, &id, 2).await, [102, 101]);
}

/// A file may be on its way still.
#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_a_whole_history_does_not_have_is_sent_again_and_a_file_is_not() {
    for (unsent, status, all) in
        [("text", "Sent", &["text", "text", "file"][..]), ("file", "Failed", &["text", "file"])]
    {
        let platform = Platform::with_fate(unsent, Fate::NotSent);
        platform.history.lock().unwrap().push(own(50, 3_600, text("earlier")));
        let server = server_with(&format!("{HASTY}on_unknown = 'fail'\n"));
        let peer = implementation(&server, platform.script()).await;
        tell_clock(&server, &peer);
        let id = make_two_parts(&server);
        server.until(&id, status);
        assert_eq!(sent(&[&peer]), all);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_entry_that_says_the_same_leaves_a_part_in_doubt() {
    let platform = Platform::with_fate("file", Fate::NotSent);
    let entries = [own(50, 3_600, text("earlier")), own(51, 0, file("a.pdf"))];
    platform.history.lock().unwrap().extend(entries);
    let server = server_with(&format!("{HASTY}on_unknown = 'fail'\n"));
    let peer = implementation(&server, platform.script()).await;
    tell_clock(&server, &peer);
    let id = make_two_parts(&server);
    let message = server.until(&id, "Failed");
    assert_eq!(message["last_error"], "outcome unknown");
    assert_eq!(sent(&[&peer]), ["text", "file"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_part_that_an_unknown_clock_dates_is_not_proven() {
    for (setting, status, all) in
        [("fail", "Failed", &["text"][..]), ("resend", "Sent", &["text", "text", "file"])]
    {
        let platform = Platform::with_fate("text", Fate::SentUnanswered);
        let server = server_with(&format!("{HASTY}on_unknown = '{setting}'\n"));
        let peer = implementation(&server, platform.script()).await;
        let id = make_two_parts(&server);
        let message = server.until(&id, status);
        assert_eq!(sent(&[&peer]), all, "{message}");
    }
}

/// The history is fetched when the implementation connects, or only when the message is looked for.
#[tokio::test(flavor = "multi_thread")]
async fn the_part_that_was_being_sent_when_the_process_was_killed_is_found() {
    for (unanswered, history) in [("text", 0), ("file", 0), ("text", 20), ("file", 20)] {
        let platform = Platform::default();
        // It is looked for after the implementation has connected again.
        let patient = HASTY.replace("timeout = 2", "timeout = 30").replace("0.01", "0.5");
        let patient = patient.replace("0.02", "0.5");
        let mut server =
            server_with(&patient.replace("history = 0", &format!("history = {history}")));
        let before = implementation(&server, platform.script()).await;
        // By its time in the history the clock is known after the restart.
        let earlier = server.make_for(Some("qq"), "group_77", "earlier");
        server.until(&earlier, "Sent");
        platform.fates.lock().unwrap().push((unanswered, Fate::SentUnanswered));
        let id = make_two_parts(&server);
        for _ in 0..2 {
            before.action("send_group_msg").await;
        }
        if unanswered == "file" {
            before.action("send_group_msg").await;
        }
        server.kill();
        server.start_again();
        let after = implementation(&server, platform.script()).await;
        server.until(&id, "Sent");
        assert_eq!(sent(&[&before, &after]), ["text", "text", "file"]);
        assert_eq!(stored(&server, &after).len(), 2);
        assert_eq!(recalled(&server, &after, &id, 2).await, [103, 102]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_echo_of_a_first_part_after_a_kill_proves_only_that_part() {
    let patient = HASTY.replace("timeout = 2", "timeout = 30");
    let mut server = server_with(&patient);
    let before = answering_by_hand(&server).await;
    let id = make_two_parts(&server);
    before.action("send_group_msg").await;
    server.kill();
    server.start_again();
    // It tells the echo before anything can be sent or looked for.
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let script: Script = Arc::new(|action| match action["action"].as_str() {
        Some("send_group_msg") => Reply::Silent,
        Some("delete_msg") => Reply::ok(Value::Null),
        _ => Reply::refused(1404, "no such action"),
    });
    let events = Peer::dial(&url, &headers(ID, "Event"), Arc::clone(&script)).await.unwrap();
    events.push(&own_message(ACCOUNT, 77, 101, "see"));
    assert_eq!(stored(&server, &events).len(), 1, "it is that part");
    let after = Peer::dial(&url, &headers(ID, "API"), script).await.unwrap();
    let action = after.action("send_group_msg").await;
    assert_eq!(action["params"]["message"][0]["type"], "file");
    after.push(&answer(&action, 202));
    server.until(&id, "Sent");
    assert_eq!(recalled(&server, &after, &id, 2).await, [202, 101]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_file_of_the_owner_is_no_proof_of_ours() {
    let whole = json!([{"type": "file", "name": "a.pdf", "url": "https://example.com/1"}]);
    let unnamed = json!([{"type": "file", "url": "https://example.com/a.pdf"}]);
    let part = json!([{"type": "text", "text": "see"}, whole[0]]);
    for segments in [whole, unnamed, part] {
        let platform = Platform::with_fate("file", Fate::NotSent);
        let server = server_with(&format!("{HASTY}on_unknown = 'fail'\n"));
        let peer = implementation(&server, platform.script()).await;
        tell_clock(&server, &peer);
        let body = json!({"platform": "qq", "recipient": "group_77", "segments": segments});
        let (status, made) = server.post(&body);
        assert_eq!(status, 201, "{made}");
        eventually("the file is being sent", || (sent(&[&peer]).last()? == "file").then_some(()));
        platform.history.lock().unwrap().push(own(500, 0, file("b.pdf")));
        let id = made["id"].as_str().unwrap();
        server.until(id, "Failed");
        peer.push(&own(501, 0, file("c.pdf")));
        let contents = stored(&server, &peer);
        assert!(contents.contains(&json!("c.pdf")), "{contents:?}");
        assert_eq!(server.get(&format!("/api/messages/{id}")).1["status"], "Failed");
        // Its own echo proves it after all.
        peer.push(&own(502, 0, file("a.pdf")));
        server.until(id, "Sent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_of_the_owner_is_no_proof_of_a_text_with_a_picture() {
    let server = server_with(&format!("{HASTY}on_unknown = 'fail'\n"));
    let peer = answering_by_hand(&server).await;
    let (status, made) =
        server.post(&json!({"platform": "qq", "recipient": "group_77", "segments": [
            {"type": "text", "text": "ok"},
            {"type": "image", "name": "a.png", "url": "https://example.com/a.png"},
        ]}));
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_str().unwrap();
    server.until(id, "Failed");
    peer.push(&own_message(ACCOUNT, 77, 901, "ok"));
    assert_eq!(stored(&server, &peer).len(), 2, "the owner's message is stored");
    assert_eq!(server.get(&format!("/api/messages/{id}")).1["status"], "Failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_file_of_the_owner_in_a_history_is_no_part() {
    for is_known in [false, true] {
        let platform = Platform::with_fate("file", Fate::NotSent);
        let old = own(70, 3 * 86_400, file("old.pdf"));
        *platform.history.lock().unwrap() = vec![old.clone(), at(said(71), 60)];
        let server = server_with(HASTY);
        let peer = implementation(&server, platform.script()).await;
        tell_clock(&server, &peer);
        if is_known {
            peer.push(&old);
        }
        let id = make_two_parts(&server);
        server.until(&id, "Sent");
        assert_eq!(sent(&[&peer]), ["text", "file", "file"]);
        assert_eq!(recalled(&server, &peer, &id, 2).await, [104, 103]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_the_owner_is_known_to_have_sent_is_no_part() {
    let platform = Platform::with_fate("text", Fate::SentUnanswered);
    platform.fates.lock().unwrap().push(("file", Fate::NotSent));
    let server = server_with(&HASTY.replace("timeout = 2", "timeout = 30"));
    let before = implementation(&server, platform.script()).await;
    let id = make_two_parts(&server);
    let first = before.action("send_group_msg").await;
    let owners = own(500, 0, file("owners.pdf"));
    platform.history.lock().unwrap().push(owners.clone());
    before.push(&owners);
    stored(&server, &before);
    before.push(&answer(&first, 101));
    before.action("send_group_msg").await;
    before.drop_connection();
    eventually("the owner's file is stored once the attempt has ended", || {
        let (_, page) = server.get("/api/messages?conversation=group_77");
        (page["messages"].as_array().unwrap().len() == 2).then_some(())
    });
    let after = implementation(&server, platform.script()).await;
    server.until(&id, "Sent");
    assert_eq!(sent(&[&before, &after]), ["text", "file", "file"]);
    assert_eq!(recalled(&server, &after, &id, 2).await, [103, 101]);
}

fn answer(action: &Value, id: i64) -> Value {
    let data = json!({"message_id": id});
    json!({"status": "ok", "retcode": 0, "data": data, "echo": action["echo"]})
}

fn said(id: i64) -> Value {
    group_message(ACCOUNT, 77, id, "hi")
}
#[tokio::test(flavor = "multi_thread")]
async fn the_parts_of_a_message_are_known_to_the_next_connection() {
    let server = server_with(
        "[outbox]\nfirst_pause_seconds = 3600\nlongest_pause_seconds = 3600\n\n\
         [[adapter]]\nkind = 'onebot11'\nanswer_timeout = 30\n",
    );
    let before = answering_by_hand(&server).await;
    let id = make_two_parts(&server);
    let first = before.action("send_group_msg").await;
    before.push(&answer(&first, 101));
    before.action("send_group_msg").await;
    before.drop_connection();
    eventually("the attempt has ended", || {
        let (_, message) = server.get(&format!("/api/messages/{id}"));
        message["last_error"].is_string().then_some(())
    });
    let after = answering_by_hand(&server).await;
    after.push(&own(102, 0, file("a.pdf")));
    server.until(&id, "Sent");
    assert_eq!(stored(&server, &after).len(), 1);
    assert_eq!(recalled(&server, &after, &id, 2).await, [102, 101]);
}
