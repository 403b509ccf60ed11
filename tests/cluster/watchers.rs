//! Watchers that move from node to node by their cursor, and what they saw.

use crate::model::{Random, Run};
use crate::server::DEADLINE;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

/// Events that a watcher asks for.
pub const EVENTS: &str = "message_status,message_updated,message_deleted,notice";

/// The content of the last message.
pub const THE_END: &str = "the end";

/// How long a watcher stays at a node.
const STAY: Duration = Duration::from_secs(3);

/// An event, as a watcher saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenEvent {
    /// Of the log.
    epoch: String,
    offset: u64,
    kind: String,
    data: Value,
}

impl SeenEvent {
    fn of(cursor: &str, event: &Value) -> Self {
        let (epoch, offset) = cursor.split_once('-').unwrap();
        Self {
            epoch: epoch.to_owned(),
            offset: u64::from_str_radix(offset, 16).unwrap(),
            kind: event["type"].as_str().unwrap().to_owned(),
            data: event["data"].clone(),
        }
    }

    fn id(&self) -> &str {
        self.data["id"].as_str().unwrap_or_default()
    }

    fn is_the_end(&self) -> bool {
        self.kind == "new_message" && self.data["content"] == THE_END
    }
}

/// How a watcher connects.
#[derive(Clone, Copy)]
pub enum Way {
    Stream,
    WebSocket,
}

