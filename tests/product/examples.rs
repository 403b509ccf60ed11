//! The examples of the help are run as they stand, and so are the guides' lines of `rechat`: beside a
//! server with a platform that answers, and then on the same store without a server.

use crate::onebot::{Peer, Reply, Script};
use crate::onebot11::{group_message, headers, private_message, willing};
use crate::readme::lines;
use crate::server::{Home, TestServer, eventually};
use crate::tools::program;
use clap::CommandFactory;
use rechat::cli::Cli;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

/// The account of the platform.
const ACCOUNT: &str = "10001000";

/// Guides with command lines. Their translations have the same ones (`readme.rs`).
const GUIDES: [&str; 7] = [
    "docs/agents.md",
    "docs/bots.md",
    "docs/cli.md",
    "docs/configuration.md",
    "docs/media.md",
    "docs/operations.md",
    "docs/wechat.md",
];

/// Lines that are not run, by how they begin, and why.
const NOT_RUN: [(&str, &str); 15] = [
    ("rechat cluster", "it needs NATS servers; tests/cluster has some"),
    ("rechat send -p wechat", "it needs an account of WeChat; tests/wechat sends to a fake of it"),
    ("cargo build", "it builds the program once more"),
    ("sudo", "it changes this machine"),
    ("TOKEN=\"$(podman", "it needs podman"),
    ("echo \"$TOKEN\"", "it shows what podman made"),
    ("podman", "it downloads images"),
    ("rustup", "it downloads a target"),
    ("rechat login wechat", "it asks Tencent's servers; tests/wechat logs in at a fake of them"),
    ("rechat logout wechat", "tests/wechat logs out"),
    ("pkill", "it signals other servers of this machine"),
    ("claude mcp add", "it changes a program of others"),
    ("rechat tui", "it needs a terminal; tests/product/tui.rs has one"),
    ("NO_COLOR=1 rechat tui", "the same"),
    ("rechat serve --listen 0.0.0.0", "it listens to other hosts"),
];

/// Words of lines that go on until somebody ends them.
const GOES_ON: [&str; 3] = ["--follow", "rechat watch", "rechat serve"];

/// A message of the examples.
const MESSAGE: &str = "6f0a0c1e";

/// Bytes of each file that is sent.
const FILE: &str = "GIF89a, or so";

/// Programs of the examples.
const PROGRAMS: [&str; 7] = ["bash", "jq", "zstd", "man", "xargs", "curl", "openssl"];

/// The examples that help shows, and the lines of the guides.
fn examples() -> Vec<String> {
    let cli = Cli::command();
    let mut all = Vec::new();
    for command in std::iter::once(&cli).chain(cli.get_subcommands()) {
        let name = command.get_name();
        let Some(help) = command.get_after_help() else { panic!("`{name}` has no example") };
        let help = help.to_string();
        let block = help.lines().skip_while(|line| !line.starts_with("Example")).skip(1);
        let found: Vec<_> = block.take_while(|line| !line.trim().is_empty()).map(bare).collect();
        assert!(found.iter().any(|line| line.contains(name)), "`{name}` has no example");
        all.extend(found);
    }
    let guides = GUIDES.into_iter().flat_map(lines);
    all.extend(guides.filter(|line| !line.starts_with('#')));
    all
}

/// An example without what is said of it.
fn bare(line: &str) -> String {
    let line = line.trim();
    line.split("   ").next().unwrap().split("  #").next().unwrap().trim().to_owned()
}

