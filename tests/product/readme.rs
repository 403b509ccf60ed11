//! The commands of the READMEs work: their blocks are taken as they stand, one line after
//! the other, in one home. `serve` starts the server the lines after it speak to.

use crate::server::{Home, eventually};
use crate::tools::program;
use clap::CommandFactory;
use rechat::cli::Cli;
use rechat::config::Config;
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};

const READMES: [&str; 2] = ["README.md", "README.zh-CN.md"];

const OPERATIONS: &str = "docs/operations.md";

/// Replacements of placeholders. `rechat` itself is the
/// program under test, first on PATH; `serve` takes a free port, by `RECHAT_LISTEN`.
const SUBSTITUTIONS: [(&str, &str); 3] =
    [("cargo run --release -- ", "rechat "), ("127.0.0.1:8080", ADDRESS), ("host:8080", ADDRESS)];

/// Stands for the address of the server that was started last.
const ADDRESS: &str = "{address}";

/// Lines that are not run, by how they begin, and why.
const NOT_RUN: [(&str, &str); 5] = [
    ("rechat login wechat", "it asks Tencent's servers, and needs a phone"),
    ("cargo install --path .", "builds the program once more, and changes the user's own folder"),
    ("tests/run", "it is what runs this"),
    ("git pull", "changes this folder"),
    ("cargo install --path .", "the same, to update"),
];

/// Commands that need a terminal get one by `script`, of this size.
const NEEDS_TERMINAL: &str = "rechat tui";
const TERMINAL: &str = "script -qec \"stty cols 100 rows 30; $LINE\" /dev/null";

/// Words of lines that go on until somebody ends them.
const GOES_ON: [&str; 4] = ["--follow", NEEDS_TERMINAL, "curl -N", "websocat"];

/// A fenced block.
pub(crate) struct Block {
    pub(crate) language: String,
    pub(crate) text: String,
}

