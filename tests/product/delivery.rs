//! Delivery through a real server to an implementation of OneBot 11: outbound, inbound, and errors.

use crate::onebot::{Peer, Reply, Script};
use crate::onebot11::{group_message, headers, own_message, private_message, willing, willing_but};
use crate::server::{Home, TestServer, eventually};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Pauses so short that tests need not wait for them.
const HASTY: &str =
    "[outbox]\nfirst_pause_seconds = 0.01\nlongest_pause_seconds = 0.02\nretries = 2\n";

fn hasty(more: &str) -> TestServer {
    let home = Arc::new(Home::new());
    home.configure(&format!("{HASTY}{more}"));
    TestServer::start_in(home, &[])
}

async fn dial(server: &TestServer, account: &str, script: Script) -> Peer {
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    Peer::dial(&url, &headers(account, "Universal"), script).await.unwrap()
}

/// An implementation that notes the texts it sends out, in order.
fn noting(texts: &Arc<Mutex<Vec<String>>>, script: Script) -> Script {
    let texts = texts.clone();
    Arc::new(move |action| {
        if let Some(text) = action["params"]["message"][0]["data"]["text"].as_str() {
            texts.lock().unwrap().push(text.to_owned());
        }
        script(action)
    })
}

fn inbound(server: &TestServer) -> Vec<Value> {
    let (_, page) = server.get("/api/messages?direction=Inbound&limit=200");
    page["messages"].as_array().unwrap().clone()
}

