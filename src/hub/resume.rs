//! Cursors for clients: a position in the log, and the older messages that have to be sent first.

use crate::model::cursor::{Cursor, NoCursor};
use std::fmt;
use std::str::FromStr;

/// The position at which a session continues. Opaque text for clients: a [`Cursor`], and
/// `-<after>-<through>` in hex during a replay by `since`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResumePoint {
    /// Events after this one follow.
    pub cursor: Cursor,
    /// Messages that come before them.
    pub older: Option<OlderMessages>,
}

/// Messages after one `seq` through another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OlderMessages {
    /// The `seq` before the first of them.
    pub after: u64,
    /// The `seq` of the last of them.
    pub through: u64,
}

impl From<Cursor> for ResumePoint {
    fn from(cursor: Cursor) -> Self {
        Self { cursor, older: None }
    }
}

impl fmt::Display for ResumePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cursor)?;
        match self.older {
            Some(OlderMessages { after, through }) => write!(f, "-{after:x}-{through:x}"),
            None => Ok(()),
        }
    }
}

impl FromStr for ResumePoint {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let parts: Vec<&str> = text.split('-').collect();
        let number = |text: &str| {
            let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_hex.then(|| u64::from_str_radix(text, 16).ok()).flatten().ok_or(NoCursor)
        };
        match *parts.as_slice() {
            [_, _] => Ok(Self::from(text.parse::<Cursor>()?)),
            [epoch, offset, after, through] => Ok(Self {
                cursor: format!("{epoch}-{offset}").parse()?,
                older: Some(OlderMessages { after: number(after)?, through: number(through)? }),
            }),
            _ => Err(NoCursor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cursor::Epoch;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_reads_back(epoch: u64, offset: u64, older: Option<(u64, u64)>) {
            let cursor = Cursor { epoch: Epoch::new(epoch), offset };
            let older = older.map(|(after, through)| OlderMessages { after, through });
            let point = ResumePoint { cursor, older };
            prop_assert_eq!(point.to_string().parse(), Ok(point));
        }

        #[test]
        fn no_text_is_a_panic(text in "[0-9a-f-]{0,60}|.{0,30}") {
            let _ = text.parse::<ResumePoint>();
        }
    }
}
