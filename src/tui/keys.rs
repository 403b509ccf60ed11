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
    /// While choosing from a list that typing narrows down.
    Pick,
    /// In the view of one message, or of the keys.
    View,
    /// While asked yes or no.
    Question,
}

impl Mode {
    /// Every mode, in the order of the help.
    pub const ALL: [Self; 8] = [
        Self::Anywhere,
        Self::List,
        Self::Stream,
        Self::Write,
        Self::Search,
        Self::Pick,
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
            Self::Pick => "Choosing",
            Self::View => "In a view",
            Self::Question => "When asked",
        }
    }

    /// Whether letters are text here.
    fn takes_text(self) -> bool {
        matches!(self, Self::Write | Self::Search | Self::Pick)
    }
}

/// Action of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum KeyAction {
    Quit,
    Suspend,
    Redraw,
    Help,
    NextPane,
    PreviousPane,
    Jump,
    NextConversation,
    PreviousConversation,
    NextUnread,
    Notifications,
    Requests,
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
    MarkRead,
    Mute,
    Pin,
    Reply,
    Edit,
    Recall,
    React,
    Answered,
    Return,
    OpenLink,
    Save,
    Picture,
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
    Complete,
    Older,
    Newer,
    LineStart,
    LineEnd,
    WordLeft,
    WordRight,
    DeleteToStart,
    DeleteToEnd,
    DeleteWord,
    DeleteNextWord,
    DeleteNext,
    Yank,
    Undo,
    Find,
    FindEverywhere,
    Yes,
    No,
}

/// A key with what is held down beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPress(KeyCode, KeyModifiers);

const fn plain(code: KeyCode) -> KeyPress {
    KeyPress(code, KeyModifiers::NONE)
}

const fn letter(c: char) -> KeyPress {
    KeyPress(KeyCode::Char(c), KeyModifiers::NONE)
}

const fn ctrl(c: char) -> KeyPress {
    KeyPress(KeyCode::Char(c), KeyModifiers::CONTROL)
}

const fn alt(c: char) -> KeyPress {
    KeyPress(KeyCode::Char(c), KeyModifiers::ALT)
}

