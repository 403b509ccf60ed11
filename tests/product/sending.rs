//! `rechat send` and `rechat reply`: words, files, mentions, segments.

use crate::server::{Home, TestServer};
use serde_json::{Value, json};

/// The message that a command prints.
fn made(home: &Home, arguments: &[&str]) -> Value {
    let json = [&arguments[..1], &["--json"], &arguments[1..]].concat();
    serde_json::from_str(&home.ok(&json)).unwrap()
}

#[test]
fn words_need_no_quotes() {
    let home = Home::new();
    let message = made(&home, &["send", "-r", "group_1", "-p", "qq", "see", "you", "there"]);
    assert_eq!(message["content"], "see you there");
    assert!(message.get("segments").is_none(), "it is one plain text");
    let dashed = made(&home, &["send", "-r", "group_1", "-p", "qq", "--", "-1", "is less"]);
    assert_eq!(dashed["content"], "-1 is less");
}

#[test]
fn files_and_mentions_go_into_one_message() {
    let home = Home::new();
    let png: &[u8] = b"\x89PNG\r\n\x1a\n";
    for (name, bytes) in [("map.png", png), ("plan.pdf", b"%PDF-1.7")] {
        std::fs::write(home.path(name), bytes).unwrap();
    }
    let [map, plan] = ["map.png", "plan.pdf"].map(|name| home.path(name).display().to_string());
    let send = ["send", "-r", "group_1", "-p", "qq"];
    let arguments = ["--file", &map, "--file", &plan, "--mention", "7", "--mention", "all", "look"];
    let message = made(&home, &[&send[..], &arguments].concat());
    let segments = message["segments"].as_array().unwrap();
    let types: Vec<_> = segments.iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["mention", "mention_all", "text", "image", "file"]);
    assert_eq!((&segments[0]["user"], &segments[3]["name"]), (&json!("7"), &json!("map.png")));
    let content = message["content"].as_str().unwrap();
    assert!(content.starts_with("@7 @all look") && !content.contains("base64"), "{content}");
    let alone = made(&home, &[&send[..], &["--file", &plan]].concat());
    assert_eq!((&alone["message_type"], &alone["content"]), (&json!("File"), &json!("plan.pdf")));
    let errors = home.fails(1, &[&send[..], &["--file", "/no/such.png"]].concat());
    assert!(errors.contains("/no/such.png") && errors.contains("--file"), "{errors}");
}

#[test]
fn segments_are_sent_as_they_are_written() {
    let home = Home::new();
    let send =
        |json: &str| ["send", "-r", "group_1", "-p", "qq", "--segments", json].map(str::to_owned);
    let segments = json!([{"type": "text", "text": "in "}, {"type": "location", "latitude": 1.0, "longitude": 2.0}]);
    let arguments = send(&segments.to_string());
    let message = made(&home, &arguments.each_ref().map(String::as_str));
    assert_eq!(message["segments"], segments);
    for wrong in ["[", "[]", r#"[{"type":"mention","user":""}]"#, "{}"] {
        let errors = home.fails(2, &send(wrong).each_ref().map(String::as_str));
        assert!(errors.contains("segments"), "{wrong}: {errors}");
    }
    home.fails(2, &["send", "-r", "group_1", "--segments", "[]", "and text"]);
}

#[test]
fn a_reply_goes_to_the_conversation_of_the_message_it_answers() {
    let answers = |home: &Home| {
        let question = made(home, &["send", "-r", "group_1", "-p", "qq", "who comes?"]);
        let id = question["id"].as_str().unwrap();
        let reply = made(home, &["reply", &id[..8], "I", "do"]);
        assert_eq!((&reply["recipient"], &reply["content"]), (&json!("group_1"), &json!("I do")));
        assert_eq!(reply["reply_to"]["id"], id);
        assert_eq!(reply["reply_to"]["content"], "who comes?");
        let sent =
            made(home, &["send", "-r", "group_1", "-p", "qq", "--reply-to", &id[..8], "me too"]);
        assert_eq!(sent["reply_to"]["id"], id);
        assert!(home.ok(&["get", reply["id"].as_str().unwrap()]).contains("who comes?"));
        assert!(home.fails(1, &["reply", "00000000", "x"]).contains("begins with 00000000"));
        let batch = home.path("batch.jsonl");
        let line = json!({"recipient": "group_1", "platform": "qq", "reply_to": id, "segments": [{"type": "text", "text": "three"}]});
        std::fs::write(&batch, line.to_string()).unwrap();
        home.ok(&["send", &format!("--batch={}", batch.display())]);
        let newest: Value = serde_json::from_str(&home.ok(&["list", "-n", "1", "--json"])).unwrap();
        assert_eq!((&newest["content"], &newest["reply_to"]["id"]), (&json!("three"), &json!(id)));
    };
    answers(&Home::new());
    answers(&TestServer::start().home);
}
