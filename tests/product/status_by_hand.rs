//! The answers to clients and bots if somebody changes or deletes a message while it is being sent.

use crate::account::implementation;
use crate::framework::Framework;
use crate::onebot::{Peer, Reply};
use crate::onebot11::willing_but;
use crate::server::{Home, TestServer, eventually};
use crate::socket::{Client, send_message};
use serde_json::{Value, json};
use std::sync::Arc;

/// Changes or deletes the newest outbound message during its attempt.
fn change(server: &TestServer, how: &str) {
    let (_, page) = server.get("/api/messages?direction=Outbound&limit=1");
    let path = format!("/api/messages/{}", page["messages"][0]["id"].as_str().unwrap());
    let status = match how {
        "DELETE" => server.ask("DELETE", &path, None).0,
        status => server.ask("PATCH", &path, Some(&json!({"status": status}))).0,
    };
    assert_eq!(status, 200, "{how}");
}

/// The answer that an implementation gives late.
fn accepted(action: &Value) -> Value {
    with_echo(json!({"status": "ok", "retcode": 0, "data": {"message_id": 55}}), action)
}

fn with_echo(mut answer: Value, action: &Value) -> Value {
    answer["echo"] = action["echo"].clone();
    answer
}

/// An implementation that does not answer what is sent.
async fn slow(server: &TestServer) -> Peer {
    implementation(server, willing_but("send_group_msg", Reply::Silent)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_told_what_became_of_the_attempt() {
    for how in ["Canceled", "Failed", "Pending", "Sent"] {
        let server = TestServer::start();
        let peer = slow(&server).await;
        let mut client = Client::connect(&server).await;
        client.say(&send_message("qq", "group_77", "hello")).await;
        let action = peer.action("send_group_msg").await;
        change(&server, how);
        peer.push(&accepted(&action));
        let answer = client.answer().await;
        assert_eq!(answer["message_status"], "Sent", "{how}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_told_that_the_attempt_was_refused() {
    let server = TestServer::start();
    let peer = slow(&server).await;
    let mut client = Client::connect(&server).await;
    client.say(&send_message("qq", "group_77", "hello")).await;
    let action = peer.action("send_group_msg").await;
    change(&server, "Canceled");
    let refused = json!({"status": "failed", "retcode": 1400, "data": null});
    peer.push(&with_echo(refused, &action));
    assert_eq!(client.answer().await["code"], "not_sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_told_at_once_that_its_message_was_deleted() {
    let server = TestServer::start();
    let peer = slow(&server).await;
    let mut client = Client::connect(&server).await;
    client.say(&send_message("qq", "group_77", "hello")).await;
    peer.action("send_group_msg").await;
    change(&server, "DELETE");
    let answer = client.answer().await;
    assert_eq!(
        (&answer["type"], &answer["code"]),
        (&json!("error"), &json!("unknown")),
        "{answer}"
    );
    assert!(answer["error"].as_str().unwrap().contains("the platform may have it"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_is_told_what_became_of_the_attempt() {
    for how in ["Canceled", "DELETE"] {
        let framework = Framework::new().await;
        let home = Arc::new(Home::new());
        let url = framework.url();
        home.configure(&format!("[[bot]]\nname = 'bot'\nkind = 'onebot11'\nurl = '{url}'\n"));
        let server = TestServer::start_in(home, &[]);
        let peer = slow(&server).await;
        let mut bot = framework.accept().await;
        bot.call("send_group_msg", &json!({"group_id": 77, "message": "hello"}), &json!("it"))
            .await;
        let action = peer.action("send_group_msg").await;
        change(&server, how);
        if how == "DELETE" {
            let answer = bot.answer_to(&json!("it")).await;
            assert_eq!((&answer["status"], &answer["retcode"]), (&json!("async"), &json!(1)));
            continue;
        }
        peer.push(&accepted(&action));
        let answer = bot.answer_to(&json!("it")).await;
        assert_eq!((&answer["status"], &answer["data"]["message_id"]), (&json!("ok"), &json!(55)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recall_of_an_earlier_copy_does_not_mark_the_copy_that_was_sent_meanwhile() {
    let server = TestServer::start();
    let peer = implementation(&server, willing_but("delete_msg", Reply::Silent)).await;
    let id = server.make_for(Some("qq"), "group_77", "hello");
    server.until(&id, "Sent");
    let path = format!("/api/messages/{id}");
    std::thread::scope(|scope| {
        let recall = scope.spawn(|| server.ask("POST", &format!("{path}/recall"), None));
        let action = eventually("the recall is asked for", || {
            peer.actions().into_iter().find(|action| action["action"] == "delete_msg")
        });
        change(&server, "Pending");
        server.until(&id, "Sent");
        peer.push(&with_echo(json!({"status": "ok", "retcode": 0, "data": null}), &action));
        let (status, answer) = recall.join().unwrap();
        assert_eq!((status, &answer["code"]), (409, &json!("in_flight")), "{answer}");
    });
    assert!(server.get(&path).1.get("recalled_at").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_attempt_at_a_canceled_message_ends_with_its_process() {
    let mut server = TestServer::start();
    let peer = slow(&server).await;
    let id = server.make_for(Some("qq"), "group_77", "hello");
    peer.action("send_group_msg").await;
    change(&server, "Canceled");
    let recall = |server: &TestServer| {
        let (status, answer) = server.ask("POST", &format!("/api/messages/{id}/recall"), None);
        (status, answer["code"].clone(), answer["error"].as_str().unwrap().to_owned())
    };
    let (status, code, error) = recall(&server);
    assert_eq!((status, code), (409, json!("in_flight")), "{error}");
    server.kill();
    server.start_again();
    eventually("the attempt has ended", || {
        let (_, code, error) = recall(&server);
        (code == "not_sent" && error.contains("not known whether")).then_some(())
    });
    assert_eq!(server.get(&format!("/api/messages/{id}")).1["status"], "Canceled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_somebody_set_to_sending_is_not_sent_until_it_waits_again() {
    let home = Arc::new(Home::new());
    home.configure("[[adapter]]\nkind = 'onebot11'\non_unknown = 'fail'\n");
    let mut server = TestServer::start_in(home, &[]);
    let id = server.make_for(Some("qq"), "group_77", "by hand");
    let path = format!("/api/messages/{id}");
    assert_eq!(server.ask("PATCH", &path, Some(&json!({"status": "Sending"}))).0, 200);
    let (status, refused) = server.ask("POST", &format!("{path}/recall"), None);
    assert_eq!((status, &refused["code"]), (409, &json!("not_sent")), "no attempt is under way");
    server.kill();
    server.start_again();
    let peer = implementation(&server, willing_but("delete_msg", Reply::Silent)).await;
    let next = server.make_for(Some("qq"), "group_77", "next");
    server.until(&next, "Sent");
    let (_, message) = server.get(&path);
    assert_eq!((&message["status"], message.get("last_error")), (&json!("Sending"), None));
    let sent = |text: &str| {
        let has_it = |action: &Value| action["params"].to_string().contains(text);
        peer.actions().iter().filter(|action| has_it(action)).count()
    };
    assert_eq!(sent("by hand"), 0);
    server.ask("PATCH", &path, Some(&json!({"status": "Pending"})));
    let message = server.until(&id, "Sent");
    assert_eq!((sent("by hand"), &message["retry_count"]), (1, &json!(0)));
}
