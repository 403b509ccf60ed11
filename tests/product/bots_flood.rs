//! A bot that floods: it calls actions without end, sends messages, and reads nothing. The server stays
//! bounded, and others are served.

use crate::account::{implementation, said, server_with, until_accounts};
use crate::framework::Framework;
use crate::onebot::Reply;
use crate::onebot11::willing_but;
use crate::server::eventually;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Actions in all, and the bytes of each: together 1 GB.
const CALLS: usize = 2_000;
const BYTES: usize = 500_000;

/// More than the actions that may be under way (64 MiB, several times while they are read and passed on),
/// and far less than all.
const MAX_GROWTH: u64 = 512 << 20;

/// Events for both bots.
const EVENTS: i64 = 300;

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_floods_and_reads_nothing_is_bounded_and_others_are_served() {
    let (flooding, quiet) = (Framework::new().await, Framework::new().await);
    let entry = |name: &str, framework: &Framework| {
        format!("[[bot]]\nname = '{name}'\nkind = 'onebot11'\nurl = '{}'\n", framework.url())
    };
    let server = server_with(&(entry("flooding", &flooding) + &entry("quiet", &quiet)));
    // Its actions take long, so that those that were taken stay under way.
    let peer = implementation(&server, willing_but("never_answered", Reply::Silent)).await;
    let (mut flood, mut bot) = (flooding.accept().await, quiet.accept().await);
    until_accounts(&server, "quiet", &["qq/10001000"]);
    let before = server.memory();
    let called = Arc::new(AtomicUsize::new(0));
    let calls = tokio::spawn({
        let called = called.clone();
        async move {
            let message = json!({"message_type": "group", "group_id": 77, "message": "flood"});
            let padding = json!({"padding": "x".repeat(BYTES)});
            for n in 0..CALLS {
                flood.call("send_msg", &message, &json!(n)).await;
                flood.call("never_answered", &padding, &json!(n)).await;
                called.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    eventually("the flood has begun", || (called.load(Ordering::Relaxed) > 50).then_some(()));
    for id in 1..=EVENTS {
        peer.push(&said(id, &format!("m{id}")));
    }
    let wanted: Vec<_> = (1..=EVENTS).map(|id| format!("m{id}")).collect();
    assert_eq!(bot.texts(wanted.len()).await, wanted);
    let answer = bot.ask("get_login_info", json!({})).await;
    assert_eq!(answer["status"], "ok", "{answer}");
    assert_eq!(server.get("/api/health").0, 200);
    let grown = server.memory().saturating_sub(before);
    assert!(grown < MAX_GROWTH, "it grew by {} MB", grown >> 20);
    assert!(!calls.is_finished(), "nothing held the flood back");
    calls.abort();
}
