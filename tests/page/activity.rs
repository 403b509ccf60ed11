//! Activity: all messages, live, searched, filtered, paused, long; and one message at a time.

use crate::browser::{Person, READER, Tab};
use crate::onebot::{Peer, Reply, Script};
use crate::onebot11;
use crate::server::{Home, TestServer};
use crate::views::qq;
use fantoccini::key::Key;
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;
use std::sync::Arc;

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn messages_come_live_and_are_found() {
    let server = TestServer::start_with(&["--loopback"]);
    server.make_for(Some("loopback"), "group_1", "from before");
    let tab = Tab::open(&server.url("/#activity")).await;
    tab.sees(".sizer", "from before").await;
    let peer = qq(&server).await;
    peer.push(&onebot11::group_message(10_001_000, 7, 1, "Tea is ready"));
    tab.sees(".sizer .row", "Tea is ready").await;
    tab.sees(".sizer .row", "Card").await;
    let rows = tab.texts(".sizer .row", 2).await;
    assert!(rows.iter().any(|row| row.contains("QQ · Group 7")), "{rows:?}");
    // The search filters while the user types, in any case, and also messages that come later.
    tab.write("input[type=search]", "TEA").await;
    tab.texts(".sizer .row", 1).await;
    assert!(tab.address().await.ends_with("#activity?q=TEA"));
    peer.push(&onebot11::group_message(10_001_000, 7, 2, "no coffee"));
    peer.push(&onebot11::group_message(10_001_000, 7, 3, "more tea?"));
    tab.sees(".sizer", "more tea?").await;
    tab.texts(".sizer .row", 2).await;
    tab.write("input[type=search]", " and cake").await;
    tab.sees(".list-state", "Nothing matches").await;
    tab.press("Clear search and filters").await;
    tab.texts(".sizer .row", 4).await;
    tab.choose("select[aria-label=Platform]", "loopback").await;
    let rows = tab.texts(".sizer .row", 1).await;
    assert!(rows[0].contains("from before"), "{rows:?}");
    tab.choose("select[aria-label=Platform]", "").await;
    tab.write("input[aria-label=Conversation]", "group_7").await;
    tab.key(Key::Enter).await;
    tab.texts(".sizer .row", 3).await;
    tab.choose("select[aria-label=Type]", "Image").await;
    tab.sees(".list-state", "Nothing matches").await;
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn what_strangers_write_stays_text() {
    let server = TestServer::start();
    let tab = Tab::open(&server.url("/#activity")).await;
    let evil = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>\
        <b>bold</b> javascript:alert(1) https://example.com/a?b=c";
    let peer = qq(&server).await;
    let mut event = onebot11::group_message(10_001_000, 7, 1, evil);
    event["sender"]["card"] = json!("<i>Mallory</i>");
    event["group_name"] = json!("<u>group</u>");
    peer.push(&event);
    tab.sees(".sizer .row", "<i>Mallory</i>").await;
    tab.click(".sizer .row").await;
    tab.sees(".details .content", "<script>document.title='owned'</script>").await;
    let made = tab.run("return document.querySelectorAll('main b, main i, main u, main img, main script').length").await;
    assert_eq!(made, json!(0));
    let links = tab.run("return [...document.querySelectorAll('.content a')].map((a) => [a.href, a.rel, a.target])").await;
    assert_eq!(
        links,
        json!([["https://example.com/a?b=c", "noopener noreferrer nofollow", "_blank"]])
    );
    assert_ne!(tab.run("return document.title").await, json!("owned"));
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn a_link_is_the_address_and_no_more() {
    let server = TestServer::start();
    let tab = Tab::open(&server.url("/#activity")).await;
    for (text, links) in [
        (
            "see (https://example.com/a), or https://example.com/b.",
            vec!["https://example.com/a", "https://example.com/b"],
        ),
        (
            "https://en.wikipedia.org/wiki/Rust_(language)",
            vec!["https://en.wikipedia.org/wiki/Rust_(language)"],
        ),
        (
            "看https://example.com/a。还有https://example.com/b、HTTPS://EXAMPLE.com/c，好",
            vec!["https://example.com/a", "https://example.com/b", "https://example.com/c"],
        ),
        (
            "（https://example.com/a?b=c,d&e=f）「https://example.com/g」",
            vec!["https://example.com/a?b=c,d&e=f", "https://example.com/g"],
        ),
        (
            "[https://example.com/a]: \"https://example.com/b\"!!! **https://example.com/c**",
            vec!["https://example.com/a", "https://example.com/b", "https://example.com/c"],
        ),
        ("https://example.com/a\u{202e}gpj.exe https://", vec!["https://example.com/a"]),
        (&format!("https://example.com/{}", ")".repeat(15_000)), vec!["https://example.com/"]),
    ] {
        let id = server.make_for(Some("nowhere"), "group_1", text);
        tab.go(&server.url(&format!("/#activity?message={id}"))).await;
        tab.sees(".facts", &id).await;
        let found =
            tab.run("return [...document.querySelectorAll('.content a')].map((a) => a.href)").await;
        assert_eq!(found, json!(links), "{text}");
        let shown = tab.run("return document.querySelector('.content .text').textContent").await;
        assert_eq!(shown, json!(text), "nothing of the text is lost");
    }
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn strange_names_and_times_break_no_view() {
    let home = Arc::new(Home::new());
    let server = TestServer::start_in(home.clone(), &[]);
    let names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    for name in names {
        server.make_for(Some(name), name, &format!("to {name}"));
    }
    let mut late = server.get("/api/messages?limit=1").1["messages"][0].clone();
    late["id"] = json!("0190b0a0-0000-4000-8000-000000000001");
    late["content"] = json!("of no calendar");
    for time in ["created_at", "updated_at"] {
        late[time] = json!(9_000_000_000_000_000_u64);
    }
    let file = home.path("late.jsonl");
    std::fs::write(&file, late.to_string() + "\n").unwrap();
    home.ok(&["import", file.to_str().unwrap()]);
    let tab = Tab::open(&server.url("/#activity")).await;
    let rows = tab.texts(".sizer .row", names.len() + 1).await;
    for name in names {
        let shown = format!("{name} · {name}");
        assert!(rows.iter().any(|row| row.contains(&shown)), "{shown}: {rows:?}");
        tab.choose("select[aria-label=Platform]", name).await;
        tab.sees(".sizer .row", &format!("to {name}")).await;
    }
    tab.choose("select[aria-label=Platform]", "").await;
    tab.texts(".sizer .row", names.len() + 1).await;
    tab.run("[...document.querySelectorAll('.sizer .row')].find((row) => row.innerText.includes('of no calendar')).click()").await;
    tab.sees(".details", "of no calendar").await;
    tab.sees(".facts", "–").await;
    tab.press("Dashboard").await;
    tab.sees(".latest", "of no calendar").await;
    tab.press("Send").await;
    tab.choose("#send-platform", "__proto__").await;
    tab.sees("#send-platform", "__proto__ (not connected)").await;
    tab.press("Platforms").await;
    tab.sees("main", "No platform is connected yet").await;
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn a_conversation_has_one_name_its_newest() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    let tab = Tab::open(&server.url("/#activity")).await;
    let say = |id, name: &str| {
        let mut event = onebot11::group_message(10_001_000, 7, id, "hello");
        event["group_name"] = json!(name);
        peer.push(&event);
    };
    say(1, "Old name");
    tab.sees(".sizer .row", "QQ · Old name").await;
    tab.click(".sizer .row").await;
    tab.sees(".details .meta", "QQ · Old name").await;
    say(2, "New name");
    tab.texts(".sizer .row", 2).await;
    tab.misses("main", "Old name").await;
    tab.sees(".details .meta", "QQ · New name").await;
    tab.reload().await;
    tab.sees(".sizer .row", "QQ · New name").await;
    tab.texts(".sizer .row", 2).await;
    tab.misses("main", "Old name").await;
    tab.press("Send").await;
    tab.until(
        "it is suggested so",
        "return document.querySelector('#send-known option')?.label === 'New name · QQ'",
    )
    .await;
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn media_wait_until_they_are_asked_for() {
    let server = TestServer::start_with(&["--loopback"]);
    let pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let post = |content: &str| {
        let body = json!({"message_type": "Image", "content": content, "recipient": "group_1", "platform": "loopback"});
        server.post(&body).1["id"].as_str().unwrap().to_owned()
    };
    post(&format!("base64://{pixel}"));
    let elsewhere = post("https://pictures.invalid/cat.png");
    let tab = Tab::open(&server.url("/#activity")).await;
    tab.sees(".sizer", "Image · cat.png").await;
    tab.sees(".sizer", "Image · 70 B").await;
    // However it is written, nothing of it is text for people.
    for (before, name) in [
        (" base64://", ""),
        ("BASE64://", ""),
        ("DATA:image/png;charset=x;BASE64,", ""),
        ("data:;name=a%20b.png;base64,", "a b.png · "),
    ] {
        let id = post(&format!("{before}{pixel}"));
        tab.sees(".sizer", &format!("Image · {name}70 B")).await;
        tab.misses("main", "iVBOR").await;
        server.ask("DELETE", &format!("/api/messages/{id}"), None);
    }
    tab.go(&server.url(&format!("/#activity?message={elsewhere}"))).await;
    tab.sees(".medium", "Will be loaded from pictures.invalid").await;
    let loaded = "return performance.getEntriesByType('resource').filter((e) => !e.name.startsWith(location.origin)).length";
    assert_eq!(tab.run(loaded).await, json!(0));
    tab.until("both rows", "return document.querySelectorAll('.sizer .row').length === 2").await;
    tab.run("[...document.querySelectorAll('.sizer .row')].find((row) => row.innerText.includes('70 B')).click()").await;
    tab.until("the picture", "return document.querySelector('.medium img')?.naturalWidth === 1")
        .await;
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn reading_is_not_disturbed() {
    let server = TestServer::start();
    for i in 0..40 {
        server.make_for(Some("nowhere"), "group_1", &format!("old {i}"));
    }
    let tab = Tab::open(&server.url("/#activity")).await;
    tab.sees(".sizer", "old 39").await;
    tab.run("document.querySelector('.list').scrollTop = 600").await;
    tab.until(
        "the scrolling is seen",
        "return !document.querySelector('.sizer').innerText.includes('old 39')",
    )
    .await;
    server.make_for(Some("nowhere"), "group_1", "new 0");
    tab.sees(".news", "1 new message").await;
    server.make_for(Some("nowhere"), "group_1", "new 1");
    tab.sees(".news", "2 new messages").await;
    assert_eq!(tab.run("return document.querySelector('.list').scrollTop").await, json!(600));
    tab.click(".news").await;
    tab.sees(".sizer", "new 1").await;
    tab.click(".pause").await;
    server.make_for(Some("nowhere"), "group_1", "new 2");
    tab.sees(".news", "1 new message").await;
    tab.misses(".sizer", "new 2").await;
    tab.press("Resume").await;
    tab.sees(".sizer", "new 2").await;
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn a_message_can_be_canceled_sent_again_and_deleted_by_keys() {
    let server = TestServer::start();
    let id = server.make_for(Some("nowhere"), "group_1", "please wait");
    server.make_for(Some("nowhere"), "group_1", "the newer one");
    let tab = Tab::open(&server.url("/#activity")).await;
    tab.texts(".sizer .row", 2).await;
    tab.run("document.querySelector('.list').focus()").await;
    tab.key(Key::Down).await;
    tab.key(Key::Down).await;
    tab.key(Key::Enter).await;
    tab.sees(".details", "please wait").await;
    tab.sees(".details", "The platform is not connected.").await;
    tab.press("Cancel").await;
    tab.sees(".details .status", "Canceled").await;
    let gone = "return !document.querySelector('.details').textContent.includes('not connected')";
    tab.until("the reason goes", gone).await;
    tab.sees(".sizer .row[aria-selected=true]", "Canceled").await;
    assert_eq!(server.get(&format!("/api/messages/{id}")).1["status"], "Canceled");
    tab.press("Send again").await;
    tab.sees(".sizer .row[aria-selected=true]", "Pending").await;
    tab.key(Key::Escape).await;
    tab.until("the details close", "return document.querySelector('.details').hidden").await;
    tab.key(Key::Enter).await;
    tab.press("Delete").await;
    tab.sees(".details", "Delete this message for good?").await;
    tab.press("Keep").await;
    tab.press("Delete").await;
    tab.click(".danger").await;
    tab.texts(".sizer .row", 1).await;
    assert_eq!(server.get(&format!("/api/messages/{id}")).0, 404);
    tab.was_quiet().await;
}

/// Enough messages to slow down a page that keeps all of them.
const MANY: u32 = 5_000;

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn thousands_come_and_only_those_in_sight_are_in_the_page() {
    let home = Arc::new(Home::new());
    let server = TestServer::start_in(home.clone(), &[]);
    batch(&home, "early", 300);
    let tab = Tab::open(&server.url("/#activity")).await;
    tab.sees(".sizer", "early 299").await;
    batch(&home, "late", MANY);
    tab.sees(".sizer", &format!("late {}", MANY - 1)).await;
    // Scrolls to the end again and again, while older messages are loaded.
    tab.until("the first of all", "const list = document.querySelector('.list'); list.scrollTop = list.scrollHeight; \
        return [...document.querySelectorAll('.sizer .row')].some((row) => row.innerText.endsWith('early 0\\nPending') || row.innerText.includes('early 0'))").await;
    let told = tab.run("const rows = [...document.querySelectorAll('.sizer .row')]; return [rows.length, rows[0].getAttribute('aria-setsize')]").await;
    assert_eq!(told[1], json!((MANY + 300).to_string()));
    assert!(told[0].as_u64().unwrap() < 60, "{told}");
    // None is there twice, and none is missing: the list's order is the order of `seq`.
    let (_, page) = server.get("/api/messages?limit=1&offset=4000");
    assert_eq!(page["messages"][0]["content"], Value::from("late 999"));
    tab.was_quiet().await;
}

/// Has many messages made at once.
pub fn batch(home: &Home, name: &str, count: u32) {
    let mut command = home.command(&["send", "--batch", "--new"]);
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut input = process.stdin.take().unwrap();
    for i in 0..count {
        let line = json!({"platform": "nowhere", "recipient": "group_1", "message_type": "Text", "content": format!("{name} {i}")});
        writeln!(input, "{line}").unwrap();
    }
    drop(input);
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn reasons_are_in_the_readers_language_and_what_the_platform_said_as_it_said_it() {
    let home = Arc::new(Home::new());
    home.configure("[outbox]\nfirst_pause_seconds = 3600\nlongest_pause_seconds = 3600\n");
    let server = TestServer::start_in(home, &[]);
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let willing = onebot11::willing();
    let script: Script = Arc::new(move |action| match action["params"]["group_id"].as_i64() {
        Some(7) => Reply::refused(1404, "群已解散"),
        Some(_) => Reply::refused(100, "稍后再试"),
        None => willing(action),
    });
    let _peer = Peer::dial(&url, &onebot11::headers("1", "Universal"), script).await.unwrap();
    server.until(&server.make_for(Some("qq"), "group_7", "给解散的群"), "Failed");
    for words in ["第一条", "第二条"] {
        server.make_for(Some("qq"), "group_8", words);
    }
    server.make_for(Some("telegram"), "group_9", "还没有平台");
    let chinese = Person { language: "zh-CN", ..READER };
    let of = |platform, group| {
        server.url(&format!("/#messages?platform={platform}&conversation=group_{group}"))
    };
    let tab = Tab::open_as(chinese, &of("qq", 7)).await;
    tab.sees(".why", "平台拒绝：retcode 1404: 群已解散").await;
    tab.go(&of("qq", 8)).await;
    tab.sees(".why", "将再次尝试：").await;
    tab.sees(".why", "先发送此会话中更早的消息。").await;
    tab.go(&of("telegram", 9)).await;
    tab.sees(".why", "平台未连接。").await;
    tab.go(&server.url("/#activity")).await;
    tab.sees(".row .reason", "平台拒绝：retcode 1404: 群已解散").await;
    tab.was_quiet().await;
}
