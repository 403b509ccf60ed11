//! `GET /api/stream`, `rechat list --follow`, and how all that lasts ends when the server stops:
//! contract, Part 2, items 17 and 22.

use crate::server::{Home, TestServer, agent, eventually};
use crate::socket::{Client, send_message};
use rustix::process::Signal;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout};
use std::sync::Arc;

const EVENTS: &str = "text/event-stream";
const LINES: &str = "application/x-ndjson";

/// A stream that was opened.
struct Stream {
    lines: BufReader<ureq::BodyReader<'static>>,
}

/// An event of a stream: its `id:`, and its `data:`.
type Event = (String, Value);

impl Stream {
    fn open(server: &TestServer, query: &str, headers: &[(&str, &str)], kind: &str) -> Self {
        let mut request = agent().get(server.url(&format!("/api/stream{query}")));
        request = request.header("accept", kind);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.call().unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], kind);
        Self { lines: BufReader::new(answer.into_body().into_reader()) }
    }

    /// The next line; `None` where the stream has ended.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.lines.read_line(&mut line).expect("the stream ends as it should");
        (read > 0).then(|| line.trim_end_matches('\n').to_owned())
    }

    /// The next event that carries data.
    fn event(&mut self) -> Event {
        let (mut id, mut data) = (String::new(), String::new());
        loop {
            let line = self.line().expect("the stream goes on");
            match line.split_once(": ") {
                Some(("id", value)) => value.clone_into(&mut id),
                Some(("data", value)) => data.push_str(value),
                _ if line.is_empty() && !data.is_empty() => {
                    return (id, serde_json::from_str(&data).unwrap());
                }
                _ => {
                    let is_other =
                        ["retry:", ":", "event: reset"].iter().any(|other| line.starts_with(other));
                    assert!(line.is_empty() || is_other, "{line}")
                }
            }
        }
    }

    /// The next JSON line.
    fn json(&mut self) -> Value {
        loop {
            let line = self.line().expect("the stream goes on");
            if !line.is_empty() {
                return serde_json::from_str(&line).unwrap();
            }
        }
    }

    /// The contents of the next events.
    fn contents(&mut self, count: usize) -> Vec<String> {
        let content = |(_, event): Event| event["data"]["content"].as_str().unwrap().to_owned();
        (0..count).map(|_| content(self.event())).collect()
    }
}

/// Messages `m0` to `m4`; gives their IDs.
fn five(server: &TestServer) -> Vec<String> {
    (0..5).map(|i| server.make_for(Some("qq"), "group_1", &format!("m{i}"))).collect()
}

#[tokio::test]
async fn events_are_the_frames_of_the_websocket_with_a_cursor_as_id() {
    let server = TestServer::start();
    let mut client = Client::connect(&server).await;
    client.subscribe().await;
    let mut events = Stream::open(&server, "", &[], EVENTS);
    let mut lines = Stream::open(&server, "", &[], LINES);
    let mut cursors = Vec::new();
    for content in ["one", "two\nlines", "三 \u{2028} \r\n"] {
        server.make("group_1", content);
        let frame = client.next().await;
        assert_eq!(frame["data"]["content"], content);
        let (id, event) = events.event();
        assert_eq!(event, frame);
        assert_eq!(lines.json(), frame);
        cursors.push(id);
    }
    let mut again = Stream::open(&server, "", &[("last-event-id", &cursors[1])], EVENTS);
    let (id, event) = again.event();
    assert_eq!((&id, &event["data"]["content"]), (&cursors[2], &"三 \u{2028} \r\n".into()));
}

#[test]
fn events_that_are_asked_for_come_with_their_cursors() {
    let server = TestServer::start();
    let mut lines = Stream::open(&server, "?events=message_status,message_deleted", &[], LINES);
    let id = server.make_for(Some("qq"), "group_1", "one");
    let canceled = serde_json::json!({"status": "Canceled"});
    let path = format!("/api/messages/{id}");
    assert_eq!(server.ask("PATCH", &path, Some(&canceled)).0, 200);
    assert_eq!(server.ask("DELETE", &path, None).0, 200);
    let all = [lines.json(), lines.json(), lines.json()];
    let kinds: Vec<_> = all.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["new_message", "message_status", "message_deleted"]);
    let cursor = all[0]["cursor"].as_str().unwrap();
    let query = format!("?events=message_status&events=message_deleted&cursor={cursor}");
    let mut replayed = Stream::open(&server, &query, &[], EVENTS);
    let (place, event) = replayed.event();
    assert_eq!(event, all[2], "of a message that was deleted, only that");
    assert_eq!(all[2]["cursor"], place);
}

