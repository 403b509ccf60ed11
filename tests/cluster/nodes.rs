//! Nodes of one cluster, each a server of its own.

use crate::links::Links;
use crate::nats::{Nats, urls};
use crate::server::{Home, TestServer, eventually};
use serde_json::{Value, json};
use std::sync::Arc;

/// The names of nodes.
pub const NAMES: [&str; 3] = ["a", "b", "c"];

/// A cluster: NATS servers, and nodes.
pub struct Cluster {
    pub nodes: Vec<TestServer>,
    /// Beside them, for commands of the operator.
    pub home: Arc<Home>,
    pub nats: Nats,
    /// The links of each node to NATS, where they can be cut.
    pub links: Vec<Links>,
    more: String,
}

impl Cluster {
    /// Three nodes on three NATS servers.
    pub fn start() -> Self {
        Self::start_with(Nats::start(), "", &[])
    }

    /// Three nodes with more in their configuration, made with more arguments of `cluster init`.
    pub fn start_with(nats: Nats, more: &str, init: &[&str]) -> Self {
        let mut cluster = Self::make(nats, more, init);
        for node in 0..NAMES.len() {
            cluster.add(node);
        }
        cluster
    }

    /// Three nodes on three NATS servers, by links that can be cut.
    pub fn start_linked() -> Self {
        Self::start_linked_with("")
    }

    /// The same with more in their configuration.
    pub fn start_linked_with(more: &str) -> Self {
        let mut cluster = Self::make(Nats::start(), more, &[]);
        for name in NAMES {
            let links = Links::to(cluster.nats.client_ports());
            let home = Arc::new(Home::new());
            home.configure(&cluster.configuration_at(name, &urls(links.ports())));
            cluster.links.push(links);
            cluster.nodes.push(TestServer::start_in(home, &[]));
        }
        cluster
    }

    /// A cluster whose nodes are not started yet.
    pub fn make(nats: Nats, more: &str, init: &[&str]) -> Self {
        let home = Arc::new(Home::new());
        let (nodes, links) = (Vec::new(), Vec::new());
        let cluster = Self { nodes, home, nats, links, more: more.to_owned() };
        cluster.home.configure(&cluster.configuration("operator"));
        let arguments = [&["cluster", "init"], init].concat();
        // NATS has to agree on a leader of its own first.
        eventually("the cluster is made", || {
            let made = cluster.home.run(&arguments);
            let errors = String::from_utf8_lossy(&made.stderr);
            (made.status.success() || errors.contains("is there already")).then_some(())
        });
        cluster
    }

    pub fn configuration(&self, node: &str) -> String {
        self.configuration_at(node, &self.nats.urls())
    }

    fn configuration_at(&self, node: &str, urls: &str) -> String {
        let (replicas, more) = (self.nats.count(), &self.more);
        format!(
            "{more}\n[cluster]\nnats = {urls}\nname = \"test\"\nnode = \"{node}\"\nreplicas = {replicas}\n"
        )
    }

    /// Starts the next node, with an empty home.
    pub fn add(&mut self, node: usize) {
        self.add_named(NAMES[node]);
    }

    /// Starts a node with a name, with an empty home.
    pub fn add_named(&mut self, name: &str) {
        let home = Arc::new(Home::new());
        home.configure(&self.configuration(name));
        self.nodes.push(TestServer::start_in(home, &[]));
    }

    pub fn status(&self) -> Value {
        let output = self.home.run(&["cluster", "status", "--json"]);
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    /// The leader and takes messages, once one does.
    pub fn leader(&self) -> usize {
        eventually("a node leads", || (0..self.nodes.len()).find(|node| self.leads(*node)))
    }

    /// A node that follows.
    pub fn follower(&self) -> usize {
        let leader = self.leader();
        (0..self.nodes.len()).find(|node| *node != leader).unwrap()
    }

    /// Whether a node leads now.
    pub fn leads(&self, node: usize) -> bool {
        let Ok((200, metrics)) = self.nodes[node].try_ask("GET", "/metrics", None) else {
            return false;
        };
        metrics
            .as_str()
            .is_some_and(|text| text.lines().any(|line| line == "rechat_cluster_leading 1"))
    }

    /// Makes a message at the leader, however often that takes; gives its ID.
    pub fn make_message(&self, content: &str) -> String {
        let body = json!({"message_type": "Text", "content": content, "recipient": "group_1"});
        let key = format!("key of {content}");
        eventually(&format!("{content} is stored"), || {
            (0..self.nodes.len()).find_map(|node| self.try_make(node, &body, &key))
        })
    }

    /// Makes a message at a node, with an idempotency key; `None` where the node does not take it.
    pub fn try_make(&self, node: usize, body: &Value, key: &str) -> Option<String> {
        let request = ureq::http::Request::builder()
            .method("POST")
            .uri(self.nodes[node].url("/api/messages"))
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .body(body.to_string())
            .unwrap();
        let mut answer = crate::server::agent().run(request).ok()?;
        let text = answer.body_mut().read_to_string().ok()?;
        let message: Value = serde_json::from_str(&text).ok()?;
        (answer.status() == 201).then(|| message["id"].as_str().unwrap().to_owned())
    }

    /// Everything that a node has: IDs and contents, the newest first.
    pub fn contents(&self, node: usize) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let messages = self.messages(node).into_iter();
        messages.map(|one| (text(&one["id"]), text(&one["content"]))).collect()
    }

    /// All messages that a node has, the newest first; none where it does not answer.
    pub fn messages(&self, node: usize) -> Vec<Value> {
        let mut found = Vec::new();
        loop {
            let path = format!("/api/messages?limit=200&offset={}", found.len());
            let Ok((200, page)) = self.nodes[node].try_ask("GET", &path, None) else {
                return Vec::new();
            };
            let messages = page["messages"].as_array().unwrap();
            found.extend(messages.iter().cloned());
            if messages.len() < 200 {
                return found;
            }
        }
    }

    /// Waits until all nodes have the same messages, and gives them.
    pub fn agreed(&self, count: usize) -> Vec<(String, String)> {
        eventually(&format!("all nodes have the same {count} messages"), || {
            let first = self.contents(0);
            let is_same = || (1..self.nodes.len()).all(|node| self.contents(node) == first);
            (first.len() == count && is_same()).then_some(first)
        })
    }
}
