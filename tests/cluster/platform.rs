//! A platform that takes messages from whichever node dials it, and counts how often it got each.

use crate::onebot::{Listener, Reply};
use crate::onebot11::willing;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::runtime::Runtime;

pub struct Platform {
    url: String,
    counts: Arc<Mutex<HashMap<String, usize>>>,
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
        let seen = counts.clone();
        runtime.spawn(async move {
            let mut peers = Vec::new();
            loop {
                peers.push(listener.accept_some_time(script(seen.clone())).await);
            }
        });
        Self { url, counts, runtime: Some(runtime) }
    }

    /// The adapter of it, as the configuration of each node has it.
    pub fn configuration(&self) -> String {
        format!("[[adapter]]\nkind = \"onebot11\"\nurl = \"{}\"\n", self.url)
    }

    /// How often each text came.
    pub fn counts(&self) -> HashMap<String, usize> {
        self.counts.lock().unwrap().clone()
    }
}

fn script(counts: Arc<Mutex<HashMap<String, usize>>>) -> crate::onebot::Script {
    let willing = willing();
    Arc::new(move |action| {
        if action["action"] == "send_group_msg" {
            let text = text_of(&action["params"]["message"]);
            *counts.lock().unwrap().entry(text).or_default() += 1;
        }
        let reply: Reply = willing(action);
        reply
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
