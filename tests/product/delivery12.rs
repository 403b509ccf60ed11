//! Delivery through a real server to an implementation of OneBot 12, and by dialling out.

use crate::onebot::{Listener, Peer, Reply, Script};
use crate::onebot11;
use crate::onebot12::{
    HEADERS, connect, group_message, heartbeat, status_update, willing, willing_but,
};
use crate::server::{Home, TestServer, eventually};
use crate::socket::Client;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const WECHAT: (&str, &str) = ("wechat", "wxid_me");

const HASTY: &str =
    "[outbox]\nfirst_pause_seconds = 0.01\nlongest_pause_seconds = 0.02\nretries = 2\n";

fn configured(text: &str) -> TestServer {
    let home = Arc::new(Home::new());
    home.configure(&format!("{HASTY}{text}"));
    TestServer::start_in(home, &[])
}

/// Entries that dial out to these, again at once.
fn dialling(eleven: &Listener, twelve: &Listener) -> String {
    let entry = |kind: &str, listener: &Listener| {
        format!("[[adapter]]\nkind = '{kind}'\nurl = '{}'\nreconnect = 0.01\n", listener.url())
    };
    entry("onebot11", eleven) + &entry("onebot12", twelve)
}

/// Dials in as the implementation of these bots.
async fn dial(server: &TestServer, bots: &[(&str, &str)], script: Script) -> Peer {
    let url = format!("ws://{}/onebot/v12/ws", server.address);
    let peer = Peer::dial(&url, &HEADERS, script).await.unwrap();
    peer.push(&connect());
    let online: Vec<_> = bots.iter().map(|(platform, id)| (*platform, *id, true)).collect();
    peer.push(&status_update(&online));
    peer
}