#[test]
fn a_place_that_the_store_does_not_have_resets_the_stream_and_does_not_end_it() {
    let server = TestServer::start();
    let ids = five(&server);
    let foreign = "00000000000000aa-3";
    for (query, headers) in [
        ("", &[("last-event-id", foreign)][..]),
        ("", &[("last-event-id", "99")]),
        ("", &[("last-event-id", "nonsense")]),
        (&*format!("?cursor={foreign}"), &[]),
        ("?since=99", &[]),
    ] {
        let mut events = Stream::open(&server, query, headers, EVENTS);
        assert_eq!(events.line().unwrap(), "retry: 1000");
        assert_eq!(events.line().unwrap(), "");
        assert_eq!(events.line().unwrap(), "event: reset", "{query} {headers:?}");
        let (id, event) = events.event();
        assert_eq!(event["type"], "reset");
        let mut lines = Stream::open(&server, query, headers, LINES);
        assert_eq!(lines.json()["type"], "reset");
        let message = server.make("group_1", "live");
        assert_eq!(events.contents(1), ["live"], "{query} {headers:?}");
        assert_eq!(lines.json()["data"]["id"], *message);
        let mut again = Stream::open(&server, "", &[("last-event-id", &id)], EVENTS);
        assert_eq!(again.contents(1), ["live"], "it goes on where it was reset");
    }
    let mut known = Stream::open(&server, "", &[("last-event-id", &ids[3])], EVENTS);
    assert_eq!(known.contents(1), ["m4"]);
}

#[test]
fn a_stream_goes_on_after_since_or_the_last_event_id() {
    let server = TestServer::start();
    let ids = five(&server);
    let id_query = format!("?since={}", ids[2]);
    for (query, headers) in [
        ("?since=3", &[][..]),
        (&id_query, &[]),
        ("", &[("last-event-id", "3")]),
        // A browser that connects again sends both.
        ("?since=1", &[("last-event-id", "3")]),
    ] {
        let mut events = Stream::open(&server, query, headers, EVENTS);
        assert_eq!(events.contents(2), ["m3", "m4"], "{query} {headers:?}");
        let mut lines = Stream::open(&server, query, headers, LINES);
        assert_eq!(lines.json()["data"]["content"], "m3");
        assert_eq!(lines.json()["data"]["seq"], 5);
    }
    let mut all = Stream::open(&server, "?since=0", &[], EVENTS);
    assert_eq!(all.contents(5), ["m0", "m1", "m2", "m3", "m4"]);
    let mut live = Stream::open(&server, "", &[], EVENTS);
    server.make("group_1", "live");
    assert_eq!(live.contents(1), ["live"], "from now on, where nothing is said");
    assert_eq!(all.contents(1), ["live"]);
}

#[test]
fn a_stream_brings_only_the_platform_and_conversation_it_was_asked_for() {
    let server = TestServer::start();
    for (query, expected, (platform, conversation)) in [
        ("platform=qq", &["qq 1", "qq 2"][..], ("qq", "x")),
        ("conversation=group_1", &["qq 1", "tg 1"], ("x", "group_1")),
        ("platform=tg&conversation=group_2", &["tg 2"], ("tg", "group_2")),
        ("platform=qq&platform=tg&conversation=group_2", &["qq 2", "tg 2"], ("qq", "group_2")),
        ("platform=*&conversation=*", &["qq 1", "qq 2", "tg 1", "tg 2"], ("x", "x")),
    ] {
        let since = head(&server);
        let mut live = Stream::open(&server, &format!("?{query}"), &[], EVENTS);
        for (platform, conversation) in
            [("qq", "group_1"), ("qq", "group_2"), ("tg", "group_1"), ("tg", "group_2")]
        {
            let content = format!("{platform} {}", &conversation[6..]);
            server.make_for(Some(platform), conversation, &content);
        }
        server.make_for(Some(platform), conversation, "the end");
        let mut replayed = Stream::open(&server, &format!("?{query}&since={since}"), &[], EVENTS);
        for stream in [&mut live, &mut replayed] {
            assert_eq!(stream.contents(expected.len()), expected, "{query}");
            assert_eq!(stream.contents(1), ["the end"], "{query}");
        }
    }
}

