//! Messages and conversations named as people name them: the beginning of an ID, a shown name.

use crate::server::{Home, TestServer};
use crate::terminal::Terminal;
use serde_json::{Value, json};

/// Two IDs that begin alike, and a third.
const IDS: [&str; 3] = [
    "6f0a0c1e-8f5c-4c8e-9a54-7b1e43a8a5b0",
    "6f0a0c1e-8f5c-4c8e-9a54-000000000001",
    "abcdef01-8f5c-4c8e-9a54-000000000001",
];

/// Messages of two groups with names, one of them on two platforms.
fn seed(home: &Home) {
    let line = |id: &str, platform: &str, conversation: &str, name: &str, content: &str| {
        json!({
            "id": id, "message_type": "Text", "content": content, "recipient": conversation,
            "status": "Sent", "created_at": 1_700_000_000, "updated_at": 1_700_000_000,
            "retry_count": 0, "platform": platform, "direction": "Inbound", "account": "10",
            "conversation_name": name, "sender": {"id": "7", "name": "Ann"},
        })
    };
    let lines = [
        line(IDS[0], "qq", "group_1", "周末爬山小队", "first"),
        line(IDS[1], "qq", "group_2", "Family", "second"),
        line(IDS[2], "other", "group_2", "Family", "third"),
    ];
    let file = home.path("seed.jsonl");
    std::fs::write(&file, lines.map(|line| line.to_string() + "\n").concat()).unwrap();
    home.ok(&["import", file.to_str().unwrap()]);
}

/// With a server and without one.
fn everywhere(test: impl Fn(&Home)) {
    let home = Home::new();
    seed(&home);
    test(&home);
    let server = TestServer::start();
    seed(&server.home);
    test(&server.home);
}

#[test]
fn a_message_is_named_by_the_beginning_of_its_id() {
    everywhere(|home| {
        let content = |id: &str| home.ok(&["list", "--before", id, "--format", "{content}"]);
        assert!(home.ok(&["get", "ABCD"]).contains("third"));
        assert!(home.ok(&["show", "6f0a0c1e-8f5c-4c8e-9a54-0"]).contains("second"));
        assert_eq!(content("abcdef01"), "second\nfirst\n");
        assert_eq!(content("2"), "first\n", "a `seq` is a place, too");
        let errors = home.fails(2, &["get", "6f0a0c1e"]);
        for part in [IDS[0], IDS[1], "周末爬山小队: first", "write more of it"] {
            assert!(errors.contains(part), "{errors}");
        }
        let errors = home.fails(1, &["get", "0123"]);
        assert!(errors.contains("begins with 0123"), "{errors}");
        home.fails(2, &["get", "6f0"]);
        // IDs that were made here.
        let sent = home.ok(&["send", "-r", "group_1", "-p", "qq", "mine"]);
        let id = &sent[..36];
        assert!(home.ok(&["get", &id[..13]]).contains("mine"));
        assert_eq!(home.ok(&["cancel", &id[..8]]), format!("{id} Canceled\n"));
        assert_eq!(home.ok(&["set-status", &id[..8], "failed"]), format!("{id} Failed\n"));
        assert_eq!(home.ok(&["retry", &id[..8]]), format!("{id} Pending\n"));
        let errors = home.fails(1, &["delete", &id[..8], "6f0a0c1e"]);
        assert!(errors.contains("write more of it"), "{errors}");
        assert!(home.fails(1, &["get", id]).contains("there is no message"));
    });
}

