//! Actions over HTTP of a bot with several accounts that name none of them.

use crate::account::{
    ACCOUNT, ID, implementation, said, server_with, until_accounts, until_inbound,
};
use crate::framework::Bot;
use crate::onebot::{Peer, Reply, Script};
use crate::onebot11::{group_message, headers, willing};
use crate::server::{TestServer, eventually};
use serde_json::{Value, json};
use std::sync::Arc;

const PATH: &str = "/bots/dials/onebot/v11";

/// A server with a bot whose framework connects to it.
fn server() -> TestServer {
    server_with("[[bot]]\nname = 'dials'\nkind = 'onebot11'\ntoken = 'secret'\n")
}

/// An implementation that does everything it is asked for.
fn obliging() -> Script {
    let willing = willing();
    Arc::new(move |action| match action["action"].as_str() {
        Some(
            "set_group_name"
            | "delete_msg"
            | ".handle_quick_operation"
            | ".handle_quick_operation_async"
            | ".handle_quick_operation_rate_limited"
            | "set_friend_add_request"
            | "set_group_add_request"
            | "_get_model_show",
        ) => Reply::ok(Value::Null),
        _ => willing(action),
    })
}

/// Two accounts: the first one is in group 77, the other one in group 78, and both are in group 79.
async fn two_accounts(server: &TestServer) -> (Peer, Peer) {
    let first = implementation(server, obliging()).await;
    // The list has the accounts in the order in which they came.
    until_accounts(server, "dials", &[&format!("qq/{ID}")]);
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let other = Peer::dial(&url, &headers("2", "Universal"), obliging()).await.unwrap();
    until_accounts(server, "dials", &[&format!("qq/{ID}"), "qq/2"]);
    first.push(&said(1, "to the first"));
    other.push(&group_message(2, 78, 1, "to the other"));
    first.push(&group_message(ACCOUNT, 79, 2, "to both"));
    other.push(&group_message(2, 79, 2, "to both"));
    until_inbound(server, 4);
    (first, other)
}

/// Waits until the first account is not connected any more.
fn until_offline(server: &TestServer) {
    eventually("it is offline", || {
        let (_, platforms) = server.get("/api/platforms");
        let all = platforms["platforms"].as_array().unwrap();
        let is_on = |one: &Value| one["account"] == ID && one["status"] == "Connected";
        (!all.iter().any(is_on)).then_some(())
    });
}

fn call(server: &TestServer, action: &str, params: &Value) -> Value {
    let path = format!("{PATH}/{action}?access_token=secret");
    let (status, answer) = server.ask("POST", &path, Some(params));
    assert_eq!(status, 200, "{answer}");
    answer
}

fn is_refused(answer: &Value) {
    assert_eq!((&answer["status"], &answer["retcode"]), (&json!("failed"), &json!(1400)));
    let words = answer["wording"].as_str().unwrap();
    assert!(words.contains(&format!("`?self_id=`: {ID}, 2")), "{words}");
}

fn renamings(peer: &Peer) -> usize {
    let is_renaming = |action: &&Value| action["action"] == "set_group_name";
    peer.actions().iter().filter(is_renaming).count()
}

