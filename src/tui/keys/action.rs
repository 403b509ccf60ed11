//! Actions of keys.

/// Action of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAction {
    Quit,
    /// Quits when pressed twice; in the question whether to quit, at once.
    Interrupt,
    /// Stops the process until the shell continues it.
    Suspend,
    /// Draws the screen again.
    Redraw,
    Help,
    NextPane,
    PreviousPane,
    /// Goes to a conversation by its name.
    Jump,
    NextConversation,
    PreviousConversation,
    NextUnread,
    Notifications,
    Requests,
    /// Lists the people of the conversation.
    People,
    Search,
    /// Shows the next platform only.
    Platform,
    /// Shows messages in the next state only.
    Status,
    Write,
    /// Ends a search, a filter or a selection, or closes the view.
    Back,
    Down,
    Up,
    PageDown,
    PageUp,
    HalfDown,
    HalfUp,
    First,
    Last,
    /// Opens the selected conversation, message or entry.
    Open,
    MarkRead,
    Mute,
    Pin,
    MarkUnread,
    /// Adds the message to the selection, or removes it.
    Choose,
    Reply,
    Edit,
    Recall,
    React,
    Forward,
    /// Goes to the message that this one answers.
    Answered,
    /// Goes back from there.
    Return,
    /// Opens a link or a file of the message.
    OpenLink,
    Save,
    /// Shows a picture of the message.
    Picture,
    /// Shows the message in its conversation.
    Conversation,
    Copy,
    CopyId,
    Cancel,
    Retry,
    Delete,
    /// Goes to the older match.
    NextMatch,
    /// Goes to the newer match.
    PreviousMatch,
    Send,
    NewLine,
    /// Completes a name after `@`, or the path after `/file`.
    Complete,
    /// The line above, or the text that was sent before.
    Older,
    /// The line below, or the text that was sent after.
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
    /// Inserts the text that was deleted last.
    Yank,
    Undo,
    /// Searches the messages that are shown.
    Find,
    /// Searches all conversations.
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
