//! The terminal client, in a terminal: what one sees, what one types, and what it leaves behind.

use crate::server::{Home, TestServer, eventually};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::{Arc, Mutex};

const ROWS: NonZero<u16> = NonZero::new(24).unwrap();
const COLUMNS: NonZero<u16> = NonZero::new(100).unwrap();

/// `rechat tui` in a terminal of its own.
pub struct Tui {
    screen: Arc<Mutex<vt100::Parser>>,
    keys: Box<dyn Write + Send>,
    terminal: Box<dyn MasterPty + Send>,
    process: Box<dyn Child + Send + Sync>,
}

impl Tui {
    pub fn start(home: &Home, arguments: &[&str]) -> Self {
        let pty = native_pty_system();
        let size =
            PtySize { rows: ROWS.get(), cols: COLUMNS.get(), pixel_width: 0, pixel_height: 0 };
        let pair = pty.openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_rechat"));
        command.arg("tui");
        command.args(arguments);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("RECHAT_")) {
            command.env_remove(name);
        }
        command.env("XDG_DATA_HOME", home.path("data"));
        command.env("XDG_CONFIG_HOME", home.path("config"));
        command.env("TERM", "xterm-256color");
        command.env("TZ", "UTC");
        let process = pair.slave.spawn_command(command).unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(ROWS, COLUMNS, 0)));
        let mut output = pair.master.try_clone_reader().unwrap();
        let parser = screen.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                parser.lock().unwrap().process(&bytes[..count]);
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { screen, keys, terminal: pair.master, process }
    }

    fn contents(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Waits until something is on the screen.
    pub fn sees(&self, text: &str) {
        let what = format!("{text:?} on the screen");
        eventually(&what, || self.contents().contains(text).then_some(()));
    }

    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.process.process_id().unwrap().try_into().unwrap()).unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Whether the terminal is in raw mode.
    fn is_raw(&self) -> bool {
        let modes = self.terminal.get_termios().unwrap().local_flags;
        !format!("{modes:?}").contains("ICANON")
    }

    fn is_on_alternate_screen(&self) -> bool {
        self.screen.lock().unwrap().screen().alternate_screen()
    }

    /// Waits for its end; gives the exit code.
    fn wait(&mut self) -> u32 {
        eventually("the client ends", || self.process.try_wait().unwrap()).exit_code()
    }

    /// Whether the terminal is as it was found.
    fn has_restored(&self) {
        eventually("the terminal is as it was", || {
            let screen = self.screen.lock().unwrap();
            let screen = screen.screen();
            let is_plain = !screen.alternate_screen()
                && !screen.hide_cursor()
                && !screen.bracketed_paste()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None;
            (is_plain && !self.is_raw()).then_some(())
        });
    }
}

impl Drop for Tui {
    fn drop(&mut self) {
        let _ = self.process.kill();
        if std::thread::panicking() {
            eprintln!("--- the screen\n{}", self.contents());
        }
    }
}

#[test]
fn a_conversation_from_the_terminal_across_a_restart() {
    let mut server = TestServer::start_with(&["--loopback"]);
    server.until(&server.make_for(Some("loopback"), "group_1", "the first word"), "Sent");
    let mut tui = Tui::start(&server.home, &[]);
    tui.sees("the first word");
    assert!(tui.is_raw() && tui.is_on_alternate_screen());
    // New messages are seen, and foreign text does not steer the terminal.
    server.make_for(Some("loopback"), "group_1", "came live \u{1b}]0;owned\u{7}");
    tui.sees("came live ␛]0;owned␇");
    // The only conversation is the one below all of them; Enter begins to write.
    tui.press("j\r");
    tui.sees("Enter: send");
    tui.press("an answer\r");
    tui.sees("✓ an answer");
    let found = |server: &TestServer, text: &str| {
        let (_, listing) = server.get("/api/messages?conversation=group_1");
        let messages = listing["messages"].as_array().unwrap().clone();
        messages.iter().filter(|message| message["content"] == text).count()
    };
    assert_eq!(found(&server, "an answer"), 1);
    // The server goes and comes back; what happened meanwhile is there, and once.
    server.stop();
    tui.sees("away: cannot reach a server");
    server.home.ok(&["send", "-p", "loopback", "-r", "group_1", "while it was away"]);
    server.start_again();
    tui.sees("while it was away");
    tui.press("another\r");
    tui.sees("✓ another");
    let lines = tui.contents();
    for text in ["✓ an answer", "while it was away", "✓ another"] {
        // The list has the last line of each conversation, without a mark.
        assert_eq!(lines.matches(text).count(), 1, "{text}:\n{lines}");
    }
    tui.press("\u{1b}");
    tui.sees("i writes an answer");
    tui.press("q");
    assert_eq!(tui.wait(), 0);
    tui.has_restored();
}

#[test]
fn a_token_opens_a_server_elsewhere() {
    let server = TestServer::start_with(&["--token", "secret"]);
    server.home.ok(&["send", "-r", "group_1", "behind a token"]);
    let elsewhere = Home::new();
    let refused = Tui::start(&elsewhere, &["--server", &server.url("")]);
    refused.sees("a token is needed");
    let tui = Tui::start(&elsewhere, &["--server", &server.url(""), "--token", "secret"]);
    tui.sees("behind a token");
}

#[test]
fn signals_leave_the_terminal_as_it_was() {
    let home = Home::new();
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let mut tui = Tui::start(&home, &[]);
        tui.sees("away: cannot reach a server");
        assert!(tui.is_raw());
        tui.signal(signal);
        assert_eq!(tui.wait(), 0);
        tui.has_restored();
    }
}

#[test]
fn suspended_it_gives_the_terminal_back_and_takes_it_again() {
    let home = Home::new();
    let mut tui = Tui::start(&home, &[]);
    tui.sees("away: cannot reach a server");
    tui.signal(Signal::TSTP);
    tui.has_restored();
    let stat = format!("/proc/{}/stat", tui.pid().as_raw_nonzero());
    eventually("it is stopped", || {
        std::fs::read_to_string(&stat).unwrap().contains(") T ").then_some(())
    });
    tui.signal(Signal::CONT);
    tui.sees("away: cannot reach a server");
    assert!(tui.is_raw() && tui.is_on_alternate_screen());
    tui.press("q");
    assert_eq!(tui.wait(), 0);
    tui.has_restored();
}

#[test]
fn without_a_terminal_it_says_so() {
    let home = Home::new();
    let errors = home.fails(2, &["tui"]);
    assert!(errors.contains("needs a terminal"), "{errors}");
}