fn renaming(group: i64) -> Value {
    json!({"group_id": group, "group_name": "N"})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_goes_by_the_only_account_that_knows_its_conversation() {
    let server = server();
    let (first, other) = two_accounts(&server).await;
    let answer = call(&server, "send_group_msg", &json!({"group_id": 78, "message": "hi"}));
    assert_eq!(answer["status"], "ok", "{answer}");
    assert_eq!(other.action("send_group_msg").await["params"]["group_id"], 78);
    let said = answer["data"]["message_id"].clone();
    let answer = call(&server, "delete_msg", &json!({"message_id": said}));
    assert_eq!(answer["status"], "ok", "{answer}");
    assert_eq!(other.action("delete_msg").await["params"]["message_id"], said);
    for group in [79, 99] {
        is_refused(&call(&server, "set_group_name", &renaming(group)));
        is_refused(&call(&server, "send_group_msg", &json!({"group_id": group, "message": "hi"})));
    }
    is_refused(&call(&server, "get_login_info", &json!({})));
    let named = format!("{PATH}/set_group_name?access_token=secret&self_id=2&group_id=79");
    assert_eq!(server.get(&named).1["status"], "ok");
    assert_eq!((renamings(&first), renamings(&other)), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_does_not_go_by_the_only_account_that_happens_to_be_connected() {
    let server = server();
    let (first, other) = two_accounts(&server).await;
    other.drop_connection();
    other.ended().await;
    eventually("the other account has left", || {
        let (_, all) = server.get("/api/platforms");
        let mut platforms = all["platforms"].as_array().unwrap().iter();
        platforms.any(|one| one["account"] == "2" && one["state"] == "Disconnected").then_some(())
    });
    let answer = call(&server, "set_group_name", &renaming(78));
    assert_eq!(answer["retcode"], 1503, "its account is away: {answer}");
    is_refused(&call(&server, "set_group_name", &renaming(99)));
    assert_eq!(renamings(&first), 0);
    // Reading changes nothing.
    for reading in ["get_login_info", "_get_model_show"] {
        assert_eq!(call(&server, reading, &json!({}))["status"], "ok", "{reading}");
    }
    // A connection without events could not tell by whose account it acts.
    let api = Bot::dial(&server, &format!("{PATH}/api"), Some("secret")).await;
    assert!(api.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_about_an_event_goes_by_the_account_that_was_told_of_it() {
    let server = server();
    let (first, other) = two_accounts(&server).await;
    let quick = |self_id: i64| {
        let context = json!({"post_type": "message", "self_id": self_id, "group_id": 79});
        json!({"context": context, "operation": {"reply": "hi"}})
    };
    let name = ".handle_quick_operation";
    assert_eq!(call(&server, name, &quick(2))["status"], "ok");
    assert_eq!(other.action(name).await["params"]["context"]["self_id"], 2);
    for name in [".handle_quick_operation_async", ".handle_quick_operation_rate_limited"] {
        assert_eq!(call(&server, name, &quick(2))["status"], "ok");
        assert_eq!(other.action(name).await["params"]["context"]["self_id"], 2);
    }
    is_refused(&call(&server, name, &quick(3)));
    is_refused(&call(&server, name, &json!({"operation": {"reply": "hi"}})));
    let request = |account: i64, flag: &str| {
        json!({"post_type": "request", "request_type": "friend", "time": 1_700_000_000,
            "self_id": account, "user_id": 5, "comment": "hi", "flag": flag})
    };
    first.push(&request(ACCOUNT, "12345"));
    other.push(&request(2, "of the other"));
    first.push(&request(ACCOUNT, "of both"));
    other.push(&request(2, "of both"));
    eventually("the requests are stored", || {
        let (_, all) = server.get("/api/requests");
        (all["requests"].as_array().unwrap().len() == 4).then_some(())
    });
    let answer = |flag: &str| {
        call(&server, "set_friend_add_request", &json!({"flag": flag, "approve": true}))
    };
    assert_eq!(answer("of the other")["status"], "ok");
    assert_eq!(other.action("set_friend_add_request").await["params"]["flag"], "of the other");
    // The group of a request is not one that its account must know.
    let joining = json!({"flag": "of the other", "group_id": 77, "sub_type": "add"});
    assert_eq!(call(&server, "set_group_add_request", &joining)["status"], "ok");
    let told = other.action("set_group_add_request").await;
    assert_eq!(
        (&told["params"]["flag"], &told["params"]["group_id"]),
        (&joining["flag"], &joining["group_id"])
    );
    for flag in ["of both", "of nobody"] {
        is_refused(&answer(flag));
    }
    assert!(first.actions().iter().all(|action| action["action"] != name));
    first.drop_connection();
    until_offline(&server);
    let answered = answer("12345");
    assert_eq!(answered["retcode"], 1503, "{answered}");
}
