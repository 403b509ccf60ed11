//! After a break: what was missed comes, once.

use crate::browser::Tab;
use crate::front::Front;
use crate::server::TestServer;
use serde_json::json;

/// Browser errors for a server that is gone; no fault of the page.
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
    // Older ones may have changed, too.
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
