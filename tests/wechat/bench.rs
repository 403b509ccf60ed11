//! A server that is logged in at a fake, and what tests ask of the two.

use crate::fake::Fake;
use crate::server::{Home, TestServer, eventually};
use serde_json::{Value, json};
use std::sync::Arc;

/// The person that tests speak of.
pub const ANN: &str = "oAnn-1_x@im.wechat";

/// The conversation with that person.
pub const WITH_ANN: &str = "private_oAnn-1_x@im.wechat";

/// Pauses so short that tests need not wait for them.
const HASTY: &str =
    "[outbox]\nfirst_pause_seconds = 0.01\nlongest_pause_seconds = 0.02\nretries = 3\n";

pub struct Bench {
    pub fake: Fake,
    pub server: TestServer,
}

impl Bench {
    /// A server that is configured for a fake; nobody is logged in.
    pub fn new(more: &str) -> Self {
        Self::in_home(Arc::new(Home::new()), more, &[])
    }

    /// The same in a home that is there already, with arguments of the server.
    pub fn in_home(home: Arc<Home>, more: &str, arguments: &[&str]) -> Self {
        let fake = Fake::start();
        home.configure(&config(&fake, more));
        Self { fake, server: TestServer::start_in(home, arguments) }
    }

    /// Writes another configuration, with these lines in the adapter's entry.
    pub fn configure(&self, more: &str) {
        self.server.home.configure(&config(&self.fake, more));
    }

    /// The same, with a person logged in and connected.
    pub fn logged_in(more: &str) -> Self {
        let bench = Self::new(more);
        bench.log_in(ANN);
        bench
    }

    /// Logs a person in; gives the account.
    pub fn log_in(&self, user: &str) -> String {
        let confirmed = self.fake.new_bot(user);
        let account = confirmed["ilink_bot_id"].as_str().unwrap().to_owned();
        self.fake.next_code(vec![confirmed]);
        let (status, login) = self.server.ask("POST", "/api/login/wechat", None);
        assert_eq!(status, 201, "{login}");
        let id = login["id"].as_str().unwrap();
        self.until_login(id, "done");
        self.until_account(&account, "Connected");
        account
    }

    /// Waits until a login is in a state.
    pub fn until_login(&self, id: &str, state: &str) -> Value {
        eventually(&format!("the login is {state}"), || {
            let (status, login) = self.server.get(&format!("/api/login/wechat/{id}"));
            assert_eq!(status, 200, "{login}");
            assert!(login["state"] != "failed" || state == "failed", "{login}");
            (login["state"] == state).then_some(login)
        })
    }

    /// Waits until an account is in a state.
    pub fn until_account(&self, account: &str, state: &str) -> Value {
        eventually(&format!("{account} is {state}"), || {
            let all = self.server.get("/api/platforms").1;
            let all = all["platforms"].as_array().unwrap().clone();
            all.into_iter().find(|one| one["account"] == account && one["state"] == state)
        })
    }

    /// Makes a text message to the person.
    pub fn make(&self, text: &str) -> String {
        self.server.make_for(Some("wechat"), WITH_ANN, text)
    }

    pub fn message(&self, id: &str) -> Value {
        self.server.get(&format!("/api/messages/{id}")).1
    }

    /// Waits until a message says why it waits.
    pub fn until_waiting(&self, id: &str, words: &str) -> Value {
        eventually(&format!("{id} waits: {words}"), || {
            let message = self.message(id);
            let waiting = message["waiting"].as_str().unwrap_or_default();
            (message["status"] == "Pending" && waiting.contains(words)).then_some(message)
        })
    }

    /// Messages that came in, the oldest first.
    pub fn inbound(&self) -> Vec<Value> {
        let page = self.server.get("/api/messages?direction=Inbound&limit=200").1;
        let mut all = page["messages"].as_array().unwrap().clone();
        all.reverse();
        all
    }

    /// Waits until so many messages have come in, and gives their contents.
    pub fn until_inbound(&self, count: usize) -> Vec<String> {
        let all = eventually(&format!("{count} messages came in"), || {
            let all = self.inbound();
            (all.len() >= count).then_some(all)
        });
        all.iter().map(|one| one["content"].as_str().unwrap().to_owned()).collect()
    }

    /// Nothing was wrong with any request.
    pub fn assert_no_complaints(&self) {
        assert_eq!(self.fake.state().complaints, Vec::<String>::new());
    }
}

/// The configuration that leads to a fake.
fn config(fake: &Fake, more: &str) -> String {
    format!("{HASTY}{}", fake.entry(&format!("reconnect = 0.05\n{more}")))
}

/// A state of a code.
pub fn told(status: &str) -> Value {
    json!({"status": status})
}
