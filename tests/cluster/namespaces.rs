//! Three machines, each a network namespace with a NATS server and a node, and a network between them
//! whose links can be cut: also between NATS servers, and some of them alone.

use crate::server::{DEADLINE, Home, eventually};
use crate::tools::program;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Pairs of machines, each with a link of its own.
const PAIRS: [(usize, usize); 3] = [(0, 1), (0, 2), (1, 2)];

struct Machine {
    /// Of its namespace.
    name: String,
    home: Home,
    processes: Vec<Child>,
}

struct Network(Vec<Machine>);

impl Drop for Network {
    fn drop(&mut self) {
        for machine in &mut self.0 {
            for process in &mut machine.processes {
                let _ = process.kill();
                let _ = process.wait();
            }
            let _ = Command::new(program("ip")).args(["netns", "del", &machine.name]).status();
        }
    }
}

fn ip(arguments: &str) {
    let output = Command::new(program("ip")).args(arguments.split(' ')).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {arguments}: {errors}");
}

/// The address of a machine on its link to another one.
fn address(machine: usize, other: usize) -> String {
    let pair = PAIRS.iter().position(|pair| *pair == (machine.min(other), machine.max(other)));
    format!("10.77.{}.{}", pair.unwrap(), 1 + usize::from(machine > other))
}

impl Network {
    /// The network; `None` where this user may not make one.
    fn start() -> Option<Self> {
        let own = std::process::id();
        let machine = |number| Machine {
            name: format!("rechat-{own}-{number}"),
            home: Home::new(),
            processes: Vec::new(),
        };
        let mut network = Self((0..3).map(machine).collect());
        let first = ["netns", "add", &network.0[0].name];
        if !Command::new(program("ip")).args(first).status().unwrap().success() {
            return None;
        }
        for machine in &network.0[1..] {
            ip(&format!("netns add {}", machine.name));
        }
        for machine in &network.0 {
            ip(&format!("-n {} link set lo up", machine.name));
        }
        for (one, other) in PAIRS {
            let names = [&network.0[one].name, &network.0[other].name];
            ip(&format!(
                "link add to{other} netns {} type veth peer name to{one} netns {}",
                names[0], names[1]
            ));
            for (machine, peer) in [(one, other), (other, one)] {
                let name = &network.0[machine].name;
                ip(&format!("-n {name} address add {}/24 dev to{peer}", address(machine, peer)));
                ip(&format!("-n {name} link set to{peer} up"));
            }
        }
        (0..3).for_each(|machine| network.start_nats(machine));
        let init = || network.0[0].run(&["cluster", "init"]);
        for machine in 0..3 {
            network.0[machine].home.configure(&Self::configuration(machine));
        }
        eventually("the cluster is made", || {
            let (is_done, errors) = init();
            (is_done || errors.contains("is there already")).then_some(())
        });
        (0..3).for_each(|machine| network.start_node(machine));
        Some(network)
    }

    fn start_nats(&mut self, machine: usize) {
        let others = (0..3).filter(|other| *other != machine);
        let routes: Vec<_> =
            others.map(|other| format!("\"nats://{}:6222\"", address(other, machine))).collect();
        let folder = self.0[machine].home.path("nats");
        let mut text = format!("server_name: n{machine}\nlisten: \"0.0.0.0:4222\"\n");
        writeln!(
            text,
            "ping_interval: \"1s\"\njetstream {{ store_dir: \"{}\" }}",
            folder.display()
        )
        .unwrap();
        writeln!(
            text,
            "cluster {{ name: test, listen: \"0.0.0.0:6222\", no_advertise: true, routes: [{}] }}",
            routes.join(", ")
        )
        .unwrap();
        let file = self.0[machine].home.path("nats.conf");
        std::fs::write(&file, text).unwrap();
        let server = program("nats-server");
        let arguments = [server.to_str().unwrap(), "-c", file.to_str().unwrap()];
        self.0[machine].start(&arguments);
    }

    fn configuration(machine: usize) -> String {
        // Its own server first; the others as it reaches them.
        let others = (0..3).filter(|other| *other != machine);
        let mut urls = vec!["\"nats://127.0.0.1:4222\"".to_owned()];
        urls.extend(others.map(|other| format!("\"nats://{}:4222\"", address(other, machine))));
        let nats = urls.join(", ");
        format!("[cluster]\nnats = [{nats}]\nname = \"test\"\nnode = \"n{machine}\"\n")
    }

    fn start_node(&mut self, machine: usize) {
        let rechat = env!("CARGO_BIN_EXE_rechat");
        self.0[machine].start(&[rechat, "serve", "--listen", "127.0.0.1:8080"]);
    }

    /// Cuts links at their first end, or heals them: the second hears nothing more, and is not told.
    fn set(&self, links: &[(usize, usize)], state: &str) {
        for (one, other) in links {
            ip(&format!("-n {} link set to{other} {state}", self.0[*one].name));
        }
    }

