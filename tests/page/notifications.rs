//! Notifications, and what is told of unread messages from afar.

use crate::browser::Tab;
use crate::onebot11;
use crate::server::TestServer;
use crate::views::qq;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// A browser that allows notifications, and keeps what it is given.
const NOTIFIER: &str = "window.shown = [];
    window.Notification = class {
        static permission = 'default';
        static async requestPermission() { return (this.permission = 'granted'); }
        constructor(title, { body }) { window.shown.push(`${title} / ${body}`); }
        close() { window.takenBack = (window.takenBack ?? 0) + 1; }
    };";

/// Counts the messages of which a tab knows whether it is the one that tells of them.
const DECISIONS: &str = "window.decided = 0;
    const ask = navigator.locks.request.bind(navigator.locks);
    navigator.locks.request = (name, options, act) => ask(name, options, (lock) => {
        const held = act(lock);
        setTimeout(() => (window.decided += 1));
        return held;
    });";

/// A private message of just now.
fn private(id: i64, text: &str) -> Value {
    let mut event = onebot11::group_message(10_001_000, 7, id, text);
    event["message_type"] = json!("private");
    event["sub_type"] = json!("friend");
    event.as_object_mut().unwrap().remove("group_id");
    event["time"] = json!(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs());
    event
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn private_chats_notify_once_one_has_asked_for_it() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    let tab = Tab::open(&server.url("/#messages")).await;
    tab.run(NOTIFIER).await;
    let private = |id, text: &str| peer.push(&private(id, text));
    private(1, "before it is switched on");
    tab.sees(".row.conversation", "before it is switched on").await;
    tab.click("button[aria-label='Keys and settings']").await;
    tab.run("[...document.querySelectorAll('dialog label')].find((l) => l.innerText === 'Notifications').click()").await;
    tab.until("it is allowed", "return JSON.parse(localStorage.getItem('rechat.preferences') ?? '{}').notifications === true").await;
    private(2, "hello there");
    tab.until(
        "it is shown",
        "return window.shown.length === 1 && window.shown[0].endsWith('hello there')",
    )
    .await;
    // A group notifies of mentions alone, so the next one that is shown is the private one.
    peer.push(&onebot11::group_message(10_001_000, 7, 3, "just talk"));
    tab.sees(".row.conversation", "Group 7").await;
    private(4, "and again");
    tab.until(
        "only private ones",
        "return window.shown.length === 2 && window.shown[1].endsWith('and again')",
    )
    .await;
    // Once it is read, elsewhere too, it is gone.
    assert_eq!(tab.run("return window.takenBack ?? 0").await, json!(0));
    let read = json!({"read_to": "latest"});
    server.ask("PATCH", "/api/conversations/qq/private_4242", Some(&read));
    tab.until("it is taken back", "return window.takenBack === 1").await;
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn unread_messages_are_told_from_every_view() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    let tab = Tab::open(&server.url("/#platforms")).await;
    tab.sees(".connection", "Live").await;
    for id in 1..=3 {
        peer.push(&onebot11::group_message(10_001_000, 7, id, "hello"));
    }
    tab.sees("nav .badge", "3").await;
    tab.until("the title tells it", "return document.title === '(3) Platforms · rechat'").await;
    tab.go(&server.url("/#messages?platform=qq&conversation=group_7")).await;
    tab.texts(".message", 3).await;
    tab.until("all is read", "return document.querySelector('nav .badge').hidden").await;
    tab.until("the title, too", "return document.title === 'Messages · rechat'").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn a_message_notifies_in_one_of_two_tabs() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    let url = server.url("/#messages");
    let tab = Tab::open(&url).await;
    tab.run("localStorage.setItem('rechat.preferences', JSON.stringify({notifications: true}))")
        .await;
    tab.reload().await;
    let live = "return document.querySelector('.connection')?.dataset.state === 'live'";
    let script = format!("{NOTIFIER} window.Notification.permission = 'granted'; {DECISIONS}");
    tab.until("it is live", live).await;
    tab.run(&script).await;
    tab.open_beside(&url).await;
    tab.until("it is live", live).await;
    tab.run(&script).await;
    for (id, text) in [(1, "hello"), (2, "the end")] {
        peer.push(&private(id, text));
    }
    let mut told: Vec<Value> = Vec::new();
    for at in [0, 1] {
        tab.turn_to(at).await;
        tab.until("it has decided on both", "return window.decided === 2").await;
        told.extend(tab.run("return window.shown").await.as_array().unwrap().iter().cloned());
    }
    told.sort_by_key(Value::to_string);
    assert_eq!(told, [json!("Nick / Card: hello"), json!("Nick / Card: the end")]);
}
