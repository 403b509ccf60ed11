//! The command line, with no server, with the one on this host, and with one elsewhere.

use crate::server::{Home, TestServer, has_mode};
use serde_json::Value;
use std::io::Write;

/// Runs the same commands wherever the messages are.
fn works(home: &Home, place: &[&str]) {
    let run = |arguments: &[&str]| home.ok(&[arguments, place].concat());
    let sent =
        run(&["send", "-r", "group_1", "-p", "nowhere", "-t", "iMaGe", "--json", "https://x/y"]);
    let message: Value = serde_json::from_str(&sent).unwrap();
    assert_eq!(message["message_type"], "Image");
    assert_eq!(message["platform"], "nowhere");
    let id = message["id"].as_str().unwrap();
    let waiting = |text: String| {
        let mut message: Value = serde_json::from_str(&text).unwrap();
        let why = message.as_object_mut().unwrap().remove("waiting").expect("it says why it waits");
        assert_eq!(message, serde_json::from_str::<Value>(&sent).unwrap());
        why.as_str().unwrap().to_owned()
    };
    let listed = waiting(run(&["list", "--json", "--status", "PENDING"]));
    assert!(listed.contains("no adapter of nowhere") || listed.contains("no server"), "{listed}");
    assert_eq!(run(&["list", "--status", "failed"]), "");
    assert_eq!(waiting(run(&["get", id, "--json"])), listed);
    assert!(run(&["get", id]).contains("status        Pending"));
    assert_eq!(run(&["cancel", id]), format!("{id} canceled\n"));
    assert_eq!(run(&["retry", id]), format!("{id} pending\n"));
    assert_eq!(run(&["set-status", id, "failed"]), format!("{id} Failed\n"));
    let counts: Value = serde_json::from_str(&run(&["stats", "--json"])).unwrap();
    assert_eq!(counts["failed"], 1);
    let fields = run(&["list"]);
    let fields: Vec<_> = fields.trim_end().split('\t').collect();
    assert_eq!(fields[1..7], ["Outbound", "nowhere", "group_1", "Failed", "Image", ""]);
    assert_eq!(run(&["delete", id]), format!("{id} deleted\n"));
    let gone = home.fails(1, &[&["get", id], place].concat());
    assert!(gone.contains("there is no message"), "{gone}");
}

#[test]
fn every_command_works_on_the_store_itself() {
    let home = Home::new();
    works(&home, &[]);
    assert!(has_mode(&home.db(), 0o600));
    assert!(has_mode(home.db().parent().unwrap(), 0o700));
    assert!(home.ok(&["check"]).contains("0 findings"));
}

#[test]
fn every_command_works_through_the_server_on_this_host() {
    let server = TestServer::start();
    works(&server.home, &[]);
    assert!(has_mode(&server.home.db().with_extension("sock"), 0o600));
}

#[test]
fn every_command_works_on_a_server_elsewhere() {
    let server = TestServer::start_with(&["--token", "secret"]);
    let url = server.url("");
    let elsewhere = Home::new();
    works(&elsewhere, &["--server", &url, "--token", "secret"]);
    let refused = elsewhere.fails(1, &["list", "--server", &url]);
    assert!(refused.contains("token"), "{refused}");
    assert!(!elsewhere.db().exists());
    assert!(!server.log().contains("secret"));
}

