//! A server with a token.

use crate::browser::{Person, READER, Tab};
use crate::server::TestServer;
use fantoccini::key::Key;
use serde_json::json;

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn the_token_is_asked_for_and_stays_in_the_tab() {
    let server = TestServer::start_with(&["--token", "open sesame", "--loopback"]);
    let tab = Tab::open(&server.url("/#messages")).await;
    tab.sees(".login", "Sign in to rechat").await;
    tab.write("#token", "wrong").await;
    tab.key(Key::Enter).await;
    tab.sees("#token-problem", "not the server’s token").await;
    tab.write("#token", "open sesame").await;
    tab.key(Key::Enter).await;
    tab.sees(".list-state", "No messages yet").await;
    tab.sees(".connection", "Live").await;
    assert!(!tab.address().await.contains("sesame"));
    assert_eq!(tab.run("return localStorage.length + history.length < 4").await, json!(true));
    tab.reload().await;
    tab.sees(".connection", "Live").await;
    tab.press("Sign out").await;
    tab.sees(".login", "Sign in to rechat").await;
    assert_eq!(tab.run("return sessionStorage.length").await, json!(0));
    let expected = ["401", "WebSocket connection"];
    assert_eq!(tab.complaints(&expected).await, Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn the_card_is_in_the_middle() {
    let server = TestServer::start_with(&["--token", "open sesame"]);
    let tab = Tab::open(&server.url("/#messages")).await;
    for (width, height) in [(1280, 800), (900, 500), (360, 740)] {
        tab.becomes(Person { width, height, ..READER }).await;
        let off = "const at = document.querySelector('.login').getBoundingClientRect();
            return [at.left + at.right - innerWidth, at.top + at.bottom - innerHeight].every((off) => Math.abs(off) <= 2)";
        tab.until(&format!("it is in the middle of {width} x {height}"), off).await;
        let beyond = "return document.documentElement.scrollHeight - innerHeight";
        assert_eq!(tab.run(beyond).await, json!(0));
    }
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn an_address_of_rechat_open_signs_in_once() {
    let server = TestServer::start_with(&["--token", "open sesame", "--loopback"]);
    let printed = server.home.ok(&["open", "--print"]);
    let tab = Tab::open(printed.trim()).await;
    tab.sees(".connection", "Live").await;
    let address = tab.address().await;
    assert!(!address.contains("sign-in") && !address.contains("sesame"), "{address}");
    let again = Tab::open(printed.trim()).await;
    again.sees("#token-problem", "rechat open").await;
    again.write("#token", "open sesame").await;
    again.key(Key::Enter).await;
    again.sees(".connection", "Live").await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn one_can_stay_signed_in_until_one_signs_out() {
    let server = TestServer::start_with(&["--token", "open sesame", "--loopback"]);
    let tab = Tab::open(&server.url("/#messages")).await;
    tab.sees(".login", "Stay signed in").await;
    tab.click(".login .stays input").await;
    tab.write("#token", "open sesame").await;
    tab.key(Key::Enter).await;
    tab.sees(".connection", "Live").await;
    // As another tab, or the next start of the app.
    tab.run("sessionStorage.clear()").await;
    tab.reload().await;
    tab.sees(".connection", "Live").await;
    tab.press("Sign out").await;
    tab.sees(".login", "Sign in to rechat").await;
    tab.reload().await;
    tab.sees(".login", "Sign in to rechat").await;
    assert_eq!(tab.run("return localStorage.length + sessionStorage.length").await, json!(0));
}
