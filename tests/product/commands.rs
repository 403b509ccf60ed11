//! The command line, with no server, with the one on this host, and with one elsewhere.

use crate::server::{Home, TestServer, eventually, has_mode};
use crate::terminal::Terminal;
use serde_json::{Value, json};
use std::io::Write;
use std::sync::Arc;

/// Runs the same commands with each source of messages.
fn works(home: &Home, place: &[&str]) {
    let run = |arguments: &[&str]| home.ok(&[arguments, place].concat());
    let sent = run(&[
        "send",
        "-r",
        "group_1",
        "-p",
        "nowhere",
        "--new",
        "-t",
        "iMaGe",
        "--json",
        "https://x/y",
    ]);
    let message: Value = serde_json::from_str(&sent).unwrap();
    assert_eq!(message["message_type"], "Image");
    assert_eq!(message["platform"], "nowhere");
    let id = message["id"].as_str().unwrap();
    let waiting = |text: String| {
        let mut message: Value = serde_json::from_str(&text).unwrap();
        let fields = message.as_object_mut().unwrap();
        let why = fields.remove("waiting").expect("it says why it waits");
        fields.remove("waiting_code");
        assert_eq!(message, serde_json::from_str::<Value>(&sent).unwrap());
        why.as_str().unwrap().to_owned()
    };
    let listed = waiting(run(&["list", "--json", "--status", "PENDING"]));
    assert!(listed.contains("no adapter of nowhere") || listed.contains("no server"), "{listed}");
    assert_eq!(run(&["list", "--status", "failed"]), "");
    assert_eq!(waiting(run(&["get", id, "--json"])), listed);
    assert!(run(&["get", id]).contains("status        Pending"));
    assert_eq!(run(&["cancel", id]), format!("{id} Canceled\n"));
    assert_eq!(run(&["retry", id]), format!("{id} Pending\n"));
    assert_eq!(run(&["set-status", id, "failed"]), format!("{id} Failed\n"));
    let counts: Value = serde_json::from_str(&run(&["stats", "--json"])).unwrap();
    assert_eq!(counts["failed"], 1);
    let fields = run(&["list"]);
    let fields: Vec<_> = fields.trim_end().split('\t').collect();
    assert_eq!(fields[1..7], ["Outbound", "nowhere", "group_1", "Failed", "Image", ""]);
    assert_eq!(run(&["delete", id]), format!("{id} deleted\n"));
    let gone = home.fails(1, &[&["get", id], place].concat());
    assert!(gone.contains("there is no message"), "{gone}");
}

#[test]
fn every_command_works_on_the_store_itself() {
    let home = Home::new();
    works(&home, &[]);
    assert!(has_mode(&home.db(), 0o600));
    assert!(has_mode(home.db().parent().unwrap(), 0o700));
    assert!(home.ok(&["check"]).contains("nothing is damaged"));
}

#[test]
fn every_command_works_through_the_server_on_this_host() {
    let server = TestServer::start();
    works(&server.home, &[]);
    assert!(has_mode(&server.home.db().with_extension("sock"), 0o600));
}

#[test]
fn every_command_works_on_a_server_elsewhere() {
    let server = TestServer::start_with(&["--token", "secret"]);
    let url = server.url("");
    let elsewhere = Home::new();
    works(&elsewhere, &["--server", &url, "--token", "secret"]);
    let refused = elsewhere.fails(1, &["list", "--server", &url]);
    assert!(refused.contains("token"), "{refused}");
    assert!(!elsewhere.db().exists());
    assert!(!server.log().contains("secret"));
}

