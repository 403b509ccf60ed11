//! The store: messages on disk, and the indexes for queries.
//!
//! Commands are decided into events ([`command`]), events are logged and applied ([`apply`]), and
//! the tables are the result. The log holds the events that the tables do not have durably yet. Of
//! older events the journal keeps what a client needs to resume, without content.
//!
//! Guarantees: a [`Command`] is answered only once its change is on disk; commands that
//! wait together share one sync; `seq` grows with each message and is never used again; readers
//! see whole commits only and never wait for the writer.

mod apply;
mod by_time;
mod changed;
pub mod check;
mod command;
mod compact;
mod conversation;
mod copy;
mod counts;
mod damage;
mod decide;
mod dedupe;
mod dedupe_keys;
mod early_recall;
mod error;
mod external;
mod facts;
mod feed;
mod file;
mod forward;
mod ids;
mod journal;
mod lazy_table;
mod legacy;
mod listener;
mod listing;
mod migration;
mod open;
mod options;
mod order;
mod overlay;
mod pages;
pub mod postings;
mod prefix;
mod quarantine;
mod query;
mod range;
mod recount;
mod salvage;
mod sealed;
mod set_aside;
mod state;
mod tables;
#[cfg(test)]
mod tests;
mod transaction;
mod view;
mod writer;

pub use crate::log::disk::{StorageFactory, StoreFileKind};
pub use crate::log::file::kept_beside as kept_logs;
pub use crate::log::record;
pub use by_time::MessageSource;
pub use command::{Answer, Command, MessageTarget};
pub use compact::compact;
pub use dedupe_keys::{Idempotency, KEY_LIFE};
pub use error::{Result, StoreError};
pub use feed::{FeedEntry, StoredRawEvent};
pub use journal::{EntryContent, JournalEntry};
pub use listener::{Head, Listener};
pub use listing::{ConversationQuery, stored};
pub use options::{Access, MigrationProgress, MigrationStep, StoreOptions};
pub use prefix::ByPrefix;
pub use query::{Matches, MessageFilter, Needs, Order, Page};
pub use salvage::{Salvaged, damaged_at, kept_stores, salvage};
pub use set_aside::SetAside;
pub use view::View;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};
use writer::Current;

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
    ///
    /// # Errors
    ///
    /// The file cannot be opened, is in use, or is no store of this version; `StoreError` says
    /// which.
    pub fn open(options: &StoreOptions, mut listener: Box<dyn Listener>) -> Result<Self> {
        let current = Current::default();
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
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn view(&self) -> Result<Arc<View>> {
        self.current.load_full().ok_or(StoreError::Absent)
    }

    /// The owner of claims that are made here.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Carries out a command; the answer comes once it is on disk.
    ///
    /// # Errors
    ///
    /// The command is refused, the queue is full, or the store cannot be written; `StoreError` says
    /// which.
    pub async fn write(&self, command: Command) -> Result<Answer> {
        self.submit(command).await?.await
    }

    /// Queues a command, and gives its answer to wait for: so commands keep their order while
    /// they wait together.
    ///
    /// # Errors
    ///
    /// The command is refused, the queue is full, or the store cannot be written; `StoreError` says
    /// which.
    pub async fn submit(
        &self,
        command: Command,
    ) -> Result<impl Future<Output = Result<Answer>> + use<>> {
        let (answer, wait) = oneshot::channel();
        let queue = lock(&self.queue).clone().ok_or_else(read_only)?;
        queue.send(writer::Job { command, answer }).await.map_err(|_| StoreError::Absent)?;
        Ok(async { wait.await.map_err(|_| unknown_outcome())? })
    }

    /// Waits until all queued commands are written, and closes the file. Later calls fail with
    /// [`StoreError::Absent`].
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

/// The writer panicked, which the log tells.
fn unknown_outcome() -> StoreError {
    StoreError::Write(
        "the store failed in the middle of it; whether it was written is unknown".into(),
    )
}

fn read_only() -> StoreError {
    StoreError::Write("it is closed, or was opened for reading only".into())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
