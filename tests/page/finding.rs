//! Finding: in one conversation, at a date; choosing several messages; keeping some unread.

use crate::browser::Tab;
use crate::onebot11;
use crate::server::{TestServer, eventually};
use crate::views::qq;
use fantoccini::key::Key;
use serde_json::{Value, json};

/// Midnight in UTC of the day of the first message: 1 March 2025.
const FIRST_DAY: u64 = 1_740_787_200;

fn chat(server: &TestServer) -> String {
    server.url("/#messages?platform=qq&conversation=group_7")
}

/// A server whose group 7 has three messages an hour, of sixteen days, at noon UTC.
async fn sixteen_days() -> (TestServer, crate::onebot::Peer) {
    let server = TestServer::start();
    let peer = qq(&server).await;
    for n in 0..160_u64 {
        let text = if n == 5 || n == 120 {
            format!("the ＮＥＥＤＬＥ {n}")
        } else {
            format!("number {n}.")
        };
        let mut event = onebot11::group_message(10_001_000, 7, n.cast_signed(), &text);
        event["time"] = json!(FIRST_DAY + 43_200 + n / 10 * 86_400 + n % 10 * 60);
        peer.push(&event);
    }
    eventually("all have come", || (server.get("/api/stats").1["sent"] == 160).then_some(()));
    server.ask("PATCH", "/api/conversations/qq/group_7", Some(&json!({"read_to": "latest"})));
    (server, peer)
}

/// The texts that are marked.
const MARKED: &str = "return [...(CSS.highlights.get('found') ?? [])].map(String)";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn a_conversation_is_searched_from_hit_to_hit_and_a_date_is_gone_to() {
    let (server, _peer) = sixteen_days().await;
    let tab = Tab::open(&chat(&server)).await;
    tab.sees(".message", "number 159.").await;
    tab.click(".pane-head [aria-label='Search in this conversation']").await;
    tab.write(".finder input[type=search]", "needle").await;
    tab.sees(".message.marked", "ＮＥＥＤＬＥ 120").await;
    tab.sees(".finder", "1 of 2").await;
    assert_eq!(tab.run(MARKED).await, json!(["ＮＥＥＤＬＥ"]), "in whatever case and width");
    tab.key(Key::Enter).await;
    tab.sees(".message.marked", "ＮＥＥＤＬＥ 5").await;
    tab.sees(".finder", "2 of 2").await;
    // To a day, by what the browser's own calendar gives.
    tab.run("const date = document.querySelector('.finder input[type=date]'); date.value = '2025-03-08'; date.dispatchEvent(new Event('change'))").await;
    tab.sees(".message.marked", "number 70.").await;
    // After the last message there is nothing.
    tab.run("const date = document.querySelector('.finder input[type=date]'); date.value = '2026-01-01'; date.dispatchEvent(new Event('change'))").await;
    tab.sees(".finder", "Nothing matches").await;
    tab.write(".finder input[type=search]", &char::from(Key::Escape).to_string()).await;
    tab.until("it closes", "return document.querySelector('.finder').hidden && document.activeElement.matches('.composer textarea')").await;
    assert_eq!(tab.run(MARKED).await, json!([]));
    tab.was_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn what_a_search_found_is_marked_where_it_was_said() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    let mut event = onebot11::group_message(10_001_000, 7, 1, "");
    event["message"] =
        json!([{"type": "image", "data": {"file": "Ridge.PNG", "url": "http://127.0.0.1:9/r"}}]);
    event["sender"]["card"] = json!("Ann Ridgeway");
    peer.push(&event);
    let tab = Tab::open(&server.url("/#messages?q=ｒｉｄｇｅ")).await;
    // In the name of the sender, and in that of the file.
    let marks = tab.texts(".sidebar mark", 2).await;
    assert_eq!(marks, ["Ridge", "Ridge"]);
    tab.click(".row.conversation").await;
    tab.sees(".message.marked", "Ann Ridgeway").await;
    let marked = tab.until("marks", "const found = [...(CSS.highlights.get('found') ?? [])].map(String); return found.length > 1 && found").await;
    assert_eq!(marked, json!(["Ridge", "Ridge"]));
    tab.was_quiet().await;
}