/// A platform whose people ask, and which does what it is asked.
fn obliging() -> Script {
    let willing = willing();
    Arc::new(move |action| match action["action"].as_str().unwrap() {
        "set_friend_add_request" | "delete_msg" => Reply::ok(Value::Null),
        _ => willing(action),
    })
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The person who types the examples.
struct Reader {
    home: Arc<Home>,
    address: String,
    peer: Option<Peer>,
    next: AtomicI64,
    /// Answers of the lines before, by the word that stands for it in the lines after them.
    told: RefCell<HashMap<&'static str, String>>,
}

impl Reader {
    /// Somebody writes; every example of a search and of a filter lets it through.
    fn hear(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let text = format!("lunch invoice 你好 two words {number}");
        let peer = self.peer.as_ref().unwrap();
        for mut event in [
            group_message(10_001_000, 123_456, number, &text),
            private_message(10_001_000, 10_001, number + 500_000, &text),
        ] {
            event["time"] = json!(now());
            event["group_name"] = json!("Family");
            event["sender"]["nickname"] = json!("Ann");
            event["sender"]["card"] = json!("");
            peer.push(&event);
        }
        peer.push(&group_message(10_001_000, 1, number + 900_000, &text));
        text
    }

    fn shell(&self, line: &str) -> Command {
        let path = std::env::var("PATH").unwrap();
        let home = self.home.path(".");
        let mut shell = self.home.program("bash", &["-o", "pipefail", "-c", line]);
        shell.current_dir(&home).env("HOME", &home).env("PROFILE", self.home.path("profile.ps1"));
        shell.env("PATH", format!("{}:{path}", self.home.path("bin").display()));
        shell.env("TOKEN", "none is asked for").env("LC_ALL", "C.UTF-8").env("MANPAGER", "cat");
        shell.env("RECHAT_LISTEN", "127.0.0.1:0");
        for desktop in ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME"] {
            shell.env_remove(desktop);
        }
        shell
    }

    fn run(&self, line: &str) -> (bool, String) {
        let output = self.shell(line).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success(), printed + &String::from_utf8_lossy(&output.stderr))
    }

    fn works(&self, line: &str) -> String {
        let (is_well, told) = self.run(line);
        assert!(is_well && !told.contains("\"error\":"), "`{line}`: {told}");
        self.remember(&told);
        told
    }

    /// Keeps the media and the upload that a line told of, for the lines after it.
    fn remember(&self, told: &str) {
        let mut known = self.told.borrow_mut();
        for (stands, before) in [("abcd…", "\"media\":\""), ("0b9c…", "location: uploads/")] {
            let found = told.split_once(before).map(|(_, rest)| rest);
            let found = found.and_then(|rest| rest.split(['"', '\r', '\n']).next());
            known.extend(found.map(|found| (stands, found.to_owned())));
        }
    }

    /// Writes the names of this place into an example, and makes what it is about.
    fn prepared(&self, line: &str) -> String {
        let mut line =
            line.replace("/backup/", &format!("{}/", self.home.path("backup").display()));
        line = line.replace("https://chat.example.com", &format!("http://{}", self.address));
        if line.starts_with("curl") {
            line = line.replace("127.0.0.1:8080", &self.address);
            line = line.replace("94371840", &FILE.len().to_string());
        }
        for (stands, told) in self.told.borrow().iter() {
            line = line.replace(stands, told);
        }
        if line.starts_with("rechat cancel") {
            let made = self.works("rechat send -p wechat --new -r private_1 hello");
            line = line.replace(MESSAGE, &made[..8]);
        }
        if line.contains(MESSAGE) {
            let made = self.works("rechat send -p loopback -r group_1 hello");
            let id = made[..36].to_owned();
            if self.peer.is_some() {
                eventually("it is sent", || {
                    self.works(&format!("rechat get {id}")).contains("Sent").then_some(())
                });
            }
            if line.starts_with("rechat retry") {
                self.works(&format!("rechat set-status {id} failed"));
            }
            line = line.replace(MESSAGE, &made[..8]);
        }
        if line.starts_with("rechat requests 12") && self.peer.is_some() {
            let all = self.works("rechat requests --json");
            let mut all = all.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            let open = all.find(|request| request.get("approved").is_none()).expect("one waits");
            line = line.replace("12", &open["id"].to_string());
        }
        if line.starts_with("rechat backup") {
            fs::remove_dir_all(self.home.path("backup")).unwrap();
            fs::create_dir(self.home.path("backup")).unwrap();
        }
        let messages = self.home.path("messages.jsonl");
        if line.contains("--batch") {
            fs::write(messages, "{\"recipient\":\"group_123456\",\"content\":\"x\"}\n").unwrap();
        } else if line.starts_with("rechat import") {
            self.works("rechat export --force messages.jsonl");
        } else if line.starts_with("rechat export messages.jsonl") {
            let _ = fs::remove_file(messages);
        } else if line.starts_with("rechat check") {
            self.works(&format!(
                "rechat backup --force {}",
                self.home.path("backup/rechat.redb").display()
            ));
        }
        line
    }

    /// Runs a line that goes on, until it has shown what comes now.
    fn goes_on(&self, line: &str) {
        let mut running = Running::start(self.shell(&format!("exec {line}")));
        if line.starts_with("rechat serve") {
            running.until(line, || "serving address=".to_owned());
        } else if line.contains("received") {
            running.until(line, || {
                self.hear();
                let id =
                    self.works("rechat list -c group_1 --search received -n 1 --format '{id}'");
                if id.is_empty() { "no answer yet".to_owned() } else { id.trim().to_owned() }
            });
        } else {
            running.until(line, || self.hear());
        }
    }
}

