//! The terminal, as the client needs it, and as it was found.

use crate::error::{Error, Result};
use crossterm::cursor::Show;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
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

/// Whether the terminal is in our hands; giving it back twice would spoil what was printed since.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

fn enter() -> io::Result<()> {
    IS_TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, EnableMouseCapture)
}

/// Does as much of it as can be done: the terminal may be gone.
fn give_back() {
    if !IS_TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    let _ = execute!(out, DisableMouseCapture, DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
    let _ = out.flush();
}
