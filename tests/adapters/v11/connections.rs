//! Connections and accounts: the connecting programs, their accounts, and the reported states.

use super::{WS, dial, rechat, sent};
use crate::onebot::{Peer, Reply};
use crate::onebot11::{
    group_message, headers, heartbeat, lifecycle, nameless_group_message, willing, willing_but,
};
use crate::rechat::{Rechat, text_to};
use rechat::adapter::PlatformState;
use serde_json::json;

#[tokio::test]
async fn every_mount_and_platform_parameter() {
    let mut rechat = rechat().await;
    for (path, account) in [("/onebot/v11", "1"), ("/onebot/v11/", "2")] {
        let _peer = Peer::dial(&rechat.url(path), &headers(account, "Universal"), willing()).await;
        rechat.until(account, PlatformState::Connected).await;
    }
    let url = rechat.url("/onebot/v11/ws?platform=qq2");
    let _peer = Peer::dial(&url, &headers("3", "Universal"), willing()).await.unwrap();
    rechat.handle("qq2").await;
}

#[tokio::test]
async fn an_api_and_an_event_connection_are_one_account() {
    let mut rechat = rechat().await;
    let event = Peer::dial(&rechat.url(WS), &headers("1", "Event"), willing()).await.unwrap();
    assert_eq!(rechat.change().await.1, PlatformState::Connected);
    assert!(rechat.registry.handle("qq", None).is_none(), "an Event connection takes no actions");
    let api = Peer::dial(&rechat.url(WS), &headers("1", "API"), willing()).await.unwrap();
    assert_eq!(rechat.send("qq", "group_77", "hi").await, sent("101"));
    api.action("send_group_msg").await;
    event.push(&nameless_group_message(1, 78, 102, "hello"));
    assert_eq!(rechat.message().await.content.readable(), "hello");
    assert_eq!(rechat.named("group_78").await, "Asked 78");
    api.action("get_group_info").await;
    assert_eq!(rechat.registry.platforms().len(), 1, "the account stands for the entry");
    api.drop_connection();
    api.ended().await;
    event.drop_connection();
    assert_eq!(rechat.change().await.1, PlatformState::Disconnected);
}

#[tokio::test]
async fn an_answer_to_an_earlier_connection_is_of_its_call_alone() {
    let mut rechat = Rechat::start(&["kind = 'onebot11'\nanswer_timeout = 0.05".into()]).await;
    let silent = || willing_but("send_group_msg", Reply::Silent);
    let first = dial(&rechat, "1", silent()).await;
    let handle = rechat.handle("qq").await;
    let hi = text_to("group_77", "hi");
    let id = hi.id;
    handle.send(hi).await;
    let echo = first.action("send_group_msg").await["echo"].clone();
    first.drop_connection();
    let second = dial(&rechat, "1", silent()).await;
    rechat.send("qq", "group_77", "ho").await;
    second.action("send_group_msg").await;
    second.push(&json!({"status": "ok", "retcode": 0, "data": {"message_id": 9}, "echo": echo}));
    second.push(&group_message(1, 77, 10, "what comes after it"));
    assert_eq!(rechat.message().await.content.readable(), "what comes after it");
    assert_eq!(rechat.confirmed_late, [id]);
}

#[tokio::test]
async fn an_account_that_is_off_is_not_sent_by() {
    let mut rechat = rechat().await;
    let peer = dial(&rechat, "1", willing()).await;
    rechat.until("1", PlatformState::Connected).await;
    peer.push(&json!({"time": 1, "self_id": 1, "post_type": "meta_event",
        "meta_event_type": "heartbeat", "interval": 5000, "status": null}));
    peer.push(&heartbeat(1, 5000, false));
    assert!(rechat.until("1", PlatformState::Error).await.contains("off"));
    assert!(rechat.registry.handle("qq", None).is_none());
    peer.push(&heartbeat(1, 5000, true));
    peer.push(&heartbeat(1, 5000, true));
    rechat.until("1", PlatformState::Connected).await;
    peer.push(
        &json!({"time": 1, "self_id": 1, "post_type": "notice", "notice_type": "bot_offline",
        "user_id": 1, "tag": "被踢下线", "message": "kicked"}),
    );
    assert!(rechat.until("1", PlatformState::Error).await.contains("kicked"));
    peer.push(&group_message(1, 77, 1, "back again"));
    rechat.until("1", PlatformState::Connected).await;
}