/// The fenced blocks of a document, those inside of lists too.
pub(crate) fn blocks(file: &str) -> Vec<Block> {
    let text = fs::read_to_string(file).unwrap();
    let mut blocks: Vec<Block> = Vec::new();
    let mut indent = None;
    for line in text.lines() {
        let bare = line.trim_start();
        match (bare.strip_prefix("```"), indent) {
            (Some(language), None) => {
                indent = Some(line.len() - bare.len());
                blocks.push(Block { language: language.to_owned(), text: String::new() });
            }
            (Some(_), Some(_)) => indent = None,
            (None, Some(indent)) => {
                let block = blocks.last_mut().unwrap();
                block.text += line.get(indent..).unwrap_or(bare);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert_eq!(indent, None, "{file}: a block is not closed");
    blocks
}

/// The command lines, continued ones joined, without what is only said of them.
pub(crate) fn lines(file: &str) -> Vec<String> {
    let document = fs::read_to_string(file).unwrap();
    assert!(!document.contains("\n\n    rechat"), "{file}: commands stand in fenced blocks");
    let shell = blocks(file).into_iter().filter(|block| block.language == "sh");
    let text: String = shell.map(|block| block.text + "\n").collect();
    let joined = text.replace("\\\n", " ");
    let bare = joined.lines().map(|line| line.split("  #").next().unwrap().trim().to_owned());
    bare.filter(|line| !line.is_empty()).collect()
}

/// A line that was started and goes on.
struct Running {
    line: String,
    process: Child,
    said: Arc<Mutex<String>>,
}

impl Running {
    fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Waits until it has said a word.
    fn until(&mut self, word: &str) {
        eventually(&format!("`{}` says `{word}`", self.line), || {
            let said = self.said();
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none() || said.contains(word), "`{}` ended: {said}", self.line);
            said.contains(word).then_some(())
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // All of the line's programs, which are a group of their own.
        let group = rustix::process::Pid::from_child(&self.process);
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        let _ = self.process.wait();
    }
}

fn collect(mut from: impl Read + Send + 'static, said: &Arc<Mutex<String>>) {
    let said = said.clone();
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            said.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    });
}

/// The person who types the lines.
struct Reader {
    home: Home,
    server: Option<Running>,
    address: String,
    watching: Vec<Running>,
}

impl Reader {
    fn new() -> Self {
        let home = Home::new();
        let programs = home.path("bin");
        fs::create_dir(&programs).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_rechat"), programs.join("rechat")).unwrap();
        Self { home, server: None, address: String::new(), watching: Vec::new() }
    }

    /// A shell in this home.
    fn shell(&self, line: &str) -> Command {
        use std::os::unix::process::CommandExt;
        let path = std::env::var("PATH").unwrap();
        let mut shell = self.home.program("sh", &["-c", line]);
        shell.current_dir(self.home.path("."));
        shell.env("PATH", format!("{}:{path}", self.home.path("bin").display()));
        shell.env("RECHAT_LISTEN", "127.0.0.1:0").env("TOKEN", "none is asked for");
        shell.env("TERM", "xterm").process_group(0);
        shell
    }

    fn start(&self, line: &str) -> Running {
        let run = if line.starts_with(NEEDS_TERMINAL) { TERMINAL } else { line };
        let mut process = self.shell(run).env("LINE", line).spawn().unwrap();
        let said = Arc::default();
        collect(process.stdout.take().unwrap(), &said);
        collect(process.stderr.take().unwrap(), &said);
        Running { line: line.to_owned(), process, said }
    }

    fn type_in(&mut self, written: &str) {
        let mut line = written.to_owned();
        for (here, there) in SUBSTITUTIONS {
            line = line.replace(here, there);
        }
        let line = line.replace(ADDRESS, &self.address);
        if line.starts_with("rechat serve") {
            self.see_to_the_watching();
            self.server = None;
            // In place of the shell, so that the server itself is waited for at its end.
            let mut server = self.start(&format!("exec {line}"));
            server.until("serving address=");
            let said = server.said();
            let (_, rest) = said.split_once("serving address=").unwrap();
            rest.split_whitespace().next().unwrap().clone_into(&mut self.address);
            self.server = Some(server);
        } else if GOES_ON.iter().any(|word| written.contains(word)) {
            let running = self.start(&line);
            self.watching.push(running);
        } else {
            let output = self.shell(&line).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "`{line}`: {said}{errors}");
            assert!(!said.contains("\"error\":"), "`{line}`: {said}");
        }
    }

    /// A command that follows shows a message that is made now; then it is ended.
    fn see_to_the_watching(&mut self) {
        for mut running in std::mem::take(&mut self.watching) {
            let word = "look-here";
            eventually(&format!("`{}` shows a message", running.line), || {
                self.home.ok(&["send", "-p", "qq", "-r", "group_123456", word]);
                running.said().contains(word).then_some(())
            });
            running.until(word);
        }
    }
}

#[test]
#[ignore = "needs curl and script: tests/run"]
fn readme_lines_do_what_they_say() {
    for name in ["curl", "script", "websocat"] {
        program(name);
    }
    let mut reader = Reader::new();
    let mut not_run = NOT_RUN.to_vec();
    for line in lines(READMES[0]) {
        if let Some(at) = not_run.iter().position(|(begin, _)| line.starts_with(begin)) {
            not_run.remove(at);
        } else {
            reader.type_in(&line);
        }
    }
    assert!(not_run.is_empty(), "no line begins with these any more: {not_run:?}");
    reader.see_to_the_watching();
}

#[test]
fn readme_words_stood_for_are_there() {
    let all = lines(READMES[0]).join("\n");
    for word in SUBSTITUTIONS.map(|(here, _)| here).iter().chain(&GOES_ON) {
        assert!(all.contains(word), "no line has `{word}` any more");
    }
}

#[test]
fn readme_translations_have_the_same_blocks() {
    let docs = fs::read_dir("docs").unwrap().map(|entry| entry.unwrap().path());
    let files = docs.map(|path| path.to_str().unwrap().to_owned()).chain([READMES[1].to_owned()]);
    let translations: Vec<_> = files.filter(|file| file.ends_with(".zh-CN.md")).collect();
    assert!(translations.len() > 1, "{translations:?}");
    let texts = |file: &str| -> Vec<_> {
        blocks(file).into_iter().map(|block| (block.language, block.text)).collect()
    };
    // Comments are words, and translated.
    let bare = |(language, text): (String, String)| {
        let lines = text.lines().map(|line| line.split(" #").next().unwrap().trim_end());
        (language, lines.collect::<Vec<_>>().join("\n"))
    };
    for chinese in translations {
        let english = texts(&chinese.replace(".zh-CN", "")).into_iter().map(bare);
        let translated = texts(&chinese).into_iter().map(bare);
        assert_eq!(english.collect::<Vec<_>>(), translated.collect::<Vec<_>>(), "{chinese}");
    }
}

#[test]
fn the_tables_of_the_guide_have_every_command() {
    for file in ["docs/cli.md", "docs/cli.zh-CN.md"] {
        let text = fs::read_to_string(file).unwrap();
        let rows: Vec<_> = text.lines().filter(|line| line.starts_with("| `rechat ")).collect();
        let cells = rows.iter().map(|row| row.split(" | ").next().unwrap());
        let words: BTreeSet<_> = cells.flat_map(|cell| cell.split(['`', ' '])).collect();
        for command in Cli::command().get_subcommands() {
            assert!(words.contains(command.get_name()), "{file}: `{}`", command.get_name());
        }
    }
}

#[test]
#[ignore = "needs nginx and Caddy: tests/run"]
fn readme_configurations_can_be_read() {
    let mut seen = BTreeSet::new();
    for Block { language, text } in [READMES[0], OPERATIONS].into_iter().flat_map(blocks) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("proxy.conf");
        match language.as_str() {
            "toml" => drop(toml::from_str::<Config>(&text).unwrap()),
            "nginx" => {
                let at = |name| folder.path().join(name).display().to_string();
                let whole = format!(
                    "pid {};\nerror_log stderr;\nevents {{}}\nhttp {{ access_log off; \
                     client_body_temp_path {}; server {{ listen 127.0.0.1:1;\n{text}\n}} }}\n",
                    at("pid"),
                    at("body")
                );
                fs::write(&file, whole).unwrap();
                parses("nginx", &["-t", "-e", "stderr", "-c"], &file);
            }
            "caddy" => {
                fs::write(&file, text).unwrap();
                parses("caddy", &["validate", "--adapter", "caddyfile", "--config"], &file);
            }
            "sh" | "text" | "ini" => {}
            other => panic!("a block of `{other}`, which nobody checks"),
        }
        seen.insert(language);
    }
    for language in ["toml", "nginx", "caddy"] {
        assert!(seen.contains(language), "no block of {language} any more");
    }
}

/// A program reads its configuration without a complaint.
fn parses(name: &str, arguments: &[&str], file: &Path) {
    let output = Command::new(program(name)).args(arguments).arg(file).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {printed}");
}
