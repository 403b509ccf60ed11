//! The store: the journal of messages, and the indexes that make it quick to ask.
//!
//! Commands are decided into events ([`command`]), events are logged and applied ([`apply`]), and
//! the tables are what they come to. The log holds what the tables do not have durably yet; of older
//! events the journal keeps what clients need to go on where they stopped, and no content.
//!
//! What it promises: a [`Command`] is answered only once its change is on disk; commands that
//! wait together share one sync; `seq` grows with each message and is never used again; readers
//! see whole commits only and never wait for the writer.

mod apply;
pub mod check;
mod command;
mod copy;
mod damage;
mod facts;
mod file;
mod ids;
mod journal;
mod keys;
mod legacy;
mod migration;
mod open;
mod overlay;
pub mod postings;
mod query;
mod receive;
mod recount;
mod tables;
#[cfg(test)]
mod tests;
mod transaction;
mod view;
mod writer;

pub use crate::log::disk::{FileKind, StorageFactory};
pub use crate::log::record;
pub use command::{Answer, Command};
pub use copy::compact;
pub use journal::{Entry, JournalEntry};
pub use keys::Idempotency;
pub use open::{Access, Options};
pub use query::{Filter, Needs, Page};
pub use view::{Conversation, SetAside, Stats, View};

use crate::model::change::Committed;
use crate::model::cursor::Cursor;
use arc_swap::ArcSwapOption;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// Why the store could not do something. The text is for people and says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// There is no store at the moment: it could not be opened again after a fault, or is closed.
    Absent,
    /// It cannot be opened: not ours, too new, locked, or the disk says no.
    Open(String),
    /// Another process has the file.
    InUse(String),
    /// A row is damaged; only what meets it is refused.
    Damaged(String),
    /// The file itself is damaged: a page of it is none.
    Corrupt(String),
    /// Reading failed.
    Read(String),
    /// Writing failed. Where the disk failed in the midst of it, the change may yet be there.
    Write(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Spelled by the contract, Part 1.
            Self::Absent => f.write_str("Repository not initialized"),
            Self::Open(text) | Self::InUse(text) => f.write_str(text),
            Self::Damaged(text) => write!(f, "{text}; `rechat check` tells more"),
            Self::Corrupt(text) => {
                write!(f, "the store's file is damaged ({text}); `rechat check` tells more")
            }
            Self::Read(text) => write!(f, "the store could not be read: {text}"),
            Self::Write(text) => write!(f, "the store could not be written: {text}"),
        }
    }
}

impl std::error::Error for Error {}

/// The result of asking the store.
pub type Result<T> = std::result::Result<T, Error>;

impl From<redb::StorageError> for Error {
    fn from(error: redb::StorageError) -> Self {
        match error {
            redb::StorageError::Corrupted(text) => Self::Corrupt(text),
            error => Self::Read(error.to_string()),
        }
    }
}

impl From<record::Unreadable> for Error {
    fn from(error: record::Unreadable) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<crate::log::Error> for Error {
    fn from(error: crate::log::Error) -> Self {
        Self::Open(error.to_string())
    }
}

impl From<redb::TableError> for Error {
    fn from(error: redb::TableError) -> Self {
        Self::Read(error.to_string())
    }
}

impl From<redb::TransactionError> for Error {
    fn from(error: redb::TransactionError) -> Self {
        Self::Read(error.to_string())
    }
}

/// Where a store stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The newest `seq` that was ever given to a message; 0 before the first.
    pub seq: u64,
    /// The newest event.
    pub cursor: Cursor,
}

/// Told of each commit, in order, before those who asked for it are answered. Called from the
/// writer's thread, so neither method waits for anything.
pub trait Listener: Send {
    /// The store is open, and stands there: at the start, and again after a fault. A commit that
    /// failed may have come to be all the same, without having been told of.
    fn opened(&mut self, head: Head);

    /// These changes are on disk now.
    fn committed(&mut self, batch: Arc<Committed>);
}

/// Nobody listens.
impl Listener for () {
    fn opened(&mut self, _: Head) {}

    fn committed(&mut self, _: Arc<Committed>) {}
}

/// What readers see: the newest commit, or nothing while the store is away.
type Current = Arc<ArcSwapOption<View>>;

/// An open store. Dropping it (or [`Store::close`]) waits for what is queued to be written.
pub struct Store {
    current: Current,
    owner: String,
    /// Empty once the store is closed, or where it was opened for reading.
    queue: Mutex<Option<mpsc::Sender<writer::Job>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Store {
    /// Opens the store, making it where there is none and `options` allow.
    ///
    /// `listener` is told of every commit from the writer's thread.
    pub fn open(options: &Options, mut listener: Box<dyn Listener>) -> Result<Self> {
        let current: Current = Arc::default();
        let (opened, view) = damage::guarded(|| {
            let opened = open::open(options)?;
            let view = opened.view()?;
            Ok((opened, view))
        })?;
        listener.opened(view.position());
        current.store(Some(Arc::new(view)));
        let (queue, writer) = match opened.into_writable() {
            None => (None, None),
            Some(file) => {
                let (queue, jobs) = mpsc::channel(options.queue);
                let thread = writer::start(file, options.clone(), current.clone(), jobs, listener)?;
                (Some(queue), Some(thread))
            }
        };
        Ok(Self {
            current,
            owner: options.owner.clone(),
            queue: Mutex::new(queue),
            writer: Mutex::new(writer),
        })
    }

    /// The newest commit, for reading; it stays as it is for as long as it is held.
    pub fn view(&self) -> Result<Arc<View>> {
        self.current.load_full().ok_or(Error::Absent)
    }

    /// The owner of claims that are made here.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Carries out a command; the answer comes once it is on disk.
    pub async fn write(&self, command: Command) -> Result<Answer> {
        self.submit(command).await?.await
    }

    /// Queues a command, and gives its answer to wait for: so commands keep their order while
    /// they wait together.
    pub async fn submit(
        &self,
        command: Command,
    ) -> Result<impl Future<Output = Result<Answer>> + use<>> {
        let (answer, wait) = oneshot::channel();
        let queue = lock(&self.queue).clone().ok_or_else(read_only)?;
        queue.send(writer::Job { command, answer }).await.map_err(|_| Error::Absent)?;
        Ok(async { wait.await.map_err(|_| Error::Absent)? })
    }

    /// Waits until all that is queued is written, and closes the file. Who still holds the store
    /// finds it closed.
    pub fn close(&self) {
        drop(lock(&self.queue).take());
        if let Some(writer) = lock(&self.writer).take()
            && writer.join().is_err()
        {
            tracing::error!(
                "the store's writer ended with a panic; what it had not acknowledged may be kept or not"
            );
        }
        self.current.store(None);
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}

fn read_only() -> Error {
    Error::Write("it is closed, or was opened for reading only".into())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
