//! Routing: the platform of a message that names none, and the reasons while it waits.

use crate::onebot::{Peer, Reply};
use crate::onebot11::{group_message, headers, willing, willing_but};
use crate::server::{Home, TestServer, eventually};
use crate::socket::Client;
use serde_json::{Value, json};
use std::sync::Arc;

fn started(configuration: &str, arguments: &[&str]) -> TestServer {
    let home = Arc::new(Home::new());
    home.configure(configuration);
    TestServer::start_in(home, arguments)
}

async fn dial(server: &TestServer, platform: &str) -> Peer {
    let url = format!("ws://{}/onebot/v11/ws?platform={platform}", server.address);
    Peer::dial(&url, &headers("1", "Universal"), willing()).await.unwrap()
}

fn message(server: &TestServer, id: &str) -> Value {
    server.get(&format!("/api/messages/{id}")).1
}

/// Waits until a message waits for a reason with these words, and gives it.
fn until_waiting(server: &TestServer, id: &str, words: &str) -> Value {
    eventually(&format!("it waits: {words}"), || {
        let found = message(server, id);
        let waiting = found["waiting"].as_str().unwrap_or_default();
        (found["status"] == "Pending" && waiting.contains(words)).then_some(found)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_before_any_platform_was_seen_goes_to_the_first() {
    let server = started("", &[]);
    let mut client = Client::connect(&server).await;
    client.subscribe().await;
    let id = server.make("group_7", "early");
    assert_eq!(client.message().await["platform"], "local");
    let waits = until_waiting(&server, &id, "name one with `platform`");
    assert!(waits.get("platform").is_none(), "{waits}");
    let _qq = dial(&server, "qq").await;
    assert_eq!(server.until(&id, "Sent")["platform"], "qq");
    // From then on it is the only one, and events name it at once.
    let id = server.make("group_8", "later");
    let told = loop {
        let frame = client.next().await;
        if frame["type"] == "new_message" {
            break frame;
        }
    };
    assert_eq!(told["data"]["platform"], "qq");
    server.until(&id, "Sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn loopback_takes_nothing_that_names_no_platform_once_another_was_seen() {
    let home = Arc::new(Home::new());
    let mut server = TestServer::start_in(home.clone(), &[]);
    let qq = dial(&server, "qq").await;
    qq.push(&group_message(1, 77, 1, "hello"));
    eventually("qq is known", || (server.get("/api/stats").1["total"] == 1).then_some(()));
    server.stop();
    let server = TestServer::start_in(home, &["--loopback"]);
    let (known, unknown) = (server.make("group_77", "a"), server.make("private_5", "b"));
    for id in [&known, &unknown] {
        let waits = until_waiting(&server, id, "no adapter of qq is connected");
        assert_eq!(waits["platform"], "qq");
    }
    let named = server.make_for(Some("loopback"), "private_5", "c");
    assert_eq!(server.until(&named, "Sent")["platform"], "loopback");
    let _qq = dial(&server, "qq").await;
    for id in [&known, &unknown] {
        assert_eq!(server.until(id, "Sent")["platform"], "qq");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn loopback_takes_what_names_no_platform_where_it_is_alone() {
    let server = started("", &["--loopback"]);
    assert_eq!(server.until(&server.make("anyone", "x"), "Sent")["platform"], "loopback");
    let other = started("[[adapter]]\nkind = 'onebot11'\n", &["--loopback"]);
    let waits = until_waiting(&other, &other.make("group_7", "x"), "no adapter of qq");
    assert_eq!(waits["platform"], "qq");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_platforms_none_is_guessed_by_who_connects() {
    let server = started("", &[]);
    let (first, second) = (dial(&server, "qq").await, dial(&server, "wechat").await);
    eventually("both were seen", || {
        let (_, platforms) = server.get("/api/platforms");
        (platforms["platforms"].as_array().unwrap().len() == 2).then_some(())
    });
    let id = server.make("group_7", "for whom?");
    let waits = until_waiting(&server, &id, "name one with `platform`");
    assert!(waits.get("platform").is_none(), "{waits}");
    assert_eq!(waits["waiting_code"], "no_platform");
    second.push(&group_message(1, 7, 1, "it is known here"));
    assert_eq!(server.until(&id, "Sent")["platform"], "wechat");
    first.push(&group_message(1, 7, 2, "and here"));
    eventually("both know it", || (server.get("/api/stats").1["total"] == 3).then_some(()));
    let waits = until_waiting(
        &server,
        &server.make("group_7", "for whom now?"),
        "qq and wechat know group_7",
    );
    assert_eq!(waits["waiting_code"], "several_platforms");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_found_no_platform_in_time_says_so_and_blames_no_adapter() {
    let server = started("[outbox]\ntime_to_live_seconds = 3\n", &[]);
    let (first, second) = (dial(&server, "qq").await, dial(&server, "wechat").await);
    first.push(&group_message(1, 7, 1, "it is known here"));
    second.push(&group_message(1, 7, 2, "and here"));
    eventually("both know it", || (server.get("/api/stats").1["total"] == 2).then_some(()));
    let failed = server.until(&server.make("group_7", "for whom?"), "Failed");
    let why = failed["last_error"].as_str().unwrap();
    assert!(why.contains("qq and wechat know group_7") && why.contains("3 s"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_says_why_it_waits() {
    let patient = "[outbox]\nfirst_pause_seconds = 3600\nlongest_pause_seconds = 3600\n";
    let server = started(patient, &[]);
    let first = server.make_for(Some("qq"), "group_7", "first");
    let waits = until_waiting(&server, &first, "no adapter of qq is connected");
    assert_eq!(waits["waiting_code"], "not_connected");
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let busy = willing_but("send_group_msg", Reply::refused(100, "busy"));
    let _peer = Peer::dial(&url, &headers("1", "Universal"), busy).await.unwrap();
    let waits = until_waiting(&server, &first, "the next attempt is at 20");
    assert_eq!(
        (&waits["waiting_code"], &waits["last_error_code"]),
        (&json!("next_attempt"), &json!("refused"))
    );
    assert!(waits["waiting_detail"].as_str().unwrap().starts_with("20"), "{waits}");
    let second = server.make_for(Some("qq"), "group_7", "second");
    let waits = until_waiting(&server, &second, "an earlier message of the conversation");
    assert_eq!(waits["waiting_code"], "after_earlier");
    let (_, page) = server.get("/api/messages?status=Pending");
    assert!(
        page["messages"].as_array().unwrap().iter().all(|m| m["waiting"].is_string()),
        "{page}"
    );
    let done = server.until(&server.make_for(Some("qq"), "nobody", "x"), "Failed");
    assert!(done.get("waiting").is_none(), "{done}");
    assert_eq!(done["last_error_code"], "unaddressable");
}

#[test]
fn a_path_of_the_host_is_refused() {
    let server = TestServer::start();
    for content in ["/etc/hostname", "file:///etc/hostname", "x.png"] {
        let body = json!({"message_type": "Image", "content": content, "recipient": "group_7"});
        let (status, answer) = server.post(&body);
        assert_eq!(status, 400, "{content}");
        assert!(answer["error"].as_str().unwrap().contains("https://"), "{answer}");
    }
}
