//! Bot frameworks with OneBot 11: events, actions, and missed events.

use crate::account::{
    ACCOUNT, LOOPBACK, bot_of, implementation, said, server_with, taken_back, tell_and_take_back,
    until_accounts, until_inbound,
};
use crate::framework::{Bot, Framework};
use crate::onebot::{Peer, Reply, Script};
use crate::onebot11::{group_message, headers, own_message, recall, willing, willing_but};
use crate::server::{agent, eventually};
use crate::terminal::Terminal;
use rustix::process::Signal;
use serde_json::json;
use std::sync::Arc;

fn entry(name: &str, framework: &Framework, more: &str) -> String {
    format!(
        "[[bot]]\nname = \"{name}\"\nkind = \"onebot11\"\nurl = \"{}\"\n{more}\n",
        framework.url()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_is_told_events_as_they_came_and_its_messages_go_out_as_it_made_them() {
    let framework = Framework::new().await;
    let server = server_with(&entry("nonebot", &framework, "token = 'secret'"));
    let groups = json!([{"group_id": 12_345_678_901_234_567_890_u64, "group_name": "G"}]);
    let peer =
        implementation(&server, willing_but("get_group_list", Reply::ok(groups.clone()))).await;
    let mut bot = framework.accept().await;
    assert_eq!(bot.header("x-self-id"), Some("10001000"));
    assert_eq!(bot.header("x-client-role"), Some("Universal"));
    assert_eq!(bot.header("authorization"), Some("Bearer secret"));
    assert_eq!(bot.meta().await["sub_type"], "connect");
    let mut event = said(9_223_372_036_854_775_807, "/echo hi");
    event["made_up"] = json!({"n": 18_446_744_073_709_551_615_u64, "f": 1.5});
    peer.push(&event);
    assert_eq!(bot.event_text().await, event.to_string());
    let notice = json!({
        "time": 1_700_000_000, "self_id": ACCOUNT, "post_type": "notice", "notice_type": "notify",
        "sub_type": "input_status", "user_id": 5, "event_type": 1,
    });
    peer.push(&notice);
    assert_eq!(bot.event_text().await, notice.to_string());
    let message = json!([
        {"type": "reply", "data": {"id": "9223372036854775807"}},
        {"type": "image", "data": {"file": "base64://aGk=", "type": null, "cache": "true"}},
        {"type": "text", "data": {"text": "pic"}},
    ]);
    let answer = bot
        .ask("send_msg", json!({"message_type": "group", "group_id": 77, "message": message}))
        .await;
    assert_eq!((&answer["status"], &answer["retcode"]), (&json!("ok"), &json!(0)), "{answer}");
    let sent = peer.action("send_group_msg").await;
    assert_eq!((&sent["params"]["message"], &sent["params"]["group_id"]), (&message, &json!(77)));
    let (_, page) = server.get("/api/messages?direction=Outbound");
    let stored = &page["messages"][0];
    assert_eq!((&stored["via"], &stored["status"]), (&json!("nonebot"), &json!("Sent")));
    assert_eq!(stored["content"], "[image]pic");
    assert_eq!(stored["reply_to"]["content"], "/echo hi");
    let id = answer["data"]["message_id"].clone();
    // All other actions go to the implementation.
    let answer = bot.ask("get_group_list", json!({})).await;
    assert_eq!(answer["data"], groups);
    let answer = bot.ask("no_such_action", json!({"x": 1})).await;
    assert_eq!((&answer["retcode"], &answer["message"]), (&json!(1404), &json!("no such action")));
    let answer = bot.ask("delete_msg", json!({"message_id": id})).await;
    assert_eq!(answer["retcode"], 1500, "the implementation knows no recall: {answer}");
    let answer = bot.ask("send_group_msg", json!({"message": "x"})).await;
    assert_eq!(answer["retcode"], 1400, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_are_carried_out_at_once_and_a_refusal_is_told() {
    let framework = Framework::new().await;
    let server = server_with(&entry("bot", &framework, ""));
    let script: Script = Arc::new(|action| match action["action"].as_str().unwrap() {
        "slow" => Reply::Silent,
        "send_private_msg" => Reply::refused(1400, "not a friend"),
        _ => Reply::ok(json!({"user_id": ACCOUNT, "nickname": "Me"})),
    });
    let _peer = implementation(&server, script).await;
    let mut bot = framework.accept().await;
    bot.call("slow", &json!({}), &json!("never")).await;
    assert_eq!(bot.ask("get_login_info", json!({})).await["data"]["nickname"], "Me");
    let answer = bot.ask("send_private_msg", json!({"user_id": 5, "message": "x"})).await;
    assert_eq!(answer["status"], "failed");
    assert!(answer["wording"].as_str().unwrap().contains("not a friend"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_bot_missed_comes_first_in_order_and_what_it_read_does_not_come_again() {
    let framework = Framework::new().await;
    let mut server = server_with(&entry("bot", &framework, ""));
    let peer = implementation(&server, willing()).await;
    let mut bot = framework.accept().await;
    peer.push(&said(1, "read"));
    assert_eq!(bot.texts(1).await, ["read"]);
    bot.until_delivered(&server, "bot", 1).await;
    drop(bot);
    for id in 2..=6 {
        peer.push(&said(id, &format!("missed {id}")));
    }
    until_inbound(&server, 6);
    let mut bot = framework.accept().await;
    let missed: Vec<_> = (2..=6).map(|id| format!("missed {id}")).collect();
    assert_eq!(bot.texts(5).await, missed);
    peer.push(&said(7, "live"));
    assert_eq!(bot.texts(1).await, ["live"]);
    bot.until_delivered(&server, "bot", 7).await;
    drop(bot);
    peer.push(&said(8, "before the kill"));
    until_inbound(&server, 8);
    server.kill();
    server.start_again();
    // The implementation is not connected yet, and the bot gets the events that it missed.
    let mut bot = framework.accept().await;
    assert_eq!(bot.texts(1).await, ["before the kill"]);
    let peer = implementation(&server, willing()).await;
    peer.push(&said(9, "after it"));
    assert_eq!(bot.texts(1).await, ["after it"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_old_is_not_told_and_a_new_bot_begins_now() {
    let framework = Framework::new().await;
    let server = server_with("");
    let peer = implementation(&server, willing()).await;
    peer.push(&said(1, "before there was a bot"));
    until_inbound(&server, 1);
    let nothing = entry("bot", &framework, "catch_up_seconds = 0");
    server.home.configure(&nothing);
    server.signal(Signal::HUP);
    let mut bot = framework.accept().await;
    server.tells("bots=added bot\n");
    peer.push(&said(2, "first"));
    assert_eq!(bot.texts(1).await, ["first"]);
    bot.until_delivered(&server, "bot", 1).await;
    drop(bot);
    peer.push(&said(3, "missed"));
    until_inbound(&server, 3);
    let mut bot = framework.accept().await;
    bot.meta().await;
    peer.push(&said(4, "live"));
    assert_eq!(bot.texts(1).await, ["live"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_change_without_a_break() {
    let framework = Framework::new().await;
    let server = server_with(&entry("bot", &framework, "prefixes = ['/']"));
    let peer = implementation(&server, willing()).await;
    let mut bot = framework.accept().await;
    peer.push(&said(1, "chat"));
    let mut mention = said(2, "hi");
    mention["message"] = json!([
        {"type": "at", "data": {"qq": "10001000"}}, {"type": "text", "data": {"text": " hi"}},
    ]);
    peer.push(&mention);
    peer.push(&said(3, "/cmd"));
    let (first, second) = (bot.event().await, bot.event().await);
    assert_eq!((&first["message_id"], &second["message_id"]), (&json!(2), &json!(3)));
    server.home.configure(&entry("bot", &framework, "prefixes = ['!']\nexclude = ['qq/group_78']"));
    server.signal(Signal::HUP);
    eventually("read again", || server.log().contains("was read again").then_some(()));
    peer.push(&said(4, "/cmd"));
    peer.push(&group_message(ACCOUNT, 78, 5, "!elsewhere"));
    peer.push(&said(6, "!now"));
    // By the same connection.
    assert_eq!(bot.texts(1).await, ["!now"]);
    server.tells("bots=changed bot\n");
    server.home.configure(&entry("other", &framework, ""));
    server.signal(Signal::HUP);
    server.tells("bots=added other; removed bot\n");
    server.signal(Signal::HUP);
    server.tells("bots=unchanged\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bot_that_does_not_read_holds_up_no_other() {
    let (slow, quick) = (Framework::new().await, Framework::new().await);
    let configuration = entry("slow", &slow, "") + &entry("quick", &quick, "");
    let server = server_with(&configuration);
    let peer = implementation(&server, willing()).await;
    let (mut asleep, mut awake) = (slow.accept().await, quick.accept().await);
    for id in 1..=1_000 {
        peer.push(&said(id, &format!("m{id}")));
    }
    let all: Vec<_> = (1..=1_000).map(|id| format!("m{id}")).collect();
    assert_eq!(awake.texts(1_000).await, all);
    eventually("some wait", || {
        (bot_of(&server, "slow")["waiting"].as_u64() > Some(0)).then_some(())
    });
    assert_eq!(asleep.texts(1_000).await, all);
    asleep.until_delivered(&server, "slow", 1_000).await;
    let told = bot_of(&server, "slow");
    assert_eq!((&told["state"], &told["waiting"]), (&json!("Connected"), &json!(0)), "{told}");
    let account = json!({"platform": "qq", "account": "10001000", "self_id": ACCOUNT});
    assert_eq!(told["accounts"], json!([account]));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_implementation_is_away_the_bot_stays_and_knows_who_it_is() {
    let framework = Framework::new().await;
    let server = server_with(&entry("bot", &framework, ""));
    let peer = implementation(&server, willing()).await;
    let mut bot = framework.accept().await;
    peer.push(&said(1, "hi"));
    assert_eq!(bot.texts(1).await, ["hi"]);
    peer.drop_connection();
    eventually("it is gone", || {
        server.get("/api/platforms").1.to_string().contains("Disconnected").then_some(())
    });
    let login = bot.ask("get_login_info", json!({})).await;
    assert_eq!(login["data"]["user_id"], ACCOUNT);
    assert_eq!(bot.ask("get_status", json!({})).await["data"]["online"], false);
    assert_eq!(bot.ask("get_msg", json!({"message_id": 1})).await["data"]["raw_message"], "hi");
    let groups = bot.ask("get_group_list", json!({})).await;
    assert_eq!(groups["data"][0]["group_name"], "Group 77");
    assert_eq!(bot.ask("set_group_ban", json!({})).await["retcode"], 1503);
    let peer = implementation(&server, willing()).await;
    peer.push(&said(2, "again"));
    assert_eq!(bot.texts(1).await, ["again"]);
    // The message waited for the implementation.
    let answer = bot.ask("send_group_msg", json!({"group_id": 77, "message": "late"})).await;
    assert_eq!(answer["status"], "ok", "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_write_by_the_account_and_doubles_are_told_once() {
    let framework = Framework::new().await;
    let server = server_with(&entry("bot", &framework, ""));
    let peer = implementation(&server, willing()).await;
    let mut bot = framework.accept().await;
    peer.push(&said(1, "once"));
    peer.push(&said(1, "once"));
    peer.push(&own_message(ACCOUNT, 77, 2, "by hand"));
    assert_eq!(bot.texts(2).await, ["once", "by hand"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn strings_with_codes_are_told_as_segments_and_what_is_missing_is_filled_in() {
    let framework = Framework::new().await;
    let server = server_with(&entry("bot", &framework, ""));
    let peer = implementation(&server, willing()).await;
    let mut bot = framework.accept().await;
    peer.push(&json!({
        "self_id": ACCOUNT, "post_type": "message", "message_type": "group", "group_id": 77,
        "user_id": "4242", "message_id": "5", "message": "[CQ:at,qq=7] hi", "message_format": "string",
    }));
    let event = bot.event().await;
    let segments = json!([
        {"type": "at", "data": {"qq": "7"}}, {"type": "text", "data": {"text": " hi"}},
    ]);
    assert_eq!((&event["message"], &event["message_format"]), (&segments, &json!("array")));
    assert_eq!((&event["user_id"], &event["message_id"]), (&json!(4242), &json!(5)));
    assert_eq!(event["raw_message"], "[CQ:at,qq=7] hi");
    for field in ["time", "sub_type", "font", "sender"] {
        assert!(!event[field].is_null(), "{field}: {event}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_platform_is_told_in_the_words_of_onebot() {
    let framework = Framework::new().await;
    let server = server_with(&(LOOPBACK.to_owned() + &entry("bot", &framework, "")));
    let mut bot = framework.accept().await;
    let message = json!([
        {"type": "text", "data": {"text": "look "}},
        {"type": "image", "data": {"file": "https://example.com/a.png"}},
    ]);
    let answer = bot.ask("send_group_msg", json!({"group_id": 5, "message": message})).await;
    assert_eq!(answer["status"], "ok", "{answer}");
    let event = bot.event().await;
    assert_eq!((&event["post_type"], &event["group_id"]), (&json!("message"), &json!(5)));
    let echo = event["user_id"].as_i64().unwrap();
    assert!(echo > 1 << 40 && echo < 1 << 53, "{event}");
    let reply = json!({"type": "reply", "data": {"id": answer["data"]["message_id"].to_string()}});
    assert_eq!(event["message"][0], reply);
    assert_eq!(event["message"][2]["data"]["url"], "https://example.com/a.png");
    // The numbers mean the same on the way back.
    let answer = bot.ask("send_private_msg", json!({"user_id": echo, "message": "hello"})).await;
    assert_eq!(answer["status"], "ok", "{answer}");
    let (_, page) = server.get("/api/messages?direction=Outbound&limit=1");
    assert_eq!(page["messages"][0]["recipient"], "private_echo");
    let id = &answer["data"]["message_id"];
    let read = bot.ask("get_msg", json!({"message_id": id})).await;
    assert_eq!(read["data"]["raw_message"], "hello");
    assert_eq!(bot.ask("delete_msg", json!({"message_id": id})).await["status"], "ok");
    let path = json!([{"type": "image", "data": {"file": "file:///etc/passwd"}}]);
    let refused = bot.ask("send_group_msg", json!({"group_id": 5, "message": path})).await;
    assert_eq!(refused["retcode"], 1400, "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_framework_may_dial_by_websocket_and_http() {
    let entry = "[[bot]]\nname = \"dials\"\nkind = \"onebot11\"\ntoken = \"secret\"\n";
    let server = server_with(entry);
    let path = "/bots/dials/onebot/v11";
    assert!(Bot::dial(&server, path, Some("secret")).await.is_err(), "there is no account yet");
    let listed = server.home.ok(&["bots"]);
    assert!(listed.contains("it waits for a platform"), "{listed}");
    let peer = implementation(&server, willing()).await;
    until_accounts(&server, "dials", &["qq/10001000"]);
    let listed = server.home.ok(&["bots"]);
    assert!(listed.contains("which has to connect to /bots/dials/onebot/v11"), "{listed}");
    assert!(Bot::dial(&server, path, Some("wrong")).await.is_err());
    let listed = server.home.ok(&["bots"]);
    assert!(listed.contains("a request of the framework was refused"), "{listed}");
    let mut bot = Bot::dial(&server, path, Some("secret")).await.unwrap();
    assert_eq!(bot.meta().await["sub_type"], "connect");
    assert!(bot_of(&server, "dials").get("last_error").is_none(), "it is connected now");
    peer.push(&said(1, "one"));
    assert_eq!(bot.texts(1).await, ["one"]);
    assert_eq!(bot.ask("get_login_info", json!({})).await["data"]["nickname"], "Me");
    bot.until_delivered(&server, "dials", 1).await;
    // The newest one is told.
    let with_id = format!("{path}/event?self_id={ACCOUNT}");
    let mut events = Bot::dial(&server, &with_id, Some("secret")).await.unwrap();
    bot.ended().await;
    peer.push(&said(2, "two"));
    assert_eq!(events.texts(1).await, ["two"]);
    let mut api = Bot::dial(&server, &format!("{path}/api"), Some("secret")).await.unwrap();
    assert_eq!(
        api.ask("get_status", json!({})).await["retcode"],
        1404,
        "the implementation's word"
    );
    let request = format!("{path}/send_group_msg?access_token=secret&group_id=77&message=hi");
    let (status, answer) = server.get(&request);
    assert_eq!((status, &answer["status"]), (200, &json!("ok")), "{answer}");
    let body = json!({"group_id": 77, "message": [{"type": "text", "data": {"text": "yo"}}]});
    let (_, answer) =
        server.ask("POST", &format!("{path}/send_group_msg?access_token=secret"), Some(&body));
    assert_eq!(answer["status"], "ok", "{answer}");
    let url = server.url(&format!("{path}/send_group_msg?access_token=secret"));
    let form = tokio::task::block_in_place(|| {
        let form = [("group_id", "77"), ("message", "by a form")];
        agent().post(&url).send_form(form).unwrap().body_mut().read_to_string().unwrap()
    });
    assert!(form.contains("\"ok\""), "{form}");
    // Pictures are inside the frame.
    let picture = format!("base64://{}", "iVBORw0KGgoA".repeat(200_000));
    let large = json!([{"type": "image", "data": {"file": picture}}]);
    let large = json!({"group_id": 77, "message": large});
    let (_, answer) =
        server.ask("POST", &format!("{path}/send_group_msg?access_token=secret"), Some(&large));
    assert_eq!(answer["status"], "ok", "{answer}");
    let texts: Vec<_> = peer.actions().iter().map(|a| a["params"]["message"].clone()).collect();
    for sent in [&json!("hi"), &json!("by a form"), &body["message"]] {
        assert!(texts.contains(sent), "{sent}: {texts:?}");
    }
    assert_eq!(server.get(&format!("{path}/get_status")).0, 401);
    assert_eq!(server.get("/bots/nobody/onebot/v11").0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_framework_that_refuses_is_told_of_and_dialled_again() {
    let framework = Framework::new().await;
    let server = server_with(&entry("bot", &framework, ""));
    let _peer = implementation(&server, willing()).await;
    framework.refuse().await;
    let told = eventually("the error is shown", || {
        let bot = bot_of(&server, "bot");
        (bot["state"] == "Error").then_some(bot)
    });
    assert!(told["last_error"].as_str().unwrap().contains("set `token`"), "{told}");
    let listed = server.home.ok(&["bots"]);
    // The next attempt may have begun by now.
    let is_told = ["Error", "Connecting"]
        .iter()
        .any(|state| listed.starts_with(&format!("bot\tonebot11\t{state}\t")));
    assert!(is_told, "{listed}");
    // At a terminal nothing of it is cut.
    let mut shown = Terminal::start(&server.home, &["bots"]);
    assert_eq!(shown.wait(), 0);
    shown.sees_words(told["last_error"].as_str().unwrap());
    let _bot = framework.accept().await;
    eventually("it is connected", || {
        (bot_of(&server, "bot")["state"] == "Connected").then_some(())
    });
    let metrics = server.get("/metrics").1;
    assert!(metrics.to_string().contains("rechat_bot_state"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_recall_came_first_is_not_told_where_it_is_hidden() {
    let framework = Framework::new().await;
    let server = server_with(&format!("recalled = \"hide\"\n{}", entry("bot", &framework, "")));
    let peer = implementation(&server, willing()).await;
    let mut bot = framework.accept().await;
    peer.push(&taken_back(1));
    peer.push(&said(1, "taken back"));
    peer.push(&said(2, "stays"));
    assert_eq!(bot.event().await["notice_type"], "group_recall");
    assert_eq!(bot.texts(1).await, ["stays"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_and_echoes_of_what_was_taken_back_are_not_told_where_it_is_hidden() {
    let framework = Framework::new().await;
    let server = server_with(&format!("recalled = \"hide\"\n{}", entry("bot", &framework, "")));
    let peer = implementation(&server, willing()).await;
    // It has its place once it is told that it is connected.
    framework.accept().await.meta().await;
    tell_and_take_back(&server, &peer);
    let mut bot = framework.accept().await;
    let mut recalls = 0;
    loop {
        let text = bot.event_text().await;
        assert!(!text.contains("secret"), "{text}");
        recalls += text.matches("group_recall").count();
        if text.contains("stays") {
            break;
        }
    }
    assert_eq!(recalls, 2, "the recalls themselves are told");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_for_trying_out_goes_once_there_is_another_platform() {
    for by_reload in [false, true] {
        let framework = Framework::new().await;
        let bot = entry("bot", &framework, "");
        let server = server_with(&format!("{LOOPBACK}{bot}"));
        let mut trial = framework.accept().await;
        until_accounts(&server, "bot", &["loopback/loopback"]);
        let _peer = if by_reload {
            // The address never answers; a configured platform counts nevertheless.
            let qq = format!("[[adapter]]\nkind = \"onebot11\"\nurl = \"{}\"\n", framework.url());
            server.home.configure(&format!("{LOOPBACK}{qq}{bot}"));
            server.signal(Signal::HUP);
            until_accounts(&server, "bot", &[]);
            None
        } else {
            let peer = implementation(&server, willing()).await;
            until_accounts(&server, "bot", &["qq/10001000"]);
            assert_eq!(framework.accept().await.header("x-self-id"), Some("10001000"));
            Some(peer)
        };
        trial.ended().await;
        server.tells("a bot has lost an account");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recall_that_came_first_is_told_behind_its_message() {
    let framework = Framework::new().await;
    let server = server_with(&entry("bot", &framework, ""));
    let peer = implementation(&server, willing()).await;
    let mut bot = framework.accept().await;
    peer.push(&taken_back(1));
    peer.push(&said(1, "taken back"));
    assert_eq!(bot.event().await["notice_type"], "group_recall");
    assert_eq!(bot.texts(1).await, ["taken back"]);
    let recalled = bot.event().await;
    assert_eq!(
        (&recalled["notice_type"], &recalled["message_id"]),
        (&json!("group_recall"), &json!(1))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_recalls_of_another_account_are_not_those_of_the_bot() {
    let framework = Framework::new().await;
    let server = server_with(&entry("bot", &framework, "accounts = ['qq/10001000']"));
    let own = implementation(&server, willing()).await;
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let other = Peer::dial(&url, &headers("10002000", "Universal"), willing()).await.unwrap();
    let mut bot = framework.accept().await;
    other.push(&group_message(10_002_000, 78, 1, "for the other"));
    other.push(&json!({
        "time": 1_700_000_000, "self_id": 10_002_000, "post_type": "request",
        "request_type": "friend", "user_id": 8, "comment": "hi", "flag": "f1",
    }));
    other.push(&recall(10_002_000, 78, 1));
    eventually("all of it came in", || {
        let (_, page) = server.get("/api/messages?conversation=group_78");
        let is_recalled = page["messages"][0]["recalled_at"].is_u64();
        let asked = server.get("/api/requests").1;
        (is_recalled && !asked["requests"].as_array().unwrap().is_empty()).then_some(())
    });
    own.push(&said(2, "for this one"));
    // Nothing of the other came before it.
    assert_eq!(bot.texts(1).await, ["for this one"]);
    // It names what is of its own account, or of none.
    for (action, params) in [
        ("delete_msg", json!({"message_id": 1})),
        ("get_msg", json!({"message_id": 1})),
        ("set_friend_add_request", json!({"flag": "f1", "approve": true})),
    ] {
        let answer = bot.ask(action, params).await;
        assert_eq!(answer["status"], "failed", "{action}: {answer}");
        let asked: Vec<_> = other.actions().iter().map(|one| one["action"].clone()).collect();
        assert!(!asked.contains(&json!(action)), "{asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_hangs_up_while_its_send_waits_has_sent_once_the_account_is_back() {
    let framework = Framework::new().await;
    let server = server_with(&entry("bot", &framework, ""));
    let peer = implementation(&server, willing()).await;
    let mut bot = framework.accept().await;
    peer.drop_connection();
    eventually("it is gone", || {
        server.get("/api/platforms").1.to_string().contains("Disconnected").then_some(())
    });
    let message = json!({"group_id": 77, "message": "it waits"});
    bot.call("send_group_msg", &message, &json!(1)).await;
    eventually("the message is made", || {
        (server.get("/api/stats").1["pending"] == 1).then_some(())
    });
    drop(bot);
    let peer = implementation(&server, willing()).await;
    let sent = peer.action("send_group_msg").await;
    assert_eq!(sent["params"]["message"], "it waits", "{sent}");
    let stored = eventually("its outcome is known", || {
        let (_, page) = server.get("/api/messages?direction=Outbound");
        (page["messages"][0]["status"] == "Sent").then(|| page["messages"].clone())
    });
    assert_eq!((stored.as_array().unwrap().len(), &stored[0]["via"]), (1, &json!("bot")));
    let sends = peer.actions().iter().filter(|one| one["action"] == "send_group_msg").count();
    assert_eq!(sends, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_waits_for_nothing_cannot_fill_the_store() {
    let framework = Framework::new().await;
    let server = server_with(&entry("bot", &framework, ""));
    let peer = implementation(&server, willing()).await;
    let mut bot = framework.accept().await;
    peer.drop_connection();
    eventually("it is gone", || {
        server.get("/api/platforms").1.to_string().contains("Disconnected").then_some(())
    });
    let message = json!({"group_id": 77, "message": "again"});
    let mut refused = 0;
    while refused == 0 {
        let answer = bot.ask("send_group_msg_async", message.clone()).await;
        match answer["status"].as_str().unwrap() {
            "async" => {}
            _ => refused += answer["wording"].as_str().unwrap().matches("too many").count(),
        }
        let stats = server.get("/api/stats").1;
        assert!(stats["total"].as_u64() < Some(1_000), "{stats}");
    }
    let sent = bot.ask("get_status", json!({})).await;
    assert_eq!(sent["status"], "ok", "it is answered all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_that_share_an_entry_are_told_so() {
    let entry = "[[bot]]\nname = \"dials\"\nkind = \"onebot11\"\ntoken = \"secret\"\n";
    let server = server_with(entry);
    let _peer = implementation(&server, willing()).await;
    until_accounts(&server, "dials", &["qq/10001000"]);
    let dial = || Bot::dial(&server, "/bots/dials/onebot/v11", Some("secret"));
    let mut first = dial().await.unwrap();
    assert_eq!(first.meta().await["sub_type"], "connect");
    let mut second = dial().await.unwrap();
    assert_eq!(second.meta().await["sub_type"], "connect");
    first.ended().await;
    eventually("the reason is shown", || {
        let told = bot_of(&server, "dials");
        let error = told["last_error"].as_str().unwrap_or_default();
        (error.contains("an entry of its own") && told["state"] == "Connected").then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_away_need_not_be_told_apart_from_the_one_that_is_there() {
    let entry = "[[bot]]\nname = \"dials\"\nkind = \"onebot11\"\ntoken = \"secret\"\n";
    let server = server_with(entry);
    let _peer = implementation(&server, willing()).await;
    until_accounts(&server, "dials", &["qq/10001000"]);
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let other = Peer::dial(&url, &headers("2", "Universal"), willing()).await.unwrap();
    until_accounts(&server, "dials", &["qq/10001000", "qq/2"]);
    let path = "/bots/dials/onebot/v11";
    assert!(Bot::dial(&server, path, Some("secret")).await.is_err(), "two accounts are there");
    let listed = server.home.ok(&["bots"]);
    assert!(listed.contains("?self_id="), "{listed}");
    other.drop_connection();
    other.ended().await;
    eventually("the other account has left", || {
        let (_, all) = server.get("/api/platforms");
        let mut platforms = all["platforms"].as_array().unwrap().iter();
        platforms.any(|one| one["account"] == "2" && one["state"] == "Disconnected").then_some(())
    });
    let mut bot = Bot::dial(&server, path, Some("secret")).await.unwrap();
    assert_eq!(bot.meta().await["self_id"], ACCOUNT);
}