#[test]
fn messages_are_found_by_the_beginning_of_their_id() {
    let server = TestServer::start();
    seed(&server.home);
    let mine: Vec<_> = (0..300).map(|n| server.make("group_1", &n.to_string())).collect();
    let contents = |query: &str| -> Vec<String> {
        let (status, page) = server.get(&format!("/api/messages?{query}"));
        assert_eq!(status, 200, "{page}");
        let messages = page["messages"].as_array().unwrap().iter();
        messages.map(|message| message["content"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(contents("id_prefix=6f0a"), ["second", "first"]);
    assert_eq!(contents("id_prefix=6f0a&limit=1"), ["second"]);
    assert_eq!(contents(&format!("id_prefix=6F0A0C1E8F5C&before={}", IDS[1])), ["first"]);
    assert_eq!(contents("id_prefix=6f0a&conversation=group_1"), ["first"]);
    let mut prefixes = (0..0x1_0000).map(|number| format!("{number:04x}"));
    let is_free = |prefix: &String| !mine.iter().any(|id| id.starts_with(prefix.as_str()));
    let free = prefixes.find(|prefix| is_free(prefix) && !IDS[0].starts_with(prefix)).unwrap();
    assert_eq!(contents(&format!("id_prefix={free}&limit=1")), [""; 0]);
    for (n, id) in mine.iter().enumerate() {
        assert!(contents(&format!("id_prefix={}", &id[..8])).contains(&n.to_string()), "{id}");
    }
    assert_eq!(contents(&format!("id_prefix={}", mine[7])), ["7"]);
    // Message 7 is the eighth of 300; the three that were imported came before them.
    let near = |newest: u64| contents(&format!("id_prefix={}&newest={newest}", &mine[7][..12]));
    assert_eq!((near(293), near(292)), (vec!["7".to_owned()], Vec::new()));
    assert_eq!(contents("id_prefix=6f0a&newest=300"), [""; 0]);
    assert_eq!(contents("id_prefix=6f0a&newest=301"), [""; 0]);
    assert_eq!(contents("id_prefix=6f0a&newest=302"), ["second"]);
    for wrong in [
        "newest=9",
        "id_prefix=6f0",
        "id_prefix=xyzw",
        "id_prefix=6f0a&q=x",
        "id_prefix=6f0a&offset=1",
    ] {
        let (status, error) = server.get(&format!("/api/messages?{wrong}"));
        assert_eq!(status, 400, "{wrong}");
        assert!(error["error"].as_str().unwrap().contains("`id_prefix`"), "{error}");
    }
}

#[test]
fn a_conversation_is_named_as_it_is_shown() {
    everywhere(|home| {
        let sent = home.ok(&["send", "-r", "周末爬山小队", "--json", "see", "you", "on Sunday"]);
        let sent: Value = serde_json::from_str(&sent).unwrap();
        assert_eq!((&sent["recipient"], &sent["platform"]), (&json!("group_1"), &json!("qq")));
        assert_eq!(sent["content"], "see you on Sunday");
        let listed = |arguments: &[&str]| {
            home.ok(&[&["list", "--format", "{content}"][..], arguments].concat())
        };
        assert_eq!(listed(&["-c", "周末爬山小队"]), "see you on Sunday\nfirst\n");
        assert_eq!(listed(&["-c", "family", "-p", "other"]), "third\n");
        assert_eq!(listed(&["-c", "1"]), "see you on Sunday\nfirst\n", "the number in its ID");
        let exported = home.ok(&["export", "-c", "family", "-p", "other"]);
        assert!(exported.lines().count() == 1 && exported.contains("third"), "{exported}");
        for command in [&["list", "-c", "Family"][..], &["send", "-r", "Family", "x"]] {
            let errors = home.fails(2, command);
            assert!(errors.contains("several conversations are called `Family`"), "{errors}");
            assert!(errors.contains("-p qq") && errors.contains("-p other"), "{errors}");
        }
        for command in [&["list", "-c", "爬山小队"][..], &["send", "-r", "爬山小队", "x"]] {
            let errors = home.fails(2, command);
            assert!(errors.contains("did you mean `周末爬山小队` (-p qq, group_1)"), "{errors}");
        }
        let errors = home.fails(2, &["search", "x", "-c", "nobody"]);
        assert!(errors.contains("rechat conversations"), "{errors}");
        assert_eq!(listed(&["-c", "group_77"]), "", "in the form of an ID it need not be known");
        home.ok(&["send", "-r", "爬山小队", "-p", "qq", "--new", "x"]);
    });
}

#[test]
fn a_batch_takes_the_names_of_conversations_too() {
    everywhere(|home| {
        let file = home.path("batch.jsonl");
        std::fs::write(&file, "{\"recipient\": \"周末爬山小队\", \"content\": \"hi\"}\n").unwrap();
        home.ok(&["send", &format!("--batch={}", file.display())]);
        assert_eq!(
            home.ok(&["list", "-n", "1", "--format", "{conversation} {content}"]),
            "group_1 hi\n"
        );
        std::fs::write(&file, "{\"recipient\": \"nobody\", \"content\": \"hi\"}\n").unwrap();
        let batch = format!("--batch={}", file.display());
        let errors = home.fails(1, &["send", &batch]);
        assert!(errors.contains("no conversation `nobody` is known"), "{errors}");
        home.ok(&["send", &batch, "--new"]);
    });
}

#[test]
fn every_message_of_a_conversation_has_the_name_that_it_has_now() {
    everywhere(|home| {
        home.ok(&["send", "-r", "group_1", "-p", "qq", "mine"]);
        let listed =
            home.ok(&["list", "-p", "qq", "-c", "group_1", "--format", "{name} {content}"]);
        assert_eq!(listed, "周末爬山小队 mine\n周末爬山小队 first\n");
        Terminal::start(home, &["list", "-n", "1"]).sees("周末爬山小队 me");
    });
}

#[test]
fn a_name_comes_before_an_id_that_was_written_by_mistake() {
    everywhere(|home| {
        home.ok(&["send", "-r", "周末爬山小队", "--new", "lost"]);
        let listed = home.run(&["list", "-c", "周末爬山小队", "--format", "{content}"]);
        assert_eq!(String::from_utf8_lossy(&listed.stdout), "first\n");
        let told = String::from_utf8_lossy(&listed.stderr);
        assert!(told.contains("-p local shows them"), "{told}");
        let ghost = ["list", "-c", "周末爬山小队", "-p", "local", "--format", "{content}"];
        assert_eq!(home.ok(&ghost), "lost\n");
    });
}

#[test]
fn people_are_mentioned_by_the_name_under_which_they_wrote() {
    everywhere(|home| {
        let sent = |who: &str| {
            let send = ["send", "-r", "group_1", "-p", "qq", "--json", "--mention", who, "look"];
            serde_json::from_str::<Value>(&home.ok(&send)).unwrap()
        };
        for who in ["Ann", "7"] {
            let message = sent(who);
            let mention = json!({"type": "mention", "user": "7", "name": "Ann"});
            assert_eq!(message["segments"][0], mention, "{who}");
            assert_eq!(message["segments"][1]["text"], " look");
            assert_eq!(message["content"], "@Ann look");
        }
        assert_eq!(sent("10002")["segments"][0]["user"], "10002");
        let send = ["send", "-r", "group_1", "-p", "qq", "--mention", "Bob", "look"];
        assert!(home.fails(2, &send).contains("`Bob` never wrote"));
    });
}

#[test]
fn a_terminal_shows_where_a_message_goes() {
    everywhere(|home| {
        Terminal::start(home, &["send", "-r", "周末爬山小队", "x"])
            .sees("to 周末爬山小队 (group_1) on qq");
        let piped = home.ok(&["send", "-c", "group_1", "-p", "qq", "x"]);
        assert!(piped.trim_end().len() == 36 + " Pending".len(), "{piped}");
    });
}
