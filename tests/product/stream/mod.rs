//! `GET /api/stream`, `rechat list --follow`, and how all that lasts ends when the server stops:
//! contract, Part 2, items 17 and 22.

mod ending;
pub(crate) mod following;

use crate::server::{Home, TestServer, agent};
use crate::socket::Client;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::sync::Arc;

pub(super) const EVENTS: &str = "text/event-stream";

pub(super) const LINES: &str = "application/x-ndjson";

/// A stream that was opened.
pub(super) struct Stream {
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
pub(super) fn five(server: &TestServer) -> Vec<String> {
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
        assert_eq!((&event["type"], &event["reason"]), (&"reset".into(), &"other_store".into()));
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
fn a_stream_says_where_it_begins_before_the_first_event() {
    let server = TestServer::start();
    five(&server);
    for (query, missed) in [("", 0), ("?since=3", 2), ("?events=message_status", 0)] {
        let mut events = Stream::open(&server, query, &[], EVENTS);
        assert_eq!(events.line().unwrap(), "retry: 1000");
        let first = events.line().unwrap();
        let place = first.strip_prefix("id: ").unwrap();
        assert_eq!(events.line().unwrap(), "", "without data, so that no event is told");
        // The line breaks before an event came.
        drop(events);
        let request = agent().get(server.url(&format!("/api/stream{query}")));
        let answer = request.header("accept", LINES).call().unwrap();
        assert_eq!(answer.headers()["last-event-id"], *place);
        drop(answer);
        server.make("group_1", "meanwhile");
        let mut again = Stream::open(&server, query, &[("last-event-id", place)], EVENTS);
        let missed = again.contents(missed + 1);
        assert_eq!(missed.last().unwrap(), "meanwhile", "{query}");
    }
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
