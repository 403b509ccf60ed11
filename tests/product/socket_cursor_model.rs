//! Sessions that come and go at random, over WebSocket, Server-Sent Events and JSON lines; over kills under
//! load, restarts, a damaged log, older copies that are put back, imports to old places, and a journal that keeps
//! little: each gets every event of the kinds it asked for, once and in order, or is told `cursor_gone`. Of a
//! conversation it gets the state in the end, for `conversation_updated` comes once a second at most.

use crate::onebot::Peer;
use crate::onebot11::{group_message, headers, joined, willing};
use crate::server::{Home, TestServer, agent, eventually};
use crate::socket::Client;
use crate::stream::{EVENTS, LINES};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::channel;

/// Events that the journal keeps at least.
const KEPT: usize = 60;

/// Events of a start that clients do not see: a new epoch, and what is forgotten.
const OF_A_START: usize = 3;

/// Such events just before the oldest that is kept make a place before them too old.
const SLACK: usize = 8;

const KINDS: [&str; 5] =
    ["message_status", "message_deleted", "message_updated", "notice", "conversation_updated"];

/// Events of a notice that clients do not see: its platform is seen, and its conversation named.
const OF_A_NOTICE: usize = 4;

/// The conversation that is muted and pinned.
const CONVERSATION: &str = "/api/conversations/qq/group_1";

/// A small generator of numbers: the same run for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

/// One event that a client was told to have happened.
#[derive(Clone, Debug, PartialEq)]
struct Happened {
    kind: &'static str,
    id: String,
    status: Option<String>,
    /// Events up to this one, at most.
    number: usize,
}

/// The store as its clients know it.
struct World {
    server: TestServer,
    history: Vec<Happened>,
    /// Messages that are there.
    messages: Vec<String>,
    /// Where in the history each message was deleted last.
    deleted: HashMap<String, usize>,
    /// Messages as they were before they were deleted.
    exported: Vec<(String, String)>,
    /// A copy that was made while the server was stopped.
    copy: Option<Copy>,
    /// Events so far, at most.
    number: usize,
    /// Texts that were written.
    texts: usize,
}

struct Copy {
    files: Vec<(PathBuf, Vec<u8>)>,
    history: usize,
    messages: Vec<String>,
    deleted: HashMap<String, usize>,
}

/// Outcome of a kill under load.
struct Killed {
    /// The message that the log has lost.
    lost: Option<String>,
    /// The log was damaged, though perhaps where the tables had all of it.
    is_damaged: bool,
}

impl World {
    fn happened(&mut self, kind: &'static str, id: &str, status: Option<&str>) {
        let status = status.map(str::to_owned);
        self.number += 1;
        self.history.push(Happened { kind, id: id.to_owned(), status, number: self.number });
    }

    fn text(&mut self) -> String {
        self.texts += 1;
        format!("text number {}.", self.texts)
    }

    async fn change(&mut self, random: &mut Random) {
        let path = |id: &str| format!("/api/messages/{id}");
        match random.below(11) {
            8 => self.set_conversation(random),
            9 => self.notice().await,
            // It is back at its old place, and none that is new.
            5 if !self.exported.is_empty() => {
                let (id, line) = self.exported.swap_remove(random.below(self.exported.len()));
                let request = agent().post(self.server.url("/api/import"));
                let request = request.header("content-type", "application/x-ndjson");
                let mut answer = request.send(&line).unwrap();
                let answer = answer.body_mut().read_to_string().unwrap();
                assert!(answer.contains("\"imported\":1"), "{answer}");
                self.happened("message_updated", &id, None);
                self.messages.push(id);
            }
            0 if !self.messages.is_empty() => {
                let id = self.messages.swap_remove(random.below(self.messages.len()));
                self.exported.push((id.clone(), self.server.get(&path(&id)).1.to_string()));
                assert_eq!(self.server.ask("DELETE", &path(&id), None).0, 200);
                self.deleted.insert(id.clone(), self.history.len());
                self.happened("message_deleted", &id, None);
            }
            1 | 2 if !self.messages.is_empty() => {
                let id = self.messages[random.below(self.messages.len())].clone();
                let status = ["Canceled", "Failed", "Sent"][random.below(3)];
                let (_, before) = self.server.get(&path(&id));
                let body = json!({"status": status});
                assert_eq!(self.server.ask("PATCH", &path(&id), Some(&body)).0, 200);
                if before["status"] != status {
                    self.happened("message_status", &id, Some(status));
                }
            }
            3 | 4 if !self.messages.is_empty() => {
                let id = self.messages[random.below(self.messages.len())].clone();
                if self.server.get(&path(&id)).1["status"] == "Pending" {
                    let body = json!({"content": self.text()});
                    assert_eq!(self.server.ask("PATCH", &path(&id), Some(&body)).0, 200);
                    self.happened("message_updated", &id, None);
                }
            }
            _ => {
                let text = self.text();
                let id = self.server.make_for(Some("qq"), "group_1", &text);
                self.happened("new_message", &id, None);
                self.messages.push(id);
            }
        }
    }

