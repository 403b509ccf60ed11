//! Outcomes of attempts to send, and the proofs for them.

use crate::onebot::{Peer, Reply, Script};
use crate::onebot11::{group_message, headers, heartbeat, own_message, willing, willing_but};
use crate::server::{Home, TestServer, eventually};
use rechat::clock::now;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Attempts follow each other at once.
const HASTY: &str =
    "[outbox]\nfirst_pause_seconds = 0.01\nlongest_pause_seconds = 0.02\nretries = 2\n";

/// One attempt; the next one would come long after the test.
const PATIENT: &str = "[outbox]\nfirst_pause_seconds = 3600\nlongest_pause_seconds = 3600\n";

const IMPATIENT_ADAPTER: &str = "\n[[adapter]]\nkind = 'onebot11'\nanswer_timeout = 0.05\n";

fn started(configuration: &str) -> TestServer {
    let home = Arc::new(Home::new());
    home.configure(configuration);
    TestServer::start_in(home, &[])
}

async fn dial(server: &TestServer, account: &str, script: Script) -> Peer {
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    Peer::dial(&url, &headers(account, "Universal"), script).await.unwrap()
}

fn all(server: &TestServer) -> Vec<Value> {
    server.get("/api/messages?limit=200").1["messages"].as_array().unwrap().clone()
}

/// Waits until so many messages are stored; more would be seen too.
fn until_stored(server: &TestServer, count: usize) -> Vec<Value> {
    eventually(&format!("{count} messages are stored"), || {
        let found = all(server);
        (found.len() >= count).then_some(found)
    })
}

/// Waits until the server has taken all that the peer pushed before.
fn until_taken(server: &TestServer, peer: &Peer, id: i64) {
    peer.push(&group_message(1, 999, id, "a mark"));
    eventually("the mark is stored", || {
        let (_, page) = server.get("/api/messages?conversation=group_999");
        (i64::try_from(page["messages"].as_array().unwrap().len()).unwrap() >= id).then_some(())
    });
}

fn sends(peer: &Peer) -> usize {
    peer.actions().iter().filter(|action| action["action"] == "send_group_msg").count()
}

/// A message of the history of group 7, said so many seconds ago.
fn said(own: bool, id: i64, text: &str, ago: u64) -> Value {
    let mut event = if own { own_message(1, 7, id, text) } else { group_message(1, 7, id, text) };
    event["time"] = json!(now() - ago);
    event
}

/// An implementation with a history that can be changed.
fn with_history(history: &Arc<Mutex<Vec<Value>>>, script: Script) -> Script {
    let history = history.clone();
    Arc::new(move |action| match action["action"].as_str() {
        Some("get_group_msg_history") => Reply::ok(json!({"messages": *history.lock().unwrap()})),
        _ => script(action),
    })
}

fn silent() -> Script {
    willing_but("send_group_msg", Reply::Silent)
}

