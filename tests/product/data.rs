//! Data in and out: export, import, backup, compact, retention.

use crate::server::{Home, TestServer, agent, eventually};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::sync::Arc;

fn messages(server: &TestServer) -> Vec<Value> {
    let (_, page) = server.get("/api/messages?limit=200");
    page["messages"].as_array().unwrap().clone()
}

/// A server with messages of every kind, and their IDs.
fn filled() -> (TestServer, Vec<String>) {
    let server = TestServer::start_with(&["--loopback"]);
    let mut ids: Vec<_> =
        (0..20).map(|i| server.make_for(Some("qq"), "group_1", &format!("m{i} 你好\n"))).collect();
    ids.push(server.make_for(Some("loopback"), "group_2", "goes out"));
    server.until(&ids[20], "Sent");
    server.ask("PATCH", &format!("/api/messages/{}", ids[3]), Some(&json!({"status": "Failed"})));
    server.ask("DELETE", &format!("/api/messages/{}", ids[4]), None);
    (server, ids)
}

#[test]
fn what_is_exported_is_imported_elsewhere_without_doubles() {
    let (server, ids) = filled();
    let file = server.home.path("all.jsonl");
    let path = file.to_str().unwrap();
    server.home.ok(&["export", path]);
    std::fs::write(&file, "another file of this name").unwrap();
    let refused = server.home.fails(1, &["export", path]);
    assert!(refused.contains("is there already") && refused.contains("--force"), "{refused}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "another file of this name");
    server.home.ok(&["export", "--force", path]);
    let lines = std::fs::read_to_string(&file).unwrap();
    assert_eq!(lines.lines().count(), 20);
    assert_eq!(server.home.ok(&["export"]), lines, "the same to standard output");
    let failed = server.home.ok(&["export", "--status", "failed"]);
    assert!(failed.lines().count() == 1 && failed.contains(&ids[3]), "{failed}");

    let other = TestServer::start();
    other.home.ok(&["import", path]);
    assert_eq!(messages(&other), messages(&server), "all fields, and the order");
    let again = other.home.run(&["import", path]);
    let told = String::from_utf8(again.stderr).unwrap();
    assert!(told.contains("0 messages imported, 20 known"), "{told}");
    let one = format!("/api/messages/{}", ids[7]);
    assert_eq!(other.get(&one), server.get(&one));
    assert_eq!(other.ask("DELETE", &one, None).0, 200);
    assert_eq!(other.get(&one).0, 404);
    let mine = other.make("group_9", "its own IDs go on");
    assert_eq!(other.get(&format!("/api/messages/{mine}")).0, 200);
    let home = other.home.clone();
    drop(other);
    home.ok(&["check"]);
    assert_eq!(home.ok(&["export"]).lines().count(), 20, "without a server too");
}

#[test]
fn a_message_that_was_deleted_comes_back_to_its_own_place() {
    let (server, ids) = filled();
    let before = messages(&server);
    let lines = server.home.ok(&["export"]);
    let file = server.home.path("all.jsonl");
    std::fs::write(&file, lines).unwrap();
    for id in &ids[5..10] {
        server.ask("DELETE", &format!("/api/messages/{id}"), None);
    }
    server.home.ok(&["import", file.to_str().unwrap()]);
    assert_eq!(messages(&server), before);
}

#[test]
fn what_changed_since_the_export_is_known_and_what_comes_back_is_told() {
    let server = TestServer::start();
    let make = |text: &str| server.make_for(Some("qq"), "group_1", text);
    let (edited, deleted) = (make("before"), make("comes back"));
    let file = server.home.path("all.jsonl");
    std::fs::write(&file, server.home.ok(&["export"])).unwrap();
    server.home.ok(&["edit", &edited, "after"]);
    assert_eq!(server.ask("DELETE", &format!("/api/messages/{deleted}"), None).0, 200);
    let request = agent().get(server.url("/api/stream?events=message_updated"));
    let stream = request.header("accept", "application/x-ndjson").call().unwrap();
    let mut lines = BufReader::new(stream.into_body().into_reader());
    let told = server.home.run(&["import", file.to_str().unwrap()]);
    let told = String::from_utf8(told.stderr).unwrap();
    assert!(told.contains("1 messages imported, 1 known"), "{told}");
    assert_eq!(messages(&server).len(), 2);
    assert_eq!(server.get(&format!("/api/messages/{edited}")).1["content"], "after");
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    let event: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&event["type"], &event["data"]["id"]),
        (&json!("message_updated"), &json!(deleted))
    );
}

