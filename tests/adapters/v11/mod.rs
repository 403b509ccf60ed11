mod connections;
mod events;
mod history;
mod sending;

use crate::onebot::Peer;
use crate::onebot11::{group_message, headers, lifecycle, willing};
use crate::rechat::{Rechat, text_to};
use rechat::adapter::{Delivery, PlatformState};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(super) const WS: &str = "/onebot/v11/ws";

pub(super) async fn rechat() -> Rechat {
    Rechat::start(&["kind = 'onebot11'".into()]).await
}

pub(super) async fn dial(rechat: &Rechat, account: &str, script: crate::onebot::Script) -> Peer {
    Peer::dial(&rechat.url(WS), &headers(account, "Universal"), script).await.unwrap()
}

pub(super) fn sent(id: &str) -> Delivery {
    Delivery::Sent { external_id: Some(id.into()), is_unconfirmed: false }
}

#[tokio::test]
async fn messages_go_both_ways() {
    let mut rechat = rechat().await;
    let peer = dial(&rechat, "1", willing()).await;
    assert_eq!(rechat.change().await, ("1".into(), PlatformState::Connected, String::new()));
    peer.push(&lifecycle(1));
    peer.push(&group_message(1, 77, -5, "hello"));
    let message = rechat.message().await;
    assert_eq!(message.conversation, "group_77");
    assert_eq!(message.conversation_name.as_deref(), Some("Group 77"));
    assert_eq!((message.sender.id.as_str(), message.sender.name.as_str()), ("4242", "Card"));
    assert_eq!((message.external_id.as_str(), message.account.as_str()), ("-5", "1"));
    assert_eq!(rechat.send("qq", "group_77", "[CQ:face] & co").await, sent("101"));
    let action = peer.action("send_group_msg").await;
    let segment = json!({"type": "text", "data": {"text": "[CQ:face] & co"}});
    assert_eq!(action["params"], json!({"group_id": 77, "message": [segment]}));
    assert_eq!(rechat.send("qq", "private_5", "hi").await, sent("102"));
    assert_eq!(peer.action("send_private_msg").await["params"]["user_id"], 5);
    rechat.stop().await;
    peer.ended().await;
}

#[tokio::test]
async fn a_thousand_messages_each_way() {
    let mut rechat = rechat().await;
    let peer = dial(&rechat, "1", willing()).await;
    for id in 1..=1000 {
        peer.push(&group_message(1, 77, id, &format!("message {id}")));
    }
    for id in 1..=1000 {
        assert_eq!(rechat.message().await.content.readable(), format!("message {id}"));
    }
    let handle = rechat.handle("qq").await;
    let delivered = Arc::new(AtomicUsize::new(0));
    let sending: Vec<_> = (0..1000)
        .map(|number| {
            let (handle, delivered) = (handle.clone(), Arc::clone(&delivered));
            tokio::spawn(async move {
                let delivery = handle.send(text_to("group_77", &number.to_string())).await;
                assert!(matches!(delivery, Delivery::Sent { .. }), "{delivery:?}");
                delivered.fetch_add(1, Ordering::Relaxed);
            })
        })
        .collect();
    for sent in sending {
        sent.await.unwrap();
    }
    assert_eq!(delivered.load(Ordering::Relaxed), 1000);
}

/// `cargo test --release --test adapters -- --ignored --nocapture events_a_second`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn events_a_second() {
    const EVENTS: u32 = 100_000;
    let mut rechat = rechat().await;
    let peer = dial(&rechat, "1", willing()).await;
    let frame = group_message(1, 77, 1, "看看这个，怎么样？").to_string();
    let began = std::time::Instant::now();
    for _ in 0..EVENTS {
        peer.push_text(&frame);
    }
    for _ in 0..EVENTS {
        rechat.message().await;
    }
    let each = began.elapsed() / EVENTS;
    println!("{each:?} an event, {:.0} events a second", 1.0 / each.as_secs_f64());
}
