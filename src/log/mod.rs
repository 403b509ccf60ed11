//! The log: all events in the order of the decisions.
//!
//! An event is acknowledged once it is in the log. The tables of the store are a view of it. The events
//! that they lack after a crash are applied at the next start.

pub mod disk;
mod encoding;
pub mod file;
pub mod jetstream;
pub mod record;

pub use encoding::LogRecord;
pub(crate) use encoding::{decode_event, encode_event};
pub use file::FileLog;

use crate::model::cursor::Epoch;
use crate::model::event::Event;
use std::fmt;
use std::path::PathBuf;

/// In the text of a [`LogError`]: the batch may be in the log.
pub const OUTCOME_UNKNOWN: &str = "whether it was stored is unknown";

/// Reason why the log refuses. The text is for people and says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogError(pub String);

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LogError {}

/// The result of reading or writing the log.
pub type Result<T> = std::result::Result<T, LogError>;

/// Events of one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The epoch of its last event.
    pub epoch: Epoch,
    /// The offset of its first event; the others follow it.
    pub first: u64,
    /// When it was committed, in Unix seconds.
    pub at: u64,
    /// Its events, in the order of their offsets; the first has the offset `first`.
    pub events: Vec<Event>,
}

impl Batch {
    /// The offset after its last event.
    pub fn end(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    /// Whether it follows an event at `offset` that was written in `epoch`.
    pub fn follows(&self, offset: u64, epoch: Epoch) -> bool {
        let previous = match self.events.first() {
            Some(Event::Opened { previous, .. }) => *previous,
            _ => self.epoch,
        };
        self.first == offset + 1 && previous == epoch
    }
}

/// Content of a log from an offset on.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The batches, the oldest first. Their offsets grow, and have gaps if records were damaged.
    pub batches: Vec<Batch>,
    /// Positions of records that cannot be read although later ones can, as text.
    pub damage: Vec<String>,
    /// Whether such a record is before the first batch, and may have had all missing events.
    pub begins_damaged: bool,
    /// Bytes of the file; 0 if there is none.
    pub bytes: u64,
    /// Whether the file has only zeros.
    pub is_blank: bool,
    /// The file is not empty and has no valid record of this store: it is the log of another store,
    /// or completely damaged.
    pub is_foreign: bool,
}

/// The log of a cluster: one node appends to it, and all nodes apply it.
pub trait SharedLog: Send {
    /// Appends a batch after a stream sequence of the log. Returns the stream sequence of the batch once it
    /// is replicated. `first` is the offset of its first event.
    ///
    /// # Errors
    ///
    /// This node may not append any more, or it is unknown whether the batch is in the log. The
    /// batch must not be applied then, unless it is read from the log.
    fn append(&mut self, after: u64, first: u64, record: LogRecord) -> Result<u64>;

    /// Whether this node may append, as far as it knows. If so, no other node has decided anything.
    fn may_append(&self) -> bool;
}

/// A batch in the log of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedBatch {
    /// The batch.
    pub batch: Batch,
    /// The stream sequence of its last message.
    pub stream_seq: u64,
    /// Its size, in bytes.
    pub bytes: usize,
}

/// An append-only log of events.
pub trait Log {
    /// The size of the file that the next batch makes, in bytes; `None` if there is a file already, or the
    /// log is not a file.
    fn begins(&self) -> Option<u64> {
        None
    }

    /// Whether the log has space for a batch now.
    fn has_room(&self, record: &LogRecord) -> bool;

    /// Appends a batch whose first event has the offset `expected`, and makes it durable; `false` if that
    /// failed. The batch may be on disk even then. So either the tables make it durable at the same
    /// offsets, or the file is closed.
    fn append(&mut self, expected: u64, record: LogRecord) -> bool;

    /// Everything from an offset on.
    ///
    /// # Errors
    ///
    /// The disk refuses; the text says what to do.
    fn read(&self, from: u64) -> Result<Contents>;

    /// The offset of the newest event that only the log has; `None` if the tables have all events.
    fn head(&self) -> Option<u64>;

    /// The epoch of that event.
    fn epoch(&self) -> Option<Epoch>;

    /// Empties the log. The tables must have all its events durably.
    fn clear(&mut self);

    /// Gives the log a second name, so that people can inspect it. If there is no log, makes an empty file.
    /// `None` if the file system has no hard links.
    fn link_aside(&self, why: &str) -> Option<PathBuf>;

    /// Moves the log away, so that people can inspect it. If there is no log, makes an empty file. Returns
    /// its new path.
    ///
    /// # Errors
    ///
    /// The disk refuses; the text says what to do.
    fn keep_aside(&self, why: &str) -> Result<PathBuf>;

    /// Removes the log. The tables must have all its events durably.
    fn remove(&mut self);
}
