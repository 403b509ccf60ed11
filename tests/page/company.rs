//! The chat with others in it: who is here, emoji by name, several messages as one forward, pictures one
//! after the other, and what is seen as it comes.

use crate::browser::Tab;
use crate::onebot::{Peer, Reply};
use crate::onebot11;
use crate::server::{TestServer, agent, eventually};
use crate::views::qq;
use fantoccini::key::Key;
use serde_json::{Value, json};
use std::io::Cursor;

fn group(server: &TestServer) -> String {
    server.url("/#messages?platform=qq&conversation=group_7")
}

/// A message of somebody else than the usual sender.
fn from_zoe(id: i64, text: &str) -> Value {
    let mut event = onebot11::group_message(10_001_000, 7, id, text);
    event["user_id"] = json!(77);
    event["sender"] = json!({"user_id": 77, "nickname": "Zoe", "card": ""});
    event
}

fn until_stored(server: &TestServer, total: u64) {
    eventually("the messages are stored", || {
        (server.get("/api/stats").1["total"] == total).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn somebody_who_wrote_long_ago_is_listed_and_mentioned() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    peer.push(&from_zoe(1, "the first of many"));
    for id in 2..=130 {
        peer.push(&onebot11::group_message(10_001_000, 7, id, &format!("word {id}")));
    }
    until_stored(&server, 130);
    server.ask("PATCH", "/api/conversations/qq/group_7", Some(&json!({"read_to": "latest"})));
    let tab = Tab::open(&group(&server)).await;
    tab.sees(".message", "word 130").await;
    tab.misses(".message", "the first of many").await;
    tab.click("[aria-label=People]").await;
    tab.sees(".people-here", "2 people wrote here lately.").await;
    let shown = tab.texts(".people button", 2).await;
    assert!(shown[0].contains("Card") && shown[1].contains("Zoe"), "{shown:?}");
    tab.write(".people-here input", "zo").await;
    tab.texts(".people button", 1).await;
    tab.click(".people button").await;
    tab.until(
        "she stands in the field, which has the cursor",
        "return document.activeElement === document.querySelector('.composer textarea') && document.activeElement.value === '@Zoe '",
    )
    .await;
    tab.write(".composer textarea", "hello").await;
    tab.key(Key::Enter).await;
    let sent = peer.action("send_group_msg").await;
    assert_eq!(
        sent["params"]["message"][0],
        json!({"type": "at", "data": {"qq": "77", "name": "Zoe"}}),
        "{sent}"
    );
    // The platform lists no members.
    assert_eq!(tab.complaints(&["409"]).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn an_emoji_is_found_by_its_name_in_both_languages() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    peer.push(&onebot11::group_message(10_001_000, 7, 1, "hello"));
    let tab = Tab::open(&group(&server)).await;
    for (name, emoji) in [("coffee", "☕"), ("生日", "🎂")] {
        tab.click("[aria-label=Emoji]").await;
        tab.find(".emoji-grid button[title*=grin]").await;
        tab.write("[aria-label='Find an emoji']", name).await;
        let found = tab.texts(".emoji-grid button", 1).await;
        assert_eq!(found, [emoji]);
        tab.key(Key::Enter).await;
        let put = format!(
            "return document.querySelector('.composer textarea').value.endsWith('{emoji}')"
        );
        tab.until("it is put in", &put).await;
    }
    tab.was_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn several_messages_are_forwarded_as_one_with_their_authors() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    peer.push(&onebot11::group_message(10_001_000, 8, 9, "the other group"));
    peer.push(&onebot11::group_message(10_001_000, 7, 1, "shall we?"));
    peer.push(&from_zoe(2, "we shall"));
    until_stored(&server, 3);
    let tab = Tab::open(&group(&server)).await;
    tab.sees(".message", "we shall").await;
    tab.run("const message = [...document.querySelectorAll('.message')].at(-1); message.focus(); return true").await;
    tab.key(Key::Enter).await;
    tab.press("Select").await;
    tab.sees(".selection", "1").await;
    tab.click(".message").await;
    tab.sees(".selection", "2").await;
    tab.press("Forward as one").await;
    tab.write(".popup input", "Group 8").await;
    tab.key(Key::Enter).await;
    let sent = peer.action("send_group_forward_msg").await;
    assert_eq!(sent["params"]["group_id"].to_string().trim_matches('"'), "8");
    let nodes = sent["params"]["messages"].to_string();
    for part in ["Card", "shall we?", "Zoe", "we shall"] {
        assert!(nodes.contains(part), "{part}: {nodes}");
    }
    tab.was_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn what_is_seen_as_it_comes_is_never_counted() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    peer.push(&onebot11::group_message(10_001_000, 7, 1, "before"));
    let tab = Tab::open(&group(&server)).await;
    tab.sees(".message", "before").await;
    let unread = || server.get("/api/conversations/qq/group_7").1["unread"].as_u64().unwrap_or(0);
    eventually("it is read", || (unread() == 0).then_some(()));
    tab.until("the title counts nothing", "return !document.title.startsWith('(')").await;
    tab.run("window.titles = []; new MutationObserver(() => window.titles.push(document.title)).observe(document.querySelector('title'), {childList: true}); return true").await;
    for id in 2..=6 {
        peer.push(&onebot11::group_message(10_001_000, 7, id, &format!("live {id}")));
        tab.sees(".message", &format!("live {id}")).await;
    }
    eventually("they are read", || (unread() == 0).then_some(()));
    let titles = tab.run("return window.titles.filter((title) => title.startsWith('('))").await;
    assert_eq!(titles, json!([]));
    // Elsewhere it counts.
    peer.push(&onebot11::group_message(10_001_000, 8, 9, "elsewhere"));
    tab.until("the title counts it", "return document.title.startsWith('(1)')").await;
    tab.was_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn the_arrows_lead_from_picture_to_picture() {
    let server = TestServer::start_with(&["--loopback"]);
    for (name, width) in [("one.png", 30), ("two.png", 40), ("three.png", 50)] {
        let mut png = Cursor::new(Vec::new());
        image::RgbImage::new(width, 20).write_to(&mut png, image::ImageFormat::Png).unwrap();
        let request = ureq::http::Request::post(server.url(&format!("/api/media?name={name}")))
            .header("content-type", "image/png");
        let mut answer = agent().run(request.body(png.into_inner()).unwrap()).unwrap();
        let kept: Value =
            serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
        let segments = json!([{"type": "image", "name": name, "media": kept["media"]}]);
        let body = json!({"segments": segments, "recipient": "group_1", "platform": "loopback"});
        assert_eq!(server.ask("POST", "/api/messages", Some(&body)).0, 201);
    }
    let tab = Tab::open(&server.url("/#messages?platform=loopback&conversation=group_1")).await;
    tab.texts(".medium .picture", 3).await;
    tab.click("[aria-label*='two.png'].picture").await;
    let shows = |width: u32| {
        format!("return document.querySelector('.viewer[open] img')?.naturalWidth === {width}")
    };
    tab.until("the second", &shows(40)).await;
    tab.key(Key::Right).await;
    tab.until("the third", &shows(50)).await;
    assert_eq!(
        tab.run("return document.querySelector('[aria-label=\"Next picture\"]')").await,
        Value::Null
    );
    tab.key(Key::Left).await;
    tab.until("the second again", &shows(40)).await;
    tab.click("[aria-label='Previous picture']").await;
    tab.until("the first", &shows(30)).await;
    tab.key(Key::Escape).await;
    tab.until("it is closed", "return !document.querySelector('.viewer[open]')").await;
    tab.was_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn the_conversations_are_asked_for_before_the_script_is_here_and_used_once() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    peer.push(&onebot11::group_message(10_001_000, 7, 1, "hello"));
    until_stored(&server, 1);
    let tab = Tab::open(&server.url("/#messages")).await;
    tab.sees(".row.conversation", "hello").await;
    let asked = "return performance.getEntriesByType('resource').filter((e) => e.name.endsWith('api/conversations?limit=200')).length";
    // Once early, and once after the subscription, before which something may have been missed.
    tab.until(
        "it is live",
        "return document.querySelector('.connection').dataset.state === 'live'",
    )
    .await;
    tab.until("asked twice", &format!("{asked} === 2")).await;
    let early =
        "return performance.getEntriesByType('resource').find((e) => e.name.includes('api/')).name";
    assert!(tab.run(early).await.as_str().unwrap().ends_with("api/conversations?limit=200"));
    tab.was_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn silent_members_are_listed_with_their_roles_and_mentioned() {
    let server = TestServer::start();
    let list = Reply::ok(json!([
        {"user_id": 4242, "nickname": "Nick", "card": "Card", "role": "member"},
        {"user_id": 5, "nickname": "Silent Ann", "role": "admin", "title": "水王"},
        {"user_id": 6, "nickname": "阿莉", "role": "owner"},
        {"user_id": 7, "nickname": "Bo", "role": "member"},
    ]));
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let headers = onebot11::headers("10001000", "Universal");
    let script = onebot11::willing_but("get_group_member_list", list);
    let peer = Peer::dial(&url, &headers, script).await.unwrap();
    peer.push(&onebot11::group_message(10_001_000, 7, 1, "hello"));
    until_stored(&server, 1);
    let tab = Tab::open(&group(&server)).await;
    tab.sees(".message", "hello").await;
    tab.click("[aria-label=People]").await;
    tab.sees(".people-here", "4 members.").await;
    let shown = tab.texts(".people button", 4).await;
    let order = ["Card", "阿莉", "Silent Ann", "Bo"];
    let in_order = shown.iter().zip(order).all(|(row, name)| row.contains(name));
    assert!(in_order, "who wrote comes first, then those with a role: {shown:?}");
    assert_eq!(tab.texts(".people .role", 3).await, ["Owner", "Admin", "水王"]);
    tab.key(Key::Escape).await;
    tab.write(".composer textarea", "@sil").await;
    tab.sees(".mentions", "Silent Ann").await;
    tab.key(Key::Enter).await;
    tab.key(Key::Enter).await;
    let sent = peer.action("send_group_msg").await;
    assert_eq!(sent["params"]["message"][0]["data"]["qq"], "5", "{sent}");
    tab.was_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn a_long_name_leaves_room_for_what_was_said() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    let mut event = onebot11::group_message(10_001_000, 7, 1, "the words");
    event["sender"]["card"] = json!("Dr. Elisabeth Schwarzenberger-Lindqvist of the North");
    peer.push(&event);
    until_stored(&server, 1);
    let tab = Tab::open(&server.url("/#messages")).await;
    tab.sees(".row.conversation", "the words").await;
    let room = "const line = document.querySelector('.row.conversation .text'); const who = line.querySelector('.who'); return who.getBoundingClientRect().width < line.getBoundingClientRect().width / 2";
    assert_eq!(tab.run(room).await, json!(true));
    tab.was_quiet().await;
}
