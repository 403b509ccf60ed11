//! Damaged rows of the store: commands that need them are refused with an error, and everything
//! else works.

use crate::onebot::Peer;
use crate::onebot11::{group_message, headers, willing};
use crate::server::{TestServer, eventually};
use serde_json::{Value, json};
use std::os::unix::fs::FileExt;
use std::path::Path;

async fn dial(server: &TestServer) -> Peer {
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    Peer::dial(&url, &headers("1", "Universal"), willing()).await.unwrap()
}

/// Flips a bit of a text in a file, at each place.
fn damage(file: &Path, text: &str) {
    let mut bytes = std::fs::read(file).unwrap();
    let places: Vec<_> =
        (0..bytes.len()).filter(|at| bytes[*at..].starts_with(text.as_bytes())).collect();
    assert!(!places.is_empty(), "{text} is not in the file");
    for at in places {
        bytes[at] ^= 1;
    }
    std::fs::write(file, bytes).unwrap();
}

fn reason(server: &TestServer) -> Option<String> {
    let (status, health) = server.get("/api/health");
    assert_eq!(status, 200, "it is about the server, not about the store");
    assert_eq!(health["status"] == "degraded", health["reason"].is_string(), "{health}");
    health["reason"].as_str().map(str::to_owned)
}

fn sent(server: &TestServer) -> Value {
    server.get("/api/stats").1["sent"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_conversation_stops_nobody_else_and_what_comes_in_for_it_is_quarantined() {
    let mut server = TestServer::start();
    let peer = dial(&server).await;
    let mut named = group_message(1, 77, 1, "before");
    named["group_name"] = "A name to damage".into();
    peer.push(&named);
    peer.push(&group_message(1, 88, 2, "of the others"));
    eventually("both are stored", || (sent(&server) == 2).then_some(()));
    assert_eq!(reason(&server), None);
    server.stop();
    damage(&server.home.db(), "A name to damage");
    server.start_again();

    let peer = dial(&server).await;
    peer.push(&group_message(1, 77, 3, "for the damaged one"));
    peer.push(&group_message(1, 88, 4, "for the other one"));
    eventually("it is told", || reason(&server).filter(|told| told.contains("1 received events")));
    eventually("the other one goes on", || (sent(&server) == 3).then_some(()));
    server.until(&server.make_for(Some("qq"), "group_88", "goes out"), "Sent");
    let told = server.home.fails(1, &["doctor"]);
    assert!(told.contains("problem(s) found"), "{told}");
    let told = String::from_utf8(server.home.run(&["doctor"]).stdout).unwrap();
    assert!(told.contains("quarantined") && told.contains("qq/group_77"), "{told}");
    let look = |arguments: &[&str]| {
        let output = server.home.run(arguments);
        let told = format!(
            "{}{}",
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap()
        );
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("for the damaged one") && !told.contains("is sound"), "{told}");
        told
    };
    assert!(look(&["check"]).contains("rechat check --retry"), "beside the server");
    assert!(look(&["check", "--retry"]).contains("0 of 1 events"), "by the server");
    let (status, listed) = server.get("/api/quarantine");
    assert_eq!((status, &listed["total"]), (200, &json!(1)), "{listed}");
    assert_eq!(listed["events"][0]["content"], "for the damaged one");

    drop(peer);
    server.stop();
    let told = String::from_utf8(server.home.run(&["doctor"]).stdout).unwrap();
    assert!(told.contains("1 received events could not be stored and are quarantined"), "{told}");
    let told = String::from_utf8(server.home.run(&["check"]).stdout).unwrap();
    assert!(told.contains("for the damaged one"), "{told}");
    server.start_again();
    eventually("told at each start", || {
        reason(&server).filter(|told| told.contains("1 received events"))
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recall_that_cannot_be_stored_is_quarantined_like_a_message() {
    let mut server = TestServer::start();
    let peer = dial(&server).await;
    peer.push(&group_message(1, 77, 41, "a text to damage"));
    peer.push(&group_message(1, 77, 42, "whole"));
    eventually("they are stored", || (sent(&server) == 2).then_some(()));
    server.stop();
    damage(&server.home.db(), "a text to damage");
    server.start_again();
    let peer = dial(&server).await;
    let recall = |message: i64| {
        json!({
            "time": 1_700_000_000, "self_id": 1, "post_type": "notice",
            "notice_type": "group_recall", "group_id": 77, "user_id": 2, "operator_id": 2,
            "message_id": message,
        })
    };
    peer.push(&recall(41));
    peer.push(&recall(42));
    eventually("it is told", || reason(&server).filter(|told| told.contains("1 received events")));
    eventually("the next one goes on", || {
        let (_, page) = server.get("/api/messages?limit=1");
        page["messages"][0]["recalled_at"].is_u64().then_some(())
    });
    let (status, listed) = server.get("/api/quarantine");
    assert_eq!((status, &listed["total"]), (200, &json!(1)), "{listed}");
    let event = &listed["events"][0];
    assert_eq!((&event["kind"], &event["conversation"]), (&json!("recall"), &json!("group_77")));
    assert!(event["reason"].as_str().is_some_and(|why| why.contains("damaged")), "{event}");
    for arguments in [&["check"][..], &["check", "--retry"]] {
        let output = server.home.run(arguments);
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("(recall)") && told.contains("group_77"), "{told}");
    }
    let told = String::from_utf8(server.home.run(&["doctor"]).stdout).unwrap();
    assert!(told.contains("quarantined"), "{told}");
    let metrics = server.get("/metrics").1.to_string();
    assert!(metrics.contains("rechat_events_quarantined_total 1"), "{metrics}");
    assert!(metrics.contains("rechat_events_refused_total 0"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_waits_and_is_damaged_holds_no_other_up() {
    let mut server = TestServer::start();
    for content in ["a text to damage", "second", "third"] {
        server.make_for(Some("qq"), "group_5", content);
    }
    server.stop();
    damage(&server.home.db(), "a text to damage");
    server.start_again();
    let peer = dial(&server).await;
    eventually("the others go out", || (sent(&server) == 2).then_some(()));
    let told = reason(&server).expect("it is told");
    assert!(told.contains("message 1 is damaged"), "{told}");
    drop(peer);
}

/// Bytes of a page of the store's file.
const PAGE: usize = 4096;

/// Fills a page of a file with zeros, as a disk does that loses data.
fn forget(file: &Path, page: usize) {
    let file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    file.write_all_at(&[0; PAGE], (page * PAGE) as u64).unwrap();
}

#[test]
fn whichever_page_of_the_store_is_lost_a_message_that_was_taken_is_sent_or_it_is_told() {
    const ROUNDS: usize = 16;
    let mut server = TestServer::start_with(&["--loopback"]);
    for i in 0..200 {
        server.make_for(Some("loopback"), &format!("group_{}", i % 9), &format!("message {i}"));
    }
    eventually("all are sent", || (sent(&server) == 200).then_some(()));
    server.stop();
    let whole = std::fs::read(server.home.db()).unwrap();
    let used = whole.chunks_exact(PAGE).enumerate().skip(1);
    let used: Vec<_> =
        used.filter(|(_, page)| page.iter().any(|byte| *byte != 0)).map(|(at, _)| at).collect();
    for page in used.iter().step_by(used.len().div_ceil(ROUNDS)) {
        std::fs::write(server.home.db(), &whole).unwrap();
        server.start_again();
        forget(&server.home.db(), *page);
        let new = json!({"message_type": "Text", "content": "new", "recipient": "group_1", "platform": "loopback"});
        let made = server.try_ask("POST", "/api/messages", Some(&new)).ok();
        let id =
            made.filter(|(status, _)| *status == 201).map(|(_, message)| message["id"].clone());
        let what = format!("page {page}: it is sent, or the fault is told");
        eventually(&what, || {
            let Ok((_, health)) = server.try_ask("GET", "/api/health", None) else {
                return Some(());
            };
            let is_told = health["status"] == "degraded";
            let Some(id) = id.as_ref().and_then(Value::as_str) else {
                return is_told.then_some(());
            };
            let (status, message) = server.get(&format!("/api/messages/{id}"));
            (is_told || (status == 200 && message["status"] == "Sent")).then_some(())
        });
        server.kill();
        let _ = std::fs::remove_file(server.home.path("rechat.redb-wal"));
    }
}

#[test]
fn a_repair_keeps_what_can_be_read_tells_what_is_lost_and_keeps_the_damaged_file() {
    let mut server = TestServer::start();
    // Of a length that few fit into a page.
    let text = |i: usize| format!("needle {i:03} {}", "x".repeat(700));
    for i in 0..100 {
        server.make_for(Some("nowhere"), &format!("group_{}", i % 5), &text(i));
    }
    let told = server.home.fails(2, &["check", "--repair"]);
    assert!(told.contains("stop it first"), "{told}");
    server.stop();
    let db = server.home.db();
    let pages = |bytes: &[u8]| -> Vec<usize> {
        let has = |page: &[u8]| page.windows(10).any(|found| found == b"needle 050");
        bytes.chunks(PAGE).enumerate().filter(|(_, page)| has(page)).map(|(at, _)| at).collect()
    };
    for page in pages(&std::fs::read(&db).unwrap()) {
        forget(&db, page);
    }
    let damaged = std::fs::read(&db).unwrap();

    let told = server.home.fails(1, &["check"]);
    assert!(told.contains("rechat check --repair"), "{told}");
    assert_eq!(std::fs::read(&db).unwrap(), damaged, "a check alone changes nothing");
    let output = server.home.run(&["check", "--repair"]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "something is lost: {told}");
    assert!(told.contains("lost: messages: ") && told.contains("made anew, with "), "{told}");
    let folder = std::fs::read_dir(db.parent().unwrap()).unwrap().flatten();
    let kept: Vec<_> = folder
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().contains("rechat.redb.damaged."))
        .collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(std::fs::read(&kept[0]).unwrap().starts_with(&damaged[..PAGE]), "it is the old file");
    assert!(told.contains(&kept[0].display().to_string()), "{told}");
    std::fs::remove_file(&kept[0]).unwrap();
    let told = server.home.ok(&["check"]);
    assert!(told.contains("the store is sound"), "{told}");

    server.start_again();
    let (_, page) = server.get("/api/messages?limit=200");
    let there: Vec<_> = page["messages"].as_array().unwrap().iter().collect();
    assert!((80..100).contains(&there.len()), "{}", there.len());
    let has = |i: usize| there.iter().any(|message| message["content"] == text(i).as_str());
    assert!(!has(50) && has(0) && has(99));
    server.make_for(Some("nowhere"), "group_1", "goes on");
}

#[test]
fn an_export_has_every_message_that_can_be_read_and_says_that_it_is_not_whole() {
    let mut server = TestServer::start();
    for content in ["first", "a text to damage", "third"] {
        server.make_for(Some("qq"), "group_5", content);
    }
    server.stop();
    damage(&server.home.db(), "a text to damage");
    let exported = |server: &TestServer| {
        let output = server.home.run(&["export"]);
        let (lines, told) = (String::from_utf8(output.stdout), String::from_utf8(output.stderr));
        let (lines, told) = (lines.unwrap(), told.unwrap());
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(lines.contains("first") && lines.contains("third"), "{lines}");
        assert_eq!(lines.lines().count(), 2, "{lines}");
        told
    };
    let told = exported(&server);
    assert!(told.contains("message 2 is damaged"), "{told}");
    server.start_again();
    let told = exported(&server);
    assert!(told.contains("ended too early"), "{told}");
    server.tells("an export ended early: the record of message 2 is damaged");
}

/// Makes messages and kills the server while its log has them; the log, and the same with a flipped bit
/// before messages that are whole.
fn killed_with_log(server: &mut TestServer) -> (Vec<u8>, Vec<u8>) {
    let log = server.home.path("data/rechat/rechat.redb-wal");
    loop {
        for i in 0..40 {
            server.make_for(Some("nowhere"), "group_1", &format!("message number {i}"));
        }
        server.kill();
        let whole = std::fs::read(&log).unwrap();
        let find = |text: &[u8]| whole.windows(text.len()).position(|window| window == text);
        if let (Some(at), Some(_)) = (find(b"message number 20"), find(b"message number 39")) {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            return (whole, damaged);
        }
        // Whenever nothing came for a while the tables were made durable, and the log began anew.
        server.start_again();
    }
}

#[test]
fn a_check_names_a_damaged_log_and_it_is_kept() {
    let mut server = TestServer::start();
    let (_, damaged) = killed_with_log(&mut server);
    std::fs::write(server.home.path("data/rechat/rechat.redb-wal"), damaged).unwrap();
    let told = String::from_utf8(server.home.run(&["check"]).stdout).unwrap();
    assert!(told.contains("the write-ahead log: "), "{told}");
    assert!(!told.contains("the store is sound"), "{told}");
    let folder = std::fs::read_dir(server.home.path("data/rechat")).unwrap().flatten();
    let kept = folder.filter(|entry| entry.file_name().to_string_lossy().contains("-wal.damaged."));
    assert_eq!(kept.count(), 1);
}

#[test]
fn whoever_meets_a_damaged_log_tells_it_and_it_stays_told_until_somebody_has_looked() {
    let mut server = TestServer::start();
    let db = server.home.db();
    let log = server.home.path("data/rechat/rechat.redb-wal");
    let (whole, bytes) = killed_with_log(&mut server);
    let tables = std::fs::read(&db).unwrap();
    let restore = |log_bytes: Option<&[u8]>| {
        std::fs::write(&db, &tables).unwrap();
        match log_bytes {
            Some(bytes) => std::fs::write(&log, bytes).unwrap(),
            None => std::fs::remove_file(&log).unwrap(),
        }
    };
    let kept = || -> Vec<_> {
        let folder = std::fs::read_dir(db.parent().unwrap()).unwrap().flatten();
        let paths = folder.map(|entry| entry.path());
        paths.filter(|path| path.to_string_lossy().contains("redb-wal.")).collect()
    };
    for (left, name) in [(Some(&bytes[..]), "damaged"), (None, "missing")] {
        restore(left);
        let listed = server.home.run(&["list", "--limit", "200"]);
        let told = String::from_utf8(listed.stderr).unwrap();
        assert!(told.contains("write-ahead log") && told.contains(name), "{told}");
        assert!(listed.status.success(), "what is there is listed");
        let told = String::from_utf8(server.home.run(&["list"]).stderr).unwrap();
        assert!(!told.contains("write-ahead log"), "told by the one who met it: {told}");
        for command in ["check", "doctor"] {
            let output = server.home.run(&[command]);
            let told = String::from_utf8(output.stdout).unwrap();
            assert_eq!(output.status.code(), Some(1), "{command}: {told}");
            assert!(told.contains(&format!("redb-wal.{name}.")), "{command}: {told}");
        }
        server.start_again();
        let told = eventually("the server tells it", || reason(&server));
        assert!(told.contains(&format!("redb-wal.{name}.")), "{told}");
        server.stop();
        for path in kept() {
            std::fs::remove_file(path).unwrap();
        }
        server.home.ok(&["check"]);
        server.start_again();
        assert_eq!(reason(&server), None);
        server.kill();
        let _ = std::fs::remove_file(&log);
        std::fs::write(&log, &whole).unwrap();
    }
}

#[test]
fn a_damaged_list_of_platforms_refuses_no_message_and_is_told() {
    let mut server = TestServer::start_with(&["--loopback"]);
    server.until(&server.make_for(Some("loopback"), "group_1", "x"), "Sent");
    server.stop();
    let database = redb::Database::open(server.home.db()).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let meta = redb::TableDefinition::<&str, &[u8]>::new("meta");
        let mut meta = transaction.open_table(meta).unwrap();
        meta.insert("seen platforms", &b"\x03damaged"[..]).unwrap();
    }
    transaction.commit().unwrap();
    drop(database);
    let told = String::from_utf8(server.home.run(&["check"]).stdout).unwrap();
    assert!(told.contains("platforms that were connected"), "{told}");
    server.start_again();
    server.make("group_1", "without a platform");
    eventually("it is told", || reason(&server).filter(|told| told.contains("platforms")));
    let log = server.log();
    assert_eq!(log.matches("list of platforms").count(), 1, "once: {log}");
}
