//! The program in a terminal of its own: the screen, the keys, and the state that it leaves behind.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use crate::server::{Home, eventually};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::{Arc, Mutex};

const ROWS: NonZero<u16> = NonZero::new(24).unwrap();
const COLUMNS: NonZero<u16> = NonZero::new(100).unwrap();

/// A terminal, and the program that runs in it.
pub struct Terminal {
    screen: Arc<Mutex<vt100::Parser>>,
    keys: Box<dyn Write + Send>,
    master: Box<dyn MasterPty + Send>,
    process: Box<dyn Child + Send + Sync>,
}

impl Terminal {
    /// Starts the program with these arguments.
    pub fn start(home: &Home, arguments: &[&str]) -> Self {
        Self::start_among(home, arguments, &[])
    }

    /// Starts it with variables in its environment.
    pub fn start_among(home: &Home, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let pty = native_pty_system();
        let size =
            PtySize { rows: ROWS.get(), cols: COLUMNS.get(), pixel_width: 0, pixel_height: 0 };
        let pair = pty.openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_rechat"));
        command.args(arguments);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("RECHAT_")) {
            command.env_remove(name);
        }
        command.env("XDG_DATA_HOME", home.path("data"));
        command.env("XDG_CONFIG_HOME", home.path("config"));
        command.env("XDG_STATE_HOME", home.path("state"));
        command.env("TERM", "xterm-256color");
        command.env("TZ", "UTC");
        command.env("LC_ALL", "C.UTF-8");
        for (name, value) in variables {
            command.env(name, value);
        }
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
        Self { screen, keys, master: pair.master, process }
    }

    pub fn contents(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Calls a function with the present screen.
    pub fn with_screen<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.screen.lock().unwrap().screen())
    }

    /// Waits until the last row, which is drawn last, contains a text.
    pub fn has_status(&self, text: &str) {
        eventually(&format!("{text:?} in the last row"), || {
            let (contents, (rows, _)) =
                self.with_screen(|screen| (screen.contents(), screen.size()));
            let last = contents.lines().nth(usize::from(rows.get()) - 1)?;
            last.contains(text).then_some(())
        });
    }

    /// Waits until the screen contains a text.
    pub fn sees(&self, text: &str) {
        let what = format!("{text:?} on the screen");
        eventually(&what, || self.contents().contains(text).then_some(()));
    }

    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Changes its size.
    pub fn resize(&self, rows: u16, columns: u16) {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let (rows, columns) = (NonZero::new(rows).unwrap(), NonZero::new(columns).unwrap());
        self.screen.lock().unwrap().screen_mut().set_size(rows, columns);
        self.master.resize(size).unwrap();
    }

    /// How many characters are drawn in a colour.
    pub fn cells_of(&self, colour: vt100::Color) -> usize {
        let screen = self.screen.lock().unwrap();
        let screen = screen.screen();
        let (rows, columns) = screen.size();
        let cells =
            (0..rows.into()).flat_map(|row| (0..columns.into()).map(move |column| (row, column)));
        cells
            .filter_map(|(row, column)| screen.cell(row, column))
            .filter(|cell| cell.fgcolor() == colour)
            .count()
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.process.process_id().unwrap().try_into().unwrap()).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Whether the terminal is in raw mode.
    pub fn is_raw(&self) -> bool {
        let modes = self.master.get_termios().unwrap().local_flags;
        !format!("{modes:?}").contains("ICANON")
    }

    pub fn is_on_alternate_screen(&self) -> bool {
        self.screen.lock().unwrap().screen().alternate_screen()
    }

    /// Waits for the end; returns the exit code.
    pub fn wait(&mut self) -> u32 {
        eventually("the client ends", || self.process.try_wait().unwrap()).exit_code()
    }

    /// Waits until the screen contains these words, in however many rows.
    pub fn sees_words(&self, words: &str) {
        eventually(&format!("{words:?} on the screen"), || {
            let shown = self.contents().split_whitespace().collect::<Vec<_>>().join(" ");
            shown.contains(words).then_some(())
        });
    }

    /// Whether the state of the terminal was restored.
    pub fn has_restored(&self) {
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

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.process.kill();
        if std::thread::panicking() {
            eprintln!("--- the screen\n{}", self.contents());
        }
    }
}
