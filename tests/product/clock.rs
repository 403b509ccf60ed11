//! A wall clock that is set while the server runs, with libfaketime: the order stays, nothing is
//! lost, failed or deleted too early, and the log mentions the change.

use crate::server::{Home, TestServer, eventually};
use crate::socket::Client;
use rustix::process::Signal;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Jumps of the clock, in seconds from what it really is.
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// The library that changes the time of a process, from the system's packages.
///
/// Fails the test where it is missing.
fn library() -> PathBuf {
    let folders = ["/usr/lib", "/usr/lib64"].map(PathBuf::from);
    let inner = folders.iter().filter_map(|folder| folder.read_dir().ok()).flatten();
    let all = inner.filter_map(|entry| Some(entry.ok()?.path())).chain(folders.clone());
    let mut files = all.map(|folder| folder.join("faketime/libfaketimeMT.so.1"));
    let found = files.find(|file| file.exists());
    found.expect("libfaketimeMT.so.1 is not installed; `tests/run` installs it")
}

/// The file with the time for the process.
struct Wall(PathBuf);

impl Wall {
    fn set(&self, seconds: i64) {
        let whole = self.0.with_extension("new");
        std::fs::write(&whole, format!("{seconds:+}\n")).unwrap();
        std::fs::rename(whole, &self.0).unwrap();
    }
}

/// A server whose clock can be set.
fn started(home: &Arc<Home>, seconds: i64) -> (TestServer, Wall) {
    let wall = Wall(home.path("wall"));
    wall.set(seconds);
    let library = library();
    let variables = [
        ("LD_PRELOAD", &*library),
        ("FAKETIME_TIMESTAMP_FILE", &wall.0),
        ("FAKETIME_NO_CACHE", Path::new("1")),
        ("FAKETIME_DONT_FAKE_MONOTONIC", Path::new("1")),
    ];
    let server = TestServer::start_among(home.clone(), &["--loopback"], &variables);
    (server, wall)
}

fn real() -> i64 {
    rechat::clock::now().cast_signed()
}

/// Makes messages until one is stamped by the clock as it was set; gives it.
fn stamped(server: &TestServer, seconds: i64, recipient: &str) -> Value {
    eventually("the clock is as it was set", || {
        let id = server.make_for(Some("loopback"), recipient, "x");
        let (_, message) = server.get(&format!("/api/messages/{id}"));
        let shown = message["created_at"].as_i64().unwrap();
        (shown - real() - seconds).abs().lt(&60).then_some(message)
    })
}

