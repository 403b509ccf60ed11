//! Bots with Satori: events that resume from the log, and calls.

use crate::account::{
    ACCOUNT, ID, LOOPBACK, bot_of, implementation, said, server_with, taken_back,
    tell_and_take_back, until_accounts, until_inbound,
};
use crate::onebot::{Peer, Reply, Script};
use crate::onebot11::{headers, own_message, private_message, willing};
use crate::satori_client::{Caller, Satori, ended, open};
use crate::server::{TestServer, agent, eventually};
use crate::socket::in_time;
use futures_util::{SinkExt, StreamExt};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio_tungstenite::tungstenite::Message;

const BOT: &str = "[[bot]]\nname = \"koishi\"\nkind = \"satori\"\ntoken = \"secret\"\n";

fn caller(server: &TestServer) -> Caller {
    Caller::new(server, "koishi", "qq", ID)
}

/// An implementation that knows people and groups.
fn knowing() -> Script {
    let willing = willing();
    Arc::new(move |action| {
        let params = &action["params"];
        match action["action"].as_str().unwrap() {
            "get_group_list" => Reply::ok(json!([{"group_id": 77, "group_name": "G"}])),
            "get_friend_list" => {
                Reply::ok(json!([{"user_id": 5, "nickname": "Five", "remark": "Fiver"}]))
            }
            "get_stranger_info" => Reply::ok(json!({"user_id": 5, "nickname": "Five"})),
            "get_group_member_info" | "get_group_member_list" => {
                let member = json!({
                    "group_id": params["group_id"], "user_id": 5, "nickname": "Five", "card": "V",
                    "role": "admin", "join_time": 1_700_000_000,
                });
                let is_list = action["action"] == "get_group_member_list";
                Reply::ok(if is_list { json!([member]) } else { member })
            }
            "set_group_ban" | "set_group_admin" | "delete_msg" | "set_msg_emoji_like" => {
                Reply::ok(json!(null))
            }
            "no_data" => Reply::refused(1200, "it did not work"),
            _ => willing(action),
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_is_told_messages_and_answers_them() {
    let server = server_with(BOT);
    let peer = implementation(&server, willing()).await;
    until_accounts(&server, "koishi", &["qq/10001000"]);
    let mut bot = Satori::connect(&server, "koishi").await;
    let login = &bot.ready["logins"][0];
    assert_eq!((&login["platform"], &login["user"]["id"]), (&json!("qq"), &json!(ID)));
    assert_eq!((&login["status"], &login["adapter"]), (&json!(1), &json!("onebot11")));
    assert!(login["sn"].is_u64() && bot.ready["proxy_urls"].is_array(), "{}", bot.ready);
    let mut event = said(9_223_372_036_854_775_807, "/echo <hi> & \"you\"");
    event["made_up"] = json!({"n": 18_446_744_073_709_551_615_u64});
    peer.push(&event);
    let told = bot.event().await;
    assert_eq!(told["type"], "message-created");
    assert_eq!(told["timestamp"], 1_700_000_000_000_u64);
    assert_eq!(told["message"]["id"], "9223372036854775807");
    assert_eq!(told["message"]["content"], "/echo &lt;hi&gt; &amp; \"you\"");
    assert_eq!(told["channel"], json!({"id": "77", "type": 0, "name": "Group 77"}));
    assert_eq!(told["guild"], json!({"id": "77", "name": "Group 77"}));
    assert_eq!(told["user"], json!({"id": "4242", "name": "Card"}));
    assert_eq!(told["login"]["user"]["id"], ID);
    assert_eq!((&told["_type"], &told["_data"]), (&json!("onebot11/message/group/normal"), &event));
    let content = "<quote id=\"9223372036854775807\"/><at id=\"4242\"/>\
                   <img src=\"data:image/png;base64,iVBORw0KGgo=\"/>pic &lt;x&gt;";
    let answer =
        caller(&server).call("message.create", &json!({"channel_id": "77", "content": content}));
    let sent = peer.action("send_group_msg").await;
    assert_eq!(sent["params"]["group_id"], 77);
    let segments = sent["params"]["message"].as_array().unwrap();
    let kinds: Vec<_> = segments.iter().map(|segment| segment["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["reply", "at", "image", "text"], "{sent}");
    assert_eq!(segments[0]["data"]["id"].to_string().trim_matches('"'), "9223372036854775807");
    assert!(segments[2]["data"]["file"].as_str().unwrap().starts_with("base64://"), "{sent}");
    assert_eq!(segments[3]["data"]["text"], "pic <x>");
    let (_, page) = server.get("/api/messages?direction=Outbound");
    let stored = &page["messages"][0];
    assert_eq!((&stored["via"], &stored["status"]), (&json!("koishi"), &json!("Sent")));
    assert_eq!(answer[0]["id"], "101", "{answer}");
    assert_eq!(answer[0]["user"]["id"], ID);
    bot.ping().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sn_resumes_where_it_says_and_without_one_the_place_does() {
    let mut server = server_with(BOT);
    let peer = implementation(&server, willing()).await;
    until_accounts(&server, "koishi", &["qq/10001000"]);
    let mut bot = Satori::connect(&server, "koishi").await;
    for id in 1..=3 {
        peer.push(&said(id, &format!("m{id}")));
    }
    let (first, second, third) = (bot.event().await, bot.event().await, bot.event().await);
    let sns = [&first, &second, &third].map(|event| event["sn"].as_u64().unwrap());
    assert!(sns.is_sorted() && sns[0] < sns[2] && sns[2] < 1 << 53, "{sns:?}");
    bot.until_delivered(&server, "koishi", 3).await;
    drop(bot);
    peer.push(&said(4, "m4"));
    until_inbound(&server, 4);
    // A place that it names goes before the one that was kept.
    let mut bot = Satori::resume(&server, "koishi", &first["sn"]).await;
    assert_eq!(bot.texts(3).await, ["m2", "m3", "m4"]);
    bot.until_delivered(&server, "koishi", 6).await;
    drop(bot);
    peer.push(&said(5, "m5"));
    until_inbound(&server, 5);
    server.kill();
    server.start_again();
    // The implementation is away, but its account is known.
    let bot = Satori::connect(&server, "koishi").await;
    assert_eq!(bot.ready["logins"][0]["status"], 0, "{}", bot.ready);
    drop(bot);
    let mut bot = Satori::resume(&server, "koishi", &third["sn"]).await;
    let online = bot.any().await;
    assert_eq!((&online["type"], &online["login"]["status"]), (&json!("login-updated"), &json!(1)));
    assert_eq!(bot.texts(2).await, ["m4", "m5"]);
    let offline = bot.any().await;
    assert_eq!(
        (&offline["type"], &offline["login"]["status"]),
        (&json!("login-updated"), &json!(0))
    );
    // An `sn` that never existed, and one of another store, are ignored; the bot's place is used.
    bot.until_delivered(&server, "koishi", 8).await;
    drop(bot);
    for wrong in
        [json!(9_007_199_254_740_991_u64), json!(first["sn"].as_u64().unwrap() ^ 1), json!(1)]
    {
        let bot = Satori::resume(&server, "koishi", &wrong).await;
        drop(bot);
    }
    let peer = implementation(&server, willing()).await;
    peer.push(&said(6, "m6"));
    let mut bot = Satori::resume(&server, "koishi", &json!(9_007_199_254_740_991_u64)).await;
    assert_eq!(bot.texts(1).await, ["m6"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_comes_later_is_a_new_login() {
    let server = server_with(BOT);
    let mut bot = Satori::connect(&server, "koishi").await;
    assert_eq!(bot.ready["logins"], json!([]));
    let peer = implementation(&server, willing()).await;
    let added = bot.any().await;
    assert_eq!(
        (&added["type"], &added["login"]["user"]["id"]),
        (&json!("login-added"), &json!(ID))
    );
    peer.push(&said(1, "hi"));
    assert_eq!(bot.texts(1).await, ["hi"]);
    peer.drop_connection();
    let gone = bot.any().await;
    assert_eq!((&gone["type"], &gone["login"]["status"]), (&json!("login-updated"), &json!(0)));
    let _peer = implementation(&server, willing()).await;
    let back = bot.any().await;
    assert_eq!((&back["type"], &back["login"]["status"]), (&json!("login-updated"), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_come_by_one_connection_in_order() {
    // While there is another platform, loopback has to be named.
    let accounts = "accounts = ['qq/10001000', 'loopback/loopback']\n";
    let server = server_with(&(LOOPBACK.to_owned() + BOT + accounts));
    let peer = implementation(&server, willing()).await;
    eventually("both accounts are known", || {
        (bot_of(&server, "koishi")["accounts"].as_array().unwrap().len() == 2).then_some(())
    });
    let mut bot = Satori::connect(&server, "koishi").await;
    assert_eq!(bot.ready["logins"].as_array().unwrap().len(), 2);
    let loopback = Caller::new(&server, "koishi", "loopback", "loopback");
    let mut last = 0;
    for id in 1..=3 {
        peer.push(&said(id, &format!("qq {id}")));
        let told = bot.event().await;
        assert_eq!(
            (&told["login"]["platform"], &told["message"]["content"]),
            (&json!("qq"), &json!(format!("qq {id}")))
        );
        loopback.call("message.create", &json!({"channel_id": "5", "content": "x"}));
        let echo = bot.event().await;
        assert_eq!(
            (&echo["login"]["platform"], &echo["user"]["id"]),
            (&json!("loopback"), &json!("echo"))
        );
        let sns = [told["sn"].as_u64().unwrap(), echo["sn"].as_u64().unwrap()];
        assert!(last < sns[0] && sns[0] < sns[1], "{last} {sns:?}");
        last = sns[1];
    }
    bot.until_delivered(&server, "koishi", 6).await;
    assert_eq!(bot_of(&server, "koishi")["delivered"], 6);
    let nameless = caller(&server).with_headers(&[("authorization", "Bearer secret")]);
    assert_eq!(nameless.try_call("login.get", &json!({})).0, 400);
    let older = caller(&server).with_headers(&[
        ("authorization", "Bearer secret"),
        ("x-platform", "loopback"),
        ("x-self-id", "loopback"),
    ]);
    assert_eq!(older.call("login.get", &json!({}))["platform"], "loopback");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_sends_names_its_account_where_the_bot_has_several() {
    let server = server_with(BOT);
    let peer = implementation(&server, willing()).await;
    until_accounts(&server, "koishi", &["qq/10001000"]);
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let _other = Peer::dial(&url, &headers("2", "Universal"), willing()).await.unwrap();
    until_accounts(&server, "koishi", &["qq/10001000", "qq/2"]);
    peer.drop_connection();
    peer.ended().await;
    eventually("the account has left", || {
        let (_, all) = server.get("/api/platforms");
        let mut platforms = all["platforms"].as_array().unwrap().iter();
        platforms.any(|one| one["account"] == ID && one["state"] == "Disconnected").then_some(())
    });
    let nameless = caller(&server).with_headers(&[("authorization", "Bearer secret")]);
    assert_eq!(nameless.call("login.get", &json!({}))["user"]["id"], "2", "it changes nothing");
    let params = json!({"channel_id": "77", "content": "x"});
    let (status, _) = nameless.try_call("message.create", &params);
    assert_eq!(status, 400, "it would go by the other account");
    assert_eq!(nameless.ask("POST", "internal/send_group_msg", b"{}", "application/json").0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_about_messages() {
    let server = server_with(&(LOOPBACK.to_owned() + BOT));
    until_accounts(&server, "koishi", &["loopback/loopback"]);
    let mut bot = Satori::connect(&server, "koishi").await;
    let caller = Caller::new(&server, "koishi", "loopback", "loopback");
    let create =
        json!({"channel_id": "lobby", "content": "<message>one</message><message>two</message>"});
    let made = caller.call("message.create", &create);
    let ids: Vec<_> =
        made.as_array().unwrap().iter().map(|message| message["id"].clone()).collect();
    assert_eq!(ids.len(), 2);
    let echo = bot.event().await;
    let content = echo["message"]["content"].as_str().unwrap();
    let quoted = content.strip_prefix("<quote id=\"").unwrap().split('"').next().unwrap();
    assert_eq!(content, format!("<quote id=\"{quoted}\">one</quote>one"));
    // It may have come before the outcome of its original was known, and with that the ID.
    let original = json!({"channel_id": "lobby", "message_id": quoted});
    assert_eq!(caller.call("message.get", &original)["id"], ids[0]);
    let one = json!({"channel_id": "lobby", "message_id": ids[0]});
    let got = caller.call("message.get", &one);
    assert_eq!((&got["content"], &got["channel"]["id"]), (&json!("one"), &json!("lobby")));
    assert_eq!(got["user"]["id"], "loopback");
    let with = |more: Value| {
        let mut all = one.clone();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    caller.call("message.update", &with(json!({"content": "other"})));
    assert_eq!(caller.call("message.get", &one)["content"], "other");
    caller.call("reaction.create", &with(json!({"emoji_id": "👍"})));
    let people = caller.call("reaction.list", &with(json!({"emoji_id": "👍"})));
    assert_eq!(people["data"], json!([{"id": "loopback"}]));
    assert_eq!(
        caller.try_call("reaction.delete", &with(json!({"emoji_id": "👍", "user_id": "9"}))).0,
        403
    );
    caller.call("reaction.clear", &one);
    let people = caller.call("reaction.list", &with(json!({"emoji_id": "👍"})));
    assert_eq!(people["data"], json!([]));
    caller.call("message.delete", &one);
    let recalled = bot.event_of("message-deleted").await;
    assert_eq!(recalled["message"]["id"], ids[0]);
    let page = caller.call("message.list", &json!({"channel_id": "lobby", "limit": 3}));
    let contents = |page: &Value| -> Vec<String> {
        page["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| m["content"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(contents(&page).len(), 3, "{page}");
    let rest = caller.call(
        "message.list",
        &json!({"channel_id": "lobby", "next": page["next"], "order": "desc"}),
    );
    assert_eq!((contents(&rest), &rest["next"]), (vec!["other".to_owned()], &json!(null)));
    assert_eq!(caller.try_call("message.get", &with(json!({"message_id": "nope"}))).0, 404);
    for (content, part) in [("", "nothing"), ("<img src=\"file:///etc/passwd\"/>", "not read")] {
        let (status, answer) =
            caller.try_call("message.create", &json!({"channel_id": "1", "content": content}));
        assert_eq!(status, 400);
        assert!(answer.to_string().contains(part), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_read_in_both_directions() {
    let server = server_with(&format!("[[adapter]]\nkind = 'loopback'\n{BOT}"));
    until_accounts(&server, "koishi", &["loopback/loopback"]);
    let caller = Caller::new(&server, "koishi", "loopback", "loopback");
    let mut ids = Vec::new();
    for number in 1..=5 {
        let create = json!({"channel_id": "quiet", "content": format!("m{number}")});
        ids.push(caller.call("message.create", &create)[0]["id"].clone());
    }
    let list = |more: Value| {
        let mut all = json!({"channel_id": "quiet", "limit": 2});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let page = caller.call("message.list", &all);
        let data = page["data"].as_array().unwrap().iter();
        let texts: Vec<_> = data.map(|one| one["content"].as_str().unwrap().to_owned()).collect();
        (texts.join(" "), page["prev"].clone(), page["next"].clone())
    };
    let (texts, prev, next) = list(json!({"next": ids[4]}));
    assert!(texts == "m3 m4" && prev == next && next.is_string(), "{texts} {prev} {next}");
    let none = json!(null);
    let (texts, prev, next) = list(json!({"next": next, "order": "desc"}));
    assert_eq!((&*texts, &prev, &next), ("m2 m1", &none, &none));
    let (texts, prev, next) = list(json!({"next": ids[0], "direction": "after"}));
    assert!(texts == "m2 m3" && prev == next && next.is_string(), "{texts} {prev} {next}");
    let (texts, prev, next) = list(json!({"next": next, "direction": "after"}));
    assert_eq!((&*texts, &prev, &next), ("m4 m5", &none, &none));
    let (texts, prev, next) = list(json!({"limit": 3, "next": ids[2], "direction": "around"}));
    assert!(texts == "m2 m3 m4" && prev != next, "{texts} {prev} {next}");
    assert_eq!(list(json!({"next": prev})).0, "m1");
    assert_eq!(list(json!({"next": next, "direction": "after"})).0, "m5");
    let (texts, prev, next) = list(json!({"limit": 9, "next": ids[2], "direction": "around"}));
    assert_eq!((&*texts, &prev, &next), ("m1 m2 m3 m4 m5", &none, &none));
    for wrong in [
        json!({"channel_id": "quiet", "direction": "after"}),
        json!({"channel_id": "quiet", "direction": "around"}),
        json!({"channel_id": "quiet", "direction": "sideways"}),
        json!({"channel_id": "quiet", "next": "no-such-message"}),
        json!({"channel_id": "other", "next": ids[0]}),
    ] {
        assert_eq!(caller.try_call("message.list", &wrong).0, 400, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_names_no_account_has_none_of_loopback_beside_another_platform() {
    let mut server = server_with(&(LOOPBACK.to_owned() + BOT));
    let peer = implementation(&server, willing()).await;
    eventually("QQ is known", || {
        (bot_of(&server, "koishi")["accounts"].to_string().contains("qq")).then_some(())
    });
    peer.push(&said(1, "hi"));
    until_inbound(&server, 1);
    server.kill();
    // It was seen once, so that it counts also before it is back.
    server.start_again();
    let _peer = implementation(&server, willing()).await;
    until_accounts(&server, "koishi", &["qq/10001000"]);
    let bot = Satori::connect(&server, "koishi").await;
    let loopback = json!({"platform": "loopback", "recipient": "group_5", "content": "x",
        "message_type": "Text"});
    assert_eq!(server.post(&loopback).0, 201);
    until_inbound(&server, 2);
    let accounts = json!([{"platform": "qq", "account": ID, "self_id": ACCOUNT}]);
    assert_eq!(bot_of(&server, "koishi")["accounts"], accounts);
    assert_eq!(bot.ready["logins"].as_array().unwrap().len(), 1, "{}", bot.ready);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_about_people_are_answered_by_the_implementation() {
    let server = server_with(BOT);
    let peer = implementation(&server, knowing()).await;
    until_accounts(&server, "koishi", &["qq/10001000"]);
    let caller = caller(&server);
    let guild = json!({"id": "77", "name": "G"});
    let five = json!({"id": "5", "name": "Five"});
    assert_eq!(caller.call("guild.list", &json!({})), json!({"data": [guild]}));
    assert_eq!(caller.call("guild.get", &json!({"guild_id": "77"}))["name"], "Asked 77");
    let channel = caller.call("channel.get", &json!({"channel_id": "private:5"}));
    assert_eq!(channel, json!({"id": "private:5", "type": 1}));
    assert_eq!(caller.call("user.channel.create", &json!({"user_id": "5"})), channel);
    assert_eq!(caller.call("channel.list", &json!({"guild_id": "77"}))["data"][0]["id"], "77");
    assert_eq!(caller.call("user.get", &json!({"user_id": "5"})), five);
    let friends = caller.call("friend.list", &json!({}));
    assert_eq!(friends["data"], json!([{"user": five, "nick": "Fiver"}]));
    let member = caller.call("guild.member.get", &json!({"guild_id": "77", "user_id": "5"}));
    assert_eq!((&member["user"], &member["nick"]), (&five, &json!("V")));
    assert_eq!(member["joined_at"], 1_700_000_000_000_u64);
    assert_eq!(caller.call("guild.member.list", &json!({"guild_id": "77"}))["data"][0], member);
    caller
        .call("guild.member.mute", &json!({"guild_id": "77", "user_id": "5", "duration": 60_000}));
    assert_eq!(peer.action("set_group_ban").await["params"]["duration"], 60);
    let roles = caller.call("guild.role.list", &json!({"guild_id": "77"}));
    assert!(roles["data"].as_array().unwrap().contains(&member["roles"][0]), "{roles}");
    let role = json!({"guild_id": "77", "user_id": "5", "role_id": "admin"});
    caller.call("guild.member.role.set", &role);
    let given = peer.action("set_group_admin").await["params"].clone();
    assert_eq!(given, json!({"group_id": 77, "user_id": 5, "enable": true}));
    let role = json!({"guild_id": "77", "user_id": "5", "role_id": "owner"});
    assert_eq!(caller.try_call("guild.member.role.set", &role).0, 400);
    let login = caller.call("login.get", &json!({}));
    assert_eq!((&login["user"]["name"], &login["status"]), (&json!("Me"), &json!(1)));
    let features = login["features"].as_array().unwrap();
    for feature in ["message.create", "guild.member.mute", "message.list.from"] {
        assert!(features.contains(&json!(feature)), "{login}");
    }
    // Other actions of the implementation, by their own names.
    let groups = caller.call("internal/get_group_list", &json!({}));
    assert_eq!((&groups["retcode"], &groups["data"][0]["group_id"]), (&json!(0), &json!(77)));
    assert_eq!(
        caller.call("internal/_api/get_stranger_info", &json!([{"user_id": 5}]))["nickname"],
        "Five"
    );
    let path = format!("internal/qq/{ID}/_api/get_login_info");
    assert_eq!(caller.call(&path, &json!([]))["nickname"], "Me");
    let (status, answer) = caller.try_call("internal/_api/no_data", &json!([]));
    assert_eq!(status, 502);
    assert!(answer.to_string().contains("it did not work"), "{answer}");
    // A message that is sent so goes the way of all messages.
    caller.call("internal/send_group_msg", &json!({"group_id": 77, "message": "by its own name"}));
    let (_, page) = server.get("/api/messages?direction=Outbound");
    assert_eq!(page["messages"][0]["via"], "koishi");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_recall_came_first_is_not_told_where_it_is_hidden() {
    let server = server_with(&format!("recalled = \"hide\"\n{BOT}"));
    let peer = implementation(&server, knowing()).await;
    until_accounts(&server, "koishi", &["qq/10001000"]);
    let mut bot = Satori::connect(&server, "koishi").await;
    peer.push(&taken_back(1));
    peer.push(&said(1, "taken back"));
    peer.push(&said(2, "stays"));
    let told = bot.event_of("message-created").await;
    assert_eq!(told["message"]["content"], "stays", "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_and_echoes_of_what_was_taken_back_are_not_told_where_it_is_hidden() {
    let server = server_with(&format!("recalled = \"hide\"\n{BOT}"));
    let peer = implementation(&server, willing()).await;
    until_accounts(&server, "koishi", &["qq/10001000"]);
    drop(Satori::connect(&server, "koishi").await);
    tell_and_take_back(&server, &peer);
    let mut bot = Satori::connect(&server, "koishi").await;
    let mut recalled = 0;
    loop {
        let told = bot.event().await;
        assert!(!told.to_string().contains("secret"), "{told}");
        recalled += usize::from(told["type"] == "message-deleted");
        if told["message"]["content"] == "stays" {
            break;
        }
    }
    assert!(recalled >= 2, "the recalls themselves are told");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_login_for_trying_out_is_removed_once_there_is_another_platform() {
    let server = server_with(&(LOOPBACK.to_owned() + BOT));
    until_accounts(&server, "koishi", &["loopback/loopback"]);
    let mut bot = Satori::connect(&server, "koishi").await;
    assert_eq!(bot.ready["logins"][0]["platform"], "loopback");
    let peer = implementation(&server, willing()).await;
    let removed = bot.event_of("login-removed").await;
    assert_eq!(removed["login"]["platform"], "loopback", "{removed}");
    until_accounts(&server, "koishi", &["qq/10001000"]);
    let loopback = json!({"platform": "loopback", "recipient": "group_5", "content": "x",
        "message_type": "Text"});
    assert_eq!(server.post(&loopback).0, 201);
    until_inbound(&server, 1);
    peer.push(&said(1, "hi"));
    assert_eq!(bot.texts(1).await, ["hi"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recall_that_came_first_is_told_behind_its_message() {
    let server = server_with(BOT);
    let peer = implementation(&server, knowing()).await;
    until_accounts(&server, "koishi", &["qq/10001000"]);
    let mut bot = Satori::connect(&server, "koishi").await;
    peer.push(&taken_back(1));
    peer.push(&said(1, "taken back"));
    assert_eq!(bot.event_of("message-created").await["message"]["id"], "1");
    let recalled = bot.event().await;
    assert_eq!(
        (&recalled["type"], &recalled["message"]["id"], &recalled["operator"]["id"]),
        (&json!("message-deleted"), &json!("1"), &json!("4242"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn recalls_own_messages_and_notices_are_told() {
    let server = server_with(BOT);
    let peer = implementation(&server, knowing()).await;
    until_accounts(&server, "koishi", &["qq/10001000"]);
    let mut bot = Satori::connect(&server, "koishi").await;
    peer.push(&private_message(ACCOUNT, 5, 1, "hi"));
    let told = bot.event().await;
    assert_eq!(told["channel"], json!({"id": "private:5", "type": 1, "name": "Nick"}), "{told}");
    assert_eq!((&told["guild"], &told["member"]), (&json!(null), &json!(null)));
    peer.push(&json!({
        "time": 1_700_000_001, "self_id": ACCOUNT, "post_type": "notice",
        "notice_type": "friend_recall", "user_id": 5, "message_id": 1,
    }));
    let recalled = bot.event().await;
    assert_eq!(
        (&recalled["type"], &recalled["message"]["id"]),
        (&json!("message-deleted"), &json!("1"))
    );
    peer.push(&own_message(ACCOUNT, 77, 2, "by hand"));
    let own = bot.event().await;
    assert_eq!((&own["type"], &own["user"]["id"]), (&json!("message-created"), &json!(ID)));
    peer.push(&json!({
        "time": 1_700_000_002, "self_id": ACCOUNT, "post_type": "notice",
        "notice_type": "group_increase", "sub_type": "approve", "group_id": 77, "user_id": 6,
        "operator_id": 7,
    }));
    let joined = bot.event().await;
    assert_eq!(
        (&joined["type"], &joined["guild"]["id"]),
        (&json!("guild-member-added"), &json!("77"))
    );
    assert_eq!((&joined["user"]["id"], &joined["operator"]["id"]), (&json!("6"), &json!("7")));
    let typing = json!({
        "time": 1_700_000_003, "self_id": ACCOUNT, "post_type": "notice", "notice_type": "notify",
        "sub_type": "input_status", "user_id": 5,
    });
    peer.push(&typing);
    let internal = bot.event().await;
    assert_eq!((&internal["type"], &internal["_data"]), (&json!("internal"), &typing));
    peer.push(&json!({
        "time": 1_700_000_004, "self_id": ACCOUNT, "post_type": "request", "request_type": "friend",
        "user_id": 8, "comment": "it's me", "flag": "f1",
    }));
    let request = bot.event().await;
    assert_eq!((&request["type"], &request["user"]["id"]), (&json!("friend-request"), &json!("8")));
    let approve = json!({"message_id": request["message"]["id"], "approve": true});
    let (status, _) = caller(&server).try_call("friend.approve", &approve);
    assert_eq!(status, 404, "this implementation does not know how");
    assert_eq!(peer.action("set_friend_add_request").await["params"]["flag"], "f1");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_uploaded_and_fetched_by_a_signed_link() {
    let server = server_with(&(LOOPBACK.to_owned() + BOT));
    until_accounts(&server, "koishi", &["loopback/loopback"]);
    let mut bot = Satori::connect(&server, "koishi").await;
    let caller = Caller::new(&server, "koishi", "loopback", "loopback");
    let form = "--b\r\nContent-Disposition: form-data; name=\"one\"; filename=\"a b.txt\"\r\n\
                Content-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Disposition: form-data; \
                name=\"two\"\r\nContent-Type: image/gif\r\n\r\nother\r\n--b--\r\n";
    let media_type = "multipart/form-data; boundary=b";
    let (status, links) = caller.ask("POST", "upload.create", form.as_bytes(), media_type);
    assert_eq!(status, 200, "{links}");
    let one = links["one"].as_str().unwrap();
    assert!(one.starts_with("internal:loopback/loopback/") && links["two"].is_string(), "{links}");
    let field = |(name, text): (&str, &str)| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    let form = [("file", "1"), ("file2", "2"), ("file", "3")].map(field).concat() + "--b--\r\n";
    let (_, links) = caller.ask("POST", "upload.create", form.as_bytes(), media_type);
    let links: std::collections::BTreeSet<_> =
        ["file", "file1", "file2"].iter().map(|name| links[*name].as_str().unwrap()).collect();
    assert_eq!(links.len(), 3, "each has a link of its own: {links:?}");
    let content = format!("<file src=\"{one}\"/>");
    caller.call("message.create", &json!({"channel_id": "lobby", "content": content}));
    let (_, page) = server.get("/api/messages?direction=Outbound");
    assert_eq!(page["messages"][0]["segments"][0]["name"], "a b.txt");
    let told = bot.event().await["message"]["content"].as_str().unwrap().to_owned();
    let src = told.rsplit_once("src=\"").unwrap().1.split('"').next().unwrap();
    // Frameworks fetch it without a token.
    for path in [format!("proxy/{src}"), src.replacen("internal:", "internal/", 1)] {
        let url = server.url(&format!("/bots/koishi/satori/v1/{path}"));
        let text = tokio::task::block_in_place(|| {
            agent().get(url).call().unwrap().body_mut().read_to_string().unwrap()
        });
        assert_eq!(text, "hello");
    }
    let (signed, name) = src.rsplit_once('/').unwrap();
    let other = if signed.ends_with('0') { '1' } else { '0' };
    let forged = format!("{}{other}/{name}", &signed[..signed.len() - 1]);
    // A file's SHA-256 alone sends it nowhere.
    let create = json!({"channel_id": "lobby", "content": format!("<file src=\"{forged}\"/>")});
    let (status, refused) = caller.try_call("message.create", &create);
    assert_eq!(status, 400, "{refused}");
    assert!(refused.to_string().contains("a link that this server gave"), "{refused}");
    let create = json!({"channel_id": "lobby", "content": format!("<file src=\"{src}\"/>")});
    caller.call("message.create", &create);
    let url = server.url(&format!("/bots/koishi/satori/v1/proxy/{forged}"));
    let status = tokio::task::block_in_place(|| agent().get(url).call().unwrap().status().as_u16());
    assert_eq!(status, 403);
    assert_eq!(caller.ask("GET", "proxy/http://127.0.0.1/", b"", "text/plain").0, 403);
    let (status, _) = caller.ask("POST", "upload.create", b"{}", "application/json");
    assert_eq!(status, 415);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_wrong_get_the_status_of_the_standard() {
    let server = server_with(BOT);
    assert_eq!(caller(&server).try_call("login.get", &json!({})).0, 503, "no account yet");
    let _peer = implementation(&server, willing()).await;
    until_accounts(&server, "koishi", &["qq/10001000"]);
    let known = caller(&server);
    assert_eq!(known.try_call("message.explode", &json!({})).0, 404);
    assert_eq!(known.try_call("guild.role.create", &json!({})).0, 404);
    assert_eq!(known.ask("GET", "message.get", b"", "application/json").0, 405);
    assert_eq!(known.try_call("message.get", &json!({"channel_id": "1"})).0, 400);
    for body in ["[]", "5", "{", "\"x\"", "{\"a\":"] {
        let (status, answer) =
            known.ask("POST", "message.get", body.as_bytes(), "application/json");
        assert_eq!(status, 400, "{body}: {answer}");
    }
    assert_eq!(known.ask("POST", "login.get", b"", "application/json").0, 200, "no parameters");
    assert_eq!(known.call("meta", &json!({}))["logins"][0]["platform"], "qq");
    assert_eq!(server.get("/bots/koishi/satori/v1/login.get").0, 401);
    let wrong = caller(&server).with_headers(&[("authorization", "Bearer wrong")]);
    assert_eq!(wrong.try_call("login.get", &json!({})).0, 401);
    let stranger = Caller::new(&server, "koishi", "qq", "5");
    assert_eq!(stranger.try_call("login.get", &json!({})).0, 403);
    assert_eq!(known.ask("GET", "events", b"", "application/json").0, 426);
    assert_eq!(known.ask("POST", "../../onebot/v11/get_status", b"", "application/json").0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_the_token_is_closed_and_told_nothing() {
    let server = server_with(BOT);
    let peer = implementation(&server, willing()).await;
    until_accounts(&server, "koishi", &["qq/10001000"]);
    for (first, code) in [
        (r#"{"op":3,"body":{"token":"wrong"}}"#, 3000),
        (r#"{"op":3,"body":{"token":"bad\u0000one"}}"#, 3000),
        (r#"{"op":3}"#, 3000),
        ("hello", 4000),
        (r#"{"op":"x"}"#, 4000),
        ("[1,2]", 4000),
        (r#"{"op":3,"body":{"token":{}}}"#, 4000),
    ] {
        let mut stream = open(&server.address, "koishi").await;
        stream.send(Message::text(first)).await.unwrap();
        assert_eq!(ended(&mut stream).await.map(|(code, _)| code), Some(code), "{first}");
    }
    let mut stream = open(&server.address, "koishi").await;
    // The other side may end before all of it was written.
    let _ = stream.send(Message::text("x".repeat(1 << 20))).await;
    assert_ne!(ended(&mut stream).await.map(|(code, _)| code), Some(1000));
    let mut silent = open(&server.address, "koishi").await;
    silent.send(Message::text(r#"{"op":1}"#)).await.unwrap();
    peer.push(&said(1, "for others"));
    let (code, _) = ended(&mut silent).await.unwrap();
    assert_eq!(code, 4000, "it never said who it is");
    assert!(server.log().contains("a program that connects was refused"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_make_no_sense_change_nothing_later() {
    let server = server_with(BOT);
    let peer = implementation(&server, willing()).await;
    until_accounts(&server, "koishi", &["qq/10001000"]);
    let mut stream = open(&server.address, "koishi").await;
    let identify = r#"{"op":3,"body":{"token":"secret"}}"#;
    for frame in
        [identify, "nonsense", r#"{"op":99}"#, r#"{"op":0,"body":{}}"#, identify, r#"{"op":1}"#]
    {
        stream.send(Message::text(frame)).await.unwrap();
    }
    stream.send(Message::binary(vec![0, 159, 146, 150])).await.unwrap();
    peer.push(&said(1, "still here"));
    let mut ops = Vec::new();
    while !(ops.contains(&0) && ops.contains(&2)) {
        if let Message::Text(text) = in_time("a frame", stream.next()).await.unwrap().unwrap() {
            ops.push(serde_json::from_str::<Value>(&text).unwrap()["op"].as_u64().unwrap());
        }
    }
    assert_eq!(ops.iter().filter(|op| **op == 4).count(), 1, "{ops:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_connection_is_told_and_filters_hold() {
    let server = server_with(&format!("{BOT}prefixes = ['/']\n"));
    let peer = implementation(&server, willing()).await;
    until_accounts(&server, "koishi", &["qq/10001000"]);
    let first = Satori::connect(&server, "koishi").await;
    let mut second = Satori::connect(&server, "koishi").await;
    first.ended().await;
    peer.push(&said(1, "chat"));
    peer.push(&said(2, "/cmd"));
    assert_eq!(second.texts(1).await, ["/cmd"]);
    server.home.configure(&format!("{BOT}prefixes = ['!']\n"));
    server.signal(Signal::HUP);
    eventually("read again", || server.log().contains("was read again").then_some(()));
    peer.push(&said(3, "/cmd"));
    peer.push(&said(4, "!now"));
    assert_eq!(second.texts(1).await, ["!now"]);
    // Another token ends what the old one opened.
    server.home.configure(&BOT.replace("secret", "other"));
    server.signal(Signal::HUP);
    second.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_does_not_go_out_says_so() {
    let server = server_with(BOT);
    let script: Script = Arc::new(|action| match action["action"].as_str().unwrap() {
        "send_group_msg" => Reply::refused(1400, "not allowed here"),
        _ => Reply::ok(json!({"user_id": ACCOUNT, "nickname": "Me"})),
    });
    let _peer = implementation(&server, script).await;
    until_accounts(&server, "koishi", &["qq/10001000"]);
    let create = json!({"channel_id": "77", "content": "x"});
    let (status, answer) = caller(&server).try_call("message.create", &create);
    assert_eq!(status, 502);
    assert!(answer.to_string().contains("not allowed here"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_contents_are_answered_and_the_server_goes_on() {
    let server = server_with(&(LOOPBACK.to_owned() + BOT));
    until_accounts(&server, "koishi", &["loopback/loopback"]);
    let caller = Caller::new(&server, "koishi", "loopback", "loopback");
    for content in [
        "<b>".repeat(10_000) + "x" + &"</b>".repeat(10_000),
        "<message forward>".repeat(10_000) + "x" + &"</message>".repeat(10_000),
        "<quote id=\"1\">".repeat(10_000) + &"</quote>".repeat(10_000) + "x",
        "<".repeat(1 << 20),
        "<a ".repeat(300_000),
        "</a>".repeat(300_000),
        "&#x110000;&#0;&amp;amp;".repeat(10_000),
        "<at id=\"1\"/>".repeat(20_000),
        "<b>x</b>".repeat(500_000),
    ] {
        let create = json!({"channel_id": "lobby", "content": content});
        let (status, answer) = caller.try_call("message.create", &create);
        let start: String = content.chars().take(30).collect();
        assert!(matches!(status, 200 | 400), "{start}: {status} {answer}");
    }
    let many = format!("{{\"channel_id\": \"lobby\", \"content\": [{}0]}}", "0,".repeat(5_000_000));
    assert_eq!(caller.ask("POST", "message.create", many.as_bytes(), "application/json").0, 400);
    let large = vec![b' '; (16 << 20) + 1];
    assert_eq!(caller.ask("POST", "message.create", &large, "application/json").0, 413);
    caller.call("message.create", &json!({"channel_id": "lobby", "content": "still here"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_reaches_no_other_account_and_strangers_reach_no_bot() {
    let configuration = "[[bot]]\nname = 'koishi'\nkind = 'satori'\n\
        [[tokens]]\nname = 'implementation'\nscope = 'adapter'\ntoken = 'an-adapters-own-token'\n\
        [[tokens]]\nname = 'full'\nscope = 'admin'\ntoken = 'an-admins-own-token-1234'\n";
    let server = server_with(configuration);
    let ask = |token: &str| {
        let url = server.url("/bots/koishi/satori/v1/login.get");
        let answer =
            agent().post(url).header("authorization", format!("Bearer {token}")).send("{}");
        answer.unwrap().status().as_u16()
    };
    assert_eq!(ask("an-adapters-own-token"), 403, "it is for implementations");
    assert_ne!(ask("an-admins-own-token-1234"), 403);
    // Without any token, a page that has its name lead here may not ask.
    let open = server_with("[[bot]]\nname = 'koishi'\nkind = 'satori'\n");
    let url = open.url("/bots/koishi/satori/v1/login.get");
    let answer = agent().post(url).header("host", "evil.example").send("{}").unwrap();
    assert_eq!(answer.status().as_u16(), 421);
}
