//! The real server, started for a test: its own folder, a free port, stopped when dropped.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The longest time that a test waits for anything; far more than is ever needed.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// Waits until `look` returns a value; fails the test if it never does.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < DEADLINE, "never came about: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A folder for a store of its own, with commands that use it and none of this machine's user data.
pub struct Home {
    folder: TempDir,
}

impl Home {
    pub fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The store's default place in this home.
    pub fn db(&self) -> PathBuf {
        self.path("data/rechat/rechat.redb")
    }

    /// Writes the configuration that every command here reads.
    pub fn configure(&self, text: &str) {
        let file = self.path("config/rechat/config.toml");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    /// The program, with this home around it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.program(env!("CARGO_BIN_EXE_rechat"), arguments)
    }

    /// Another program, with this home around it.
    pub fn program(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("RECHAT_")) {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .env("XDG_DATA_HOME", self.path("data"))
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_STATE_HOME", self.path("state"))
            // Locks of logins, which all programs of a user share, stay out of the host's folders.
            .env("XDG_RUNTIME_DIR", env!("CARGO_TARGET_TMPDIR"))
            .env("TZ", "UTC")
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs the program, which has to succeed, and returns its output.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs the program, which has to end with this exit code, and returns its standard error.
    pub fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
        errors
    }
}

/// A running server.
pub struct TestServer {
    pub home: Arc<Home>,
    /// `127.0.0.1:port`
    pub address: String,
    process: Child,
    arguments: Vec<String>,
    variables: Vec<(String, PathBuf)>,
    log: Arc<Mutex<String>>,
    /// Reads the log, until the process has ended.
    reader: Option<JoinHandle<()>>,
}

impl TestServer {
    /// Starts a server in a new home.
    pub fn start() -> Self {
        Self::start_in(Arc::new(Home::new()), &[])
    }

    /// Starts a server with flags, in a new home.
    pub fn start_with(arguments: &[&str]) -> Self {
        Self::start_in(Arc::new(Home::new()), arguments)
    }

    /// Starts a server in a home that may have a store and a configuration.
    pub fn start_in(home: Arc<Home>, arguments: &[&str]) -> Self {
        Self::start_among(home, arguments, &[])
    }

    /// Starts a server with variables in its environment.
    pub fn start_among(home: Arc<Home>, arguments: &[&str], variables: &[(&str, &Path)]) -> Self {
        let arguments: Vec<_> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let variables = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        let variables: Vec<_> = variables.collect();
        let log = Arc::new(Mutex::new(String::new()));
        let (process, address, reader) = spawn(&home, &arguments, &variables, &log);
        Self { home, address, process, arguments, variables, log, reader: Some(reader) }
    }

    /// The log so far; all of it if the process has ended by itself.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the log contains a text.
    pub fn tells(&self, text: &str) {
        eventually(&format!("the log tells {text:?}"), || self.log().contains(text).then_some(()));
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The bytes of memory it has in use.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
    }

    /// How many files and sockets it has open.
    pub fn descriptors(&self) -> usize {
        // The store opens its log and the files of its search index at any time.
        let is_of_store = |file: PathBuf| {
            let name = file.to_string_lossy();
            name.ends_with("-wal") || name.contains("-search/")
        };
        let all = std::fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().flatten();
        all.filter(|fd| !std::fs::read_link(fd.path()).is_ok_and(is_of_store)).count()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Stops it with SIGTERM, as an administrator does, and returns its exit code.
    pub fn stop(&mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> Option<i32> {
        let ended = eventually("the server ends", || self.process.try_wait().unwrap());
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        ended.code()
    }

    /// Ends it as a power cut does.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Starts it again on the same store.
    pub fn start_again(&mut self) {
        let (process, address, reader) =
            spawn(&self.home, &self.arguments, &self.variables, &self.log);
        (self.process, self.address, self.reader) = (process, address, Some(reader));
    }

    /// A request with a JSON body or none; the status and the answer's JSON.
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let answer = self.try_ask(method, path, body);
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// The same, for a server that may be gone.
    pub fn try_ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value), String> {
        let request = ureq::http::Request::builder().method(method).uri(self.url(path));
        let sent = match body {
            Some(body) => {
                let request = request.header("content-type", "application/json");
                agent().run(request.body(body.to_string()).unwrap())
            }
            None => agent().run(request.body(()).unwrap()),
        };
        let mut answer = sent.map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    pub fn get(&self, path: &str) -> (u16, Value) {
        self.ask("GET", path, None)
    }

    pub fn post(&self, body: &Value) -> (u16, Value) {
        self.ask("POST", "/api/messages", Some(body))
    }

    /// Makes a text message without a platform, and gives its ID.
    pub fn make(&self, recipient: &str, content: &str) -> String {
        self.make_for(None, recipient, content)
    }

    /// Makes a text message, and gives its ID.
    pub fn make_for(&self, platform: Option<&str>, recipient: &str, content: &str) -> String {
        let mut body = json!({"message_type": "Text", "content": content, "recipient": recipient});
        if let Some(platform) = platform {
            body["platform"] = json!(platform);
        }
        let (status, message) = self.post(&body);
        assert_eq!(status, 201, "{message}");
        message["id"].as_str().unwrap().to_owned()
    }

    /// The number of events that a bot has read.
    pub fn delivered(&self, bot: &str) -> u64 {
        let (_, told) = self.get("/api/bots");
        let its = told["bots"].as_array().unwrap().iter().find(|known| known["name"] == bot);
        its.unwrap()["delivered"].as_u64().unwrap()
    }

    /// Waits until a message is in a state, and gives it.
    pub fn until(&self, id: &str, status: &str) -> Value {
        eventually(&format!("{id} is {status}"), || {
            let (_, message) = self.get(&format!("/api/messages/{id}"));
            (message["status"] == status).then_some(message)
        })
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- the server's log\n{}", self.log());
        }
    }
}

/// A client that does not treat any status as an error.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .timeout_global(Some(DEADLINE))
        .build()
        .into()
}

/// Starts the process, and waits for its address.
#[allow(clippy::zombie_processes, reason = "its owner waits for it")]
fn spawn(
    home: &Home,
    arguments: &[String],
    variables: &[(String, PathBuf)],
    log: &Arc<Mutex<String>>,
) -> (Child, String, JoinHandle<()>) {
    let mut all = vec!["serve", "--listen", "127.0.0.1:0"];
    all.extend(arguments.iter().map(String::as_str));
    let mut command = home.command(&all);
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    let mut process = command.spawn().unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap());
    let mut began = String::new();
    loop {
        let mut line = String::new();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the server ended at once:\n{began}");
        began.push_str(&line);
        if let Some((_, rest)) = line.split_once("serving address=") {
            let address = rest.split_whitespace().next().unwrap().to_owned();
            log.lock().unwrap().push_str(&began);
            let log = log.clone();
            let reader = std::thread::spawn(move || follow(lines, &log));
            return (process, address, reader);
        }
    }
}

fn follow(mut lines: impl BufRead, log: &Mutex<String>) {
    let mut line = String::new();
    while lines.read_line(&mut line).is_ok_and(|n| n > 0) {
        log.lock().unwrap().push_str(&line);
        line.clear();
    }
}

/// Whether a file has these permissions.
pub fn has_mode(path: &Path, mode: u32) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777 == mode
}
