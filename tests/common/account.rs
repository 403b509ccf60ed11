//! A QQ account with bots, for tests of several protocols.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use crate::onebot::{Peer, Script};
use crate::onebot11::{group_message, headers, own_message, recall};
use crate::server::{Home, TestServer, eventually};
use serde_json::{Value, json};
use std::sync::Arc;

/// The account, as a number and as a text.
pub const ACCOUNT: i64 = 10_001_000;
pub const ID: &str = "10001000";

/// The platform for trying out.
pub const LOOPBACK: &str = "[[adapter]]\nkind = \"loopback\"\necho = true\n";

pub fn server_with(configuration: &str) -> TestServer {
    let home = Arc::new(Home::new());
    home.configure(configuration);
    TestServer::start_in(home, &[])
}

/// An implementation that dials in.
pub async fn implementation(server: &TestServer, script: Script) -> Peer {
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    Peer::dial(&url, &headers(ID, "Universal"), script).await.unwrap()
}

/// A message of group 77.
pub fn said(id: i64, text: &str) -> Value {
    group_message(ACCOUNT, 77, id, text)
}

/// The recall of one.
pub fn taken_back(id: i64) -> Value {
    recall(ACCOUNT, 77, id)
}

pub fn bot_of(server: &TestServer, name: &str) -> Value {
    let (_, told) = server.get("/api/bots");
    let bots = told["bots"].as_array().unwrap();
    bots.iter().find(|bot| bot["name"] == name).unwrap().clone()
}

/// Waits until a bot has these accounts, as `<platform>/<account>`.
pub fn until_accounts(server: &TestServer, bot: &str, accounts: &[&str]) {
    eventually(&format!("the accounts are {accounts:?}"), || {
        let told = bot_of(server, bot)["accounts"].as_array().unwrap().clone();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let name = |one: &Value| format!("{}/{}", text(&one["platform"]), text(&one["account"]));
        (told.iter().map(name).collect::<Vec<_>>() == accounts).then_some(())
    });
}

/// Waits until this number of messages came in.
pub fn until_inbound(server: &TestServer, count: usize) {
    eventually(&format!("{count} messages came in"), || {
        let (_, page) = server.get("/api/messages?direction=Inbound&limit=200");
        (page["messages"].as_array().unwrap().len() >= count).then_some(())
    });
}

/// Pushes messages, edits and echoes, each with the word "secret", and then recalls all of them.
/// The last event is the message "stays".
pub fn tell_and_take_back(server: &TestServer, peer: &Peer) {
    peer.push(&said(1, "a secret"));
    let mut edit = said(1, "a secret edit");
    edit["post_type"] = json!("notice");
    edit["notice_type"] = json!("message_edit");
    peer.push(&edit);
    let own = server.make_for(Some("qq"), "group_77", "a secret of our own");
    server.until(&own, "Sent");
    // The implementation gave it this ID.
    peer.push(&own_message(ACCOUNT, 77, 101, "a secret of our own"));
    peer.push(&taken_back(101));
    peer.push(&taken_back(1));
    peer.push(&said(2, "stays"));
    until_inbound(server, 2);
    let (_, page) = server.get("/api/messages?conversation=group_77");
    assert!(!page.to_string().contains("secret"), "{page}");
}
