//! Text in one look.

use crate::text;

/// Look of a piece of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextLook {
    /// The text of a message.
    #[default]
    Plain,
    /// Less important than the text.
    Quiet,
    /// A mention of a person.
    Mention,
    /// The account itself, or everybody, is mentioned.
    Me,
    /// A file, a place, a card.
    Media,
    /// An address on the web.
    Link,
    /// A message that was taken back.
    Recalled,
    /// The reason why a message waits.
    Waiting,
    /// A failure.
    Wrong,
    /// A reaction of one's own.
    Mine,
}

/// Text in one look; nothing in it can steer a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub text: String,
    pub look: TextLook,
    /// It matches the search.
    pub is_hit: bool,
}

impl Span {
    /// A text of others, made safe to show.
    pub fn new(text: &str, look: TextLook) -> Self {
        Self { text: text::visible(text).into_owned(), look, is_hit: false }
    }
}