#[test]
fn content_comes_from_standard_input_too() {
    let home = Home::new();
    for arguments in
        [&["send", "-r", "group_1", "--json"][..], &["send", "-r", "group_1", "--json", "-"]]
    {
        let mut child =
            home.command(arguments).stdin(std::process::Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all("two\nlines\n".as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let message: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(message["content"], "two\nlines");
    }
}

#[test]
fn a_batch_tells_what_was_refused_and_why() {
    let home = Home::new();
    let file = home.path("batch.jsonl");
    let lines = "{\"recipient\":\"group_1\",\"content\":\"1\"}\nnonsense\n\n{\"recipient\":\"group_1\",\"content\":\"\"}\n{\"content\":\"1\"}\n[\"group_1\",\"1\"]\n";
    std::fs::write(&file, lines).unwrap();
    let batch = format!("--batch={}", file.display());
    let errors = home.fails(1, &["send", &batch]);
    for word in [
        "1 message stored, 4 refused",
        "line 2: it is no JSON from column 2 on",
        "line 4: ",
        "content",
        "line 5: missing field `recipient`",
        "line 6: a line has to be a JSON object, not an array",
        "write each",
    ] {
        assert!(errors.contains(word), "{errors}");
    }
    assert!(!errors.contains("at line"), "a line has no lines of its own: {errors}");
    let listed = home.ok(&["list", "--json"]);
    assert_eq!(listed.lines().count(), 1);
    // In a pipe, each message that is stored is a line.
    std::fs::write(&file, "{\"recipient\":\"group_1\",\"content\":\"2\"}\n".repeat(2)).unwrap();
    let stored = home.ok(&["send", &batch]);
    assert_eq!(stored.lines().filter(|line| line.ends_with(" Pending")).count(), 2, "{stored}");
}

#[test]
fn waiting_tells_by_its_exit_code_whether_it_was_sent() {
    let server = TestServer::start_with(&["--loopback"]);
    let sent =
        server.home.ok(&["send", "-p", "loopback", "-r", "group_1", "--wait=30", "--json", "x"]);
    assert_eq!(serde_json::from_str::<Value>(&sent).unwrap()["status"], "Sent");
    let alone = Home::new();
    let errors = alone.fails(1, &["send", "-r", "group_1", "--wait=1", "x"]);
    assert!(errors.contains("no server runs"), "{errors}");
}

#[test]
fn a_number_after_wait_is_not_sent() {
    let home = Home::new();
    for arguments in
        [&["send", "--wait", "5", "-r", "group_1"][..], &["send", "-r", "a", "--wait", "5"]]
    {
        let errors = home.fails(2, arguments);
        assert!(errors.contains("write --wait=5"), "{errors}");
    }
    assert!(!home.db().exists());
    home.ok(&["send", "-r", "group_1", "--", "5"]);
    assert!(home.ok(&["send", "--help"]).contains("written with `=`"));
}

#[test]
fn waiting_in_vain_ends_with_1_and_says_what_to_do() {
    let server = TestServer::start();
    let errors = server.home.fails(1, &["send", "-r", "group_1", "-p", "qq", "--wait=0", "x"]);
    assert!(errors.contains("still Pending after 0 s"), "{errors}");
    let id = errors.split("rechat get ").nth(1).and_then(|rest| rest.split('`').next()).unwrap();
    assert!(server.home.ok(&["get", id]).contains("no adapter of qq is connected"));
    assert!(errors.contains("rechat get "), "{errors}");
}

/// A file that is sent as a medium is read here; nothing else than that and URLs is taken.
#[test]
fn a_file_is_read_and_sent_and_a_path_never_goes_out() {
    let home = Home::new();
    let file = home.path("月 1.png");
    std::fs::write(&file, "\0not really a picture").unwrap();
    let path = file.to_str().unwrap();
    let send =
        |content: &str| home.run(&["send", "-r", "group_1", "-t", "image", "--json", content]);
    for content in [path, &format!("file://{}", path.replace(' ', "%20"))] {
        let message: Value = serde_json::from_slice(&send(content).stdout).unwrap();
        assert_eq!(message["content"], "月 1.png");
        let segment = &message["segments"][0];
        assert_eq!(
            (&segment["mime"], &segment["url"]),
            (&"application/octet-stream".into(), &Value::Null)
        );
        let media = segment["media"].as_str().unwrap();
        let kept = home.path(&format!("data/rechat/rechat.redb-media/{}/{media}", &media[..2]));
        assert_eq!(std::fs::read_to_string(kept).unwrap(), "\0not really a picture");
    }
    // A line, not its bytes, wherever people look.
    let listed = home.ok(&["list"]);
    let id = listed.lines().next().unwrap().rsplit('\t').next().unwrap().to_owned();
    for shown in [listed, home.ok(&["get", &id])] {
        assert!(shown.contains("月 1.png") && !shown.contains("bm90"), "{shown}");
    }
    let url: Value = serde_json::from_slice(&send(" HTTPS://x/y ").stdout).unwrap();
    assert_eq!(url["content"], "HTTPS://x/y");
    let folder = home.path(".").display().to_string();
    for wrong in ["/no/such.png", "word", &folder] {
        let output = send(wrong);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains("cannot read") && errors.contains(wrong), "{errors}");
    }
    let text = home.path("map.txt");
    std::fs::write(&text, "turn left").unwrap();
    let output = send(text.to_str().unwrap());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("text/plain") && errors.contains("--file"), "{errors}");
    let batch = home.path("batch.jsonl");
    let line =
        serde_json::json!({"recipient": "group_1", "content": path, "message_type": "Image"});
    std::fs::write(&batch, line.to_string()).unwrap();
    let errors = home.fails(1, &["send", &format!("--batch={}", batch.display())]);
    assert!(errors.contains("must be a URL") && errors.contains("--file PATH"), "{errors}");
    assert_eq!(home.ok(&["list", "--json"]).lines().count(), 3);
}