fn of_conversation(server: &TestServer, conversation: &str) -> Vec<Value> {
    let (_, page) = server.get(&format!("/api/messages?conversation={conversation}"));
    page["messages"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn wechat_goes_both_ways_as_com_wechat_speaks() {
    // It answers `data: true` and tells no message ID; its groups end in `@chatroom`.
    let server = configured("");
    let script = willing_but("send_message", Reply::ok(json!(true)));
    let peer = dial(&server, &[WECHAT], script).await;
    peer.push(&group_message(WECHAT, "1@chatroom", "m1", "hello"));
    peer.push(&group_message(WECHAT, "1@chatroom", "m1", "hello"));
    let came = eventually("it came in", || of_conversation(&server, "group_1@chatroom").pop());
    assert_eq!((&came["platform"], &came["account"]), (&json!("wechat"), &json!("wxid_me")));
    let sent = server.until(&server.make("group_1@chatroom", "hi"), "Sent");
    assert_eq!(sent["platform"], "wechat", "found by the conversation");
    assert_eq!(peer.action("send_message").await["params"]["group_id"], "1@chatroom");
    assert_eq!(of_conversation(&server, "group_1@chatroom").len(), 2, "no double came in");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bots_of_one_connection_are_told_apart() {
    let server = configured("");
    let qq = ("qq", "10001");
    let peer = dial(&server, &[WECHAT, qq], willing()).await;
    peer.push(&group_message(qq, "7", "m1", "from qq"));
    eventually("it came in", || of_conversation(&server, "group_7").pop());
    for (platform, conversation, account) in
        [("qq", "group_7", "10001"), ("wechat", "private_wxid_x", "wxid_me")]
    {
        let sent = server.until(&server.make_for(Some(platform), conversation, "hi"), "Sent");
        assert_eq!(sent["account"], account);
        assert_eq!(peer.action("send_message").await["self"]["user_id"], account);
    }
    peer.push(&status_update(&[(WECHAT.0, WECHAT.1, false), (qq.0, qq.1, true)]));
    let waits = server.make_for(Some("wechat"), "private_wxid_x", "waits");
    server.until(&server.make_for(Some("qq"), "group_7", "goes"), "Sent");
    eventually("the bot is off", || {
        let (_, told) = server.get("/api/platforms");
        let rows = told["platforms"].as_array().unwrap().clone();
        rows.iter().any(|row| row["account"] == "wxid_me" && row["state"] == "Error").then_some(())
    });
    assert_ne!(server.get(&format!("/api/messages/{waits}")).1["status"], "Failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_by_the_next_connection_settles_its_attempt() {
    let server = configured("[[adapter]]\nkind = 'onebot12'\non_unknown = 'fail'\n");
    let bots = [WECHAT, ("qq", "10001")];
    let peer = dial(&server, &bots, willing_but("send_message", Reply::Silent)).await;
    let id = server.make_for(Some("qq"), "group_7", "slow");
    let action = peer.action("send_message").await;
    peer.drop_connection();
    eventually("the attempt has no answer", || {
        server.get(&format!("/api/messages/{id}")).1.get("last_error").map(drop)
    });
    let peer = dial(&server, &bots, willing()).await;
    let (data, echo) = (json!({"message_id": "m9", "time": 1.0}), &action["echo"]);
    peer.push(&json!({"status": "ok", "retcode": 0, "data": data, "message": "", "echo": echo}));
    assert_eq!(server.until(&id, "Sent")["account"], "10001");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_mend_by_their_class() {
    let server = configured("");
    let script: Script = Arc::new(|action| {
        let group = action["params"]["group_id"].as_str().unwrap_or_default();
        group.parse().map_or_else(|_| willing()(action), |code| Reply::refused(code, "no"))
    });
    let _peer = dial(&server, &[WECHAT], script).await;
    for (code, retries) in
        [("10003", 0), ("34001", 0), ("35001", 0), ("20002", 2), ("33001", 2), ("36000", 2)]
    {
        let id = server.make_for(Some("wechat"), &format!("group_{code}"), "x");
        let failed = server.until(&id, "Failed");
        assert_eq!(failed["retry_count"], retries, "{failed}");
        assert!(failed["last_error"].as_str().unwrap().contains(code), "{failed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn media_is_uploaded_first() {
    let server = configured("");
    let peer = dial(&server, &[WECHAT], willing()).await;
    let body = json!({"message_type": "Image", "content": "base64://aGk=",
        "recipient": "group_g", "platform": "wechat"});
    let (_, made) = server.post(&body);
    server.until(made["id"].as_str().unwrap(), "Sent");
    assert_eq!(peer.action("upload_file").await["params"]["data"], "aGk=");
    let segment = &peer.action("send_message").await["params"]["message"][0];
    assert_eq!(segment, &json!({"type": "image", "data": {"file_id": "file-1"}}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_lost_in_the_middle_of_an_action_is_made_good() {
    let server = configured("");
    let lost = dial(&server, &[WECHAT], willing_but("send_message", Reply::Drop)).await;
    let id = server.make_for(Some("wechat"), "group_g", "x");
    lost.ended().await;
    let peer = dial(&server, &[WECHAT], willing()).await;
    let sent = server.until(&id, "Sent");
    assert_eq!(sent["retry_count"], 1, "the lost attempt is counted");
    assert_eq!(peer.action("send_message").await["params"]["group_id"], "g");
}

#[tokio::test(flavor = "multi_thread")]
async fn implementations_are_dialled_and_dialled_again() {
    let (eleven, twelve) = (Listener::new(Some("secret")).await, Listener::new(None).await);
    let server = configured(&format!(
        "[[adapter]]\nkind = 'onebot11'\nurl = '{}'\ntoken = 'secret'\nreconnect = 0.01\n\
         [[adapter]]\nkind = 'onebot12'\nurl = '{}'\nreconnect = 0.01\n",
        eleven.url(),
        twelve.url()
    ));
    let bot = twelve.accept(willing()).await;
    bot.push(&connect());
    bot.push(&status_update(&[(WECHAT.0, WECHAT.1, true)]));
    server.until(&server.make_for(Some("wechat"), "group_g", "x"), "Sent");
    let first = eleven.accept(onebot11::willing()).await;
    first.push(&onebot11::lifecycle(1));
    server.until(&server.make_for(Some("qq"), "group_1", "one"), "Sent");
    first.drop_connection();
    let again = eleven.accept(onebot11::willing()).await;
    again.push(&onebot11::lifecycle(1));
    server.until(&server.make_for(Some("qq"), "group_1", "two"), "Sent");
    let (_, told) = server.get("/api/platforms");
    assert_eq!(told["platforms"].as_array().unwrap().len(), 2, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_while_the_connection_was_down_is_fetched_once() {
    // NapCat drops what happens meanwhile, and is asked for it.
    let server = configured("");
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let missed = onebot11::group_message(1, 77, 2, "missed");
    let known = onebot11::group_message(1, 77, 1, "known");
    let history = Reply::ok(json!({"messages": [known, missed]}));
    let script = onebot11::willing_but("get_group_msg_history", history);
    let mut found = Vec::new();
    // The history is asked for after a reconnect, and again after the next.
    for wanted in [1, 2, 2] {
        let peer = Peer::dial(&url, &onebot11::headers("1", "Universal"), script.clone()).await;
        let peer = peer.unwrap();
        peer.push(&onebot11::lifecycle(1));
        peer.push(&known);
        found = eventually("what was missed is fetched", || {
            let found = of_conversation(&server, "group_77");
            (found.len() >= wanted).then_some(found)
        });
        if wanted == 2 {
            peer.action("get_group_msg_history").await;
        }
        peer.drop_connection();
        peer.ended().await;
    }
    let texts: Vec<_> = found.iter().map(|message| message["content"].clone()).collect();
    assert_eq!(found.len(), 2, "{texts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dialled_implementation_is_heard_and_answered() {
    let (eleven, twelve) = (Listener::new(None).await, Listener::new(None).await);
    let server = configured(&dialling(&eleven, &twelve));
    let qq = eleven.accept(onebot11::willing()).await;
    qq.push(&onebot11::lifecycle(1));
    qq.push(&onebot11::group_message(1, 77, 5, "from qq"));
    let wechat = twelve.accept(willing()).await;
    wechat.push(&connect());
    wechat.push(&status_update(&[(WECHAT.0, WECHAT.1, true)]));
    wechat.push(&group_message(WECHAT, "1@chatroom", "m1", "from wechat"));
    for (conversation, text) in [("group_77", "from qq"), ("group_1@chatroom", "from wechat")] {
        let came = eventually("it came in", || of_conversation(&server, conversation).pop());
        assert_eq!((&came["content"], &came["direction"]), (&json!(text), &json!("Inbound")));
        server.until(&server.make(conversation, "an answer"), "Sent");
    }
    assert_eq!(qq.action("send_group_msg").await["params"]["group_id"], 77);
    assert_eq!(wechat.action("send_message").await["params"]["group_id"], "1@chatroom");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dialled_connection_lost_in_the_middle_of_an_action_is_made_good() {
    let (eleven, twelve) = (Listener::new(None).await, Listener::new(None).await);
    let server = configured(&dialling(&eleven, &twelve));
    let lost = eleven.accept(onebot11::willing_but("send_group_msg", Reply::Drop)).await;
    lost.push(&onebot11::lifecycle(1));
    let id = server.make_for(Some("qq"), "group_7", "x");
    lost.ended().await;
    let again = eleven.accept(onebot11::willing()).await;
    again.push(&onebot11::lifecycle(1));
    assert_eq!(server.until(&id, "Sent")["retry_count"], 1);
    let lost = twelve.accept(willing_but("send_message", Reply::Drop)).await;
    lost.push(&connect());
    lost.push(&status_update(&[(WECHAT.0, WECHAT.1, true)]));
    let id = server.make_for(Some("wechat"), "group_g", "x");
    lost.ended().await;
    let again = twelve.accept(willing()).await;
    again.push(&connect());
    again.push(&status_update(&[(WECHAT.0, WECHAT.1, true)]));
    assert_eq!(server.until(&id, "Sent")["retry_count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_without_an_answer_is_tried_again_or_fails_as_configured() {
    let entry = "[[adapter]]\nkind = 'onebot12'\nanswer_timeout = 1\n";
    let server = configured(entry);
    let tries = AtomicUsize::new(0);
    let silent_once: Script = Arc::new(move |action| {
        let is_first =
            action["action"] == "send_message" && tries.fetch_add(1, Ordering::SeqCst) == 0;
        if is_first { Reply::Silent } else { willing()(action) }
    });
    let _peer = dial(&server, &[WECHAT], silent_once).await;
    let sent = server.until(&server.make_for(Some("wechat"), "group_g", "x"), "Sent");
    assert_eq!(sent["retry_count"], 1);
    let careful = configured(&format!("{entry}on_unknown = 'fail'\n"));
    let peer = dial(&careful, &[WECHAT], willing_but("send_message", Reply::Silent)).await;
    let failed = careful.until(&careful.make_for(Some("wechat"), "group_g", "x"), "Failed");
    assert_eq!(failed["last_error"], "outcome unknown");
    let sends = peer.actions().iter().filter(|action| action["action"] == "send_message").count();
    assert_eq!(sends, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_that_is_missed_is_a_lost_connection() {
    let server = configured("");
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let mut watcher = Client::connect(&server).await;
    watcher.subscribe().await;
    let headers = onebot11::headers("1", "Universal");
    let eleven = Peer::dial(&url, &headers, onebot11::willing()).await.unwrap();
    assert_eq!(watcher.event("adapter_status").await["status"], "Connected");
    eleven.push(&onebot11::heartbeat(1, 1000, true));
    let lost = watcher.event("adapter_status").await;
    assert_eq!((&lost["platform"], &lost["status"]), (&json!("qq"), &json!("Disconnected")));
    let twelve = dial(&server, &[WECHAT], willing()).await;
    assert_eq!(watcher.event("adapter_status").await["status"], "Connected");
    twelve.push(&heartbeat(1000));
    let lost = watcher.event("adapter_status").await;
    assert_eq!((&lost["platform"], &lost["status"]), (&json!("wechat"), &json!("Disconnected")));
    let id = server.make_for(Some("wechat"), "group_g", "waits");
    let _again = dial(&server, &[WECHAT], willing()).await;
    assert_eq!(server.until(&id, "Sent")["retry_count"], 0);
}