/// The cursor of the newest event at a node.
pub fn cursor_at(address: &str) -> String {
    let runtime = runtime();
    runtime.block_on(async {
        let (_, cursor) = subscribed(address, None).await.unwrap();
        cursor.unwrap()
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

impl Run {
    /// Watches behind a cursor at random nodes, until the last message has come; gives all events.
    pub fn watch(&self, seed: u64, way: Way, cursor: &str) -> Vec<SeenEvent> {
        let (mut random, mut last, mut seen) = (Random(seed), cursor.to_owned(), Vec::new());
        let (runtime, mut ends_by) = (runtime(), None);
        loop {
            if self.end.load(Ordering::Relaxed) {
                let by = *ends_by.get_or_insert_with(|| Instant::now() + 5 * DEADLINE);
                let has_come = seen.last().is_some_and(SeenEvent::is_the_end);
                if has_come || Instant::now() > by {
                    return seen;
                }
            }
            let address = self.address(&mut random);
            let events = 1 + random.below(60);
            match way {
                Way::Stream => by_stream(&address, events, &mut last, &mut seen),
                Way::WebSocket => {
                    let watching = by_socket(&address, events, &mut last, &mut seen);
                    let stay = async { tokio::time::timeout(STAY, watching).await };
                    let _ = runtime.block_on(stay);
                }
            }
        }
    }
}

/// Reads some events of a node, behind the last one that was seen.
fn by_stream(address: &str, events: usize, last: &mut String, seen: &mut Vec<SeenEvent>) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(STAY))
        .build()
        .into();
    let url = format!("http://{address}/api/stream?events={EVENTS}");
    let Ok(answer) = agent.get(url).header("last-event-id", &*last).call() else { return };
    if answer.status() != 200 {
        return;
    }
    let mut lines = BufReader::new(answer.into_body().into_reader());
    let (mut id, mut data, mut line) = (None, None, String::new());
    let mut left = events;
    while left > 0 {
        line.clear();
        // A line that breaks off belongs to an event that is read again.
        if !lines.read_line(&mut line).is_ok_and(|read| read > 0 && line.ends_with('\n')) {
            return;
        }
        match line.trim_end().split_once(": ") {
            Some(("id", text)) => id = Some(text.to_owned()),
            Some(("event", text)) => assert_ne!(text, "reset", "a cursor is not known: {last}"),
            Some(("data", text)) => data = serde_json::from_str::<Value>(text).ok(),
            _ if line.trim_end().is_empty() => {
                if let (Some(id), Some(data)) = (id.take(), data.take()) {
                    seen.push(SeenEvent::of(&id, &data));
                    *last = id;
                    left -= 1;
                    if seen.last().is_some_and(SeenEvent::is_the_end) {
                        return;
                    }
                }
            }
            _ => {}
        }
    }
}

type Socket = tokio_tungstenite::WebSocketStream<TcpStream>;

/// A session behind a cursor, or from now on; gives the cursor of the answer.
async fn subscribed(address: &str, cursor: Option<&str>) -> Option<(Socket, Option<String>)> {
    let stream = TcpStream::connect(address).await.ok()?;
    let (mut socket, _) = client_async(format!("ws://{address}/ws/client"), stream).await.ok()?;
    let events: Vec<_> = EVENTS.split(',').collect();
    let mut command = json!({"type": "subscribe", "events": events});
    if let Some(cursor) = cursor {
        command["cursor"] = json!(cursor);
    }
    socket.send(Message::text(command.to_string())).await.ok()?;
    loop {
        let answer = frame(&mut socket).await?;
        match answer["type"].as_str().unwrap() {
            "ack" => return Some((socket, answer["cursor"].as_str().map(str::to_owned))),
            "error" => {
                assert_ne!(answer["code"], "cursor_gone", "a cursor is not known: {cursor:?}");
                return None;
            }
            _ => {}
        }
    }
}

async fn frame(socket: &mut Socket) -> Option<Value> {
    loop {
        if let Message::Text(text) = socket.next().await?.ok()? {
            return Some(serde_json::from_str(&text).unwrap());
        }
    }
}

async fn by_socket(
    address: &str,
    events: usize,
    last: &mut String,
    seen: &mut Vec<SeenEvent>,
) -> Option<()> {
    let (mut socket, _) = subscribed(address, Some(last)).await?;
    let mut left = events;
    while left > 0 {
        let event = frame(&mut socket).await?;
        assert_ne!(event["code"], "cursor_gone", "a session fell behind");
        // The state of an adapter is no event of the log, whatever cursor it comes with.
        if event["type"] == "adapter_status" {
            continue;
        }
        let Some(cursor) = event["cursor"].as_str() else { continue };
        seen.push(SeenEvent::of(cursor, &event));
        cursor.clone_into(last);
        left -= 1;
        if seen.last().is_some_and(SeenEvent::is_the_end) {
            return None;
        }
    }
    Some(())
}

/// Checks that a watcher saw each message once and in order, with its last status, and that no two
/// watchers saw something else at one place of the log. `all` has what others saw.
pub fn check(
    seen: &[SeenEvent],
    messages: &[Value],
    all: &mut BTreeMap<u64, (String, Vec<Value>)>,
) {
    assert!(seen.last().is_some_and(SeenEvent::is_the_end), "a watcher did not see the end");
    let mut before = (0, BTreeSet::new());
    for event in seen {
        assert!(event.offset >= before.0, "an event came after a later one: {event:?}");
        if event.offset > before.0 {
            before = (event.offset, BTreeSet::new());
        }
        let is_new = before.1.insert((event.kind.clone(), event.id().to_owned()));
        assert!(is_new, "an event came twice: {event:?}");
        let place = all.entry(event.offset).or_insert_with(|| (event.epoch.clone(), Vec::new()));
        assert_eq!(place.0, event.epoch, "two epochs at one place: {event:?}");
        // The message may have been changed or deleted when it was read again; its ID stays.
        let told = json!([event.kind, event.id()]);
        if !place.1.contains(&told) {
            place.1.push(told);
        }
    }
    let created = |event: &&SeenEvent| event.kind == "new_message";
    let seqs: Vec<_> =
        seen.iter().filter(created).map(|event| event.data["seq"].as_u64()).collect();
    assert!(seqs.is_sorted() && seqs.windows(2).all(|two| two[0] != two[1]), "in their order");
    let ids: BTreeSet<_> = seen.iter().filter(created).map(SeenEvent::id).collect();
    let mut status = BTreeMap::new();
    for event in seen.iter().filter(|event| event.kind == "message_status") {
        status.insert(event.id(), &event.data["status"]);
    }
    for message in messages {
        let id = message["id"].as_str().unwrap();
        if message["content"] == "the first" {
            continue;
        }
        assert!(ids.contains(id), "a watcher missed {message}");
        // It is sent once nobody watches any more.
        if message["content"] == THE_END {
            continue;
        }
        if let Some(status) = status.get(id) {
            assert_eq!(**status, message["status"], "a watcher missed a status of {message}");
        } else if message["direction"].is_null() {
            assert_eq!(message["status"], "Pending", "a watcher missed a status of {message}");
        }
    }
}