#[test]
fn a_file_over_the_servers_limit_is_told_with_that_limit() {
    let home = Arc::new(Home::new());
    home.configure("media.max_bytes = 1000000\n");
    let server = TestServer::start_in(home, &[]);
    let file = server.home.path("large.bin");
    std::fs::write(&file, vec![0; 2 << 20]).unwrap();
    let errors =
        server.home.fails(1, &["send", "-r", "group_1", "-t", "file", file.to_str().unwrap()]);
    assert!(errors.contains("media.max_bytes"), "{errors}");
}

#[test]
fn a_platform_or_a_conversation_nobody_has_is_refused() {
    fn tells(home: &Home) {
        let errors = home.fails(2, &["send", "-p", "whatsapp", "-r", "group_1", "x"]);
        assert!(errors.contains("`whatsapp` is not known"), "{errors}");
        assert!(errors.contains("qq") && errors.contains("--new"), "{errors}");
        let refused = |name| home.fails(2, &["send", "x", "-p", "qq", "-r", name]);
        let errors = refused("Family");
        assert!(errors.contains("group_<id>") && errors.contains("--new"), "{errors}");
        assert!(refused("123").contains("group_123 is a group"));
        for known in [&["group_1"][..], &["Family", "--new"]] {
            let output = home.run(&[&["send", "x", "-p", "qq", "-r"], known].concat());
            assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        }
    }
    tells(&Home::new());
    tells(&TestServer::start().home);
    let configured = Home::new();
    configured.configure("[[adapter]]\nkind = 'onebot11'\nplatform = 'qq2'\n");
    configured.ok(&["send", "-p", "qq2", "-r", "group_1", "x"]);
}

