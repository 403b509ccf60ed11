//! A platform that takes messages from whichever node dials it, counts how often it got each, and has
//! people who write.

use crate::onebot::{Listener, Peer, Reply, Script};
use crate::onebot11::{group_message, willing};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::runtime::Runtime;

/// The account, as `willing` tells it.
const ACCOUNT: i64 = 10_001_000;

/// The first number of a message of a person; far from those of messages that were sent.
const FIRST: i64 = 1_000_000_000;

pub struct Platform {
    url: String,
    counts: Arc<Mutex<HashMap<String, usize>>>,
    /// Nodes that are connected, the newest last.
    peers: Arc<Mutex<Vec<Peer>>>,
    /// Texts of people.
    written: Mutex<Vec<String>>,
    runtime: Option<Runtime>,
}

impl Drop for Platform {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Platform {
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(Listener::new(None));
        let (url, counts) = (listener.url(), Arc::<Mutex<HashMap<_, _>>>::default());
        let peers = Arc::<Mutex<Vec<Peer>>>::default();
        let (script, connected) = (script(counts.clone()), peers.clone());
        runtime.spawn(async move {
            loop {
                let peer = listener.accept_some_time(script.clone()).await;
                let mut connected = connected.lock().unwrap();
                connected.retain(|peer| !peer.is_finished());
                connected.push(peer);
            }
        });
        Self { url, counts, peers, written: Mutex::default(), runtime: Some(runtime) }
    }

    /// The adapter of it, as the configuration of each node has it.
    pub fn configuration(&self) -> String {
        format!("[[adapter]]\nkind = \"onebot11\"\nurl = \"{}\"\n", self.url)
    }

    /// How often each text came.
    pub fn counts(&self) -> HashMap<String, usize> {
        self.counts.lock().unwrap().clone()
    }

    /// A person writes something.
    pub fn write(&self, text: &str) {
        let number = {
            let mut written = self.written.lock().unwrap();
            written.push(text.to_owned());
            written.len() - 1
        };
        self.tell(number, text);
    }

    /// The platform tells once more what a person wrote, the last text or an earlier one.
    pub fn tell_again(&self, back: usize) {
        let (number, text) = {
            let written = self.written.lock().unwrap();
            let Some(number) = written.len().checked_sub(1 + back) else { return };
            (number, written[number].clone())
        };
        self.tell(number, &text);
    }

    /// How many texts people wrote.
    pub fn written(&self) -> usize {
        self.written.lock().unwrap().len()
    }

    fn tell(&self, number: usize, text: &str) {
        let event = group_message(ACCOUNT, 1, FIRST + i64::try_from(number).unwrap(), text);
        if let Some(peer) = self.peers.lock().unwrap().last() {
            peer.push(&event);
        }
    }
}

/// The answers to every connection: numbers of messages grow over all of them.
fn script(counts: Arc<Mutex<HashMap<String, usize>>>) -> Script {
    let willing = willing();
    Arc::new(move |action| match action["action"].as_str().unwrap() {
        "send_group_msg" => {
            let text = text_of(&action["params"]["message"]);
            *counts.lock().unwrap().entry(text).or_default() += 1;
            willing(action)
        }
        "delete_msg" | "set_msg_emoji_like" => Reply::ok(json!({})),
        _ => willing(action),
    })
}

/// The text of a message in segments, or as it is.
fn text_of(message: &Value) -> String {
    let Some(segments) = message.as_array() else {
        return message.as_str().unwrap_or_default().to_owned();
    };
    let texts = segments.iter().filter_map(|segment| segment["data"]["text"].as_str());
    texts.collect()
}