fn status(server: &TestServer, id: &str) -> Value {
    server.get(&format!("/api/messages/{id}")).1["status"].take()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs libfaketime: tests/run"]
async fn a_clock_that_is_set_changes_no_order_and_gives_up_nothing() {
    let home = Arc::new(Home::new());
    home.configure("[outbox]\ntime_to_live_seconds = 3000\n");
    let (server, wall) = started(&home, 0);
    let mut watcher = Client::connect(&server).await;
    watcher.subscribe().await;
    let waits = server.make_for(Some("nowhere"), "group_w", "waits");
    let mut made = Vec::new();
    let settings = [-HOUR, 0, DAY, 0, -HOUR, DAY, YEAR, -real(), 0, 10 * YEAR, 0];
    for (round, seconds) in settings.into_iter().enumerate() {
        wall.set(seconds);
        let message = stamped(&server, seconds, &format!("group_{round}"));
        let id = message["id"].as_str().unwrap();
        server.until(id, "Sent");
        made.push(id.to_owned());
        assert_eq!(status(&server, &waits), "Pending", "after {seconds} s");
        // A message without an adapter is looked at when another one waits, too.
        server.make_for(Some("nowhere"), "group_v", &format!("waits {round}"));
        assert_eq!(server.get("/api/activity").0, 200);
    }
    server.make_for(Some("loopback"), "group_1", "the end");
    let all = server.get("/api/stats").1["total"].as_u64().unwrap();
    // Live they came in the order they were made, once each.
    for seq in 1..=all {
        assert_eq!(watcher.message().await["seq"], seq);
    }
    // A list is in the order they were made, whatever the clock showed.
    let (_, listing) = server.get("/api/messages?limit=200");
    let listed: Vec<_> = listing["messages"].as_array().unwrap().iter().collect();
    assert_eq!(listed.len() as u64, all, "nothing was deleted");
    let places = made.iter().map(|id| listed.iter().position(|m| m["id"] == **id).unwrap());
    assert!(places.rev().is_sorted(), "the newest first");
    // And again by `since`.
    let mut again = Client::connect(&server).await;
    again.subscribe_since(0).await;
    for seq in 1..=all {
        assert_eq!(again.message().await["seq"], seq);
    }
    // Nothing was given up: what loopback takes is sent in the end, and the rest still waits.
    let waits = settings.len() as u64 + 1;
    eventually("only what nobody can take waits", || {
        let (_, stats) = server.get("/api/stats");
        assert_eq!(stats["failed"], 0, "{stats}");
        (stats["pending"] == waits && stats["sent"] == all - waits).then_some(())
    });
    // A year ahead, retention looks for what is too old.
    wall.set(YEAR);
    stamped(&server, YEAR, "group_1");
    eventually("the log tells of it", || {
        server.log().contains("the clock of this host was set ahead").then_some(())
    });
    let kept = server.get("/api/stats").1["total"].as_u64().unwrap() - 1;
    home.configure(&format!("[retention]\ndays = 30\nmessages = {kept}\n"));
    server.signal(Signal::HUP);
    // The one too many is deleted, so the others were looked at.
    eventually("one is deleted", || (server.get("/api/stats").1["total"] == kept).then_some(()));
    for id in &made[1..] {
        assert_eq!(status(&server, id), "Sent", "{id} is not old");
    }
    drop(server);
    home.ok(&["check"]);
}

#[test]
#[ignore = "needs libfaketime: tests/run"]
fn what_waits_is_given_up_when_its_time_is_really_over() {
    let home = Arc::new(Home::new());
    home.configure("[outbox]\ntime_to_live_seconds = 3\n");
    let (server, wall) = started(&home, 0);
    for seconds in [-DAY, DAY, 0] {
        wall.set(seconds);
        stamped(&server, seconds, "group_1");
        let waits = server.make_for(Some("nowhere"), "group_w", "waits");
        let failed = server.until(&waits, "Failed");
        assert!(failed["last_error"].as_str().unwrap().contains("within 3 s"), "{failed}");
    }
}

/// Waits until both the removal of old messages and the outbox have found the clock doubtful.
fn until_doubted(server: &TestServer) {
    eventually("the log tells of it twice", || {
        let log = server.log();
        (log.matches("the clock of this host may have been set ahead").count() == 2).then_some(())
    });
}

/// Five messages that were sent while the clock was right, and one that waits. The server is stopped.
fn sent_and_waiting(home: &Arc<Home>) -> (Vec<String>, String) {
    let (server, _) = started(home, 0);
    let ids: Vec<_> = (0..5).map(|_| server.make_for(Some("loopback"), "group_1", "x")).collect();
    server.until(&ids[4], "Sent");
    let waits = server.make_for(Some("nowhere"), "group_w", "waits");
    (ids, waits)
}

#[test]
#[ignore = "needs libfaketime: tests/run"]
fn messages_of_a_clock_that_is_ahead_make_those_before_no_older() {
    let home = Arc::new(Home::new());
    let (ids, waits) = sent_and_waiting(&home);
    let total = {
        let (server, _) = started(&home, YEAR);
        stamped(&server, YEAR, "group_1");
        server.get("/api/stats").1["total"].as_u64().unwrap()
    };
    let kept = total - 1;
    home.configure(&format!("[retention]\ndays = 30\nmessages = {kept}\n"));
    let (server, _) = started(&home, YEAR);
    until_doubted(&server);
    // The one too many is deleted, so the others were looked at.
    eventually("one is deleted", || (server.get("/api/stats").1["total"] == kept).then_some(()));
    for id in &ids[1..] {
        assert_eq!(status(&server, id), "Sent");
    }
    assert_eq!(status(&server, &waits), "Pending");
}

#[test]
#[ignore = "needs libfaketime: tests/run"]
fn a_clock_that_was_set_while_no_server_ran_deletes_and_gives_up_nothing() {
    let home = Arc::new(Home::new());
    let (ids, waits) = sent_and_waiting(&home);
    home.configure("[retention]\ndays = 30\nmessages = 5\n");
    let (server, _) = started(&home, YEAR);
    until_doubted(&server);
    // The one too many is deleted, so the others were looked at.
    eventually("one is deleted", || (server.get("/api/stats").1["total"] == 5).then_some(()));
    stamped(&server, YEAR, "group_1");
    for id in &ids[2..] {
        assert_eq!(status(&server, id), "Sent");
    }
    assert_eq!(status(&server, &waits), "Pending");
}
