//! Segments, replies, edits, recalls and reactions, by HTTP and the WebSocket (contract, items 23 to
//! 29).

use crate::onebot::{Peer, Reply, Script};
use crate::onebot11::{group_message, headers, willing, willing_but};
use crate::server::{DEADLINE, Home, TestServer, agent, eventually};
use crate::socket::Client;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

fn loopback() -> TestServer {
    TestServer::start_with(&["--loopback"])
}

/// Makes a message of these parts for loopback, and waits until it is sent.
fn sent(server: &TestServer, mut body: Value) -> Value {
    body["platform"] = json!("loopback");
    body["recipient"] = json!("group_1");
    let (status, made) = server.post(&body);
    assert_eq!(status, 201, "{made}");
    server.until(made["id"].as_str().unwrap(), "Sent")
}

fn text(server: &TestServer, text: &str) -> Value {
    sent(server, json!({"segments": [{"type": "text", "text": text}]}))
}

fn path(message: &Value, behind: &str) -> String {
    format!("/api/messages/{}{behind}", message["id"].as_str().unwrap())
}

#[test]
fn segments_are_kept_and_read_as_one_line() {
    let server = loopback();
    let segments = json!([
        {"type": "mention", "user": "7", "name": "Ann"},
        {"type": "text", "text": "look "},
        {"type": "image", "url": "https://x/a.png", "name": "a.png", "width": 3},
        {"type": "emoji", "name": "微笑", "id": "14"},
        {"type": "location", "latitude": 1.5, "longitude": 2.0, "title": "Harbour"},
        {"type": "card", "title": "News", "url": "https://x"},
        {"type": "other", "name": "dice", "text": "6"},
    ]);
    let message = sent(&server, json!({"segments": segments}));
    assert_eq!(message["segments"], segments);
    assert_eq!(message["message_type"], "Text");
    assert_eq!(message["content"], "@Ann look [image][微笑] Harbour News [dice] 6");
    let image = sent(&server, json!({"segments": [{"type": "image", "url": "https://x/a.png"}]}));
    assert_eq!(
        (&image["message_type"], &image["content"]),
        (&json!("Image"), &json!("https://x/a.png"))
    );
    let plain = text(&server, "hi");
    assert_eq!((&plain["content"], plain.get("segments")), (&json!("hi"), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_names_the_message_it_answers() {
    let server = loopback();
    let question = text(&server, "where?");
    let mut client = Client::connect(&server).await;
    client.subscribe().await;
    let command = json!({"type": "send_message", "data": {
        "platform": "loopback", "conversation": "group_1", "content": "here",
        "reply_to": question["id"]}});
    client.say(&command).await;
    let told = client.message().await;
    let reply_to = json!({"id": question["id"], "content": "where?"});
    assert_eq!(told["reply_to"], reply_to);
    let (_, read) = server.get(&path(&told, ""));
    assert_eq!(read["reply_to"], reply_to);
    let nobody = json!({"segments": [{"type": "text", "text": "x"}], "recipient": "g",
        "reply_to": "6f0a0c1e-8f5c-4c8e-9a54-7b1e43a8a5b0"});
    let (status, error) = server.post(&nobody);
    assert_eq!((status, &error["code"]), (400, &json!("unknown_reply")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_to_a_sent_message_is_seen_by_everybody() {
    let server = loopback();
    let message = text(&server, "typo");
    let mut client = Client::connect(&server).await;
    client.done(&json!({"type": "subscribe", "events": ["message_updated"]})).await;
    let edit = json!({"content": "no typo"});
    let (status, edited) = server.ask("PATCH", &path(&message, ""), Some(&edit));
    assert_eq!((status, &edited["content"]), (200, &json!("no typo")), "{edited}");
    assert!(edited["edited_at"].as_u64() >= message["created_at"].as_u64(), "{edited}");
    assert_eq!(client.event("message_updated").await["content"], "no typo");

    let thumb = "/reactions/%F0%9F%91%8D";
    let (status, reacted) = server.ask("PUT", &path(&message, thumb), None);
    let ours = json!([{"emoji": "👍", "count": 1, "mine": true}]);
    assert_eq!((status, &reacted["reactions"]), (200, &ours), "{reacted}");
    assert_eq!(client.event("message_updated").await["reactions"], ours);
    let (_, again) = server.ask("PUT", &path(&message, thumb), None);
    assert_eq!(again["reactions"], ours);
    let (status, none) = server.ask("DELETE", &path(&message, thumb), None);
    assert_eq!((status, none.get("reactions")), (200, None), "{none}");
    assert_eq!(client.event("message_updated").await.get("reactions"), None);

    let (status, recalled) = server.ask("POST", &path(&message, "/recall"), None);
    assert_eq!(status, 200);
    assert!(recalled["recalled_at"].is_u64() && recalled["content"] == "no typo", "{recalled}");
    assert!(client.event("message_updated").await["recalled_at"].is_u64());
    let (status, again) = server.ask("POST", &path(&message, "/recall"), None);
    assert_eq!((status, &again["recalled_at"]), (200, &recalled["recalled_at"]));
}

#[test]
fn a_recalled_message_loses_its_content_where_that_is_configured() {
    let home = Arc::new(Home::new());
    home.configure("recalled = \"hide\"\n");
    let server = TestServer::start_in(home, &["--loopback"]);
    let message = text(&server, "a secret");
    let (_, recalled) = server.ask("POST", &path(&message, "/recall"), None);
    assert_eq!(recalled["content"], "");
    assert_eq!(server.get(&path(&message, "")).1["content"], "");
}

#[test]
fn a_message_that_waits_is_edited_in_place() {
    let server = TestServer::start();
    let id = server.make_for(Some("qq"), "group_1", "first");
    let segments =
        json!({"segments": [{"type": "mention_all"}, {"type": "text", "text": "second"}]});
    let (status, edited) = server.ask("PATCH", &format!("/api/messages/{id}"), Some(&segments));
    assert_eq!((status, &edited["content"]), (200, &json!("@all second")), "{edited}");
    assert_eq!(edited["status"], "Pending");
    let message = json!({"id": id});
    for (method, behind) in [("POST", "/recall"), ("PUT", "/reactions/x")] {
        let (status, error) = server.ask(method, &path(&message, behind), None);
        assert_eq!((status, &error["code"]), (409, &json!("not_sent")), "{error}");
    }
    for (body, named) in [
        (json!({"content": ""}), "`content`"),
        (json!({"content": "x", "segments": [{"type": "text", "text": "x"}]}), "exclude"),
        (json!({"segments": []}), "`segments`"),
        (json!({}), "`status`"),
    ] {
        let (status, error) = server.ask("PATCH", &path(&message, ""), Some(&body));
        assert!(status == 400 && error["error"].as_str().unwrap().contains(named), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_platform_does_not_do_changes_nothing() {
    let server = TestServer::start();
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let refusing = willing_but("delete_msg", Reply::refused(1500, "too late"));
    let peer = Peer::dial(&url, &headers("1", "Universal"), refusing).await.unwrap();
    let id = server.make_for(Some("qq"), "group_1", "hi");
    let message = server.until(&id, "Sent");
    let (status, error) = server.ask("POST", &path(&message, "/recall"), None);
    assert_eq!((status, &error["code"]), (502, &json!("refused")), "{error}");
    assert!(error["error"].as_str().unwrap().contains("too late"), "{error}");
    let edit = json!({"content": "x"});
    let (status, error) = server.ask("PATCH", &path(&message, ""), Some(&edit));
    assert_eq!((status, &error["code"]), (409, &json!("unsupported")), "{error}");
    assert_eq!(server.get(&path(&message, "")).1, message);
    drop(peer);
    let gone = || server.ask("POST", &path(&message, "/recall"), None);
    eventually("the account is gone", || {
        let (status, error) = gone();
        (status == 503 && error["code"] == "not_connected").then_some(())
    });
    let deleting = willing_but("delete_msg", Reply::ok(Value::Null));
    let back = Peer::dial(&url, &headers("1", "Universal"), deleting).await.unwrap();
    eventually("it is recalled", || (gone().0 == 200).then_some(()));
    let action = back.action("delete_msg").await;
    assert!(action["params"]["message_id"].is_i64(), "{action}");
}

#[test]
fn an_export_says_the_same_after_its_import() {
    let server = loopback();
    let first = text(&server, "one");
    let reply = sent(
        &server,
        json!({"reply_to": first["id"], "segments": [
        {"type": "mention", "user": "7", "me": true}, {"type": "text", "text": "two"}]}),
    );
    server.ask("PUT", &path(&reply, "/reactions/👍"), None);
    server.ask("POST", &path(&first, "/recall"), None);
    let export = |server: &TestServer| {
        let url = server.url("/api/export");
        let text = agent().get(url).call().unwrap().body_mut().read_to_string().unwrap();
        let line = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        (text.lines().map(line).collect::<Vec<_>>(), text)
    };
    let (lines, exported) = export(&server);
    assert_eq!(lines.len(), 2);
    let other = TestServer::start();
    let import =
        agent().post(other.url("/api/import")).header("content-type", "application/x-ndjson");
    assert_eq!(import.send(exported.as_str()).unwrap().status().as_u16(), 200);
    assert_eq!(export(&other).0, lines);
}

#[test]
fn loopback_answers_with_a_reply() {
    let home = Arc::new(Home::new());
    home.configure("[[adapter]]\nkind = \"loopback\"\necho = true\n");
    let server = TestServer::start_in(home, &[]);
    let message = text(&server, "hello?");
    let echo = eventually("the echo came", || {
        let (_, page) = server.get("/api/messages?direction=Inbound");
        page["messages"].as_array().unwrap().first().cloned()
    });
    assert_eq!(echo["content"], "hello?");
    assert_eq!(echo["reply_to"], json!({"id": message["id"], "content": "hello?"}));
}

/// Two accounts in one group may be told different messages under one ID.
#[tokio::test(flavor = "multi_thread")]
async fn a_recall_of_one_account_leaves_the_messages_of_another_alone() {
    let server = TestServer::start();
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let dial = |account| {
        let url = url.clone();
        async move { Peer::dial(&url, &headers(account, "Universal"), willing()).await.unwrap() }
    };
    let (one, two) = (dial("1").await, dial("2").await);
    one.push(&group_message(1, 77, 50, "told to one"));
    two.push(&group_message(2, 77, 50, "told to two"));
    let both = || {
        let (_, page) = server.get("/api/messages?direction=Inbound");
        page["messages"].as_array().unwrap().clone()
    };
    eventually("both came", || (both().len() == 2).then_some(()));
    one.push(&json!({"time": 1_700_000_900, "self_id": 1, "post_type": "notice",
        "notice_type": "group_recall", "group_id": 77, "user_id": 5, "operator_id": 5,
        "message_id": 50}));
    let recalled = eventually("one is recalled", || {
        both().into_iter().find(|message| message.get("recalled_at").is_some())
    });
    assert_eq!((&recalled["account"], &recalled["content"]), (&json!("1"), &json!("told to one")));
    assert_eq!(both().iter().filter(|message| message.get("recalled_at").is_some()).count(), 1);
}

#[test]
fn a_message_that_is_sent_again_can_be_recalled_again() {
    let server = loopback();
    let message = text(&server, "once more");
    server.ask("PUT", &path(&message, "/reactions/x"), None);
    server.ask("POST", &path(&message, "/recall"), None);
    for status in ["Failed", "Pending"] {
        server.ask("PATCH", &path(&message, ""), Some(&json!({"status": status})));
    }
    let again = server.until(message["id"].as_str().unwrap(), "Sent");
    assert_eq!((again.get("recalled_at"), again.get("reactions")), (None, None), "{again}");
    let (_, recalled) = server.ask("POST", &path(&message, "/recall"), None);
    assert!(recalled["recalled_at"].is_u64(), "{recalled}");
}

#[test]
fn a_body_is_an_object() {
    let server = loopback();
    let message = text(&server, "hi");
    for (method, path, body) in [
        ("POST", "/api/messages".to_owned(), json!(["Text", "hi", "group_5"])),
        ("PATCH", path(&message, ""), json!(["Canceled"])),
        ("POST", "/api/requests/1".to_owned(), json!([true])),
    ] {
        let (status, error) = server.ask(method, &path, Some(&body));
        assert!(status == 400 && error["error"].as_str().unwrap().contains("object"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_several_clients_ask_for_at_once_is_done_once() {
    let server = TestServer::start();
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let done = willing_but("delete_msg", Reply::ok(Value::Null));
    let willing = willing_but("set_group_add_request", Reply::ok(Value::Null));
    let script: Script = Arc::new(move |action| match action["action"].as_str() {
        Some("delete_msg") => done(action),
        _ => willing(action),
    });
    let peer = Peer::dial(&url, &headers("1", "Universal"), script).await.unwrap();
    let count = |name: &str| peer.actions().iter().filter(|one| one["action"] == name).count();
    let at_once = |path: &str, body: Option<Value>| -> Vec<u16> {
        std::thread::scope(|scope| {
            let ask = || scope.spawn(|| server.ask("POST", path, body.as_ref()).0);
            let asked: Vec<_> = (0..5).map(|_| ask()).collect();
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        })
    };

    let id = server.make_for(Some("qq"), "group_1", "hi");
    let message = server.until(&id, "Sent");
    assert_eq!(at_once(&path(&message, "/recall"), None), [200; 5]);
    assert_eq!(count("delete_msg"), 1);

    // An implementation tells of a request anew once it is connected again.
    for _ in 0..2 {
        peer.push(&json!({
            "time": 1_632_847_927, "self_id": 1, "post_type": "request", "request_type": "group",
            "sub_type": "add", "group_id": 7, "user_id": 8, "comment": "let me in", "flag": "f-1",
        }));
    }
    peer.push(&group_message(1, 7, 5, "after it"));
    eventually("all of it is there", || {
        (server.get("/api/messages?q=after").1["messages"] != json!([])).then_some(())
    });
    let requests = server.get("/api/requests").1["requests"].take();
    assert_eq!(requests.as_array().unwrap().len(), 1, "{requests}");
    let answer = format!("/api/requests/{}", requests[0]["id"]);
    let mut statuses = at_once(&answer, Some(json!({"approve": true})));
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 404, 404, 404, 404], "{requests}");
    assert_eq!(count("set_group_add_request"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recall_whose_client_hung_up_is_written_down() {
    let server = TestServer::start();
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let late = willing_but("delete_msg", Reply::Silent);
    let peer = Peer::dial(&url, &headers("1", "Universal"), late).await.unwrap();
    let id = server.make_for(Some("qq"), "group_1", "hi");
    let message = server.until(&id, "Sent");
    // That it hung up is seen there before it is answered.
    let mut client = UnixStream::connect(server.home.db().with_extension("sock")).unwrap();
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    let (path, host) = (path(&message, "/recall"), &server.address);
    let request = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n");
    client.write_all(request.as_bytes()).unwrap();
    let action = peer.action("delete_msg").await;
    client.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "", "nobody is answered");
    peer.push(&json!({"status": "ok", "retcode": 0, "data": null, "echo": action["echo"]}));
    eventually("the recall is written down", || {
        let (_, message) = server.get(&format!("/api/messages/{id}"));
        message["recalled_at"].is_u64().then_some(())
    });
}
