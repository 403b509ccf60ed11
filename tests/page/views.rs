//! The dashboard and the platforms.

use crate::browser::{Person, READER, Tab};
use crate::front::Front;
use crate::onebot::{Listener, Peer};
use crate::onebot11;
use crate::server::{Home, TestServer};
use serde_json::json;
use std::sync::Arc;

pub async fn qq(server: &TestServer) -> Peer {
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let headers = onebot11::headers("10001000", "Universal");
    Peer::dial(&url, &headers, onebot11::willing()).await.unwrap()
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn an_empty_server_says_what_to_do() {
    let server = TestServer::start();
    let tab = Tab::open(&server.url("/")).await;
    tab.sees(".welcome", "Welcome to rechat").await;
    tab.press("Connect a platform").await;
    tab.sees(".platform-grid", "No platform is connected yet").await;
    tab.sees(".guide", &format!("ws://{}/onebot/v11/ws", server.address)).await;
    for view in ["Messages", "Activity"] {
        tab.press(view).await;
        tab.sees(".list-state", "No messages yet").await;
    }
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn the_dashboard_moves_live_and_leads_to_the_messages() {
    let server = TestServer::start_with(&["--loopback"]);
    let tab = Tab::open(&server.url("/")).await;
    tab.sees(".stat.total", "0").await;
    tab.sees(".adapter-line", "Connected").await;
    server.make_for(Some("loopback"), "group_1", "the first of all");
    let waits = server.make_for(Some("nowhere"), "group_2", "one that waits");
    tab.sees(".stat.sent", "1").await;
    tab.sees(".stat.pending", "1").await;
    tab.sees(".stat.total", "2").await;
    tab.sees(".latest", "the first of all").await;
    tab.misses("main", "Welcome to rechat").await;
    tab.sees(".legend", "Outgoing 2").await;
    tab.press("Day").await;
    tab.sees(".choice [aria-pressed=true]", "Day").await;
    tab.click(".stat.pending").await;
    assert_eq!(tab.texts(".sizer .row", 1).await.len(), 1);
    tab.sees(".sizer .row", "one that waits").await;
    // A message that leaves the status leaves the list.
    server.ask("DELETE", &format!("/api/messages/{waits}"), None);
    let other = server.make_for(Some("nowhere"), "group_2", "another");
    tab.sees(".sizer", "another").await;
    let canceled = json!({"status": "Canceled"});
    server.ask("PATCH", &format!("/api/messages/{other}"), Some(&canceled));
    tab.misses(".sizer", "another").await;
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn platforms_show_how_they_are() {
    let server = TestServer::start();
    let tab = Tab::open(&server.url("/#platforms")).await;
    tab.sees(".platform-grid", "No platform").await;
    let peer = qq(&server).await;
    tab.sees(".platform", "QQ").await;
    tab.sees(".platform", "Connected").await;
    tab.sees(".platform", "10001000").await;
    peer.push(&onebot11::group_message(10_001_000, 7, 1, "hello"));
    tab.until("one is received", "return document.querySelector('.numbers dd')?.innerText === '1'")
        .await;
    peer.drop_connection();
    tab.sees(".platform", "Disconnected").await;
    tab.was_quiet().await;
}

/// The window's scrollbar would come beside the view's own, and the frame would scroll away.
#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn only_the_view_scrolls() {
    let server = TestServer::start_with(&["--loopback"]);
    let mut id = String::new();
    for n in 0..12 {
        id = server.make_for(Some("loopback"), "group_1", &format!("hello {n}"));
    }
    let tab = Tab::open(&server.url("/")).await;
    let details = format!("activity?message={id}");
    let chat = "messages?platform=loopback&conversation=group_1";
    for screen in [READER, Person { width: 360, height: 740, ..READER }] {
        tab.becomes(screen).await;
        for view in ["dashboard", "messages", chat, "activity", "send", "platforms", &details] {
            tab.go(&server.url(&format!("/#{view}"))).await;
            tab.sees("main", "").await;
            tab.until("it is drawn", "return document.querySelector('main h1') && !document.body.innerText.includes('Loading')").await;
            let beyond = "scrollTo(0, 9999); return [document.documentElement.scrollHeight - innerHeight, scrollY]";
            assert_eq!(tab.run(beyond).await, json!([0, 0]), "{view}, {} px", screen.width);
        }
    }
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn an_error_goes_once_the_connection_is_back() {
    let listener = Listener::new(None).await;
    let front = Front::of("127.0.0.1:9").await;
    let home = Arc::new(Home::new());
    let url = format!("ws://{}/", front.address);
    home.configure(&format!("[[adapter]]\nkind = 'onebot11'\nurl = '{url}'\n"));
    let server = TestServer::start_in(home, &[]);
    let tab = Tab::open(&server.url("/#platforms")).await;
    tab.sees(".last-error", "Last error:").await;
    front.turn_to(listener.url().trim_start_matches("ws://").trim_end_matches('/'));
    let peer = listener.accept(onebot11::willing()).await;
    peer.push(&onebot11::lifecycle(10_001_000));
    tab.sees(".platform", "Connected").await;
    tab.until("no error is left", "return document.querySelector('.last-error') === null").await;
}

/// Answers of a server that logs in to WeChat, one after the other.
const WECHAT: &str = "const answers = [
        {id: 'a', state: 'wait', modules: ['101', '010', '111']},
        {id: 'a', state: 'digits'},
        {id: 'a', state: 'done', account: 'o-1'},
    ];
    const real = window.fetch;
    window.asked = [];
    window.fetch = async (url, options) => {
        if (!String(url).includes('api/login')) return real(url, options);
        window.asked.push([options.method ?? 'GET', options.body ?? ''].join(' ').trim());
        // Digits are asked for until they are given.
        if (options.body) answers.shift();
        return new Response(JSON.stringify(answers[0].state === 'wait' ? answers.shift() : answers[0]));
    };";

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn one_signs_in_to_wechat_by_a_code() {
    let server = TestServer::start();
    let tab = Tab::open(&server.url("/#platforms")).await;
    tab.run(WECHAT).await;
    tab.press("WeChat: its official bot interface").await;
    tab.press("Show the code").await;
    tab.sees(".wechat-login", "Scan this code with WeChat.").await;
    tab.until("the code", "return document.querySelector('.qr-code path:last-child').getAttribute('d').startsWith('M4 4h1v1h-1zM6 4')").await;
    tab.sees(".wechat-login", "Enter the digits").await;
    tab.write(".digits-form input", "42").await;
    tab.press("Confirm").await;
    tab.sees(".wechat-login", "Logged in as o-1").await;
    assert_eq!(
        tab.run("return [window.asked[0], window.asked.at(-1)]").await,
        json!(["POST", "POST {\"digits\":\"42\"}"])
    );
    tab.was_quiet().await;
}