#[test]
fn content_comes_from_standard_input_too() {
    let home = Home::new();
    for arguments in
        [&["send", "-r", "group_1", "--json"][..], &["send", "-r", "group_1", "--json", "-"]]
    {
        let mut child =
            home.command(arguments).stdin(std::process::Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all("two\nlines\n".as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let message: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(message["content"], "two\nlines");
    }
}

#[test]
fn a_batch_tells_what_was_refused_and_why() {
    let home = Home::new();
    let file = home.path("batch.jsonl");
    let lines = "{\"recipient\":\"a\",\"content\":\"1\"}\nnonsense\n\n{\"recipient\":\"a\",\"content\":\"\"}\n";
    std::fs::write(&file, lines).unwrap();
    let batch = format!("--batch={}", file.display());
    let errors = home.fails(1, &["send", &batch]);
    for word in ["1 messages stored, 2 refused", "line 2", "line 4", "content"] {
        assert!(errors.contains(word), "{errors}");
    }
    assert_eq!(home.ok(&["list", "--json"]).lines().count(), 1);
}

#[test]
fn waiting_tells_by_its_exit_code_whether_it_was_sent() {
    let server = TestServer::start_with(&["--loopback"]);
    let sent =
        server.home.ok(&["send", "-p", "loopback", "-r", "group_1", "--wait=30", "--json", "x"]);
    assert_eq!(serde_json::from_str::<Value>(&sent).unwrap()["status"], "Sent");
    let alone = Home::new();
    let errors = alone.fails(1, &["send", "-r", "group_1", "--wait=1", "x"]);
    assert!(errors.contains("no server runs"), "{errors}");
}

#[test]
fn a_reader_that_goes_early_is_no_error() {
    let home = Home::new();
    let file = home.path("many.jsonl");
    let line = format!("{{\"recipient\":\"a\",\"content\":\"{}\"}}\n", "x".repeat(400));
    std::fs::write(&file, line.repeat(400)).unwrap();
    home.ok(&["send", &format!("--batch={}", file.display())]);
    let mut child = home.command(&["list", "--limit", "400"]).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn what_others_wrote_cannot_reach_the_terminal_raw() {
    let home = Home::new();
    home.ok(&["send", "-r", "group_1", "\u{1b}]0;owned\u{7}\ttab\nline"]);
    let shown = home.ok(&["list"]);
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{7}'));
    assert!(shown.contains("\\u{1b}]0;owned\\u{7}\\ttab\\nline"), "{shown}");
}

#[test]
fn wrong_usage_ends_with_2_and_failures_with_1() {
    let home = Home::new();
    home.fails(2, &["dance"]);
    home.fails(2, &["send", "x"]);
    home.fails(2, &["send", "-r", "group_1", ""]);
    home.fails(2, &["list", "--status", "happy"]);
    home.fails(2, &["list", "--server", "ftp://x"]);
    let errors = home.fails(1, &["list"]);
    assert!(errors.contains("there is no store at"), "{errors}");
    let errors = home.fails(2, &["serve", "--listen", "0.0.0.0:0"]);
    assert!(errors.contains("--token"), "{errors}");
}

#[test]
fn wrong_use_is_told_with_its_place_and_what_to_do() {
    let mut server = TestServer::start();
    let home = server.home.clone();
    let path = |name: &str| home.path(name).display().to_string();
    let [folder, nowhere, half, tls] = ["", "no/x", "half.toml", "tls.toml"].map(path);
    std::fs::write(&half, "listen = \"127.0.0.1:").unwrap();
    std::fs::write(&tls, "[tls]\ncertificate = '/no/c'\nkey = '/no/k'\n").unwrap();
    let taken = server.address.clone();
    let other = path("other.redb");
    let cases: [(i32, &[&str], [&str; 2]); 10] = [
        (2, &["get", "x"], ["'x'", "`rechat list`"]),
        (2, &["retry", "x"], ["'x'", "`rechat list`"]),
        (1, &["get", "6f0a0c1e-8f5c-4c8e-9a54-7b1e43a8a5b0"], ["6f0a0c1e", "`rechat list`"]),
        (1, &["export", &folder], [&folder, "is a folder"]),
        (1, &["backup", "--force", &folder], [&folder, "is a folder"]),
        (1, &["backup", &nowhere], ["there is no folder", "make it first"]),
        (1, &["import", &folder], [&folder, "cannot be read"]),
        (1, &["check"], ["a server has", "rechat backup"]),
        (1, &["stats", "--config", &half], ["half.toml, line 1", "--print-config"]),
        (1, &["serve", "--db", &other, "--listen", &taken], [&taken, "another program"]),
    ];
    for (code, arguments, words) in cases {
        let errors = home.fails(code, arguments);
        assert!(words.iter().all(|word| errors.contains(word)), "{arguments:?}: {errors}");
    }
    server.stop();
    let errors = home.fails(1, &["serve", "--config", &tls, "--listen", "127.0.0.1:0"]);
    assert!(errors.contains("/no/c") && !errors.contains("serving"), "{errors}");
    let errors = home.fails(1, &["compact", "--db", &nowhere]);
    assert!(errors.contains("there is no store at") && errors.contains("--db"), "{errors}");
}

#[test]
fn files_that_are_not_ours_stay_as_they_are() {
    let home = Home::new();
    let file = home.path("letter.txt");
    std::fs::write(&file, "Dear reader, this is no database at all.").unwrap();
    let db = file.to_str().unwrap();
    let errors = home.fails(1, &["send", "--db", db, "-r", "group_1", "x"]);
    assert!(errors.contains("no rechat store"), "{errors}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "Dear reader, this is no database at all.");
    let other = home.path("other.redb");
    let table: redb::TableDefinition<u64, u64> = redb::TableDefinition::new("theirs");
    let database = redb::Database::create(&other).unwrap();
    let txn = database.begin_write().unwrap();
    txn.open_table(table).unwrap().insert(1, 2).unwrap();
    txn.commit().unwrap();
    let errors = home.fails(1, &["list", "--db", other.to_str().unwrap()]);
    assert!(errors.contains("in use by another process"), "{errors}");
    drop(database);
    let before = std::fs::read(&other).unwrap();
    let errors =
        home.fails(1, &["serve", "--listen", "127.0.0.1:0", "--db", other.to_str().unwrap()]);
    assert!(errors.contains("belongs to another program"), "{errors}");
    assert!(std::fs::read(&other).unwrap() == before);
}

#[test]
fn two_servers_on_one_store_are_refused_and_a_stale_socket_is_not_in_the_way() {
    let mut server = TestServer::start();
    let errors = server.home.fails(1, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(errors.contains("already runs"), "{errors}");
    server.kill();
    assert!(server.home.db().with_extension("sock").exists());
    server.start_again();
    assert_eq!(server.home.ok(&["stats"]).lines().count(), 6);
    assert_eq!(server.stop(), Some(0));
    assert!(!server.home.db().with_extension("sock").exists());
}
