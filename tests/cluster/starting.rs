//! Nodes that cannot start yet, and what they say.

use crate::nats::Nats;
use crate::server::{Home, eventually};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

/// A node without a store that waits for its cluster.
struct WaitingNode {
    process: Child,
    log: Arc<Mutex<String>>,
    _home: Home,
}

impl WaitingNode {
    fn start(nats: &Nats, more: &str) -> Self {
        let home = Home::new();
        let urls = nats.urls();
        let cluster = format!("[cluster]\nnats = {urls}\nname = \"test\"\nnode = \"a\"\n{more}");
        home.configure(&cluster);
        let mut serve = home.command(&["serve", "--listen", "127.0.0.1:0"]);
        let mut process = serve.stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (lines, kept) = (BufReader::new(process.stderr.take().unwrap()), log.clone());
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                kept.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        Self { process, log, _home: home }
    }

    fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the log has a text, and stops the node, which has to end well.
    fn stop_at(&mut self, text: &str) {
        eventually(text, || self.log().contains(text).then_some(()));
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        let status = eventually("it ends", || self.process.try_wait().unwrap());
        assert_eq!(status.code(), Some(0), "{}", self.log());
    }
}

impl Drop for WaitingNode {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
#[ignore = "needs nats-server: tests/run"]
fn a_node_with_a_wrong_token_says_so_once_and_stops_when_it_is_told() {
    let nats = Nats::with(1, "authorization { token: \"right\" }");
    let mut node = WaitingNode::start(&nats, "token = \"wrong\"\n");
    node.stop_at("waits for a snapshot");
    let log = node.log();
    assert!(
        log.contains("check `cluster.nats`, `token`") && !log.contains("cluster init"),
        "{log}"
    );
    assert_eq!(log.matches("NATS cannot be used").count(), 1, "{log}");
    assert!(!log.contains(" ERROR "), "{log}");
}

#[test]
#[ignore = "needs nats-server: tests/run"]
fn a_node_of_a_cluster_that_was_never_made_says_so_at_once() {
    let nats = Nats::of(1);
    let mut node = WaitingNode::start(&nats, "");
    node.stop_at("there is no cluster `test` at NATS");
    assert!(node.log().contains("`rechat cluster init` makes it"), "{}", node.log());
}
