//! Bots on an account of OneBot 12: events for them are translated, and so are their messages.

use crate::framework::Framework;
use crate::onebot::{Peer, Reply};
use crate::onebot12::{HEADERS, connect, group_message, status_update, willing_but};
use crate::satori_client::{Caller, Satori};
use crate::server::{Home, TestServer, eventually};
use serde_json::{Value, json};
use std::sync::Arc;

const BOT: (&str, &str) = ("wechat", "wxid_me");

fn event(kind: &str, detail: &str, more: &Value) -> Value {
    let mut event = json!({
        "id": format!("{kind}-{detail}"), "time": 1_632_847_930.5, "type": kind,
        "detail_type": detail, "sub_type": "",
        "self": {"platform": BOT.0, "user_id": BOT.1},
    });
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

/// A server with a bot, and an implementation of OneBot 12 that can take messages back.
async fn started(entry: &str) -> (TestServer, Peer) {
    let home = Arc::new(Home::new());
    home.configure(entry);
    let server = TestServer::start_in(home, &[]);
    let url = format!("ws://{}/onebot/v12/ws", server.address);
    let script = willing_but("delete_message", Reply::ok(json!(null)));
    let peer = Peer::dial(&url, &HEADERS, script).await.unwrap();
    peer.push(&connect());
    peer.push(&status_update(&[(BOT.0, BOT.1, true)]));
    eventually("the account is known", || {
        let accounts = server.get("/api/bots").1["bots"][0]["accounts"].clone();
        (!accounts.as_array().unwrap().is_empty()).then_some(())
    });
    (server, peer)
}

/// An account of OneBot 12 that the bot does not speak for, and what it is told: somebody asks to be a
/// friend, and a message is taken back.
async fn another_account(server: &TestServer) -> Peer {
    const OTHER: &str = "wxid_other";
    let url = format!("ws://{}/onebot/v12/ws", server.address);
    let script = willing_but("delete_message", Reply::ok(json!(null)));
    let peer = Peer::dial(&url, &HEADERS, script).await.unwrap();
    peer.push(&connect());
    peer.push(&status_update(&[(BOT.0, OTHER, true)]));
    let of_other = |mut event: Value| {
        event["self"]["user_id"] = json!(OTHER);
        event
    };
    peer.push(&of_other(group_message(BOT, "2@chatroom", "o1", "for the other")));
    let asks = json!({"user_id": "wxid_asks", "message": "hi", "request_id": "r1"});
    peer.push(&of_other(event("request", "new_friend", &asks)));
    let recall = json!({
        "group_id": "2@chatroom", "message_id": "o1", "user_id": "wxid_sender",
        "operator_id": "wxid_boss",
    });
    peer.push(&of_other(event("notice", "group_message_delete", &recall)));
    eventually("all of it came in", || {
        let (_, page) = server.get("/api/messages?conversation=group_2@chatroom");
        let is_recalled = page["messages"][0]["recalled_at"].is_u64();
        let asked = server.get("/api/requests").1;
        (is_recalled && !asked["requests"].as_array().unwrap().is_empty()).then_some(())
    });
    peer
}

/// Events of the implementation: a message with all sorts of things in it, a member, a recall.
fn tell(peer: &Peer) {
    let mut message = group_message(BOT, "1@chatroom", "m1", "");
    message["message"] = json!([
        {"type": "mention", "data": {"user_id": "wxid_me"}},
        {"type": "text", "data": {"text": "/echo <x>"}},
        {"type": "mention_all", "data": {}},
    ]);
    peer.push(&message);
    let member =
        json!({"group_id": "1@chatroom", "user_id": "wxid_new", "operator_id": "wxid_boss"});
    peer.push(&event("notice", "group_member_increase", &member));
}

fn tell_recall(peer: &Peer) {
    let recall = json!({
        "group_id": "1@chatroom", "message_id": "m1", "user_id": "wxid_sender",
        "operator_id": "wxid_boss",
    });
    peer.push(&event("notice", "group_message_delete", &recall));
}

#[tokio::test(flavor = "multi_thread")]
async fn onebot_11_over_onebot_12() {
    let framework = Framework::new().await;
    let url = framework.url();
    let entry = format!("[[bot]]\nname = 'bot'\nkind = 'onebot11'\nurl = '{url}'\n");
    let (_server, peer) = started(&entry).await;
    let mut bot = framework.accept().await;
    assert_eq!(bot.meta().await["sub_type"], "connect");
    tell(&peer);
    let told = bot.event().await;
    let me: i64 = bot.header("x-self-id").unwrap().parse().unwrap();
    assert_eq!(told["message_type"], "group", "{told}");
    let group = told["group_id"].as_i64().unwrap();
    let expected = json!([
        {"type": "at", "data": {"qq": me.to_string()}},
        {"type": "text", "data": {"text": "/echo <x>"}},
        {"type": "at", "data": {"qq": "all"}},
    ]);
    let segments = told["message"].as_array().unwrap();
    for (segment, wanted) in segments.iter().zip(expected.as_array().unwrap()) {
        assert_eq!(segment["type"], wanted["type"], "{told}");
    }
    assert_eq!(segments[0]["data"]["qq"], me.to_string());
    tell_recall(&peer);
    let joined = bot.event().await;
    assert_eq!(
        (&joined["notice_type"], &joined["group_id"]),
        (&json!("group_increase"), &json!(group))
    );
    let recalled = bot.event().await;
    assert_eq!(
        (&recalled["notice_type"], &recalled["message_id"]),
        (&json!("group_recall"), &told["message_id"])
    );
    // Its messages go out in the terms of OneBot 12, to the IDs that are meant.
    let message = json!([
        {"type": "at", "data": {"qq": told["user_id"].to_string()}},
        {"type": "text", "data": {"text": "hi"}},
    ]);
    let answer = bot.ask("send_group_msg", json!({"group_id": group, "message": message})).await;
    assert_eq!(answer["status"], "ok", "{answer}");
    let sent = peer.action("send_message").await;
    assert_eq!(sent["params"]["group_id"], "1@chatroom", "{sent}");
    let segments = &sent["params"]["message"];
    assert_eq!(segments[0]["data"]["user_id"], "wxid_sender", "{sent}");
    assert_eq!(segments[1]["data"]["text"], "hi");
    let recall = json!({"message_id": answer["data"]["message_id"]});
    assert_eq!(bot.ask("delete_msg", recall).await["status"], "ok");
    assert_eq!(peer.action("delete_message").await["params"]["message_id"], "m1");
    // Its members are known by what they wrote.
    let members = bot.ask("get_group_member_list", json!({"group_id": group})).await;
    assert_eq!(members["data"][0]["user_id"], told["user_id"], "{members}");
    let asked = json!({"group_id": group, "user_id": told["user_id"]});
    let member = bot.ask("get_group_member_info", asked).await;
    assert_eq!(member["data"], members["data"][0]);
    assert_eq!(member["data"]["nickname"], told["sender"]["nickname"]);
    // A forward is sent as text if the platform has no forwards.
    let node = |content: Value| json!({"type": "node", "data": {"name": "Ann", "uin": told["user_id"], "content": content}});
    let nodes = json!([
        node(json!("first line")),
        node(json!([{"type": "text", "data": {"text": "second line"}}])),
        {"type": "node", "data": {"id": answer["data"]["message_id"]}},
    ]);
    let forward = json!({"group_id": group, "messages": nodes});
    let sent = bot.ask("send_group_forward_msg", forward).await;
    assert_eq!(sent["status"], "ok", "{sent}");
    let sent = peer.action("send_message").await.to_string();
    assert!(sent.contains("first line") && sent.contains("second line"), "{sent}");
    let unknown = json!([{"type": "node", "data": {"id": "12345"}}]);
    let refused =
        bot.ask("send_group_forward_msg", json!({"group_id": group, "messages": unknown}));
    assert_eq!(refused.await["retcode"], 1400);
    let new = joined["user_id"].clone();
    let private = bot.ask("send_private_msg", json!({"user_id": new, "message": "welcome"})).await;
    assert_eq!(private["status"], "ok", "{private}");
    assert_eq!(peer.action("send_message").await["params"]["user_id"], "wxid_new");
}

#[tokio::test(flavor = "multi_thread")]
async fn satori_over_onebot_12() {
    let (server, peer) =
        started("[[bot]]\nname = 'bot'\nkind = 'satori'\ntoken = 'secret'\n").await;
    let mut bot = Satori::connect(&server, "bot").await;
    assert_eq!(bot.ready["logins"][0]["adapter"], "onebot12", "{}", bot.ready);
    tell(&peer);
    let told = bot.event().await;
    assert_eq!((&told["type"], &told["message"]["id"]), (&json!("message-created"), &json!("m1")));
    assert_eq!(told["channel"]["id"], "1@chatroom", "the platform's own IDs");
    assert_eq!(told["user"]["id"], "wxid_sender");
    let content = told["message"]["content"].as_str().unwrap();
    assert!(content.starts_with("<at id=\"wxid_me\""), "{content}");
    assert!(content.ends_with("/echo &lt;x&gt;<at type=\"all\"/>"), "{content}");
    tell_recall(&peer);
    let joined = bot.event().await;
    assert_eq!(
        (&joined["type"], &joined["user"]["id"]),
        (&json!("guild-member-added"), &json!("wxid_new"))
    );
    assert_eq!(joined["operator"]["id"], "wxid_boss");
    let recalled = bot.event().await;
    assert_eq!(
        (&recalled["type"], &recalled["message"]["id"]),
        (&json!("message-deleted"), &json!("m1"))
    );
    assert_eq!(recalled["operator"]["id"], "wxid_boss");
    let caller = Caller::new(&server, "bot", BOT.0, BOT.1);
    let content = "<at id=\"wxid_sender\"/>hi";
    let made =
        caller.call("message.create", &json!({"channel_id": "1@chatroom", "content": content}));
    let sent = peer.action("send_message").await;
    assert_eq!(sent["params"]["group_id"], "1@chatroom", "{sent}");
    assert_eq!(sent["params"]["message"][0]["data"]["user_id"], "wxid_sender", "{sent}");
    let delete = json!({"channel_id": "1@chatroom", "message_id": made[0]["id"]});
    caller.call("message.delete", &delete);
    assert_eq!(peer.action("delete_message").await["params"]["message_id"], made[0]["id"]);
    // Actions that only OneBot 11 has are not there.
    assert_eq!(caller.try_call("guild.member.mute", &json!({"guild_id": "1"})).0, 404);
    assert_eq!(caller.try_call("guild.member.list", &json!({"guild_id": "1"})).0, 404);
    assert_eq!(caller.call("guild.list", &json!({}))["data"][0]["id"], "1@chatroom");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_recalls_of_another_account_are_not_those_of_the_bot() {
    let framework = Framework::new().await;
    let url = framework.url();
    let accounts = "accounts = ['wechat/wxid_me']";
    let entries = format!(
        "[[bot]]\nname = 'bot'\nkind = 'onebot11'\nurl = '{url}'\n{accounts}\n\
         [[bot]]\nname = 'satori'\nkind = 'satori'\ntoken = 'secret'\n{accounts}\n"
    );
    let (server, own) = started(&entries).await;
    let mut bot = framework.accept().await;
    let mut satori = Satori::connect(&server, "satori").await;
    let other = another_account(&server).await;
    own.push(&group_message(BOT, "1@chatroom", "m1", "for this one"));
    // Nothing of the other came before it.
    assert_eq!(bot.texts(1).await, ["for this one"]);
    assert_eq!(satori.texts(1).await, ["for this one"]);
    let (_, asked) = server.get("/api/requests");
    let request = asked["requests"][0]["id"].to_string();
    let (_, page) = server.get("/api/messages?conversation=group_2@chatroom");
    let id = page["messages"][0]["id"].clone();
    let caller = Caller::new(&server, "satori", BOT.0, BOT.1);
    let answer = json!({"message_id": request, "approve": true});
    assert_eq!(caller.try_call("friend.approve", &answer).0, 404);
    for message in [id, json!("o1")] {
        let delete = json!({"channel_id": "2@chatroom", "message_id": message});
        assert_eq!(caller.try_call("message.delete", &delete).0, 404);
        assert_eq!(caller.try_call("message.get", &delete).0, 404);
    }
    let answer = bot.ask("set_friend_add_request", json!({"flag": request})).await;
    assert_eq!(answer["status"], "failed", "{answer}");
    for seq in 1..=3 {
        let got = bot.ask("get_msg", json!({"message_id": seq})).await;
        let is_own = got["data"]["raw_message"] == "for this one";
        assert!(is_own || got["status"] == "failed", "{got}");
    }
    let asked: Vec<_> = other.actions().iter().map(|one| one["action"].clone()).collect();
    let is_question = |action: &Value| action.as_str().unwrap().starts_with("get_");
    assert!(asked.iter().all(is_question), "{asked:?}");
}
