//! The log: every event, in the order it was decided.
//!
//! An event is acknowledged once it is in the log. The tables of the store are a view of it: they
//! follow, and what they do not have yet is applied to them again at the next start.

pub mod disk;
mod encoding;
pub mod file;
pub mod record;

pub use encoding::Record;
pub(crate) use encoding::{decode_event, encode_event};
pub use file::FileLog;

use crate::model::cursor::Epoch;
use crate::model::event::Event;
use std::fmt;
use std::path::PathBuf;

/// Why the log could not do something. The text is for people and says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(pub String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

#[allow(missing_docs)]
pub type Result<T> = std::result::Result<T, Error>;

/// Events that were committed together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The epoch of its last event.
    pub epoch: Epoch,
    /// The offset of its first event; the others follow it.
    pub first: u64,
    /// When it was committed, in Unix seconds.
    pub at: u64,
    #[allow(missing_docs)]
    pub events: Vec<Event>,
}

impl Batch {
    /// The offset of the event behind its last one.
    pub fn end(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    /// Whether it goes on from an event at `offset` that was written in `epoch`.
    pub fn follows(&self, offset: u64, epoch: Epoch) -> bool {
        let previous = match self.events.first() {
            Some(Event::Opened { previous, .. }) => *previous,
            _ => self.epoch,
        };
        self.first == offset + 1 && previous == epoch
    }
}

/// What a log holds from some place on.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Oldest first; their offsets grow, and have gaps where records were damaged.
    pub batches: Vec<Batch>,
    /// Places in the log where a record cannot be read though others follow it, in words.
    pub damage: Vec<String>,
    /// There is something, and no whole record of this store: it is of another one, or damaged
    /// throughout.
    pub is_foreign: bool,
}

/// An append-only log of events.
pub trait Log {
    /// Whether a batch can be taken now.
    fn has_room(&self, record: &Record) -> bool;

    /// Appends a batch whose first event has the offset `expected`, and makes it durable; whether it
    /// is. Where it is not, it may be there all the same: the batch must be made durable by the
    /// tables, at the same offsets, or be refused.
    fn append(&mut self, expected: u64, record: Record) -> bool;

    /// Everything from an offset on.
    fn read(&self, from: u64) -> Result<Contents>;

    /// The offset of the newest event that is only in the log; `None` where the tables have all.
    fn head(&self) -> Option<u64>;

    /// The epoch of that event.
    fn epoch(&self) -> Option<Epoch>;

    /// Begins anew: the tables hold all of it, durably.
    fn clear(&mut self);

    /// Keeps a copy of the log as it is for somebody to look at; gives its place.
    fn keep_aside(&self, why: &str) -> Result<PathBuf>;

    /// Removes it; the tables hold all of it.
    fn remove(&mut self);
}