    /// Mutes or pins the conversation, or takes that back; not where it has no messages.
    fn set_conversation(&mut self, random: &mut Random) {
        let (name, on) = (["muted", "pinned"][random.below(2)], random.below(2) == 0);
        let (status, answer) = self.server.ask("PATCH", CONVERSATION, Some(&json!({name: on})));
        assert!(status == 200 || status == 404, "{answer}");
        self.number += 1;
    }

    /// A person joins a group of another platform, and a message tells when that is stored.
    async fn notice(&mut self) {
        let url = format!("ws://{}/onebot/v11/ws?platform=other", self.server.address);
        let peer = Peer::dial(&url, &headers("1", "Universal"), willing()).await.unwrap();
        let text = self.text();
        let number = i64::try_from(self.texts).unwrap();
        let mut notice = joined(1, 77);
        notice["user_id"] = json!(number);
        peer.push(&notice);
        peer.push(&group_message(1, 77, number, &text));
        let id = eventually("the notice is stored", || {
            let (_, page) = self.server.get("/api/messages?platform=other&limit=1");
            let newest = &page["messages"][0];
            (newest["content"] == *text).then(|| newest["id"].as_str().unwrap().to_owned())
        });
        self.number += OF_A_NOTICE;
        self.happened("notice", &number.to_string(), None);
        self.happened("new_message", &id, None);
    }

    /// Whether the conversation is muted and pinned; `None` where it has no messages.
    fn conversation(&self) -> Option<[Value; 2]> {
        let (status, entry) = self.server.get(CONVERSATION);
        (status == 200).then(|| shown(&entry))
    }

    fn end(&mut self, random: &mut Random) {
        if random.below(2) == 0 {
            self.server.kill();
        } else {
            assert_eq!(self.server.stop(), Some(0));
        }
    }

    fn start(&mut self) {
        self.server.start_again();
        self.number += OF_A_START;
    }

    /// Kills the server while messages are made, perhaps damages its log, and starts it again.
    fn kill_under_load(&mut self, random: &mut Random) -> Killed {
        let url = self.server.url("/api/messages");
        let first = self.texts;
        let (made, makes) = channel();
        let writing = std::thread::spawn(move || {
            for number in first + 1.. {
                let text = format!("text number {number}.");
                let body = json!({"message_type": "Text", "content": text, "recipient": "group_1",
                    "platform": "qq"});
                let request = agent().post(&url).header("content-type", "application/json");
                let answer = request.send(body.to_string());
                let Ok(text) = answer.and_then(|mut answer| answer.body_mut().read_to_string())
                else {
                    return number;
                };
                let message: Value = serde_json::from_str(&text).unwrap();
                made.send(message["id"].as_str().unwrap().to_owned()).unwrap();
            }
            unreachable!()
        });
        let wanted = 10 + random.below(30);
        let mut ids: Vec<_> = makes.iter().take(wanted).collect();
        self.server.kill();
        self.texts = writing.join().unwrap();
        ids.extend(makes.try_iter());
        // One in the middle, so that others follow it.
        let damaged = (random.below(2) == 0).then_some(ids.len() / 2);
        let is_damaged = damaged.is_some_and(|place| self.damage_log(first + 1 + place));
        self.start();
        for id in &ids {
            self.happened("new_message", id, None);
        }
        self.messages.extend(ids.iter().cloned());
        // The last one was not answered.
        let (_, newest) = self.server.get("/api/messages?limit=1");
        let newest = &newest["messages"][0];
        if newest["content"] == format!("text number {}.", self.texts) {
            let id = newest["id"].as_str().unwrap().to_owned();
            self.happened("new_message", &id, None);
            self.messages.push(id);
        }
        let lost = damaged.filter(|_| is_damaged).map(|place| ids[place].clone());
        let lost = lost.filter(|id| self.server.get(&format!("/api/messages/{id}")).0 == 404);
        Killed { lost, is_damaged }
    }

