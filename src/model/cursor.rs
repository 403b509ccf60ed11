//! Positions in the log of events, and their form for clients.

use std::fmt;
use std::str::FromStr;

/// One opening of a store for writing. It is a random number, made before the first event is
/// written, so that two copies of a store that both go on can be distinguished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(u64);

impl Epoch {
    /// The epoch with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A position in the log: the client knows all events up to `offset`. Opaque text for clients: `<epoch
/// in 16 hex digits>-<offset in hex digits>`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The epoch in which the event at `offset` was written.
    pub epoch: Epoch,
    /// The number of an event, from 1 on; 0 is the position before the first one.
    pub offset: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:x}", self.epoch, self.offset)
    }
}

/// The text is not a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoCursor;

impl fmt::Display for NoCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is no cursor; take one as an event or an ack gave it")
    }
}

impl std::error::Error for NoCursor {}

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let (epoch, offset) = text.split_once('-').ok_or(NoCursor)?;
        if epoch.len() != 16 {
            return Err(NoCursor);
        }
        // `from_str_radix` also accepts a sign, which cursors do not have.
        let number = |text: &str| {
            let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_hex.then(|| u64::from_str_radix(text, 16).ok()).flatten().ok_or(NoCursor)
        };
        Ok(Self { epoch: Epoch(number(epoch)?), offset: number(offset)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_reads_back(epoch: u64, offset: u64) {
            let cursor = Cursor { epoch: Epoch(epoch), offset };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = text.parse::<Cursor>();
        }
    }

    #[test]
    fn other_texts_are_no_cursors() {
        for text in
            ["", "-", "1-2", "000000000000000g-1", "0000000000000001-", "+000000000000001-1"]
        {
            assert_eq!(text.parse::<Cursor>(), Err(NoCursor), "{text}");
        }
    }
}