#[tokio::test]
async fn a_frame_of_another_version_ends_no_connection_for_good() {
    let mut rechat = rechat().await;
    let peer = dial(&rechat, "1", willing()).await;
    rechat.until("1", PlatformState::Connected).await;
    peer.push(&json!({"id": "x", "time": 1, "type": "notice", "detail_type": "x",
        "self": {"platform": "qq", "user_id": "1"}}));
    assert!(rechat.until("1", PlatformState::Error).await.contains("OneBot 12"));
    peer.push(&group_message(1, 77, 1, "of this version"));
    rechat.until("1", PlatformState::Connected).await;
}

#[tokio::test]
async fn a_status_that_goes_to_and_fro_changes_the_state_once() {
    let mut rechat = rechat().await;
    let peer = dial(&rechat, "1", willing()).await;
    rechat.until("1", PlatformState::Connected).await;
    for beat in 0..20 {
        peer.push(&heartbeat(1, 5000, beat % 2 == 1));
    }
    peer.push(&group_message(1, 77, 1, "after them"));
    assert_eq!(rechat.message().await.content.readable(), "after them");
    assert_eq!(rechat.change().await.1, PlatformState::Error);
    peer.push(&heartbeat(1, 5000, true));
    peer.push(&heartbeat(1, 5000, true));
    assert_eq!(rechat.change().await.1, PlatformState::Connected, "no change in between");
}

#[tokio::test]
async fn onebot_12_here_is_said_in_the_state() {
    let mut rechat = rechat().await;
    let peer = Peer::dial(&rechat.url(WS), &crate::onebot12::HEADERS, willing()).await.unwrap();
    peer.push(&crate::onebot12::connect());
    let reason = rechat.until("-", PlatformState::Error).await;
    assert!(reason.contains("OneBot 12") && reason.contains("/onebot/v12/ws"), "{reason}");
    let platforms = rechat.registry.platforms();
    assert_eq!(platforms[0].reason.as_deref(), Some(reason.as_str()));
}

#[tokio::test]
async fn an_entry_may_be_bound_to_accounts_and_a_platform() {
    let entry = "kind = 'onebot11'\npath = '/bound'\nplatform = 'qq'\naccount = ['1', 2]";
    let mut rechat = Rechat::start(&[entry.into()]).await;
    for (path, account) in [("/bound", "3"), ("/bound?platform=wechat", "1")] {
        let refused =
            Peer::dial(&rechat.url(path), &headers(account, "Universal"), willing()).await;
        refused.unwrap().ended().await;
    }
    let _allowed =
        Peer::dial(&rechat.url("/bound?platform=qq"), &headers("2", "Universal"), willing())
            .await
            .unwrap();
    assert_eq!(rechat.change().await, ("2".into(), PlatformState::Connected, String::new()));
    // A program that names its account later is refused at that time.
    let later = Peer::dial(&rechat.url("/bound"), &[], willing()).await.unwrap();
    later.push(&lifecycle(3));
    assert!(rechat.until("-", PlatformState::Error).await.contains("may not connect"));
    later.ended().await;
}

#[tokio::test]
async fn who_dials_in_without_a_name_is_asked_for_it() {
    let mut rechat = rechat().await;
    let peer = Peer::dial(&rechat.url(WS), &[], willing()).await.unwrap();
    assert_eq!(rechat.change().await, ("-".into(), PlatformState::Connected, String::new()));
    peer.action("get_login_info").await;
    while rechat.handle("qq").await.account.as_deref() != Some("10001000") {
        tokio::task::yield_now().await;
    }
    drop(peer);
    assert_eq!(rechat.change().await.0, "10001000");
}

#[tokio::test]
async fn two_accounts_are_told_apart() {
    let mut rechat = rechat().await;
    let one = dial(&rechat, "1", willing()).await;
    rechat.until("1", PlatformState::Connected).await;
    let two = dial(&rechat, "2", willing()).await;
    rechat.until("2", PlatformState::Connected).await;
    two.push(&group_message(2, 77, 1, "hi"));
    assert_eq!(rechat.message().await.account, "2");
    let handle = rechat.registry.handle("qq", Some("2")).unwrap();
    assert_eq!(handle.send(text_to("group_77", "to you")).await, sent("101"));
    two.action("send_group_msg").await;
    assert_eq!(one.actions().iter().filter(|a| a["action"] == "send_group_msg").count(), 0);
}
