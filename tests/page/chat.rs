//! The chat: conversations, their messages, writing, reading.

use crate::browser::{Person, READER, Tab};
use crate::onebot::Peer;
use crate::onebot11;
use crate::server::{Home, TestServer, eventually};
use crate::views::qq;
use fantoccini::key::Key;
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;
use std::sync::Arc;

/// Address of a conversation.
fn chat(server: &TestServer, platform: &str, conversation: &str) -> String {
    server.url(&format!("/#messages?platform={platform}&conversation={conversation}"))
}

/// Messages of a group, as many as asked for: `word 0`, `word 1`, ...
fn say(peer: &Peer, group: i64, word: &str, count: i64) {
    for n in 0..count {
        let id = group * 100_000 + i64::try_from(word.len()).unwrap() * 10_000 + n;
        peer.push(&onebot11::group_message(10_001_000, group, id, &format!("{word} {n}")));
    }
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn conversations_are_listed_and_follow_what_happens() {
    let server = TestServer::start_with(&["--loopback"]);
    server.make_for(Some("loopback"), "group_1", "from before");
    let tab = Tab::open(&server.url("/#messages")).await;
    tab.sees(".row.conversation", "group_1").await;
    let peer = qq(&server).await;
    peer.push(&onebot11::group_message(10_001_000, 7, 1, "tea is ready"));
    tab.sees(".row.conversation", "Card: tea is ready").await;
    let first = |text: &str| {
        format!(
            "return document.querySelector('[aria-posinset=\"1\"]').innerText.includes('{text}')"
        )
    };
    tab.until("the latest is on top", &first("Group 7")).await;
    server.make_for(Some("loopback"), "group_1", "later");
    tab.until("the later is on top", &first("later")).await;
    // By platform, and by what is written.
    tab.choose("select[aria-label=Platform]", "qq").await;
    tab.texts(".row.conversation", 1).await;
    tab.choose("select[aria-label=Platform]", "").await;
    tab.write("input[type=search]", "TEA").await;
    tab.sees(".row.conversation", "Card: tea is ready").await;
    tab.sees(".row.conversation mark", "tea").await;
    tab.texts(".row.conversation", 1).await;
    assert!(tab.address().await.ends_with("#messages?q=TEA"));
    tab.click(".row.conversation").await;
    tab.sees(".pane .message.marked", "tea is ready").await;
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn one_reads_and_answers() {
    let server = TestServer::start_with(&["--loopback"]);
    let peer = qq(&server).await;
    say(&peer, 7, "hello", 3);
    let tab = Tab::open(&chat(&server, "qq", "group_7")).await;
    let shown = tab.texts(".message", 3).await;
    assert!(shown[0].contains("hello 0") && shown[2].contains("hello 2"), "{shown:?}");
    // One name for consecutive messages of a person, and one line for the day.
    tab.texts(".message .name", 1).await;
    tab.texts(".day", 1).await;
    tab.write(".composer textarea", "first line").await;
    let field = tab.find(".composer textarea").await;
    field
        .send_keys(&format!("{}{}", char::from(Key::Shift), char::from(Key::Enter)))
        .await
        .unwrap();
    tab.write(".composer textarea", "second line").await;
    tab.key(Key::Enter).await;
    let action = peer.action("send_group_msg").await;
    assert!(action["params"].to_string().contains("first line\\nsecond line"), "{action}");
    tab.sees(".message.own", "second line").await;
    tab.until("it is sent", "return !!document.querySelector('.own .tick.sent')").await;
    assert_eq!(
        tab.run("return document.querySelector('.composer textarea').value").await,
        json!("")
    );
    // A message that comes while the chat is open is shown and read out.
    peer.push(&onebot11::group_message(10_001_000, 7, 99, "well said"));
    tab.sees(".message", "well said").await;
    let spoken =
        "return document.querySelector('.pane > [aria-live]').textContent === 'Card: well said'";
    tab.until("it is announced", spoken).await;
    tab.was_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn the_reading_place_stays() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    say(&peer, 7, "old", 250);
    let unread = || server.get("/api/conversations").1["conversations"][0]["unread"].clone();
    eventually("all have come", || (unread() == 250).then_some(()));
    let read = json!({"read_to": "latest"});
    server.ask("PATCH", "/api/conversations/qq/group_7", Some(&read));
    let tab = Tab::open(&chat(&server, "qq", "group_7")).await;
    tab.sees(".message", "old 249").await;
    tab.run("document.querySelector('.scroller').scrollTop -= 1500").await;
    tab.until("one is away from the end", "return !document.querySelector('.down').hidden").await;
    let place = "const top = document.querySelector('.scroller').getBoundingClientRect().top; \
        const row = [...document.querySelectorAll('.message')].find((m) => m.getBoundingClientRect().top > top); \
        return [row.innerText, Math.round(row.getBoundingClientRect().top)]";
    let before = tab.run(place).await;
    peer.push(&onebot11::group_message(10_001_000, 7, 1, "new at the end"));
    tab.sees(".down", "1 new message").await;
    assert_eq!(tab.run(place).await, before);
    // Older messages are added above, as long as there are any.
    tab.until("the first of all", "document.querySelector('.scroller').scrollTop = 0; \
        return [...document.querySelectorAll('.message')].some((m) => m.innerText.includes('old 0\\n'))").await;
    let rows = tab.run("return document.querySelectorAll('.entry').length").await;
    assert!(rows.as_u64().unwrap() < 150, "{rows} rows are in the page");
    tab.click(".down").await;
    tab.sees(".message", "new at the end").await;
    tab.until("one is at the end", "return document.querySelector('.down').hidden").await;
    tab.was_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn a_conversation_opens_where_it_was_left() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    say(&peer, 7, "old", 250);
    let unread = || server.get("/api/conversations").1["conversations"][0]["unread"].clone();
    eventually("all have come", || (unread() == 250).then_some(()));
    server.ask("PATCH", "/api/conversations/qq/group_7", Some(&json!({"read_to": "latest"})));
    let tab = Tab::open(&chat(&server, "qq", "group_7")).await;
    tab.sees(".message", "old 249").await;
    // Beyond what is loaded at first.
    tab.until("the first of all", "document.querySelector('.scroller').scrollTop = 0; \
        return [...document.querySelectorAll('.message')].some((m) => m.innerText.includes('old 0\\n'))").await;
    tab.run("document.querySelector('.scroller').scrollTop = 777").await;
    let place = "const top = document.querySelector('.scroller').getBoundingClientRect().top; \
        const row = [...document.querySelectorAll('.message')].find((m) => m.getBoundingClientRect().top > top); \
        return row && [row.innerText, row.getBoundingClientRect().top]";
    // The rows are laid out in the frames after a scroll.
    let settled = format!(
        "const read = () => {{ {place} }}; const first = JSON.stringify(read()); \
         const later = (then) => requestAnimationFrame(() => requestAnimationFrame(then)); \
         return new Promise((done) => later(() => done(JSON.stringify(read()) === first && read())));"
    );
    let before = tab.until("the rows stand still", &settled).await;
    let leave = |view: &str| format!("location.hash = '{view}'");
    for elsewhere in ["#messages?platform=qq&conversation=group_8", "#platforms"] {
        tab.run(&leave(elsewhere)).await;
        tab.misses(".message", "old").await;
        tab.run(&leave("#messages?platform=qq&conversation=group_7")).await;
        let is_there = format!(
            "const [text, top] = (() => {{ {place} }})() ?? []; const [was, stood] = {before}; \
             return text === was && Math.abs(top - stood) < 1"
        );
        tab.until("one is where one was", &is_there).await;
    }
    // An unread message comes first.
    tab.run(&leave("#platforms")).await;
    say(&peer, 7, "fresh", 1);
    eventually("it has come", || (unread() == 1).then_some(()));
    tab.run(&leave("#messages?platform=qq&conversation=group_7")).await;
    tab.sees(".unread-line", "New messages").await;
    assert_eq!(tab.complaints(&["404"]).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn the_list_shows_unread_conversations_alone() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    let tab = Tab::open(&server.url("/#messages")).await;
    tab.sees(".list-state", "No messages yet").await;
    tab.misses(".filters", "Unread").await;
    for group in [7, 8, 9] {
        say(&peer, group, "hello", 1);
    }
    tab.texts(".row.conversation", 3).await;
    server.ask("PATCH", "/api/conversations/qq/group_8", Some(&json!({"read_to": "latest"})));
    tab.texts(".row.conversation.unread", 2).await;
    tab.press("Unread").await;
    tab.texts(".row.conversation", 2).await;
    tab.misses(".row.conversation", "Group 8").await;
    // The one that is read stays as long as it is open.
    let are_read = |count| {
        let conversations = server.get("/api/conversations").1.to_string();
        (conversations.matches("\"unread\":0").count() == count).then_some(())
    };
    tab.click(".row.conversation").await;
    eventually("it is read", || are_read(2));
    tab.texts(".row.conversation", 2).await;
    tab.click(".row.conversation.unread").await;
    tab.texts(".row.conversation", 1).await;
    eventually("it is read", || are_read(3));
    tab.run("location.hash = '#messages'").await;
    tab.sees(".list-state", "Nothing is unread.").await;
    tab.press("Unread").await;
    tab.texts(".row.conversation", 3).await;
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn drafts_stay_with_their_conversation() {
    let server = TestServer::start_with(&["--loopback"]);
    for name in ["group_1", "group_2"] {
        server.make_for(Some("loopback"), name, "hello");
    }
    let tab = Tab::open(&chat(&server, "loopback", "group_1")).await;
    tab.write(".composer textarea", "not done").await;
    tab.go(&chat(&server, "loopback", "group_2")).await;
    tab.sees(".pane-head", "group_2").await;
    assert_eq!(
        tab.run("return document.querySelector('.composer textarea').value").await,
        json!("")
    );
    tab.sees(".row.conversation", "Draft: not done").await;
    tab.reload().await;
    tab.go(&chat(&server, "loopback", "group_1")).await;
    let kept = "return document.querySelector('.composer textarea')?.value === 'not done'";
    tab.until("the draft is there", kept).await;
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn a_phone_shows_the_list_or_a_conversation() {
    let server = TestServer::start_with(&["--loopback"]);
    server.make_for(Some("loopback"), "group_1", "hello");
    let phone = Person { width: 360, height: 740, ..READER };
    let tab = Tab::open_as(phone, &server.url("/#messages")).await;
    tab.click(".row.conversation").await;
    tab.sees(".message", "hello").await;
    let alone = "return ['.sidebar', 'nav'].every((place) => !document.querySelector(place).checkVisibility())";
    assert_eq!(tab.run(alone).await, json!(true));
    tab.run("history.back()").await;
    tab.sees(".row.conversation", "group_1").await;
    tab.click(".row.conversation").await;
    tab.click(".back").await;
    tab.sees("nav", "Messages").await;
    assert!(tab.address().await.ends_with("#messages"));
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn keys_reach_everything() {
    let server = TestServer::start_with(&["--loopback"]);
    for name in ["group_1", "group_2"] {
        server.make_for(Some("loopback"), name, &format!("in {name}"));
    }
    let tab = Tab::open(&server.url("/#messages")).await;
    tab.sees(".row.conversation", "group_2").await;
    press(&tab, "ArrowDown", true).await;
    tab.sees(".pane-head", "group_2").await;
    press(&tab, "ArrowDown", true).await;
    tab.sees(".pane-head", "group_1").await;
    tab.sees(".message", "in group_1").await;
    tab.run("document.querySelector('.scroller').focus()").await;
    press(&tab, "r", false).await;
    tab.sees(".composer-bar", "in group_1").await;
    tab.key(Key::Escape).await;
    tab.until("the answer is given up", "return document.querySelector('.composer-bar').hidden")
        .await;
    tab.run("document.activeElement.blur()").await;
    press(&tab, "?", false).await;
    tab.sees("dialog", "Previous and next conversation").await;
    tab.key(Key::Escape).await;
    tab.until("it closes", "return !document.querySelector('dialog[open]')").await;
    press(&tab, "/", false).await;
    tab.until("the search has the focus", "return document.activeElement.type === 'search'").await;
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn more_conversations_than_fit_are_scrolled() {
    let home = Arc::new(Home::new());
    let server = TestServer::start_in(home.clone(), &[]);
    conversations(&home, 500);
    let tab = Tab::open(&server.url("/#messages")).await;
    tab.until("all are known", "return document.querySelector('.row.conversation')?.getAttribute('aria-setsize') === '500'").await;
    let rows = tab.run("return document.querySelectorAll('.row.conversation').length").await;
    assert!(rows.as_u64().unwrap() < 60, "{rows} rows are in the page");
    let end = "const list = document.querySelector('.sidebar .list'); list.scrollTop = list.scrollHeight; \
        return [...document.querySelectorAll('.row.conversation')].some((row) => row.innerText.endsWith('number 0') && row.getBoundingClientRect().bottom <= innerHeight + 1)";
    tab.until("the last one is in sight", end).await;
    tab.was_quiet().await;
}

/// Makes so many conversations of one message each, the first one last.
fn conversations(home: &Home, count: u32) {
    let mut command = home.command(&["send", "--batch", "--new"]);
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut input = process.stdin.take().unwrap();
    for n in 0..count {
        let line = json!({"platform": "nowhere", "recipient": format!("group_{}", n + 1), "message_type": "Text", "content": format!("number {n}")});
        writeln!(input, "{line}").unwrap();
    }
    drop(input);
    assert!(process.wait_with_output().unwrap().status.success());
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn the_message_in_focus_is_edited() {
    let server = TestServer::start_with(&["--loopback"]);
    for text in ["the first", "the second"] {
        server.make_for(Some("loopback"), "group_1", text);
    }
    let tab = Tab::open(&chat(&server, "loopback", "group_1")).await;
    tab.sees(".message", "the second").await;
    tab.run("document.querySelector('.scroller').focus()").await;
    for text in ["the second", "the first"] {
        tab.key(Key::Up).await;
        let focused = format!("return document.activeElement.innerText.includes('{text}')");
        tab.until("it has the focus", &focused).await;
    }
    press(&tab, "e", false).await;
    tab.sees(".composer-bar", "Edit message").await;
    let value = "return document.querySelector('.composer textarea').value";
    assert_eq!(tab.run(value).await, json!("the first"));
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn people_and_everybody_can_be_mentioned() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    say(&peer, 7, "hello", 1);
    let tab = Tab::open(&chat(&server, "qq", "group_7")).await;
    tab.sees(".message", "hello 0").await;
    tab.write(".composer textarea", "@").await;
    let offered = tab.texts(".mentions li", 2).await;
    assert!(offered[0].ends_with("Card") && offered[1].ends_with("all"), "{offered:?}");
    tab.key(Key::Enter).await;
    tab.write(".composer textarea", "and @al").await;
    tab.texts(".mentions li", 1).await;
    tab.key(Key::Enter).await;
    tab.key(Key::Enter).await;
    let sent = peer.action("send_group_msg").await["params"]["message"].clone();
    let kinds: Vec<_> =
        sent.as_array().unwrap().iter().map(|part| part["data"]["qq"].clone()).collect();
    assert_eq!(
        kinds.iter().filter(|id| !id.is_null()).collect::<Vec<_>>(),
        ["4242", "all"],
        "{sent}"
    );
    tab.sees(".own .mention.me", "@all").await;
    // The peer lists no members.
    assert_eq!(tab.complaints(&["/members"]).await, Vec::<String>::new());
}

/// Presses a key where the focus is, as a keyboard event.
async fn press(tab: &Tab, key: &str, alt: bool) {
    let event = json!({"key": key, "altKey": alt, "bubbles": true});
    tab.run(&format!(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {event}))"
    ))
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn a_platform_that_is_away_is_seen_from_everywhere() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    say(&peer, 7, "hello", 1);
    let tab = Tab::open(&chat(&server, "qq", "group_7")).await;
    tab.sees(".message", "hello").await;
    let dot = |state: &str| {
        format!("return document.querySelector('.platform-dot').dataset.state === '{state}'")
    };
    tab.until("it is connected", &dot("fine")).await;
    peer.drop_connection();
    tab.until("it is lost", &dot("lost")).await;
    tab.sees(".away", "QQ is not connected").await;
    server.make_for(Some("nope"), "group_1", "to a platform that never was");
    tab.sees(".sidebar .list", "to a platform that never was").await;
    tab.go(&server.url("/?again#messages")).await;
    tab.sees(".sidebar .list", "to a platform that never was").await;
    let title = tab.run("return document.querySelector('.platform-dot').title").await;
    assert!(!title.as_str().unwrap().contains("nope"), "{title}");
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn what_strangers_write_stays_text_in_the_chat() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    let evil = "<img src=x onerror=\"document.title='owned'\"><b>bold</b> javascript:alert(1) https://example.com/a";
    let mut event = onebot11::group_message(10_001_000, 7, 1, evil);
    event["sender"]["card"] = json!("<i>Mallory</i>");
    event["group_name"] = json!("<u>group</u>");
    peer.push(&event);
    let tab = Tab::open(&chat(&server, "qq", "group_7")).await;
    tab.sees(".message", "<b>bold</b> javascript:alert(1)").await;
    tab.sees(".pane-head", "<u>group</u>").await;
    let made = "return document.querySelectorAll('main b, main i, main u, main img').length";
    assert_eq!(tab.run(made).await, Value::from(0));
    let links =
        tab.run("return [...document.querySelectorAll('.message a')].map((a) => a.href)").await;
    assert_eq!(links, json!(["https://example.com/a"]));
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn code_is_set_apart_and_no_character_is_lost() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    let said = "try `ls -l <b>` or\n```sh\ncurl https://example.com/a\n```\nthen https://example.com/b, not ` alone";
    peer.push(&onebot11::group_message(10_001_000, 7, 1, said));
    let tab = Tab::open(&chat(&server, "qq", "group_7")).await;
    tab.sees(".message .text", "then").await;
    let code = "return [...document.querySelectorAll('.message code')].map((code) => [code.className, code.textContent])";
    assert_eq!(
        tab.run(code).await,
        json!([["", "`ls -l <b>`"], ["block", "```sh\ncurl https://example.com/a\n```"]])
    );
    let links =
        tab.run("return [...document.querySelectorAll('.message a')].map((a) => a.href)").await;
    assert_eq!(links, json!(["https://example.com/b"]));
    assert_eq!(
        tab.run("return document.querySelector('.message .text').textContent").await,
        json!(said)
    );
    tab.was_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn it_opens_at_the_first_unread_message_and_reads_what_is_seen() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    say(&peer, 7, "read", 30);
    let tab = Tab::open(&chat(&server, "qq", "group_7")).await;
    tab.sees(".message", "read 29").await;
    tab.click(".down").await;
    let unread = || server.get("/api/conversations").1["conversations"][0]["unread"].clone();
    eventually("all is read", || (unread() == 0).then_some(()));
    tab.go(&server.url("/#platforms")).await;
    for count in [40, 200] {
        say(&peer, 7, &format!("unread of {count}"), count);
        eventually("all have come", || (unread() == count).then_some(()));
        tab.go(&chat(&server, "qq", "group_7")).await;
        let first = format!(
            "const line = document.querySelector('.unread-line'); const scroller = document.querySelector('.scroller');
             return line && line.parentElement.innerText.includes('unread of {count} 0\\n') &&
               Math.abs(line.getBoundingClientRect().top - scroller.getBoundingClientRect().top) < 40"
        );
        tab.until("the line of unread ones is on top", &first).await;
        eventually("what is seen is read", || (unread() != 0 && unread() != count).then_some(()));
        tab.click(".down").await;
        eventually("the rest is read at the end", || (unread() == 0).then_some(()));
        tab.go(&server.url("/#platforms")).await;
    }
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn conversations_are_pinned_and_muted() {
    let server = TestServer::start_with(&["--loopback"]);
    for name in ["group_1", "group_2"] {
        server.make_for(Some("loopback"), name, "hello");
    }
    let tab = Tab::open(&chat(&server, "loopback", "group_1")).await;
    let first = |name: &str| {
        format!(
            "return document.querySelector('[aria-posinset=\"1\"]')?.innerText.includes('{name}')"
        )
    };
    tab.until("the latest is first", &first("group_2")).await;
    tab.click(".pane-head [aria-label=Conversation]").await;
    tab.press("Pin").await;
    tab.until("the pinned one is first", &first("group_1")).await;
    tab.click(".pane-head [aria-label=Conversation]").await;
    tab.press("Mute").await;
    tab.sees(".muted-conversation", "group_1").await;
    let told = || server.get("/api/conversations?q=group_1").1["conversations"][0].clone();
    eventually("the server knows", || {
        (told()["pinned"] == true && told()["muted"] == true).then_some(())
    });
    tab.was_quiet().await;
}
