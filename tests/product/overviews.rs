//! `conversations`, `platforms`, `status`, `stats`, `version`, and lists in every format.

use crate::server::{Home, TestServer};
use serde_json::Value;

#[test]
fn conversations_are_listed_and_looked_for() {
    let server = TestServer::start();
    let home = &server.home;
    for conversation in ["group_1", "group_2", "private_3"] {
        home.ok(&["send", "-p", "qq", "-r", conversation, "x"]);
    }
    let listed = home.ok(&["conversations"]);
    let first: Vec<_> = listed.lines().next().unwrap().split('\t').collect();
    assert_eq!(first[..3], ["", "qq", "private_3"], "{listed}");
    assert_eq!(home.ok(&["conversations", "GROUP", "-n", "1"]).lines().count(), 1);
    let json = home.ok(&["conversations", "--json", "-p", "qq"]);
    let newest: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(newest["conversation"], "private_3");
    assert_eq!(home.ok(&["conversations", "-p", "other"]), "");
}

#[test]
fn the_state_of_everything_is_told_with_an_exit_code() {
    let mut server = TestServer::start_with(&["--loopback"]);
    let home = server.home.clone();
    home.ok(&["send", "-p", "qq", "-r", "group_1", "waits"]);
    let platforms = home.ok(&["platforms"]);
    assert!(platforms.starts_with("loopback\tloopback\tConnected\t"), "{platforms}");
    assert!(home.ok(&["platforms", "--json"]).contains("\"Connected\""));
    let status = home.ok(&["status"]);
    for part in ["server     ok", "loopback loopback: Connected", "1 pending", "1 messages", "free"]
    {
        assert!(status.contains(part), "{part}: {status}");
    }
    let elsewhere = Home::new().ok(&["status", "--server", &server.url("")]);
    assert!(elsewhere.contains("server     ok") && !elsewhere.contains("free"), "{elsewhere}");
    server.stop();
    let output = home.run(&["status"]);
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.code() == Some(1) && told.contains("`rechat serve`"), "{told}");
    assert!(home.fails(1, &["platforms"]).contains("no server runs"));
}

#[test]
fn counts_are_of_everything_or_of_one_platform_or_conversation() {
    fn counts(home: &Home) {
        let total = |arguments: &[&str]| {
            let counts = home.ok(&[&["stats", "--json"], arguments].concat());
            serde_json::from_str::<Value>(&counts).unwrap()
        };
        assert_eq!(total(&[])["total"], 4);
        assert_eq!(total(&["-p", "qq"])["pending"], 2);
        assert_eq!(total(&["-p", "qq"])["canceled"], 1);
        assert_eq!(total(&["-c", "group_1"])["total"], 3);
        assert_eq!(total(&["-c", "group_1", "-p", "other"])["total"], 1);
        assert_eq!(total(&["-c", "group_9"])["total"], 0);
    }
    let fill = |home: &Home| {
        for (platform, conversation) in
            [("qq", "group_1"), ("qq", "group_1"), ("qq", "group_2"), ("other", "group_1")]
        {
            home.ok(&["send", "-p", platform, "-r", conversation, "--new", "x"]);
        }
        let newest = home.ok(&["list", "-n", "1", "-c", "group_2", "--format", "{id}"]);
        home.ok(&["cancel", newest.trim()]);
        counts(home);
    };
    fill(&Home::new());
    let server = TestServer::start();
    fill(&server.home);
    let (status, error) = server.get("/api/stats?platform=*");
    assert!(status == 400 && error["error"].as_str().unwrap().contains("`platform`"), "{error}");
}

#[test]
fn a_list_has_the_columns_and_the_format_that_are_asked_for() {
    let home = Home::new();
    home.ok(&["send", "-p", "qq", "-r", "group_1", "one\ttwo"]);
    let listed = |arguments: &[&str]| home.ok(&[&["list"], arguments].concat());
    assert_eq!(listed(&["--columns", "status,content,sender"]), "Pending\tone\\ttwo\t\n");
    assert_eq!(listed(&["--format", "{{{platform}}} {type}"]), "{qq} Text\n");
    let array: Value = serde_json::from_str(&listed(&["--format", "json"])).unwrap();
    assert_eq!(array[0]["content"], "one\ttwo");
    assert_eq!(listed(&["--format", "jsonl"]), listed(&["--json"]));
    assert_eq!(listed(&["--format", "tsv"]), listed(&[]));
    let table = listed(&["--format", "table", "--columns", "status,content"]);
    assert_eq!(table, "STATUS  CONTENT\nPending one    two\n");
    let refused = home.fails(2, &["list", "--format", "{nonsense}"]);
    assert!(refused.contains("`nonsense`") && refused.contains("conversation"), "{refused}");
    assert_eq!(listed(&["--direction", "in", "--json"]), "");
}

#[test]
fn the_version_is_told_by_a_verb_too() {
    let home = Home::new();
    let told = home.ok(&["version"]);
    assert_eq!(told, home.ok(&["--version"]));
    assert!(told.contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_verb_of_elsewhere_is_answered_with_ours() {
    let home = Home::new();
    let told = home.fails(2, &["tail", "-n", "5"]);
    assert_eq!(told, "rechat: there is no command `tail`\n  write `rechat list --follow`\n");
    assert!(home.fails(2, &["list", "--folow"]).contains("'--follow'"));
}
