//! Sessions that come and go at random, over kills, restarts, older copies that are put back, imports to
//! old places, and a journal that keeps little: each gets every event of the kinds it asked for, once and in order, or
//! is told `cursor_gone`.

use crate::server::{Home, TestServer, agent};
use crate::socket::Client;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

/// Events that the journal keeps at least.
const KEPT: usize = 60;

const KINDS: [&str; 2] = ["message_status", "message_deleted"];

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
}

/// The store as its clients know it.
struct World {
    server: TestServer,
    history: Vec<Happened>,
    /// Messages that are there.
    messages: Vec<String>,
    deleted: HashSet<String>,
    /// Messages as they were before they were deleted.
    exported: Vec<String>,
    /// A copy that was made while the server was stopped.
    copy: Option<Copy>,
    starts: usize,
}

struct Copy {
    files: Vec<(PathBuf, Vec<u8>)>,
    history: usize,
    messages: Vec<String>,
    deleted: HashSet<String>,
}

impl World {
    fn happened(&mut self, kind: &'static str, id: &str, status: Option<&str>) {
        let status = status.map(str::to_owned);
        self.history.push(Happened { kind, id: id.to_owned(), status });
    }

    fn change(&mut self, random: &mut Random) {
        let path = |id: &str| format!("/api/messages/{id}");
        match random.below(6) {
            // It is back at its old place, and none that is new.
            5 if !self.exported.is_empty() => {
                let line = self.exported.swap_remove(random.below(self.exported.len()));
                let request = agent().post(self.server.url("/api/import"));
                let request = request.header("content-type", "application/x-ndjson");
                let mut answer = request.send(&line).unwrap();
                let answer = answer.body_mut().read_to_string().unwrap();
                assert!(answer.contains("\"imported\":1"), "{answer}");
                // Which takes a number.
                self.starts += 1;
            }
            0 if !self.messages.is_empty() => {
                let id = self.messages.swap_remove(random.below(self.messages.len()));
                self.exported.push(self.server.get(&path(&id)).1.to_string());
                assert_eq!(self.server.ask("DELETE", &path(&id), None).0, 200);
                self.happened("message_deleted", &id, None);
                self.deleted.insert(id);
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
            _ => {
                let id = self.server.make_for(Some("qq"), "group_1", "x");
                self.happened("new_message", &id, None);
                self.messages.push(id);
            }
        }
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
        self.starts += 1;
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

/// A client that knows the history up to a place.
struct Session {
    client: Option<Client>,
    kinds: Vec<&'static str>,
    cursor: String,
    /// Events of the history that it knows, or need not know.
    known: usize,
    /// It knows events that an older copy does not have.
    is_astray: bool,
}

impl Session {
    async fn begin(world: &World, random: &mut Random) -> Self {
        let kinds = KINDS.into_iter().filter(|_| random.below(3) > 0).collect();
        let mut session =
            Self { client: None, kinds, cursor: String::new(), known: 0, is_astray: false };
        session.load_afresh(world).await;
        session
    }

    async fn load_afresh(&mut self, world: &World) {
        let mut client = Client::connect(&world.server).await;
        let ack = client.done(&json!({"type": "subscribe", "events": self.kinds})).await;
        ack["cursor"].as_str().unwrap().clone_into(&mut self.cursor);
        (self.known, self.is_astray, self.client) = (world.history.len(), false, Some(client));
    }

    async fn come_back(&mut self, world: &World) {
        let mut client = Client::connect(&world.server).await;
        let command = json!({"type": "subscribe", "events": self.kinds, "cursor": self.cursor});
        let answer = client.ask(&command).await;
        if answer["type"] == "ack" {
            assert!(!self.is_astray, "it knows what this store never had: {answer}");
            assert_eq!(answer["cursor"], self.cursor);
            self.client = Some(client);
            return;
        }
        assert_eq!(answer["code"], "cursor_gone", "{answer}");
        // Each start takes a number, too.
        let missed = world.history.len().saturating_sub(self.known) + world.starts;
        assert!(self.is_astray || missed >= KEPT, "gone after {missed} events");
        self.load_afresh(world).await;
    }

    /// Takes a frame in; it must be the next of the history that the session is to be told.
    fn hear(&mut self, frame: &Value, world: &World) {
        let is_it = |event: &Happened| {
            frame["type"] == event.kind
                && frame["data"]["id"] == *event.id
                && (event.status.is_none()
                    || frame["data"]["status"] == *event.status.as_deref().unwrap())
        };
        loop {
            let event = world.history.get(self.known);
            let event = event.unwrap_or_else(|| panic!("told what never happened: {frame}"));
            self.known += 1;
            if is_it(event) {
                break frame["cursor"].as_str().unwrap().clone_into(&mut self.cursor);
            }
            assert!(!self.needs(event, world), "{event:?} is missing before {frame}");
        }
    }

    fn needs(&self, event: &Happened, world: &World) -> bool {
        let is_asked = event.kind == "new_message" || self.kinds.contains(&event.kind);
        // Of a message that was deleted, only that is told.
        is_asked && (event.kind == "message_deleted" || !world.deleted.contains(&event.id))
    }

    async fn read(&mut self, count: usize, world: &World) {
        for _ in 0..count {
            let open = world.history.get(self.known..).unwrap_or_default();
            if self.client.is_none() || !open.iter().any(|event| self.needs(event, world)) {
                return;
            }
            let frame = self.client.as_mut().unwrap().next().await;
            self.hear(&frame, world);
        }
    }
}

async fn run(seed: u64, steps: usize) {
    let home = Home::new();
    home.configure(&format!("[log]\nevents = {KEPT}\n"));
    let mut world = World {
        server: TestServer::start_in(Arc::new(home), &[]),
        history: Vec::new(),
        messages: Vec::new(),
        deleted: HashSet::new(),
        exported: Vec::new(),
        copy: None,
        starts: 1,
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
                    session.client = None;
                }
                world.end(&mut random);
                world.start();
            }
            1 => {
                for session in &mut sessions {
                    session.client = None;
                }
                world.copy();
            }
            2 => {
                for session in &mut sessions {
                    session.client = None;
                }
                if let Some(kept) = world.restore(&mut random) {
                    for session in &mut sessions {
                        session.is_astray |= session.known > kept;
                    }
                }
            }
            3..8 => sessions[one].client = None,
            8..14 if sessions[one].client.is_none() => sessions[one].come_back(&world).await,
            14..20 => sessions[one].read(random.below(20), &world).await,
            _ => world.change(&mut random),
        }
    }
    for session in &mut sessions {
        if session.client.is_none() {
            session.come_back(&world).await;
        }
        session.read(usize::MAX, &world).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_comes_once_and_in_order_or_the_cursor_is_gone() {
    for seed in [0x5eed_0001, 0x00c0_ffee, 0x1234_5678_9abc] {
        run(seed, 400).await;
    }
}
