//! The terminal client, in a terminal: what one sees, what one types, and what it leaves behind.

use crate::onebot::{Peer, Reply, Script};
use crate::onebot11;
use crate::server::{Home, TestServer, eventually};
use crate::terminal::Terminal;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The terminal client.
pub fn tui(home: &Home, arguments: &[&str]) -> Terminal {
    let downloads = home.path("Downloads");
    std::fs::create_dir_all(&downloads).unwrap();
    let variables = [("XDG_DOWNLOAD_DIR", downloads.to_str().unwrap())];
    Terminal::start_among(home, &[&["tui"], arguments].concat(), &variables)
}

#[test]
fn a_conversation_from_the_terminal_across_a_restart() {
    let mut server = TestServer::start_with(&["--loopback"]);
    server.until(&server.make_for(Some("loopback"), "group_1", "the first word"), "Sent");
    let mut tui = tui(&server.home, &[]);
    tui.sees("the first word");
    assert!(tui.is_raw() && tui.is_on_alternate_screen());
    // New messages are seen, and foreign text does not steer the terminal.
    server.make_for(Some("loopback"), "group_1", "came live \u{1b}]0;owned\u{7}");
    tui.sees("came live ␛]0;owned␇");
    // The only conversation is the one below all of them; Enter begins to write.
    tui.press("j\r");
    tui.sees("Enter: send");
    tui.press("an answer\r");
    tui.sees("✓ an answer");
    let found = |server: &TestServer, text: &str| {
        let (_, listing) = server.get("/api/messages?conversation=group_1");
        let messages = listing["messages"].as_array().unwrap().clone();
        messages.iter().filter(|message| message["content"] == text).count()
    };
    assert_eq!(found(&server, "an answer"), 1);
    // The server goes and comes back; what happened meanwhile is there, and once.
    server.stop();
    tui.sees("away: cannot reach a server");
    server.home.ok(&["send", "-p", "loopback", "-r", "group_1", "while it was away"]);
    server.start_again();
    tui.sees("while it was away");
    tui.press("another\r");
    tui.sees("✓ another");
    let lines = tui.contents();
    for text in ["✓ an answer", "while it was away", "✓ another"] {
        // The list has the last line of each conversation, without a mark.
        assert_eq!(lines.matches(text).count(), 1, "{text}:\n{lines}");
    }
    tui.press("\u{1b}");
    tui.sees("press i to write");
    tui.press("q");
    assert_eq!(tui.wait(), 0);
    tui.has_restored();
}

/// A message of the group 77, with its ID.
fn group_message(id: i64, text: &str) -> Value {
    onebot11::group_message(1, 77, id, text)
}

/// An implementation that sends, takes back and reacts.
fn does_everything() -> Script {
    let last_id = AtomicI64::new(500);
    Arc::new(move |action| match action["action"].as_str().unwrap() {
        "send_group_msg" => {
            Reply::ok(json!({"message_id": last_id.fetch_add(1, Ordering::Relaxed) + 1}))
        }
        "delete_msg" | "set_msg_emoji_like" => Reply::ok(json!(null)),
        _ => Reply::refused(1404, "no such action"),
    })
}

async fn dial(server: &TestServer) -> Peer {
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    Peer::dial(&url, &onebot11::headers("1", "Universal"), does_everything()).await.unwrap()
}

/// Unread messages of the group, as the server counts them.
fn unread(server: &TestServer) -> u64 {
    let (_, known) = server.get("/api/conversations/qq/group_77");
    known["unread"].as_u64().unwrap_or(u64::MAX)
}

