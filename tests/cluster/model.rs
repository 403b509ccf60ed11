//! Random requests to random nodes, and what has to be there afterwards.

use crate::platform::Platform;
use crate::server::agent;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A platform that no node is connected to: its messages change by requests alone.
const PAPER: &str = "paper";

/// An emoji in a path.
const EMOJI: &str = "%F0%9F%91%8D";

/// States that requests set.
const STATES: [&str; 4] = ["Pending", "Sent", "Failed", "Canceled"];

/// Numbers that come the same for the same seed (xorshift).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

/// The known outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Done,
    /// No answer, or one that says that it is unknown.
    Unknown,
    /// The answer says that nothing was changed.
    Refused,
}

/// The states that a message may have by now: one value where that is known, more where answers did not come.
#[derive(Clone, Debug)]
pub struct Expected {
    is_there: Vec<bool>,
    is_recalled: Vec<bool>,
    has_reaction: Vec<bool>,
    is_edited: Vec<bool>,
    /// Only of messages that nobody sends.
    status: Option<Vec<String>>,
}

impl Expected {
    fn new(is_there: Vec<bool>, is_sent: bool) -> Self {
        let no = || vec![false];
        let status = (!is_sent).then(|| vec!["Pending".to_owned()]);
        Self { is_there, is_recalled: no(), has_reaction: no(), is_edited: no(), status }
    }

    /// Checks what was found under its name.
    fn check(&self, name: &str, found: &[&Value]) {
        assert!(found.len() <= 1, "{name} is there {} times", found.len());
        assert!(self.is_there.contains(&!found.is_empty()), "{name}: {self:?}, found {found:?}");
        let [message] = found else { return };
        let content = message["content"].as_str().unwrap();
        let has_reaction = message["reactions"].as_array().is_some_and(|all| !all.is_empty());
        let is_alike = self.is_recalled.contains(&message["recalled_at"].is_u64())
            && self.has_reaction.contains(&has_reaction)
            && self.is_edited.contains(&content.ends_with("|edited"))
            && self
                .status
                .as_ref()
                .is_none_or(|all| all.iter().any(|one| message["status"] == **one));
        assert!(is_alike, "{name}: {self:?}, found {message}");
    }
}

/// The value after a request.
fn set<T>(value: &mut Vec<T>, fate: Fate, new: T) {
    match fate {
        Fate::Done => *value = vec![new],
        Fate::Unknown => value.push(new),
        Fate::Refused => {}
    }
}

/// The part of a content by which a message is known.
pub fn name_of(content: &str) -> &str {
    content.split('|').next().unwrap()
}

/// The state that all threads of a run share.
pub struct Run {
    pub addresses: Mutex<Vec<String>>,
    pub platform: Platform,
    expected: Mutex<BTreeMap<String, Expected>>,
    fates: Mutex<BTreeMap<(&'static str, &'static str), usize>>,
    pub acknowledged: AtomicU64,
    /// Nothing more is asked for.
    pub end: AtomicBool,
}

impl Run {
    pub fn new(addresses: Vec<String>, platform: Platform) -> Self {
        Self {
            addresses: Mutex::new(addresses),
            platform,
            expected: Mutex::default(),
            fates: Mutex::default(),
            acknowledged: AtomicU64::new(0),
            end: AtomicBool::new(false),
        }
    }

    pub fn address(&self, random: &mut Random) -> String {
        let addresses = self.addresses.lock().unwrap();
        addresses[random.below(addresses.len())].clone()
    }

    /// How many requests of each kind ended in each way.
    pub fn fates(&self) -> BTreeMap<(&'static str, &'static str), usize> {
        self.fates.lock().unwrap().clone()
    }

    /// Checks that everything is there that was acknowledged, as it was, once, and nothing else.
    pub fn check(&self, messages: &[Value]) {
        let mut by_name = BTreeMap::<&str, Vec<&Value>>::new();
        for message in messages {
            let name = name_of(message["content"].as_str().unwrap());
            by_name.entry(name).or_default().push(message);
        }
        for (name, expected) in &*self.expected.lock().unwrap() {
            let found = by_name.remove(&**name).unwrap_or_default();
            expected.check(name, &found);
        }
        for (name, found) in by_name {
            assert!(found.len() == 1, "{name} is there {} times", found.len());
            let is_known = name.starts_with("written ") || name.starts_with("the ");
            assert!(is_known, "nobody asked for {name}");
        }
    }

    /// Asks random nodes for random things until it is told to end.
    pub fn write(&self, seed: u64) {
        let random = Random(seed);
        let mut writer = Writer { run: self, random, seed, number: 0, own: Vec::new() };
        while !self.end.load(Ordering::Relaxed) {
            writer.step();
        }
    }
}

/// A message that a writer made, and of which everything is known.
struct Own {
    name: String,
    id: String,
    is_sent: bool,
}

struct Writer<'a> {
    run: &'a Run,
    random: Random,
    seed: u64,
    number: usize,
    own: Vec<Own>,
}

