//! Languages, widths, themes, and what axe finds to say of accessibility.

use crate::bots::BOTS;
use crate::browser::{Person, READER, Tab};
use crate::onebot11;
use crate::server::{Home, TestServer};
use crate::tools;
use crate::views::qq;
use fantoccini::key::Key;
use serde_json::{Value, json};
use std::sync::Arc;

const PHONE: Person = Person { width: 360, height: 740, ..READER };
const VIEWS: [&str; 5] = ["dashboard", "messages", "activity", "send", "platforms"];

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn the_browsers_language_is_spoken_and_can_be_changed() {
    let server = TestServer::start();
    let chinese = Person { language: "zh-CN", ..READER };
    let tab = Tab::open_as(chinese, &server.url("/")).await;
    tab.sees(".welcome", "欢迎使用 rechat").await;
    assert_eq!(tab.run("return document.documentElement.lang").await, json!("zh-CN"));
    tab.press("English").await;
    tab.sees(".welcome", "Welcome to rechat").await;
    tab.reload().await;
    tab.sees(".welcome", "Welcome to rechat").await;
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn a_chosen_theme_stays() {
    let server = TestServer::start();
    let tab = Tab::open(&server.url("/")).await;
    let dark = "return getComputedStyle(document.documentElement).colorScheme === 'dark'";
    tab.press("System").await;
    tab.press("Light").await;
    tab.until("it is dark", dark).await;
    tab.reload().await;
    tab.until("it is dark still", dark).await;
    tab.was_quiet().await;
}

/// Every view, with something in it, on both screens and in both themes.
#[tokio::test]
#[ignore = "needs Chromium and axe: tests/run"]
async fn nothing_is_inaccessible_or_sticks_out() {
    let home = Arc::new(Home::new());
    home.configure(BOTS);
    let server = TestServer::start_in(home, &["--loopback"]);
    let peer = qq(&server).await;
    peer.push(&onebot11::group_message(10_001_000, 7, 1, "a message that came in"));
    server.make_for(
        Some("loopback"),
        "group_1",
        &"a long one without a space".repeat(40).replace(' ', ""),
    );
    let id = server.make_for(
        Some("nowhere"),
        "group_with_a_rather_long_name_that_goes_on",
        "one that waits",
    );
    let axe = std::fs::read_to_string(tools::node_modules().join("axe-core/axe.min.js")).unwrap();
    let tab = Tab::open(&server.url("/")).await;
    let details = format!("activity?message={id}");
    let chats = ["group_7", "group_1"].map(|name| {
        let platform = if name == "group_7" { "qq" } else { "loopback" };
        format!("messages?platform={platform}&conversation={name}")
    });
    for dark in [false, true] {
        for screen in [READER, PHONE] {
            tab.becomes(Person { dark, ..screen }).await;
            let more = chats.iter().chain([&details]).map(String::as_str);
            for view in VIEWS.into_iter().chain(more) {
                tab.go(&server.url(&format!("/#{view}"))).await;
                tab.until("the view is there", "return document.querySelector('main h1') && document.querySelector('.connection').dataset.state === 'live'").await;
                if view == "platforms" {
                    tab.sees(".bots", "koishi").await;
                }
                tab.run("document.querySelectorAll('main details').forEach((each) => { each.open = true; })").await;
                let name = format!("{view}, {} px, dark: {dark}", screen.width);
                let wide = tab.run("return [...document.querySelectorAll('html, main, main *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && e.checkVisibility() && !e.closest('.row, .unseen, svg, .text')).map((e) => e.tagName + '.' + e.className)").await;
                assert_eq!(wide, json!([]), "{name}: sticks out");
                let found = findings(&tab, &axe).await;
                assert_eq!(found, json!([]), "{name}");
            }
        }
    }
    tab.was_quiet().await;
}

/// The dialogs that open above the chat.
#[tokio::test]
#[ignore = "needs Chromium and axe: tests/run"]
async fn what_opens_above_the_chat_is_accessible() {
    let server = TestServer::start_with(&["--loopback"]);
    server.make_for(Some("loopback"), "group_1", "hello");
    let axe = std::fs::read_to_string(tools::node_modules().join("axe-core/axe.min.js")).unwrap();
    let tab = Tab::open(&server.url("/#messages?platform=loopback&conversation=group_1")).await;
    for dark in [false, true] {
        tab.becomes(Person { dark, ..READER }).await;
        for (opens, shown) in [
            ("document.querySelector('[aria-label=Emoji]').click()", ".emoji-grid"),
            ("document.querySelector('[aria-label=Conversation]').click()", ".menu"),
            (
                "document.querySelector('.message').dispatchEvent(new Event('mouseover', {bubbles: true})); document.querySelector('.tools [aria-label=More]').click()",
                ".quick",
            ),
            ("document.querySelector('[aria-label=\"Keys and settings\"]').click()", "dialog"),
        ] {
            tab.sees(".message", "hello").await;
            tab.run(opens).await;
            tab.sees(shown, "").await;
            assert_eq!(findings(&tab, &axe).await, json!([]), "{shown}, dark: {dark}");
            tab.key(Key::Escape).await;
            tab.until("it closes", "return !document.querySelector('dialog[open], :popover-open')")
                .await;
        }
    }
    // A phone has neither keys nor notifications of a desktop.
    tab.becomes(PHONE).await;
    tab.run("document.querySelector('[aria-label=\"Keys and settings\"]').click()").await;
    tab.sees("dialog .choices", "Enter").await;
    let hidden = tab.run("return ['.key-list', '.of-desktop'].map((place) => document.querySelector(place).checkVisibility())").await;
    assert_eq!(hidden, json!([false, false]));
    tab.was_quiet().await;
}

/// Findings of axe, in short.
pub async fn findings(tab: &Tab, axe: &str) -> Value {
    let script = format!(
        "if (!window.axe) {{ {axe} }}
         return axe.run(document, {{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}})
           .then((told) => told.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html + ' ' + n.failureSummary).join(' | ')))"
    );
    tab.run(&script).await
}
