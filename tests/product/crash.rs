//! The process is killed at random moments, under load of every kind: acknowledged messages are
//! there and consistent, no inbound message is there twice, no outbound message is forgotten, and every
//! session that resumes is told every event once and in order.

use crate::onebot::{Peer, Script};
use crate::onebot11::{group_message, headers, willing};
use crate::server::{TestServer, eventually};
use crate::socket::{Client, in_time};
use crate::socket_cursor_model::Line;
use crate::stream::{EVENTS, LINES};
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

/// Kills unless `RECHAT_CRASH_ROUNDS` says otherwise.
const ROUNDS: u64 = 10;

/// Kills that one store has to survive; then it is looked through, and another takes its place.
const KILLS: u64 = 50;

/// Clients that write at a time.
const WRITERS: u64 = 6;

/// Messages that an implementation pushes before it waits until they are stored.
const PUSHED: usize = 20;

/// The commands that the server acknowledged.
#[derive(Default)]
struct Acknowledged {
    /// Messages as they were answered last, or `None` for deleted.
    messages: HashMap<String, Option<Value>>,
    /// Messages with a change whose answer never came: it may have happened or not.
    open: HashSet<String>,
}

/// Kinds of events that sessions ask for.
const KINDS: [&str; 3] = ["message_status", "message_deleted", "message_updated"];

/// A client that resumes at its cursor after each kill.
struct Follower {
    /// The media type of its stream; `None` for a WebSocket.
    form: Option<&'static str>,
    line: Option<Line>,
    cursor: Option<String>,
    told: Vec<Value>,
}

impl Follower {
    fn new(form: Option<&'static str>) -> Self {
        Self { form, line: None, cursor: None, told: Vec::new() }
    }

    async fn connect(&mut self, server: &TestServer) {
        let (line, cursor) = if let Some(form) = self.form {
            let (line, place) = Line::stream(server, form, &KINDS, self.cursor.as_deref());
            (line, place.expect("its place is there"))
        } else {
            let mut client = Client::connect(server).await;
            let mut command = json!({"type": "subscribe", "events": KINDS});
            if let Some(cursor) = &self.cursor {
                command["cursor"] = json!(cursor);
            }
            let ack = client.done(&command).await;
            (Line::Socket(Box::new(client)), ack["cursor"].as_str().unwrap().to_owned())
        };
        assert!(self.cursor.as_ref().is_none_or(|known| *known == cursor), "{cursor}");
        (self.line, self.cursor) = (Some(line), Some(cursor));
    }

    /// Takes events in until the server is gone, or until this message is told.
    async fn read(&mut self, last: Option<&str>) {
        let Some(mut line) = self.line.take() else { return };
        while let Some(frame) = in_time("the next event", line.next()).await {
            let offset = |cursor: &str| {
                let (_, offset) = cursor.split_once('-').expect("epoch and offset");
                u64::from_str_radix(offset, 16).expect("a number")
            };
            let cursor = frame["cursor"].as_str().unwrap_or_else(|| panic!("no event: {frame}"));
            let before = self.cursor.as_deref().map(offset);
            // The state of an adapter is no event of the log: it stands at the last one.
            let is_in_order = if frame["type"] == "adapter_status" {
                before <= Some(offset(cursor))
            } else {
                before < Some(offset(cursor))
            };
            assert!(is_in_order, "{before:?} is before {frame}");
            self.cursor = Some(cursor.to_owned());
            let is_last = frame["type"] == "new_message" && frame["data"]["id"] == json!(last);
            self.told.push(frame);
            if is_last {
                return;
            }
        }
        assert_eq!(last, None, "the connection ended too early");
    }

    /// The IDs that an event of a kind told of.
    fn ids(&self, kind: &str) -> Vec<&str> {
        let of_kind = self.told.iter().filter(|frame| frame["type"] == kind);
        of_kind.map(|frame| frame["data"]["id"].as_str().unwrap()).collect()
    }

    /// Nothing that is there now, or was deleted, is missing among what it was told.
    fn verify(&self, there: &HashMap<String, Value>, acknowledged: &Acknowledged) {
        let told = self.ids("new_message");
        let made: HashSet<_> = told.iter().copied().collect();
        assert_eq!(made.len(), told.len(), "a message is told twice");
        let deleted: HashSet<_> = self.ids("message_deleted").into_iter().collect();
        let mut states: HashMap<&str, &Value> = HashMap::new();
        for frame in self.told.iter().filter(|frame| frame["type"] == "message_status") {
            states.insert(frame["data"]["id"].as_str().unwrap(), &frame["data"]["status"]);
        }
        for (id, message) in there {
            assert!(made.contains(&**id), "never told: {message}");
            assert!(!deleted.contains(&**id), "told to be deleted: {message}");
            if message["direction"] != "Inbound" {
                let told = states.get(&**id).map_or("Pending", |status| status.as_str().unwrap());
                assert_eq!(message["status"], told, "{message}");
            }
        }
        for (id, message) in &acknowledged.messages {
            let is_told = deleted.contains(&**id);
            assert!(message.is_some() || is_told, "{id} was deleted, and that was not told");
        }
    }
}

