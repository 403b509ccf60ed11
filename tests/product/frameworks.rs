//! NoneBot, Koishi and AstrBot themselves, on one account.

use crate::onebot::Peer;
use crate::onebot::{Reply, Script};
use crate::onebot11::{group_message, headers, willing_but};
use crate::server::{Home, TestServer};
use crate::tools::program;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

const ACCOUNT: i64 = 10_001_000;

/// How long a framework may take to start: AstrBot makes its database first.
const START: Duration = Duration::from_mins(5);

/// A framework that runs, ended with the test.
struct Framework {
    name: &'static str,
    port: u16,
    process: Option<Child>,
    home: Arc<Home>,
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn installed(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bots").join(name);
    assert!(folder.is_dir(), "{} is missing; `tests/run` installs it", folder.display());
    folder
}

impl Framework {
    fn new(name: &'static str, home: &Arc<Home>) -> Self {
        Self { name, port: free_port(), process: None, home: home.clone() }
    }

    fn start(&mut self) {
        let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/bots").join(self.name);
        let mut command = match self.name {
            "koishi" => {
                let mut command = Command::new(program("node"));
                command.arg(own.join("bot.js"));
                command.env("NODE_PATH", installed("koishi").join("node_modules"));
                command
            }
            name => {
                let mut command = Command::new(installed(name).join("bin/python"));
                command.arg(own.join("bot.py"));
                command
            }
        };
        command.env("PORT", self.port.to_string()).env("TOKEN", "secret");
        command.env("ASTRBOT_ROOT", self.home.path("astrbot")).current_dir(self.home.path(""));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(command.spawn().unwrap());
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    fn entry(&self) -> String {
        let path = match self.name {
            "nonebot" => "onebot/v11/ws",
            "koishi" => "onebot",
            _ => "ws",
        };
        format!(
            "[[bot]]\nname = \"{}\"\nkind = \"onebot11\"\nurl = \"ws://127.0.0.1:{}/{path}\"\n\
             token = \"secret\"\ncatch_up_seconds = 3600\n",
            self.name, self.port
        )
    }
}

impl Drop for Framework {
    fn drop(&mut self) {
        self.kill();
    }
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < START, "never came about: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn until_connected(server: &TestServer, names: &[&str]) {
    until(&format!("{names:?} are connected"), || {
        let (_, told) = server.get("/api/bots");
        let bots = told["bots"].as_array().unwrap().clone();
        let is_up = |name: &&str| {
            bots.iter().any(|bot| bot["name"] == **name && bot["state"] == "Connected")
        };
        names.iter().all(is_up).then_some(())
    });
}

/// How many messages went out whose last segment is this text; `with_picture` before it.
fn sent(peer: &Peer, text: &str, with_picture: bool) -> usize {
    let is_it = |action: &Value| {
        let Some(segments) = action["params"]["message"].as_array() else { return false };
        let picture = segments.iter().any(|segment| {
            let file = segment["data"]["file"].as_str().unwrap_or_default();
            segment["type"] == "image" && file.starts_with("base64://")
        });
        let says = segments.iter().any(|segment| segment["data"]["text"] == text);
        says && picture == with_picture
    };
    peer.actions().iter().filter(|action| is_it(action)).count()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs NoneBot, Koishi and AstrBot: tests/run"]
async fn three_frameworks_share_an_account_and_none_misses_a_message() {
    let home = Arc::new(Home::new());
    std::fs::create_dir_all(home.path("astrbot")).unwrap();
    let names = ["nonebot", "koishi", "astrbot"];
    let mut frameworks = names.map(|name| Framework::new(name, &home));
    frameworks.iter_mut().for_each(Framework::start);
    home.configure(&frameworks.iter().map(Framework::entry).collect::<String>());
    let server = TestServer::start_in(home, &[]);
    let member =
        json!({"group_id": 77, "user_id": 4242, "nickname": "Nick", "card": "", "role": "member"});
    let script: Script = willing_but("get_group_member_info", Reply::ok(member));
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let peer = Peer::dial(&url, &headers("10001000", "Universal"), script).await.unwrap();
    until_connected(&server, &names);
    let say = |id: i64, text: &str| peer.push(&group_message(ACCOUNT, 77, id, text));
    let answered = |text: &str, with_picture, count| {
        until(&format!("{count} answer {text}"), || {
            (sent(&peer, text, with_picture) >= count).then_some(())
        });
    };
    say(1, "/echo hello");
    answered("hello", false, 3);
    say(2, "/img");
    answered("pic", true, 3);
    for (id, place) in [(3, 0), (4, 1), (5, 2)] {
        frameworks[place].kill();
        let text = format!("without {}", names[place]);
        say(id, &format!("/echo {text}"));
        answered(&text, false, 2);
        frameworks[place].start();
        answered(&text, false, 3);
    }
    say(6, "/echo all");
    answered("all", false, 3);
    assert_eq!(sent(&peer, "hello", false), 3, "nothing is answered twice");
}
