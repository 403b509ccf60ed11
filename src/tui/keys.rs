//! The keys: one table, from which keys are understood and the help is made.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fmt;

/// Where a key is pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
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

impl Place {
    /// Every place, in the order of the help.
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

/// What a key does.
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
        // What Shift does to a letter is in the letter already.
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

/// Some keys, and what they do in a place.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Where.
    pub place: Place,
    /// Any of these.
    pub keys: &'static [Key],
    /// What they do.
    pub action: Action,
    /// The same, in the words of the help.
    pub help: &'static str,
}

const fn binding(
    place: Place,
    keys: &'static [Key],
    action: Action,
    help: &'static str,
) -> Binding {
    Binding { place, keys, action, help }
}

const UP: Key = plain(KeyCode::Up);
const DOWN: Key = plain(KeyCode::Down);
const ENTER: Key = plain(KeyCode::Enter);
const ESC: Key = plain(KeyCode::Esc);
const TAB: Key = plain(KeyCode::Tab);

/// Every key there is.
pub const TABLE: &[Binding] = &[
    binding(Place::Anywhere, &[letter('?'), plain(KeyCode::F(1))], Action::Help, "show the keys"),
    binding(Place::Anywhere, &[TAB], Action::NextPane, "go to the next pane"),
    binding(
        Place::Anywhere,
        &[plain(KeyCode::BackTab)],
        Action::PreviousPane,
        "go to the pane before",
    ),
    binding(Place::Anywhere, &[letter('/')], Action::Search, "search"),
    binding(Place::Anywhere, &[letter('p')], Action::Platform, "show the next platform only"),
    binding(Place::Anywhere, &[letter('s')], Action::Status, "show the next status only"),
    binding(Place::Anywhere, &[letter('i')], Action::Write, "write an answer"),
    binding(Place::Anywhere, &[ESC], Action::Back, "end a search, a filter, a selection; go back"),
    binding(Place::Anywhere, &[ctrl('l')], Action::Redraw, "draw the screen anew"),
    binding(Place::Anywhere, &[ctrl('z')], Action::Suspend, "suspend; the shell's fg comes back"),
    binding(Place::Anywhere, &[letter('q'), ctrl('c')], Action::Quit, "quit"),
    binding(Place::List, &[letter('j'), DOWN], Action::Down, "next conversation"),
    binding(Place::List, &[letter('k'), UP], Action::Up, "conversation before"),
    binding(
        Place::List,
        &[letter('g'), plain(KeyCode::Home)],
        Action::First,
        "all conversations in one",
    ),
    binding(Place::List, &[letter('G'), plain(KeyCode::End)], Action::Last, "last conversation"),
    binding(Place::List, &[plain(KeyCode::PageDown), ctrl('d')], Action::PageDown, "a page down"),
    binding(Place::List, &[plain(KeyCode::PageUp), ctrl('u')], Action::PageUp, "a page up"),
    binding(Place::List, &[ENTER], Action::Open, "write to it, or read all of them"),
    binding(Place::Stream, &[letter('j'), DOWN], Action::Down, "next message"),
    binding(Place::Stream, &[letter('k'), UP], Action::Up, "message before"),
    binding(
        Place::Stream,
        &[plain(KeyCode::PageDown), letter(' ')],
        Action::PageDown,
        "a page down",
    ),
    binding(Place::Stream, &[plain(KeyCode::PageUp), letter('b')], Action::PageUp, "a page up"),
    binding(Place::Stream, &[ctrl('d')], Action::HalfDown, "half a page down"),
    binding(Place::Stream, &[ctrl('u')], Action::HalfUp, "half a page up"),
    binding(
        Place::Stream,
        &[letter('g'), plain(KeyCode::Home)],
        Action::First,
        "to the oldest loaded message",
    ),
    binding(
        Place::Stream,
        &[letter('G'), plain(KeyCode::End)],
        Action::Last,
        "to the newest message, and follow",
    ),
    binding(Place::Stream, &[ENTER], Action::Open, "everything about the message"),
    binding(Place::Stream, &[letter('o')], Action::Conversation, "open the message's conversation"),
    binding(Place::Stream, &[letter('y')], Action::Copy, "copy the content"),
    binding(Place::Stream, &[letter('Y')], Action::CopyId, "copy the ID"),
    binding(Place::Stream, &[letter('x')], Action::Cancel, "cancel it, if it is not sent yet"),
    binding(Place::Stream, &[letter('r')], Action::Retry, "send it again"),
    binding(Place::Stream, &[letter('d')], Action::Delete, "delete it"),
    binding(Place::Stream, &[letter('n')], Action::NextMatch, "match before, further up"),
    binding(Place::Stream, &[letter('N')], Action::PreviousMatch, "match after, further down"),
    binding(Place::Write, &[ENTER], Action::Send, "send"),
    binding(
        Place::Write,
        &[
            Key(KeyCode::Enter, KeyModifiers::ALT),
            Key(KeyCode::Enter, KeyModifiers::SHIFT),
            ctrl('j'),
        ],
        Action::NewLine,
        "begin a new line",
    ),
    binding(Place::Write, &[UP, ctrl('p')], Action::Older, "line above; what was sent before"),
    binding(Place::Write, &[DOWN, ctrl('n')], Action::Newer, "line below; what was sent after"),
    binding(Place::Write, &[plain(KeyCode::PageUp)], Action::PageUp, "read a page up"),
    binding(Place::Write, &[plain(KeyCode::PageDown)], Action::PageDown, "read a page down"),
    binding(Place::Search, &[ENTER], Action::Find, "search the loaded messages"),
    binding(Place::Search, &[TAB], Action::FindEverywhere, "search all messages of the server"),
    binding(Place::View, &[letter('j'), DOWN], Action::Down, "a line down"),
    binding(Place::View, &[letter('k'), UP], Action::Up, "a line up"),
    binding(Place::View, &[plain(KeyCode::PageDown), letter(' ')], Action::PageDown, "a page down"),
    binding(Place::View, &[plain(KeyCode::PageUp), letter('b')], Action::PageUp, "a page up"),
    binding(Place::View, &[letter('g'), plain(KeyCode::Home)], Action::First, "to the top"),
    binding(Place::View, &[letter('G'), plain(KeyCode::End)], Action::Last, "to the end"),
    binding(Place::View, &[letter('q'), ESC, ENTER], Action::Back, "close the view"),
    binding(Place::Question, &[letter('y')], Action::Yes, "yes; any other key means no"),
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

/// What a key does in a place; `None` where it means nothing, or is text.
pub fn action(place: Place, event: &KeyEvent) -> Option<Action> {
    let find = |place| {
        TABLE
            .iter()
            .find(|binding| binding.place == place && binding.keys.iter().any(|key| key.is(event)))
    };
    if let Some(binding) = find(place) {
        return Some(binding.action);
    }
    if place == Place::Question {
        return Some(Action::Back);
    }
    if place == Place::View {
        let on_message = find(Place::Stream).map(|binding| binding.action);
        if let Some(action) = on_message.filter(|action| ON_MESSAGE.contains(action)) {
            return Some(action);
        }
    }
    let is_text = matches!(event.code, KeyCode::Char(_))
        && event.modifiers.difference(KeyModifiers::SHIFT).is_empty();
    if place.takes_text() && is_text {
        return None;
    }
    find(Place::Anywhere).map(|binding| binding.action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for (index, binding) in TABLE.iter().enumerate() {
            for other in &TABLE[index + 1..] {
                let is_shared = binding.keys.iter().any(|key| other.keys.contains(key));
                assert!(binding.place != other.place || !is_shared, "{binding:?} {other:?}");
            }
        }
    }

    #[test]
    fn letters_are_text_while_writing() {
        let q = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        assert_eq!(action(Place::List, &q), Some(Action::Quit));
        assert_eq!(action(Place::Write, &q), None);
        assert_eq!(action(Place::Question, &q), Some(Action::Back));
        let c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(action(Place::Write, &c), Some(Action::Quit));
    }
}
