//! `rechat doctor` with and without problems.

use crate::onebot::Peer;
use crate::onebot11::{headers, willing};
use crate::server::{Home, TestServer, eventually};
use serde_json::Value;
use std::net::TcpListener;
use std::sync::Arc;

/// Findings, by subject.
fn findings(home: &Home, about: &str) -> Vec<Value> {
    let told = String::from_utf8(home.run(&["doctor", "--json"]).stdout).unwrap();
    let all = told.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    all.filter(|finding| finding["about"] == about).collect()
}

#[test]
fn a_server_that_is_well_is_told_so() {
    let server = TestServer::start_with(&["--loopback"]);
    server.make("group_1", "x");
    let told = server.home.ok(&["doctor"]);
    for wanted in ["a server answers", "1 messages", "loopback", "Connected", "B are free"] {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
    assert!(!told.contains('✗'), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_account_is_wrong_and_messages_that_wait_are_told_with_the_reason() {
    let server = TestServer::start();
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let peer = Peer::dial(&url, &headers("1", "Universal"), willing()).await.unwrap();
    eventually("the account connects", || {
        let all = findings(&server.home, "adapters");
        all.iter().any(|one| one["health"] == "well").then_some(())
    });
    drop(peer);
    let lost = eventually("the account is lost", || {
        findings(&server.home, "adapters").into_iter().find(|one| one["health"] == "wrong")
    });
    assert!(lost["advice"].as_str().unwrap().contains("/onebot/v11/ws"), "{lost}");
    server.make("group_1", "x");
    let waiting = &findings(&server.home, "queue")[0];
    assert_eq!(waiting["health"], "doubtful", "{waiting}");
    assert!(server.home.fails(1, &["doctor"]).contains("problem"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_left_beside_another_one_is_doubtful_and_can_be_forgotten() {
    let server = TestServer::start();
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let _peer = Peer::dial(&url, &headers("1", "Universal"), willing()).await.unwrap();
    drop(Peer::dial(&url, &headers("2", "Universal"), willing()).await.unwrap());
    let left = eventually("the account has left", || {
        findings(&server.home, "adapters").into_iter().find(|one| one["health"] == "doubtful")
    });
    assert!(left["seen"].as_str().unwrap().contains("qq (2)"), "{left}");
    assert!(left["advice"].as_str().unwrap().contains("restart rechat"), "{left}");
    server.home.ok(&["doctor"]);
}

#[test]
fn an_adapter_that_connects_to_its_implementation_is_told_of_its_own_address() {
    let home = Arc::new(Home::new());
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    home.configure(&format!("[[adapter]]\nkind = 'onebot11'\nurl = 'ws://{free}/'\n"));
    let server = TestServer::start_in(home, &[]);
    let wrong = eventually("it is not connected", || {
        findings(&server.home, "adapters").into_iter().find(|one| one["health"] != "well")
    });
    let advice = wrong["advice"].as_str().unwrap();
    assert!(advice.contains("`url`") && !advice.contains("/onebot/v11/ws"), "{wrong}");
}

#[test]
fn what_is_wrong_is_told_with_what_to_do() {
    let home = Arc::new(Home::new());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    home.configure(&format!("listen = '{address}'\n"));
    let told = home.fails(1, &["doctor"]);
    assert!(told.contains("1 problem(s) found"), "{told}");
    assert_eq!(findings(&home, "port")[0]["health"], "wrong");
    assert!(findings(&home, "port")[0]["advice"].as_str().unwrap().contains("ss -ltnp"));
    drop(taken);
    home.ok(&["doctor"]);
    home.configure("listen = '0.0.0.0:0'\nstore.reserve_bytes = 9000000000000000\n");
    assert_eq!(findings(&home, "access")[0]["health"], "wrong");
    assert_eq!(findings(&home, "disk")[0]["health"], "wrong");
    home.configure("listenn = 1\n");
    assert!(findings(&home, "configuration")[0]["seen"].as_str().unwrap().contains("listenn"));
}

#[test]
fn a_word_in_place_of_an_account_is_told_of() {
    let home = Home::new();
    home.configure("listen = '127.0.0.1:0'\n[[adapter]]\nkind = 'onebot11'\naccount = 'any'\n");
    let told = &findings(&home, "adapters")[0];
    assert_eq!(told["health"], "doubtful");
    assert!(told["seen"].as_str().unwrap().contains("`any`"), "{told}");
}

#[test]
fn a_store_that_is_no_store_is_told_of() {
    let home = Home::new();
    home.configure("listen = '127.0.0.1:0'\n");
    home.ok(&["send", "-r", "group_1", "x"]);
    home.ok(&["doctor", "--full"]);
    std::fs::write(home.db(), "not a store at all").unwrap();
    assert_eq!(findings(&home, "store")[0]["health"], "wrong");
}