fn until_unread(server: &TestServer, count: u64) {
    eventually("the server counts what is unread", || (unread(server) == count).then_some(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_read_answered_reacted_to_and_taken_back() {
    let server = TestServer::start();
    let peer = dial(&server).await;
    peer.push(&group_message(11, "shall we?"));
    until_unread(&server, 1);
    let mut tui = tui(&server.home, &[]);
    tui.sees("shall we?");
    // Enter opens it, and so it is read.
    tui.press("j\r");
    tui.sees("to Group 77");
    until_unread(&server, 0);
    // A message that comes while it is open is read at once.
    peer.push(&group_message(12, "hello?"));
    tui.sees("hello?");
    until_unread(&server, 0);
    tui.press("\u{1b}");
    tui.sees("press i to write");
    tui.press("kkr");
    tui.sees("↩ Card: shall we?");
    tui.press("yes, at six\r");
    tui.sees("✓ ↩ Card: shall we?");
    let sent = peer.action("send_group_msg").await;
    let segments = sent["params"]["message"].as_array().unwrap();
    assert_eq!(segments[0], json!({"type": "reply", "data": {"id": "11"}}));
    assert_eq!(segments[1]["data"]["text"], "yes, at six");
    tui.press("\u{1b}");
    tui.sees("press i to write");
    tui.press("kk+thumbs up\r");
    let reaction = peer.action("set_msg_emoji_like").await;
    assert_eq!(reaction["params"]["message_id"], 12);
    tui.sees("👍 1");
    tui.press("Gku");
    tui.sees("Take this message back for everybody?");
    tui.press("y");
    assert_eq!(peer.action("delete_msg").await["params"]["message_id"], 501);
    tui.sees("[recalled]");
    // From the answer to the answered message, and what cannot be done is said.
    tui.press("a");
    tui.press("e");
    tui.sees("only your own messages can be edited");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_clients_agree_on_what_was_read() {
    let server = TestServer::start();
    let peer = dial(&server).await;
    peer.push(&group_message(11, "one"));
    until_unread(&server, 1);
    let [first, mut second] = [(); 2].map(|()| tui(&server.home, &["--notify", "off"]));
    let has_unread = |tui: &Terminal, is_so: bool| {
        eventually("the list counts", || {
            let lines = tui.contents();
            // Its name stands above its messages, too.
            let mut list = lines.lines().filter_map(|line| line.split('│').next());
            let line = list.find(|line| line.contains("Group 77"))?;
            (line.trim_end().ends_with(" 1") == is_so).then_some(())
        });
    };
    has_unread(&first, true);
    has_unread(&second, true);
    second.press("j\r");
    second.sees("to Group 77");
    has_unread(&first, false);
    peer.push(&group_message(12, "@all join"));
    second.sees("@all join");
    has_unread(&first, false);
    until_unread(&server, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_opens_at_the_first_of_many_unread_messages() {
    let server = TestServer::start();
    let peer = dial(&server).await;
    for id in 1..=150 {
        peer.push(&group_message(id, &format!("number {id}.")));
    }
    until_unread(&server, 150);
    let read = json!({"read_to": "latest"});
    server.ask("PATCH", "/api/conversations/qq/group_77", Some(&read));
    for id in 151..=400 {
        peer.push(&group_message(id, &format!("number {id}.")));
    }
    until_unread(&server, 250);
    let mut tui = tui(&server.home, &[]);
    tui.sees("number 400.");
    tui.press("j\r");
    tui.sees("number 151.");
    tui.sees(" new ");
    // The messages that were read before stand above it.
    tui.sees("number 150.");
    let lines = tui.contents();
    assert!(!lines.contains("number 300.\n") && !lines.contains("number 300. "), "{lines}");
    // The rest is loaded on the way down; only what was seen is read.
    eventually("some is read", || (unread(&server) < 250).then_some(()));
    assert!(unread(&server) > 200);
    tui.press("\u{1b}");
    tui.sees("press i to write");
    tui.press("G");
    tui.sees("number 400.");
    until_unread(&server, 0);
}

#[test]
fn own_messages_are_edited_and_files_sent() {
    let server = TestServer::start_with(&["--loopback"]);
    server.until(&server.make_for(Some("loopback"), "group_1", "a typpo"), "Sent");
    let mut tui = tui(&server.home, &[]);
    tui.sees("a typpo");
    tui.press("j\r");
    tui.sees("✓ a typpo");
    tui.press("\u{1b}");
    tui.sees("press i to write");
    tui.press("ke");
    tui.sees("editing");
    // Ctrl-W deletes a word, as in a shell.
    tui.press("\u{17}typo\r");
    tui.sees("a typo (edited)");
    let file = server.home.path("季度 报告.txt");
    std::fs::write(&file, "the bytes").unwrap();
    tui.press("/fi\t");
    tui.sees("> /file");
    tui.press(&format!("{}\t\r", server.home.path("季度").display()));
    tui.sees("✓ [file] 季度 报告.txt, 9 bytes");
    // It is saved without taking the place of another one.
    tui.press("\u{1b}");
    tui.sees("press i to write");
    tui.press("ks");
    tui.sees("saved as");
    let saved = server.home.path("Downloads/季度 报告.txt");
    assert_eq!(std::fs::read(saved).unwrap(), b"the bytes");
}

#[test]
fn everything_is_searched_and_a_hit_is_shown_in_its_conversation() {
    let server = TestServer::start();
    server.make_for(Some("qq"), "group_2", "elsewhere");
    server.make_for(Some("qq"), "group_1", "before the Ｎｅｅｄｌｅ");
    server.make_for(Some("qq"), "group_1", "after it");
    let mut tui = tui(&server.home, &[]);
    tui.sees("after it");
    tui.press("/needle\t");
    tui.sees("with “needle”");
    eventually("only the hit is shown", || {
        let lines = tui.contents();
        (lines.contains("Ｎｅｅｄｌｅ") && !lines.contains("elsewhere\n")).then_some(())
    });
    tui.press("k\r");
    tui.sees("group_1 · qq");
    tui.sees("after it");
    tui.press("\u{1b}");
    tui.sees("with “needle”");
}

#[test]
fn a_token_opens_a_server_elsewhere() {
    let server = TestServer::start_with(&["--token", "secret"]);
    server.home.ok(&["send", "-r", "group_1", "behind a token"]);
    let elsewhere = Home::new();
    let refused = tui(&elsewhere, &["--server", &server.url("")]);
    refused.sees("a token is needed");
    let tui = tui(&elsewhere, &["--server", &server.url(""), "--token", "secret"]);
    tui.sees("behind a token");
}

#[test]
fn it_opens_where_one_left_with_what_was_being_written() {
    let server = TestServer::start_with(&["--loopback"]);
    server.until(&server.make_for(Some("loopback"), "group_1", "the older one"), "Sent");
    server.until(&server.make_for(Some("loopback"), "group_2", "the newer one"), "Sent");
    let mut first = tui(&server.home, &[]);
    first.sees("the newer one");
    first.press("\u{b}group_1\r");
    first.sees("to group_1");
    first.press("half a line");
    first.sees("half a line");
    first.press("\u{3}");
    first.sees("Quit?");
    first.press("\u{3}");
    assert_eq!(first.wait(), 0);
    // Killed by the system, it loses no more than what was typed in the last second.
    let mut again = tui(&server.home, &[]);
    again.sees("half a line");
    again.press("\r and more");
    again.sees("half a line and more");
    let kept = server.home.path("state/rechat/tui.json");
    eventually("it is kept", || {
        std::fs::read_to_string(&kept).ok().filter(|text| text.contains("and more"))
    });
    again.signal(Signal::KILL);
    again.wait();
    tui(&server.home, &[]).sees("half a line and more");
}

#[test]
fn signals_leave_the_terminal_as_it_was() {
    let home = Home::new();
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let mut tui = tui(&home, &[]);
        tui.sees("away: cannot reach a server");
        assert!(tui.is_raw());
        tui.signal(signal);
        assert_eq!(tui.wait(), 0);
        tui.has_restored();
    }
}

#[test]
fn suspended_it_gives_the_terminal_back_and_takes_it_again() {
    let home = Home::new();
    let mut tui = tui(&home, &[]);
    tui.sees("away: cannot reach a server");
    tui.signal(Signal::TSTP);
    tui.has_restored();
    let stat = format!("/proc/{}/stat", tui.pid().as_raw_nonzero());
    eventually("it is stopped", || {
        std::fs::read_to_string(&stat).unwrap().contains(") T ").then_some(())
    });
    tui.signal(Signal::CONT);
    tui.sees("away: cannot reach a server");
    assert!(tui.is_raw() && tui.is_on_alternate_screen());
    tui.press("q");
    assert_eq!(tui.wait(), 0);
    tui.has_restored();
}

#[test]
fn without_a_terminal_it_says_so() {
    let home = Home::new();
    let errors = home.fails(2, &["tui"]);
    assert!(errors.contains("needs a terminal"), "{errors}");
}

#[test]
fn a_picture_is_shown_as_the_terminal_can_and_made_anew_for_another_size() {
    let server = TestServer::start_with(&["--loopback"]);
    let file = server.home.path("half.png");
    let mut image = image::RgbImage::from_pixel(300, 200, image::Rgb([255, 0, 0]));
    image::imageops::replace(
        &mut image,
        &image::RgbImage::from_pixel(150, 200, image::Rgb([0, 0, 255])),
        150,
        0,
    );
    image.save(&file).unwrap();
    server.home.ok(&[
        "send",
        "-p",
        "loopback",
        "-r",
        "group_1",
        "--file",
        file.to_str().unwrap(),
        "--wait",
    ]);
    let mut tui = tui(&server.home, &["--pictures", "blocks"]);
    tui.sees("✓ [image] half.png");
    tui.press("\t");
    tui.press("v");
    tui.sees("q closes");
    let colours = |tui: &Terminal| {
        [vt100::Color::Rgb(255, 0, 0), vt100::Color::Rgb(0, 0, 255)].map(|of| tui.cells_of(of))
    };
    let [red, blue] = eventually("both halves", || {
        Some(colours(&tui)).filter(|[red, blue]| *red > 20 && *blue > 20)
    });
    assert!(red.abs_diff(blue) < red / 4, "{red} red, {blue} blue");
    tui.resize(12, 60);
    eventually("a smaller one", || {
        Some(colours(&tui)).filter(|[small, _]| *small > 0 && *small < red)
    });
    tui.press("q");
    eventually("it is gone", || (colours(&tui) == [0, 0]).then_some(()));
    tui.sees("✓ [image] half.png");
    // Without pictures, it is said what can be done.
    tui.press("q");
    assert_eq!(tui.wait(), 0);
    let mut tui = self::tui(&server.home, &["--pictures", "off"]);
    tui.sees("✓ [image] half.png");
    tui.press("\tv");
    tui.sees("pictures are off here");
}

#[test]
fn the_client_speaks_the_language_of_the_locale_unless_told_another() {
    let server = TestServer::start_with(&["--loopback"]);
    server.until(&server.make_for(Some("loopback"), "group_1", "the first word"), "Sent");
    let locale = [("LC_ALL", "zh_CN.UTF-8")];
    let mut chinese = Terminal::start_among(&server.home, &["tui"], &locale);
    chinese.sees("1 个会话");
    chinese.press("?");
    chinese.sees("显示按键");
    chinese.press("qq");
    assert_eq!(chinese.wait(), 0);
    let mut english = Terminal::start_among(&server.home, &["tui", "--language", "en"], &locale);
    english.sees("1 conversation");
    english.press("q");
    assert_eq!(english.wait(), 0);
}