#[test]
fn a_line_that_does_not_fit_is_named_and_the_rest_can_follow() {
    let server = TestServer::start();
    let (other, _) = filled();
    let lines = other.home.ok(&["export"]);
    let file = server.home.path("bad.jsonl");
    let mut bad: Vec<&str> = lines.lines().collect();
    bad.insert(12, "{\"id\": 5}");
    std::fs::write(&file, bad.join("\n")).unwrap();
    let error = server.home.fails(1, &["import", file.to_str().unwrap()]);
    assert!(error.contains("line 13") && error.contains("12 messages imported"), "{error}");
    std::fs::write(&file, lines).unwrap();
    server.home.ok(&["import", file.to_str().unwrap()]);
    assert_eq!(messages(&server), messages(&other));
}

#[test]
fn a_list_where_an_object_belongs_is_refused_with_its_line() {
    let (server, _) = filled();
    let mut record = messages(&server).remove(0);
    record["sender"] = json!({"id": "1", "name": "Ann"});
    record["reply_to"] = json!({"content": "hi", "sender": null});
    record["reactions"] = json!([{"emoji": "👍", "count": 1}]);
    let lists = [
        ("sender", json!(["1", "Ann"])),
        ("reply_to", json!([null, null, "hi"])),
        ("reply_to", json!({"sender": ["1", "Ann"]})),
        ("recalled_by", json!(["1", "Ann"])),
        ("reactions", json!([["👍", 1]])),
    ];
    let file = server.home.path("list.jsonl");
    for (field, list) in lists {
        let mut wrong = record.clone();
        wrong[field] = list;
        std::fs::write(&file, format!("{record}\n{wrong}\n")).unwrap();
        let error = server.home.fails(1, &["import", file.to_str().unwrap()]);
        let words = "list.jsonl, line 2: invalid type: list, expected an object";
        assert!(error.contains(words), "{field}: {error}");
    }
}

#[test]
fn segments_are_imported_as_a_list_or_as_a_single_one_and_otherwise_refused() {
    let (server, _) = filled();
    let mut record = messages(&server).remove(0);
    let file = server.home.path("segments.jsonl");
    let mut write = |segments: Value| {
        record["id"] = json!(uuid::Uuid::new_v4());
        record["segments"] = segments;
        std::fs::write(&file, format!("{record}\n")).unwrap();
        format!("/api/messages/{}", record["id"].as_str().unwrap())
    };
    let image = json!({"type": "image", "name": "a.png"});
    for segments in [image.clone(), json!([image])] {
        let path = write(segments.clone());
        server.home.ok(&["import", file.to_str().unwrap()]);
        assert_eq!(server.get(&path).1["segments"], json!([image]), "{segments}");
    }
    let path = write(json!([{"type": "hologram", "name": "of a newer program"}]));
    server.home.ok(&["import", file.to_str().unwrap()]);
    assert_eq!(server.get(&path).1["segments"], Value::Null);
    for wrong in [json!({"text": "x"}), json!([["image", "a.png"]]), json!("x"), json!(7)] {
        let path = write(wrong.clone());
        let error = server.home.fails(1, &["import", file.to_str().unwrap()]);
        let words = "line 1: `segments` must be a list of objects, each with a `type`";
        assert!(error.contains(words), "{wrong}: {error}");
        assert_eq!(server.get(&path).0, 404, "{wrong}");
    }
}

#[test]
fn what_came_in_is_no_double_after_an_import() {
    let server = TestServer::start();
    let line = json!({"id": "15064e92-fea3-4c98-9718-40bc890d5323", "message_type": "Text",
        "content": "hello", "recipient": "group_77", "status": "Sent", "created_at": 1_700_000_000,
        "updated_at": 1_700_000_000, "retry_count": 0, "platform": "qq", "account": "1",
        "direction": "Inbound", "sender": {"id": "4242", "name": "Card"}, "external_id": "5"});
    let file = server.home.path("one.jsonl");
    std::fs::write(&file, line.to_string()).unwrap();
    server.home.ok(&["import", file.to_str().unwrap()]);
    let (_, stats) = server.get("/api/stats");
    assert_eq!((&stats["sent"], &stats["total"]), (&json!(1), &json!(1)));
    let again = server.home.ok(&["export"]);
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(again, line);
}