    /// Makes a message at a machine; the answer where that does not take it.
    fn send(&self, machine: usize, content: &str) -> Result<(), String> {
        let socket = self.0[machine].home.path("data/rechat/rechat.sock");
        let mut stream = UnixStream::connect(socket).map_err(|error| error.to_string())?;
        let body = json!({"message_type": "Text", "content": content, "recipient": "group_1"});
        let (body, mut answer) = (body.to_string(), String::new());
        let head = format!(
            "POST /api/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Idempotency-Key: key of {content}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).map_err(|error| error.to_string())?;
        stream.read_to_string(&mut answer).map_err(|error| error.to_string())?;
        if answer.starts_with("HTTP/1.1 201") { Ok(()) } else { Err(answer) }
    }

    /// Waits longer than other tests: NATS, rechat and the links each have to find back.
    fn send_in_the_end(&self, machine: usize, content: &str) {
        let began = Instant::now();
        while let Err(why) = self.send(machine, content) {
            assert!(began.elapsed() < 5 * DEADLINE, "{content} is not taken: {why}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The contents that a machine has, the newest first.
    fn contents(&self, machine: usize) -> Vec<String> {
        let output = self.0[machine].command(&["list", "--json", "--limit", "1000"]).output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.map(|message| message["content"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until all machines have the same, with these among it, each once.
    fn agree(&self, wanted: &[&str]) {
        eventually("all machines have the same", || {
            let first = self.contents(0);
            let has_all = wanted.iter().all(|one| first.iter().filter(|it| it == one).count() == 1);
            let is_same = || (1..3).all(|machine| self.contents(machine) == first);
            (has_all && is_same()).then_some(())
        });
    }

    /// The machine whose node leads, asked from a machine.
    fn leader(&self, from: usize, not: Option<usize>) -> usize {
        eventually("a node leads", || {
            let output = self.0[from].command(&["cluster", "status", "--json"]).output().unwrap();
            let status: Value = serde_json::from_slice(&output.stdout).ok()?;
            let leader = status["leader"].as_str()?.strip_prefix('n')?.parse().ok()?;
            (Some(leader) != not).then_some(leader)
        })
    }
}

impl Machine {
    /// A program of this machine, with its home around it.
    fn command(&self, arguments: &[&str]) -> Command {
        let rechat = env!("CARGO_BIN_EXE_rechat");
        self.inside(&[&[rechat], arguments].concat())
    }

    fn inside(&self, arguments: &[&str]) -> Command {
        let ip = program("ip");
        let all = [&["netns", "exec", &self.name], arguments].concat();
        self.home.program(ip.to_str().unwrap(), &all)
    }

    /// Runs rechat to its end: whether it succeeded, and its errors.
    fn run(&self, arguments: &[&str]) -> (bool, String) {
        let output = self.command(arguments).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn start(&mut self, arguments: &[&str]) {
        let log = std::fs::File::create(self.home.path("log")).unwrap();
        let mut command = self.inside(arguments);
        let started = command.stdout(Stdio::null()).stderr(log).spawn();
        self.processes.push(started.unwrap());
    }
}

#[test]
#[ignore = "needs nats-server and ip: tests/run"]
fn the_side_with_the_majority_goes_on_and_all_agree_afterwards() {
    let Some(network) = Network::start() else {
        println!("LEFT OUT: this user may not make network namespaces");
        return;
    };
    network.send_in_the_end(0, "before");
    network.agree(&["before"]);
    // The machine of the leader, with its NATS server, is cut off.
    let leader = network.leader(0, None);
    let (one, other) = ((leader + 1) % 3, (leader + 2) % 3);
    let links = [(leader, one), (leader, other)];
    network.set(&links, "down");
    network.send_in_the_end(one, "with the majority");
    assert_ne!(network.leader(one, Some(leader)), leader);
    eventually("the machine that is cut off takes nothing", || {
        network.send(leader, "without it").is_err().then_some(())
    });
    assert!(network.contents(leader).contains(&"before".to_owned()), "it reads on");
    network.set(&links, "up");
    network.send_in_the_end(leader, "together again");
    network.agree(&["before", "with the majority", "together again"]);
    // Two machines cannot see each other, and both see the third: NATS may elect leaders in turns for as long
    // as that lasts, so that a message may be refused. Asked again with its key, it is there once.
    network.set(&[(one, other)], "down");
    for (machine, content) in [(one, "by one"), (other, "by the other")] {
        let _ = network.send(machine, content);
    }
    network.set(&[(one, other)], "up");
    network.send_in_the_end(one, "by one");
    network.send_in_the_end(other, "by the other");
    network.agree(&["by one", "by the other"]);
    // No side has a majority.
    network.set(&PAIRS, "down");
    for machine in 0..3 {
        eventually("nothing is taken", || network.send(machine, "alone").is_err().then_some(()));
    }
    network.set(&PAIRS, "up");
    network.send_in_the_end(0, "after");
    network.agree(&[
        "before",
        "with the majority",
        "together again",
        "by one",
        "by the other",
        "after",
    ]);
}