/// Waits until an attempt has ended without an answer.
fn until_in_doubt(server: &TestServer, id: &str) {
    eventually("the attempt has no answer", || {
        let (_, message) = server.get(&format!("/api/messages/{id}"));
        message.get("last_error").map(drop)
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_after_the_time_limit_settles_its_attempt() {
    let server = started(&format!("{PATIENT}{IMPATIENT_ADAPTER}"));
    let peer = dial(&server, "1", silent()).await;
    let id = server.make_for(Some("qq"), "group_7", "slow");
    let action = peer.action("send_group_msg").await;
    until_in_doubt(&server, &id);
    let answer = json!({"status": "ok", "retcode": 0, "data": {"message_id": 101}});
    let mut late = answer.clone();
    late["echo"] = action["echo"].clone();
    peer.push(&late);
    let sent = server.until(&id, "Sent");
    assert_eq!((&sent["retry_count"], &sent["account"]), (&json!(0), &json!("1")));
    assert!(sent.get("last_error").is_none(), "{sent}");
    // Its lane goes on at once.
    let next = server.make_for(Some("qq"), "group_7", "next");
    let action = peer.action("send_group_msg").await;
    assert_eq!(action["params"]["message"][0]["data"]["text"], "next");
    drop(next);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_by_the_next_connection_settles_its_attempt() {
    for how in ["lost", "silent"] {
        let limit = if how == "lost" { 30.0 } else { 0.05 };
        let server = started(&format!(
            "{HASTY}[[adapter]]\nkind = 'onebot11'\nanswer_timeout = {limit}\non_unknown = 'fail'\n"
        ));
        let peer = dial(&server, "1", silent()).await;
        let id = server.make_for(Some("qq"), "group_7", how);
        let action = peer.action("send_group_msg").await;
        if how == "silent" {
            until_in_doubt(&server, &id);
        }
        peer.drop_connection();
        until_in_doubt(&server, &id);
        let peer = dial(&server, "1", silent()).await;
        let (data, echo) = (json!({"message_id": 101}), &action["echo"]);
        peer.push(&json!({"status": "ok", "retcode": 0, "data": data, "echo": echo}));
        let sent = server.until(&id, "Sent");
        assert_eq!(sent["account"], "1");
        // Its echo is no new message.
        peer.push(&own_message(1, 7, 101, how));
        until_taken(&server, &peer, 1);
        assert_eq!(server.get("/api/messages?conversation=group_7").1["messages"][1], json!(null));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_given_up_is_sent_once_its_answer_comes() {
    let server = started(&format!("{HASTY}{IMPATIENT_ADAPTER}on_unknown = 'fail'\n"));
    let peer = dial(&server, "1", silent()).await;
    let id = server.make_for(Some("qq"), "group_7", "slow");
    let action = peer.action("send_group_msg").await;
    server.until(&id, "Failed");
    peer.push(&json!({"status": "ok", "retcode": 0, "data": {}, "echo": action["echo"]}));
    server.until(&id, "Sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_owner_wrote_before_is_no_proof() {
    let server = started(&format!("{HASTY}{IMPATIENT_ADAPTER}"));
    let history = Arc::new(Mutex::new(Vec::new()));
    let peer = dial(&server, "1", with_history(&history, silent())).await;
    // The history puts it a second later than the live event did.
    peer.push(&said(true, 500, "ok", 10));
    until_stored(&server, 1);
    *history.lock().unwrap() = vec![said(false, 1, "old", 4000), said(true, 500, "ok", 9)];
    let id = server.make_for(Some("qq"), "group_7", "ok");
    let failed = server.until(&id, "Failed");
    assert_eq!(failed["retry_count"], 2, "it was tried again: {failed}");
    assert_eq!(sends(&peer), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_of_a_history_proves_one_of_ours() {
    let server = started(&format!("{HASTY}{IMPATIENT_ADAPTER}"));
    let history = Arc::new(Mutex::new(Vec::new()));
    let first = AtomicUsize::new(0);
    let script: Script = Arc::new(move |action| match action["action"].as_str() {
        // Confirmed without an ID.
        Some("send_group_msg") if first.fetch_add(1, Ordering::SeqCst) == 0 => {
            Reply::Frames(vec![json!({"status": "async", "retcode": 1, "data": null})])
        }
        Some("send_group_msg") => Reply::Silent,
        _ => willing()(action),
    });
    let _peer = dial(&server, "1", with_history(&history, script)).await;
    let confirmed = server.make_for(Some("qq"), "group_7", "ok");
    server.until(&confirmed, "Sent");
    *history.lock().unwrap() = vec![said(false, 1, "old", 4000), said(true, 700, "ok", 0)];
    let swallowed = server.make_for(Some("qq"), "group_7", "ok");
    assert_eq!(server.until(&swallowed, "Failed")["retry_count"], 2);
}

/// An implementation whose clock can be set. It answers what begins with "answered", and without an ID what
/// begins with "confirmed". It keeps all that it is sent, and tells none of it by itself.
struct ClockedPeer {
    peer: Peer,
    history: Arc<Mutex<Vec<Value>>>,
    ahead: Arc<AtomicI64>,
}

impl ClockedPeer {
    async fn dial(server: &TestServer, ahead: i64) -> Self {
        let history: Arc<Mutex<Vec<Value>>> = Arc::default();
        let ahead = Arc::new(AtomicI64::new(ahead));
        let (told, clock) = (history.clone(), ahead.clone());
        let script: Script = Arc::new(move |action| match action["action"].as_str() {
            Some("send_group_msg") => {
                let text = action["params"]["message"][0]["data"]["text"].as_str().unwrap();
                let mut told = told.lock().unwrap();
                let id = 100 + i64::try_from(told.len()).unwrap();
                told.push(written_by(&clock, true, id, text, 0));
                match text.split(' ').next() {
                    Some("answered") => Reply::ok(json!({"message_id": id})),
                    Some("confirmed") => Reply::ok(Value::Null),
                    _ => Reply::Silent,
                }
            }
            _ => willing()(action),
        });
        let peer = dial(server, "1", with_history(&history, script)).await;
        Self { peer, history, ahead }
    }

    /// Adds a message to the history that was said so many seconds ago, by the clock of the peer.
    fn said(&self, own: bool, id: i64, text: &str, ago: i64) -> Value {
        let event = written_by(&self.ahead, own, id, text, ago);
        self.history.lock().unwrap().push(event.clone());
        event
    }

    fn set_clock(&self, ahead: i64) {
        self.ahead.store(ahead, Ordering::SeqCst);
    }

    fn heartbeat(&self, ahead: i64) {
        let mut heartbeat = heartbeat(1, 5_000, true);
        heartbeat["time"] = json!(now().cast_signed() + ahead);
        self.peer.push(&heartbeat);
    }
}

fn written_by(clock: &AtomicI64, own: bool, id: i64, text: &str, ago: i64) -> Value {
    let mut event = said(own, id, text, 0);
    event["time"] = json!(now().cast_signed() + clock.load(Ordering::SeqCst) - ago);
    event
}

const ON_UNKNOWN: [&str; 2] = ["on_unknown = 'resend'\n", "on_unknown = 'fail'\n"];

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_found_in_a_history_of_another_clock() {
    for ahead in [-3_600, -120, 700] {
        let server = started(&format!("{HASTY}{IMPATIENT_ADAPTER}"));
        let peer = ClockedPeer::dial(&server, ahead).await;
        peer.said(false, 1, "old", 5_000);
        peer.said(true, 2, "old and own", 4_000);
        let answered = server.make_for(Some("qq"), "group_7", "answered");
        server.until(&answered, "Sent");
        let swallowed = server.make_for(Some("qq"), "group_7", "swallowed");
        let sent = server.until(&swallowed, "Sent");
        assert_eq!((sends(&peer.peer), &sent["retry_count"]), (2, &json!(0)), "{ahead} s ahead");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_found_in_a_history_of_an_unknown_clock() {
    for on_unknown in ON_UNKNOWN {
        for ahead in [-130, 700] {
            let server = started(&format!("{HASTY}{IMPATIENT_ADAPTER}{on_unknown}"));
            let peer = ClockedPeer::dial(&server, ahead).await;
            peer.said(false, 1, "old", 5_000);
            peer.said(true, 2, "old and own", 4_000);
            // The implementation runs on our host; the platform writes the times of messages.
            peer.heartbeat(0);
            let swallowed = server.make_for(Some("qq"), "group_7", "swallowed");
            server.until(&swallowed, "Sent");
            assert_eq!(sends(&peer.peer), 1, "{ahead} s ahead, {on_unknown}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_found_in_a_history_whose_clock_was_set() {
    for on_unknown in ON_UNKNOWN {
        for (before, after) in [(0, 700), (0, -90), (-700, 0), (3_600, -3_600)] {
            for live_after in [0, 2] {
                let case = format!("{before} to {after}, {live_after} since, {on_unknown}");
                let mut server = started(&format!("{HASTY}{IMPATIENT_ADAPTER}{on_unknown}"));
                let peer = ClockedPeer::dial(&server, before).await;
                peer.said(true, 2, "old and own", 4_000);
                peer.peer.push(&peer.said(false, 3, "live", 0));
                until_taken(&server, &peer.peer, 1);
                for text in ["answered", "answered too"] {
                    server.until(&server.make_for(Some("qq"), "group_7", text), "Sent");
                }
                peer.set_clock(after);
                for id in 0..live_after {
                    peer.peer.push(&peer.said(false, 50 + id, "live", 0));
                    peer.peer.push(&written_by(&peer.ahead, false, 60 + id, "live", 0));
                }
                let swallowed = server.make_for(Some("qq"), "group_7", "swallowed");
                server.until(&swallowed, "Sent");
                assert_eq!(sends(&peer.peer), 3, "{case}");
                server.stop();
                server.start_again();
                let script = with_history(&peer.history, silent());
                let again = dial(&server, "1", script).await;
                again.action("get_group_msg_history").await;
                until_taken(&server, &again, 2);
                let count = in_group_7(&server).iter().filter(|text| *text == "swallowed").count();
                assert_eq!(count, 1, "{case}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_a_clock_may_hide_is_not_sent_again_if_it_must_not_be_doubled() {
    let server = started(&format!("{HASTY}{IMPATIENT_ADAPTER}on_unknown = 'fail'\n"));
    let peer = ClockedPeer::dial(&server, 0).await;
    // The clock is set back, and nothing that was said before shows it.
    peer.said(true, 2, "old and own", 4_000);
    let mut live = group_message(1, 8, 3, "live");
    live["time"] = json!(now());
    peer.peer.push(&live);
    until_taken(&server, &peer.peer, 1);
    peer.set_clock(-700);
    let id = server.make_for(Some("qq"), "group_7", "swallowed");
    assert_eq!(server.until(&id, "Failed")["last_error"], "outcome unknown");
    assert_eq!(sends(&peer.peer), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_of_a_history_is_known_after_a_restart() {
    let mut server = started(&format!("{HASTY}{IMPATIENT_ADAPTER}"));
    let history = Arc::new(Mutex::new(vec![said(true, 1, "old", 9_000)]));
    let told = history.clone();
    let script: Script = Arc::new(move |action| match action["action"].as_str() {
        Some("send_group_msg") => {
            let text = action["params"]["message"][0]["data"]["text"].as_str().unwrap();
            let id = if text == "answered" { 100 } else { 101 };
            told.lock().unwrap().push(said(true, id, text, 3_600));
            if id == 100 { Reply::ok(json!({"message_id": id})) } else { Reply::Drop }
        }
        _ => willing()(action),
    });
    let peer = dial(&server, "1", with_history(&history, script)).await;
    let answered = server.make_for(Some("qq"), "group_7", "answered");
    server.until(&answered, "Sent");
    let swallowed = server.make_for(Some("qq"), "group_7", "swallowed");
    peer.ended().await;
    server.kill();
    server.start_again();
    let peer = dial(&server, "1", with_history(&history, willing())).await;
    let sent = server.until(&swallowed, "Sent");
    assert_eq!((sends(&peer), &sent["retry_count"]), (0, &json!(0)), "{sent}");
    let (_, page) = server.get("/api/messages?conversation=group_7");
    let count =
        |text| page["messages"].as_array().unwrap().iter().filter(|m| m["content"] == text).count();
    assert_eq!((count("answered"), count("swallowed")), (1, 1), "once each: {page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_echo_that_waits_for_its_attempt_leaves_doubt_when_the_process_is_killed() {
    for has_history in [true, false] {
        let mut server = started(HASTY);
        let peer = dial(&server, "1", silent()).await;
        // It tells the clock.
        until_taken(&server, &peer, 1);
        let id = server.make_for(Some("qq"), "group_7", "once");
        peer.action("send_group_msg").await;
        peer.push(&said(true, 101, "once", 0));
        until_taken(&server, &peer, 2);
        server.kill();
        server.start_again();
        let history = vec![said(true, 1, "old", 9_000), said(true, 101, "once", 0)];
        let script = if has_history {
            with_history(&Arc::new(Mutex::new(history)), willing())
        } else {
            willing_but("get_group_msg_history", Reply::refused(1404, "no such action"))
        };
        let peer = dial(&server, "1", script).await;
        let sent = server.until(&id, "Sent");
        // It is looked up; what no history tells is sent again, and counted.
        let again = usize::from(!has_history);
        assert_eq!((sends(&peer), &sent["retry_count"]), (again, &json!(again)), "{sent}");
        let (_, page) = server.get("/api/messages?conversation=group_7");
        let count = |text| {
            let all = page["messages"].as_array().unwrap();
            all.iter().filter(|message| message["content"] == text).count()
        };
        assert_eq!(count("once"), 1, "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_of_an_unknown_clock_proves_nothing() {
    let server = started(&format!("{HASTY}{IMPATIENT_ADAPTER}on_unknown = 'fail'\n"));
    let history = Arc::new(Mutex::new(vec![said(true, 1, "old", 4000)]));
    let peer = dial(&server, "1", with_history(&history, silent())).await;
    let id = server.make_for(Some("qq"), "group_7", "once");
    assert_eq!(server.until(&id, "Failed")["last_error"], "outcome unknown");
    // A live message tells the clock, and then the history proves that it did not go out.
    peer.push(&said(false, 2, "live", 0));
    until_taken(&server, &peer, 1);
    let id = server.make_for(Some("qq"), "group_7", "tried");
    assert_eq!(server.until(&id, "Failed")["retry_count"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_attempt_does_not_end_the_doubt_about_an_earlier_one() {
    let server = started(&format!("{HASTY}{IMPATIENT_ADAPTER}"));
    let history = Arc::new(Mutex::new(Vec::new()));
    let (attempts, told) = (AtomicUsize::new(0), history.clone());
    let script: Script = Arc::new(move |action| match action["action"].as_str() {
        Some("send_group_msg") => match attempts.fetch_add(1, Ordering::SeqCst) {
            // It went out, and the history does not tell yet.
            0 => Reply::Silent,
            1 => {
                *told.lock().unwrap() =
                    vec![said(false, 1, "old", 4000), said(true, 900, "once", 0)];
                Reply::refused(100, "too fast")
            }
            _ => willing()(action),
        },
        _ => willing()(action),
    });
    let peer = dial(&server, "1", with_history(&history, script)).await;
    let id = server.make_for(Some("qq"), "group_7", "once");
    server.until(&id, "Sent");
    assert_eq!(sends(&peer), 2, "the third attempt was not needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_refused_after_an_unknown_outcome_says_that_it_may_have_been_sent() {
    let server = started(&format!("{HASTY}{IMPATIENT_ADAPTER}"));
    let attempts = AtomicUsize::new(0);
    let script: Script = Arc::new(move |action| match action["action"].as_str() {
        Some("send_group_msg") if attempts.fetch_add(1, Ordering::SeqCst) == 0 => Reply::Silent,
        Some("send_group_msg") => Reply::refused(1400, "no such group"),
        _ => willing()(action),
    });
    let history = Arc::new(Mutex::new(vec![said(false, 1, "old", 4000)]));
    let _peer = dial(&server, "1", with_history(&history, script)).await;
    let id = server.make_for(Some("qq"), "group_7", "hello");
    let failed = server.until(&id, "Failed");
    let error = failed["last_error"].as_str().unwrap();
    assert!(error.contains("retcode 1400") && error.ends_with("may have sent it"), "{error}");
    assert_eq!(failed["last_error_code"], "refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_account_may_have_sent_another_does_not_send_again() {
    let server = started(&format!("{HASTY}{IMPATIENT_ADAPTER}on_unknown = 'fail'\n"));
    let first = dial(&server, "1", willing_but("send_group_msg", Reply::Drop)).await;
    let id = server.make_for(Some("qq"), "group_7", "once");
    first.action("send_group_msg").await;
    first.ended().await;
    let history = Arc::new(Mutex::new(vec![said(false, 1, "old", 4000)]));
    let second = dial(&server, "2", with_history(&history, willing())).await;
    let failed = server.until(&id, "Failed");
    assert_eq!(failed["last_error"], "outcome unknown");
    assert_eq!(failed["last_error_code"], "unknown");
    assert_eq!(sends(&second), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_that_may_have_sent_a_message_is_asked_though_another_one_came_first() {
    let pauses = "[outbox]\nfirst_pause_seconds = 0.0001\nlongest_pause_seconds = 3600\n";
    let mut server = started(&format!("{pauses}{IMPATIENT_ADAPTER}on_unknown = 'resend'\n"));
    let first = dial(&server, "1", willing_but("send_group_msg", Reply::Drop)).await;
    // It tells the clock.
    until_taken(&server, &first, 1);
    let id = server.make_for(Some("qq"), "group_7", "once");
    first.action("send_group_msg").await;
    first.ended().await;
    server.kill();
    server.start_again();
    let second = dial(&server, "2", willing()).await;
    eventually("it waits for the account that tried", || {
        let (_, message) = server.get(&format!("/api/messages/{id}"));
        (message["waiting_code"] == "next_attempt").then_some(())
    });
    let history = vec![said(true, 1, "old", 9_000), said(true, 101, "once", 0)];
    let history = Arc::new(Mutex::new(history));
    let first = dial(&server, "1", with_history(&history, willing())).await;
    let sent = server.until(&id, "Sent");
    assert_eq!((sends(&first), sends(&second)), (0, 0), "{sent}");
    assert_eq!((&sent["account"], &sent["retry_count"]), (&json!("1"), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_is_failed_whatever_the_retcode() {
    let server = started(HASTY);
    for (group, retcode) in [(1, 0), (2, 1)] {
        let answer = json!({"status": "failed", "retcode": retcode, "data": {"message_id": 7}});
        let script = willing_but("send_group_msg", Reply::Frames(vec![answer]));
        let peer = dial(&server, "1", script).await;
        let id = server.make_for(Some("qq"), &format!("group_{group}"), "x");
        let failed = server.until(&id, "Failed");
        assert!(failed["last_error"].as_str().unwrap().contains("refused"), "{failed}");
        peer.drop_connection();
        peer.ended().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_confirmed_without_an_id_is_stored_once() {
    let mut server = started(HASTY);
    let history = Arc::new(Mutex::new(Vec::new()));
    let script = || {
        let answer = json!({"status": "async", "retcode": 1, "data": null});
        willing_but("send_group_msg", Reply::Frames(vec![answer]))
    };
    let peer = dial(&server, "1", with_history(&history, script())).await;
    let id = server.make_for(Some("qq"), "group_7", "hello");
    server.until(&id, "Sent");
    let echo = said(true, 700, "hello", 0);
    peer.push(&echo);
    until_taken(&server, &peer, 1);
    *history.lock().unwrap() = vec![said(false, 1, "old", 4000), echo];
    for round in 2..4 {
        server.stop();
        server.start_again();
        let peer = dial(&server, "1", with_history(&history, script())).await;
        peer.action("get_group_msg_history").await;
        until_taken(&server, &peer, round);
    }
    let stored = eventually("the history is stored", || {
        let (_, page) = server.get("/api/messages?conversation=group_7");
        let found = page["messages"].as_array().unwrap().clone();
        (found.len() >= 2).then_some(found)
    });
    let contents: Vec<_> = stored.iter().map(|message| &message["content"]).collect();
    assert_eq!(contents, ["old", "hello"], "once each");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_own_message_waits_for_the_attempt_that_is_under_way() {
    let server = started(PATIENT);
    let peer = dial(&server, "1", silent()).await;
    let id = server.make_for(Some("qq"), "group_7", "hi");
    let action = peer.action("send_group_msg").await;
    // The owner writes the same on the phone; which of the two is ours, the answer tells.
    peer.push(&said(true, 55, "hi", 0));
    until_taken(&server, &peer, 1);
    assert_eq!(all(&server).len(), 2, "it waits");
    let answer = json!({"status": "ok", "retcode": 0, "data": {"message_id": 56}});
    let mut answered = answer.clone();
    answered["echo"] = action["echo"].clone();
    peer.push(&answered);
    server.until(&id, "Sent");
    let stored = until_stored(&server, 3);
    let own = stored.iter().find(|message| message.get("sender").is_some_and(|s| s["id"] == "1"));
    assert_eq!(own.expect("the owner's is another message")["content"], "hi");
    peer.push(&said(true, 56, "hi", 0));
    until_taken(&server, &peer, 2);
    assert_eq!(all(&server).len(), 4, "the echo is none");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_echo_proves_what_nobody_answered() {
    let server = started(&format!("{PATIENT}{IMPATIENT_ADAPTER}"));
    let peer = dial(&server, "1", silent()).await;
    let id = server.make_for(Some("qq"), "group_7", "hi");
    peer.action("send_group_msg").await;
    peer.push(&said(true, 55, "hi", 0));
    assert_eq!(server.until(&id, "Sent")["retry_count"], 0);
    peer.push(&said(true, 55, "hi", 0));
    until_taken(&server, &peer, 1);
    assert_eq!(all(&server).len(), 2, "it is stored once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_has_one_lane_however_it_is_written() {
    let server = started(HASTY);
    let attempts = AtomicUsize::new(0);
    let texts: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = texts.clone();
    let script: Script = Arc::new(move |action| {
        let Some(text) = action["params"]["message"][0]["data"]["text"].as_str() else {
            return willing()(action);
        };
        noted.lock().unwrap().push(text.to_owned());
        if attempts.fetch_add(1, Ordering::SeqCst) < 2 {
            return Reply::refused(100, "busy");
        }
        willing()(action)
    });
    let peer = dial(&server, "1", script).await;
    peer.push(&group_message(1, 7, 1, "hello"));
    until_stored(&server, 1);
    server.make_for(Some("qq"), "group_7", "first");
    let (status, answer) =
        server.post(&json!({"message_type": "Text", "content": "second", "recipient": "7"}));
    assert_eq!((status, &answer["recipient"]), (201, &json!("7")), "as it was given");
    assert_eq!(answer.as_object().unwrap().len(), 8, "{answer}");
    server.until(answer["id"].as_str().unwrap(), "Sent");
    assert_eq!(*texts.lock().unwrap(), ["first", "first", "first", "second"]);
    let (_, page) = server.get("/api/messages?conversation=group_7&platform=qq");
    assert_eq!(page["messages"].as_array().unwrap().len(), 3, "it is in the conversation");
}

/// A change that an implementation's history makes to a message.
type Change = fn(&mut Value);

fn shift(event: &mut Value, field: &str, by: i64) {
    event[field] = json!(event[field].as_i64().unwrap() + by);
}

const CHANGES: [Change; 5] = [
    |event| event["time"] = json!(now()),
    |event| event["time"] = json!(-2_147_483_648_i64),
    |event| shift(event, "time", 1),
    |event| shift(event, "message_id", 5_000),
    |event| {
        shift(event, "message_id", 5_000);
        shift(event, "time", 2);
    },
];

fn in_group_7(server: &TestServer) -> Vec<Value> {
    let (_, page) = server.get("/api/messages?conversation=group_7&limit=200");
    page["messages"].as_array().unwrap().iter().map(|message| message["content"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_that_disagrees_in_time_or_id_doubles_nothing() {
    for change in CHANGES {
        let server = started(HASTY);
        let history = Arc::new(Mutex::new(Vec::new()));
        let peer = dial(&server, "1", with_history(&history, willing())).await;
        let mut told: Vec<_> =
            (0..3).map(|n| said(false, 100 + n, &format!("m{n}"), 100)).collect();
        told.extend((0..2).map(|n| said(false, 200 + n, "ha", 90)));
        for event in &told {
            peer.push(event);
        }
        until_stored(&server, 5);
        peer.drop_connection();
        peer.ended().await;
        told.iter_mut().for_each(change);
        *history.lock().unwrap() = told;
        for round in 1..3 {
            let peer = dial(&server, "1", with_history(&history, willing())).await;
            peer.action("get_group_msg_history").await;
            until_taken(&server, &peer, round);
            peer.drop_connection();
            peer.ended().await;
        }
        // One more of them than is known is a new one.
        let mut third = said(false, 9_000, "ha", 89);
        change(&mut third);
        history.lock().unwrap().push(third);
        let _peer = dial(&server, "1", with_history(&history, willing())).await;
        let stored = eventually("the third one is stored", || {
            let found = in_group_7(&server);
            (found.len() >= 6).then_some(found)
        });
        assert_eq!(stored, ["ha", "ha", "ha", "m2", "m1", "m0"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_gone_of_a_message_in_parts_is_known_over_restarts() {
    let mut server = started(PATIENT);
    let refuses = Arc::new(AtomicBool::new(true));
    let (willing, refusing) = (willing(), Arc::clone(&refuses));
    let script: Script = Arc::new(move |action| {
        let is_file = action["params"]["message"][0]["type"] == "file";
        match action["action"].as_str() {
            Some("send_group_msg") if is_file && refusing.load(Ordering::Relaxed) => {
                Reply::refused(100, "busy")
            }
            Some("delete_msg") => Reply::ok(Value::Null),
            _ => willing(action),
        }
    });
    let _first = dial(&server, "1", script.clone()).await;
    let (_, made) = server.post(&json!({"platform": "qq", "recipient": "group_7", "segments": [
        {"type": "text", "text": "see"},
        {"type": "file", "name": "a.pdf", "url": "https://example.com/a.pdf"},
    ]}));
    let id = made["id"].as_str().unwrap();
    let path = format!("/api/messages/{id}");
    eventually("the second part was refused", || {
        let (_, message) = server.get(&path);
        (message["status"] == "Pending" && message.get("last_error").is_some()).then_some(())
    });
    let (status, refused) = server.ask("PATCH", &path, Some(&json!({"content": "other words"})));
    assert_eq!((status, &refused["code"]), (409, &json!("in_flight")), "{refused}");

    server.stop();
    server.start_again();
    refuses.store(false, Ordering::Relaxed);
    let second = dial(&server, "1", script.clone()).await;
    for status in ["Canceled", "Pending"] {
        server.ask("PATCH", &path, Some(&json!({ "status": status })));
    }
    server.until(id, "Sent");
    assert_eq!(sends(&second), 1, "the first part is not sent again");

    server.stop();
    server.start_again();
    let third = dial(&server, "1", script).await;
    eventually("it is taken back", || {
        let (status, _) = server.ask("POST", &format!("{path}/recall"), None);
        (status == 200).then_some(())
    });
    let actions = third.actions();
    let taken_back = actions.iter().filter(|action| action["action"] == "delete_msg");
    let ids: Vec<_> = taken_back.map(|action| &action["params"]["message_id"]).collect();
    assert_eq!(ids, [102, 101]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_confirmed_without_an_id_is_stored_once_whatever_the_clock() {
    for ahead in [0, -130, 700, -3_600] {
        let mut server = started(HASTY);
        let peer = ClockedPeer::dial(&server, ahead).await;
        peer.said(true, 2, "old and own", 4_000);
        server.until(&server.make_for(Some("qq"), "group_7", "confirmed"), "Sent");
        server.stop();
        server.start_again();
        let again = dial(&server, "1", with_history(&peer.history, silent())).await;
        again.action("get_group_msg_history").await;
        eventually("the history is stored", || {
            in_group_7(&server).contains(&json!("old and own")).then_some(())
        });
        until_taken(&server, &again, 1);
        let count = in_group_7(&server).iter().filter(|text| *text == "confirmed").count();
        assert_eq!(count, 1, "{ahead} s ahead");
    }
}

/// How the first of several parts of a message ends that is deleted meanwhile.
#[derive(Clone, Copy, Debug)]
enum FirstPart {
    AnsweredThenEchoed,
    EchoedThenAnswered,
    /// Both without an ID.
    Nameless,
    OnlyEchoed,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_parts_that_is_deleted_sends_no_more_and_does_not_come_back() {
    use FirstPart::{AnsweredThenEchoed, EchoedThenAnswered, Nameless, OnlyEchoed};
    for case in [AnsweredThenEchoed, EchoedThenAnswered, Nameless, OnlyEchoed] {
        let timeout = if matches!(case, OnlyEchoed) { IMPATIENT_ADAPTER } else { "" };
        let server = started(&format!("{PATIENT}{timeout}"));
        let peer = dial(&server, "1", silent()).await;
        let (_, made) =
            server.post(&json!({"platform": "qq", "recipient": "group_7", "segments": [
                {"type": "text", "text": "see"},
                {"type": "file", "name": "a.pdf", "url": "https://example.com/a.pdf"},
                {"type": "text", "text": "end"},
            ]}));
        let path = format!("/api/messages/{}", made["id"].as_str().unwrap());
        let action = peer.action("send_group_msg").await;
        if matches!(case, OnlyEchoed) {
            eventually("the attempt ran into its time limit", || {
                server.get(&path).1.get("last_error").is_some().then_some(())
            });
        }
        assert_eq!(server.ask("DELETE", &path, None).0, 200);
        let (mut echo, mut id) = (said(true, 55, "see", 0), json!({"message_id": 55}));
        if matches!(case, Nameless) {
            echo.as_object_mut().unwrap().remove("message_id");
            id = Value::Null;
        }
        let answer = json!({"status": "ok", "retcode": 0, "data": id, "echo": action["echo"]});
        let told = match case {
            AnsweredThenEchoed | Nameless => vec![answer, echo],
            EchoedThenAnswered => vec![echo, answer],
            OnlyEchoed => vec![echo],
        };
        for frame in &told {
            peer.push(frame);
        }
        // The lane goes on with the next one, after all of this one.
        let next = server.make_for(Some("qq"), "group_7", "next");
        let action = peer.action("send_group_msg").await;
        assert_eq!(action["params"]["message"][0]["data"]["text"], "next", "{case:?}");
        until_taken(&server, &peer, 1);
        assert_eq!(in_group_7(&server), ["next"], "{case:?}");
        drop(next);
    }
}
