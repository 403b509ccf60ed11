//! The log of agents: a line for each call, with its outcome and without what was said; and keys that no
//! other agent takes.

use crate::agents::{Agent, Client, group_and, id_of, told};
use crate::server::{Home, TestServer, agent};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_a_line_with_its_outcome_and_without_what_was_said() {
    let home = Home::new();
    home.configure("[mcp]\nsend = 'allow'\nhide = ['qq/group_13']\ncalls_per_minute = 12\n");
    let server = TestServer::start_in(home.into(), &[]);
    let _peer = told(&server).await;
    let (shown, hidden) = (id_of(&server, "the first word"), id_of(&server, "the secret word"));
    let mut asked = Agent::start(&server.home, "2025-11-25");
    asked.ok("list_conversations", &json!({}));
    asked.ok("read_messages", &group_and(&json!({"limit": 1})));
    asked.ok("get_message", &json!({"id": shown}));
    asked.ok("search_messages", &json!({"text": "the private word"}));
    asked.ok("wait_for_messages", &json!({"seconds": 0}));
    asked.ok("list_platforms", &json!({}));
    let message = group_and(&json!({"text": "a private thought", "idempotency_key": "my-key"}));
    let sent = asked.ok("send_message", &message);
    asked.ask("resources/read", &json!({"uri": "rechat://conversations/qq/group_1"}));
    asked.refused("get_message", &json!({"id": hidden}));
    asked.refused("reply", &json!({"message_id": shown, "text": 5, "idempotency_key": "k"}));
    asked.refused("search_messages", &json!({"text": "x", "limit": "a private thought"}));
    let none = json!({"name": "no_such_tool", "arguments": {}});
    assert_eq!(asked.ask("tools/call", &none)["error"]["code"], -32602);
    // One more is let through every five seconds.
    while asked.call("list_platforms", &json!({}))["isError"] != true {}
    let (_, log) = asked.end();
    let calls: Vec<_> = log.lines().filter(|line| line.contains("an agent asked: ")).collect();
    let sent = format!("result=\"message {} is Sent\"", sent["id"].as_str().unwrap());
    let got = format!("result=\"message {shown}\"");
    let about_hidden = format!("about=\"{hidden}\"");
    let told: [&[&str]; 12] = [
        &["asked: list_conversations", "outcome=\"ok\"", "result=\"conversations: 2\""],
        &[
            "asked: read_messages",
            "conversation=\"qq/group_1\"",
            "result=\"messages: 1, and more\"",
        ],
        &["asked: get_message", "conversation=\"qq/group_1\"", &got],
        &["asked: search_messages", "outcome=\"ok\"", "result=\"messages: 1\""],
        &["asked: wait_for_messages", "result=\"messages: 0, timed out\""],
        &["asked: list_platforms", "outcome=\"ok\"", "result=\"platforms: 1\""],
        &["asked: send_message", "conversation=\"qq/group_1\"", "outcome=\"ok\"", &sent],
        &["asked: resources/read", "conversation=\"qq/group_1\"", "result=\"messages: 3\""],
        &["asked: get_message", &about_hidden, "outcome=\"refused\"", "there is no message"],
        &["asked: reply", "outcome=\"refused\"", "`text`: expected"],
        &["asked: search_messages", "outcome=\"refused\"", "`limit`: expected"],
        &["asked: no_such_tool", "outcome=\"no_tool\""],
    ];
    assert!(calls.len() > told.len(), "{log}");
    let last = calls.last().unwrap();
    assert!(last.contains("outcome=\"limited\"") && last.contains("calls_per_minute"), "{last}");
    for (line, words) in calls.iter().zip(told) {
        for word in words.iter().chain(&["client=\"a test\"", "took_ms="]) {
            assert!(line.contains(word), "{word} is missing: {line}");
        }
    }
    for secret in ["private thought", "first word", "secret word", "private word", "my-key"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

#[test]
fn agents_with_tokens_of_their_own_have_keys_of_their_own() {
    let home = Home::new();
    let entry = |name: &str, scope: &str| {
        format!("[[tokens]]\nname = '{name}'\nscope = '{scope}'\ntoken = 'token-of-{name}'\n")
    };
    let tokens = [entry("one", "mcp"), entry("two", "mcp"), entry("me", "admin")].concat();
    home.configure(&format!("[mcp]\nsend = 'allow'\n{tokens}"));
    let server = TestServer::start_in(home.into(), &["--loopback"]);
    let message = json!({"message_type": "Text", "content": "hello", "recipient": "group_1",
        "platform": "loopback"});
    let request = ureq::http::Request::post(server.url("/api/messages"))
        .header("content-type", "application/json")
        .header("authorization", "Bearer token-of-me");
    assert_eq!(agent().run(request.body(message.to_string()).unwrap()).unwrap().status(), 201);
    let send = |name: &str, text: &str| {
        let mut client = Client::Http(server.url("/mcp"), Some(format!("token-of-{name}")));
        let message = json!({"platform": "loopback", "conversation": "group_1", "text": text,
            "idempotency_key": "the-same"});
        client.call("send_message", &message)
    };
    let first = send("one", "of the first");
    let second = send("two", "of the second");
    assert_ne!(second["isError"], true, "{second}");
    assert_ne!(first["structuredContent"]["id"], second["structuredContent"]["id"]);
    let again = send("one", "of the first");
    assert_eq!(first["structuredContent"]["id"], again["structuredContent"]["id"]);
    assert_eq!(send("one", "another")["isError"], true);
}
