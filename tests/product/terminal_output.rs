//! Commands at a terminal: tables, colors, the pager, questions.

use crate::server::{Home, TestServer};
use crate::terminal::Terminal;

/// The ID of a message that is sent.
fn send(home: &Home, text: &str) -> String {
    home.ok(&["send", "-p", "qq", "-r", "group_1", text])[..36].to_owned()
}

#[test]
fn a_list_has_short_ids_and_tells_what_waits() {
    let home = Home::new();
    let id = send(&home, "who brings the map?");
    let mut list = Terminal::start(&home, &["list"]);
    assert_eq!(list.wait(), 0);
    for part in ["ID ", "CONVERSATION", &id[..8], "now", "me", "Pending who brings", "(no server"] {
        list.sees(part);
    }
    assert!(!list.contents().contains(&id), "the whole ID is not needed");
    let narrowed = Terminal::start(&home, &["list", "-c", "group_1"]);
    narrowed.sees("who brings");
    assert!(!narrowed.contents().contains("group_1"), "{}", narrowed.contents());
}

#[test]
fn what_is_longer_than_the_screen_goes_to_the_pager() {
    let home = Home::new();
    send(&home, "short");
    let pager = [("PAGER", "sed 's/^/| /'")];
    let short = Terminal::start_among(&home, &["list"], &pager);
    short.sees("short");
    assert!(!short.contents().contains("| "), "{}", short.contents());
    (0..30).for_each(|n| drop(send(&home, &format!("message {n}"))));
    let long = Terminal::start_among(&home, &["list", "-n", "40"], &pager);
    long.sees("| ");
    let mut plain = Terminal::start_among(&home, &["list", "-n", "40", "--no-pager"], &pager);
    assert_eq!(plain.wait(), 0);
    plain.sees("message 1");
    assert!(!plain.contents().contains("| "), "{}", plain.contents());
    let mut none = Terminal::start_among(&home, &["list"], &[("PAGER", "no-such-pager-here")]);
    none.sees("message 9");
    assert_eq!(none.wait(), 0, "without its pager it is printed all the same");
}

#[test]
fn colors_are_for_terminals_unless_asked_otherwise() {
    let home = Home::new();
    send(&home, "x");
    let printed = |arguments: &[&str]| home.ok(&[&["list"], arguments].concat());
    assert!(!printed(&["--format", "table"]).contains('\u{1b}'));
    assert!(printed(&["--format", "table", "--color", "always"]).contains("\u{1b}["));
    assert!(!printed(&["--json", "--color", "always"]).contains('\u{1b}'));
}

#[test]
fn delete_asks_before_it_is_done() {
    let home = Home::new();
    let id = send(&home, "keep me");
    let mut asked = Terminal::start(&home, &["delete", &id[..8]]);
    asked.sees("keep me");
    asked.sees("[y/N]");
    asked.press("\r");
    assert_eq!(asked.wait(), 1);
    asked.sees("nothing is deleted");
    let mut asked = Terminal::start(&home, &["delete", &id[..8]]);
    asked.sees("[y/N]");
    asked.press("y\r");
    assert_eq!(asked.wait(), 0);
    assert_eq!(home.ok(&["list"]), "");
    let id = send(&home, "not asked");
    assert_eq!(Terminal::start(&home, &["delete", "--yes", &id]).wait(), 0);
    assert_eq!(home.ok(&["list"]), "");
}

#[test]
fn following_tells_what_became_of_messages() {
    let server = TestServer::start();
    let home = &server.home;
    let id = send(home, "first");
    let following = Terminal::start(home, &["list", "--follow"]);
    following.sees("me: first");
    home.ok(&["cancel", &id]);
    following.sees("Canceled");
    let second = send(home, "second");
    following.sees("me: second");
    home.ok(&["delete", &second[..8]]);
    following.sees(&format!("{} deleted", &second[..8]));
}

#[test]
fn a_message_that_is_not_sent_in_time_tells_its_reason_once() {
    let server = TestServer::start();
    let arguments = ["send", "-p", "nowhere", "--new", "-r", "group_1", "--wait=1", "hello"];
    let mut sending = Terminal::start(&server.home, &arguments);
    assert_eq!(sending.wait(), 1);
    sending.sees("rechat cancel");
    let told = sending.contents();
    assert_eq!(told.matches("no adapter of nowhere").count(), 1, "{told}");
}