/// A store, what drives it, and what is known of it.
struct Load {
    server: TestServer,
    acknowledged: Mutex<Acknowledged>,
    /// The answers since the server's start.
    answers: AtomicUsize,
    /// Batches of messages that were pushed and seen in the store.
    received: AtomicUsize,
    /// Texts that reached the implementation.
    delivered: Arc<Mutex<HashSet<String>>>,
    followers: Vec<Follower>,
}

impl Load {
    fn new() -> Self {
        Self {
            server: TestServer::start_with(&["--loopback"]),
            acknowledged: Mutex::default(),
            answers: AtomicUsize::new(0),
            received: AtomicUsize::new(0),
            delivered: Arc::default(),
            followers: [None, Some(EVENTS), Some(LINES)].map(Follower::new).into(),
        }
    }

    fn acknowledged(&self) -> MutexGuard<'_, Acknowledged> {
        self.acknowledged.lock().unwrap()
    }

    /// An implementation that notes what it is to send.
    async fn dial(&self) -> Peer {
        let (delivered, willing) = (self.delivered.clone(), willing());
        let noting: Script = Arc::new(move |action| {
            if let Some(text) = action["params"]["message"][0]["data"]["text"].as_str() {
                delivered.lock().unwrap().insert(text.to_owned());
            }
            willing(action)
        });
        let url = format!("ws://{}/onebot/v11/ws", self.server.address);
        Peer::dial(&url, &headers("1", "Universal"), noting).await.unwrap()
    }

    /// One life of the server, from its start to its death after so many answers.
    async fn round(&mut self, seed: u64) {
        let peer = self.dial().await;
        self.answers.store(0, Relaxed);
        let mut followers = std::mem::take(&mut self.followers);
        for follower in &mut followers {
            follower.connect(&self.server).await;
        }
        let (this, runtime) = (&*self, tokio::runtime::Handle::current());
        std::thread::scope(|scope| {
            for follower in &mut followers {
                let runtime = &runtime;
                scope.spawn(move || runtime.block_on(follower.read(None)));
            }
            for writer in 0..WRITERS {
                scope.spawn(move || this.write(seed * WRITERS + writer));
            }
            let peer = &peer;
            scope.spawn(move || this.push(peer));
            // Another number in each round, so that the moment is another too.
            let enough = 20 + usize::try_from(seed * 37 % 300).unwrap();
            eventually("enough is written", || {
                (this.answers.load(Relaxed) >= enough).then_some(())
            });
            this.server.signal(rustix::process::Signal::KILL);
        });
        self.followers = followers;
        self.server.kill();
        let found = self.server.home.run(&["check"]);
        let text = String::from_utf8_lossy(&found.stdout).into_owned();
        assert!(found.status.success(), "seed {seed}: {text}");
        self.server.start_again();
    }

    /// Makes, changes and deletes messages until the server is gone.
    fn write(&self, seed: u64) {
        let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed.to_le_bytes().repeat(4));
        // Messages that only we change, for no adapter takes them.
        let mut mine: Vec<String> = Vec::new();
        for n in 0.. {
            let number = random.next_u32();
            let place = (!mine.is_empty()).then(|| number as usize / 16 % mine.len());
            let is_answered = match (number % 16, place) {
                (0..=6, _) | (_, None) => {
                    let long = "x".repeat(number as usize % 2000 + 1);
                    self.create("nowhere", &long).map(|id| mine.push(id))
                }
                (7, _) => self.create("loopback", "to nobody").map(drop),
                (8, _) => self.create("qq", &format!("out {seed} {n}")).map(drop),
                (9..=13, Some(place)) => {
                    let status =
                        ["Pending", "Sent", "Failed", "Canceled"][number as usize / 16 % 4];
                    self.change("PATCH", &mine[place], Some(&json!({"status": status})))
                }
                (_, Some(place)) => self.change("DELETE", &mine.swap_remove(place), None),
            };
            if is_answered.is_none() {
                return;
            }
            self.answers.fetch_add(1, Relaxed);
        }
    }

    /// Makes a message and gives its ID, as long as the server lives.
    fn create(&self, platform: &str, content: &str) -> Option<String> {
        let body = json!({
            "message_type": "Text", "content": content, "platform": platform,
            "recipient": format!("group_{}", content.len() % 5),
        });
        let (_, made) = self.server.try_ask("POST", "/api/messages", Some(&body)).ok()?;
        let id = made["id"].as_str().unwrap().to_owned();
        self.acknowledged().messages.insert(id.clone(), Some(made));
        Some(id)
    }

    /// Changes or deletes a message, as long as the server lives.
    fn change(&self, method: &str, id: &str, body: Option<&Value>) -> Option<()> {
        self.acknowledged().open.insert(id.to_owned());
        let (_, answer) = self.server.try_ask(method, &format!("/api/messages/{id}"), body).ok()?;
        let mut acknowledged = self.acknowledged();
        acknowledged.open.remove(id);
        acknowledged.messages.insert(id.to_owned(), body.map(|_| answer));
        Some(())
    }

    /// Pushes messages until the server is gone. As some implementations do, it begins with those
    /// it pushed last before: they may have come in or not.
    fn push(&self, peer: &Peer) {
        let mut batch = self.received.load(Relaxed).saturating_sub(1);
        loop {
            let numbers = batch * PUSHED..(batch + 1) * PUSHED;
            for n in numbers.clone() {
                let id = i64::try_from(n).unwrap() + 1;
                peer.push(&group_message(1, 77, id, &format!("in {n}")));
            }
            let last = format!("in {}", numbers.end - 1);
            loop {
                let newest = format!("/api/messages?direction=Inbound&limit={}", 2 * PUSHED);
                let Ok((_, page)) = self.server.try_ask("GET", &newest, None) else { return };
                let page = page["messages"].as_array().unwrap();
                if page.iter().any(|message| message["content"] == last.as_str()) {
                    break;
                }
            }
            batch += 1;
            self.received.fetch_max(batch, Relaxed);
            self.answers.fetch_add(1, Relaxed);
        }
    }

    /// Looks through the store when everything has gone out that is to.
    async fn verify(&mut self) {
        let _peer = self.dial().await;
        for platform in ["qq", "loopback"] {
            for status in ["Pending", "Sending"] {
                let waiting = format!("/api/messages?platform={platform}&status={status}&limit=1");
                eventually("what waits goes out", || {
                    let (_, page) = self.server.get(&waiting);
                    page["messages"].as_array().unwrap().is_empty().then_some(())
                });
            }
        }
        let last = self.server.make_for(Some("nowhere"), "group_1", "the last one");
        for follower in &mut self.followers {
            follower.connect(&self.server).await;
            follower.read(Some(&last)).await;
        }
        let there = everything(&self.server);
        let acknowledged = self.acknowledged();
        for follower in &self.followers {
            follower.verify(&there, &acknowledged);
        }
        let settled =
            acknowledged.messages.iter().filter(|(id, _)| !acknowledged.open.contains(*id));
        for (id, wanted) in settled {
            match (wanted, there.get(id)) {
                (Some(wanted), Some(found)) if wanted["platform"] == "nowhere" => {
                    assert_eq!(found["waiting"].is_string(), found["status"] == "Pending");
                    // Why it waits is another thing at another time.
                    assert_eq!(without_reason(found), without_reason(wanted));
                }
                (Some(wanted), Some(found)) => {
                    assert_eq!(found["content"], wanted["content"]);
                    assert_eq!(found["status"], "Sent", "{found}");
                }
                (None, None) => {}
                (wanted, found) => panic!("acknowledged was {wanted:?}, and there is {found:?}"),
            }
        }
        let came: Vec<_> =
            there.values().filter(|message| message["direction"] == "Inbound").collect();
        let texts: HashSet<_> = came.iter().map(|message| message["content"].to_string()).collect();
        assert_eq!(texts.len(), came.len(), "what came in is doubled");
        for n in 0..self.received.load(Relaxed) * PUSHED {
            assert!(texts.contains(&format!("\"in {n}\"")), "in {n} is lost");
        }
        let delivered = self.delivered.lock().unwrap();
        for message in there.values().filter(|message| message["status"] == "Sent") {
            let text = message["content"].as_str().unwrap();
            assert!(!text.starts_with("out ") || delivered.contains(text), "{text} never went out");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_every_kill() {
    let rounds =
        std::env::var("RECHAT_CRASH_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let (mut acknowledged, mut came) = (0, 0);
    for first in (0..rounds).step_by(KILLS.try_into().unwrap()) {
        let mut load = Load::new();
        for seed in first..rounds.min(first + KILLS) {
            load.round(seed).await;
        }
        load.verify().await;
        acknowledged += load.acknowledged().messages.len();
        came += load.received.load(Relaxed) * PUSHED;
    }
    eprintln!("{rounds} kills, {acknowledged} messages made, {came} received");
}

fn without_reason(message: &Value) -> Value {
    let mut message = message.clone();
    let fields = message.as_object_mut().unwrap();
    fields.retain(|name, _| !name.starts_with("waiting"));
    message
}

/// Every message by its ID. The counts that are kept have to be those of all that is listed.
fn everything(server: &TestServer) -> HashMap<String, Value> {
    let (_, stats) = server.get("/api/stats");
    let mut counted: HashMap<String, u64> = HashMap::new();
    let (mut there, mut before) = (HashMap::new(), String::new());
    loop {
        let (_, page) = server.get(&format!("/api/messages?limit=200{before}"));
        for message in page["messages"].as_array().unwrap() {
            let status = message["status"].as_str().unwrap().to_lowercase();
            *counted.entry(status).or_default() += 1;
            let id = message["id"].as_str().unwrap().to_owned();
            before = format!("&before={id}");
            assert!(there.insert(id, message.clone()).is_none(), "an ID is there twice");
        }
        if page["messages"] == json!([]) {
            break;
        }
    }
    for state in ["pending", "sending", "sent", "failed", "canceled"] {
        assert_eq!(stats[state], counted.get(state).copied().unwrap_or_default(), "{state}");
    }
    assert_eq!(stats["total"], there.len());
    there
}
