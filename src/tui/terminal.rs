//! The terminal, as the client needs it, and as it was found.

use super::model::Notification;
use crate::error::{Error, Result};
use crate::text::visible;
use crossterm::cursor::Show;
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste,
    EnableFocusChange, EnableMouseCapture,
};
use crossterm::execute;
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::backend::CrosstermBackend;
use std::io::{self, IsTerminal, Stdout, Write};
use std::ops::{Deref, DerefMut};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where it is drawn.
pub type Screen = ratatui::Terminal<CrosstermBackend<Stdout>>;

/// The terminal in our hands; given back when dropped, and after a panic.
pub struct Terminal {
    screen: Screen,
}

impl Terminal {
    /// Takes the terminal over; an error where there is none.
    pub fn take() -> Result<Self> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(Error::usage("`rechat tui` needs a terminal, and this is none")
                .hint("`rechat list --follow` watches from a script"));
        }
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            give_back();
            before(info);
        }));
        enter().and_then(|()| Screen::new(CrosstermBackend::new(io::stdout()))).map_or_else(
            |error| {
                give_back();
                Err(Error::failed(format!("cannot use the terminal: {error}")))
            },
            |screen| Ok(Self { screen }),
        )
    }

    /// Gives it back for a while.
    pub fn leave() {
        give_back();
    }

    /// Takes it again, after it was given back or another program had it.
    pub fn come_back(&mut self) -> io::Result<()> {
        enter()?;
        self.redraw()
    }

    /// Notifies of a message in the way that the terminal knows, else by the bell.
    pub fn notify(notification: &Notification) -> io::Result<()> {
        let sequence = Notifying::of_environment().sequence(notification);
        let mut out = io::stdout();
        out.write_all(sequence.as_bytes())?;
        out.flush()
    }

    /// Forgets what is on the screen, so that everything is drawn anew.
    pub fn redraw(&mut self) -> io::Result<()> {
        execute!(io::stdout(), Clear(ClearType::All))?;
        self.screen = Screen::new(CrosstermBackend::new(io::stdout()))?;
        Ok(())
    }
}

impl Deref for Terminal {
    type Target = Screen;

    fn deref(&self) -> &Screen {
        &self.screen
    }
}

impl DerefMut for Terminal {
    fn deref_mut(&mut self) -> &mut Screen {
        &mut self.screen
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

/// How a terminal is told of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notifying {
    /// The bell, which every terminal and tmux know.
    Bell,
    /// OSC 9, of iTerm2, which many others took over.
    Osc9,
    /// OSC 777, of rxvt-unicode, which terminals of VTE and foot know, too.
    Osc777,
}

impl Notifying {
    fn of_environment() -> Self {
        let value = |name| std::env::var(name).unwrap_or_default();
        Self::of(&value("TMUX"), &value("TERM_PROGRAM"), &value("TERM"), &value("VTE_VERSION"))
    }

    fn of(tmux: &str, program: &str, term: &str, vte: &str) -> Self {
        match (tmux, program, term) {
            // tmux drops sequences that it does not know; it passes the bell on.
            (tmux, _, _) if !tmux.is_empty() => Self::Bell,
            (_, "iTerm.app" | "WezTerm" | "ghostty", _) => Self::Osc9,
            (_, _, term) if term.contains("kitty") || term.contains("ghostty") => Self::Osc9,
            (_, _, term) if term.starts_with("rxvt") || term.starts_with("foot") => Self::Osc777,
            _ if !vte.is_empty() => Self::Osc777,
            _ => Self::Bell,
        }
    }

    /// The bytes for the terminal; no text of others can end the sequence or begin another one.
    fn sequence(self, notification: &Notification) -> String {
        let title = visible(&notification.title).replace(';', ",");
        let text = visible(&notification.text);
        match self {
            Self::Bell => "\u{7}".into(),
            Self::Osc9 => format!("\u{1b}]9;{title}: {text}\u{7}"),
            Self::Osc777 => format!("\u{1b}]777;notify;{title};{text}\u{7}"),
        }
    }
}

/// Whether the terminal is in our hands; giving it back twice would spoil what was printed since.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

fn enter() -> io::Result<()> {
    IS_TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    let mut out = io::stdout();
    execute!(out, EnterAlternateScreen, EnableBracketedPaste, EnableMouseCapture, EnableFocusChange)
}

/// Does as much of it as can be done: the terminal may be gone.
fn give_back() {
    if !IS_TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    let _ = execute!(out, DisableFocusChange, DisableMouseCapture, DisableBracketedPaste);
    let _ = execute!(out, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
    let _ = out.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_notified_in_their_own_way() {
        assert_eq!(Notifying::of("", "WezTerm", "xterm-256color", ""), Notifying::Osc9);
        assert_eq!(Notifying::of("", "", "foot", ""), Notifying::Osc777);
        assert_eq!(Notifying::of("", "", "xterm-256color", "7600"), Notifying::Osc777);
        assert_eq!(Notifying::of("/tmp/tmux", "WezTerm", "tmux-256color", ""), Notifying::Bell);
        assert_eq!(Notifying::of("", "", "xterm", ""), Notifying::Bell);
    }

    #[test]
    fn no_notification_steers_the_terminal() {
        let title = "a;b\u{7}\u{1b}]0;owned".to_owned();
        let notification = Notification { title, text: "x\u{9c}y\n".into() };
        let sequence = Notifying::Osc777.sequence(&notification);
        assert_eq!(sequence, "\u{1b}]777;notify;a,b␇␛]0,owned;x\u{fffd}y⏎\u{7}");
    }
}
