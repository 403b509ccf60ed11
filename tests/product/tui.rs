//! The terminal client, in a terminal: what one sees, what one types, and what it leaves behind.

use crate::server::{Home, TestServer, eventually};
use crate::terminal::Terminal;
use rustix::process::Signal;

/// The terminal client.
pub fn tui(home: &Home, arguments: &[&str]) -> Terminal {
    Terminal::start(home, &[&["tui"], arguments].concat())
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
    tui.sees("i writes an answer");
    tui.press("q");
    assert_eq!(tui.wait(), 0);
    tui.has_restored();
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
