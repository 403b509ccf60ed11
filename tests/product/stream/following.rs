//! `rechat list --follow`.

use super::five;
use crate::server::{Home, TestServer, agent, eventually};
use rustix::process::Signal;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout};
use std::sync::Arc;

/// `rechat list --follow --json`
struct Follower {
    process: Child,
    lines: BufReader<ChildStdout>,
}

impl Follower {
    fn start(server: &TestServer, arguments: &[&str]) -> Self {
        let all = [&["list", "--follow", "--json"], arguments].concat();
        let mut process = server.home.command(&all).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap());
        Self { process, lines }
    }

    fn content(&mut self) -> String {
        let mut line = String::new();
        let read = self.lines.read_line(&mut line).unwrap();
        assert!(read > 0, "it ended: {:?}", self.process.wait());
        let message: Value = serde_json::from_str(&line).unwrap();
        message["content"].as_str().unwrap().to_owned()
    }

    fn contents(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.content()).collect()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn following_brings_what_there_is_and_what_is_made_meanwhile() {
    let server = TestServer::start();
    five(&server);
    let mut all = Follower::start(&server, &[]);
    let mut some = Follower::start(&server, &["--platform", "qq", "--conversation", "group_1"]);
    let mut newest = Follower::start(&server, &["--limit", "2"]);
    assert_eq!(all.contents(5), ["m0", "m1", "m2", "m3", "m4"], "the oldest first");
    assert_eq!(some.contents(5), ["m0", "m1", "m2", "m3", "m4"]);
    assert_eq!(newest.contents(2), ["m3", "m4"]);
    server.make_for(Some("tg"), "group_1", "elsewhere");
    server.make_for(Some("qq"), "group_1", "here");
    assert_eq!(all.contents(2), ["elsewhere", "here"]);
    assert_eq!(some.contents(1), ["here"]);
    assert_eq!(newest.contents(2), ["elsewhere", "here"]);
}

#[test]
fn following_survives_restarts_of_the_server_without_a_gap_or_a_double() {
    let mut server = TestServer::start();
    let mut follower = Follower::start(&server, &[]);
    // The first may come from the list, the second only from the stream.
    for content in ["first", "second"] {
        server.make_for(Some("qq"), "group_1", content);
        assert_eq!(follower.content(), content);
    }
    let mut expected = Vec::new();
    for round in 0..3 {
        for i in 0..20 {
            let content = format!("{round} {i}");
            server.make_for(Some("qq"), "group_1", &content);
            expected.push(content);
        }
        // Some are printed and some are on their way when the server goes.
        if round == 1 {
            server.kill();
        } else {
            assert_eq!(server.stop(), Some(0));
        }
        server.start_again();
        server.make_for(Some("qq"), "group_1", &format!("{round} again"));
        expected.push(format!("{round} again"));
    }
    assert_eq!(follower.contents(expected.len()), expected);
}

/// The last message that it knows is none of the copy's.
#[test]
fn following_tells_of_an_older_copy_where_nothing_came_since_it_began() {
    let mut server = TestServer::start();
    server.make("group_1", "kept");
    assert_eq!(server.stop(), Some(0));
    let copy = server.home.path("copy.redb");
    std::fs::copy(server.home.db(), &copy).unwrap();
    server.start_again();
    server.make("group_1", "lost");
    let mut follower = Follower::start(&server, &["--limit", "1"]);
    assert_eq!(follower.content(), "lost");
    eventually("its stream is open", || {
        let mut metrics = agent().get(server.url("/metrics")).call().unwrap();
        let text = metrics.body_mut().read_to_string().unwrap();
        let open = "http_requests_total{route=\"/api/stream\",code=\"200\"} 1";
        text.contains(open).then_some(())
    });
    assert_eq!(server.stop(), Some(0));
    std::fs::copy(&copy, server.home.db()).unwrap();
    server.start_again();
    let errors = follower.process.stderr.take().unwrap();
    let mut line = String::new();
    BufReader::new(errors).read_line(&mut line).unwrap();
    assert!(line.contains("older copy"), "{line}");
    server.make("group_1", "new");
    assert_eq!(follower.content(), "new");
}

#[test]
fn following_ends_with_a_word_when_its_token_is_revoked() {
    let home = Arc::new(Home::new());
    home.configure("token = 'first'\n");
    let server = TestServer::start_in(home, &[]);
    let address = format!("http://{}", server.address);
    let place = ["--server", &address, "--token", "first", "--limit", "1"];
    server.home.ok(&["send", "-r", "group_1", "-p", "qq", "x"]);
    let mut follower = Follower::start(&server, &place);
    assert_eq!(follower.content(), "x");
    server.home.configure("token = 'second'\n");
    server.signal(Signal::HUP);
    assert_eq!(follower.process.wait().unwrap().code(), Some(1));
    let mut said = String::new();
    follower.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("token"), "{said}");
}

#[test]
fn following_tells_when_the_store_was_replaced_by_an_older_copy() {
    let mut server = TestServer::start();
    server.make_for(Some("qq"), "group_1", "kept");
    assert_eq!(server.stop(), Some(0));
    let copy = server.home.path("copy.redb");
    std::fs::copy(server.home.db(), &copy).unwrap();
    server.start_again();
    let mut follower = Follower::start(&server, &[]);
    assert_eq!(follower.content(), "kept");
    server.make_for(Some("qq"), "group_1", "lost");
    assert_eq!(follower.content(), "lost");
    assert_eq!(server.stop(), Some(0));
    std::fs::copy(&copy, server.home.db()).unwrap();
    server.start_again();
    let errors = follower.process.stderr.take().unwrap();
    let mut line = String::new();
    BufReader::new(errors).read_line(&mut line).unwrap();
    assert!(line.contains("older copy"), "{line}");
    server.make_for(Some("qq"), "group_1", "new");
    assert_eq!(follower.content(), "new");
}