    /// Damages the record of the log that has a text; `false` if it has none.
    fn damage_log(&self, number: usize) -> bool {
        let log = PathBuf::from(format!("{}-wal", self.server.home.db().display()));
        let (Ok(mut bytes), text) = (std::fs::read(&log), format!("text number {number}.")) else {
            return false;
        };
        let found = bytes.windows(text.len()).position(|window| window == text.as_bytes());
        if let Some(at) = found {
            bytes[at] ^= 1;
            std::fs::write(&log, bytes).unwrap();
        }
        found.is_some()
    }

    fn files(&self) -> Vec<PathBuf> {
        let all = std::fs::read_dir(self.server.home.db().parent().unwrap()).unwrap();
        let all = all.map(|entry| entry.unwrap().path());
        all.filter(|path| path.is_file()).collect()
    }

    fn copy(&mut self) {
        assert_eq!(self.server.stop(), Some(0));
        let read = |path: PathBuf| (path.clone(), std::fs::read(path).unwrap());
        self.copy = Some(Copy {
            files: self.files().into_iter().map(read).collect(),
            history: self.history.len(),
            messages: self.messages.clone(),
            deleted: self.deleted.clone(),
        });
        self.start();
    }

    /// Puts the copy back; gives how much of the history it knows.
    fn restore(&mut self, random: &mut Random) -> Option<usize> {
        let copy = self.copy.take()?;
        self.end(random);
        for file in self.files() {
            std::fs::remove_file(file).unwrap();
        }
        for (path, bytes) in copy.files {
            std::fs::write(path, bytes).unwrap();
        }
        self.start();
        self.history.truncate(copy.history);
        (self.messages, self.deleted) = (copy.messages, copy.deleted);
        self.exported.clear();
        Some(copy.history)
    }
}

/// Whether an entry of the list of conversations is muted and pinned.
fn shown(entry: &Value) -> [Value; 2] {
    ["muted", "pinned"].map(|name| entry[name].clone())
}

/// A connection on which events come.
pub(crate) enum Line {
    Socket(Box<Client>),
    Stream(BufReader<ureq::BodyReader<'static>>),
}

impl Line {
    /// Opens a stream; gives the place at which it begins, unless that is unknown to the store.
    pub(crate) fn stream(
        server: &TestServer,
        form: &str,
        kinds: &[&str],
        last: Option<&str>,
    ) -> (Self, Option<String>) {
        let path = format!("/api/stream?events={}", kinds.join(","));
        let mut request = agent().get(server.url(&path)).header("accept", form);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let answer = request.call().unwrap();
        let begins_at = answer.headers().get("last-event-id");
        let begins_at = begins_at.map(|place| place.to_str().unwrap().to_owned());
        (Self::Stream(BufReader::new(answer.into_body().into_reader())), begins_at)
    }

    /// The next event; `None` at the end of the connection.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        let lines = match self {
            Self::Socket(client) => return client.next_or_end().await,
            Self::Stream(lines) => lines,
        };
        tokio::task::block_in_place(|| {
            loop {
                let mut line = String::new();
                lines.read_line(&mut line).ok().filter(|_| line.ends_with('\n'))?;
                let data = line.strip_prefix("data: ").unwrap_or(&line);
                if data.starts_with('{') {
                    return Some(serde_json::from_str(data).unwrap());
                }
            }
        })
    }
}

/// A client that knows the history up to a place.
struct Session {
    /// The media type of its stream; `None` for a WebSocket.
    form: Option<&'static str>,
    line: Option<Line>,
    kinds: Vec<&'static str>,
    cursor: String,
    /// Events of the history that it knows, or need not know.
    known: usize,
    /// Events up to its place, at most.
    number: usize,
    /// It knows events that the store does not have.
    is_astray: bool,
    /// The log was damaged where it perhaps has more than the store.
    may_be_gone: bool,
    /// The conversation as it was told last.
    conversation: Option<[Value; 2]>,
}

