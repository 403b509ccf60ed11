//! `rechat list --follow`.

use super::five;
use super::{LINES, Stream};
use crate::server::{Home, TestServer, agent, eventually};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.process.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
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

/// It has as many messages as the store had when following began, and they are others.
#[test]
fn following_tells_of_an_older_copy_that_has_grown_since() {
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
    follower.signal(Signal::STOP);
    assert_eq!(server.stop(), Some(0));
    std::fs::copy(&copy, server.home.db()).unwrap();
    server.start_again();
    (0..3).for_each(|n| drop(server.make("group_1", &format!("another {n}"))));
    let errors = follower.process.stderr.take().unwrap();
    follower.signal(Signal::CONT);
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

/// Starts a server again that keeps no more events than the last one, and waits until what comes after
/// `cursor` is forgotten.
pub(crate) fn start_without_events_after(server: &mut TestServer, cursor: &str) {
    server.home.configure("[log]\nevents = 1\n");
    server.start_again();
    eventually("the events after the cursor are forgotten", || {
        let first = Stream::open(server, &format!("?cursor={cursor}"), &[], LINES).json();
        (first["type"] == "reset").then(|| assert_eq!(first["reason"], "too_old"))
    });
}

#[test]
fn following_misses_no_message_where_the_events_are_no_longer_kept() {
    let mut server = TestServer::start();
    let mut follower = Follower::start(&server, &["-c", "group_1"]);
    for content in ["first", "second"] {
        server.make_for(Some("qq"), "group_1", content);
        assert_eq!(follower.content(), content);
    }
    let mut lines = Stream::open(&server, "?events=&since=1", &[], LINES);
    let cursor = lines.json()["cursor"].as_str().unwrap().to_owned();
    follower.signal(Signal::STOP);
    server.make_for(Some("qq"), "group_1", "missed");
    (0..5).for_each(|n| drop(server.make_for(Some("qq"), "group_2", &n.to_string())));
    assert_eq!(server.stop(), Some(0));
    start_without_events_after(&mut server, &cursor);
    follower.signal(Signal::CONT);
    assert_eq!(follower.content(), "missed");
    let errors = follower.process.stderr.take().unwrap();
    let mut line = String::new();
    BufReader::new(errors).read_line(&mut line).unwrap();
    assert!(line.contains("log.events") && !line.contains("another one"), "{line}");
    server.make_for(Some("qq"), "group_1", "new");
    assert_eq!(follower.content(), "new");
}

/// Passes connections on, and has something done once a page of messages is on its way back.
fn proxy(address: String, done: impl Fn() + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().to_string();
    let done = Arc::new(done);
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), TcpStream::connect(&address).unwrap());
            let asked = Arc::new(AtomicBool::new(false));
            let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let notices = asked.clone();
            std::thread::spawn(move || {
                let mut bytes = vec![0; 64 << 10];
                while let Ok(count @ 1..) = from.read(&mut bytes) {
                    let text = String::from_utf8_lossy(&bytes[..count]);
                    notices.fetch_or(text.contains("GET /api/messages?"), Ordering::SeqCst);
                    if to.write_all(&bytes[..count]).is_err() {
                        return;
                    }
                }
            });
            let (mut from, mut to, done) = (server, client, done.clone());
            std::thread::spawn(move || {
                let mut bytes = vec![0; 64 << 10];
                while let Ok(count @ 1..) = from.read(&mut bytes) {
                    if asked.swap(false, Ordering::SeqCst) {
                        done();
                    }
                    if to.write_all(&bytes[..count]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    own
}

#[test]
fn a_status_that_changes_while_the_list_is_read_is_told() {
    let server = TestServer::start();
    let id = server.make_for(Some("qq"), "group_1", "listed");
    let path = server.url(&format!("/api/messages/{id}"));
    let address = proxy(server.address.clone(), move || {
        let body = json!({"status": "Canceled"}).to_string();
        let request = agent().patch(&path).header("content-type", "application/json");
        assert_eq!(request.send(body).unwrap().status(), 200);
    });
    let address = format!("http://{address}");
    let arguments = ["list", "--follow", "--format", "table", "--server", &address];
    let mut process = server.home.command(&arguments).spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let listed = lines.next().unwrap().unwrap();
    assert!(listed.contains("listed") && listed.contains("Pending"), "{listed}");
    // Without it the next line would be this one.
    server.make_for(Some("qq"), "group_1", "later");
    let told = lines.next().unwrap().unwrap();
    assert!(told.contains(&id[..8]) && told.contains("Canceled"), "{told}");
    let _ = process.kill();
    let _ = process.wait();
}