#[test]
fn a_backup_is_made_while_the_server_is_written_to_and_is_a_store() {
    let server = Arc::new(TestServer::start());
    for i in 0..50 {
        server.make("group_1", &i.to_string());
    }
    let writing = {
        let server = server.clone();
        std::thread::spawn(move || {
            (0..100).for_each(|i| drop(server.make("group_2", &format!("{i}"))))
        })
    };
    let file = server.home.path("copy.redb");
    let path = file.to_str().unwrap();
    server.home.ok(&["backup", path]);
    writing.join().unwrap();
    let error = server.home.fails(1, &["backup", path]);
    assert!(error.contains("--force"), "{error}");
    server.home.ok(&["check", "--db", path]);
    let listed = server.home.ok(&["list", "--db", path, "--json", "--limit", "200"]);
    assert!(listed.lines().count() >= 50);
    assert!(!server.home.path("copy.redb.part").exists());
    let total = listed.lines().count();
    server.home.ok(&["send", "--db", path, "-r", "group_3", "it goes on"]);
    let after = server.home.ok(&["list", "--db", path, "--json", "--limit", "200"]);
    assert_eq!(after.lines().count(), total + 1);
    server.home.ok(&["backup", "--force", path]);
}

#[test]
fn no_copy_takes_the_place_of_the_store() {
    let mut server = TestServer::start();
    let id = server.make("group_1", "stays");
    let db = server.home.db();
    let path = db.to_str().unwrap();
    let refused = server.home.fails(1, &["export", "--force", path]);
    assert!(refused.contains("is a store"), "{refused}");
    let refused = server.home.fails(1, &["backup", "--force", path]);
    assert!(refused.contains("in use"), "{refused}");
    server.stop();
    let refused = server.home.fails(1, &["backup", "--db", path, "--force", path]);
    assert!(refused.contains("in use"), "{refused}");
    assert!(server.home.ok(&["get", &id]).contains("stays"));
}

#[test]
fn nothing_is_acknowledged_into_a_file_that_was_removed_or_replaced() {
    let server = TestServer::start();
    let copy = server.home.path("copy.redb");
    let before = server.make("group_1", "in the backup");
    server.home.ok(&["backup", copy.to_str().unwrap()]);
    // Not looked for below: the log has it until the tables are durable, and it goes on from the copy.
    server.make("group_1", "after the backup");
    let db = server.home.db();
    std::fs::remove_file(&db).unwrap();
    let message = json!({"message_type": "Text", "content": "x", "recipient": "group_1"});
    let (code, refused) = server.post(&message);
    assert_eq!(code, 500, "{refused}");
    assert!(refused["error"].as_str().unwrap().contains("has vanished"), "{refused}");
    assert_eq!(server.get("/api/health").1["status"], "degraded");
    std::fs::rename(&copy, &db).unwrap();
    let stored = eventually("the copy is open", || {
        let (code, message) = server.post(&message);
        (code == 201).then(|| message["id"].as_str().unwrap().to_owned())
    });
    // At once in place of the open one, too.
    let again = server.home.path("again.redb");
    server.home.ok(&["backup", again.to_str().unwrap()]);
    std::fs::rename(&again, &db).unwrap();
    let last = server.make("group_1", "after the second copy");
    let home = server.home.clone();
    drop(server);
    for id in [&before, &stored, &last] {
        home.ok(&["get", id]);
    }
}

#[test]
fn compacting_asks_for_the_store_alone() {
    let mut server = TestServer::start();
    let text = "x".repeat(20_000);
    let ids: Vec<_> = (0..100).map(|_| server.make("group_1", &text)).collect();
    for id in &ids[1..] {
        server.ask("DELETE", &format!("/api/messages/{id}"), None);
    }
    assert!(server.home.fails(1, &["compact"]).contains("stop it first"));
    server.stop();
    let size = || server.home.db().metadata().unwrap().len();
    let before = size();
    server.home.ok(&["compact"]);
    assert!(size() < before, "{} bytes before, {} now", before, size());
    server.home.ok(&["check"]);
    assert!(server.home.ok(&["get", &ids[0], "--json"]).contains(&ids[0]));
}

#[test]
fn retention_keeps_the_newest_and_what_waits() {
    let mut server = TestServer::start_with(&["--loopback"]);
    let waits = server.make_for(Some("qq"), "group_1", "waits");
    let ids: Vec<_> =
        (0..300).map(|i| server.make_for(Some("loopback"), "group_1", &i.to_string())).collect();
    server.until(&ids[299], "Sent");
    server.stop();
    server.home.configure("[retention]\nmessages = 10\n");
    server.start_again();
    let left = eventually("the old ones are deleted", || {
        let left = messages(&server);
        (left.len() <= 10).then_some(left)
    });
    assert_eq!(left[0]["content"], "299");
    assert_eq!(left[8]["content"], "291");
    assert_eq!(left[9]["id"], json!(waits), "what waits is not deleted");
    let server = {
        drop(server);
        let home = Arc::new(Home::new());
        home.configure("[retention]\ndays = 1\n");
        TestServer::start_in(home, &[])
    };
    server.make("group_1", "young");
    assert_eq!(messages(&server).len(), 1);
}
