use crate::onebot::{Listener, Peer, Reply};
use crate::onebot12::{HEADERS, connect, group_message, status_update, willing, willing_but};
use crate::rechat::{Rechat, outbound, text_to};
use rechat::adapter::{Delivery, Found, PlatformState};
use rechat::model::message::MessageType;
use serde_json::{Value, json};
use std::sync::Arc;

const BOT: (&str, &str) = ("wechat", "wxid_me");

async fn dial(rechat: &Rechat, script: crate::onebot::Script) -> Peer {
    let peer = Peer::dial(&rechat.url("/onebot/v12/ws"), &HEADERS, script).await.unwrap();
    peer.push(&connect());
    peer
}

async fn connected(script: crate::onebot::Script) -> (Rechat, Peer) {
    let mut rechat = Rechat::start(&[]).await;
    let peer = dial(&rechat, script).await;
    peer.push(&status_update(&[(BOT.0, BOT.1, true)]));
    rechat.until(BOT.1, PlatformState::Connected).await;
    (rechat, peer)
}

#[tokio::test]
async fn messages_go_both_ways() {
    let (mut rechat, peer) = connected(willing()).await;
    assert!(peer.handshake.contains(&("sec-websocket-protocol".into(), "12.test".into())));
    peer.push(&group_message(BOT, "1@chatroom", "m1", "hello"));
    let message = rechat.message().await;
    assert_eq!((message.platform.as_str(), message.account.as_str()), BOT);
    assert_eq!((message.conversation.as_str(), message.time), ("group_1@chatroom", 1_632_847_927));
    assert_eq!(
        (message.external_id.as_str(), message.content.readable().as_ref()),
        ("m1", "hello")
    );
    let sent = Delivery::Sent { external_id: Some("m1".into()), is_unconfirmed: false };
    assert_eq!(rechat.send("wechat", "group_1@chatroom", "hi").await, sent);
    let action = peer.action("send_message").await;
    let segment = json!({"type": "text", "data": {"text": "hi"}});
    let params = json!({"detail_type": "group", "group_id": "1@chatroom", "message": [segment]});
    assert_eq!(action["params"], params);
    assert_eq!(action["self"], json!({"platform": "wechat", "user_id": "wxid_me"}));
    rechat.stop().await;
    peer.ended().await;
}

