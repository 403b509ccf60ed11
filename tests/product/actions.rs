//! `edit`, `recall`, `react`, `requests` and `watch`.

use crate::onebot::Peer;
use crate::onebot11::{group_message, headers, willing};
use crate::server::{Home, TestServer, eventually};
use crate::stream::following::start_without_events_after;
use serde_json::{Value, json};
use std::process::Child;

#[test]
fn a_message_is_edited_reacted_to_and_taken_back() {
    let server = TestServer::start_with(&["--loopback"]);
    let home = &server.home;
    let id = server.make_for(Some("loopback"), "group_1", "typo");
    server.until(&id, "Sent");
    let short = &id[..8];
    assert_eq!(home.ok(&["edit", short, "no", "typo"]), format!("{id} edited\n"));
    assert_eq!(home.ok(&["react", short, "👍"]), format!("{id} reacted\n"));
    let shown = home.ok(&["show", short]);
    assert!(shown.contains("no typo") && shown.contains("👍 1 (mine)"), "{shown}");
    assert!(shown.contains("edited  "), "{shown}");
    assert_eq!(home.ok(&["react", short, "👍", "--remove"]), format!("{id} reaction taken back\n"));
    assert_eq!(home.ok(&["recall", short]), format!("{id} recalled\n"));
    assert!(home.ok(&["list", "--format", "table"]).contains("recalled no typo"));
    let segments = r#"[{"type": "mention_all"}, {"type": "text", "text": "second"}]"#;
    let waits = server.make_for(Some("qq"), "group_1", "first");
    let edited = home.ok(&["edit", &waits[..8], "--segments", segments, "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&edited).unwrap()["content"], "@all second");
    let errors = home.fails(1, &["recall", &waits[..8]]);
    assert!(errors.contains("not"), "{errors}");
    home.fails(2, &["edit", short]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_fails_says_what_helps() {
    let server = TestServer::start();
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let peer = Peer::dial(&url, &headers("1", "Universal"), willing()).await.unwrap();
    let id = server.make_for(Some("qq"), "group_1", "hello");
    server.until(&id, "Sent");
    let edited = server.home.fails(1, &["edit", &id[..8], "y"]);
    assert!(edited.contains("the platform cannot do this"), "{edited}");
    assert!(edited.contains("qq cannot do this with this message; recall it with"), "{edited}");
    peer.push(&group_message(1, 1, 77, "theirs"));
    let theirs = eventually("it came in", || {
        let (_, page) = server.get("/api/messages?direction=Inbound");
        page["messages"][0]["id"].as_str().map(str::to_owned)
    });
    let edited = server.home.fails(1, &["edit", &theirs, "mine now"]);
    assert!(edited.contains("only your own can be edited"), "{edited}");
    assert!(edited.contains("rechat reply") && !edited.contains("recall"), "{edited}");
    for command in ["retry", "cancel"] {
        let refused = server.home.fails(1, &[command, &theirs]);
        assert!(refused.contains("was received; it cannot be sent or canceled"), "{refused}");
    }
    peer.drop_connection();
    eventually("it is away", || {
        let (_, told) = server.get("/api/platforms");
        (told["platforms"][0]["state"] == "Disconnected").then_some(())
    });
    let recalled = server.home.fails(1, &["recall", &id[..8]]);
    assert!(recalled.contains("`rechat platforms` shows why qq is not connected"), "{recalled}");
}

#[test]
fn what_needs_a_server_says_so() {
    let home = Home::new();
    let sent = home.ok(&["send", "-p", "qq", "-r", "group_1", "x"]);
    let id = &sent[..8];
    assert_eq!(home.ok(&["edit", id, "y"])[36..], *" edited\n");
    assert!(home.ok(&["show", id]).contains("content       y"));
    home.ok(&["set-status", id, "sent"]);
    for command in [
        &["edit", id, "z"][..],
        &["recall", id],
        &["react", id, "👍"],
        &["requests"],
        &["watch", "--exec", "true"],
    ] {
        let errors = home.fails(1, command);
        assert!(errors.contains("no server runs") && errors.contains("rechat serve"), "{errors}");
    }
}

#[test]
fn requests_are_listed_and_an_unknown_one_is_refused() {
    let server = TestServer::start();
    let home = &server.home;
    assert_eq!(home.ok(&["requests"]), "");
    assert!(home.fails(1, &["requests", "7", "--approve"]).contains("no request 7"));
    assert!(home.fails(2, &["requests", "7"]).contains("--refuse"));
}

/// A running process, which is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_command_runs_for_each_message_and_none_is_missed_meanwhile() {
    let server = TestServer::start();
    let home = &server.home;
    let [cursor_file, told] = ["cursor", "told"].map(|name| home.path(name).display().to_string());
    let command = format!("printf '%s %s\\n' \"$(cat)\" $RECHAT_CONVERSATION >> {told}");
    let watch = || {
        let arguments =
            ["watch", "-c", "group_1", "--cursor-file", &cursor_file, "--exec", &command];
        Running(home.command(&arguments).spawn().unwrap())
    };
    let contents = || {
        let lines = std::fs::read_to_string(&told).unwrap_or_default();
        let content = |line: &str| {
            let (message, conversation) = line.rsplit_once(' ').unwrap();
            assert_eq!(conversation, "group_1");
            serde_json::from_str::<Value>(message).unwrap()["content"].clone()
        };
        // The last one before an end may come again.
        let mut contents: Vec<_> = lines.lines().map(content).collect();
        contents.dedup();
        contents
    };
    let until = |wanted: &[&str]| {
        let wanted: Vec<_> = wanted.iter().map(|text| json!(text)).collect();
        eventually("the command ran for each", || (contents() == wanted).then_some(()));
    };
    server.make_for(Some("qq"), "group_1", "before");
    let running = watch();
    eventually("it knows where it is", || std::fs::metadata(&cursor_file).ok());
    server.make_for(Some("qq"), "group_1", "one");
    server.make_for(Some("qq"), "group_2", "elsewhere");
    until(&["one"]);
    server.make_for(Some("qq"), "group_1", "two");
    until(&["one", "two"]);
    drop(running);
    server.make_for(Some("qq"), "group_1", "three");
    let _running = watch();
    until(&["one", "two", "three"]);
}

#[test]
fn a_command_that_hangs_or_fails_is_told_and_the_next_one_runs() {
    let server = TestServer::start();
    let home = &server.home;
    let cursor_file = home.path("cursor").display().to_string();
    let exec = "case $(cat) in *hang*) sleep 600;; *fail*) exit 3;; *) echo fine;; esac";
    let arguments = ["watch", "--timeout", "1", "--cursor-file", &cursor_file, "--exec", exec];
    let mut running = Running(home.command(&arguments).spawn().unwrap());
    eventually("it knows where it is", || std::fs::metadata(&cursor_file).ok());
    for text in ["hang", "fail", "well"] {
        server.make_for(Some("qq"), "group_1", text);
    }
    let mut line = String::new();
    let mut output = std::io::BufReader::new(running.0.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut output, &mut line).unwrap();
    assert_eq!(line, "fine\n");
    let _ = running.0.kill();
    let mut errors = String::new();
    std::io::Read::read_to_string(&mut running.0.stderr.take().unwrap(), &mut errors).unwrap();
    assert!(
        errors.contains("was killed after 1 s") && errors.contains("exit status: 3"),
        "{errors}"
    );
}

#[test]
fn no_message_is_missed_where_the_events_after_the_cursor_are_no_longer_kept() {
    let mut server = TestServer::start();
    let [cursor_file, told] = ["cursor", "told"].map(|name| server.home.path(name));
    let (cursor_name, told_name) = (cursor_file.display().to_string(), told.display().to_string());
    let exec = format!("echo $RECHAT_ID >> {told_name}");
    let watch = |server: &TestServer| {
        let arguments = ["watch", "-c", "group_1", "--cursor-file", &cursor_name, "--exec", &exec];
        Running(server.home.command(&arguments).spawn().unwrap())
    };
    let until = |wanted: &[&str]| {
        eventually("the command ran for each", || {
            let lines = std::fs::read_to_string(&told).unwrap_or_default();
            let mut ids: Vec<_> = lines.lines().collect();
            ids.dedup();
            (ids == wanted).then_some(())
        });
    };
    let running = watch(&server);
    eventually("it knows where it is", || std::fs::metadata(&cursor_file).ok());
    let first = server.make_for(Some("qq"), "group_1", "first");
    until(&[&first]);
    let cursor = eventually("the cursor is that of an event", || {
        let kept = std::fs::read_to_string(&cursor_file).unwrap();
        let cursor = kept.split_whitespace().next().unwrap().to_owned();
        cursor.contains('-').then_some(cursor)
    });
    drop(running);
    let second = server.make_for(Some("qq"), "group_1", "second");
    (0..5).for_each(|n| drop(server.make_for(Some("qq"), "group_2", &n.to_string())));
    assert_eq!(server.stop(), Some(0));
    start_without_events_after(&mut server, &cursor);
    let mut running = watch(&server);
    until(&[&first, &second]);
    let third = server.make_for(Some("qq"), "group_1", "third");
    until(&[&first, &second, &third]);
    let _ = running.0.kill();
    let mut errors = String::new();
    std::io::Read::read_to_string(&mut running.0.stderr.take().unwrap(), &mut errors).unwrap();
    assert_eq!(errors, "", "nothing is missing, and so there is nothing to tell");
}

/// A power cut used to leave the file empty, and then messages were skipped without an error.
#[test]
fn a_cursor_file_without_a_cursor_is_refused_by_its_name_under_the_old_option_too() {
    let server = TestServer::start();
    let cursor_file = server.home.path("bot.cursor");
    let name = cursor_file.display().to_string();
    for content in ["", "\0\0\0\0", "somewhere"] {
        std::fs::write(&cursor_file, content).unwrap();
        let error = server.home.fails(1, &["watch", "--place", &name, "--exec", "true"]);
        assert!(error.contains("bot.cursor") && error.contains("remove it"), "{error}");
        assert_eq!(std::fs::read_to_string(&cursor_file).unwrap(), content, "it stays as it was");
    }
}

#[test]
fn what_is_on_its_way_or_sent_is_neither_canceled_nor_sent_twice() {
    let server = TestServer::start();
    let home = &server.home;
    let id = server.make_for(Some("qq"), "group_1", "x");
    for (status, command, words) in [
        ("Sending", "cancel", "is being sent"),
        ("Sending", "retry", "is being sent"),
        ("Sent", "cancel", "is sent already"),
        ("Sent", "retry", "is sent already"),
        ("Pending", "retry", "is Pending, not Failed or Canceled"),
    ] {
        home.ok(&["set-status", &id, status]);
        let error = home.fails(1, &[command, &id]);
        assert!(error.contains(words), "{command} of {status}: {error}");
        assert_eq!(server.get(&format!("/api/messages/{id}")).1["status"], status);
    }
    assert!(home.ok(&["cancel", &id]).contains("Canceled"));
    assert!(home.ok(&["retry", &id]).contains("Pending"));
}
