//! Output of commands: for people on a terminal, for programs in a pipe.

use super::pager;
use crate::cli::GlobalOptions;
use crate::error::{Error, Result};
use crate::text::json_for_terminal;
use clap::ColorChoice;
use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// Bytes that are gathered before they are written.
const PIECE_BYTES: usize = 64 << 10;

/// Columns and rows of a terminal that does not tell its size.
const USUAL_SIZE: (u16, u16) = (80, 24);

/// Standard output, and what it allows.
pub struct Output {
    gathered: Vec<u8>,
    /// A person reads it.
    pub is_terminal: bool,
    /// Texts may have colors.
    pub has_color: bool,
    /// All of it is gathered, and shown by a pager where it is longer than the screen.
    is_paged: bool,
}

impl Output {
    /// Output that is printed as it comes.
    pub fn new(globals: &GlobalOptions) -> Self {
        let is_terminal = io::stdout().is_terminal();
        // <https://no-color.org>
        let wants_none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let has_color = match globals.color {
            ColorChoice::Auto => is_terminal && !wants_none,
            ColorChoice::Always => true,
            ColorChoice::Never => false,
        };
        crossterm::style::force_color_output(has_color);
        Self { gathered: Vec::new(), is_terminal, has_color, is_paged: false }
    }

    /// Output that has an end and may be longer than the screen.
    pub fn paged(globals: &GlobalOptions) -> Self {
        let output = Self::new(globals);
        Self { is_paged: output.is_terminal && !globals.no_pager, ..output }
    }

    /// Prints a line; a reader that has gone ends the program in silence.
    pub fn line(&mut self, text: impl std::fmt::Display) -> Result<()> {
        writeln!(self.gathered, "{text}").map_err(|error| Error::of_output(&error))?;
        if self.gathered.len() >= PIECE_BYTES && !self.is_paged { self.flush() } else { Ok(()) }
    }

    /// Prints a value as one line of JSON.
    pub fn json<T: Serialize>(&mut self, value: &T) -> Result<()> {
        let text =
            serde_json::to_string(value).map_err(|error| Error::failed(error.to_string()))?;
        if self.is_terminal { self.line(json_for_terminal(&text)) } else { self.line(text) }
    }

    /// Prints what is left; to be called at the end, for only so its errors are seen.
    pub fn finish(mut self) -> Result<()> {
        let rows = self.gathered.split(|&byte| byte == b'\n').count();
        let is_long = rows > usize::from(size().1);
        if self.is_paged && is_long && pager::show(&self.gathered) {
            return Ok(());
        }
        self.flush()
    }

    /// Prints what was gathered so far.
    pub fn flush(&mut self) -> Result<()> {
        let mut out = io::stdout().lock();
        let written = out.write_all(&self.gathered).and_then(|()| out.flush());
        self.gathered.clear();
        written.map_err(|error| Error::of_output(&error))
    }
}

/// Columns of the terminal.
pub(super) fn columns() -> usize {
    size().0.into()
}

/// Columns and rows of the terminal. Serial lines and some containers tell 0, which stands for
/// unknown.
fn size() -> (u16, u16) {
    let (columns, rows) = crossterm::terminal::size().unwrap_or_default();
    let or_usual = |told, usual| if told > 0 { told } else { usual };
    (or_usual(columns, USUAL_SIZE.0), or_usual(rows, USUAL_SIZE.1))
}
