//! Nothing is sent, lost or hidden by accident. Keys are those of a person: the browser acts on them, too.

use crate::browser::Tab;
use crate::onebot::Peer;
use crate::onebot11;
use crate::server::{TestServer, eventually};
use crate::views::qq;
use fantoccini::key::Key;
use serde_json::json;

fn chat(server: &TestServer, conversation: &str) -> String {
    server.url(&format!("/#messages?platform=qq&conversation={conversation}"))
}

fn say(peer: &Peer, group: i64, id: i64, text: &str) {
    peer.push(&onebot11::group_message(10_001_000, group, id, text));
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn enter_on_a_message_opens_what_can_be_done_and_does_nothing() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    say(&peer, 7, 1, "the first");
    say(&peer, 7, 2, "the second");
    let tab = Tab::open(&chat(&server, "group_7")).await;
    tab.sees(".message", "the second").await;
    tab.until("one can write", "return document.activeElement.matches('.composer textarea')").await;
    // From the field to the messages, without a mouse.
    tab.key(Key::Escape).await;
    tab.until(
        "the last one has the focus",
        "return document.activeElement.innerText?.includes('the second')",
    )
    .await;
    tab.key(Key::Enter).await;
    tab.sees(".popup", "Copy text").await;
    tab.key(Key::Escape).await;
    tab.key(Key::Up).await;
    tab.until(
        "the first one has the focus",
        "return document.activeElement.innerText?.includes('the first')",
    )
    .await;
    tab.write(".message:focus", "r").await;
    tab.sees(".composer-bar", "the first").await;
    tab.write(".composer textarea", "an answer").await;
    tab.key(Key::Enter).await;
    // The answer is the first thing that the peer is told: there was no reaction.
    let action = peer.action("send_group_msg").await;
    assert!(action["params"].to_string().contains("an answer"), "{action}");
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn enter_in_the_search_opens_what_was_written_last() {
    let server = TestServer::start_with(&["--loopback"]);
    for group in ["group_zeta", "group_alpha"] {
        server.make_for(Some("loopback"), group, "hello");
    }
    let tab = Tab::open(&server.url("/#messages")).await;
    tab.sees(".row.conversation", "group_alpha").await;
    let both = format!("zeta{}", char::from(Key::Enter));
    tab.write("input[type=search]", &both).await;
    tab.sees(".pane-name", "group_zeta").await;
    // A text that is in no name is found in messages.
    server.make_for(Some("loopback"), "group_alpha", "a needle");
    let field = tab.find(".sidebar input[type=search]").await;
    field.clear().await.unwrap();
    field.send_keys(&format!("needle{}", char::from(Key::Enter))).await.unwrap();
    tab.sees(".pane-name", "group_alpha").await;
    tab.sees(".message.marked", "a needle").await;
    tab.was_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn a_link_to_an_old_message_hides_nothing_that_came_after() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    for n in 0..300 {
        say(&peer, 7, n, &format!("number {n}."));
    }
    eventually("all have come", || (server.get("/api/stats").1["sent"] == 300).then_some(()));
    let old = server.get("/api/messages?limit=1&offset=250").1["messages"][0]["id"].clone();
    let address = format!("{}&message={}", chat(&server, "group_7"), old.as_str().unwrap());
    let tab = Tab::open(&address).await;
    tab.sees(".message.marked", "number 49.").await;
    tab.until("the end is away", "return !document.querySelector('.down').hidden").await;
    tab.until(
        "the address is that of the conversation",
        "return !location.hash.includes('message=')",
    )
    .await;
    say(&peer, 7, 999, "live now");
    tab.sees(".down", "new message").await;
    let next = "return [...document.querySelectorAll('.entry')].some((row) => row.innerText.includes('number 50.') && row.previousElementSibling.innerText.includes('number 49.'))";
    tab.until("the next one stands below it", next).await;
    tab.click(".down").await;
    tab.sees(".message", "live now").await;
    // A message that is gone is told of, and the conversation stays as it is.
    server.ask("DELETE", &format!("/api/messages/{}", old.as_str().unwrap()), None);
    tab.go(&server.url("/#platforms")).await;
    tab.go(&address).await;
    tab.sees(".toast", "no longer exists").await;
    tab.sees(".message", "number").await;
    assert_eq!(tab.complaints(&["404"]).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn what_the_server_did_not_get_is_kept_and_goes_out_later() {
    let mut server = TestServer::start_with(&["--loopback"]);
    server.make_for(Some("loopback"), "group_1", "hello");
    let address = server.url("/#messages?platform=loopback&conversation=group_1");
    let tab = Tab::open(&address).await;
    tab.sees(".message", "hello").await;
    // The way to the server breaks; the page itself stays.
    tab.run("window.fetchBefore = window.fetch; window.fetch = () => Promise.reject(new TypeError('no way'))").await;
    for text in ["the first", "the second", "a mistake"] {
        tab.write(".composer textarea", text).await;
        tab.key(Key::Enter).await;
    }
    tab.sees(".own .why", "goes out once it is back").await;
    // One of them is taken back, and written anew.
    let take_back = "const rows = [...document.querySelectorAll('.entry')]; const row = rows.find((each) => each.innerText.includes('a mistake')); \
        const button = [...(row?.querySelectorAll('.why button') ?? [])].find((each) => each.innerText === 'Edit'); button?.click(); return !!button";
    // It is told why once its turn has come.
    let later = "return [...document.querySelectorAll('.own')].length === 4";
    tab.until("all three are shown, below the one before", later).await;
    tab.reload().await;
    tab.sees(".message.own", "the second").await;
    eventually("they are at the server, in order", || {
        let (_, page) = server.get("/api/messages?limit=3");
        let texts: Vec<_> =
            page["messages"].as_array()?.iter().map(|m| m["content"].clone()).collect();
        (texts == [json!("a mistake"), json!("the second"), json!("the first")]).then_some(())
    });
    tab.run("window.fetch = () => Promise.reject(new TypeError('no way'))").await;
    tab.write(".composer textarea", "a mistake again").await;
    tab.key(Key::Enter).await;
    tab.until("it is taken back", &take_back.replace("a mistake", "a mistake again")).await;
    let back = "return document.querySelector('.composer textarea').value === 'a mistake again'";
    tab.until("its text is in the field", back).await;
    server.kill();
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn an_edit_that_is_refused_and_a_mention_in_a_draft_stay() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    say(&peer, 7, 1, "hello");
    say(&peer, 8, 2, "elsewhere");
    let id = server.make_for(Some("qq"), "group_7", "for ever");
    peer.action("send_group_msg").await;
    server.until(&id, "Sent");
    let tab = Tab::open(&chat(&server, "group_7")).await;
    tab.sees(".message", "for ever").await;
    tab.until("one can write", "return document.activeElement.matches('.composer textarea')").await;
    tab.key(Key::Up).await;
    tab.write(".composer textarea", " and a day").await;
    tab.key(Key::Enter).await;
    tab.sees(".toast", "The platform cannot do this.").await;
    let value = |text: &str| {
        format!("return document.querySelector('.composer textarea')?.value === '{text}'")
    };
    tab.until("the new text is still there", &value("for ever and a day")).await;
    // Also after a look elsewhere.
    tab.run("location.hash = '#messages?platform=qq&conversation=group_8'").await;
    tab.until("another field", &value("")).await;
    tab.run("history.back()").await;
    tab.until("the edit goes on", &value("for ever and a day")).await;
    tab.key(Key::Escape).await;
    tab.until("it is given up", &value("")).await;
    tab.write(".composer textarea", "@Ca").await;
    tab.texts(".mentions li", 1).await;
    tab.key(Key::Enter).await;
    tab.run("location.hash = '#messages?platform=qq&conversation=group_8'").await;
    tab.until("another field", &value("")).await;
    tab.run("history.back()").await;
    tab.until("the draft is back", &value("@Card ")).await;
    tab.write(".composer textarea", "look").await;
    tab.key(Key::Enter).await;
    let sent = peer.action("send_group_msg").await["params"]["message"].clone();
    assert_eq!(sent[0]["data"]["qq"], "4242", "{sent}");
    assert_eq!(tab.complaints(&["409"]).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn words_go_to_the_field_and_never_become_commands() {
    let server = TestServer::start_with(&["--loopback"]);
    server.make_for(Some("loopback"), "group_1", "hello");
    let tab = Tab::open(&server.url("/#messages?platform=loopback&conversation=group_1")).await;
    tab.sees(".message", "hello").await;
    tab.run("document.activeElement.blur()").await;
    tab.write("body", "really?").await;
    let value = "return document.querySelector('.composer textarea').value === 'really?'";
    tab.until("it is written", value).await;
    assert_eq!(tab.run("return document.querySelector('.composer-bar').hidden").await, json!(true));
    tab.was_quiet().await;
}