/// Waits until this number of messages have come in; further ones would be noticed, too.
fn until_inbound(server: &TestServer, count: usize) -> Vec<Value> {
    eventually(&format!("{count} messages came in"), || {
        let found = inbound(server);
        (found.len() >= count).then_some(found)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_goes_out_in_order_when_the_implementation_comes() {
    let server = TestServer::start();
    let ids: Vec<_> = (0..20)
        .map(|i| server.make_for(Some("qq"), "group_7", &format!("m{i} [CQ:at,qq=1]")))
        .collect();
    assert_eq!(server.get(&format!("/api/messages/{}", ids[0])).1["status"], "Pending");
    let texts = Arc::default();
    let _peer = dial(&server, "1", noting(&texts, willing())).await;
    let last = server.until(&ids[19], "Sent");
    assert_eq!((&last["platform"], &last["account"]), (&json!("qq"), &json!("1")));
    assert_eq!(last["retry_count"], 0);
    let wanted: Vec<_> = (0..20).map(|i| format!("m{i} [CQ:at,qq=1]")).collect();
    assert_eq!(*texts.lock().unwrap(), wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_goes_out_when_the_way_to_send_opens_after_that_for_events() {
    let server = TestServer::start();
    let id = server.make_for(Some("qq"), "group_7", "hello");
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let _events = Peer::dial(&url, &headers("1", "Event"), willing()).await.unwrap();
    eventually("it is connected", || {
        server.get("/api/platforms").1.to_string().contains("\"Connected\"").then_some(())
    });
    let calls = Peer::dial(&url, &headers("1", "API"), willing()).await.unwrap();
    server.until(&id, "Sent");
    calls.drop_connection();
    let id = server.make_for(Some("qq"), "group_7", "hello again");
    let _calls = Peer::dial(&url, &headers("1", "API"), willing()).await.unwrap();
    server.until(&id, "Sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_is_stored_once_also_across_restarts() {
    let mut server = TestServer::start();
    for round in 0..2 {
        let peer = dial(&server, "1", willing()).await;
        peer.push(&group_message(1, 77, -5, "hello"));
        peer.push(&group_message(1, 77, -5, "hello"));
        peer.push(&group_message(1, 77, 6 + round, "hello"));
        peer.push(&private_message(1, 4242, 9 + round, "psst"));
        until_inbound(&server, 3 + 2 * usize::try_from(round).unwrap());
        server.kill();
        server.start_again();
    }
    let found = inbound(&server);
    assert_eq!(found.len(), 5, "{found:?}");
    let first = found.last().unwrap();
    assert_eq!(first["recipient"], "group_77");
    assert_eq!(first["conversation_name"], "Group 77");
    assert_eq!(first["sender"], json!({"id": "4242", "name": "Card"}));
    assert_eq!((&first["status"], &first["account"]), (&json!("Sent"), &json!("1")));
    assert!(found.iter().any(|message| message["recipient"] == "private_4242"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_owner_wrote_is_kept_and_the_echo_of_ours_is_not_a_second_message() {
    let server = TestServer::start();
    let peer = dial(&server, "1", willing()).await;
    let id = server.make_for(Some("qq"), "group_7", "ours");
    server.until(&id, "Sent");
    peer.push(&own_message(1, 7, 101, "ours"));
    peer.push(&own_message(1, 7, 555, "from my phone"));
    let page = eventually("the owner's message is stored", || {
        let (_, page) = server.get("/api/messages?conversation=group_7");
        (page["messages"].as_array().unwrap().len() >= 2).then_some(page)
    });
    let messages = page["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert_eq!(messages[0]["content"], "from my phone");
    assert_eq!(
        (&messages[0]["status"], &messages[0]["sender"]["id"]),
        (&json!("Sent"), &json!("1"))
    );
    assert!(messages[0].get("direction").is_none(), "what the owner wrote is outbound");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_cannot_mend_fails_at_once_and_others_are_tried_again() {
    let server = hasty("");
    let refusing: Script = Arc::new(|action| match action["params"]["group_id"].as_i64() {
        Some(1) => Reply::refused(1404, "no such thing"),
        Some(_) => Reply::refused(100, "not now"),
        None => Reply::refused(1404, "unknown"),
    });
    let _peer = dial(&server, "1", refusing).await;
    let never = server.until(&server.make_for(Some("qq"), "group_1", "x"), "Failed");
    assert_eq!(never["retry_count"], 0);
    assert!(never["last_error"].as_str().unwrap().contains("no such thing"), "{never}");
    let told = (&never["last_error_code"], &never["last_error_detail"]);
    assert_eq!(told, (&json!("refused"), &json!("retcode 1404: no such thing")));
    let given_up = server.until(&server.make_for(Some("qq"), "group_2", "x"), "Failed");
    assert_eq!(given_up["retry_count"], 2);
    assert!(given_up["last_error"].as_str().unwrap().contains("not now"), "{given_up}");
    let (_, platforms) = server.get("/api/platforms");
    assert_eq!(platforms["platforms"][0]["failed"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_keeps_its_order_while_its_first_message_is_tried_again() {
    let server = hasty("");
    let tries = AtomicUsize::new(0);
    let fails_once: Script = Arc::new(move |action| {
        let is_first =
            action["params"]["group_id"] == 7 && tries.fetch_add(1, Ordering::SeqCst) == 0;
        if is_first { Reply::refused(100, "busy") } else { willing()(action) }
    });
    let ids: Vec<_> =
        (0..3).map(|i| server.make_for(Some("qq"), "group_7", &format!("m{i}"))).collect();
    let texts = Arc::default();
    let _peer = dial(&server, "1", noting(&texts, fails_once)).await;
    server.until(&ids[2], "Sent");
    assert_eq!(server.get(&format!("/api/messages/{}", ids[0])).1["retry_count"], 1);
    assert_eq!(*texts.lock().unwrap(), ["m0", "m0", "m1", "m2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_stuck_conversation() {
    let server = TestServer::start();
    let stuck: Script = Arc::new(|action| match action["params"]["group_id"].as_i64() {
        Some(1) => Reply::Silent,
        _ => willing()(action),
    });
    let _peer = dial(&server, "1", stuck).await;
    let waits = server.make_for(Some("qq"), "group_1", "never answered");
    server.until(&waits, "Sending");
    server.until(&server.make_for(Some("qq"), "group_2", "quick"), "Sent");
    assert_eq!(server.get(&format!("/api/messages/{waits}")).1["status"], "Sending");
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_means_sent_again_or_failed_as_configured() {
    let entry = "\n[[adapter]]\nkind = 'onebot11'\nanswer_timeout = 1\n";
    let server = hasty(entry);
    let texts = Arc::default();
    let silent_once = AtomicUsize::new(0);
    let script: Script = Arc::new(move |action| {
        let is_send = action["action"].as_str().unwrap().starts_with("send_");
        if is_send && silent_once.fetch_add(1, Ordering::SeqCst) == 0 {
            Reply::Silent
        } else {
            willing()(action)
        }
    });
    let _peer = dial(&server, "1", noting(&texts, script)).await;
    let sent = server.until(&server.make_for(Some("qq"), "group_7", "x"), "Sent");
    assert_eq!(sent["retry_count"], 1);
    assert_eq!(*texts.lock().unwrap(), ["x", "x"]);
    let careful = hasty(&format!("{entry}on_unknown = 'fail'\n"));
    let texts = Arc::default();
    let _peer =
        dial(&careful, "1", noting(&texts, willing_but("send_group_msg", Reply::Silent))).await;
    let failed = careful.until(&careful.make_for(Some("qq"), "group_7", "x"), "Failed");
    assert_eq!(failed["last_error"], "outcome unknown");
    assert_eq!(*texts.lock().unwrap(), ["x"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_is_found_by_what_is_known_and_never_guessed() {
    let server = TestServer::start();
    let peer = dial(&server, "1", willing()).await;
    peer.push(&group_message(1, 77, 1, "hello"));
    until_inbound(&server, 1);
    let known = server.until(&server.make("77", "to a bare number"), "Sent");
    assert_eq!(known["platform"], "qq");
    assert_eq!(peer.action("send_group_msg").await["params"]["group_id"], 77);
    let unknown = server.until(&server.make("99", "x"), "Failed");
    let why = unknown["last_error"].as_str().unwrap();
    assert!(why.contains("group_99") && why.contains("private_99"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_a_platform_waits_until_one_is_found() {
    let home = Arc::new(Home::new());
    home.configure("default_platform = 'wechat'\n");
    let server = TestServer::start_in(home, &[]);
    let peer = dial(&server, "1", willing()).await;
    peer.push(&group_message(1, 77, 1, "hello"));
    until_inbound(&server, 1);
    assert_eq!(server.until(&server.make("group_77", "known there"), "Sent")["platform"], "qq");
    let id = server.make("group_5", "by default");
    let routed = eventually("it is given the default platform", || {
        let (_, message) = server.get(&format!("/api/messages/{id}"));
        message.get("platform").is_some().then_some(message)
    });
    assert_eq!((&routed["platform"], &routed["status"]), (&json!("wechat"), &json!("Pending")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_canceled_or_deleted_in_time_is_never_sent() {
    let server = TestServer::start();
    let ids: Vec<_> =
        (0..3).map(|i| server.make_for(Some("qq"), "group_7", &format!("m{i}"))).collect();
    server.ask("PATCH", &format!("/api/messages/{}", ids[0]), Some(&json!({"status": "Canceled"})));
    server.ask("DELETE", &format!("/api/messages/{}", ids[1]), None);
    let texts = Arc::default();
    let _peer = dial(&server, "1", noting(&texts, willing())).await;
    server.until(&ids[2], "Sent");
    assert_eq!(*texts.lock().unwrap(), ["m2"]);
    server.ask("PATCH", &format!("/api/messages/{}", ids[0]), Some(&json!({"status": "Pending"})));
    server.until(&ids[0], "Sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_leaves_by_the_account_that_saw_its_conversation() {
    let server = TestServer::start();
    let first = dial(&server, "1", willing()).await;
    first.push(&group_message(1, 10, 1, "a"));
    until_inbound(&server, 1);
    let second = dial(&server, "2", willing()).await;
    second.push(&group_message(2, 20, 1, "b"));
    until_inbound(&server, 2);
    for (group, account) in [("group_10", "1"), ("group_20", "2"), ("group_30", "1")] {
        let sent = server.until(&server.make_for(Some("qq"), group, "x"), "Sent");
        assert_eq!(sent["account"], account, "{group}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_too_long_for_an_adapter_is_given_up() {
    let server = hasty("time_to_live_seconds = 1\n");
    let failed = server.until(&server.make_for(Some("qq"), "group_7", "x"), "Failed");
    assert!(failed["last_error"].as_str().unwrap().contains("no adapter for qq"), "{failed}");
    assert_eq!(failed["last_error_code"], "not_connected");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_forgotten_when_the_server_is_killed_while_it_sends() {
    const MESSAGES: usize = 200;
    let mut server = hasty("");
    let texts: Arc<Mutex<Vec<String>>> = Arc::default();
    let ids: Vec<_> = (0..MESSAGES)
        .map(|i| server.make_for(Some("qq"), &format!("group_{}", i % 5), &format!("m{i}")))
        .collect();
    for round in 1..=4 {
        let _peer = dial(&server, "1", noting(&texts, willing())).await;
        eventually("some are sent", || (texts.lock().unwrap().len() >= round * 30).then_some(()));
        server.kill();
        server.start_again();
    }
    let _peer = dial(&server, "1", noting(&texts, willing())).await;
    for id in &ids {
        server.until(id, "Sent");
    }
    let texts = texts.lock().unwrap();
    for i in 0..MESSAGES {
        assert!(texts.contains(&format!("m{i}")), "m{i} never went out");
    }
    assert_eq!(server.get("/api/stats").1["sending"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_messages_go_each_way() {
    let server = TestServer::start();
    let peer = dial(&server, "1", willing()).await;
    for i in 0..1000 {
        peer.push(&group_message(1, 1 + i % 10, i + 1, "in"));
    }
    let file = server.home.path("out.jsonl");
    let lines: String = (0..1000)
        .map(|i| {
            json!({"recipient": format!("group_{}", 1 + i % 10), "content": "out", "platform": "qq"})
                .to_string()
                + "\n"
        })
        .collect();
    std::fs::write(&file, lines).unwrap();
    server.home.ok(&["send", &format!("--batch={}", file.display())]);
    eventually("all are sent and received", || {
        let (_, stats) = server.get("/api/stats");
        (stats["sent"] == 2000).then_some(())
    });
    let (_, platforms) = server.get("/api/platforms");
    let adapter = &platforms["platforms"][0];
    assert_eq!((&adapter["sent"], &adapter["received"]), (&json!(1000), &json!(1000)));
}

/// The segments of the newest group message that a peer was asked to send.
fn newest_sent(peer: &Peer) -> Vec<Value> {
    let actions = peer.actions();
    let sent = actions.iter().rfind(|action| action["action"] == "send_group_msg").unwrap();
    sent["params"]["message"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_names_a_message_only_to_the_account_that_knows_it_there() {
    let server = TestServer::start();
    let one = dial(&server, "1", willing()).await;
    // It is to be the one that is connected longest.
    eventually("the first is connected", || {
        server.get("/api/platforms").1.to_string().contains("\"Connected\"").then_some(())
    });
    let two = dial(&server, "2", willing()).await;
    let url = format!("ws://{}/onebot/v11/ws?platform=other", server.address);
    let other = Peer::dial(&url, &headers("3", "Universal"), willing()).await.unwrap();
    one.push(&group_message(1, 7, 77, "a question"));
    until_inbound(&server, 1);
    let asked = inbound(&server)[0]["id"].clone();
    let answer = |platform: &str, group: &str| {
        let (_, made) = server.post(&json!({
            "message_type": "Text", "content": "an answer", "recipient": group,
            "platform": platform, "reply_to": asked,
        }));
        server.until(made["id"].as_str().unwrap(), "Sent");
    };
    let reply = json!({"type": "reply", "data": {"id": "77"}});
    answer("qq", "group_7");
    assert_eq!(newest_sent(&one)[0], reply);
    // From here on the conversation is the second account's.
    two.push(&group_message(2, 7, 5, "more"));
    until_inbound(&server, 2);
    for (peer, platform, group) in
        [(&two, "qq", "group_7"), (&one, "qq", "group_8"), (&other, "other", "group_7")]
    {
        answer(platform, group);
        let sent = newest_sent(peer);
        let text = sent[0]["data"]["text"].as_str().unwrap_or_default();
        assert_eq!(text, "> Card: a question\nan answer", "{platform} {group}: {sent:?}");
        assert_eq!(sent.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_a_platform_are_kept_only_so_far() {
    let server = hasty("");
    let answer = json!({"status": "failed", "retcode": 1404, "wording": "!".repeat(100_000)});
    let script = willing_but("send_group_msg", Reply::Frames(vec![answer]));
    let peer = dial(&server, "1", script).await;
    let id = server.make_for(Some("qq"), "group_7", "x");
    let failed = server.until(&id, "Failed");
    let words = failed["last_error"].as_str().unwrap();
    assert!(words.contains("!!!") && words.len() < 1000, "{} bytes", words.len());
    drop(peer);
}
