//! `conversations`, `platforms`, `status`, `stats`, `version`, and lists in every format.

use crate::server::{Home, TestServer};
use serde_json::{Value, json};

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
    for part in ["server     ok", "loopback loopback: Connected", "1 Pending", "1 messages", "free"]
    {
        assert!(status.contains(part), "{part}: {status}");
    }
    let status: Value = serde_json::from_str(&home.ok(&["status", "--json"])).unwrap();
    assert_eq!((&status["ok"], &status["server"]), (&json!(true), &json!("ok")));
    assert_eq!(status["platforms"][0]["state"], "Connected");
    assert_eq!(
        (&status["messages"]["pending"], &status["messages"]["total"]),
        (&json!(1), &json!(1))
    );
    assert!(status["store"]["free"].as_u64() > Some(0), "{status}");
    let elsewhere = Home::new().ok(&["status", "--server", &server.url("")]);
    assert!(elsewhere.contains("server     ok") && !elsewhere.contains("free"), "{elsewhere}");
    server.stop();
    let output = home.run(&["status"]);
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.code() == Some(1) && told.contains("`rechat serve`"), "{told}");
    let output = home.run(&["status", "--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["ok"], &told["server"]), (&json!(false), &json!("not_running")));
    assert_eq!(output.status.code(), Some(1));
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

/// Messages of three days by two people, with a server and without one.
#[test]
fn a_list_is_narrowed_by_time_sender_type_and_several_states() {
    let seed = |home: &Home| {
        let line = |n: u64, name: &str, status: &str, kind: &str, content: &str| {
            json!({
                "id": format!("00000000-0000-4000-8000-00000000000{n}"), "message_type": kind,
                "content": content, "recipient": "group_1", "status": status,
                "created_at": 1_795_000_000 + n * 86_400, "updated_at": 1_795_000_000,
                "retry_count": 0, "platform": "qq", "direction": "Inbound", "account": "10",
                "sender": {"id": format!("70{}", name.len()), "name": name},
            })
        };
        let lines = [
            line(1, "Ann", "Sent", "Text", "one"),
            line(3, "Ann", "Failed", "Image", "https://x/three.png"),
            line(2, "Bernd", "Canceled", "Text", "two, which came later"),
        ];
        let file = home.path("seed.jsonl");
        std::fs::write(&file, lines.map(|line| line.to_string() + "\n").concat()).unwrap();
        home.ok(&["import", file.to_str().unwrap()]);
        let listed = |arguments: &[&str]| {
            let format = ["list", "--format", "{id}"];
            let all = home.ok(&[&format[..], arguments].concat());
            all.lines().map(|id| id[35..].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(listed(&["--sender", "Ann"]), ["3", "1"]);
        assert_eq!(listed(&["--sender", "705"]), ["2"]);
        assert_eq!(listed(&["--type", "image"]), ["3"]);
        assert_eq!(listed(&["--status", "failed", "--status", "canceled"]), ["2", "3"]);
        assert_eq!(listed(&["--since", "1795172800"]), ["2", "3"]);
        assert_eq!(listed(&["--since", "1795172800", "--until", "1795259200"]), ["2"]);
        assert_eq!(listed(&["--until", "1795172800", "-c", "group_1", "-n", "9"]), ["1"]);
        assert_eq!(listed(&["--search", "o", "--sender", "Ann"]), ["1"]);
        assert!(home.fails(2, &["list", "--since", "soon"]).contains("2h"));
    };
    seed(&Home::new());
    let server = TestServer::start();
    seed(&server.home);
    let (_, page) = server.get("/api/messages?status=Failed&status=Canceled&since=1795172800");
    assert_eq!(page["messages"].as_array().unwrap().len(), 2, "{page}");
    assert_eq!(server.get("/api/messages?since=x").0, 400);
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
    assert!(home.fails(2, &["list", "--folow"]).contains("did you mean `--follow`?"));
}

/// Messages of other times, one of them told of later than it was said.
fn import_old(home: &Home) {
    let file = home.path("old.jsonl");
    let line = |n: u64, conversation: &str, at: u64| {
        json!({
            "id": format!("00000000-0000-4000-8000-{n:012}"), "message_type": "Text",
            "content": "old", "recipient": conversation, "status": "Sent", "created_at": at,
            "updated_at": at, "retry_count": 0, "platform": "qq", "direction": "Inbound"
        })
    };
    let lines = [
        line(1, "group_1", 1_700_000_000),
        line(2, "group_2", 1_700_000_500),
        line(3, "group_1", 1_600_000_000),
        line(4, "group_1", 1_700_001_000),
    ];
    std::fs::write(&file, lines.map(|line| line.to_string()).join("\n")).unwrap();
    home.ok(&["import", file.to_str().unwrap()]);
}

#[test]
fn counts_since_a_time_go_by_when_messages_were_said() {
    fn counts(home: &Home) {
        home.ok(&["send", "-p", "qq", "-r", "group_1", "now"]);
        import_old(home);
        let count = |arguments: &[&str]| {
            let counts = home.ok(&[&["stats", "--json"], arguments].concat());
            let counts: Value = serde_json::from_str(&counts).unwrap();
            (counts["sent"].as_u64().unwrap(), counts["total"].as_u64().unwrap())
        };
        assert_eq!(count(&[]), (4, 5));
        assert_eq!(count(&["--since", "1h"]), (0, 1));
        assert_eq!(count(&["--since", "1700000500"]), (2, 3));
        assert_eq!(count(&["--since", "1700000500", "-c", "group_1"]), (1, 2));
        assert_eq!(count(&["--since", "1600000000", "-p", "qq"]), (4, 5));
        assert_eq!(count(&["--since", "1600000001", "-p", "qq"]), (3, 4));
        home.fails(2, &["stats", "--since", "soon"]);
    }
    counts(&Home::new());
    let server = TestServer::start();
    counts(&server.home);
    let answer = server.get("/api/stats?since=soon");
    assert_eq!((answer.0, &answer.1["code"]), (400, &json!("invalid")));
}
