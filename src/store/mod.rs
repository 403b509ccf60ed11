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
mod ascending;
mod bot_events;
mod by_time;
mod carry_out;
mod changed;
pub mod check;
mod command;
mod commit;
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
mod external_ids;
mod file;
mod ids;
mod initialise;
mod join;
mod journal;
mod lazy_table;
mod listener;
mod listing;
mod log_recovery;
mod marked_terms;
mod membership;
mod migration;
mod open;
mod options;
mod order_tables;
mod overlay;
mod pages;
pub mod postings;
mod prefix;
mod quarantine;
mod query;
mod range;
mod raw_event_row;
mod recount;
mod replay;
mod replica;
mod role;
mod routing_facts;
mod salvage;
mod sealed;
mod shared_log;
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
pub use bot_events::{BotEvent, StoredRawEvent};
pub use by_time::MessageSource;
pub use command::{Answer, Command};
pub use compact::compact;
pub use dedupe_keys::{Idempotency, KEY_LIFE};
pub use error::{Result, StoreError};
pub use join::{join, leave};
pub use journal::{EntryContent, JournalEntry};
pub use listener::{Head, Listener};
pub use listing::{ConversationQuery, stored};
pub use membership::Membership;
pub use options::{Access, MigrationProgress, MigrationStep, SharedLogFactory, StoreOptions};
pub use prefix::ByPrefix;
pub use quarantine::Quarantined;
pub use query::{FilterTerms, Matches, MessageFilter, Order, Page};
pub use salvage::{Salvaged, damaged_at, kept_stores, salvage};
pub use view::View;

use crate::log::SharedBatch;
use role::StoreRole;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use uuid::Uuid;
use view::CurrentView;
use writer::{ClusterRequest, WriterRequest};

/// How long a reader of one node waits for data that a client has seen at another node.
const NODES_APART: Duration = Duration::from_secs(5);