impl Session {
    async fn begin(world: &World, random: &mut Random) -> Self {
        let kinds = KINDS.into_iter().filter(|_| random.below(3) > 0).collect();
        let form = [None, Some(LINES), Some(EVENTS)][random.below(3)];
        let mut session = Self {
            form,
            line: None,
            kinds,
            cursor: String::new(),
            known: 0,
            number: 0,
            is_astray: false,
            may_be_gone: false,
            conversation: None,
        };
        session.load_afresh(world).await;
        session
    }

    async fn load_afresh(&mut self, world: &World) {
        let (line, cursor) = if let Some(form) = self.form {
            let (line, begins_at) = Line::stream(&world.server, form, &self.kinds, None);
            (line, begins_at.unwrap())
        } else {
            let mut client = Client::connect(&world.server).await;
            let ack = client.done(&json!({"type": "subscribe", "events": self.kinds})).await;
            let cursor = ack["cursor"].as_str().unwrap().to_owned();
            (Line::Socket(Box::new(client)), cursor)
        };
        (self.line, self.cursor) = (Some(line), cursor);
        (self.known, self.number) = (world.history.len(), world.number);
        (self.is_astray, self.may_be_gone) = (false, false);
        self.conversation = world.conversation();
    }

    async fn come_back(&mut self, world: &World) {
        let (line, cursor) = if let Some(form) = self.form {
            Line::stream(&world.server, form, &self.kinds, Some(&self.cursor))
        } else {
            let mut client = Client::connect(&world.server).await;
            let command = json!({"type": "subscribe", "events": self.kinds, "cursor": self.cursor});
            let answer = client.ask(&command).await;
            let is_there = answer["type"] == "ack";
            assert!(is_there || answer["code"] == "cursor_gone", "{answer}");
            let cursor = is_there.then(|| answer["cursor"].as_str().unwrap().to_owned());
            (Line::Socket(Box::new(client)), cursor)
        };
        let Some(cursor) = cursor else {
            self.check_gone(world);
            return self.load_afresh(world).await;
        };
        assert!(!self.is_astray, "it knows what this store does not have: {cursor}");
        assert_eq!(cursor, self.cursor);
        self.line = Some(line);
    }

    /// Its place may be gone: it is astray, or too many events came since.
    fn check_gone(&self, world: &World) {
        let missed = world.number - self.number;
        let may_be = self.is_astray || self.may_be_gone || missed + SLACK >= KEPT;
        assert!(may_be, "gone after {missed} events");
    }

    /// Takes a frame in; it must be the next of the history that the session is to be told, or that
    /// its place is gone, which it gives.
    fn hear(&mut self, frame: &Value, world: &World) -> bool {
        if frame["type"] == "reset" || frame["code"] == "cursor_gone" {
            self.check_gone(world);
            return false;
        }
        if frame["type"] == "conversation_updated" || frame["type"] == "adapter_status" {
            let is_asked = frame["type"] != "conversation_updated"
                || self.kinds.contains(&"conversation_updated");
            assert!(is_asked, "{frame}");
            frame["cursor"].as_str().unwrap().clone_into(&mut self.cursor);
            if frame["data"]["conversation"] == "group_1" {
                self.conversation = Some(shown(&frame["data"]));
            }
            return true;
        }
        let is_it = |event: &Happened| {
            let data = &frame["data"];
            let id = if event.kind == "notice" { &data["user"]["id"] } else { &data["id"] };
            frame["type"] == event.kind
                && *id == *event.id
                && (event.status.is_none()
                    || frame["data"]["status"] == *event.status.as_deref().unwrap())
        };
        loop {
            let event = world.history.get(self.known);
            let event = event.unwrap_or_else(|| panic!("told what never happened: {frame}"));
            self.known += 1;
            if is_it(event) {
                frame["cursor"].as_str().unwrap().clone_into(&mut self.cursor);
                self.number = event.number;
                return true;
            }
            let needs = self.needs(self.known - 1, event, world);
            assert!(!needs, "{event:?} is missing before {frame}");
        }
    }