/// A line that was started and goes on.
struct Running {
    process: Child,
    said: Arc<Mutex<String>>,
}

impl Running {
    fn start(mut shell: Command) -> Self {
        use std::os::unix::process::CommandExt;
        let mut process = shell.process_group(0).spawn().unwrap();
        let said: Arc<Mutex<String>> = Arc::default();
        let outputs: [Box<dyn Read + Send>; 2] =
            [Box::new(process.stdout.take().unwrap()), Box::new(process.stderr.take().unwrap())];
        for mut output in outputs {
            let said = said.clone();
            std::thread::spawn(move || {
                let mut bytes = [0; 4096];
                while let Ok(count @ 1..) = output.read(&mut bytes) {
                    said.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
                }
            });
        }
        Self { process, said }
    }

    /// Waits until it has said a word, which may be another one each time.
    fn until(&mut self, line: &str, mut word: impl FnMut() -> String) {
        let mut words = Vec::new();
        eventually(&format!("`{line}` goes on"), || {
            words.push(word());
            let said = self.said.lock().unwrap().clone();
            assert!(self.process.try_wait().unwrap().is_none(), "`{line}` ended: {said}");
            words.iter().any(|word| said.contains(word.as_str())).then_some(())
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let group = rustix::process::Pid::from_child(&self.process);
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs jq, zstd and man: tests/run"]
async fn examples_of_help_and_guides_do_what_they_say() {
    for name in PROGRAMS {
        drop(program(name));
    }
    let mut server = TestServer::start_with(&["--loopback"]);
    let home = server.home.clone();
    for folder in ["bin", "backup", ".zfunc", ".local/share/man", ".config/fish/completions"] {
        fs::create_dir_all(home.path(folder)).unwrap();
    }
    fs::create_dir_all(home.path(".local/share/bash-completion/completions")).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_rechat"), home.path("bin/rechat")).unwrap();
    for file in ["map.png", "plan.pdf", "photo.jpg", "cat.png", "holiday.mp4"] {
        fs::write(home.path(file), FILE).unwrap();
    }
    fs::write(home.path("answer.sh"), "#!/bin/sh\ncat\n").unwrap();
    fs::set_permissions(home.path("answer.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let peer = Peer::dial(&url, &headers(ACCOUNT, "Universal"), obliging()).await.unwrap();
    let address = server.address.clone();
    let next = AtomicI64::new(1);
    let mut reader = Reader { home, address, peer: Some(peer), next, told: RefCell::default() };
    reader.hear();
    for flag in ["first", "second"] {
        reader.peer.as_ref().unwrap().push(&json!({
            "time": now(), "self_id": 10_001_000, "post_type": "request",
            "request_type": "friend", "user_id": 7, "comment": "hello", "flag": flag
        }));
    }
    eventually("two people ask, and two wrote", || {
        let asked = reader.works("rechat requests --json").lines().count();
        let wrote = reader.works("rechat conversations -p qq").lines().count();
        (asked == 2 && wrote == 3).then_some(())
    });
    reader.works("rechat export --platform qq | zstd > qq.jsonl.zst");
    let mut not_run = NOT_RUN.to_vec();
    let is_run = |line: &String| !NOT_RUN.iter().any(|(begin, _)| line.starts_with(begin));
    let all = examples();
    not_run.retain(|(begin, _)| !all.iter().any(|line| line.starts_with(begin)));
    assert!(not_run.is_empty(), "no line begins with these any more: {not_run:?}");
    let all: Vec<_> = all.into_iter().filter(is_run).collect();
    let is_server =
        |line: &str| line.starts_with("rechat serve") && !line.contains("--print-config");
    for line in &all {
        let prepared = reader.prepared(line);
        if is_server(line) {
            reader.goes_on(&format!("{line} --db other.redb"));
        } else if GOES_ON.iter().any(|word| line.contains(word)) && !line.contains("--print-config")
        {
            reader.goes_on(&prepared);
        } else {
            reader.works(&prepared);
        }
    }
    reader.peer = None;
    assert_eq!(server.stop(), Some(0));
    let asks_server = |line: &&String| is_server(line) || line.starts_with("curl");
    for line in all.iter().filter(|line| !asks_server(line)) {
        let prepared = reader.prepared(line);
        let (is_well, told) = reader.run(&prepared);
        let words = ["no server runs", "cannot reach a server", "none runs", "not_running"];
        let says_so = words.iter().any(|words| told.contains(words));
        assert!(is_well || says_so, "`{prepared}` without a server: {told}");
    }
}
