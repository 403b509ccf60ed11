//! Searching messages, and the number of messages in each minute.

use crate::server::TestServer;
use serde_json::{Value, json};

fn contents(page: &Value) -> Vec<&str> {
    let messages = page["messages"].as_array().unwrap();
    messages.iter().map(|message| message["content"].as_str().unwrap()).collect()
}

#[test]
fn text_is_found_in_any_case_with_filters_and_pages() {
    let server = TestServer::start();
    for i in 0..30 {
        server.make("group_1", &format!("Größe {i}"));
        server.make("group_2", &format!("other {i}"));
    }
    let (_, page) = server.get("/api/messages?q=GR%C3%96SSE&limit=3");
    assert_eq!(contents(&page), ["Größe 29", "Größe 28", "Größe 27"]);
    let (_, page) = server.get("/api/messages?q=GR%C3%96%C3%9FE&limit=3&offset=2");
    assert_eq!(contents(&page), ["Größe 27", "Größe 26", "Größe 25"]);
    assert!(page.get("searched_to").is_none(), "all that was asked for was found: {page}");
    let (_, page) = server.get("/api/messages?q=7&conversation=group_2");
    assert_eq!(contents(&page), ["other 27", "other 17", "other 7"]);
    let (_, page) = server.get("/api/messages?q=");
    assert_eq!(contents(&page).len(), 50, "no text is no search");
}

#[test]
fn a_search_finds_the_same_after_a_kill_and_without_its_index() {
    let mut server = TestServer::start();
    for i in 0..20 {
        server.make("group_1", &format!("你好，世界 ＡＢＣ {i}"));
    }
    let find = |server: &TestServer| {
        let (_, page) = server.get("/api/messages?q=%E5%A5%BD%2C%E4%B8%96%E7%95%8C%20abc&limit=2");
        assert_eq!(contents(&page), ["你好，世界 ＡＢＣ 19", "你好，世界 ＡＢＣ 18"]);
        let (_, page) = server.get("/api/messages?q=%E7%95%8C%20abc%201&limit=50");
        assert_eq!(contents(&page).len(), 11);
    };
    let index = rechat::search::folder_beside(&server.home.db());
    crate::server::eventually("the index follows", || {
        index.join("position").exists().then_some(())
    });
    find(&server);
    server.kill();
    server.start_again();
    let told = server.home.ok(&["search", "好,世界 abc 1", "--limit", "4"]);
    assert_eq!(told.lines().count(), 4, "{told}");
    server.kill();
    assert_eq!(
        server.home.ok(&["search", "好,世界 abc 1", "--limit", "4"]),
        told,
        "without a server"
    );
    assert_eq!(server.home.ok(&["list", "--search", "nowhere"]), "");
    server.home.fails(2, &["search", "x", "--follow", "--search", "y"]);
    let checked = server.home.ok(&["check"]);
    assert!(checked.contains("rechat.redb-search: "), "{checked}");
    server.start_again();
    find(&server);
    server.kill();
    std::fs::remove_dir_all(&index).unwrap();
    std::fs::write(&index, "this is no folder").unwrap();
    server.start_again();
    find(&server);
    crate::server::eventually("the log tells that the index cannot be written", || {
        server.log().contains("the index beside the store cannot be written").then_some(())
    });
    find(&server);
}

#[test]
fn a_type_is_a_filter_too() {
    let server = TestServer::start();
    server.make("group_1", "text");
    server.post(&json!({"message_type": "Image", "content": "https://u", "recipient": "group_1"}));
    let (_, page) = server.get("/api/messages?message_type=Image");
    assert_eq!(contents(&page), ["https://u"]);
    assert_eq!(server.get("/api/messages?message_type=image").0, 400);
}

#[test]
fn activity_tells_each_minute_also_after_a_restart() {
    let mut server = TestServer::start();
    for i in 0..5 {
        server.make("group_1", &i.to_string());
    }
    let sums = |server: &TestServer, minutes: usize| {
        let (_, told) = server.get(&format!("/api/activity?minutes={minutes}"));
        assert_eq!(told["in"].as_array().unwrap().len(), minutes);
        assert_eq!(told["from"].as_u64().unwrap() % 60, 0);
        told["out"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!(sums(&server, 1440), 5);
    server.kill();
    server.start_again();
    crate::server::eventually("the journal is read back", || {
        (sums(&server, 60) == 5).then_some(())
    });
    for wrong in ["0", "1441", "x"] {
        let (status, error) = server.get(&format!("/api/activity?minutes={wrong}"));
        assert_eq!(status, 400);
        assert!(error["error"].as_str().unwrap().contains("`minutes`"), "{error}");
    }
}