#[tokio::test]
async fn names_are_asked_for_and_remembered() {
    let (mut rechat, peer) = connected(willing()).await;
    peer.push(&group_message(BOT, "g", "m1", "a"));
    assert_eq!(rechat.message().await.sender.name, "wxid_sender");
    assert_eq!(rechat.named("group_g").await, "Asked");
    let mut id = 1;
    let named = loop {
        id += 1;
        peer.push(&group_message(BOT, "g", &format!("m{id}"), "b"));
        let message = rechat.message().await;
        if message.sender.name != "wxid_sender" {
            break message;
        }
    };
    assert_eq!(named.sender.name, "Card");
    assert_eq!(named.conversation_name.as_deref(), Some("Asked"));
    let asked = peer.actions().iter().filter(|a| a["action"] == "get_group_member_info").count();
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn several_accounts_on_one_connection() {
    let mut rechat = Rechat::start(&[]).await;
    let peer = dial(&rechat, willing()).await;
    peer.push(&status_update(&[("qq", "1", true), ("telegram", "2", false)]));
    rechat.until("1", PlatformState::Connected).await;
    assert!(rechat.until("2", PlatformState::Error).await.contains("off"));
    assert!(rechat.registry.connected().iter().all(|(platform, _)| platform == "qq"));
    peer.push(&status_update(&[("telegram", "2", true)]));
    rechat.until("2", PlatformState::Connected).await;
    rechat.send("telegram", "private_x", "hi").await;
    assert_eq!(peer.action("send_message").await["self"]["user_id"], "2");
    drop(peer);
    let mut gone = [rechat.change().await, rechat.change().await];
    gone.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(gone.map(|(_, state, _)| state), [PlatformState::Disconnected; 2]);
}

#[tokio::test]
async fn an_account_is_known_by_its_first_event_or_by_asking() {
    let mut rechat = Rechat::start(&[]).await;
    let peer = dial(&rechat, willing()).await;
    peer.push(&group_message(("discord", "9"), "g", "m1", "hi"));
    assert_eq!(rechat.message().await.platform, "discord");
    rechat.until("9", PlatformState::Connected).await;

    let status = json!({"good": true, "bots": [{"self": {"platform": "kook", "user_id": "8"}, "online": true}]});
    let _peer = dial(&rechat, willing_but("get_status", Reply::ok(status))).await;
    rechat.until("8", PlatformState::Connected).await;
    let me = json!({"user_id": "7", "user_name": "n", "user_displayname": ""});
    let _peer = dial(&rechat, willing_but("get_self_info", Reply::ok(me))).await;
    rechat.until("7", PlatformState::Connected).await;
    assert!(rechat.registry.handle("wechat", Some("7")).is_some());
}

#[tokio::test]
async fn media_are_uploaded_first() {
    let (rechat, peer) = connected(willing()).await;
    let handle = rechat.handle("wechat").await;
    let image = outbound("private_wxid_you", MessageType::Image, "https://x/a.png");
    assert!(matches!(handle.send(image).await, Delivery::Sent { .. }));
    let upload = peer.action("upload_file").await;
    assert_eq!(upload["params"], json!({"type": "url", "name": "a.png", "url": "https://x/a.png"}));
    let segment = json!({"type": "image", "data": {"file_id": "file-1"}});
    let params = &peer.action("send_message").await["params"];
    assert_eq!(params["message"], json!([segment]));
    assert_eq!(params["user_id"], "wxid_you");
}

#[tokio::test]
async fn refusals_say_whether_they_mend() {
    for (retcode, retryable) in [(10_003, false), (34_001, false), (35_001, false), (33_001, true)]
    {
        let script = willing_but("send_message", Reply::refused(retcode, "no"));
        let (rechat, _peer) = connected(script).await;
        let delivery = rechat.send("wechat", "group_g", "hi").await;
        assert!(
            matches!(delivery, Delivery::Refused { retryable: told, .. } if told == retryable),
            "{retcode}"
        );
    }
    let (rechat, _peer) = connected(willing_but("send_message", Reply::Drop)).await;
    assert!(matches!(rechat.send("wechat", "group_g", "hi").await, Delivery::Unknown { .. }));
}

#[tokio::test]
async fn com_we_chat_answers_true_and_has_no_history() {
    let (rechat, _peer) = connected(willing_but("send_message", Reply::ok(json!(true)))).await;
    let delivery = rechat.send("wechat", "group_1@chatroom", "hi").await;
    assert_eq!(delivery, Delivery::Sent { external_id: None, is_unconfirmed: false });
    let found = rechat.handle("wechat").await.find(text_to("group_1@chatroom", "hi")).await;
    assert_eq!(found, Found::CannotTell);
}

#[tokio::test]
async fn onebot_11_here_is_said_in_the_state() {
    let mut rechat = Rechat::start(&[]).await;
    let peer = Peer::dial(&rechat.url("/onebot/v12/ws"), &HEADERS, willing()).await.unwrap();
    peer.push(&crate::onebot11::lifecycle(1));
    let reason = rechat.until("1", PlatformState::Error).await;
    assert!(reason.contains("OneBot 11") && reason.contains("/onebot/v11/ws"), "{reason}");
    assert_eq!(rechat.registry.platforms()[0].reason.as_deref(), Some(reason.as_str()));

    let listener = Listener::new(None).await;
    let entry = format!("kind = 'onebot12'\nurl = '{}'\nreconnect = 60", listener.url());
    let mut rechat = Rechat::start(&[entry]).await;
    let dialled = listener.accept(willing()).await;
    dialled.push(&crate::onebot11::lifecycle(1));
    assert!(rechat.until("-", PlatformState::Error).await.contains("OneBot 11"));
}

#[tokio::test]
async fn accounts_that_may_not_connect_are_left_out() {
    let mut rechat = Rechat::start(&["kind = 'onebot12'\naccount = ['mine']".into()]).await;
    let peer = dial(&rechat, willing()).await;
    peer.push(&status_update(&[("qq", "other", true), ("qq", "mine", true)]));
    rechat.until("mine", PlatformState::Connected).await;
    peer.push(&group_message(("qq", "other"), "g", "m1", "not for us"));
    peer.push(&group_message(("qq", "mine"), "g", "m2", "for us"));
    assert_eq!(rechat.message().await.content.readable(), "for us");
    assert!(
        rechat
            .registry
            .handle("qq", Some("other"))
            .is_some_and(|handle| handle.account.as_deref() == Some("mine"))
    );
}

#[tokio::test]
async fn it_can_be_dialled() {
    let listener = Listener::new(Some("secret")).await;
    let entry = format!(
        "kind = 'onebot12'\nurl = '{}'\ntoken = 'secret'\nreconnect = 0.01\nplatform = 'mine'",
        listener.url()
    );
    let mut rechat = Rechat::start(&[entry]).await;
    let peer = listener.accept(willing()).await;
    peer.push(&connect());
    peer.push(&status_update(&[(BOT.0, BOT.1, true)]));
    rechat.until(BOT.1, PlatformState::Connected).await;
    let delivery = rechat.send("mine", "group_g", "hi").await;
    assert!(matches!(delivery, Delivery::Sent { .. }));
    assert_eq!(peer.action("send_message").await["self"]["platform"], "wechat");
    peer.drop_connection();
    rechat.until(BOT.1, PlatformState::Connecting).await;
    listener.accept(Arc::new(|_: &Value| Reply::Silent)).await;
}
