//! NoneBot, Koishi, AstrBot and satori-python themselves, on one account.

use crate::onebot::Peer;
use crate::onebot::{Reply, Script};
use crate::onebot11::{group_message, headers, willing, willing_but};
use crate::server::{Home, TestServer};
use crate::tools::program;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio::sync::watch;

const ACCOUNT: i64 = 10_001_000;

/// How long a framework may take to start: AstrBot makes its database first.
const START: Duration = Duration::from_mins(5);

/// A framework that runs, ended with the test.
struct Framework {
    name: &'static str,
    /// The port at which it listens, or to which it connects.
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
            name if name.ends_with("koishi") => {
                let mut command = Command::new(program("node"));
                command.arg(own.join("bot.js"));
                command.env("NODE_PATH", installed(name).join("node_modules"));
                command
            }
            name => {
                let mut command = Command::new(installed(name).join("bin/python"));
                command.arg(own.join("bot.py"));
                command
            }
        };
        command.env("PORT", self.port.to_string()).env("TOKEN", "secret");
        let path = format!("http://127.0.0.1:{}/bots/{}/satori", self.port, self.name);
        command.env("ENDPOINT", path);
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
        if self.name.starts_with("satori-") {
            return format!(
                "[[bot]]\nname = \"{}\"\nkind = \"satori\"\ntoken = \"secret\"\n\
                 catch_up_seconds = 3600\n",
                self.name
            );
        }
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

/// A port that leads to a server, wherever that is now, or nowhere.
struct Relay {
    port: u16,
    target: watch::Sender<Option<String>>,
}

impl Relay {
    async fn new() -> Self {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        let (target, watched) = watch::channel(None::<String>);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = socket.accept().await {
                let mut target = watched.clone();
                tokio::spawn(async move {
                    let Some(address) = target.borrow_and_update().clone() else { return };
                    let Ok(mut far) = TcpStream::connect(address).await else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = target.changed() => {}
                    }
                });
            }
        });
        Self { port, target }
    }

    /// Leads to a server from now on; everything before is cut.
    fn lead_to(&self, server: &TestServer) {
        self.target.send_replace(Some(server.address.clone()));
    }

    fn cut(&self) {
        self.target.send_replace(None);
    }
}

fn until_disconnected(server: &TestServer) {
    until("no bot is connected", || {
        let (_, told) = server.get("/api/bots");
        let mut bots = told["bots"].as_array().unwrap().iter();
        bots.all(|bot| bot["state"] != "Connected").then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Satori clients: tests/run"]
async fn three_satori_clients_share_an_account_and_none_misses_a_message() {
    let home = Arc::new(Home::new());
    let names = ["satori-nonebot", "satori-koishi", "satori-python"];
    let relay = Relay::new().await;
    let mut frameworks =
        names.map(|name| Framework { name, port: relay.port, process: None, home: home.clone() });
    home.configure(&frameworks.iter().map(Framework::entry).collect::<String>());
    let mut server = TestServer::start_in(home, &[]);
    relay.lead_to(&server);
    frameworks.iter_mut().for_each(Framework::start);
    let dial = async |server: &TestServer| {
        let url = format!("ws://{}/onebot/v11/ws", server.address);
        let headers = headers("10001000", "Universal");
        Peer::dial(&url, &headers, willing()).await.unwrap()
    };
    let peer = dial(&server).await;
    until_connected(&server, &names);
    let say = |peer: &Peer, id: i64, text: &str| {
        peer.push(&group_message(ACCOUNT, 77, id, text));
    };
    let answered = |peer: &Peer, text: &str, with_picture, count| {
        until(&format!("{count} answer {text}"), || {
            (sent(peer, text, with_picture) >= count).then_some(())
        });
    };
    say(&peer, 1, "/echo <hello> & \"all\"");
    answered(&peer, "<hello> & \"all\"", false, 3);
    say(&peer, 2, "/img");
    answered(&peer, "pic", true, 3);
    for (id, place) in [(3, 0), (4, 1), (5, 2)] {
        frameworks[place].kill();
        let text = format!("without {}", names[place]);
        say(&peer, id, &format!("/echo {text}"));
        answered(&peer, &text, false, 2);
        frameworks[place].start();
        answered(&peer, &text, false, 3);
    }
    relay.cut();
    until_disconnected(&server);
    for id in 6..=8 {
        say(&peer, id, &format!("/echo during the break {id}"));
    }
    relay.lead_to(&server);
    for id in 6..=8 {
        answered(&peer, &format!("during the break {id}"), false, 3);
    }
    // The implementation goes, and comes back.
    peer.drop_connection();
    until("it is gone", || {
        server.get("/api/platforms").1.to_string().contains("Disconnected").then_some(())
    });
    let peer = dial(&server).await;
    say(&peer, 9, "/echo by a new connection");
    answered(&peer, "by a new connection", false, 3);
    // rechat is killed.
    until_delivered_all(&server);
    server.kill();
    server.start_again();
    let peer = dial(&server).await;
    say(&peer, 10, "/echo after the kill");
    relay.lead_to(&server);
    answered(&peer, "after the kill", false, 3);
    for id in 6..=8 {
        assert_eq!(sent(&peer, &format!("during the break {id}"), false), 0, "it was read");
    }
    assert_eq!(sent(&peer, "after the kill", false), 3, "nothing is answered twice");
}

/// Waits until every bot has read everything.
fn until_delivered_all(server: &TestServer) {
    until("everything was read", || {
        let (_, told) = server.get("/api/bots");
        let mut bots = told["bots"].as_array().unwrap().iter();
        bots.all(|bot| bot["waiting"] == 0).then_some(())
    });
}