/// Presses a button of the menu of a message.
async fn act(tab: &Tab, message: &str, action: &str) {
    let script = format!(
        "const message = [...document.querySelectorAll('.message')].find((each) => each.innerText.includes({message})); \
         message.dispatchEvent(new Event('mouseover', {{bubbles: true}})); \
         message.querySelector('.tools [aria-label=More]').click(); return true",
        message = json!(message)
    );
    tab.until("the menu", &script).await;
    tab.press(action).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn several_messages_are_chosen_forwarded_and_deleted() {
    let (server, peer) = sixteen_days().await;
    peer.push(&onebot11::group_message(10_001_000, 8, 1000, "elsewhere"));
    let tab = Tab::open(&chat(&server)).await;
    tab.sees(".message", "number 159.").await;
    act(&tab, "number 158.", "Select").await;
    tab.sees(".selection", "1 selected").await;
    let choose = |text: &str| {
        format!(
            "[...document.querySelectorAll('.message .text')].find((each) => each.innerText === '{text}').click()"
        )
    };
    tab.run(&choose("number 156.")).await;
    tab.sees(".selection", "2 selected").await;
    tab.press("Forward").await;
    tab.write(".popup input", "group_8").await;
    tab.texts(".popup .menu button", 1).await;
    tab.key(Key::Enter).await;
    tab.sees(".pane-name", "group_8").await;
    for text in ["number 156.", "number 158."] {
        let sent = peer.action("send_group_msg").await;
        assert!(sent["params"].to_string().contains(text), "in their order: {sent}");
    }
    tab.go(&chat(&server)).await;
    tab.sees(".message", "number 159.").await;
    act(&tab, "number 159.", "Select").await;
    tab.run(&choose("number 157.")).await;
    tab.press("Delete here").await;
    tab.press("Delete").await;
    tab.misses(".message", "number 157.").await;
    tab.misses(".message", "number 159.").await;
    tab.until(
        "one can write again",
        "return document.querySelector('.composer').checkVisibility()",
    )
    .await;
    tab.was_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn messages_stay_unread_until_their_conversation_is_opened_again() {
    let (server, peer) = sixteen_days().await;
    peer.push(&onebot11::group_message(10_001_000, 8, 1000, "elsewhere"));
    let unread = |group: &str| -> Value {
        server.get(&format!("/api/conversations/qq/{group}")).1["unread"].clone()
    };
    let tab = Tab::open(&chat(&server)).await;
    tab.sees(".message", "number 159.").await;
    act(&tab, "number 157.", "Mark as unread from here").await;
    tab.sees(".entry", "New messages").await;
    eventually("three are unread", || (unread("group_7") == 3).then_some(()));
    // Messages on the screen would be read by now, were it not for the wish.
    let mut more = onebot11::group_message(10_001_000, 7, 2000, "one more");
    more["time"] = json!(FIRST_DAY + 20 * 86_400);
    peer.push(&more);
    tab.sees(".message", "one more").await;
    eventually("four are unread", || (unread("group_7") == 4).then_some(()));
    tab.run("location.hash = '#messages?platform=qq&conversation=group_8'").await;
    tab.sees(".pane-name", "group_8").await;
    eventually("this one is read", || (unread("group_8") == 0).then_some(()));
    assert_eq!(unread("group_7"), 4);
    tab.run("history.back()").await;
    tab.sees(".message", "one more").await;
    eventually("it is read again", || (unread("group_7") == 0).then_some(()));
    // From the list, without opening it.
    tab.run("[...document.querySelectorAll('.row.conversation')].find((row) => row.innerText.includes('elsewhere')).dispatchEvent(new Event('contextmenu', {bubbles: true, cancelable: true}))").await;
    tab.press("Mark as unread").await;
    eventually("it is unread", || (unread("group_8") == 1).then_some(()));
    tab.was_quiet().await;
}