impl KeyPress {
    fn is(self, event: &KeyEvent) -> bool {
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
        match self.0 {
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(c) if self.1.contains(KeyModifiers::CONTROL) => {
                write!(f, "{}", c.to_ascii_uppercase())
            }
            KeyCode::Char(c) if self.1.contains(KeyModifiers::ALT) => {
                write!(f, "{}", c.to_ascii_uppercase())
            }
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

/// Some keys, and what they do in a mode.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Where.
    pub mode: Mode,
    /// Any of these.
    pub keys: &'static [KeyPress],
    /// Their action, for the help.
    pub action: KeyAction,
    /// The same, in the words of the help.
    pub help: &'static str,
}

const fn binding(
    mode: Mode,
    keys: &'static [KeyPress],
    action: KeyAction,
    help: &'static str,
) -> Binding {
    Binding { mode, keys, action, help }
}

const UP: KeyPress = plain(KeyCode::Up);
const DOWN: KeyPress = plain(KeyCode::Down);
const ENTER: KeyPress = plain(KeyCode::Enter);
const ESC: KeyPress = plain(KeyCode::Esc);
const TAB: KeyPress = plain(KeyCode::Tab);

/// Every key there is.
pub const TABLE: &[Binding] = &[
    binding(Mode::Anywhere, &[letter('?'), plain(KeyCode::F(1))], KeyAction::Help, "show the keys"),
    binding(Mode::Anywhere, &[ctrl('k')], KeyAction::Jump, "go to a conversation by its name"),
    binding(
        Mode::Anywhere,
        &[KeyPress(KeyCode::Down, KeyModifiers::ALT), alt('n')],
        KeyAction::NextConversation,
        "next conversation",
    ),
    binding(
        Mode::Anywhere,
        &[KeyPress(KeyCode::Up, KeyModifiers::ALT), alt('p')],
        KeyAction::PreviousConversation,
        "conversation before",
    ),
    binding(
        Mode::Anywhere,
        &[alt('a')],
        KeyAction::NextUnread,
        "next conversation with unread messages",
    ),
    binding(Mode::Anywhere, &[TAB], KeyAction::NextPane, "go to the next pane"),
    binding(
        Mode::Anywhere,
        &[plain(KeyCode::BackTab)],
        KeyAction::PreviousPane,
        "go to the pane before",
    ),
    binding(Mode::Anywhere, &[letter('/')], KeyAction::Search, "search"),
    binding(Mode::Anywhere, &[letter('p')], KeyAction::Platform, "show the next platform only"),
    binding(Mode::Anywhere, &[letter('f')], KeyAction::Status, "show the next status only"),
    binding(Mode::Anywhere, &[letter('i')], KeyAction::Write, "write"),
    binding(Mode::Anywhere, &[letter('w')], KeyAction::Requests, "friend and join requests"),
    binding(
        Mode::Anywhere,
        &[letter('!')],
        KeyAction::Notifications,
        "notifications: off, mentions, all",
    ),
    binding(
        Mode::Anywhere,
        &[ESC],
        KeyAction::Back,
        "end a search, a filter, a selection; go back",
    ),
    binding(Mode::Anywhere, &[ctrl('l')], KeyAction::Redraw, "draw the screen anew"),
    binding(Mode::Anywhere, &[ctrl('z')], KeyAction::Suspend, "suspend; the shell's fg comes back"),
    binding(Mode::Anywhere, &[letter('q'), ctrl('c')], KeyAction::Quit, "quit"),
    binding(Mode::List, &[letter('j'), DOWN], KeyAction::Down, "next conversation"),
    binding(Mode::List, &[letter('k'), UP], KeyAction::Up, "conversation before"),
    binding(
        Mode::List,
        &[letter('g'), plain(KeyCode::Home)],
        KeyAction::First,
        "all conversations in one",
    ),
    binding(Mode::List, &[letter('G'), plain(KeyCode::End)], KeyAction::Last, "last conversation"),
    binding(Mode::List, &[plain(KeyCode::PageDown), ctrl('d')], KeyAction::PageDown, "a page down"),
    binding(Mode::List, &[plain(KeyCode::PageUp), ctrl('u')], KeyAction::PageUp, "a page up"),
    binding(Mode::List, &[ENTER], KeyAction::Open, "read it and write to it"),
    binding(Mode::List, &[letter('r')], KeyAction::MarkRead, "mark as read"),
    binding(Mode::List, &[letter('m')], KeyAction::Mute, "mute, or no longer"),
    binding(Mode::List, &[letter('*')], KeyAction::Pin, "pin to the top, or no longer"),
    binding(Mode::Stream, &[letter('j'), DOWN], KeyAction::Down, "next message"),
    binding(Mode::Stream, &[letter('k'), UP], KeyAction::Up, "message before"),
    binding(
        Mode::Stream,
        &[plain(KeyCode::PageDown), letter(' ')],
        KeyAction::PageDown,
        "a page down",
    ),
    binding(Mode::Stream, &[plain(KeyCode::PageUp), letter('b')], KeyAction::PageUp, "a page up"),
    binding(Mode::Stream, &[ctrl('d')], KeyAction::HalfDown, "half a page down"),
    binding(Mode::Stream, &[ctrl('u')], KeyAction::HalfUp, "half a page up"),
    binding(
        Mode::Stream,
        &[letter('g'), plain(KeyCode::Home)],
        KeyAction::First,
        "to the oldest loaded message",
    ),
    binding(
        Mode::Stream,
        &[letter('G'), plain(KeyCode::End)],
        KeyAction::Last,
        "to the newest message, and follow",
    ),
    binding(Mode::Stream, &[ENTER], KeyAction::Open, "everything about the message"),
    binding(Mode::Stream, &[letter('r')], KeyAction::Reply, "reply to it"),
    binding(Mode::Stream, &[letter('e')], KeyAction::Edit, "edit it, if it is your own"),
    binding(Mode::Stream, &[letter('u')], KeyAction::Recall, "take it back (recall)"),
    binding(Mode::Stream, &[letter('+')], KeyAction::React, "react to it, or no longer"),
    binding(Mode::Stream, &[letter('a')], KeyAction::Answered, "to the message that it answers"),
    binding(Mode::Stream, &[plain(KeyCode::Backspace)], KeyAction::Return, "back from there"),
    binding(Mode::Stream, &[letter('o')], KeyAction::OpenLink, "open a link or a file of it"),
    binding(Mode::Stream, &[letter('s')], KeyAction::Save, "save a file of it"),
    binding(Mode::Stream, &[letter('v')], KeyAction::Picture, "show a picture of it"),
    binding(Mode::Stream, &[letter('c')], KeyAction::Conversation, "show it in its conversation"),
    binding(Mode::Stream, &[letter('y')], KeyAction::Copy, "copy the content"),
    binding(Mode::Stream, &[letter('Y')], KeyAction::CopyId, "copy the ID"),
    binding(Mode::Stream, &[letter('x')], KeyAction::Cancel, "cancel it, if it is not sent yet"),
    binding(Mode::Stream, &[letter('R')], KeyAction::Retry, "send it again"),
    binding(Mode::Stream, &[letter('d')], KeyAction::Delete, "delete it here"),
    binding(Mode::Stream, &[letter('n')], KeyAction::NextMatch, "match before, further up"),
    binding(Mode::Stream, &[letter('N')], KeyAction::PreviousMatch, "match after, further down"),
    binding(Mode::Write, &[ENTER], KeyAction::Send, "send; `/file PATH` sends a file"),
    binding(
        Mode::Write,
        &[
            KeyPress(KeyCode::Enter, KeyModifiers::ALT),
            KeyPress(KeyCode::Enter, KeyModifiers::SHIFT),
            ctrl('j'),
        ],
        KeyAction::NewLine,
        "begin a new line",
    ),
    binding(Mode::Write, &[TAB], KeyAction::Complete, "complete @name or the path of /file"),
    binding(Mode::Write, &[UP, ctrl('p')], KeyAction::Older, "line above; what was sent before"),
    binding(Mode::Write, &[DOWN, ctrl('n')], KeyAction::Newer, "line below; what was sent after"),
    binding(Mode::Write, &[plain(KeyCode::PageUp)], KeyAction::PageUp, "read a page up"),
    binding(Mode::Write, &[plain(KeyCode::PageDown)], KeyAction::PageDown, "read a page down"),
    binding(
        Mode::Write,
        &[ctrl('a'), plain(KeyCode::Home)],
        KeyAction::LineStart,
        "to the start of the line",
    ),
    binding(Mode::Write, &[ctrl('e'), plain(KeyCode::End)], KeyAction::LineEnd, "to its end"),
    binding(
        Mode::Write,
        &[alt('b'), KeyPress(KeyCode::Left, KeyModifiers::CONTROL)],
        KeyAction::WordLeft,
        "a word back",
    ),
    binding(
        Mode::Write,
        &[alt('f'), KeyPress(KeyCode::Right, KeyModifiers::CONTROL)],
        KeyAction::WordRight,
        "a word forth",
    ),
    binding(Mode::Write, &[ctrl('u')], KeyAction::DeleteToStart, "delete to the start of the line"),
    binding(Mode::Write, &[alt('k')], KeyAction::DeleteToEnd, "delete to its end"),
    binding(
        Mode::Write,
        &[ctrl('w'), KeyPress(KeyCode::Backspace, KeyModifiers::ALT)],
        KeyAction::DeleteWord,
        "delete the word before",
    ),
    binding(Mode::Write, &[alt('d')], KeyAction::DeleteNextWord, "delete the word behind"),
    binding(
        Mode::Write,
        &[ctrl('d'), plain(KeyCode::Delete)],
        KeyAction::DeleteNext,
        "delete the character behind",
    ),
    binding(Mode::Write, &[ctrl('y')], KeyAction::Yank, "put in what was deleted"),
    // Terminals send Ctrl-_ as Ctrl-7.
    binding(Mode::Write, &[ctrl('_'), ctrl('7')], KeyAction::Undo, "undo"),
    binding(Mode::Search, &[ENTER], KeyAction::Find, "search here, upwards"),
    binding(Mode::Search, &[TAB], KeyAction::FindEverywhere, "search all conversations"),
    binding(Mode::Pick, &[DOWN, ctrl('n')], KeyAction::Down, "next"),
    binding(Mode::Pick, &[UP, ctrl('p')], KeyAction::Up, "the one before"),
    binding(Mode::Pick, &[plain(KeyCode::PageDown)], KeyAction::PageDown, "a page down"),
    binding(Mode::Pick, &[plain(KeyCode::PageUp)], KeyAction::PageUp, "a page up"),
    binding(Mode::Pick, &[ENTER], KeyAction::Open, "take it"),
    binding(Mode::View, &[letter('j'), DOWN], KeyAction::Down, "a line down"),
    binding(Mode::View, &[letter('k'), UP], KeyAction::Up, "a line up"),
    binding(
        Mode::View,
        &[plain(KeyCode::PageDown), letter(' ')],
        KeyAction::PageDown,
        "a page down",
    ),
    binding(Mode::View, &[plain(KeyCode::PageUp), letter('b')], KeyAction::PageUp, "a page up"),
    binding(Mode::View, &[letter('g'), plain(KeyCode::Home)], KeyAction::First, "to the top"),
    binding(Mode::View, &[letter('G'), plain(KeyCode::End)], KeyAction::Last, "to the end"),
    binding(Mode::View, &[letter('q'), ESC, ENTER], KeyAction::Back, "close the view"),
    binding(Mode::Question, &[letter('y')], KeyAction::Yes, "yes"),
    binding(Mode::Question, &[letter('n')], KeyAction::No, "no; any other key leaves it as it is"),
];

/// Whether an action is about a message; its view knows these as the stream does.
fn is_on_message(action: KeyAction) -> bool {
    matches!(
        action,
        KeyAction::Reply
            | KeyAction::Edit
            | KeyAction::Recall
            | KeyAction::React
            | KeyAction::Answered
            | KeyAction::OpenLink
            | KeyAction::Save
            | KeyAction::Picture
            | KeyAction::Conversation
            | KeyAction::Copy
            | KeyAction::CopyId
            | KeyAction::Cancel
            | KeyAction::Retry
            | KeyAction::Delete
    )
}

/// Whether an action edits a text; wherever there is one, it is the same.
fn is_editing(action: KeyAction) -> bool {
    matches!(
        action,
        KeyAction::LineStart
            | KeyAction::LineEnd
            | KeyAction::WordLeft
            | KeyAction::WordRight
            | KeyAction::DeleteToStart
            | KeyAction::DeleteToEnd
            | KeyAction::DeleteWord
            | KeyAction::DeleteNextWord
            | KeyAction::DeleteNext
            | KeyAction::Yank
            | KeyAction::Undo
    )
}

/// The action of a key in a mode; `None` where it means nothing, or is text.
pub fn action(mode: Mode, event: &KeyEvent) -> Option<KeyAction> {
    let find = |mode| {
        TABLE
            .iter()
            .find(|binding| binding.mode == mode && binding.keys.iter().any(|key| key.is(event)))
    };
    if let Some(binding) = find(mode) {
        return Some(binding.action);
    }
    if mode == Mode::Question {
        return Some(KeyAction::Back);
    }
    if mode == Mode::View {
        let on_message = find(Mode::Stream).map(|binding| binding.action);
        if let Some(action) = on_message.filter(|action| is_on_message(*action)) {
            return Some(action);
        }
    }
    if mode.takes_text() {
        let editing = find(Mode::Write).map(|binding| binding.action);
        if let Some(action) = editing.filter(|action| is_editing(*action)) {
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
        assert_eq!(action(Mode::List, &q), Some(KeyAction::Quit));
        assert_eq!(action(Mode::Write, &q), None);
        assert_eq!(action(Mode::Question, &q), Some(KeyAction::Back));
        let c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(action(Mode::Write, &c), Some(KeyAction::Quit));
        let u = KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL);
        for mode in [Mode::Write, Mode::Search, Mode::Pick] {
            assert_eq!(action(mode, &u), Some(KeyAction::DeleteToStart));
        }
    }
}
