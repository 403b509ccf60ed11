//! Opening of a stream: its first cursor, and the errors.

use crate::error::Error;
use std::fmt;
use std::str::FromStr;

/// Cursor at which a stream begins.
#[derive(Clone, Copy)]
pub enum Begin<'a> {
    /// After this message, given by its ID or `seq`; `None` begins with new messages.
    Since(Option<&'a str>),
    /// The cursor at which another stream was interrupted; a store that does not know it begins with
    /// `reset`.
    After(&'a StreamCursor),
}

impl Begin<'_> {
    /// The same cursor, once the server told its cursor.
    pub(super) fn cursor_at(self, cursor: String) -> StreamCursor {
        StreamCursor { after: cursor, newest: self.cursor().and_then(|cursor| cursor.newest) }
    }

    pub(super) fn cursor(self) -> Option<StreamCursor> {
        match self {
            Self::Since(message) => message.map(StreamCursor::after_message),
            Self::After(cursor) => Some(cursor.clone()),
        }
    }
}

/// The cursor at which a stream was interrupted. As text: the cursor, and after a space the newest
/// message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamCursor {
    /// The cursor of the last event; before the first event, the ID or `seq` of a message.
    pub(super) after: String,
    /// The `seq` of the newest message up to there. Messages are kept longer than events, so they
    /// continue from here if the cursor is too old.
    pub(super) newest: Option<u64>,
}

impl StreamCursor {
    /// The cursor after a message, given by its ID or `seq`.
    pub(super) fn after_message(message: &str) -> Self {
        Self { after: message.to_owned(), newest: message.parse().ok() }
    }
}

impl fmt::Display for StreamCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.after)?;
        self.newest.map_or(Ok(()), |seq| write!(f, " {seq}"))
    }
}

/// The text is not a cursor in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotACursor;

impl FromStr for StreamCursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        // Cursors and IDs are hexadecimal, a `seq` is decimal.
        let is_known = |word: &&str| word.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        let mut words = text.split_whitespace();
        let after = words.next().filter(is_known).ok_or(NotACursor)?;
        let cursor = match words.next() {
            Some(seq) => {
                Self { after: after.to_owned(), newest: Some(seq.parse().map_err(|_| NotACursor)?) }
            }
            None => Self::after_message(after),
        };
        if words.next().is_some() { Err(NotACursor) } else { Ok(cursor) }
    }
}

/// Reason why a stream was not opened.
pub(super) enum NotOpened {
    /// The server refuses it, also later.
    Refused(Error),
    /// It may work again soon.
    Away(Error),
}

impl From<NotOpened> for Error {
    fn from(why: NotOpened) -> Self {
        match why {
            NotOpened::Refused(error) | NotOpened::Away(error) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        for text in ["00000000000000aa-1f 17", "00000000000000aa-1f", "17 17"] {
            assert_eq!(text.parse::<StreamCursor>().unwrap().to_string(), text);
        }
        assert_eq!("17\n".parse::<StreamCursor>().unwrap().to_string(), "17 17");
        for text in ["", " \n", "\0\0\0", "yesterday", "17 x", "17 17 17"] {
            assert_eq!(text.parse::<StreamCursor>(), Err(NotACursor), "{text:?}");
        }
    }
}
