//! Actions of keys.

/// Action of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum KeyAction {
    Quit,
    Interrupt,
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
    People,
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
    MarkUnread,
    Choose,
    Reply,
    Edit,
    Recall,
    React,
    Forward,
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

impl KeyAction {
    /// Whether an action is about a message; its view knows these as the stream does.
    pub fn is_on_message(self) -> bool {
        matches!(
            self,
            Self::Reply
                | Self::MarkUnread
                | Self::Choose
                | Self::Edit
                | Self::Recall
                | Self::React
                | Self::Forward
                | Self::Answered
                | Self::OpenLink
                | Self::Save
                | Self::Picture
                | Self::Conversation
                | Self::Copy
                | Self::CopyId
                | Self::Cancel
                | Self::Retry
                | Self::Delete
        )
    }

    /// Whether an action edits a text; wherever there is one, it is the same.
    pub(super) fn is_editing(self) -> bool {
        matches!(
            self,
            Self::LineStart
                | Self::LineEnd
                | Self::WordLeft
                | Self::WordRight
                | Self::DeleteToStart
                | Self::DeleteToEnd
                | Self::DeleteWord
                | Self::DeleteNextWord
                | Self::DeleteNext
                | Self::Yank
                | Self::Undo
        )
    }
}
