//! After a broken connection, missed messages come once.

use crate::browser::Tab;
use crate::front::Front;
use crate::server::TestServer;
use serde_json::json;

/// Browser errors about a missing server, which are not errors of the page.
const GONE: [&str; 2] = ["WebSocket connection", "Failed to load resource"];

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn what_was_missed_comes_once() {
    let mut server = TestServer::start();
    let front = Front::of(&server.address).await;
    let first = server.make_for(Some("nowhere"), "group_1", "before the break");
    let tab = Tab::open(&format!("http://{}/#activity", front.address)).await;
    tab.sees(".sizer", "before the break").await;
    tab.sees(".connection", "Live").await;
    server.make_for(Some("nowhere"), "group_1", "just before");
    tab.sees(".sizer", "just before").await;
    server.kill();
    tab.sees(".connection", "Reconnecting").await;
    server.start_again();
    for i in 0..20 {
        server.make_for(Some("nowhere"), "group_1", &format!("missed {i}"));
    }
    // Older messages may have changed, too.
    let canceled = json!({"status": "Canceled"});
    server.ask("PATCH", &format!("/api/messages/{first}"), Some(&canceled));
    front.turn_to(&server.address);
    tab.sees(".toast", "Connected again. 20 messages came meanwhile").await;
    tab.sees(".connection", "Live").await;
    tab.run("document.querySelector('.list').style.height = '2000px'; document.querySelector('.list').style.flex = 'none'").await;
    let rows = tab.texts(".sizer .row", 22).await;
    let mut wanted: Vec<_> = (0..20).map(|i| format!("missed {i}")).collect();
    wanted.extend(["just before".to_owned(), "before the break".to_owned()]);
    for text in wanted {
        let count = rows.iter().filter(|row| row.lines().any(|line| line == text)).count();
        assert_eq!(count, 1, "{text}: {rows:?}");
    }
    tab.until("the canceled one is seen as such", "return [...document.querySelectorAll('.sizer .row')].some((row) => row.innerText.includes('before the break') && row.innerText.includes('Canceled'))").await;
    assert_eq!(tab.complaints(&GONE).await, Vec::<String>::new());
}

/// Holds back the next answer about one message, as it is told now, until `release` is called.
const HELD: &str = "const real = window.fetch;
    window.held = 0;
    window.fetch = async (url, options) => {
        const answer = await real(url, options);
        if (window.held || !/api\\/messages\\/[^/?]+$/.test(String(url))) return answer;
        const body = await answer.text();
        window.held = 1;
        await new Promise((resolve) => { window.release = resolve; });
        window.held = 2;
        return new Response(body, { status: answer.status });
    };";

/// True once the page has had time for other work, several times.
const TURNS: &str = "window.turns = (window.turns ?? 0) + 1; return window.turns > 3";

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn an_answer_that_an_event_overtook_changes_nothing() {
    let server = TestServer::start();
    let id = server.make_for(Some("nowhere"), "group_1", "told twice");
    let tab = Tab::open(&server.url("/#activity")).await;
    tab.sees(".sizer", "told twice").await;
    tab.sees(".connection", "Live").await;
    tab.run(HELD).await;
    tab.click(".sizer .row").await;
    tab.until("the details are asked for", "return window.held === 1").await;
    let canceled = json!({"status": "Canceled"});
    server.ask("PATCH", &format!("/api/messages/{id}"), Some(&canceled));
    tab.sees(".sizer .row", "Canceled").await;
    tab.run("window.release()").await;
    tab.sees(".details", "told twice").await;
    tab.until("the answer is there", "return window.held === 2").await;
    tab.until("it is taken in", TURNS).await;
    tab.sees(".details .status", "Canceled").await;
    assert!(tab.texts(".sizer .row", 1).await[0].contains("Canceled"));
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn a_sent_message_never_goes_back_to_an_earlier_state() {
    let server = TestServer::start();
    let tab = Tab::open(&server.url("/#send")).await;
    tab.sees(".connection", "Live").await;
    tab.run(HELD).await;
    tab.write("#send-conversation", "group_1").await;
    tab.write("#send-content", "Hello").await;
    tab.click("button[type=submit]").await;
    tab.until("its state is asked for", "return window.held === 1").await;
    let id = server.get("/api/messages").1["messages"][0]["id"].as_str().unwrap().to_owned();
    server.ask("PATCH", &format!("/api/messages/{id}"), Some(&json!({"status": "Canceled"})));
    tab.sees(".sent-line .status", "Canceled").await;
    tab.run("window.release()").await;
    tab.until("the answer is there", "return window.held === 2").await;
    tab.until("it is taken in", TURNS).await;
    assert_eq!(tab.texts(".sent-line .status", 1).await, ["Canceled"]);
    tab.was_quiet().await;
}
