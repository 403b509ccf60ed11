//! The keys: one table, from which keys are understood and the help is made.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fmt;

/// The state of the screen that decides the meaning of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Wherever nothing is being typed.
    Anywhere,
    /// In the list of conversations.
    List,
    /// In the stream of messages.
    Stream,
    /// In the line to write.
    Write,
    /// While typing what to search for.
    Search,
    /// In the view of one message, or of the keys.
    View,
    /// While asked whether to delete.
    Question,
}

impl Mode {
    /// Every mode, in the order of the help.
    pub const ALL: [Self; 7] = [
        Self::Anywhere,
        Self::List,
        Self::Stream,
        Self::Write,
        Self::Search,
        Self::View,
        Self::Question,
    ];

    /// As the help heads it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Anywhere => "Anywhere",
            Self::List => "Conversations",
            Self::Stream => "Messages",
            Self::Write => "Writing",
            Self::Search => "Searching",
            Self::View => "In a view",
            Self::Question => "When asked",
        }
    }

    /// Whether letters are text here.
    fn takes_text(self) -> bool {
        matches!(self, Self::Write | Self::Search)
    }
}

/// Action of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Action {
    Quit,
    Suspend,
    Redraw,
    Help,
    NextPane,
    PreviousPane,
    Search,
    Platform,
    Status,
    Write,
    Back,
    Down,
    Up,
    PageDown,
    PageUp,
    HalfDown,
    HalfUp,
    First,
    Last,
    Open,
    Conversation,
    Copy,
    CopyId,
    Cancel,
    Retry,
    Delete,
    NextMatch,
    PreviousMatch,
    Send,
    NewLine,
    Older,
    Newer,
    Find,
    FindEverywhere,
    Yes,
}

/// A key with what is held down beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(KeyCode, KeyModifiers);

const fn plain(code: KeyCode) -> Key {
    Key(code, KeyModifiers::NONE)
}

const fn letter(c: char) -> Key {
    Key(KeyCode::Char(c), KeyModifiers::NONE)
}

const fn ctrl(c: char) -> Key {
    Key(KeyCode::Char(c), KeyModifiers::CONTROL)
}

impl Key {
    fn is(self, event: &KeyEvent) -> bool {
        // The letter itself shows Shift already.
        let held = event.modifiers.difference(match event.code {
            KeyCode::Char(_) | KeyCode::BackTab => KeyModifiers::SHIFT,
            _ => KeyModifiers::NONE,
        });
        self.0 == event.code && self.1 == held
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.1.contains(KeyModifiers::CONTROL) {
            f.write_str("Ctrl-")?;
        }
        if self.1.contains(KeyModifiers::ALT) {
            f.write_str("Alt-")?;
        }
        match self.0 {
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(c) if self.1.contains(KeyModifiers::CONTROL) => {
                write!(f, "{}", c.to_ascii_uppercase())
            }
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::Up => f.write_str("↑"),
            KeyCode::Down => f.write_str("↓"),
            KeyCode::BackTab => f.write_str("Shift-Tab"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::PageDown => f.write_str("PgDn"),
            code => write!(f, "{code}"),
        }
    }
}

/// Some keys, and what they do in a mode.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Where.
    pub mode: Mode,
    /// Any of these.
    pub keys: &'static [Key],
    /// Their action, for the help.
    pub action: Action,
    /// The same, in the words of the help.
    pub help: &'static str,
}

const fn binding(mode: Mode, keys: &'static [Key], action: Action, help: &'static str) -> Binding {
    Binding { mode, keys, action, help }
}

const UP: Key = plain(KeyCode::Up);
const DOWN: Key = plain(KeyCode::Down);
const ENTER: Key = plain(KeyCode::Enter);
const ESC: Key = plain(KeyCode::Esc);
const TAB: Key = plain(KeyCode::Tab);

