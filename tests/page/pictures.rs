//! The page with a day of messages in it. `RECHAT_PICTURES=folder tests/run pictures` also writes
//! pictures for people there: that of the README, and every view in both themes and widths.

use crate::bots::BOTS;
use crate::browser::{Person, READER, Tab};
use crate::onebot::Peer;
use crate::onebot11;
use crate::server::{Home, TestServer, eventually};
use crate::views::qq;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const DESK: Person = Person { width: 1280, height: 860, ..READER };
const PHONE: Person = Person { width: 360, height: 740, ..READER };

/// A day in some groups: group, its name, who, what.
const TALK: [(i64, &str, &str, &str); 12] = [
    (7, "Hiking club", "Lin", "Who is in for Saturday? The weather looks fine."),
    (7, "Hiking club", "Marta", "Me! Shall we take the ridge this time?"),
    (9, "Ops on call", "Bo", "Disk on node 3 is at 91 %, I am cleaning up the old snapshots"),
    (7, "Hiking club", "阿明", "我也去，几点集合？"),
    (7, "Hiking club", "Lin", "Seven at the station. Bring water, there is none on the way."),
    (9, "Ops on call", "Nia", "Thanks. I will look at the alert thresholds tomorrow."),
    (12, "读书会", "小雨", "这周读到第五章，大家觉得怎么样？"),
    (12, "读书会", "陈老师", "翻译得很好，注释也很详细。"),
    (9, "Ops on call", "Bo", "Done: back to 62 %. Notes at https://wiki.example.com/ops/node3"),
    (7, "Hiking club", "Marta", "Packed already :)"),
    (12, "读书会", "小雨", "周日晚上八点见！"),
    (9, "Ops on call", "Nia", "Deploy of 4.2 is through, all green."),
];

fn talk(peer: &Peer) {
    for (id, (group, name, author, text)) in TALK.iter().enumerate() {
        let mut event = onebot11::group_message(10_001_000, *group, id.try_into().unwrap(), text);
        // Spread over the hour, the last one just now.
        let ago = (TALK.len() - 1 - id) as u64 * 260 + (id as u64 % 3) * 40;
        event["time"] = json!(now() - ago);
        event["group_name"] = json!(name);
        event["sender"]["card"] = json!(author);
        let number = 1000 + author.chars().map(|letter| letter as u32).sum::<u32>();
        event["user_id"] = json!(number);
        event["sender"]["user_id"] = json!(number);
        peer.push(&event);
    }
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

fn post(server: &TestServer, kind: &str, platform: &str, to: &str, content: &str) -> Value {
    let body =
        json!({"message_type": kind, "platform": platform, "recipient": to, "content": content});
    server.post(&body).1
}

async fn lively() -> (TestServer, Peer) {
    let home = Arc::new(Home::new());
    home.configure(BOTS);
    let server = TestServer::start_in(home, &["--loopback"]);
    let peer = qq(&server).await;
    talk(&peer);
    eventually("all have come", || {
        (server.get("/api/stats").1["sent"] == TALK.len()).then_some(())
    });
    post(&server, "Text", "qq", "group_7", "Count me in. I bring coffee.");
    post(
        &server,
        "Image",
        "qq",
        "group_7",
        "https://pictures.example.com/ridge/summit-at-dawn.jpg",
    );
    post(&server, "Text", "loopback", "group_1", "Backup finished: 12.4 GB in 3 min");
    post(
        &server,
        "Text",
        "telegram",
        "private_lee",
        "The invoice is on its way, have a nice weekend!",
    );
    let failed = post(&server, "Text", "telegram", "channel_news", "Release notes for 4.2 are out");
    let path = format!("/api/messages/{}", failed["id"].as_str().unwrap());
    server.ask("PATCH", &path, Some(&json!({"status": "Failed"})));
    (server, peer)
}

async fn shoot(tab: &Tab, file: &Path) {
    tab.until("the view is there", "return document.querySelector('main h1') && !document.body.innerText.includes('…') && document.fonts.status === 'loaded'").await;
    std::fs::write(file, tab.picture().await).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn every_view_can_be_drawn() {
    let (server, _peer) = lively().await;
    let empty = TestServer::start();
    let tab = Tab::open(&server.url("/")).await;
    tab.sees(".latest", "private_lee").await;
    tab.sees(".legend", "Received 12").await;
    let chat = "messages?platform=qq&conversation=group_7";
    tab.go(&server.url(&format!("/#{chat}"))).await;
    tab.sees(".message", "I bring coffee").await;
    let Some(folder) = std::env::var_os("RECHAT_PICTURES").map(PathBuf::from) else { return };
    std::fs::create_dir_all(&folder).unwrap();
    shoot(&tab, &folder.join("page.png")).await;
    let id =
        server.get("/api/messages?conversation=group_7&limit=1").1["messages"][0]["id"].clone();
    let details = format!("activity?message={}", id.as_str().unwrap());
    let views = [
        (&server, "dashboard"),
        (&server, "messages"),
        (&server, chat),
        (&server, "activity"),
        (&server, &details),
        (&server, "send"),
        (&server, "platforms"),
        (&empty, "dashboard"),
        (&empty, "messages"),
        (&empty, "platforms"),
    ];
    for (at, (server, view)) in views.into_iter().enumerate() {
        for (width, screen) in [("wide", DESK), ("phone", PHONE)] {
            for (theme, dark) in [("light", false), ("dark", true)] {
                tab.becomes(Person { dark, ..screen }).await;
                tab.go(&server.url("/#send")).await;
                tab.go(&server.url(&format!("/#{view}"))).await;
                tab.until(
                    "it is live",
                    "return document.querySelector('.connection').dataset.state === 'live'",
                )
                .await;
                tab.run("document.querySelectorAll('.bot details').forEach((each) => { each.open = true; })").await;
                let name = view.split('?').next().unwrap();
                shoot(&tab, &folder.join(format!("{at}-{name}-{width}-{theme}.png"))).await;
            }
        }
    }
}