/// An open store. Dropping it, like [`Store::close`], waits until queued commands are written.
pub struct Store {
    current: CurrentView,
    role: Arc<StoreRole>,
    owner: String,
    keeps_events_for: u64,
    /// `None` once the store is closed, or if it was opened for reading.
    queue: Mutex<Option<mpsc::Sender<WriterRequest>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Store {
    /// Opens the store, making it if there is none and `options` allow.
    ///
    /// `listener` gets every commit, from the writer's thread.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, is in use, or is no store of this version; `StoreError` says
    /// which.
    pub fn open(options: &StoreOptions, mut listener: Box<dyn Listener>) -> Result<Self> {
        let current = CurrentView::default();
        let (opened, view) = damage::guarded(|| {
            let opened = open::open(options)?;
            let view = opened.view()?;
            Ok((opened, view))
        })?;
        let membership = view.membership();
        let is_written_elsewhere = options.access == Access::Write && options.shared_log.is_none();
        if let Some(Membership { cluster, .. }) =
            membership.as_ref().filter(|_| is_written_elsewhere)
        {
            return Err(membership::written_by_its_cluster(&options.path, cluster));
        }
        let role = Arc::new(StoreRole::new(options.shared_log.is_some()));
        role.reach(membership.map_or(0, |membership| membership.stream_seq));
        listener.opened(view.position());
        current.store(Some(Arc::new(view)));
        let (queue, writer) = match opened.into_writable() {
            None => (None, None),
            Some(file) => {
                let (queue, jobs) = mpsc::channel(options.queue);
                let thread = writer::start(
                    file,
                    options.clone(),
                    current.clone(),
                    role.clone(),
                    jobs,
                    listener,
                )?;
                (Some(queue), Some(thread))
            }
        };
        Ok(Self {
            current,
            role,
            owner: options.owner.clone(),
            keeps_events_for: options.journal_seconds,
            queue: Mutex::new(queue),
            writer: Mutex::new(writer),
        })
    }

    /// The newest commit, for reading. The value does not change.
    ///
    /// # Errors
    ///
    /// The store is closed, or its file is being opened again.
    pub fn view(&self) -> Result<Arc<View>> {
        self.current.load_full().ok_or(StoreError::Absent)
    }

    /// The owner of claims that are made here.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Seconds for which events are kept, so that clients can resume.
    pub fn keeps_events_for(&self) -> u64 {
        self.keeps_events_for
    }

    /// Carries out a command. The answer comes once the change is durable. Waits while the queue is full.
    ///
    /// # Errors
    ///
    /// The command is refused, or the store cannot be written; `StoreError` says which.
    pub fn write(&self, command: Command) -> impl Future<Output = Result<Answer>> {
        let submitted = self.submit(command);
        async { submitted.await?.await }
    }

    /// Queues a command, and returns a future of its answer. So commands keep their order while several
    /// wait. Waits while the queue is full.
    ///
    /// # Errors
    ///
    /// The command is refused, or the store cannot be written; `StoreError` says which.
    pub fn submit(
        &self,
        command: Command,
    ) -> impl Future<Output = Result<impl Future<Output = Result<Answer>> + use<>>> {
        self.submit_in(None, command)
    }

    /// Queues a command if the store leads in this term. In another term it is refused, because another
    /// leader may know more.
    ///
    /// # Errors
    ///
    /// As [`Self::submit`].
    pub fn submit_in(
        &self,
        term: Option<u64>,
        command: Command,
    ) -> impl Future<Output = Result<impl Future<Output = Result<Answer>> + use<>>> {
        // Not in an `async` function: its future would be as large as a command, and is moved several
        // times.
        let command = Box::new(command);
        async move {
            let (answer, wait) = oneshot::channel();
            self.queue(WriterRequest::Command(command, term, answer)).await?;
            Ok(async { wait.await.map_err(|_| unknown_outcome())? })
        }
    }

    /// The number of times that this store has begun to lead its cluster; 0 in an independent store.
    pub fn term(&self) -> u64 {
        self.role.term()
    }

    /// Whether commands are decided here: always, unless the store is that of a node that does not
    /// lead its cluster.
    pub fn leading(&self) -> watch::Receiver<bool> {
        self.role.leading()
    }

    /// The stream sequence of the cluster's log that readers see; 0 in an independent store.
    pub fn stream_seqs(&self) -> watch::Receiver<u64> {
        self.role.stream_seqs()
    }

    /// Waits like [`Self::catch_up_with`] for a message whose ID another node may have given, but not for IDs that
    /// are not of this store.
    pub async fn catch_up_with_message(&self, id: Uuid) {
        if !self.role.is_of_a_node() {
            return;
        }
        let seq = self.view().ok().and_then(|view| view.seq_carried_by(id));
        if let Some(seq) = seq {
            self.catch_up_with(0, seq).await;
        }
    }

    /// Waits until readers see an event and a message that a client may have seen at another node. Waits at
    /// most 5 s, and in an independent store not at all.
    pub async fn catch_up_with(&self, offset: u64, seq: u64) {
        if !self.role.is_of_a_node() {
            return;
        }
        let is_seen = || {
            let head = self.view().map(|view| view.position());
            head.is_ok_and(|head| head.cursor.offset >= offset && head.seq >= seq)
        };
        let mut stream_seqs = self.stream_seqs();
        // An error means that the store is closed.
        let _ = timeout(NODES_APART, stream_seqs.wait_for(|_| is_seen())).await;
    }

    /// Applies batches of the cluster's log that follow the stream sequence `after`.
    ///
    /// # Errors
    ///
    /// The batches do not follow what is here, or the disk refuses.
    pub async fn replicate(&self, after: u64, batches: Vec<SharedBatch>) -> Result<()> {
        let (answer, wait) = oneshot::channel();
        self.queue(WriterRequest::Cluster(ClusterRequest::Replicate(after, batches, answer)))
            .await?;
        wait.await.map_err(|_| StoreError::Absent)?
    }

    /// Begins to lead the cluster. `after` is the last stream sequence of its log, and `applied` that of
    /// the last whole batch.
    ///
    /// # Errors
    ///
    /// Not all of the log is here, another node has appended meanwhile, the lease ended, or the disk
    /// refuses.
    pub async fn lead(&self, applied: u64, after: u64) -> Result<()> {
        let (answer, wait) = oneshot::channel();
        self.queue(WriterRequest::Cluster(ClusterRequest::Lead { applied, after, answer })).await?;
        wait.await.map_err(|_| StoreError::Absent)?
    }

    /// Ends leading. Returns once nothing is decided here any more.
    pub async fn follow(&self) {
        let (answer, wait) = oneshot::channel();
        if self.queue(WriterRequest::Cluster(ClusterRequest::Follow(answer))).await.is_ok() {
            // An error means that the store is closed.
            let _ = wait.await;
        }
    }

    async fn queue(&self, job: WriterRequest) -> Result<()> {
        let queue = lock(&self.queue).clone().ok_or_else(read_only)?;
        queue.send(job).await.map_err(|_| StoreError::Absent)
    }

    /// Waits until all queued commands are written, and closes the file. Later calls fail with
    /// [`StoreError::Absent`].
    pub fn close(&self) {
        drop(lock(&self.queue).take());
        if let Some(writer) = lock(&self.writer).take()
            && writer.join().is_err()
        {
            tracing::error!(
                "the writer of the store panicked; changes that were not acknowledged may or may not be stored"
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

/// The writer panicked; the log has the details.
fn unknown_outcome() -> StoreError {
    StoreError::InDoubt(
        "the store failed during the write; it is unknown whether it was stored".into(),
    )
}

fn read_only() -> StoreError {
    StoreError::Write("it is closed, or was opened for reading only".into())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
