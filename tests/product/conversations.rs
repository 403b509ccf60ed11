//! Conversations: what is unread in them, how they are marked, and their pages.

use crate::onebot::Peer;
use crate::onebot11::{group_message, headers, private_message, willing};
use crate::server::{Home, TestServer, eventually};
use crate::socket::Client;
use serde_json::{Value, json};

fn listed(server: &TestServer, query: &str) -> Vec<Value> {
    let (status, page) = server.get(&format!("/api/conversations{query}"));
    assert_eq!(status, 200, "{page}");
    page["conversations"].as_array().unwrap().clone()
}

fn names(server: &TestServer, query: &str) -> Vec<String> {
    listed(server, query).iter().map(|one| one["conversation"].as_str().unwrap().into()).collect()
}

/// A group with three messages in it, all unread.
async fn lively(server: &TestServer) -> Peer {
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let peer = Peer::dial(&url, &headers("1", "Universal"), willing()).await.unwrap();
    for (id, text) in [(1, "one"), (2, "two"), (3, "three")] {
        peer.push(&group_message(1, 77, id, text));
    }
    eventually("all came in", || {
        listed(server, "").first().filter(|one| one["unread"] == 3).cloned()
    });
    peer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_tells_what_is_unread_until_it_is_read() {
    let mut server = TestServer::start();
    let peer = lively(&server).await;
    let one = listed(&server, "").remove(0);
    assert_eq!((&one["platform"], &one["conversation"]), (&json!("qq"), &json!("group_77")));
    assert_eq!((&one["kind"], &one["name"]), (&json!("group"), &json!("Group 77")));
    assert_eq!((&one["unread"], &one["mentions"]), (&json!(3), &json!(0)));
    assert_eq!(one["last_at"], one["last_message"]["created_at"]);
    assert_eq!(one["last_message"]["content"], "three");
    assert!(one.get("muted").is_none() && one.get("pinned").is_none(), "{one}");
    let brief = listed(&server, "?brief=true").remove(0);
    assert!(brief.get("last_message").is_none() && brief["unread"] == 0, "{brief}");
    assert_eq!((&brief["name"], &brief["last_seq"]), (&one["name"], &one["last_seq"]));
    assert_eq!(server.get("/api/conversations?brief=perhaps").0, 400);
    let path = "/api/conversations/qq/group%5F77";
    let (_, page) = server.get("/api/messages?conversation=group_77");
    let second = &page["messages"][1]["id"];
    let (status, read) = server.ask("PATCH", path, Some(&json!({"read_to": second})));
    assert_eq!((status, &read["unread"]), (200, &json!(1)));
    let told = peer.action("mark_msg_as_read").await;
    assert_eq!(told["params"]["message_id"], 2, "the platform is told too");
    let body = json!({"read_to": "latest", "muted": true, "pinned": true});
    let (_, read) = server.ask("PATCH", path, Some(&body));
    assert_eq!(
        (&read["unread"], &read["muted"], &read["pinned"]),
        (&json!(0), &json!(true), &json!(true))
    );
    server.kill();
    server.start_again();
    assert_eq!(server.get(path), (200, read));
    drop(peer);
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_conversations_are_listed_and_marked_as_read() {
    let server = TestServer::start();
    let _peer = lively(&server).await;
    let home = &server.home;
    server.make("group_1", "mine");
    let unread = || home.ok(&["conversations", "--unread"]);
    assert!(unread().starts_with("Group 77\tqq\tgroup_77\t"), "{}", unread());
    assert!(unread().trim_end().ends_with("\t3") && unread().lines().count() == 1, "{}", unread());
    let first = home.ok(&["conversations", "-n", "1"]);
    assert!(first.starts_with("Group 77"), "what is unread comes before what is newer: {first}");
    assert_eq!(home.ok(&["read", "Group 77"]), "qq group_77 read\n");
    assert_eq!(unread(), "");
    let first = home.ok(&["conversations", "-n", "1"]);
    assert!(first.contains("group_1"), "now the latest is first: {first}");
    assert!(home.fails(2, &["read", "nobody"]).contains("no conversation `nobody`"));
}

#[tokio::test(flavor = "multi_thread")]
async fn sending_reads_and_what_comes_afterwards_is_unread() {
    let server = TestServer::start();
    let peer = lively(&server).await;
    let id = server.make_for(Some("qq"), "group_77", "an answer");
    server.until(&id, "Sent");
    assert_eq!(listed(&server, "")[0]["unread"], 0);
    peer.push(&private_message(1, 5, 9, "psst"));
    eventually("it came in", || (names(&server, "").len() == 2).then_some(()));
    let first = &listed(&server, "")[0];
    assert_eq!((&first["kind"], &first["unread"]), (&json!("private"), &json!(1)));
}

#[test]
fn pages_filters_and_texts_find_conversations() {
    let server = TestServer::start();
    for n in 0..5 {
        server.make(&format!("group_{n}"), "x");
        server.make_for(Some("wechat"), &format!("private_{n}"), "x");
    }
    server.make_for(Some("a/b"), "channel_ä_é%", "x");
    let page = listed(&server, "?platform=local&limit=2");
    let last = page[1]["last_seq"].to_string();
    let next = names(&server, &format!("?platform=local&limit=2&before={last}"));
    assert_eq!(next, ["group_2", "group_1"]);
    assert_eq!(names(&server, "?q=VATE_3"), ["private_3"]);
    assert_eq!(names(&server, "?limit=0"), [""; 0]);
    assert_eq!(names(&server, "").len(), 11);
    let odd = "/api/conversations/a%2Fb/channel_%C3%A4_%C3%A9%25";
    let (status, one) = server.get(odd);
    assert_eq!((status, &one["kind"]), (200, &json!("channel")));
    let (_, set) = server.ask("PATCH", odd, Some(&json!({"muted": true})));
    assert_eq!(set["muted"], true);
    let local =
        server.ask("PATCH", "/api/conversations/local/group_1", Some(&json!({"pinned": true})));
    assert_eq!((local.0, &local.1["pinned"]), (200, &json!(true)));
}

#[test]
fn what_is_wrong_is_told_with_its_code() {
    let server = TestServer::start();
    server.make_for(Some("qq"), "group_1", "x");
    let path = "/api/conversations/qq/group_1";
    for (body, word) in [
        (json!({}), "read_to"),
        (json!({"muted": "yes"}), "muted"),
        (json!({"read_to": "someday"}), "read_to"),
        (json!({"read_to": uuid::Uuid::nil()}), "read_to"),
        (json!({"read_to": -1}), "must be the `seq`"),
    ] {
        let (status, error) = server.ask("PATCH", path, Some(&body));
        assert_eq!((status, &error["code"]), (400, &json!("invalid")), "{body}: {error}");
        assert!(error["error"].as_str().unwrap().contains(word), "{body}: {error}");
    }
    for path in ["/api/conversations/qq/group_2", "/api/conversations/wechat/group_1"] {
        assert_eq!(server.get(path).1["code"], "not_found", "{path}");
        let (status, error) = server.ask("PATCH", path, Some(&json!({"muted": true})));
        assert_eq!((status, &error["code"]), (404, &json!("not_found")), "{path}");
    }
    let (status, error) = server.get("/api/conversations/qq/%FF");
    assert_eq!((status, &error["code"]), (400, &json!("invalid")));
    let (status, _) = server.get("/api/conversations?before=x");
    assert_eq!(status, 400);
    let (status, _) = server.get("/api/conversations?limit=x");
    assert_eq!(status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_are_told_at_once_and_to_who_comes_back() {
    let server = TestServer::start();
    let peer = lively(&server).await;
    let wanted = json!({"type": "subscribe", "events": ["conversation_updated"]});
    let mut client = Client::connect(&server).await;
    let cursor = client.done(&wanted).await["cursor"].clone();
    let path = "/api/conversations/qq/group_77";
    for (body, field, value) in [
        (json!({"muted": true}), "muted", json!(true)),
        (json!({"pinned": true}), "pinned", json!(true)),
        (json!({"read_to": "latest"}), "unread", json!(0)),
    ] {
        let (_, answered) = server.ask("PATCH", path, Some(&body));
        assert_eq!(answered[field], value);
        let mut told = client.event("conversation_updated").await;
        while told[field] != value {
            told = client.event("conversation_updated").await;
        }
        assert_eq!(told, answered, "as it is listed");
    }
    let mut again = wanted.clone();
    again["cursor"] = cursor;
    let mut late = Client::connect(&server).await;
    late.done(&again).await;
    assert_eq!(late.event("conversation_updated").await, server.get(path).1);
    drop(peer);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_read_without_a_server_what_it_left() {
    let mut server = TestServer::start();
    drop(lively(&server).await);
    let home = server.home.clone();
    server.stop();
    let source = rechat::cli::SourceArgs { db: Some(home.db()), ..Default::default() };
    let write = rechat::store::Access::Write;
    let mut client = rechat::client::Client::open(&source, None, write, None).await.unwrap();
    let all = rechat::store::ConversationQuery::default();
    let listed = client.conversations(&all).await.unwrap();
    assert_eq!((listed.len(), listed[0].unread), (1, 3));
    let read = rechat::protocol::http::SetConversation {
        read_to: Some(rechat::protocol::http::ReadTo::latest()),
        ..Default::default()
    };
    let set = client.set_conversation("qq", "group_77", &read).await.unwrap().unwrap();
    assert_eq!(set.unread, 0);
    assert_eq!(client.conversation("qq", "group_77").await.unwrap(), Some(set));
    assert_eq!(client.set_conversation("qq", "group_1", &read).await.unwrap(), None);
}

#[test]
fn messages_are_listed_by_when_they_were_said() {
    let mut server = TestServer::start();
    let line = |n: u64, text: &str, sender: &str, at: u64| {
        json!({
            "id": uuid::Uuid::from_u128(u128::from(n) << 100 | 0x4000 << 64 | 0x8 << 60),
            "message_type": "Text", "content": text, "recipient": "group_1", "platform": "qq",
            "status": "Sent", "direction": "Inbound", "sender": {"id": sender, "name": sender},
            "created_at": at, "updated_at": at, "retry_count": 0,
        })
    };
    let lines =
        [line(1, "first", "7", 100), line(2, "third", "8", 300), line(3, "second", "7", 200)];
    let text = lines.map(|line| line.to_string()).join("\n");
    let file = server.home.path("lines");
    std::fs::write(&file, text).unwrap();
    server.home.ok(&["import", file.to_str().unwrap()]);
    let texts = |query: &str| -> Vec<String> {
        let (status, page) = server.get(&format!("/api/messages?{query}"));
        assert_eq!(status, 200, "{page}");
        let all = page["messages"].as_array().unwrap();
        all.iter().map(|one| one["content"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(texts(""), ["second", "third", "first"]);
    assert_eq!(texts("order=time"), ["third", "second", "first"]);
    assert_eq!(texts("order=time&conversation=group_1&limit=1&before=2"), ["second"]);
    assert_eq!(texts("order=time&since=200"), ["third", "second"]);
    assert_eq!(texts("order=time&until=300"), ["second", "first"]);
    assert_eq!(texts("order=time&q=second"), ["second"]);
    assert_eq!(texts("order=time&sender=7&offset=1"), ["first"]);
    assert_eq!(texts("order=time&platform=elsewhere"), [""; 0]);
    for query in ["order=age", "order=time&since=x", "order=time&id_prefix=0000"] {
        let (status, error) = server.get(&format!("/api/messages?{query}"));
        assert_eq!(status, 400, "{query}: {error}");
    }
    let lists = |home: &Home| {
        let listed =
            |arguments: &[&str]| home.ok(&[&["list", "--format", "{content}"], arguments].concat());
        let (said, came) = ("third\nsecond\nfirst\n", "second\nthird\nfirst\n");
        assert_eq!(listed(&[]), came);
        assert_eq!(listed(&["--order", "time"]), said);
        assert_eq!(listed(&["-c", "group_1"]), said, "a conversation is read as it was said");
        assert_eq!(listed(&["-c", "group_1", "--order", "seq"]), came);
        assert_eq!(listed(&["-c", "group_1", "--before", "2"]), "second\nfirst\n");
        assert_eq!(listed(&["-c", "group_1", "--offset", "1", "-n", "1"]), "second\n");
        assert_eq!(listed(&["-c", "group_1", "--search", "s"]), "second\nfirst\n");
        let json = home.ok(&["list", "-c", "group_1", "-n", "1", "--json"]);
        assert!(json.contains("\"third\""), "{json}");
    };
    lists(&server.home);
    server.stop();
    lists(&server.home);
}
