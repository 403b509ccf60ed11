use crate::onebot::{Listener, Reply};
use crate::onebot11::{group_message, lifecycle, willing, willing_but};
use crate::rechat::Rechat;
use rechat::adapter::{Delivery, PlatformState};
use serde_json::json;
use std::sync::Arc;

fn entry(listener: &Listener, more: &str) -> String {
    format!("kind = 'onebot11'\nurl = '{}'\nreconnect = 0.01\n{more}", listener.url())
}

#[tokio::test]
async fn it_is_dialled_and_dialled_again() {
    let listener = Listener::new(Some("secret")).await;
    let mut rechat = Rechat::start(&[entry(&listener, "token = 'secret'")]).await;
    let peer = listener.accept(willing()).await;
    peer.push(&lifecycle(1));
    assert_eq!(rechat.change().await, ("-".into(), PlatformState::Connecting, String::new()));
    assert_eq!(rechat.change().await, ("1".into(), PlatformState::Connected, String::new()));
    peer.push(&group_message(1, 77, 1, "hello"));
    assert_eq!(rechat.message().await.content.readable(), "hello");
    assert!(matches!(rechat.send("qq", "group_77", "hi").await, Delivery::Sent { .. }));
    peer.drop_connection();
    assert_eq!(rechat.change().await.1, PlatformState::Disconnected);
    assert_eq!(rechat.change().await.1, PlatformState::Connecting);
    let again = listener.accept(willing()).await;
    again.push(&lifecycle(1));
    assert_eq!(rechat.change().await.1, PlatformState::Connected);
    assert_eq!(rechat.registry.platforms().len(), 1, "the account stands for the entry");
    rechat.stop().await;
    again.ended().await;
}

#[tokio::test]
async fn a_token_refused_in_the_handshake_is_an_error() {
    let listener = Listener::new(Some("secret")).await;
    let mut rechat = Rechat::start(&[entry(&listener, "token = 'wrong'")]).await;
    listener.refuse().await;
    assert_eq!(rechat.change().await.1, PlatformState::Connecting);
    let (_, state, reason) = rechat.change().await;
    assert_eq!(state, PlatformState::Error);
    assert!(reason.contains("token"), "{reason}");
}

#[tokio::test]
async fn a_token_refused_after_the_upgrade_is_an_error() {
    let listener = Listener::new(None).await;
    let mut rechat = Rechat::start(&[entry(&listener, "")]).await;
    let peer = listener.accept(willing()).await;
    peer.push(&json!({"status": "failed", "retcode": 1403, "data": null, "message": "token", "echo": null}));
    assert_eq!(rechat.change().await.1, PlatformState::Connecting);
    let (_, state, reason) = rechat.change().await;
    assert_eq!(state, PlatformState::Error, "never Connected in between");
    assert!(reason.contains("1403"), "{reason}");
    peer.ended().await;
}

#[tokio::test]
async fn an_implementation_that_says_nothing_is_asked_who_it_is() {
    let listener = Listener::new(None).await;
    let mut rechat = Rechat::start(&[entry(&listener, "")]).await;
    let _peer = listener.accept(willing()).await;
    rechat.until("10001000", PlatformState::Connected).await;

    let listener = Listener::new(None).await;
    let mut rechat = Rechat::start(&[entry(&listener, "answer_timeout = 0.05")]).await;
    let _peer = listener.accept(willing_but("get_login_info", Reply::Silent)).await;
    rechat.until("-", PlatformState::Connected).await;
    assert!(rechat.registry.handle("qq", None).is_some());
}

#[tokio::test]
async fn stopping_ends_the_dialling() {
    let listener = Listener::new(None).await;
    let rechat = Rechat::start(&[entry(&listener, "")]).await;
    let peer = listener.accept(Arc::new(|_| Reply::Silent)).await;
    rechat.stop().await;
    peer.ended().await;
}
