//! The table of keys.

use super::action::KeyAction;
use super::mode::Mode;
use super::press::{KeyPress, alt, ctrl, letter, plain};
use crossterm::event::{KeyCode, KeyModifiers};

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

pub(super) const fn binding(
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
        "previous conversation",
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
        "go to the previous pane",
    ),
    binding(Mode::Anywhere, &[letter('/')], KeyAction::Search, "search"),
    binding(Mode::Anywhere, &[letter('p')], KeyAction::Platform, "show the next platform only"),
    binding(Mode::Anywhere, &[letter('f')], KeyAction::Status, "show the next status only"),
    binding(Mode::Anywhere, &[letter('i')], KeyAction::Write, "write"),
    binding(Mode::Anywhere, &[letter('w')], KeyAction::Requests, "friend and join requests"),
    binding(
        Mode::Anywhere,
        &[letter('M')],
        KeyAction::People,
        "people of the conversation; Enter mentions",
    ),
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
    binding(Mode::Anywhere, &[ctrl('l')], KeyAction::Redraw, "draw the screen again"),
    binding(
        Mode::Anywhere,
        &[ctrl('z')],
        KeyAction::Suspend,
        "suspend; `fg` in the shell comes back",
    ),
    binding(Mode::Anywhere, &[letter('q')], KeyAction::Quit, "quit"),
    binding(Mode::Anywhere, &[ctrl('c')], KeyAction::Interrupt, "quit, when pressed twice"),
    binding(Mode::List, &[letter('j'), DOWN], KeyAction::Down, "next conversation"),
    binding(Mode::List, &[letter('k'), UP], KeyAction::Up, "previous conversation"),
    binding(
        Mode::List,
        &[letter('g'), plain(KeyCode::Home)],
        KeyAction::First,
        "messages of all conversations",
    ),
    binding(Mode::List, &[letter('G'), plain(KeyCode::End)], KeyAction::Last, "last conversation"),
    binding(Mode::List, &[plain(KeyCode::PageDown), ctrl('d')], KeyAction::PageDown, "a page down"),
    binding(Mode::List, &[plain(KeyCode::PageUp), ctrl('u')], KeyAction::PageUp, "a page up"),
    binding(Mode::List, &[ENTER], KeyAction::Open, "read it and write to it"),
    binding(Mode::List, &[letter('r')], KeyAction::MarkRead, "mark as read"),
    binding(Mode::List, &[letter('m')], KeyAction::Mute, "mute, or unmute"),
    binding(Mode::List, &[letter('*')], KeyAction::Pin, "pin to the top, or unpin"),
    binding(Mode::Stream, &[letter('j'), DOWN], KeyAction::Down, "next message"),
    binding(Mode::Stream, &[letter('k'), UP], KeyAction::Up, "previous message"),
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
    binding(
        Mode::Stream,
        &[letter('u')],
        KeyAction::Recall,
        "recall it: take it back on its platform",
    ),
    binding(Mode::Stream, &[letter('+')], KeyAction::React, "react to it, or take a reaction back"),
    binding(Mode::Stream, &[letter('F')], KeyAction::Forward, "forward it to another conversation"),
    binding(
        Mode::Stream,
        &[letter('t')],
        KeyAction::Choose,
        "choose several messages, for F, y and d",
    ),
    binding(
        Mode::Stream,
        &[letter('U')],
        KeyAction::MarkUnread,
        "count it and those after it as unread",
    ),
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
    binding(Mode::Stream, &[letter('n')], KeyAction::NextMatch, "previous match, further up"),
    binding(Mode::Stream, &[letter('N')], KeyAction::PreviousMatch, "next match, further down"),
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
    binding(
        Mode::Write,
        &[ctrl('e'), plain(KeyCode::End)],
        KeyAction::LineEnd,
        "to the end of the line",
    ),
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
        "a word forward",
    ),
    binding(Mode::Write, &[ctrl('u')], KeyAction::DeleteToStart, "delete to the start of the line"),
    binding(Mode::Write, &[alt('k')], KeyAction::DeleteToEnd, "delete to the end of the line"),
    binding(
        Mode::Write,
        &[ctrl('w'), KeyPress(KeyCode::Backspace, KeyModifiers::ALT)],
        KeyAction::DeleteWord,
        "delete the word before the cursor",
    ),
    binding(
        Mode::Write,
        &[alt('d')],
        KeyAction::DeleteNextWord,
        "delete the word after the cursor",
    ),
    binding(
        Mode::Write,
        &[ctrl('d'), plain(KeyCode::Delete)],
        KeyAction::DeleteNext,
        "delete the character after the cursor",
    ),
    binding(Mode::Write, &[ctrl('y')], KeyAction::Yank, "put in what was deleted"),
    // Terminals send Ctrl-_ as Ctrl-7.
    binding(Mode::Write, &[ctrl('_'), ctrl('7')], KeyAction::Undo, "undo"),
    binding(Mode::Search, &[ENTER], KeyAction::Find, "search here, upwards"),
    binding(Mode::Search, &[TAB], KeyAction::FindEverywhere, "search all conversations"),
    binding(Mode::Pick, &[DOWN, ctrl('n')], KeyAction::Down, "next"),
    binding(Mode::Pick, &[UP, ctrl('p')], KeyAction::Up, "previous"),
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
    binding(Mode::Question, &[ctrl('c')], KeyAction::Interrupt, "quit, when it asks that"),
    binding(
        Mode::Question,
        &[letter('n')],
        KeyAction::No,
        "no; for a request, any other key means later",
    ),
];
