//! The state of the screen that decides the meaning of a key.

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
    pub(super) fn takes_text(self) -> bool {
        matches!(self, Self::Write | Self::Search | Self::Pick)
    }
}
