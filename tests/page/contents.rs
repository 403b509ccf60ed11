//! The kinds of content, as the chat shows them.

use crate::activity::batch;
use crate::browser::Tab;
use crate::onebot::{Peer, Reply};
use crate::onebot11;
use crate::server::{Home, TestServer};
use crate::views::qq;
use fantoccini::key::Key;
use serde_json::{Value, json};
use std::sync::Arc;

/// Makes a message of segments in `group_1` of loopback; its ID.
fn post(server: &TestServer, segments: &Value) -> String {
    let body = json!({"platform": "loopback", "recipient": "group_1", "segments": segments});
    let (status, message) = server.post(&body);
    assert_eq!(status, 201, "{message}");
    message["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn every_kind_of_segment_is_shown() {
    let server = TestServer::start_with(&["--loopback"]);
    post(
        &server,
        &json!([
            {"type": "mention", "user": "7", "name": "Lin", "me": true},
            {"type": "text", "text": " see https://example.com/a "},
            {"type": "mention_all"},
            {"type": "emoji", "name": "smile", "id": "14"},
        ]),
    );
    post(
        &server,
        &json!([{"type": "location", "latitude": 47.3769, "longitude": 8.5417, "title": "Main station"}]),
    );
    post(
        &server,
        &json!([{"type": "forward", "title": "History", "items": [
            {"sender": {"id": "7", "name": "Lin"}, "created_at": 1_700_000_000, "segments": [{"type": "text", "text": "inner one"}]},
            {"sender": {"id": "8", "name": "Bo"}, "created_at": 1_700_000_001, "segments": [{"type": "text", "text": "inner two"}]},
        ]}]),
    );
    post(
        &server,
        &json!([{"type": "card", "title": "A song", "text": "by a band", "url": "https://music.example.com/1"}]),
    );
    post(
        &server,
        &json!([{"type": "file", "name": "route.gpx", "size": 48_000, "url": "https://files.example.com/r"}]),
    );
    post(
        &server,
        &json!([{"type": "audio", "url": "https://files.example.com/v.amr", "text": "what was said"}]),
    );
    post(&server, &json!([{"type": "other", "name": "dice", "text": "a six"}]));
    post(&server, &json!([{"type": "text", "text": "🎉"}]));
    let tab = Tab::open(&server.url("/#messages?platform=loopback&conversation=group_1")).await;
    tab.texts(".message", 8).await;
    tab.sees(".mention.me", "@Lin").await;
    tab.sees(".mention.me", "@all").await;
    tab.sees(".glyph[aria-label=smile]", "🙂").await;
    tab.sees("a.card-segment", "Main station").await;
    tab.sees("a.card-segment", "music.example.com").await;
    tab.sees(".ask", "route.gpx").await;
    tab.sees(".ask", "48 kB").await;
    tab.sees(".message", "what was said").await;
    tab.sees(".message", "a six").await;
    tab.sees(".text.large", "🎉").await;
    tab.sees("button.card-segment", "Lin: inner one").await;
    // In a line, each has its word.
    for word in [
        "@Lin see https://example.com/a @all 🙂",
        "[Location] Main station",
        "File · route.gpx · 48 kB",
    ] {
        tab.go(&server.url("/#activity")).await;
        tab.sees(".sizer .row", word).await;
    }
    tab.go(&server.url("/#messages?platform=loopback&conversation=group_1")).await;
    tab.click("button.card-segment").await;
    tab.sees("dialog .forwarded", "inner two").await;
    let elsewhere = "return performance.getEntriesByType('resource').filter((e) => !e.name.startsWith(location.origin)).length";
    assert_eq!(tab.run(elsewhere).await, json!(0), "nothing is loaded from elsewhere unasked");
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn an_answer_leads_to_what_it_answers() {
    let home = Arc::new(Home::new());
    let server = TestServer::start_in(home.clone(), &[]);
    let first = server.make_for(Some("nowhere"), "group_1", "the question");
    batch(&home, "between", 300);
    let body = json!({"platform": "nowhere", "recipient": "group_1", "segments": [{"type": "text", "text": "the answer"}], "reply_to": first});
    assert_eq!(server.post(&body).0, 201);
    let tab = Tab::open(&server.url("/#messages?platform=nowhere&conversation=group_1")).await;
    tab.sees(".quote", "the question").await;
    tab.click("button.quote").await;
    tab.sees(".message.marked", "the question").await;
    tab.until("the end is away", "return !document.querySelector('.down').hidden").await;
    tab.click(".down").await;
    tab.sees(".message", "the answer").await;
    // The page makes such ones, too.
    tab.run("document.querySelector('.scroller').focus()").await;
    tab.run("document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'r', bubbles: true}))").await;
    tab.sees(".composer-bar", "the answer").await;
    tab.write(".composer textarea", "thanks").await;
    tab.click(".composer .send").await;
    tab.until("the quote", "return [...document.querySelectorAll('.message')].at(-1).querySelector('.quote')?.innerText.includes('the answer')").await;
    let (_, page) = server.get("/api/messages?limit=1");
    assert_eq!(page["messages"][0]["content"], "thanks");
    assert_eq!(page["messages"][0]["reply_to"]["content"], "the answer");
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn a_sent_message_is_reacted_to_edited_and_recalled() {
    let server = TestServer::start_with(&["--loopback"]);
    let id = server.make_for(Some("loopback"), "group_1", "a typo hree");
    server.until(&id, "Sent");
    let tab = Tab::open(&server.url("/#messages?platform=loopback&conversation=group_1")).await;
    tab.sees(".message", "a typo hree").await;
    menu(&tab).await;
    tab.press("👍").await;
    tab.sees(".reaction[aria-pressed=true]", "👍").await;
    tab.click(".reaction").await;
    tab.until("it is taken back", "return !document.querySelector('.reaction')").await;
    menu(&tab).await;
    tab.press("Edit").await;
    tab.sees(".composer-bar", "Edit message").await;
    tab.run("document.querySelector('.composer textarea').select()").await;
    tab.write(".composer textarea", "a typo here").await;
    tab.key(Key::Enter).await;
    tab.sees(".message", "a typo here").await;
    tab.sees(".bubble-meta", "edited").await;
    menu(&tab).await;
    tab.press("Recall for everybody").await;
    tab.sees(".popup", "Take this message back for everybody?").await;
    tab.press("Recall for everybody").await;
    tab.sees(".message.recalled .bubble-meta", "recalled").await;
    for (view, row) in [("dashboard", ".latest .row"), ("activity", ".list-pane .row")] {
        tab.go(&server.url(&format!("/#{view}"))).await;
        tab.sees(row, "recalled").await;
    }
    let (_, message) = server.get(&format!("/api/messages/{id}"));
    assert_eq!(message["content"], "a typo here");
    assert!(message["edited_at"].is_u64() && message["recalled_at"].is_u64(), "{message}");
    tab.was_quiet().await;
}

/// Opens what can be done with the only message.
async fn menu(tab: &Tab) {
    tab.until(
        "the tools of a message",
        "document.querySelector('.message').dispatchEvent(new Event('mouseover', {bubbles: true})); \
         const more = document.querySelector('.tools [aria-label=More]'); \
         more?.click(); \
         return Boolean(more)",
    )
    .await;
    tab.sees(".popup", "Reply").await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn what_a_platform_cannot_do_is_said() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    let id = server.make_for(Some("qq"), "group_7", "for ever");
    peer.action("send_group_msg").await;
    server.until(&id, "Sent");
    let tab = Tab::open(&server.url("/#messages?platform=qq&conversation=group_7")).await;
    tab.sees(".message", "for ever").await;
    menu(&tab).await;
    tab.press("Edit").await;
    tab.write(".composer textarea", " and a day").await;
    tab.key(Key::Enter).await;
    tab.sees(".toast", "The platform cannot do this.").await;
    assert_eq!(server.get(&format!("/api/messages/{id}")).1["content"], "for ever");
    assert_eq!(tab.complaints(&["409"]).await, Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn a_forward_that_came_without_its_messages_opens() {
    let server = TestServer::start();
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let messages = json!({"messages": [
        {"sender": {"user_id": 5, "nickname": "Lin"}, "time": 1_700_000_000, "message": [{"type": "text", "data": {"text": "the first one"}}]},
        {"sender": {"user_id": 6, "nickname": "Bo"}, "time": 1_700_000_001, "message": [{"type": "forward", "data": {"id": "inner one"}}]},
    ]});
    let script = onebot11::willing_but("get_forward_msg", Reply::ok(messages));
    let headers = onebot11::headers("10001000", "Universal");
    let peer = Peer::dial(&url, &headers, script).await.unwrap();
    let mut event = onebot11::group_message(10_001_000, 7, 1, "");
    event["message"] = json!([{"type": "forward", "data": {"id": "outer one"}}]);
    peer.push(&event);
    let tab = Tab::open(&server.url("/#messages?platform=qq&conversation=group_7")).await;
    tab.sees("button.card-segment", "Show the messages").await;
    tab.click(".message button.card-segment").await;
    assert_eq!(peer.action("get_forward_msg").await["params"]["id"], "outer one");
    tab.sees("dialog .forwarded", "the first one").await;
    tab.click("dialog button.card-segment").await;
    assert_eq!(peer.action("get_forward_msg").await["params"]["id"], "inner one");
    tab.until(
        "both are open",
        "return document.querySelectorAll('dialog[open] .forwarded').length === 2",
    )
    .await;
    tab.key(Key::Escape).await;
    tab.key(Key::Escape).await;
    tab.until("both are closed", "return !document.querySelector('dialog[open]')").await;
    // Without its platform it says so.
    peer.drop_connection();
    tab.sees(".away", "QQ is not connected").await;
    tab.click(".message button.card-segment").await;
    tab.sees("dialog .problem", "The platform is not connected.").await;
    assert_eq!(tab.complaints(&["503"]).await, Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn a_message_goes_on_to_another_conversation_and_mentions_nobody_there() {
    let server = TestServer::start_with(&["--loopback"]);
    server.make_for(Some("loopback"), "group_2", "the other group");
    let mention = json!({"type": "mention", "user": "7", "name": "Ann"});
    post(&server, &json!([mention, {"type": "text", "text": " look here"}]));
    let tab = Tab::open(&server.url("/#messages?platform=loopback&conversation=group_1")).await;
    tab.sees(".message", "@Ann look here").await;
    menu(&tab).await;
    tab.press("Forward").await;
    tab.write(".popup input", "group_2").await;
    tab.texts(".popup .menu button", 1).await;
    tab.click(".popup .menu button").await;
    tab.sees(".pane-name", "group_2").await;
    tab.sees(".message", "@Ann look here").await;
    let (_, listed) = server.get("/api/messages?conversation=group_2&limit=1");
    let message = &listed["messages"][0];
    assert_eq!(message["content"], "@Ann look here");
    assert!(message.get("segments").is_none(), "nobody is mentioned: {message}");
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn an_edit_keeps_pictures_and_mentions() {
    let server = TestServer::start_with(&["--loopback"]);
    let picture = json!({"type": "image", "name": "dot.gif", "url": "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="});
    let mention = json!({"type": "mention", "user": "7", "name": "Ann"});
    let id = post(&server, &json!([picture, mention, {"type": "text", "text": " at eight"}]));
    let made = server.until(&id, "Sent");
    let tab = Tab::open(&server.url("/#messages?platform=loopback&conversation=group_1")).await;
    tab.sees(".message", "@Ann at eight").await;
    menu(&tab).await;
    tab.press("Edit").await;
    let value = "return document.querySelector('.composer textarea').value";
    assert_eq!(tab.run(value).await, json!("@Ann at eight"));
    tab.write(".composer textarea", " sharp").await;
    tab.key(Key::Enter).await;
    tab.sees(".message", "@Ann at eight sharp").await;
    let (_, edited) = server.get(&format!("/api/messages/{id}"));
    let types: Vec<_> = edited["segments"].as_array().unwrap().iter().map(|s| &s["type"]).collect();
    assert_eq!(types, ["image", "mention", "text"]);
    assert_eq!(edited["segments"][0]["media"], made["segments"][0]["media"]);
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn deleting_asks_and_chosen_files_wait_for_their_conversation() {
    let server = TestServer::start_with(&["--loopback"]);
    for group in ["group_1", "group_2"] {
        server.make_for(Some("loopback"), group, &format!("words of {group}"));
    }
    let address = |group| server.url(&format!("/#messages?platform=loopback&conversation={group}"));
    let tab = Tab::open(&address("group_1")).await;
    tab.sees(".message", "words of group_1").await;
    let file = server.home.path("plan.txt");
    std::fs::write(&file, "the plan").unwrap();
    tab.write(".composer input[type=file]", file.to_str().unwrap()).await;
    tab.sees(".chips", "plan.txt").await;
    tab.run("location.hash = '#messages?platform=loopback&conversation=group_2'").await;
    tab.sees(".pane-name", "group_2").await;
    tab.misses(".chips", "plan.txt").await;
    tab.run("history.back()").await;
    tab.sees(".chips", "plan.txt").await;
    menu(&tab).await;
    tab.press("Delete here").await;
    tab.sees(".popup", "Delete this message for good?").await;
    tab.press("Keep").await;
    tab.until("the question goes", "return !document.querySelector('.popup:popover-open')").await;
    tab.sees(".message", "words of group_1").await;
    menu(&tab).await;
    tab.press("Delete here").await;
    tab.press("Delete").await;
    tab.misses(".message", "words of group_1").await;
    assert_eq!(server.get("/api/stats").1["total"], 1);
    // The conversation has no message any more.
    assert_eq!(tab.complaints(&["404"]).await, Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn a_conversation_begins_with_a_number_that_is_looked_for() {
    let server = TestServer::start();
    let _peer = qq(&server).await;
    let tab = Tab::open(&server.url("/#messages")).await;
    tab.write("input[type=search]", "10001").await;
    tab.press("QQ · private_10001").await;
    tab.sees(".pane-name", "private_10001").await;
    tab.write(".composer textarea", "good morning").await;
    tab.key(Key::Enter).await;
    tab.sees(".message", "good morning").await;
    // It has no message yet.
    assert_eq!(tab.complaints(&["404"]).await, Vec::<String>::new());
}