/// Every key there is.
pub const TABLE: &[Binding] = &[
    binding(Mode::Anywhere, &[letter('?'), plain(KeyCode::F(1))], Action::Help, "show the keys"),
    binding(Mode::Anywhere, &[TAB], Action::NextPane, "go to the next pane"),
    binding(
        Mode::Anywhere,
        &[plain(KeyCode::BackTab)],
        Action::PreviousPane,
        "go to the pane before",
    ),
    binding(Mode::Anywhere, &[letter('/')], Action::Search, "search"),
    binding(Mode::Anywhere, &[letter('p')], Action::Platform, "show the next platform only"),
    binding(Mode::Anywhere, &[letter('s')], Action::Status, "show the next status only"),
    binding(Mode::Anywhere, &[letter('i')], Action::Write, "write an answer"),
    binding(Mode::Anywhere, &[ESC], Action::Back, "end a search, a filter, a selection; go back"),
    binding(Mode::Anywhere, &[ctrl('l')], Action::Redraw, "draw the screen anew"),
    binding(Mode::Anywhere, &[ctrl('z')], Action::Suspend, "suspend; the shell's fg comes back"),
    binding(Mode::Anywhere, &[letter('q'), ctrl('c')], Action::Quit, "quit"),
    binding(Mode::List, &[letter('j'), DOWN], Action::Down, "next conversation"),
    binding(Mode::List, &[letter('k'), UP], Action::Up, "conversation before"),
    binding(
        Mode::List,
        &[letter('g'), plain(KeyCode::Home)],
        Action::First,
        "all conversations in one",
    ),
    binding(Mode::List, &[letter('G'), plain(KeyCode::End)], Action::Last, "last conversation"),
    binding(Mode::List, &[plain(KeyCode::PageDown), ctrl('d')], Action::PageDown, "a page down"),
    binding(Mode::List, &[plain(KeyCode::PageUp), ctrl('u')], Action::PageUp, "a page up"),
    binding(Mode::List, &[ENTER], Action::Open, "write to it, or read all of them"),
    binding(Mode::Stream, &[letter('j'), DOWN], Action::Down, "next message"),
    binding(Mode::Stream, &[letter('k'), UP], Action::Up, "message before"),
    binding(
        Mode::Stream,
        &[plain(KeyCode::PageDown), letter(' ')],
        Action::PageDown,
        "a page down",
    ),
    binding(Mode::Stream, &[plain(KeyCode::PageUp), letter('b')], Action::PageUp, "a page up"),
    binding(Mode::Stream, &[ctrl('d')], Action::HalfDown, "half a page down"),
    binding(Mode::Stream, &[ctrl('u')], Action::HalfUp, "half a page up"),
    binding(
        Mode::Stream,
        &[letter('g'), plain(KeyCode::Home)],
        Action::First,
        "to the oldest loaded message",
    ),
    binding(
        Mode::Stream,
        &[letter('G'), plain(KeyCode::End)],
        Action::Last,
        "to the newest message, and follow",
    ),
    binding(Mode::Stream, &[ENTER], Action::Open, "everything about the message"),
    binding(Mode::Stream, &[letter('o')], Action::Conversation, "open the message's conversation"),
    binding(Mode::Stream, &[letter('y')], Action::Copy, "copy the content"),
    binding(Mode::Stream, &[letter('Y')], Action::CopyId, "copy the ID"),
    binding(Mode::Stream, &[letter('x')], Action::Cancel, "cancel it, if it is not sent yet"),
    binding(Mode::Stream, &[letter('r')], Action::Retry, "send it again"),
    binding(Mode::Stream, &[letter('d')], Action::Delete, "delete it"),
    binding(Mode::Stream, &[letter('n')], Action::NextMatch, "match before, further up"),
    binding(Mode::Stream, &[letter('N')], Action::PreviousMatch, "match after, further down"),
    binding(Mode::Write, &[ENTER], Action::Send, "send"),
    binding(
        Mode::Write,
        &[
            Key(KeyCode::Enter, KeyModifiers::ALT),
            Key(KeyCode::Enter, KeyModifiers::SHIFT),
            ctrl('j'),
        ],
        Action::NewLine,
        "begin a new line",
    ),
    binding(Mode::Write, &[UP, ctrl('p')], Action::Older, "line above; what was sent before"),
    binding(Mode::Write, &[DOWN, ctrl('n')], Action::Newer, "line below; what was sent after"),
    binding(Mode::Write, &[plain(KeyCode::PageUp)], Action::PageUp, "read a page up"),
    binding(Mode::Write, &[plain(KeyCode::PageDown)], Action::PageDown, "read a page down"),
    binding(Mode::Search, &[ENTER], Action::Find, "search the loaded messages"),
    binding(Mode::Search, &[TAB], Action::FindEverywhere, "search all messages of the server"),
    binding(Mode::View, &[letter('j'), DOWN], Action::Down, "a line down"),
    binding(Mode::View, &[letter('k'), UP], Action::Up, "a line up"),
    binding(Mode::View, &[plain(KeyCode::PageDown), letter(' ')], Action::PageDown, "a page down"),
    binding(Mode::View, &[plain(KeyCode::PageUp), letter('b')], Action::PageUp, "a page up"),
    binding(Mode::View, &[letter('g'), plain(KeyCode::Home)], Action::First, "to the top"),
    binding(Mode::View, &[letter('G'), plain(KeyCode::End)], Action::Last, "to the end"),
    binding(Mode::View, &[letter('q'), ESC, ENTER], Action::Back, "close the view"),
    binding(Mode::Question, &[letter('y')], Action::Yes, "yes; any other key means no"),
];

/// Actions on a message, which its view knows as the stream does.
const ON_MESSAGE: [Action; 6] = [
    Action::Copy,
    Action::CopyId,
    Action::Cancel,
    Action::Retry,
    Action::Delete,
    Action::Conversation,
];

/// The action of a key in a mode; `None` where it means nothing, or is text.
pub fn action(mode: Mode, event: &KeyEvent) -> Option<Action> {
    let find = |mode| {
        TABLE
            .iter()
            .find(|binding| binding.mode == mode && binding.keys.iter().any(|key| key.is(event)))
    };
    if let Some(binding) = find(mode) {
        return Some(binding.action);
    }
    if mode == Mode::Question {
        return Some(Action::Back);
    }
    if mode == Mode::View {
        let on_message = find(Mode::Stream).map(|binding| binding.action);
        if let Some(action) = on_message.filter(|action| ON_MESSAGE.contains(action)) {
            return Some(action);
        }
    }
    let is_text = matches!(event.code, KeyCode::Char(_))
        && event.modifiers.difference(KeyModifiers::SHIFT).is_empty();
    if mode.takes_text() && is_text {
        return None;
    }
    find(Mode::Anywhere).map(|binding| binding.action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for (index, binding) in TABLE.iter().enumerate() {
            for other in &TABLE[index + 1..] {
                let is_shared = binding.keys.iter().any(|key| other.keys.contains(key));
                assert!(binding.mode != other.mode || !is_shared, "{binding:?} {other:?}");
            }
        }
    }

    #[test]
    fn letters_are_text_while_writing() {
        let q = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        assert_eq!(action(Mode::List, &q), Some(Action::Quit));
        assert_eq!(action(Mode::Write, &q), None);
        assert_eq!(action(Mode::Question, &q), Some(Action::Back));
        let c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(action(Mode::Write, &c), Some(Action::Quit));
    }
}