#[test]
fn json_that_other_programs_write_is_read() {
    let home = Home::new();
    let file = home.path("batch.jsonl");
    let mut lines = "\u{feff}{\"recipient\":\"group_1\",\"content\":\"half \\ud83d\"}\r\n"
        .to_owned()
        .into_bytes();
    lines.extend(b"{\"recipient\":\"group_1\",\"content\":\"a\",\"content\":\"b \xff\"}\n");
    std::fs::write(&file, lines).unwrap();
    home.ok(&["send", &format!("--batch={}", file.display())]);
    let contents = |home: &Home| -> Vec<String> {
        let listed = home.ok(&["list", "--json"]);
        let messages = listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        messages.map(|message| message["content"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(contents(&home), ["b \u{fffd}", "half \u{fffd}"]);
    let exported = home.ok(&["export"]).replace("half \u{fffd}", "half \\ude00");
    std::fs::write(&file, format!("\u{feff}{exported}")).unwrap();
    let other = Home::new();
    other.ok(&["import", file.to_str().unwrap()]);
    assert_eq!(contents(&other), contents(&home));
    let mut child = home
        .command(&["send", "-r", "group_1"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"\xef\xbb\xbfhi \xed\xa0\xbd\n").unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(contents(&home)[0], "hi \u{fffd}\u{fffd}\u{fffd}");
}

#[test]
fn variables_of_kubernetes_are_warned_of_and_stop_nothing() {
    let home = Home::new();
    let mut command = home.command(&["send", "-r", "group_1", "x"]);
    command.env("RECHAT_PORT", "tcp://10.0.0.1:8080").env("RECHAT_SERVICE_HOST", "10.0.0.1");
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert!(errors.contains("RECHAT_PORT") && errors.contains("RECHAT_SERVICE_HOST"), "{errors}");
}

#[test]
fn completions_come_from_live_data_and_are_silent_without_any() {
    let complete = |home: &Home, words: &[&str]| {
        let mut command = home.command(&[]);
        command.env("COMPLETE", "fish").arg("--").args(words);
        let output = command.output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let empty = Home::new();
    assert_eq!(
        complete(&empty, &["rechat", "get", ""]).lines().filter(|l| !l.starts_with('-')).count(),
        0
    );
    assert!(!empty.db().exists());
    assert!(complete(&empty, &["rechat", "list", "--status", ""]).contains("Failed"));
    // Nothing comes where the host does not answer soon.
    let offers = |home: &Home, words: &[&str], wanted: &dyn Fn(&str) -> bool| {
        let words = [&["rechat"], words].concat();
        eventually(&format!("values for {words:?}"), || {
            Some(complete(home, &words)).filter(|offered| wanted(offered))
        })
    };
    let server = TestServer::start();
    let home = &server.home;
    let sent = home.ok(&["send", "-p", "qq", "-r", "group_77", "\u{1b}[2Jhello"]);
    let id = sent.split(' ').next().unwrap();
    let has = |text: &str| {
        let text = text.to_owned();
        move |offered: &str| offered.contains(&text)
    };
    for words in [&["get", ""][..], &["cancel", &id[..4]]] {
        let offered = offers(home, words, &has(&format!("{}\t", &id[..8])));
        assert!(offered.contains("hello") && !offered.contains('\u{1b}'), "{offered}");
    }
    offers(home, &["reply", &id[..10]], &has(id));
    assert!(!complete(home, &["rechat", "retry", ""]).contains(id));
    offers(home, &["send", "-r", "g"], &has("group_77"));
    let url = server.url("");
    offers(&empty, &["list", "--server", &url, "--conversation", ""], &has("group_77"));
    offers(home, &["list", "--platform", ""], &has("qq"));
    assert!(!complete(home, &["rechat", "list", "--platform", "x"]).contains("qq"));
    let logins = complete(home, &["rechat", "login", ""]);
    assert!(logins.lines().any(|line| line.trim_end() == "wechat"), "{logins}");
    assert!(!logins.contains("loopback"), "{logins}");
    assert!(complete(home, &["rechat", "list", "--status", "fa"]).starts_with("Failed"));
    home.ok(&["cancel", id]);
    offers(home, &["retry", ""], &has(&id[..8]));
}

#[test]
fn names_of_conversations_and_people_are_completed_and_ids_of_older_messages() {
    let home = Home::new();
    let line = |n: u64, group: &str, name: &str, sender: &str| {
        json!({
            "id": format!("{n:08x}-0000-4000-8000-000000000000"), "message_type": "Text",
            "content": format!("m{n}"), "recipient": group, "conversation_name": name,
            "status": "Sent", "direction": "Inbound", "platform": "qq", "account": "10",
            "sender": {"id": format!("7{}", sender.len()), "name": sender},
            "created_at": 1_700_000_000 + n, "updated_at": 1_700_000_000, "retry_count": 0,
        })
    };
    let first = line(0xabcd_ef01, "group_1", "Book Club", "Zoé Example");
    let rest = (1..=300).map(|n| line(n, "group_2", "周末爬山小队", "Bernd"));
    let lines = std::iter::once(first).chain(rest);
    let file = home.path("seed.jsonl");
    std::fs::write(&file, lines.map(|line| line.to_string() + "\n").collect::<String>()).unwrap();
    home.ok(&["import", file.to_str().unwrap()]);
    let complete = |shell: &str, words: &[&str]| {
        let mut command = home.command(&[]);
        command.env("COMPLETE", shell).arg("--").args(words);
        command.env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string());
        command.env("_CLAP_IFS", "\n");
        let output = command.output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    // Nothing comes where the host does not answer soon.
    let offers = |shell: &str, words: &[&str], wanted: &str| {
        let words = [&["rechat"], words].concat();
        eventually(&format!("{wanted:?} for {words:?}"), || {
            (complete(shell, &words) == wanted).then_some(())
        });
    };
    offers("fish", &["list", "-c", "周"], "周末爬山小队\tqq group_2\n");
    offers("fish", &["list", "-c", "boo"], "Book Club\tqq group_1\n");
    offers("fish", &["list", "-c", "group_1"], "group_1\tqq Book Club\n");
    // An old message has it, which a search finds.
    offers("fish", &["list", "--sender", "zo"], "Zoé Example\t712\n");
    offers("fish", &["list", "-c", "group_2", "--sender", "B"], "Bernd\t75\n");
    assert_eq!(complete("fish", &["rechat", "list", "-c", "group_2", "--sender", "Z"]), "");
    let sent = ["send", "-r", "Book Club", "--mention"];
    offers("fish", &[&sent[..], &["Z"]].concat(), "Zoé Example\t712\n");
    offers("fish", &[&sent[..], &["al"]].concat(), "all\teverybody\n");
    offers("bash", &["list", "-c", "Boo"], "Book\\ Club");
    // Older than the newest fifty.
    offers("fish", &["get", "abcd"], "abcdef01\tSent group_1: m2882400001\n");
}

#[test]
fn a_reader_that_goes_early_is_no_error() {
    let home = Home::new();
    let file = home.path("many.jsonl");
    let line = format!("{{\"recipient\":\"group_1\",\"content\":\"{}\"}}\n", "x".repeat(400));
    std::fs::write(&file, line.repeat(400)).unwrap();
    home.ok(&["send", &format!("--batch={}", file.display())]);
    let mut child = home.command(&["list", "--limit", "400"]).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn what_others_wrote_cannot_reach_the_terminal_raw() {
    let home = Home::new();
    home.ok(&["send", "-r", "group_1", "\u{1b}]0;owned\u{7}\ttab\nline"]);
    let shown = home.ok(&["list"]);
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{7}'));
    assert!(shown.contains("\\u{1b}]0;owned\\u{7}\\ttab\\nline"), "{shown}");
}

#[test]
fn wrong_usage_ends_with_2_and_failures_with_1() {
    let home = Home::new();
    home.fails(2, &["dance"]);
    home.fails(2, &["send", "x"]);
    home.fails(2, &["send", "-r", "group_1", ""]);
    home.fails(2, &["list", "--status", "happy"]);
    home.fails(2, &["list", "--server", "ftp://x"]);
    let errors = home.fails(1, &["list"]);
    assert!(errors.contains("there is no store at"), "{errors}");
    let errors = home.fails(2, &["serve", "--listen", "0.0.0.0:0"]);
    assert!(errors.contains("--token"), "{errors}");
}

#[test]
fn wrong_use_is_told_with_its_place_and_what_to_do() {
    let mut server = TestServer::start();
    let home = server.home.clone();
    let path = |name: &str| home.path(name).display().to_string();
    let [folder, nowhere, half, tls] = ["", "no/x", "half.toml", "tls.toml"].map(path);
    std::fs::write(&half, "listen = \"127.0.0.1:").unwrap();
    std::fs::write(&tls, "[tls]\ncertificate = '/no/c'\nkey = '/no/k'\n").unwrap();
    let taken = server.address.clone();
    let other = path("other.redb");
    let cases: [(i32, &[&str], [&str; 2]); 11] = [
        (2, &["get", "x"], ["`x`", "`rechat list`"]),
        (2, &["retry", "x"], ["`x`", "`rechat list`"]),
        (1, &["get", "6f0a0c1e-8f5c-4c8e-9a54-7b1e43a8a5b0"], ["6f0a0c1e", "`rechat list`"]),
        (1, &["export", &folder], [&folder, "is a folder"]),
        (1, &["export", &half], ["is there already", "--force"]),
        (1, &["backup", "--force", &folder], [&folder, "is a folder"]),
        (1, &["backup", &nowhere], ["there is no folder", "make it first"]),
        (1, &["import", &folder], [&folder, "cannot read"]),
        (2, &["check"], ["a server has", "rechat backup"]),
        (1, &["stats", "--config", &half], ["half.toml, line 1: `listen`", "rechat man"]),
        (1, &["serve", "--db", &other, "--listen", &taken], [&taken, "another program"]),
    ];
    for (code, arguments, words) in cases {
        let errors = home.fails(code, arguments);
        assert!(words.iter().all(|word| errors.contains(word)), "{arguments:?}: {errors}");
    }
    server.stop();
    let errors = home.fails(1, &["serve", "--config", &tls, "--listen", "127.0.0.1:0"]);
    assert!(errors.contains("/no/c") && !errors.contains("serving"), "{errors}");
    let errors = home.fails(1, &["compact", "--db", &nowhere]);
    assert!(errors.contains("there is no store at") && errors.contains("--db"), "{errors}");
}

#[test]
fn files_that_are_not_ours_stay_as_they_are() {
    let home = Home::new();
    let file = home.path("letter.txt");
    std::fs::write(&file, "Dear reader, this is no database at all.").unwrap();
    let db = file.to_str().unwrap();
    let errors = home.fails(1, &["send", "--db", db, "-r", "group_1", "x"]);
    assert!(errors.contains("no rechat store"), "{errors}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "Dear reader, this is no database at all.");
    let other = home.path("other.redb");
    let table: redb::TableDefinition<u64, u64> = redb::TableDefinition::new("theirs");
    let database = redb::Database::create(&other).unwrap();
    let txn = database.begin_write().unwrap();
    txn.open_table(table).unwrap().insert(1, 2).unwrap();
    txn.commit().unwrap();
    let errors = home.fails(1, &["list", "--db", other.to_str().unwrap()]);
    assert!(errors.contains("in use by another process"), "{errors}");
    drop(database);
    let before = std::fs::read(&other).unwrap();
    let errors =
        home.fails(1, &["serve", "--listen", "127.0.0.1:0", "--db", other.to_str().unwrap()]);
    assert!(errors.contains("belongs to another program"), "{errors}");
    assert!(std::fs::read(&other).unwrap() == before);
}

#[test]
fn two_servers_on_one_store_are_refused_and_a_stale_socket_is_not_in_the_way() {
    let mut server = TestServer::start();
    let errors = server.home.fails(1, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(errors.contains("already runs"), "{errors}");
    server.kill();
    assert!(server.home.db().with_extension("sock").exists());
    server.start_again();
    assert_eq!(server.home.ok(&["stats"]).lines().count(), 6);
    assert_eq!(server.stop(), Some(0));
    assert!(!server.home.db().with_extension("sock").exists());
}

#[test]
fn commands_at_once_without_a_server_wait_for_each_other() {
    let home = Home::new();
    let send = |n: usize| {
        for m in 0..5 {
            let text = format!("{n}-{m}");
            home.ok(&["send", "-r", "group_1", "-p", "nowhere", "--new", &text]);
            if m % 2 == 0 {
                home.ok(&["list", "--limit", "1"]);
            }
        }
    };
    std::thread::scope(|scope| {
        for n in 0..8 {
            let send = &send;
            scope.spawn(move || send(n));
        }
    });
    assert_eq!(home.ok(&["list", "--limit", "100", "--json"]).lines().count(), 40);
    assert!(home.ok(&["check"]).contains("nothing is damaged"));
    let db = home.db();
    let names = std::fs::read_dir(db.parent().unwrap()).unwrap().flatten();
    let names: Vec<_> = names.map(|entry| entry.file_name()).collect();
    assert_eq!(names, ["rechat.redb"], "nothing stays behind");
}

#[test]
fn a_follower_gets_what_meets_every_condition_across_a_kill() {
    let mut server = TestServer::start_with(&["--loopback"]);
    let heard = server.home.path("heard");
    server.make_for(Some("qq"), "group_1", "lunch before");
    for n in 0..3 {
        server.make_for(Some("qq"), "group_1", &format!("noise {n}"));
    }
    let arguments =
        ["list", "--follow", "--search", "LUNCH", "--type", "text", "--since", "1h", "--status"];
    let arguments = [&arguments[..], &["pending", "--direction", "out", "--json"]].concat();
    let mut command = server.home.command(&arguments);
    command.stdout(std::fs::File::create(&heard).unwrap());
    let mut follower = command.spawn().unwrap();
    let contents = || -> Vec<String> {
        let text = std::fs::read_to_string(&heard).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.map(|message| message["content"].as_str().unwrap().to_owned()).collect()
    };
    eventually("what there is", || (contents() == ["lunch before"]).then_some(()));
    server.make_for(Some("qq"), "group_2", "Lunch at one");
    eventually("what comes", || (contents().len() == 2).then_some(()));
    server.kill();
    server.start_again();
    server.make_for(Some("qq"), "group_1", "more noise");
    server.make_for(Some("loopback"), "group_1", "lunch that is sent");
    server.make_for(Some("qq"), "group_1", "no LUNCH today");
    let wanted = ["lunch before", "Lunch at one", "no LUNCH today"];
    let is_last_there = || contents().iter().any(|text| text == wanted[2]).then_some(());
    eventually("what comes after a kill", is_last_there);
    // A sent message may be looked at while it still waits.
    let told: Vec<_> = contents().into_iter().filter(|text| !text.contains("is sent")).collect();
    assert_eq!(told, wanted);
    follower.kill().unwrap();
    follower.wait().unwrap();
    for option in
        [&["--until", "1h"][..], &["--order", "time"], &["--offset", "1"], &["--before", "x"]]
    {
        let told = server.home.fails(2, &[&["list", "--follow"][..], option].concat());
        let says_why =
            told.contains("cannot be used with --follow: it") && told.contains(option[0]);
        assert!(says_why, "{told}");
    }
}

#[test]
fn a_follower_at_a_terminal_is_told_what_became_of_what_it_was_shown() {
    let server = TestServer::start();
    let shown = server.make("group_1", "lunch");
    let other = server.make("group_1", "noise");
    let following = Terminal::start(&server.home, &["list", "--follow", "--search", "lunch"]);
    following.sees("lunch");
    for id in [&other, &shown] {
        server.ask("PATCH", &format!("/api/messages/{id}"), Some(&json!({"status": "Canceled"})));
        server.ask("DELETE", &format!("/api/messages/{id}"), None);
    }
    following.sees("deleted");
    let contents = following.contents();
    assert!(contents.contains("Canceled") && !contents.contains(&other[..8]), "{contents}");
}

#[test]
fn a_command_tells_that_it_brings_an_older_store_up_to_date() {
    let packed = std::fs::read("tests/fixtures/store/0.2.0-closed.redb.gz").unwrap();
    for command in ["list", "compact", "check"] {
        let home = Home::new();
        let mut unpacked = Vec::new();
        let mut reader = flate2::read::GzDecoder::new(&packed[..]);
        std::io::Read::read_to_end(&mut reader, &mut unpacked).unwrap();
        std::fs::create_dir_all(home.db().parent().unwrap()).unwrap();
        std::fs::write(home.db(), unpacked).unwrap();
        let output = home.run(&[command]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && told.contains("is converted"), "{told}");
        assert!(told.contains("is up to date\n") && told.contains("rechat.redb"), "{told}");
        let again = home.run(&[command]);
        let told = String::from_utf8(again.stderr).unwrap();
        assert!(again.status.success() && !told.contains("is converted"), "{told}");
    }
}

#[test]
fn a_variable_that_is_no_text_is_refused_by_name() {
    use std::os::unix::ffi::OsStrExt;
    let home = Home::new();
    for name in ["RECHAT_DB", "RECHAT_TOKEN"] {
        let value = std::ffi::OsStr::from_bytes(b"/x/other\xff.redb");
        let output =
            home.command(&["send", "-r", "group_1", "--new", "hi"]).env(name, value).output();
        let output = output.unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains(name) && error.contains("UTF-8"), "{error}");
    }
    assert!(
        home.fails(1, &["list"]).contains("there is no store"),
        "something was stored elsewhere"
    );
}
