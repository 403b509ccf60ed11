//! A key with what is held down beside it, and its name.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fmt;

/// A key with what is held down beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPress(pub(super) KeyCode, pub(super) KeyModifiers);

pub(super) const fn plain(code: KeyCode) -> KeyPress {
    KeyPress(code, KeyModifiers::NONE)
}

pub(super) const fn letter(c: char) -> KeyPress {
    KeyPress(KeyCode::Char(c), KeyModifiers::NONE)
}

pub(super) const fn ctrl(c: char) -> KeyPress {
    KeyPress(KeyCode::Char(c), KeyModifiers::CONTROL)
}

pub(super) const fn alt(c: char) -> KeyPress {
    KeyPress(KeyCode::Char(c), KeyModifiers::ALT)
}

impl KeyPress {
    pub(super) fn is(self, event: &KeyEvent) -> bool {
        // The letter itself shows Shift already.
        let held = event.modifiers.difference(match event.code {
            KeyCode::Char(_) | KeyCode::BackTab => KeyModifiers::SHIFT,
            _ => KeyModifiers::NONE,
        });
        self.0 == event.code && self.1 == held
    }
}

impl fmt::Display for KeyPress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.1.contains(KeyModifiers::CONTROL) {
            f.write_str("Ctrl-")?;
        }
        if self.1.contains(KeyModifiers::ALT) {
            f.write_str("Alt-")?;
        }
        if self.1.contains(KeyModifiers::SHIFT) {
            f.write_str("Shift-")?;
        }
        match self.0 {
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(c) if !self.1.is_empty() => write!(f, "{}", c.to_ascii_uppercase()),
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::Up => f.write_str("↑"),
            KeyCode::Down => f.write_str("↓"),
            KeyCode::Left => f.write_str("←"),
            KeyCode::Right => f.write_str("→"),
            KeyCode::BackTab => f.write_str("Shift-Tab"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::PageDown => f.write_str("PgDn"),
            code => write!(f, "{code}"),
        }
    }
}