/// The newest message's place in the journal.
fn head(server: &TestServer) -> u64 {
    let mut stream = Stream::open(server, "", &[], LINES);
    server.make_for(Some("nowhere"), "nowhere", "x");
    stream.json()["data"]["seq"].as_u64().unwrap()
}

#[test]
fn what_cannot_be_streamed_is_a_400_that_names_it() {
    let server = TestServer::start();
    for query in ["since=x", "since=-1", "since=6f0a0c1e-8f5c-4c8e-9a54-7b1e43a8a5b0"] {
        let (status, error) = server.get(&format!("/api/stream?{query}"));
        let text = error["error"].as_str().unwrap();
        assert!(status == 400 && text.contains("since"), "{query}: {status} {text}");
    }
    let (status, error) = server.get("/api/stream?events=rain");
    assert!(status == 400 && error["error"].as_str().unwrap().contains("rain"), "{error}");
}

/// A 400 would end a browser's stream for good, and to its client a cursor is opaque.
#[test]
fn a_cursor_that_is_none_begins_with_reset_and_goes_on_live() {
    let server = TestServer::start();
    for (query, headers) in [
        ("?cursor=x", &[][..]),
        ("?cursor=", &[]),
        ("?cursor=00000000000000aa-1", &[]),
        ("", &[("last-event-id", "x")]),
        ("?since=0", &[("last-event-id", "00000000000000aa-1")]),
    ] {
        let mut lines = Stream::open(&server, query, headers, LINES);
        assert_eq!(lines.json()["type"], "reset", "{query} {headers:?}");
        server.make("group_1", "live");
        assert_eq!(lines.json()["data"]["content"], "live", "{query} {headers:?}");
    }
}

#[test]
fn a_comment_keeps_a_silent_stream_alive() {
    let home = Home::new();
    home.configure("[limits]\nping_seconds = 1\n");
    let server = TestServer::start_in(Arc::new(home), &[]);
    let mut events = Stream::open(&server, "", &[], EVENTS);
    let mut comments = 0;
    while comments < 2 {
        comments += usize::from(events.line().expect("the stream goes on").starts_with(':'));
    }
    let mut lines = Stream::open(&server, "", &[], LINES);
    assert_eq!(lines.line().unwrap(), "", "an empty line is no JSON value");
    server.make("group_1", "x");
    assert_eq!(events.contents(1), ["x"]);
    assert_eq!(lines.json()["data"]["content"], "x");
}

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_ends_sessions_with_1001_and_streams_at_their_end() {
    let mut server = TestServer::start();
    let mut sessions = Vec::new();
    for i in 0..20 {
        let mut client = Client::connect(&server).await;
        if i % 2 == 0 {
            client.subscribe().await;
        }
        sessions.push(client);
    }
    let mut events = Stream::open(&server, "", &[], EVENTS);
    let mut lines = Stream::open(&server, "", &[], LINES);
    server.make("group_1", "the last");
    assert_eq!(events.contents(1), ["the last"]);
    assert_eq!(lines.json()["data"]["content"], "the last");
    server.signal(Signal::TERM);
    for client in &mut sessions {
        let (code, reason) = client.closed().await.expect("a close frame");
        assert_eq!(code, 1001);
        assert!(!reason.is_empty());
    }
    while events.line().is_some() {}
    while lines.line().is_some() {}
    assert_eq!(server.wait(), Some(0));
    assert!(!server.log().contains("are cut"), "everything ended in time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reads_nothing_does_not_hold_up_the_end() {
    let mut server = TestServer::start();
    let mut suspended = Client::connect_small(&server).await;
    suspended.subscribe().await;
    let mut fast = Client::connect(&server).await;
    fast.subscribe().await;
    let content = "x".repeat(4000);
    let commands = (0..3000).map(|_| send_message("qq", "group_1", &content));
    let writer = Client::connect(&server).await;
    let reading = tokio::spawn(async move {
        fast.contents(3000).await;
        fast
    });
    writer.send_all(commands).await;
    let mut fast = reading.await.unwrap();
    server.signal(Signal::TERM);
    assert_eq!(fast.closed().await.expect("a close frame").0, 1001);
    assert_eq!(server.wait(), Some(0));
    eventually("the log is read", || server.log().contains("stopping").then_some(()));
    assert!(!server.log().contains("are cut"), "{}", server.log());
}
