//! The error that a command reports: the cause, and advice.

use std::fmt;
use std::process::ExitCode;

/// Kind of an error; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Wrong usage: exit code 2.
    Usage,
    /// The command failed: exit code 1.
    Failed,
    /// The reader of our output has gone (`| head`): no message, exit code 0.
    Gone,
}

/// An error as a command reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Its kind.
    pub kind: ErrorKind,
    what: String,
    hint: Option<String>,
    /// The name that a server gave it, for programs.
    code: Option<String>,
}

/// The result of a command.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A failed command.
    pub fn failed(what: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Failed, what: what.into(), hint: None, code: None }
    }

    /// Wrong usage of a command.
    pub fn usage(what: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Usage, what: what.into(), hint: None, code: None }
    }

    /// Names the place of the fault before it.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.what = format!("{place}: {}", self.what);
        self
    }

    /// Adds advice, which is printed on its own line.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Gives it the name that a server gave it.
    #[must_use]
    pub fn named(mut self, code: Option<String>) -> Self {
        self.code = code;
        self
    }

    /// The name that a server gave it.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Whether it says what to do.
    pub fn has_hint(&self) -> bool {
        self.hint.is_some()
    }

    /// An error of writing the output. A closed pipe (`| head`) prints no message.
    pub fn of_output(error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self { kind: ErrorKind::Gone, ..Self::failed("") };
        }
        Self::failed(format!("cannot write the output: {error}"))
    }

    /// 0 done, 1 failed, 2 wrong usage.
    pub fn exit_code(&self) -> ExitCode {
        match self.kind {
            ErrorKind::Gone => ExitCode::SUCCESS,
            ErrorKind::Failed => ExitCode::from(1),
            ErrorKind::Usage => ExitCode::from(2),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// Tells people something on standard error, after the name of the program.
///
/// The text may be a server's, or quote what other people wrote: nothing in it steers a terminal.
#[allow(clippy::print_stderr, reason = "for people")]
pub fn tell(text: impl fmt::Display) {
    let text = text.to_string();
    let lines: Vec<_> = text.lines().map(crate::text::visible).collect();
    eprintln!("rechat: {}", lines.join("\n"));
}
