//! Searching messages, and the number of messages in each minute.

use crate::server::{Home, TestServer};
use crate::terminal::Terminal;
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
    server.home.fails(2, &["search"]);
    assert_eq!(server.home.ok(&["search", "-q", "好,世界 abc 1", "--limit", "4"]), told);
    assert_eq!(server.home.ok(&["search", "--search", "nowhere"]), "");
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

/// The ID of a message of [`talk`].
fn id(n: u64) -> String {
    format!("{n:08x}-0000-4000-8000-000000000000")
}

/// A talk of twelve messages and one elsewhere; the ninth came last, from the platform's history.
fn talk(home: &Home) {
    let line = |n: u64, conversation: &str| {
        let content = if n == 5 || n == 9 { format!("Needle {n}") } else { format!("m{n}") };
        json!({
            "id": id(n), "message_type": "Text", "content": content, "recipient": conversation,
            "status": "Sent", "direction": "Inbound", "platform": "qq", "account": "10",
            "sender": {"id": "7", "name": "Ann"}, "created_at": 1_700_000_000 + n,
            "updated_at": 1_700_000_000 + n, "retry_count": 0,
        })
    };
    let told = (1..=8).chain(10..=12).map(|n| line(n, "group_1"));
    let lines = told.chain([line(20, "group_2"), line(9, "group_1")]);
    let file = home.path("talk.jsonl");
    std::fs::write(&file, lines.map(|line| line.to_string() + "\n").collect::<String>()).unwrap();
    home.ok(&["import", file.to_str().unwrap()]);
}

#[test]
fn what_was_said_around_a_hit_is_listed_with_it() {
    let look = |home: &Home| {
        talk(home);
        let told = |arguments: &[&str]| {
            let told = home.ok(arguments);
            told.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let searched = |context: &str, format: &str| {
            told(&["search", "needle", "-C", context, "--columns", "content", "--format", format])
        };
        let near = ["m10", "Needle 9", "m8", "m6", "Needle 5", "m4"];
        assert_eq!(searched("1", "tsv"), near);
        let (late, early) = near.split_at(3);
        assert_eq!(searched("1", "table"), [&["CONTENT"], late, &["--"], early].concat());
        let all = ["m11", "m10", "Needle 9", "m8", "m7", "m6", "Needle 5", "m4", "m3"];
        assert_eq!(searched("2", "tsv"), all, "groups that overlap are one");
        let shown = told(&["show", &id(11)[..8], "--context", "2", "--json"]);
        let shown: Vec<Value> =
            shown.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let shown: Vec<_> = shown.iter().map(|one| one["content"].as_str().unwrap()).collect();
        assert_eq!(shown, ["m12", "m11", "m10", "Needle 9"]);
        assert!(home.fails(2, &["search", "x", "--follow", "-C", "1"]).contains("--context"));
        home.fails(2, &["search", "x", "-C", "0"]);
    };
    look(&Home::new());
    look(&TestServer::start().home);
}

#[test]
fn more_messages_of_one_second_than_a_page_has_hide_no_hit() {
    let home = Home::new();
    let line = |n: u64| {
        json!({
            "id": id(n), "message_type": "Text", "content": format!("m{n}"), "platform": "qq",
            "recipient": "group_1", "status": "Sent", "direction": "Inbound", "account": "10",
            "created_at": 1_700_000_000, "updated_at": 1_700_000_000, "retry_count": 0,
        })
    };
    let file = home.path("many.jsonl");
    std::fs::write(&file, (1..=90).map(|n| line(n).to_string() + "\n").collect::<String>())
        .unwrap();
    home.ok(&["import", file.to_str().unwrap()]);
    let shown = home.ok(&["list", "--search", "m30", "-C", "2", "--columns", "content"]);
    assert_eq!(shown, "m32\nm31\nm30\nm29\nm28\n");
}

#[test]
fn a_hit_is_marked_and_in_sight_at_a_terminal() {
    let home = Home::new();
    let long = format!("{}the Ｎｅｅｄｌｅ is here", "words before it ".repeat(30));
    home.ok(&["send", "-p", "qq", "-r", "group_1", &long]);
    let found = Terminal::start(&home, &["search", "needle"]);
    found.sees("is here");
    let marked: String = found.with_screen(|screen| {
        let (rows, columns) = screen.size();
        let places =
            (0..rows.into()).flat_map(|row| (0..columns.into()).map(move |column| (row, column)));
        let cells = places.filter_map(|(row, column)| screen.cell(row, column));
        cells.filter(|cell| cell.inverse()).map(|cell| cell.contents().to_owned()).collect()
    });
    assert_eq!(marked, "Ｎｅｅｄｌｅ");
    let piped = home.ok(&["search", "needle", "--format", "table"]);
    assert!(piped.contains("Ｎｅｅｄｌｅ is here") && !piped.contains('\u{1b}'), "{piped}");
    assert!(home.ok(&["search", "needle"]).contains(&long), "programs get all of it");
}
