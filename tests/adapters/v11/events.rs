//! Events that come in.

use super::{dial, rechat, sent};
use crate::onebot11::{group_message, nameless_group_message, own_message, willing};
use crate::rechat::Rechat;

#[tokio::test]
async fn a_group_name_is_asked_for_once_and_remembered() {
    let mut rechat = rechat().await;
    let peer = dial(&rechat, "1", willing()).await;
    peer.push(&nameless_group_message(1, 77, 1, "a"));
    assert_eq!(rechat.message().await.conversation_name, None);
    assert_eq!(rechat.named("group_77").await, "Asked 77");
    peer.push(&nameless_group_message(1, 77, 2, "b"));
    assert_eq!(rechat.message().await.conversation_name.as_deref(), Some("Asked 77"));
    let asked = peer.actions().iter().filter(|action| action["action"] == "get_group_info").count();
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn a_message_of_the_accounts_owner_is_reported_as_own() {
    let mut rechat = rechat().await;
    let peer = dial(&rechat, "1", willing()).await;
    peer.push(&own_message(1, 77, 55, "written on the phone"));
    let message = rechat.message().await;
    assert_eq!((message.content.readable().as_ref(), message.own), ("written on the phone", true));
    assert_eq!(message.sender.id, "1");
}

#[tokio::test]
async fn an_event_that_is_too_large_is_passed_over() {
    let mut rechat = Rechat::start(&["kind = 'onebot11'\nmax_frame = 2000".into()]).await;
    let peer = dial(&rechat, "1", willing()).await;
    peer.push(&group_message(1, 77, 1, &"x".repeat(3000)));
    peer.push(&group_message(1, 77, 2, "next"));
    assert_eq!(rechat.message().await.content.readable(), "next");
    assert_eq!(rechat.send("qq", "group_77", "still connected").await, sent("101"));
}

#[tokio::test]
async fn garbage_is_skipped() {
    let mut rechat = rechat().await;
    let peer = dial(&rechat, "1", willing()).await;
    for frame in ["", "{", "[]", "null", "42", "{\"post_type\":{}}", "{\"retcode\":\"x\"}"] {
        peer.push_text(frame);
    }
    peer.push(&group_message(1, 77, 1, "still here"));
    assert_eq!(rechat.message().await.content.readable(), "still here");
}