impl Writer<'_> {
    fn step(&mut self) {
        match self.random.below(20) {
            0..=8 => self.make(true, false),
            9..=11 => self.make(false, false),
            12 => self.make(false, true),
            13..=14 => self.set_status(),
            15 => self.edit(),
            16 => self.delete(),
            17 => self.recall(),
            18 => self.react(),
            _ => self.hear(),
        }
    }

    /// Asks a node; gives what became of it, with the answer.
    fn ask(
        &mut self,
        kind: &'static str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> (Fate, u16, Value) {
        let address = self.run.address(&mut self.random);
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{address}{path}"))
            .header("content-type", "application/json")
            .body(body.map(Value::to_string).unwrap_or_default())
            .unwrap();
        let (fate, status, answer) = match agent().run(request) {
            Ok(mut answer) => {
                let status = answer.status().as_u16();
                let text = answer.body_mut().read_to_string();
                let whole = text.as_ref().ok().and_then(|text| serde_json::from_str(text).ok());
                let is_refused = text.is_ok_and(|text| text.contains("nothing was stored"));
                let fate = match status {
                    200..300 if whole.is_some() => Fate::Done,
                    400 | 404 | 409 => Fate::Refused,
                    503 if is_refused => Fate::Refused,
                    _ => Fate::Unknown,
                };
                (fate, status, whole.unwrap_or_default())
            }
            Err(_) => (Fate::Unknown, 0, Value::Null),
        };
        let told = match fate {
            Fate::Done => "done",
            Fate::Unknown => "unknown",
            Fate::Refused => "refused",
        };
        *self.run.fates.lock().unwrap().entry((kind, told)).or_default() += 1;
        (fate, status, answer)
    }

    fn make(&mut self, is_sent: bool, has_file: bool) {
        let name = format!("message {} of {}", self.number, self.seed);
        self.number += 1;
        let mut body = if is_sent {
            json!({"recipient": "group_1"})
        } else {
            json!({"recipient": "group_2", "platform": PAPER})
        };
        let text = format!("{name}|");
        if has_file {
            let bytes = format!("bytes of {name}");
            let address = self.run.address(&mut self.random);
            let sent = agent().post(format!("http://{address}/api/media?name=a.txt")).send(&*bytes);
            let Ok(mut answer) = sent else { return };
            let media = answer.body_mut().read_json::<Value>().unwrap_or_default();
            let Some(media) = media["media"].as_str() else { return };
            body["segments"] = json!([
                {"type": "text", "text": text}, {"type": "file", "media": media, "name": "a.txt"},
            ]);
        } else {
            body["message_type"] = json!("Text");
            body["content"] = json!(text);
        }
        let (fate, status, answer) = self.ask("make", "POST", "/api/messages", Some(&body));
        assert!(!(400..500).contains(&status) || has_file, "{body}: {answer}");
        let is_there = match fate {
            Fate::Done => vec![true],
            Fate::Unknown => vec![true, false],
            Fate::Refused => vec![false],
        };
        self.run.expected.lock().unwrap().insert(name.clone(), Expected::new(is_there, is_sent));
        if fate == Fate::Done {
            self.run.acknowledged.fetch_add(1, Ordering::Relaxed);
            let id = answer["id"].as_str().unwrap().to_owned();
            self.own.push(Own { name, id, is_sent });
        }
    }

    /// Asks for a change of a message of one's own, and notes it. Where its outcome is not known, the
    /// message is left alone from then on.
    fn change(
        &mut self,
        kind: &'static str,
        of_sent: Option<bool>,
        (method, end, body): (&str, &str, impl Fn(&str) -> Option<Value>),
        note: impl Fn(&mut Expected, Fate),
    ) {
        let fits: Vec<_> = (0..self.own.len())
            .filter(|at| of_sent.is_none_or(|is_sent| self.own[*at].is_sent == is_sent))
            .collect();
        if fits.is_empty() {
            return;
        }
        let at = fits[self.random.below(fits.len())];
        let Own { name, id, .. } = &self.own[at];
        let (name, path) = (name.clone(), format!("/api/messages/{id}{end}"));
        let (fate, status, answer) = self.ask(kind, method, &path, body(&name).as_ref());
        assert_ne!(status, 404, "{kind}: {name} was acknowledged, and is not there: {answer}");
        note(self.run.expected.lock().unwrap().get_mut(&name).unwrap(), fate);
        if fate == Fate::Unknown || (kind == "delete" && fate == Fate::Done) {
            self.own.swap_remove(at);
        }
    }

    fn set_status(&mut self) {
        let status = STATES[self.random.below(STATES.len())];
        let body = |_: &str| Some(json!({"status": status}));
        self.change("status", Some(false), ("PATCH", "", body), |expected, fate| {
            if let Some(value) = &mut expected.status {
                set(value, fate, status.to_owned());
            }
        });
    }

    fn edit(&mut self) {
        let body = |name: &str| Some(json!({"content": format!("{name}|edited")}));
        self.change("edit", Some(false), ("PATCH", "", body), |expected, fate| {
            set(&mut expected.is_edited, fate, true);
        });
    }

    fn delete(&mut self) {
        self.change("delete", None, ("DELETE", "", |_: &str| None), |expected, fate| {
            set(&mut expected.is_there, fate, false);
        });
    }

    fn recall(&mut self) {
        let request = ("POST", "/recall", |_: &str| None);
        self.change("recall", Some(true), request, |expected, fate| {
            set(&mut expected.is_recalled, fate, true);
        });
    }

    fn react(&mut self) {
        let (method, is_on) = [("PUT", true), ("DELETE", false)][self.random.below(2)];
        let end = format!("/reactions/{EMOJI}");
        self.change("react", Some(true), (method, &end, |_: &str| None), |expected, fate| {
            set(&mut expected.has_reaction, fate, is_on);
        });
    }

    /// A person writes on the platform, or the platform tells again what one wrote.
    fn hear(&mut self) {
        if self.random.below(3) == 0 {
            self.run.platform.tell_again(self.random.below(5));
            return;
        }
        self.run.platform.write(&format!("written {} of {}|", self.number, self.seed));
        self.number += 1;
    }
}