    fn needs(&self, place: usize, event: &Happened, world: &World) -> bool {
        let is_asked = event.kind == "new_message" || self.kinds.contains(&event.kind);
        // Of a message that was deleted later, only that is told.
        let is_there = world.deleted.get(&event.id).is_none_or(|deleted| *deleted < place);
        is_asked && (is_there || event.kind == "message_deleted")
    }

    async fn read(&mut self, count: usize, world: &World) {
        for _ in 0..count {
            let mut open = world.history.iter().enumerate().skip(self.known);
            if !open.any(|(place, event)| self.needs(place, event, world)) {
                return;
            }
            let Some(line) = &mut self.line else { return };
            let frame = line.next().await.expect("the connection lives");
            if !self.hear(&frame, world) {
                self.load_afresh(world).await;
            }
        }
    }

    /// Reads until it knows the conversation as it is.
    async fn read_conversation(&mut self, world: &World) {
        let wanted = world.conversation();
        if wanted.is_none() || !self.kinds.contains(&"conversation_updated") {
            return;
        }
        while self.conversation != wanted {
            let frame = self.line.as_mut().unwrap().next().await;
            let frame = frame.unwrap_or_else(|| panic!("never told that it is {wanted:?}"));
            if !self.hear(&frame, world) {
                self.load_afresh(world).await;
            }
        }
    }

    /// Takes in what came before the server ended.
    async fn read_to_the_end(&mut self, world: &World) {
        let Some(mut line) = self.line.take() else { return };
        while let Some(frame) = line.next().await {
            if !self.hear(&frame, world) {
                self.is_astray = true;
                return;
            }
        }
    }
}

async fn kill_under_load(world: &mut World, sessions: &mut [Session], random: &mut Random) {
    let Killed { lost, is_damaged } = world.kill_under_load(random);
    for session in &mut *sessions {
        session.read_to_the_end(world).await;
        session.may_be_gone |= is_damaged;
        session.is_astray |= lost.is_some();
    }
    if let Some(lost) = lost {
        world.history.retain(|event| event.id != lost);
        world.messages.retain(|id| *id != lost);
        // Places in the history are others now.
        let places = world.history.iter().enumerate();
        let deleted = places.filter(|(_, event)| event.kind == "message_deleted");
        world.deleted = deleted.map(|(place, event)| (event.id.clone(), place)).collect();
        world.copy = None;
    }
}

async fn run(seed: u64, steps: usize) {
    let home = Home::new();
    home.configure(&format!("[log]\nevents = {KEPT}\n"));
    let mut world = World {
        server: TestServer::start_in(Arc::new(home), &[]),
        history: Vec::new(),
        messages: Vec::new(),
        deleted: HashMap::new(),
        exported: Vec::new(),
        copy: None,
        number: OF_A_START,
        texts: 0,
    };
    let mut random = Random(seed);
    let mut sessions = Vec::new();
    for _ in 0..6 {
        sessions.push(Session::begin(&world, &mut random).await);
    }
    for _ in 0..steps {
        let one = random.below(sessions.len());
        match random.below(40) {
            0 => {
                for session in &mut sessions {
                    session.line = None;
                }
                world.end(&mut random);
                world.start();
            }
            1 => {
                for session in &mut sessions {
                    session.line = None;
                }
                world.copy();
            }
            2 => {
                for session in &mut sessions {
                    session.line = None;
                }
                if let Some(kept) = world.restore(&mut random) {
                    for session in &mut sessions {
                        session.is_astray |= session.known > kept;
                    }
                }
            }
            3 => kill_under_load(&mut world, &mut sessions, &mut random).await,
            4..9 => sessions[one].line = None,
            9..15 if sessions[one].line.is_none() => sessions[one].come_back(&world).await,
            15..21 => sessions[one].read(random.below(20), &world).await,
            _ => world.change(&mut random).await,
        }
    }
    for session in &mut sessions {
        if session.line.is_none() {
            session.come_back(&world).await;
        }
        session.read(usize::MAX, &world).await;
        session.read_conversation(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_comes_once_and_in_order_or_the_cursor_is_gone() {
    for seed in [0x5eed_0001, 0x00c0_ffee, 0x1234_5678_9abc] {
        run(seed, 400).await;
    }
}
